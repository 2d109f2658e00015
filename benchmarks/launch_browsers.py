"""The platform and the browsers of `launch.py`: what they send, and what they keep of the answers."""

from __future__ import annotations

import http.client
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from threading import local
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from benchmarks.launch_world import CLIENT, ISSUER, Server, names

LTI = "https://purl.imsglobal.org/spec/lti/claim/"
AGS = "https://purl.imsglobal.org/spec/lti-ags/claim/endpoint"
MEMBERSHIP = "http://purl.imsglobal.org/vocab/lis/v2/membership#"
BROWSERS = 8


@dataclass
class Visit:
    """One person's way in: what the login asked, and where the launch led."""

    sub: str
    course: int
    link: str = "7"
    teacher: bool = False
    cookies: dict[str, str] = field(default_factory=dict)
    asked: dict[str, str] = field(default_factory=dict)
    token: str = ""
    leads_to: str = ""


class Browsers:
    """Eight connections that are kept open, each with its thread."""

    def __init__(self, server: Server) -> None:
        self.server, self.own = server, local()
        self.threads = ThreadPoolExecutor(BROWSERS)

    def all(self, act: Callable[[Visit], None], visits: Iterable[Visit]) -> None:
        list(self.threads.map(act, visits))

    def send(
        self, method: str, path: str, visit: Visit, form: dict[str, str] | None = None
    ) -> tuple[int, str]:
        """The status and the `Location` of an answer, read whole."""
        headers = {"Cookie": "; ".join(f"{name}={value}" for name, value in visit.cookies.items())}
        if form is not None:
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        for _ in range(2):  # gunicorn closes what was idle for two seconds
            if not hasattr(self.own, "connection"):
                self.own.connection = http.client.HTTPConnection("127.0.0.1", self.server.port, timeout=30)
            try:
                self.own.connection.request(method, path, form and urlencode(form), headers)
                answer = self.own.connection.getresponse()
                break
            except (http.client.RemoteDisconnected, ConnectionError):
                self.own.connection.close()
                del self.own.connection
        answer.read()
        for cookie in answer.headers.get_all("Set-Cookie", []):
            name, _equals, value = cookie.partition(";")[0].partition("=")
            visit.cookies[name] = value
        return answer.status, answer.headers.get("Location", "")

    def login(self, visit: Visit) -> None:
        form = {
            "iss": ISSUER,
            "client_id": CLIENT,
            "lti_deployment_id": "1",
            "login_hint": visit.sub,
            "lti_message_hint": '{"cmid":5}',
            "target_link_uri": f"{self.server.address}/lti/launch",
        }
        status, location = self.send("POST", "/lti/login", visit, form)
        assert status in (302, 303), status
        assert "nonce=" in location, location
        visit.asked = {name: values[0] for name, values in parse_qs(urlsplit(location).query).items()}

    def launch(self, visit: Visit) -> None:
        form = {"state": visit.asked["state"], "id_token": visit.token}
        status, visit.leads_to = self.send("POST", "/lti/launch", visit, form)
        assert status == 303, status

    def first_page(self, visit: Visit) -> None:
        """The address of the session, and the page it leads to."""
        status, location = self.send("GET", visit.leads_to, visit)
        assert status == 303, status
        status, _location = self.send("GET", location, visit)
        assert status == 200, status


def claims(visit: Visit, server: Server) -> dict[str, Any]:
    """What Moodle says of one of its people."""
    now = int(time.time())
    return {
        "iss": ISSUER,
        "aud": CLIENT,
        "sub": visit.sub,
        "iat": now,
        "exp": now + 600,
        "nonce": visit.asked["nonce"],
        **names(visit.sub),
        LTI + "message_type": "LtiResourceLinkRequest",
        LTI + "version": "1.3.0",
        LTI + "deployment_id": "1",
        LTI + "target_link_uri": f"{server.address}/lti/launch",
        LTI + "roles": [MEMBERSHIP + ("Instructor" if visit.teacher else "Learner")],
        LTI + "context": {"id": str(visit.course), "label": "2MRC1", "title": "Seconde MRC 1"},
        LTI + "resource_link": {"id": visit.link, "title": "Spirale"},
        LTI + "launch_presentation": {"locale": "fr", "return_url": f"{ISSUER}/return.php?course=2"},
        AGS: {
            "lineitems": f"{ISSUER}/lineitems?type_id=1",
            "scope": ["https://purl.imsglobal.org/spec/lti-ags/scope/score"],
        },
    }
