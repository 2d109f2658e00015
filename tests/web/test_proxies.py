"""Behind a proxy: what does not fit is said in the log, once, with what to do."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from flask import Flask

from lti_tool import create_app
from lti_tool.db import db
from tests.conftest import make_config

Build = Callable[..., Flask]


@pytest.fixture
def build(tmp_path: Path, migrated: Path) -> Iterator[Build]:
    """Applications with other settings of the server."""
    shutil.copy(migrated, tmp_path / "spirale.db")
    made = []

    def make(**settings: str) -> Flask:
        made.append(create_app(make_config(tmp_path, **settings)))
        return made[-1]

    yield make
    for app in made:
        with app.app_context():
            db.engine.dispose()
        app.extensions["spirale_queue"].storage.close()


def problems(capsys: pytest.CaptureFixture[str]) -> list[str]:
    events = [json.loads(line) for line in capsys.readouterr().err.splitlines() if line.startswith("{")]
    return [event["problem"] for event in events if event["event"] == "proxies"]


FORWARDED = {"X-Forwarded-For": "203.0.113.7", "X-Forwarded-Proto": "https"}
HTTPS = {"SPIRALE_BASE_URL": "https://spirale.example.org"}


def test_a_proxy_that_is_not_declared_is_said_once(build: Build, capsys: pytest.CaptureFixture[str]) -> None:
    client = build().test_client()
    client.get("/lti/jwks")
    assert problems(capsys) == []
    for _time in range(3):
        client.get("/lti/jwks", headers=FORWARDED)
    assert problems(capsys) == ["not declared"]


def test_a_proxy_that_is_declared_and_absent_is_said(
    build: Build, capsys: pytest.CaptureFixture[str]
) -> None:
    client = build(SPIRALE_TRUSTED_PROXIES="1").test_client()
    client.get("/health/live")
    client.get("/lti/jwks", headers=FORWARDED)
    assert problems(capsys) == []
    client.get("/lti/jwks")
    assert problems(capsys) == ["missing"]


def test_https_that_arrives_as_http_is_said(build: Build, capsys: pytest.CaptureFixture[str]) -> None:
    client = build(SPIRALE_TRUSTED_PROXIES="1", **HTTPS).test_client()
    client.get("/lti/jwks", headers=FORWARDED)
    assert problems(capsys) == []
    plain = {**FORWARDED, "X-Forwarded-Proto": "http"}
    client.get("/lti/jwks", headers=plain)
    assert problems(capsys) == ["not https"]


@pytest.mark.parametrize(("proxies", "said"), [("0", ["none trusted"]), ("1", [])])
def test_production_without_a_proxy_is_said_at_start(
    build: Build, capsys: pytest.CaptureFixture[str], proxies: str, said: list[str]
) -> None:
    build(SPIRALE_CONFIG="production", SPIRALE_TRUSTED_PROXIES=proxies, **HTTPS)
    assert problems(capsys) == said


def test_the_advice_names_the_setting(build: Build, capsys: pytest.CaptureFixture[str]) -> None:
    build().test_client().get("/lti/jwks", headers=FORWARDED)
    assert "SPIRALE_TRUSTED_PROXIES" in capsys.readouterr().err
