"""The one way out: every request to an LMS goes through `ask`.

A time limit on everything, no proxy from the environment, no redirect followed with a token, a limit on the size
of answers, new tries for GET only. An address that a visitor wrote goes under the rules of `outside`.
"""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import urlencode

from requests.utils import parse_header_links
from urllib3.exceptions import ConnectTimeoutError, HTTPError

from ..db import utcnow
from ..errors import PlatformDelayed, PlatformRefused
from ..version import __version__
from .connections import Said, exchange, kept_pools, new_pools
from .outside import Outside

LARGEST_ANSWER = 4 * 1024 * 1024
LONGEST_PAUSE = timedelta(hours=1)
LONGEST_SAYING = 200
TRIES = 3
WAIT_S = 0.4
"""Before the third try; the second one follows at once: a connection may have been closed meanwhile."""
HEADERS = {"User-Agent": f"Spirale/{__version__}", "Accept": "*/*"}


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
    if isinstance(data, dict):
        headers = {"Content-Type": "application/x-www-form-urlencoded", **(headers or {})}
        data = urlencode(data)
    body = data.encode() if isinstance(data, str) else data
    try:
        said = _ask(method, url, {**HEADERS, **(headers or {})}, body or None, timeout_s, again, outside)
    except ValueError as error:
        # An address, a token or a header that cannot be sent: never our own fault.
        raise PlatformRefused(f"cannot be asked ({type(error).__name__})") from error
    except (HTTPError, OSError) as error:
        raise PlatformDelayed(f"no answer ({type(error).__name__})") from error
    if 200 <= said.status < 300:
        return Answer(said.status, said.body, _next_url(said.headers.get("Link", "")))
    failure = _failure(said)
    if outside is not None:
        failure.said = _saying(said.body)
    raise failure


def _ask(
    method: str,
    url: str,
    headers: dict[str, str],
    body: bytes | None,
    timeout_s: float,
    again: bool,
    outside: Outside | None,
) -> Said:
    """Only what never got an answer is asked again: a GET, or what was never sent for want of a connection. An answer,
    « later » included, is the caller's to read.
    """
    if outside is not None:
        # Its connection does not outlive the request, and so the check of its address.
        with new_pools(outside) as pools:
            return exchange(pools, method, url, headers, body, timeout_s, outside.largest_answer)
    for tries_left in reversed(range(TRIES if again else 1)):
        try:
            return exchange(kept_pools(), method, url, headers, body, timeout_s, LARGEST_ANSWER)
        except HTTPError as error:
            may_be_asked = method == "GET" or isinstance(error, ConnectTimeoutError)
            if isinstance(error, ValueError) or not may_be_asked or not tries_left:
                raise
            time.sleep(WAIT_S if tries_left == 1 else 0)
    raise AssertionError("unreachable")


def _next_url(links: str) -> str | None:
    if not links:
        return None
    return next((link["url"] for link in parse_header_links(links) if link.get("rel") == "next"), None)


def _failure(response: Said) -> PlatformDelayed | PlatformRefused:
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
    """The moment a `Retry-After` names (RFC 9110 §10.2.3), at most an hour away; None when there is none.

    Nor when it is no wait at all: « 0 », or a date of an LMS whose clock is behind ours. Whoever asked waits as usual.
    """
    if not value:
        return None
    now = utcnow()
    try:
        moment = now + timedelta(seconds=int(value)) if value.isdigit() else parsedate_to_datetime(value)
    except (ValueError, OverflowError):
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return min(moment, now + LONGEST_PAUSE) if moment > now else None
