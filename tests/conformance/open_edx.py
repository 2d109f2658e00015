"""Open edX's LTI consumer (`lti-consumer-xblock`) opens the tool, and checks its answers. Run by `make conformance`.

The consumer runs here, in an environment of its own, with none of our code; the tool runs beside it, under gunicorn, as
a school runs it. Usage: open_edx.py PYTHON-OF-THE-TOOL
"""

from __future__ import annotations

import html
import http.server
import json
import os
import re
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from django.conf import settings

settings.configure(
    PLATFORM_NAME="Open edX",
    LMS_ROOT_URL="https://edx.example.org",
    INSTALLED_APPS=["django.contrib.contenttypes", "django.contrib.auth", "lti_consumer"],
    DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}},
    CACHES={"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}},
    FEATURES={},
    USE_TZ=True,
    DEFAULT_AUTO_FIELD="django.db.models.AutoField",
)
import django  # noqa: E402

django.setup()
from lti_consumer.data import Lti1p3LaunchData  # noqa: E402
from lti_consumer.lti_1p3.consumer import LtiAdvantageConsumer  # noqa: E402

ROOT = Path(__file__).resolve().parents[2]
NRPS = "https://purl.imsglobal.org/spec/lti-nrps/scope/contextmembership.readonly"
MEMBERSHIP = "http://purl.imsglobal.org/vocab/lis/v2/membership#"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Browser:
    """Follows redirections of the tool; keeps its `Secure` cookies, as browsers do for http://localhost."""

    def __init__(self, tool: str) -> None:
        self.tool, self.cookies = tool, {}
        self.opener = urllib.request.build_opener(_NoRedirect())

    def open(
        self, url: str, form: dict[str, str] | list[tuple[str, str]] | None = None
    ) -> tuple[int, str, str]:
        """Status, address, text: of a page, or of the first address that is not the tool's."""
        data = urllib.parse.urlencode(form).encode() if form else None
        for _hop in range(10):
            cookie = "; ".join(f"{k}={v}" for k, v in self.cookies.items())
            asked = urllib.request.Request(url, data, {"Cookie": cookie})
            try:
                answer = self.opener.open(asked, timeout=20)
            except urllib.error.HTTPError as error:
                answer = error
            for line in answer.headers.get_all("Set-Cookie") or []:
                name, value = line.split(";")[0].split("=", 1)
                self.cookies[name] = value
            location = answer.headers.get("Location")
            if not location:
                return answer.status, url, answer.read().decode()
            url, data = urllib.parse.urljoin(url, location), None
            if not url.startswith(self.tool):
                return answer.status, url, ""
        raise SystemExit("the tool redirects for ever")


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_args: object) -> None:
        return None


class Platform:
    """The consumer's endpoints over HTTP, and its launches."""

    def __init__(self, tool: str, port: int) -> None:
        self.tool, self.url = tool, f"http://127.0.0.1:{port}"
        key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        pem = key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        self.consumer = LtiAdvantageConsumer(
            iss="https://edx.example.org",
            lti_oidc_url=f"{tool}/lti/login",
            lti_launch_url=f"{tool}/lti/launch",
            client_id="edx-client",
            deployment_id="1",
            rsa_key=pem,
            rsa_key_id="edx-key",
            redirect_uris=[f"{tool}/lti/launch"],
            tool_keyset_url=f"{tool}/lti/jwks",
        )
        self.consumer.enable_nrps(f"{self.url}/members")
        self.consumer.enable_ags(f"{self.url}/lineitems", allow_programmatic_grade_interaction=True)
        self.tokens: list[str] = []
        self.rosters = 0
        handler = type("Handler", (_Handler,), {"platform": self})
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", port), handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def launch(
        self, browser: Browser, user: str, role: str, message: str = "LtiResourceLinkRequest"
    ) -> tuple[int, str, str]:
        """The consumer's own preflight and launch, through a browser."""
        data = Lti1p3LaunchData(
            user_id=user,
            user_role=role,
            config_id="1",
            resource_link_id="block-1",
            message_type=message,
            context_id="course-v1:2MRC1",
            context_title="Seconde MRC 1",
            context_label="2MRC1",
        )
        status, address, text = browser.open(self.consumer.prepare_preflight_url(data))
        if not address.startswith(self.url):
            return status, address, text
        asked = dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(address).query))
        self.consumer.set_user_data(user, role, full_name=f"Personne {user}")
        self.consumer.set_resource_link_claim("block-1", title="Spirale")
        self.consumer.set_launch_presentation_claim("iframe")
        self.consumer.set_context_claim("course-v1:2MRC1", None, "Seconde MRC 1", "2MRC1")
        return browser.open(f"{self.tool}/lti/launch", self.consumer.generate_launch_request(asked))


class _Handler(http.server.BaseHTTPRequestHandler):
    platform: Platform

    def do_GET(self) -> None:
        if self.path == "/jwks":
            return self._answer(self.platform.consumer.get_public_keyset())
        token = self.headers.get("Authorization", "").removeprefix("Bearer ")
        if self.path.startswith("/members") and self.platform.consumer.check_token(token, [NRPS]):
            self.platform.rosters += 1
            people = [("t1", "Instructor"), ("p1", "Learner"), ("p2", "Learner")]
            members = [
                {"user_id": sub, "name": f"Personne {sub}", "roles": [MEMBERSHIP + role]}
                for sub, role in people
            ]
            return self._answer({"id": self.path, "members": members})
        return self._answer({}, 404)

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        form = dict(urllib.parse.parse_qsl(body))
        try:
            granted = self.platform.consumer.access_token(form)
        except Exception as error:
            return self._answer({"error": repr(error)}, 400)
        self.platform.tokens.append(granted["scope"])
        return self._answer(granted)

    def _answer(self, body: object, status: int = 200) -> None:
        text = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, *_args: object) -> None:
        pass


def start_tool(python: str, folder: str, port: int, platform_port: int) -> subprocess.Popen[bytes]:
    """The tool, with the consumer registered."""
    env = {k: v for k, v in os.environ.items() if not k.startswith(("SPIRALE_", "DJANGO_"))}
    env |= {"SPIRALE_DATA_DIR": folder, "SPIRALE_BASE_URL": f"http://localhost:{port}"}
    here = f"http://127.0.0.1:{platform_port}"

    def spirale(*words: str) -> None:
        subprocess.run(
            [python, "-m", "lti_tool", *words], cwd=ROOT, env=env, check=True, stdout=subprocess.DEVNULL
        )

    spirale("db", "upgrade")
    spirale(
        "platform", "add", "--name", "Open edX", "--issuer", "https://edx.example.org", "--client-id", "edx-client",
        "--deployment-id", "1", "--auth-login-url", f"{here}/auth", "--auth-token-url", f"{here}/token",
        "--jwks-url", f"{here}/jwks",
    )  # fmt: skip
    command = [
        python,
        "-m",
        "gunicorn",
        "--bind",
        f"127.0.0.1:{port}",
        "--log-level",
        "error",
        "--threads",
        "4",
    ]
    process = subprocess.Popen(
        [*command, "lti_tool:create_app()"], cwd=ROOT, env=env, stderr=subprocess.DEVNULL
    )
    for _try in range(200):
        try:
            urllib.request.urlopen(f"http://localhost:{port}/health/ready", timeout=5)
        except OSError:
            time.sleep(0.1)
        else:
            return process
    process.terminate()
    raise SystemExit("the tool does not start")


LAUNCHES = [
    ("t1", "staff", "a teacher's launch is accepted", "Réglages du cours"),
    ("p1", "student", "a pupil's launch is accepted", "Ma spirale"),
    # Open edX says Instructor of the course for whoever administers the site.
    (
        "x1",
        "global_staff",
        "an administrator comes in as the teacher they are said to be",
        "Réglages du cours",
    ),
    # Learner, and TeachingAssistant of the course.
    ("p2", "Community TA", "an assistant assesses and changes no setting", "Bilan"),
]
"""Who, in Open edX's words; what is checked; what their first page shows."""


def check(what: str, right: bool, detail: object = "") -> bool:
    print(f"{'ok ' if right else 'NO '} {what}{'' if right else f': {detail}'}")
    return right


def deep_link(platform: Platform, browser: Browser) -> list[dict[str, object]]:
    """Choose contents in the tool; the items the consumer reads in its answer."""
    platform.consumer.enable_deep_linking(f"{platform.tool}/lti/launch", f"{platform.url}/return")
    status, address, page = platform.launch(browser, "t1", "staff", "LtiDeepLinkingRequest")
    token = re.search(r'name="csrf" value="([^"]+)"', page)
    if not token:
        raise SystemExit(f"no picker: {status} {address} {page[:500]}")
    form = [("csrf", token[1]), ("item", "page:me"), ("item", "competence:1A"), ("action", "add")]
    _status, _address, sent = browser.open(address, form)
    answer = re.search(r'name="JWT" value="([^"]+)"', sent)
    if not answer:
        raise SystemExit(f"no answer: {sent[:500]}")
    return platform.consumer.check_and_decode_deep_linking_token(html.unescape(answer[1]))


def main(python: str) -> int:
    port, platform_port = free_port(), free_port()
    with tempfile.TemporaryDirectory() as folder:
        process = start_tool(python, folder, port, platform_port)
        try:
            return run(Platform(f"http://localhost:{port}", platform_port))
        finally:
            process.terminate()
            process.wait(20)


def run(platform: Platform) -> int:
    results = []
    teacher, browser = Browser(platform.tool), Browser(platform.tool)
    for user, role, said, shown in LAUNCHES:
        status, address, page = platform.launch(teacher if role == "staff" else browser, user, role)
        results.append(check(said, status == 200 and shown in page, (status, address)))
    _status, address, _page = platform.launch(teacher, "t1", "staff")
    token = re.search(
        r'name="csrf" value="([^"]+)"', teacher.open(address.rsplit("/", 1)[0] + "/settings")[2]
    )
    if token:
        teacher.open(address.rsplit("/", 1)[0] + "/settings/roster", {"csrf": token[1]})
    for _try in range(50):
        if platform.rosters:
            break
        time.sleep(0.1)
    granted = NRPS in platform.tokens
    results.append(check("our client assertion is accepted, its token used", granted, platform.tokens))
    results.append(check("the roster is read with a token it accepts", platform.rosters > 0))
    types = [item["type"] for item in deep_link(platform, teacher)]
    results.append(check("our deep linking response is accepted", types == ["ltiResourceLink"] * 2, types))
    return 0 if all(results) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
