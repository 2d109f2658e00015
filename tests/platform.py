"""The tool and the demo LMS, both over real HTTP, registered with each other.

``DemoWorld`` is for everything that needs an LMS: deliveries, launches, browser journeys. The LMS answers on
127.0.0.1 and the tool on localhost: two sites, as in a school. Between the tool and the LMS stands `Faults`, which
can make any answer late, lost or wrong.
"""

from __future__ import annotations

import html
import re
import socket
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from http.cookies import SimpleCookie
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urljoin, urlsplit

import requests
import sqlalchemy as sa
from flask import Flask
from werkzeug.serving import WSGIRequestHandler, make_server

from lti_tool import create_app
from lti_tool.config import Config, load_config
from lti_tool.courses.models import Course, Enrolment, Person, Role
from lti_tool.courses.roster import refresh_roster
from lti_tool.db import begin_write, db, utcnow
from lti_tool.demo import LMS, DemoSettings, DemoStore, Profile, close_demo_app, create_demo_app, registration
from lti_tool.demo.people import MRC1, KnownCourse, by_name
from lti_tool.gradebook.delivery import deliver_due
from lti_tool.gradebook.models import PlatformPause, ScoreDelivery
from lti_tool.lti.ags import SCOPES
from lti_tool.lti.connections import kept_pools
from lti_tool.lti.platforms import add_platform

Wsgi = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]
SECRET = "a secret for tests, long enough to be taken"

QUICK = """
[lti]
http_timeout_s = {timeout_s}
[delivery]
retry_first_s = 4.0
retry_longest_s = 24.0
tries = 4
lease_s = 60
"""
"""Settings of a test world: fewer tries, shorter waits (`let_time_pass` ends them)."""


# ----- servers -----


class _KeepAlive(WSGIRequestHandler):
    """Connections stay open between requests, as an LMS behind nginx keeps them."""

    protocol_version = "HTTP/1.1"

    def log(self, *_args: Any, **_more: Any) -> None:
        """Nothing: a test that fails says so itself."""


class Server:
    """A free port, taken now; the application may come later, and be replaced."""

    def __init__(self, host: str = "127.0.0.1") -> None:
        self._server = make_server("127.0.0.1", 0, self._answer, threaded=True, request_handler=_KeepAlive)
        self._server.daemon_threads = True
        self.app: Wsgi = _nothing_here
        self.url = f"http://{host}:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)
        self._thread.start()

    def _answer(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        return self.app(environ, start_response)

    def close(self) -> None:
        """Stop answering, and free the port."""
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


def _nothing_here(_environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    start_response("503 Service Unavailable", [("Content-Length", "0")])
    return []


@contextmanager
def running(app: Wsgi, host: str = "127.0.0.1") -> Iterator[str]:
    """The base address of a WSGI application, served while the block runs."""
    server = Server(host)
    server.app = app
    try:
        yield server.url
    finally:
        server.close()


# ----- faults -----


@dataclass
class Fault:
    """What to do to the coming requests of a path. See `Faults.plan`."""

    path: str
    method: str
    kind: str
    times: int
    status: int = 0
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    seconds: float = 0.0


class Faults:
    """Stands before a WSGI application: passes requests on, or does to them what a test has planned.

    `seen` holds ``METHOD path?query`` of every request, oldest first.
    """

    def __init__(self, app: Wsgi) -> None:
        self.app = app
        self._planned: list[Fault] = []
        self._lock = threading.Lock()
        self.seen: list[str] = []

    def answer(
        self, path: str, status: int, *, method: str = "", times: int = 1, body: bytes = b"", **headers: str
    ) -> None:
        """The next `times` requests whose path contains `path` get this answer, and nothing is done.

        Headers are keywords: ``Retry_After="7"``.
        """
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        self._plan(Fault(path, method, "answer", times, status, named, body))

    def cut(self, path: str, *, method: str = "", times: int = 1) -> None:
        """The connection is cut before anything is done."""
        self._plan(Fault(path, method, "cut", times))

    def lose(self, path: str, *, method: str = "", times: int = 1) -> None:
        """The request is carried out, then the connection is cut: its answer is lost."""
        self._plan(Fault(path, method, "lose", times))

    def garble(self, path: str, *, method: str = "", times: int = 1) -> None:
        """The request is carried out, and its answer is a 200 that is not JSON."""
        self._plan(Fault(path, method, "garble", times, body=b'{"oops": '))

    def silence(self, path: str, seconds: float, *, method: str = "", times: int = 1) -> None:
        """Nothing is said for so long, and nothing is done."""
        self._plan(Fault(path, method, "silence", times, seconds=seconds))

    def slow(self, path: str, seconds: float, *, method: str = "", times: int = 1_000_000) -> None:
        """The request is carried out after so long."""
        self._plan(Fault(path, method, "slow", times, seconds=seconds))

    def clear(self) -> None:
        """Forget what has not happened yet."""
        with self._lock:
            self._planned.clear()

    def asked(self, path: str, method: str = "") -> int:
        """How many requests of that path and method came so far."""
        return sum(path in line and line.startswith(method) for line in self.seen)

    def _plan(self, fault: Fault) -> None:
        with self._lock:
            self._planned.append(fault)

    def _next(self, method: str, path: str) -> Fault | None:
        with self._lock:
            self.seen.append(f"{method} {path}")
            for fault in self._planned:
                if fault.times > 0 and fault.path in path and fault.method in ("", method):
                    fault.times -= 1
                    return fault
        return None

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        path = environ["PATH_INFO"] + ("?" + environ["QUERY_STRING"] if environ["QUERY_STRING"] else "")
        fault = self._next(environ["REQUEST_METHOD"], path)
        if fault is None:
            return self.app(environ, start_response)
        _read_request(environ)
        if fault.kind in ("silence", "slow"):
            time.sleep(fault.seconds)
        if fault.kind in ("cut", "silence"):
            return hang_up(environ)
        if fault.kind == "answer":
            headers = {"Content-Length": str(len(fault.body)), **fault.headers}
            start_response(f"{fault.status} Planned", list(headers.items()))
            return [fault.body]
        if fault.kind == "slow":
            return self.app(environ, start_response)
        for _piece in self.app(environ, lambda *_args: None):
            pass
        if fault.kind == "lose":
            return hang_up(environ)
        start_response("200 OK", [("Content-Length", str(len(fault.body)))])
        return [fault.body]


def _read_request(environ: dict[str, Any]) -> None:
    """Read the body now, so that the next request on the connection begins where it should."""
    import io  # noqa: PLC0415

    length = int(environ.get("CONTENT_LENGTH") or 0)
    environ["wsgi.input"] = io.BytesIO(environ["wsgi.input"].read(length) if length else b"")


def hang_up(environ: dict[str, Any]) -> Iterable[bytes]:
    """Close the connection without a word."""
    connection: socket.socket = environ["werkzeug.socket"]
    connection.shutdown(socket.SHUT_RDWR)
    raise ConnectionAbortedError


# ----- the world -----


@dataclass
class Page:
    """What a browser holds after a journey of redirects and self-sent forms."""

    url: str
    status: int
    text: str
    headers: dict[str, str]


class Browser:
    """A browser without scripts: cookies of both sites kept by hand (Python's own jars drop `Secure` over http),
    redirects followed, forms that send themselves sent.
    """

    def __init__(self) -> None:
        self.cookies: dict[str, dict[str, str]] = {}
        """By host and port, then by name."""
        self.visited: list[str] = []
        """``METHOD address`` of each request."""
        self._http = requests.Session()
        self._http.trust_env = False

    def close(self) -> None:
        self._http.close()

    def get(self, url: str, **parameters: str) -> Page:
        return self._go("GET", f"{url}?{urlencode(parameters)}" if parameters else url, None)

    def post(self, url: str, data: dict[str, str]) -> Page:
        return self._go("POST", url, data)

    def send_form(self, page: Page, **changes: str) -> Page:
        """Send the page's first form, with these fields changed or added."""
        found = re.search(r"<form[^>]*>", page.text)
        assert found is not None, page.text
        action = re.search(r'action="([^"]*)"', found[0])
        target = urljoin(page.url, html.unescape(action[1])) if action else page.url
        return self.post(target, {**hidden_fields(page.text), **changes})

    def _go(self, method: str, url: str, data: dict[str, str] | None) -> Page:
        for _hop in range(20):
            page, onward = self._once(method, url, data)
            if onward is None:
                return page
            method, url, data = onward
        raise AssertionError(f"this does not end: {self.visited[-6:]}")

    def _once(
        self, method: str, url: str, data: dict[str, str] | None
    ) -> tuple[Page, tuple[str, str, dict[str, str] | None] | None]:
        self.visited.append(f"{method} {url}")
        jar = self.cookies.setdefault(urlsplit(url).netloc, {})
        headers = {"Cookie": "; ".join(f"{name}={value}" for name, value in jar.items())} if jar else {}
        if method == "POST":
            headers["Origin"] = "{0.scheme}://{0.netloc}".format(urlsplit(url))
        answer = self._http.request(
            method, url, data=data, headers=headers, allow_redirects=False, timeout=20
        )
        self._http.cookies.clear()
        for line in answer.raw.headers.getlist("Set-Cookie"):
            for name, morsel in SimpleCookie(re.sub(r";\s*Partitioned", "", line)).items():
                jar[name] = morsel.value
        page = Page(url, answer.status_code, answer.text, dict(answer.headers))
        if answer.is_redirect:
            keeps = answer.status_code in (307, 308)
            return page, (
                method if keeps else "GET",
                urljoin(url, answer.headers["Location"]),
                data if keeps else None,
            )
        form = re.search(r'<form[^>]*action="([^"]*)"[^>]*data-auto-submit', page.text)
        if form is None:
            return page, None
        return page, ("POST", urljoin(url, html.unescape(form[1])), hidden_fields(page.text))


def hidden_fields(text: str) -> dict[str, str]:
    """The hidden inputs of a page."""
    found = re.findall(r'<input type="hidden" name="([^"]*)" value="([^"]*)"', text)
    return {name: html.unescape(value) for name, value in found}


class DemoWorld:
    """A demo LMS and the tool, served on two sites and registered with each other.

    ``app`` is the tool's application, ``store`` a hand on the LMS (its gradebook, its people), ``faults`` stands
    between the tool's services and the LMS. Use it as a context manager, or through the fixture `world`.
    """

    def __init__(
        self, folder: Path, *, timeout_s: float = 10.0, profile: Profile = LMS, **settings: str
    ) -> None:
        self.profile = profile
        self._tool_server, self._lms_server = Server("localhost"), Server()
        self.tool_url, self.lms_url = self._tool_server.url, self._lms_server.url
        folder.mkdir(parents=True, exist_ok=True)
        quick = folder / "quick.toml"
        quick.write_text(QUICK.format(timeout_s=timeout_s), encoding="utf-8")
        self.config: Config = load_config(
            {
                "SPIRALE_CONFIG": str(quick),
                "SPIRALE_DATA_DIR": str(folder),
                "SPIRALE_BASE_URL": self.tool_url,
                "SPIRALE_SECRET_KEY": SECRET,
                **settings,
            }
        )
        self.app: Flask = create_app(self.config)
        self.app.testing = False
        demo_file = folder / "demo.sqlite"
        self.lms_ahead = timedelta()
        """How far the LMS's clock is ahead of the tool's."""
        settings_of_lms = DemoSettings(
            base_url=self.lms_url,
            tool_url=self.tool_url,
            database=demo_file,
            clock=self._lms_clock,
            profile=profile,
        )
        self.demo: Flask = create_demo_app(settings_of_lms)
        self.store = DemoStore(demo_file, self._lms_clock, profile.school)
        self.faults = Faults(self.demo)
        self._tool_server.app, self._lms_server.app = self.app, self.faults
        self._browsers: list[Browser] = []
        with self.app.app_context():
            self.platform_id = self._register()

    def _lms_clock(self) -> datetime:
        return utcnow() + self.lms_ahead

    def _register(self) -> int:
        known = registration(self.lms_url, self.profile)
        begin_write()
        platform = add_platform(
            db.session,
            name="Mon ENT" if self.profile.plain else "Moodle du lycée",
            issuer=known.issuer,
            client_id=known.client_id,
            auth_login_url=known.auth_login_url,
            auth_token_url=known.auth_token_url,
            jwks_url=known.jwks_url,
            audience=known.audience,
            deployment_ids=(known.deployment_id,),
        )
        db.session.commit()
        self.deployment_id = platform.deployments[0].id
        return platform.id

    def __enter__(self) -> DemoWorld:
        return self

    def __exit__(self, *_error: object) -> None:
        self.close()

    def close(self) -> None:
        """Stop both servers, and close everything that is open."""
        kept_pools().clear()
        for browser in self._browsers:
            browser.close()
        self._tool_server.close()
        self._lms_server.close()
        with self.app.app_context():
            db.engine.dispose()
        self.app.extensions["spirale_queue"].storage.close()
        self.store.close()
        close_demo_app(self.demo)

    # What the tool knows of the LMS

    def open_course(self, known: KnownCourse = MRC1) -> int:
        """The tool's id of a course of the LMS, known as after a teacher's first launch: its class list is read."""
        with self.app.app_context():
            course = db.session.scalars(
                sa.select(Course).filter_by(platform_id=self.platform_id, context_id=str(known.id))
            ).first()
            if course is None:
                begin_write()
                course = Course(
                    platform_id=self.platform_id,
                    deployment_id=self.deployment_id,
                    context_id=str(known.id),
                    title=known.title,
                    label=known.label,
                    lineitems_url=f"{self.lms_url}/lti/courses/{known.id}/lineitems?type_id=1",
                    ags_scopes=list(SCOPES),
                    memberships_url=f"{self.lms_url}/lti/courses/{known.id}/memberships",
                )
                db.session.add(course)
                db.session.commit()
            change = refresh_roster(course.id, self.app.extensions["spirale_tokens"], self.config)
            assert change is not None, course.roster_problem
            db.session.close()
            return course.id

    def person_id(self, name: str) -> int:
        """The tool's id of somebody of the school (« Adam Benali »), once their class list was read."""
        with self.app.app_context():
            found = db.session.scalars(
                sa.select(Person.id).filter_by(platform_id=self.platform_id, sub=by_name(name).sub)
            ).one()
            db.session.close()
            return found

    def set_launched_as(self, course_id: int, name: str, role: Role) -> None:
        """As if somebody had launched the tool in a course with a role."""
        with self.app.app_context():
            begin_write()
            enrolment = db.session.scalars(
                sa.select(Enrolment).filter_by(course_id=course_id, person_id=self.person_id(name))
            ).one()
            enrolment.launched_as = role
            db.session.commit()
            db.session.close()

    # The background worker, run by hand

    def deliver(self) -> float | None:
        """Deliver what is due, as the worker does; the seconds until something else is."""
        with self.app.app_context():
            try:
                return deliver_due(self.app.extensions["spirale_tokens"], self.config)
            finally:
                db.session.close()

    def let_time_pass(self) -> None:
        """Every wait is over: of scores, of platforms; leases too."""
        with self.app.app_context():
            begin_write()
            now = utcnow()
            db.session.execute(
                sa.update(ScoreDelivery).where(ScoreDelivery.not_before > now).values(not_before=now)
            )
            db.session.execute(sa.update(PlatformPause).values(until=now))
            db.session.execute(
                sa.update(ScoreDelivery)
                .where(ScoreDelivery.leased_until.is_not(None))
                .values(leased_until=now)
            )
            db.session.commit()
            db.session.close()

    # People before a browser

    def browser(self, name: str | None = None) -> Browser:
        """A new browser, entered in the LMS as somebody (« Claire Morel »)."""
        browser = Browser()
        self._browsers.append(browser)
        if name is not None:
            browser.post(f"{self.lms_url}/enter", {"person": self.profile.school.by_name(name).sub})
        return browser

    def launch(
        self, browser: Browser, known: KnownCourse = MRC1, activity_id: int | None = None, path: str = ""
    ) -> Page:
        """Open the tool in a course, as the LMS's frame does: the first page of the tool, or its refusal.

        `path` replaces the LMS's page that begins the launch (`/courses/2/choose/launch` to choose contents).
        """
        if not path:
            activity = activity_id or self.store.activities(known.id)[0].id
            path = f"/courses/{known.id}/activities/{activity}/launch"
        return browser.get(f"{self.lms_url}{path}")
