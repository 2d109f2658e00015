"""The tool's side, played by the tests with PyJWT and requests over real HTTP."""

import html
import json
import re
import threading
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any
from urllib.parse import urlsplit

import jwt
import requests
from cryptography.hazmat.primitives.asymmetric import rsa
from werkzeug.serving import BaseWSGIServer, make_server

from lti_tool.demo.settings import CLIENT_ID

LTI = "https://purl.imsglobal.org/spec/lti/claim/"
LTI_DL = "https://purl.imsglobal.org/spec/lti-dl/claim/"
AGS = "https://purl.imsglobal.org/spec/lti-ags/claim/endpoint"
NRPS = "https://purl.imsglobal.org/spec/lti-nrps/claim/namesroleservice"
SCOPE_LINEITEM = "https://purl.imsglobal.org/spec/lti-ags/scope/lineitem"
SCOPE_LINEITEM_READONLY = "https://purl.imsglobal.org/spec/lti-ags/scope/lineitem.readonly"
SCOPE_SCORE = "https://purl.imsglobal.org/spec/lti-ags/scope/score"
SCOPE_RESULT = "https://purl.imsglobal.org/spec/lti-ags/scope/result.readonly"
SCOPE_NRPS = "https://purl.imsglobal.org/spec/lti-nrps/scope/contextmembership.readonly"
EVERY_SCOPE = (SCOPE_LINEITEM, SCOPE_LINEITEM_READONLY, SCOPE_SCORE, SCOPE_RESULT, SCOPE_NRPS)
CONTAINER = "application/vnd.ims.lis.v2.lineitemcontainer+json"
LINEITEM = "application/vnd.ims.lis.v2.lineitem+json"
SCORE = "application/vnd.ims.lis.v1.score+json"
MEMBERS = "application/vnd.ims.lti-nrps.v2.membershipcontainer+json"
START = datetime(2026, 11, 23, 8, 0, 0, tzinfo=UTC)


@dataclass
class Clock:
    """The platform's clock, moved by hand; it starts on a whole second."""

    now: datetime = START

    def __call__(self) -> datetime:
        return self.now

    def pass_seconds(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)

    def iso(self, seconds: float = 0) -> str:
        """The moment that many seconds from now, with milliseconds and Z."""
        moment = self.now + timedelta(seconds=seconds)
        return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")

    @property
    def epoch(self) -> int:
        return int(self.now.timestamp())


@cache
def rsa_key(name: str) -> rsa.RSAPrivateKey:
    """One key per name, made once for the whole run."""
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def public_jwk(name: str) -> dict[str, Any]:
    jwk = json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(rsa_key(name).public_key()))
    return {"kty": "RSA", "use": "sig", "alg": "RS256", "kid": name, "n": jwk["n"], "e": jwk["e"]}


@contextmanager
def serving(build: Callable[[str], Any]) -> Iterator[BaseWSGIServer]:
    """A WSGI app on a free port of 127.0.0.1; ``build`` gets its address and makes the app."""
    server = make_server("127.0.0.1", 0, lambda *_: [], threaded=True)  # the port comes first
    server.app = build(f"http://127.0.0.1:{server.server_port}")
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@dataclass
class PublishedKeys:
    """What the tool's JWKS address answers, and how often it was asked."""

    names: list[str] = field(default_factory=lambda: ["tool-1"])
    broken: bool = False
    fetches: int = 0

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> list[bytes]:
        self.fetches += 1
        body = b"oops" if self.broken else json.dumps({"keys": [public_jwk(n) for n in self.names]}).encode()
        start_response("200 OK", [("Content-Type", "application/json")])
        return [body]


def hidden_fields(page: str) -> dict[str, str]:
    """The hidden inputs of the page's form."""
    found = re.findall(r'<input type="hidden" name="([^"]*)" value="([^"]*)"', page)
    return {name: html.unescape(value) for name, value in found}


def form_action(page: str) -> str:
    found = re.search(r'action="([^"]*)" data-auto-submit', page)
    assert found is not None, page
    return html.unescape(found[1])


class Browser:
    """A browser that has entered the demo LMS as somebody."""

    def __init__(self, base_url: str, sub: str | None = None) -> None:
        self.base_url = base_url
        self.http = requests.Session()
        self.http.trust_env = False
        if sub is not None:
            self.post("/enter", data={"person": sub})

    def get(self, path: str, **kwargs: Any) -> requests.Response:
        return self.http.get(self._url(path), timeout=10, **kwargs)

    def post(self, path: str, **kwargs: Any) -> requests.Response:
        return self.http.post(self._url(path), timeout=10, **kwargs)

    def close(self) -> None:
        self.http.close()

    def login_initiation(self, path: str) -> dict[str, str]:
        """The parameters the LMS posts to the tool's login address."""
        page = self.get(path)
        assert page.status_code == 200, page.text
        return hidden_fields(page.text)

    def _url(self, path: str) -> str:
        return path if path.startswith("http") else self.base_url + path


class Tool:
    """The tool: signs, asks for tokens, calls the services."""

    def __init__(self, base_url: str, tool_url: str, clock: Clock, client_id: str = CLIENT_ID) -> None:
        self.client_id = client_id
        self.base_url = base_url
        self.tool_url = tool_url
        self.clock = clock
        self.http = requests.Session()
        self.http.trust_env = False

    def close(self) -> None:
        self.http.close()

    # Launch

    def authentication_request(self, login: dict[str, str], **changes: str | None) -> dict[str, str]:
        """The right parameters for ``login``; a change to None leaves the parameter out."""
        request: dict[str, str | None] = {
            "scope": "openid",
            "response_type": "id_token",
            "response_mode": "form_post",
            "prompt": "none",
            "client_id": self.client_id,
            "redirect_uri": f"{self.tool_url}/lti/launch",
            "login_hint": login["login_hint"],
            "lti_message_hint": login["lti_message_hint"],
            "state": "a-state",
            "nonce": "a-nonce",
        }
        return {name: value for name, value in {**request, **changes}.items() if value is not None}

    def launch(self, browser: Browser, path: str) -> dict[str, Any]:
        """The claims of a launch, its signature, audience and issuer checked."""
        request = self.authentication_request(browser.login_initiation(path))
        answer = browser.get("/lti/auth", params=request)
        assert answer.status_code == 200, answer.text
        return self.claims_of(hidden_fields(answer.text)["id_token"])

    def claims_of(self, id_token: str) -> dict[str, Any]:
        keys = self.http.get(f"{self.base_url}/lti/jwks", timeout=10).json()["keys"]
        key = {key["kid"]: jwt.PyJWK(key) for key in keys}[jwt.get_unverified_header(id_token)["kid"]]
        unchecked = {"verify_exp": False, "verify_iat": False}
        return jwt.decode(
            id_token, key, ["RS256"], audience=self.client_id, issuer=self.base_url, options=unchecked
        )

    # Token

    def sign(self, claims: dict[str, Any], key: str = "tool-1", **headers: Any) -> str:
        """A JWT of the tool; header ``kid=None`` leaves it out."""
        headers = {"kid": key, **headers}
        headers = {name: value for name, value in headers.items() if value is not None}
        return jwt.encode(claims, rsa_key(key), "RS256", headers=headers)

    def assertion_claims(self, **changes: Any) -> dict[str, Any]:
        claims = {
            "iss": self.client_id,
            "sub": self.client_id,
            "aud": f"{self.base_url}/lti/token",
            "iat": self.clock.epoch,
            "exp": self.clock.epoch + 60,
            "jti": uuid.uuid4().hex,
        }
        return {name: value for name, value in {**claims, **changes}.items() if value is not None}

    def token_request(self, assertion: str, *scopes: str, **changes: str | None) -> dict[str, str]:
        request: dict[str, str | None] = {
            "grant_type": "client_credentials",
            "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
            "client_assertion": assertion,
            "scope": " ".join(scopes or EVERY_SCOPE),
        }
        return {name: value for name, value in {**request, **changes}.items() if value is not None}

    def ask_token(self, assertion: str, *scopes: str, **changes: str | None) -> requests.Response:
        request = self.token_request(assertion, *scopes, **changes)
        return self.http.post(f"{self.base_url}/lti/token", data=request, timeout=10)

    def token(self, *scopes: str) -> str:
        answer = self.ask_token(self.sign(self.assertion_claims()), *scopes)
        assert answer.status_code == 200, answer.text
        return answer.json()["access_token"]

    # Services

    def call(self, method: str, url: str, *, token: str | None = None, **kwargs: Any) -> requests.Response:
        """A service request, with a token for every scope unless one is given ("" for none)."""
        headers = dict(kwargs.pop("headers", {}))
        bearer = self.token() if token is None else token
        if bearer:
            headers["Authorization"] = f"Bearer {bearer}"
        body = kwargs.pop("json", None)
        data = json.dumps(body) if body is not None else kwargs.pop("data", None)
        target = url if url.startswith("http") else self.base_url + url
        return self.http.request(method, target, headers=headers, data=data, timeout=10, **kwargs)

    def lineitems(self, course_id: int = 2, **query: Any) -> requests.Response:
        url = f"/lti/courses/{course_id}/lineitems"
        return self.call("GET", url, params={"type_id": "1", **query}, headers={"Accept": CONTAINER})

    def create(self, course_id: int = 2, **item: Any) -> requests.Response:
        body = {"label": "Compétence 1", "scoreMaximum": 4, **item}
        url = f"/lti/courses/{course_id}/lineitems?type_id=1"
        return self.call("POST", url, json=body, headers={"Content-Type": LINEITEM})

    def put(self, item_url: str, **item: Any) -> requests.Response:
        return self.call("PUT", item_url, json=item, headers={"Content-Type": LINEITEM})

    def score(self, item_url: str, sub: str, given: float | None = 3, **changes: Any) -> requests.Response:
        """Post a score dated now; a change to None leaves the field out."""
        body = {
            "userId": sub,
            "scoreGiven": given,
            "scoreMaximum": 4,
            "timestamp": self.clock.iso(),
            "activityProgress": "Completed",
            "gradingProgress": "FullyGraded",
            **changes,
        }
        body = {name: value for name, value in body.items() if value is not None}
        headers = {"Content-Type": SCORE}
        return self.call("POST", segment(item_url, "scores"), json=body, headers=headers)

    def results(self, item_url: str, **query: str) -> requests.Response:
        return self.call("GET", segment(item_url, "results"), params=query)


def segment(item_url: str, name: str) -> str:
    """``…/lineitem?type_id=1`` → ``…/lineitem/scores?type_id=1``."""
    parts = urlsplit(item_url)
    return parts._replace(path=f"{parts.path}/{name}").geturl()
