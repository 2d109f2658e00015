"""Connections to platforms: kept, made anew in time, and asked no more often than is safe."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from werkzeug.wrappers import Response

from lti_tool.errors import PlatformDelayed, PlatformRefused
from lti_tool.lti import connections, http
from lti_tool.lti.http import ask
from tests.platform import running

from .test_outside import https_server


@pytest.fixture
def connected(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """The hosts that were connected to."""
    made: list[str] = []
    real = connections.Checked._new_conn

    def counts(self: connections.Checked) -> socket.socket:
        made.append(self.host)
        return real(self)

    monkeypatch.setattr(connections.Checked, "_new_conn", counts)
    yield made
    connections.kept_pools.cache_clear()


@contextmanager
def saying(answer: bytes, *, then_s: float = 0.0) -> Iterator[tuple[str, list[bytes]]]:
    """A server that says the same to each connection, letter by letter if it takes its time, then hangs up; its address
    and what it was asked.
    """
    server, asked = socket.create_server(("127.0.0.1", 0)), list[bytes]()

    def serve() -> None:
        with suppress(OSError):
            while True:
                connection, _address = server.accept()
                with connection, suppress(OSError):
                    said = b""
                    while b"\r\n\r\n" not in said or (
                        said.startswith(b"POST") and not said.endswith(b"score")
                    ):
                        said += connection.recv(65536)
                    asked.append(said)
                    for letter in (answer,) if not then_s else (bytes([byte]) for byte in answer):
                        connection.sendall(letter)
                        time.sleep(then_s)

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.getsockname()[1]}/", asked
    server.shutdown(socket.SHUT_RDWR)
    server.close()
    thread.join()


class Lasting(BaseHTTPRequestHandler):
    """Leaves its connection open, which Werkzeug's server never does."""

    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(204)
        self.end_headers()

    def log_message(self, *_args: object) -> None:
        """Nothing: a test that fails says so itself."""


def test_a_connection_is_kept_until_it_was_idle_for_too_long(
    connected: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with ThreadingHTTPServer(("127.0.0.1", 0), Lasting) as server:
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        url = f"http://127.0.0.1:{server.server_port}/"
        for _request in range(3):
            ask("POST", url, timeout_s=2, data=b"score")
        assert len(connected) == 1
        monkeypatch.setattr(connections, "MOST_IDLE_S", -1.0)
        ask("POST", url, timeout_s=2, data=b"score")
        assert len(connected) == 2
        server.shutdown()
        connections.kept_pools().clear()  # the server waits for its connections' threads


def test_a_first_request_over_https_connects_once(
    connected: list[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    with https_server(tmp_path, "localhost") as (port, file):
        connections.trust.cache_clear()
        connections.kept_pools.cache_clear()
        monkeypatch.setattr(connections, "DEFAULT_CA_BUNDLE_PATH", str(file))
        assert ask("GET", f"https://localhost:{port}/", timeout_s=5).status == 200
        connections.trust.cache_clear()
    assert connected == ["localhost"]


@pytest.mark.parametrize("answer", [b"", b"HTTP/1.1 200 OK\r\nContent-Length: 90\r\n\r\nshort"])
def test_only_a_get_is_asked_again_when_no_whole_answer_came(
    answer: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(http, "WAIT_S", 0.0)
    with saying(answer) as (url, asked):
        for method, times in (("GET", http.TRIES), ("POST", 1), ("PUT", 1)):
            asked.clear()
            with pytest.raises(PlatformDelayed, match="ProtocolError"):
                ask(method, url, timeout_s=2, data=None if method == "GET" else b"score")
            assert [line.split()[0].decode() for line in asked] == [method] * times


def test_what_could_not_be_sent_is_tried_again_whatever_it_is(
    connected: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(http, "WAIT_S", 0.0)
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with pytest.raises(PlatformDelayed, match="NewConnectionError"):
        ask("POST", f"http://127.0.0.1:{port}/", timeout_s=2, data=b"score")
    assert len(connected) == http.TRIES


def test_an_answer_without_a_length_ends_at_the_time_limit_too() -> None:
    start = time.monotonic()
    with (
        saying(b"HTTP/1.0 200 OK\r\n\r\n" + b"x" * 70, then_s=0.02) as (url, _asked),
        pytest.raises(PlatformDelayed, match="slow"),
    ):
        ask("GET", url, timeout_s=0.3, again=False)
    assert time.monotonic() - start < 5


@pytest.mark.parametrize(
    "url", ["", "lms.example.org/x", "//lms.example.org", "ftp://lms.example.org/", "http://"]
)
def test_what_is_no_web_address_is_refused_without_a_try(url: str, connected: list[str]) -> None:
    with pytest.raises(PlatformRefused, match="cannot be asked"):
        ask("GET", url, timeout_s=2)
    assert connected == []


@pytest.mark.parametrize("token", ["a\r\nX: 1", "a\nb", "é\N{SNOWMAN}"])
def test_a_token_that_no_header_can_carry_is_refused(token: str, connected: list[str]) -> None:
    with running(Response("{}")) as url, pytest.raises(PlatformRefused, match="cannot be asked"):
        ask("POST", url, timeout_s=2, headers={"Authorization": f"Bearer {token}"}, data=b"score")
