"""No address of a page is ever logged: it is a secret. A real gunicorn, with the settings a school runs."""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from lti_tool.config import shipped
from lti_tool.lti.launch import new_secret
from lti_tool.web.logs import without_secrets
from tests.conftest import SECRET, School


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        (f"GET /l/{'a' * 43}/activities 200", "GET /l/…/activities 200"),
        (f"Error handling request /l/{'A_-9' * 11}", "Error handling request /l/…"),
        (f"/lti/register/{'b' * 43}?openid_configuration=https://x&y=z", "/lti/register/…"),
        ("GET /lti/login?login_hint=5&iss=https://x HTTP/1.1", "GET /lti/login HTTP/1.1"),
        ("/static/spirale.css", "/static/spirale.css"),
        (f"/l/{'a' * 39}/x", f"/l/{'a' * 39}/x"),
    ],
)
def test_secrets_and_queries_are_taken_out_of_a_line(line: str, shown: str) -> None:
    assert without_secrets(line) == shown


def test_an_error_that_no_page_can_be_made_for_is_logged_without_its_address(
    school: School, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def broken(*_args: Any) -> str:
        raise RuntimeError("Adam Benali")

    teacher = school.visit("teacher")
    monkeypatch.setattr("lti_tool.web.application.frame_origins", broken)
    assert teacher.get("/activities").status_code == 500
    logged = "".join(capsys.readouterr())
    assert "RuntimeError" in logged
    assert "test_logs.py" in logged
    for secret in (teacher.sid, "/l/", "Adam"):
        assert secret not in logged


@pytest.fixture
def gunicorn(tmp_path: Path, migrated: Path) -> Any:
    """The tool under gunicorn as docs/install.md says, its standard output and error in one file."""
    shutil.copy(migrated, tmp_path / "spirale.db")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    kept = {k: v for k, v in os.environ.items() if not k.startswith("SPIRALE_")}
    line = re.search(r"gunicorn (-c python:\S+) '(lti_tool:create_app\(\))'", shipped_guide())
    assert line, "docs/install.md says how gunicorn is run"
    log = (tmp_path / "log").open("wb")
    process = subprocess.Popen(
        [sys.executable, "-m", "gunicorn", *line[1].split(), "--bind", f"127.0.0.1:{port}", line[2]],
        cwd=shipped(),
        env={**kept, "SPIRALE_DATA_DIR": str(tmp_path), "SPIRALE_SECRET_KEY": SECRET},
        stdout=log,
        stderr=subprocess.STDOUT,
    )
    yield port, tmp_path / "log"
    if process.poll() is None:
        process.terminate()
    process.wait(20)
    log.close()


def shipped_guide() -> str:
    return shipped("docs", "install.md").read_text(encoding="utf-8")


def test_gunicorn_logs_no_address_of_a_page(gunicorn: Any) -> None:
    port, log = gunicorn
    sid = new_secret()

    def ask(path: str, data: bytes | None = None) -> int:
        asked = urllib.request.Request(
            f"http://127.0.0.1:{port}{path}", data, headers={"Referer": f"http://x/l/{sid}/me"}
        )
        try:
            with urllib.request.urlopen(asked, timeout=10) as answer:
                return int(answer.status)
        except urllib.error.HTTPError as error:
            return error.code

    deadline = time.monotonic() + 30
    while True:
        try:
            ask("/health/live")
            break
        except OSError:
            assert time.monotonic() < deadline, log.read_text()
            time.sleep(0.1)
    assert ask(f"/l/{sid}/activities") == 410
    assert ask(f"/l/{sid}/activities?since={sid}") == 410
    assert ask(f"/l/{sid}/settings", b"csrf=x") == 410
    assert ask(f"/l/{sid}") == 410
    assert ask("/lti/login?login_hint=Claire") == 400
    with socket.create_connection(("127.0.0.1", port)) as raw:
        raw.sendall(f"GET /l/{sid}/activities HTTP/9.9\r\n\r\n".encode())
        raw.recv(1000)
    with socket.create_connection(("127.0.0.1", port)) as raw:
        raw.sendall(f"GET /l/{sid}/a\tb\x01c HTTP/1.1\r\nHost x\r\n\r\n".encode())
        raw.recv(1000)
    deadline = time.monotonic() + 10
    while "GET /lti/login 400" not in log.read_text() and time.monotonic() < deadline:
        time.sleep(0.05)
    logged = log.read_text()
    assert "GET /l/…/activities 410" in logged
    assert '"event": "refused"' in logged
    assert "GET /lti/login 400" in logged
    for secret in (sid, "Claire", "login_hint", "127.0.0.1 -"):
        assert secret not in logged


def test_flasks_own_logger_says_nothing_of_values(app: Flask, capsys: pytest.CaptureFixture[str]) -> None:
    try:
        raise ValueError("Claire Morel")
    except ValueError:
        app.logger.exception("Exception on /l/%s/me [GET]", "x" * 43)
    logged = "".join(capsys.readouterr())
    assert "ValueError" in logged
    assert "Claire" not in logged
    assert "xxx" not in logged
