"""The one way out: every request to an LMS goes through `ask`.

A time limit on everything, no proxy from the environment, no redirect followed with a token, a limit on the size
of answers, new tries for GET only. An address that a visitor wrote goes under the rules of `outside`.
"""

from __future__ import annotations

import json
import os
import threading
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from functools import lru_cache
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from requests.utils import DEFAULT_CA_BUNDLE_PATH, parse_header_links
from urllib3 import BaseHTTPResponse, PoolManager, Timeout
from urllib3.connection import HTTPConnection
from urllib3.exceptions import HTTPError, LocationParseError, MaxRetryError
from urllib3.util import Retry
from urllib3.util.ssl_ import create_urllib3_context

from ..db import utcnow
from ..errors import PlatformDelayed, PlatformRefused
from ..version import __version__
from .alarms import ALARMS, Alarm
from .outside import Outside, outside_pools, pools_of

LARGEST_ANSWER = 4 * 1024 * 1024
LONGEST_PAUSE = timedelta(hours=1)
LONGEST_SAYING = 200
GET_TRIES = 2
MOST_PLATFORMS = 50
"""Platforms whose connections are kept open; with one more, those used least recently are closed."""
MOST_KEPT = 16
"""Connections kept open to one platform."""
MOST_IDLE_S = 50.0
"""A connection that was idle longer is made anew: something on the way may have forgotten it."""
HEADERS = {
    "User-Agent": f"Spirale/{__version__}",
    "Accept": "*/*",
    "Accept-Encoding": "gzip, deflate",
    "Connection": "keep-alive",
}
# Only what never got an answer is asked again here: an answer, « later » included, is the caller's to read.
PATIENT = Retry(
    total=GET_TRIES,
    backoff_factor=0.2,
    allowed_methods={"GET"},
    redirect=False,
    status=0,
    respect_retry_after_header=False,
    raise_on_status=False,
)
QUICK = PATIENT.new(total=0)
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
    pools = _kept_pools() if outside is None else outside_pools(outside, timeout_s, ssl_context=_trust())
    body, more = _form(data) if isinstance(data, dict) else (data, {})
    alarms: list[Alarm] = []
    _own.alarms = alarms
    try:
        response = pools.urlopen(
            method,
            url,
            headers=HEADERS | more | (headers or {}),
            body=body.encode() if isinstance(body, str) else body,
            timeout=Timeout(connect=timeout_s, read=timeout_s),
            retries=PATIENT if again and outside is None else QUICK,
            redirect=False,
            preload_content=False,
        )
        largest = LARGEST_ANSWER if outside is None else outside.largest_answer
        said = _read(response, time.monotonic() + timeout_s, largest)
        if any(alarm.rung for alarm in alarms):
            raise PlatformDelayed("no answer (too slow)")
    except (LocationParseError, UnicodeError, ValueError) as error:
        # An address, a token or a header that cannot be sent, or an answer that cannot be read: never our own fault.
        raise PlatformRefused(f"cannot be asked ({type(error).__name__})") from error
    except HTTPError as error:
        cause = error.reason if isinstance(error, MaxRetryError) and error.reason else error
        raise PlatformDelayed(f"no answer ({type(cause).__name__})") from error
    finally:
        for alarm in alarms:
            ALARMS.cancel(alarm)
        if outside is not None:
            pools.clear()
    if 200 <= response.status < 300:
        return Answer(response.status, said, _next_url(response.headers.get("Link", "")))
    failure = _failure(response)
    if outside is not None:
        failure.said = _saying(said)
    raise failure


@lru_cache(maxsize=1)
def _kept_pools() -> PoolManager:
    """This process's connections, kept alive from one request to the next, whichever thread makes it."""
    pools = PoolManager(MOST_PLATFORMS, maxsize=MOST_KEPT, ssl_context=_trust())
    pools.pool_classes_by_scheme = pools_of(_Timed, {"used_at": 0.0})
    return pools


# A connection is never shared between two processes.
os.register_at_fork(after_in_child=_kept_pools.cache_clear)


@lru_cache(maxsize=1)
def _trust() -> Any:
    """Whose certificates are taken; read once, since it costs more than a handshake."""
    context = create_urllib3_context()
    context.load_verify_locations(DEFAULT_CA_BUNDLE_PATH)
    return context


class _Timed(_Connection):
    """Hangs up when an answer takes longer than its request's limit, however it is said."""

    used_at: float

    def request(self, *args: Any, **more: Any) -> None:
        now = time.monotonic()
        if self.sock is not None and now - self.used_at > MOST_IDLE_S:
            self.close()
        self.used_at = now
        super().request(*args, **more)

    def getresponse(self) -> Any:
        assert self.sock is not None
        _own.alarms.append(ALARMS.set(self.sock, float(self.timeout or 0)))
        return super().getresponse()


def _form(data: dict[str, str]) -> tuple[str, dict[str, str]]:
    return urlencode(data), {"Content-Type": "application/x-www-form-urlencoded"}


def _read(response: BaseHTTPResponse, until: float, largest: int) -> bytes:
    """The body; the time limit is on the whole of it. A connection whose answer was not read whole is closed."""
    body = b""
    try:
        for piece in response.stream(65_536, decode_content=True):
            body += piece
            if len(body) > largest:
                raise PlatformRefused("the answer is too large", response.status)
            if time.monotonic() > until:
                raise PlatformDelayed("no answer (too slow)")
    except BaseException:
        response.close()
        raise
    response.release_conn()
    return body


def _next_url(links: str) -> str | None:
    if not links:
        return None
    return next((link["url"] for link in parse_header_links(links) if link.get("rel") == "next"), None)


def _failure(response: BaseHTTPResponse) -> PlatformDelayed | PlatformRefused:
    status = response.status
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
