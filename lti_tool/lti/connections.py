"""Connections to platforms: one request is written in one piece, its answer is read whole within its limits.

urllib3 makes the connections (TLS, certificates, names) and Python's own HTTP reads the answers; what lies between them
in usual clients costs more than the request itself. Connections are kept alive for whichever thread asks next.
"""

from __future__ import annotations

import os
import threading
import time
from dataclasses import dataclass
from functools import lru_cache
from http.client import HTTPMessage, HTTPResponse
from typing import Any

from requests.utils import DEFAULT_CA_BUNDLE_PATH
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import LocationParseError
from urllib3.util import parse_url
from urllib3.util.connection import is_connection_dropped
from urllib3.util.ssl_ import create_urllib3_context

from ..errors import PlatformDelayed, PlatformRefused
from .alarms import ALARMS

MOST_PLATFORMS = 50
"""Platforms whose connections are kept open; with one more, those kept first are closed."""
MOST_KEPT = 16
"""Connections kept open to one platform."""
MOST_IDLE_S = 50.0
"""A connection that was idle longer is made anew: something on the way may have forgotten it."""


@dataclass(frozen=True)
class Target:
    """Where a request goes."""

    scheme: str
    host: str
    port: int
    named: str
    """As the `Host` header has it."""
    path: str

    @property
    def place(self) -> tuple[str, str, int]:
        return self.scheme, self.host, self.port


@dataclass(frozen=True)
class Said:
    """An answer, of whatever status."""

    status: int
    headers: HTTPMessage
    body: bytes


@lru_cache(maxsize=1024)
def target_of(url: str) -> Target:
    """An address in its parts, its path quoted. Raises `ValueError` when it is none that can be asked."""
    parts = parse_url(url)
    if parts.scheme not in ("http", "https") or not parts.host:
        raise LocationParseError(url)
    usual = 443 if parts.scheme == "https" else 80
    named = parts.host if parts.port in (None, usual) else f"{parts.host}:{parts.port}"
    return Target(parts.scheme, parts.host.strip("[]"), parts.port or usual, named, parts.request_uri)


@lru_cache(maxsize=1)
def trust() -> Any:
    """Whose certificates are taken; read once, since it costs more than a handshake."""
    context = create_urllib3_context()
    context.load_verify_locations(DEFAULT_CA_BUNDLE_PATH)
    return context


def new_connection(target: Target, timeout_s: float, more: type = object, **rules: Any) -> HTTPConnection:
    """A connection, not yet opened; it is also a `more`, with these attributes."""
    if target.scheme == "https":
        secure = type("Secure", (more, HTTPSConnection), rules) if rules else HTTPSConnection
        made: HTTPConnection = secure(target.host, target.port, timeout=timeout_s, ssl_context=trust())
        return made
    plain = type("Plain", (more, HTTPConnection), rules) if rules else HTTPConnection
    opened: HTTPConnection = plain(target.host, target.port, timeout=timeout_s)
    return opened


class Kept:
    """The open connections of this process."""

    def __init__(self) -> None:
        self.forget()

    def forget(self) -> None:
        """Begin anew: a connection is never shared between two processes."""
        self._idle: dict[tuple[str, str, int], list[tuple[float, HTTPConnection]]] = {}
        self._lock = threading.Lock()

    def close(self) -> None:
        """Close what is idle: nobody will ask these platforms again."""
        with self._lock:
            idle, self._idle = self._idle, {}
        for kept in idle.values():
            for _used_at, connection in kept:
                connection.close()

    def take(self, target: Target, timeout_s: float) -> HTTPConnection:
        """A connection that was open still, the one used last; else a new one, not yet opened."""
        while True:
            with self._lock:
                idle = self._idle.get(target.place)
                if not idle:
                    return new_connection(target, timeout_s)
                used_at, connection = idle.pop()
            if time.monotonic() - used_at < MOST_IDLE_S and not is_connection_dropped(connection):
                return connection
            connection.close()

    def give(self, target: Target, connection: HTTPConnection) -> None:
        """Keep a connection whose answer was read whole."""
        dropped: list[tuple[float, HTTPConnection]] = []
        with self._lock:
            if target.place not in self._idle and len(self._idle) >= MOST_PLATFORMS:
                dropped = self._idle.pop(next(iter(self._idle)))
            idle = self._idle.setdefault(target.place, [])
            idle.append((time.monotonic(), connection))
            if len(idle) > MOST_KEPT:
                dropped.append(idle.pop(0))
        for _used_at, old in dropped:
            old.close()


KEPT = Kept()
os.register_at_fork(after_in_child=KEPT.forget)


def request_bytes(method: str, target: Target, headers: dict[str, str], body: bytes) -> bytes:
    """A request as it is sent. Raises `ValueError` for what no header can carry."""
    lines = [f"{method} {target.path} HTTP/1.1", f"Host: {target.named}"]
    if body or method != "GET":
        lines.append(f"Content-Length: {len(body)}")
    lines += [f"{name}: {value}" for name, value in headers.items()]
    head = "\r\n".join(lines)
    if head.count("\n") != len(lines) - 1 or head.count("\r") != len(lines) - 1 or "\0" in head:
        raise ValueError("a header of several lines")
    return head.encode("latin-1") + b"\r\n\r\n" + body


def exchange(connection: HTTPConnection, method: str, request: bytes, limit_s: float, largest: int) -> Said:
    """Send a request on an open connection and read its answer, both within the limit. A connection that cannot be used
    again is closed.

    Raises `OSError` or `http.client.HTTPException` when there is no answer, `PlatformDelayed` or `PlatformRefused` when
    it is too slow or too large.
    """
    connected = connection.sock
    assert connected is not None
    connected.settimeout(limit_s)
    alarm = ALARMS.set(connected, limit_s)
    answer = None
    try:
        connected.sendall(request)
        answer = HTTPResponse(connected, method=method)
        answer.begin()
        body = answer.read(largest + 1) if answer.length is None else _read(answer, largest)
        if len(body) > largest:
            raise PlatformRefused("the answer is too large", answer.status)
        if alarm.rung:
            raise PlatformDelayed("no answer (too slow)")
        if answer.will_close or not answer.isclosed():
            connection.close()
        return Said(answer.status, answer.headers, body)
    finally:
        ALARMS.cancel(alarm)
        if answer is not None:
            answer.close()


def _read(answer: HTTPResponse, largest: int) -> bytes:
    """A body whose length is known: more than allowed is not even begun; less than announced is no answer."""
    if answer.length is not None and answer.length > largest:
        raise PlatformRefused("the answer is too large", answer.status)
    return answer.read()
