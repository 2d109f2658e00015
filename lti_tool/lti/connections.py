"""Connections to platforms: urllib3's pools, and what these do not have: limits on the time and size of an answer.

They are kept alive for whichever thread asks next; urllib3 makes them anew once a platform has closed them.
"""

from __future__ import annotations

import os
import threading
import time
from dataclasses import dataclass
from functools import lru_cache, partial
from typing import Any

from requests.utils import DEFAULT_CA_BUNDLE_PATH
from urllib3 import BaseHTTPResponse, HTTPConnectionPool, HTTPSConnectionPool, PoolManager
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import LocationParseError, ProtocolError
from urllib3.util import Url, parse_url
from urllib3.util.ssl_ import create_urllib3_context

from ..errors import PlatformDelayed, PlatformRefused
from .alarms import ALARMS, Alarm
from .outside import Checked, Outside

MOST_PLATFORMS = 50
"""Platforms whose connections are kept open; with one more, those used least recently are closed."""
MOST_KEPT = 16
"""Connections kept open to one platform."""
MOST_IDLE_S = 50.0
"""A connection that was idle longer is made anew: what stands on the way may have forgotten it, and tells nobody."""


@dataclass(frozen=True)
class Said:
    """An answer, of whatever status."""

    status: int
    headers: Any
    body: bytes


class _Own(threading.local):
    """What this thread asks just now."""

    alarm: Alarm | None = None


_own = _Own()


class _Watched(Checked):
    """Is hung up on when its answer takes longer than the limit, however it is said."""

    used_at = 0.0

    def connect(self) -> None:
        super().connect()
        self.used_at = time.monotonic()

    def request(self, *args: Any, **more: Any) -> None:
        if time.monotonic() - self.used_at > MOST_IDLE_S:
            self.close()
        if self.sock is None:
            self.connect()
        assert self.sock is not None
        self.used_at = time.monotonic()
        _own.alarm = ALARMS.set(self.sock, float(self.timeout or 0))
        super().request(*args, **more)


class _Plain(_Watched, HTTPConnection):
    pass


class _Secure(_Watched, HTTPSConnection):
    pass


class _PlainPool(HTTPConnectionPool):
    ConnectionCls = _Plain


class _SecurePool(HTTPSConnectionPool):
    ConnectionCls = _Secure


def new_pools(outside: Outside | None = None) -> PoolManager:
    """Connections to any platform, under the rules of `outside` if there are any. No proxy, whatever the environment
    says.
    """
    pools = PoolManager(MOST_PLATFORMS, maxsize=MOST_KEPT, ssl_context=trust())
    made: dict[str, Any] = {
        "http": partial(_PlainPool, outside=outside),
        "https": partial(_SecurePool, outside=outside),
    }
    pools.pool_classes_by_scheme = made
    return pools


@lru_cache(maxsize=1)
def kept_pools() -> PoolManager:
    """The open connections of this process."""
    return new_pools()


# A connection is never shared between two processes.
os.register_at_fork(after_in_child=kept_pools.cache_clear)


@lru_cache(maxsize=1)
def trust() -> Any:
    """Whose certificates are taken; read once, since it costs more than a handshake."""
    context = create_urllib3_context()
    context.load_verify_locations(DEFAULT_CA_BUNDLE_PATH)
    return context


@lru_cache(maxsize=1024)
def _parts(url: str) -> Url:
    """An address in its parts, its path quoted; a column's is asked for each of its scores."""
    parts = parse_url(url)
    if not parts.scheme or not parts.host:
        raise LocationParseError(url)
    return parts


def exchange(
    pools: PoolManager,
    method: str,
    url: str,
    headers: dict[str, str],
    body: bytes | None,
    limit_s: float,
    largest: int,
) -> Said:
    """Send a request once and read its answer, both within the limit; a redirect is an answer like any other.

    Raises `ValueError` for what cannot be sent, another `HTTPError` of urllib3 when there is no answer,
    `PlatformDelayed` or `PlatformRefused` when it is too slow or too large.
    """
    parts = _parts(url)
    _own.alarm = None
    try:
        answer = pools.connection_from_host(parts.host, parts.port, parts.scheme).urlopen(
            method,
            parts.request_uri,
            headers=headers,
            body=body,
            timeout=limit_s,
            retries=False,
            redirect=False,
            preload_content=False,
            decode_content=False,
        )
        said = Said(answer.status, answer.headers, _read(answer, largest))
        if _own.alarm is not None and _own.alarm.rung:
            raise PlatformDelayed("no answer (too slow)")
        return said
    finally:
        if _own.alarm is not None:
            ALARMS.cancel(_own.alarm)


def _read(answer: BaseHTTPResponse, largest: int) -> bytes:
    """A body: more than allowed is not even begun when its length is known; less than announced is no answer."""
    try:
        if (answer.length_remaining or 0) > largest:
            raise PlatformRefused("the answer is too large", answer.status)
        body = answer.read(largest + 1)
        if len(body) > largest:
            raise PlatformRefused("the answer is too large", answer.status)
        if answer.length_remaining:
            raise ProtocolError("the answer was cut short")
        return body
    finally:
        answer.close()  # read whole, it has given its connection back already: else that one is closed
        answer.release_conn()
