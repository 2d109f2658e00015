"""What the tool sends to an LMS, header by header."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs

from tests.platform import DemoWorld, Wsgi


@dataclass(frozen=True)
class Exchange:
    """A request of the tool, and the status of its answer."""

    method: str
    path: str
    query: dict[str, str]
    accept: str
    content_type: str
    authorization: str
    body: bytes
    status: int

    def form(self) -> dict[str, str]:
        return {name: values[0] for name, values in parse_qs(self.body.decode()).items()}


@dataclass
class Recorder:
    """Stands before the LMS and keeps every request whole."""

    app: Wsgi
    exchanges: list[Exchange] = field(default_factory=list)

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        length = int(environ.get("CONTENT_LENGTH") or 0)
        body = environ["wsgi.input"].read(length) if length else b""
        environ["wsgi.input"] = io.BytesIO(body)

        def started(status: str, headers: Any, *more: Any) -> Any:
            self.exchanges.append(
                Exchange(
                    method=environ["REQUEST_METHOD"],
                    path=environ["PATH_INFO"],
                    query={k: v[0] for k, v in parse_qs(environ["QUERY_STRING"]).items()},
                    accept=environ.get("HTTP_ACCEPT", ""),
                    content_type=environ.get("CONTENT_TYPE", ""),
                    authorization=environ.get("HTTP_AUTHORIZATION", ""),
                    body=body,
                    status=int(status.split()[0]),
                )
            )
            return start_response(status, headers, *more)

        return self.app(environ, started)

    def of(self, method: str, end: str) -> list[Exchange]:
        """The requests of a method whose path ends so, oldest first."""
        return [one for one in self.exchanges if one.method == method and one.path.endswith(end)]


def record(world: DemoWorld) -> Recorder:
    """Begin to keep what the demo LMS is asked."""
    recorder = Recorder(world.faults.app)
    world.faults.app = recorder
    return recorder
