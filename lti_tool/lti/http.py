"""The one way out: every request to an LMS goes through `ask`.

A time limit on everything, no proxy from the environment, no redirect followed with a token, a limit on the size
of answers, new tries for GET only. An address that a visitor wrote goes under the rules of `outside`.
"""

from __future__ import annotations

import json
import threading
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from http.cookiejar import DefaultCookiePolicy
from typing import TYPE_CHECKING, Any

import requests
import urllib3
from requests.adapters import HTTPAdapter
from requests.exceptions import InvalidURL
from urllib3.connection import HTTPConnection
from urllib3.util import Retry

from ..db import utcnow
from ..errors import PlatformDelayed, PlatformRefused
from ..version import __version__
from .outside import Outside, OutsideAdapter, hang_up, pools_of

LARGEST_ANSWER = 4 * 1024 * 1024
LONGEST_PAUSE = timedelta(hours=1)
LONGEST_SAYING = 200
GET_TRIES = 2
_own = threading.local()

if TYPE_CHECKING:
    _Connection = HTTPConnection
else:
    _Connection = object


@dataclass(frozen=True)
class Answer:
    """An answer of 2xx."""

    status: int
    body: bytes
    next_url: str | None
    """The `Link` header's `rel="next"`."""

    def json(self) -> Any:
        """The body as JSON. Raises `PlatformDelayed` when it is not: a proxy's page, an answer cut short."""
        try:
            return json.loads(self.body)
        except (ValueError, RecursionError) as error:
            raise PlatformDelayed("the answer is not JSON", self.status) from error


def ask(
    method: str,
    url: str,
    *,
    timeout_s: float,
    headers: dict[str, str] | None = None,
    data: bytes | str | dict[str, str] | None = None,
    again: bool = True,
    outside: Outside | None = None,
) -> Answer:
    """Ask an LMS; a GET that gets no answer is asked again, unless `again` is False.

    With `outside` the address is under its rules, is asked once, and a refusal keeps what the LMS `said`.
    Raises `PlatformDelayed` (no answer, 408, 425, 429, 5xx) or `PlatformRefused` (anything else that is not 2xx).
    """
    if outside is not None:
        outside.check(url)
    session = _session(again) if outside is None else _outside_session(outside, timeout_s)
    _own.limit_s, _own.alarms = timeout_s, []
    try:
        with session.request(
            method, url, headers=headers, data=data, timeout=timeout_s, allow_redirects=False, stream=True
        ) as response:
            largest = LARGEST_ANSWER if outside is None else outside.largest_answer
            body = _read(response, time.monotonic() + timeout_s, largest)
    except (InvalidURL, urllib3.exceptions.LocationParseError, UnicodeError, ValueError) as error:
        # An address, a token or a header that cannot be sent, or an answer that cannot be read: never our own fault.
        raise PlatformRefused(f"cannot be asked ({type(error).__name__})") from error
    except requests.RequestException as error:
        raise PlatformDelayed(f"no answer ({type(error).__name__})") from error
    finally:
        for alarm in _own.alarms:
            alarm.cancel()
        if outside is not None:
            session.close()
    if 200 <= response.status_code < 300:
        return Answer(response.status_code, body, response.links.get("next", {}).get("url"))
    failure = _failure(response)
    if outside is not None:
        failure.said = _saying(body)
    raise failure


def _session(again: bool) -> requests.Session:
    """This thread's session: connections are kept alive, and requests' sessions are not made to be shared."""
    name = "patient" if again else "quick"
    if not hasattr(_own, name):
        session = _plain_session()
        # Only what never got an answer is asked again here: an answer, « later » included, is the caller's to read.
        retry = Retry(
            total=GET_TRIES if again else 0,
            backoff_factor=0.2,
            allowed_methods={"GET"},
            redirect=False,
            status=0,
            respect_retry_after_header=False,
            raise_on_status=False,
        )
        for scheme in ("http://", "https://"):
            session.mount(scheme, TimedAdapter(max_retries=retry))
        setattr(_own, name, session)
    session_of_thread: requests.Session = getattr(_own, name)
    return session_of_thread


class TimedAdapter(HTTPAdapter):
    """Connections that hang up when an answer takes longer than its request's limit, however it is said."""

    def init_poolmanager(self, *args: Any, **more: Any) -> None:
        super().init_poolmanager(*args, **more)
        self.poolmanager.pool_classes_by_scheme = pools_of(_Timed, {})


class _Timed(_Connection):
    def getresponse(self) -> Any:
        # A socket's own time limit is on each piece: an answer said letter by letter would never end.
        alarm = threading.Timer(_own.limit_s, hang_up, (self.sock,))
        alarm.daemon = True
        alarm.start()
        _own.alarms.append(alarm)
        return super().getresponse()


def _outside_session(outside: Outside, timeout_s: float) -> requests.Session:
    """A session for one request: no connection outlives it, and so no check."""
    session = _plain_session()
    for scheme in ("http://", "https://"):
        session.mount(scheme, OutsideAdapter(outside, timeout_s))
    return session


def _plain_session() -> requests.Session:
    session = requests.Session()
    session.trust_env = False
    session.headers["User-Agent"] = f"Spirale/{__version__}"
    session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
    return session


def _read(response: requests.Response, until: float, largest: int) -> bytes:
    """The body; the time limit is on the whole of it (requests' own is between two pieces)."""
    body = b""
    for piece in response.iter_content(65_536):
        body += piece
        if len(body) > largest:
            raise PlatformRefused("the answer is too large", response.status_code)
        if time.monotonic() > until:
            raise PlatformDelayed("no answer (too slow)")
    return body


def _failure(response: requests.Response) -> PlatformDelayed | PlatformRefused:
    status = response.status_code
    if status in (408, 425, 429) or (status >= 500 and status != 501):
        retry_at = _retry_at(response.headers.get("Retry-After", ""))
        return PlatformDelayed(
            "later", status, retry_at=retry_at, whole_platform=status in (429, 503) or retry_at is not None
        )
    return PlatformRefused("refused", status)


def _saying(body: bytes) -> str:
    """The reason an LMS gives in plain text (« invalid_redirect_uris »); nothing of a page, or of a long answer."""
    text = " ".join(body[: 4 * LONGEST_SAYING].decode("utf-8", "replace").split())
    if "<" in text or len(text) > LONGEST_SAYING or not text.isprintable():
        return ""
    return text


def _retry_at(value: str) -> datetime | None:
    """The moment a `Retry-After` names (RFC 9110 §10.2.3), at most an hour away; None when there is none."""
    if not value:
        return None
    now = utcnow()
    try:
        moment = now + timedelta(seconds=int(value)) if value.isdigit() else parsedate_to_datetime(value)
    except (ValueError, OverflowError):
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return min(max(moment, now), now + LONGEST_PAUSE)
