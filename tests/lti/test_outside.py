"""What an address written by somebody else may reach: public machines, over https, and the one that was checked."""

from __future__ import annotations

import datetime as dt
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.x509.oid import NameOID
from werkzeug.serving import make_server
from werkzeug.wrappers import Request, Response

from lti_tool.errors import LaunchRefused, PlatformDelayed, PlatformRefused, Refusal
from lti_tool.lti import connections, outside
from lti_tool.lti.http import ask
from lti_tool.lti.keysets import KeySets, _KeySet
from lti_tool.lti.outside import AddressRefused, Outside, is_public
from lti_tool.lti.registration import _is_at_home
from tests.lti.platform_of_tests import new_key
from tests.platform import running

NAME = "lms.example.org"


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1", "127.8.8.8", "0.0.0.0", "10.1.2.3", "172.16.0.1", "172.31.255.255", "192.168.1.1",
        "169.254.169.254", "100.64.0.1", "224.0.0.1", "240.0.0.1", "255.255.255.255", "192.0.2.1", "198.18.0.1",
        "::1", "::", "fe80::1", "fe80::1%eth0", "fc00::1", "fd12::1", "ff02::1", "2001:db8::1",
        "fec0::1", "168.63.129.16", "192.88.99.1",
        "::ffff:127.0.0.1", "::ffff:10.0.0.1", "2002:7f00:1::1", "64:ff9b::7f00:1", "64:ff9b::a00:1",
    ],
)  # fmt: skip
def test_addresses_of_ours_are_not_public(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize(
    "address", ["8.8.8.8", "172.32.0.1", "100.128.0.1", "193.168.1.1", "2606:4700::1111", "64:ff9b::808:808"]
)
def test_addresses_of_the_internet_are_public(address: str) -> None:
    assert is_public(address)


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("http://moodle.example.org/c", "not https"),
        ("http://moodle.lan:8080/c", "not https"),
        ("https://moodle.example.org:22/c", "port"),
        ("https://moodle.example.org:1023/c", "port"),
        ("https://moodle.example.org:99999/c", "port"),
        ("https://somebody:secret@moodle.example.org/c", "user or fragment"),
        ("https://moodle.example.org/c#x", "user or fragment"),
        ("file:///etc/passwd", "not a web address"),
        ("gopher://moodle.example.org/", "not a web address"),
        ("//moodle.example.org/c", "not a web address"),
        ("https://[/", "not a web address"),
        ("https://é.example.org/", "not a web address"),
        ("", "not a web address"),
    ],
)
def test_addresses_that_are_never_asked(url: str, why: str) -> None:
    with pytest.raises(AddressRefused) as refused:
        Outside().check(url)
    assert refused.value.what == why


@pytest.mark.parametrize(
    "url", ["https://m.example.org/c", "https://m.example.org:443/", "https://m.example.org:1024/c"]
)
def test_public_https_addresses_may_be_asked(url: str) -> None:
    Outside().check(url)


def test_only_the_host_that_was_named_is_exempt() -> None:
    rules = Outside("moodle.lan")
    rules.check("http://moodle.lan:8080/c")
    rules.check("http://Moodle.LAN./c")
    for other in ("http://other.lan/c", "http://moodle.lan.example.org/c", "http://x.moodle.lan/c"):
        with pytest.raises(AddressRefused):
            rules.check(other)
    with pytest.raises(AddressRefused):
        rules.check("http://moodle.lan:25/c")
    assert Outside("127.0.0.1").find("127.0.0.1", 80) == ["127.0.0.1"]
    for host in ("localhost", "127.0.0.2", "2130706433", "0x7f000001", "127.1"):
        with pytest.raises(AddressRefused, match="private address"):
            Outside("127.0.0.1").find(host, 80)


def resolving(monkeypatch: pytest.MonkeyPatch, *answers: list[str]) -> list[str]:
    """The resolver answers so for `NAME`, one answer after the other; the hosts it is asked for."""
    asked: list[str] = []
    real, left = socket.getaddrinfo, list(answers)

    def getaddrinfo(host: Any, port: Any, *rest: Any, **more: Any) -> Any:
        asked.append(host)
        if host != NAME:
            return real(host, port, *rest, **more)
        found = left.pop(0) if len(left) > 1 else left[0]
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in found]

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    return asked


def test_a_name_with_one_private_address_among_others_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    resolving(monkeypatch, ["8.8.8.8", "10.0.0.1"])
    with pytest.raises(AddressRefused, match="private address"):
        ask("GET", f"https://{NAME}/c", timeout_s=2, outside=Outside())


def test_a_name_that_is_none_is_no_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(PlatformDelayed, match="no such name"):
        Outside().find("nowhere.invalid", 443)


def test_the_connection_goes_to_the_address_that_was_checked(monkeypatch: pytest.MonkeyPatch) -> None:
    seen = []

    def app(environ: Any, start_response: Any) -> Any:
        seen.append(Request(environ).host)
        return Response("{}")(environ, start_response)

    with running(app) as url:
        port = int(url.rpartition(":")[2])
        # The second time the name would lead to another machine: nobody asks a second time.
        asked = resolving(monkeypatch, ["127.0.0.1"], ["203.0.113.9"])
        monkeypatch.setattr(outside, "is_public", lambda _address: True)
        monkeypatch.setattr(outside.Outside, "check", lambda *_: None)
        answer = ask("GET", f"http://{NAME}:{port}/c", timeout_s=2, outside=Outside())
    assert answer.json() == {}
    assert asked == [NAME, "127.0.0.1"]
    assert seen == [f"{NAME}:{port}"]


@contextmanager
def https_server(folder: Path, name: str) -> Iterator[tuple[int, Path]]:
    """An https server on this machine whose certificate, its own authority, is for `name`."""
    key, now = new_key(), dt.datetime.now(dt.UTC)
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    file = folder / "certificate.pem"
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    file.write_bytes(certificate.public_bytes(serialization.Encoding.PEM) + private)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file)
    import threading

    server = make_server("127.0.0.1", 0, Response("{}"), ssl_context=context)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    yield server.server_port, file
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.mark.parametrize(("certified", "answers"), [(NAME, True), ("other.example.org", False)])
def test_the_certificate_must_be_the_names(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, certified: str, answers: bool
) -> None:
    with https_server(tmp_path, certified) as (port, file):
        connections.trust.cache_clear()
        monkeypatch.setattr(connections, "DEFAULT_CA_BUNDLE_PATH", str(file))
        resolving(monkeypatch, ["127.0.0.1"])
        rules = Outside(NAME)
        if answers:
            assert ask("GET", f"https://{NAME}:{port}/c", timeout_s=2, outside=rules).status == 200
        else:
            with pytest.raises(PlatformDelayed, match="SSL"):
                ask("GET", f"https://{NAME}:{port}/c", timeout_s=2, outside=rules)
        connections.trust.cache_clear()


def test_an_answer_said_letter_by_letter_ends_at_the_time_limit() -> None:
    def app(_environ: Any, start_response: Any) -> Any:
        start_response("200 OK", [("Content-Length", "600")])
        for _n in range(60):
            time.sleep(0.1)
            yield b"          "

    with running(app) as url:
        start = time.monotonic()
        with pytest.raises(PlatformDelayed):
            ask("GET", url, timeout_s=0.5, outside=Outside("127.0.0.1"))
        assert time.monotonic() - start < 2


@pytest.mark.parametrize("slow", ["headers", "body"])
def test_any_platforms_answer_said_letter_by_letter_ends_at_the_time_limit(slow: str) -> None:
    server = socket.create_server(("127.0.0.1", 0))

    def answer() -> None:
        connection, _address = server.accept()
        with connection, suppress(OSError):
            connection.recv(65536)
            if slow == "body":
                connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 90\r\n\r\n")
            for letter in b"HTTP/1.1 200 OK\r\nX: " + b"x" * 70:
                connection.sendall(bytes([letter]))
                time.sleep(0.1)

    threading.Thread(target=answer, daemon=True).start()
    start = time.monotonic()
    with pytest.raises(PlatformDelayed):
        ask("GET", f"http://127.0.0.1:{server.getsockname()[1]}/", timeout_s=0.5, again=False)
    assert time.monotonic() - start < 3
    server.close()


def test_those_who_wait_for_another_launch_to_ask_for_the_keys_do_not_wait_for_ever() -> None:
    keysets = KeySets(timeout_s=-0.5, lifetime_s=60, cooldown_s=60)
    held = keysets._sets.setdefault("https://lms.example.org/keys", _KeySet())
    with held.lock, pytest.raises(LaunchRefused) as refused:
        keysets.find("https://lms.example.org/keys", "k")
    assert refused.value.reason is Refusal.KEYS_UNREACHABLE


def test_few_addresses_of_a_name_are_tried(monkeypatch: pytest.MonkeyPatch) -> None:
    many = [(0, 0, 0, "", (f"9.9.9.{n}", 443)) for n in range(1, 9)]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_a, **_k: many)
    assert Outside().find(NAME, 443) == ["9.9.9.1", "9.9.9.2", "9.9.9.3"]


@pytest.mark.parametrize(
    ("issuer", "url", "may"),
    [
        ("https://h.example/a", "https://h.example/a/conf", True),
        ("https://h.example/a/", "https://h.example/a/conf", True),
        ("https://h.example", "https://h.example/b/conf", True),
        ("https://h.example/a", "https://h.example/b/conf", False),
        ("https://h.example/a", "https://h.example/ab/conf", False),
        ("https://h.example/a", "https://h.example/a/../b/conf", False),
        ("https://h.example/a", "https://h.example/a/%2e%2e/b/conf", False),
        ("https://h.example/a", "https://h.example/a/%252e%252e/b/conf", False),
        ("https://h.example/a", "https://h.example/a/..%2fb/conf", False),
        ("https://h.example/a", "https://h.example/a/..%5cb/conf", False),
        ("https://h.example/a/./b", "https://h.example/a/./b/conf", False),
    ],
)
def test_only_who_is_at_an_issuers_path_speaks_for_it(issuer: str, url: str, may: bool) -> None:
    assert _is_at_home(issuer, url) is may


def test_a_redirect_is_not_followed_and_a_large_answer_is_not_read() -> None:
    visited = []

    def app(environ: Any, start_response: Any) -> Any:
        visited.append(environ["PATH_INFO"])
        if environ["PATH_INFO"] == "/moved":
            return Response(status=302, headers={"Location": "/elsewhere"})(environ, start_response)
        return Response(b" " * int(environ["QUERY_STRING"]))(environ, start_response)

    rules = Outside("127.0.0.1", largest_answer=1000)
    with running(app) as url:
        with pytest.raises(PlatformRefused, match="302"):
            ask("GET", f"{url}/moved", timeout_s=2, outside=rules)
        assert len(ask("GET", f"{url}/?1000", timeout_s=2, outside=rules).body) == 1000
        with pytest.raises(PlatformRefused, match="too large"):
            ask("GET", f"{url}/?1001", timeout_s=2, outside=rules)
    assert "/elsewhere" not in visited
