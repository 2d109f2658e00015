"""Is it alive, is it ready; and the whole thing under gunicorn, as a school runs it."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

from flask import Flask

from lti_tool import create_app
from lti_tool.config import shipped
from lti_tool.db import db
from tests.conftest import SECRET, make_config


def test_a_migrated_database_is_ready(app: Flask) -> None:
    client = app.test_client()
    assert client.get("/health/live").get_json() == {"status": "ok"}
    assert client.get("/health/ready").get_json() == {"status": "ok"}


def test_an_empty_database_is_alive_and_not_ready(tmp_path: Path) -> None:
    app = create_app(make_config(tmp_path))
    client = app.test_client()
    assert client.get("/health/live").status_code == 200
    answer = client.get("/health/ready")
    assert (answer.status_code, answer.get_json()) == (503, {"status": "database outdated"})
    with app.app_context():
        db.engine.dispose()
    app.extensions["spirale_queue"].storage.close()


def test_a_database_that_does_not_answer_is_alive_and_not_ready(tmp_path: Path) -> None:
    app = create_app(make_config(tmp_path, SPIRALE_DATABASE_URL="postgresql://nobody@127.0.0.1:1/none"))
    answer = app.test_client().get("/health/ready")
    assert (answer.status_code, answer.get_json()) == (503, {"status": "database unreachable"})
    with app.app_context():
        db.engine.dispose()
    app.extensions["spirale_queue"].storage.close()


def test_the_checkouts_wsgi_runs_under_gunicorn(tmp_path: Path, migrated: Path) -> None:
    (tmp_path / "spirale.db").write_bytes(migrated.read_bytes())
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    kept = {k: v for k, v in os.environ.items() if not k.startswith("SPIRALE_")}
    process = subprocess.Popen(
        [
            sys.executable,
            "-m",
            "gunicorn",
            "--bind",
            f"127.0.0.1:{port}",
            "--log-level",
            "critical",
            "wsgi:app",
        ],
        cwd=shipped(),
        env={**kept, "SPIRALE_DATA_DIR": str(tmp_path), "SPIRALE_SECRET_KEY": SECRET},
    )
    try:
        deadline = time.monotonic() + 20
        while True:
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{port}/health/ready", timeout=5) as answer:
                    assert json.load(answer) == {"status": "ok"}
                    break
            except urllib.error.URLError:
                assert time.monotonic() < deadline
                time.sleep(0.1)
    finally:
        process.terminate()
        process.wait(20)
