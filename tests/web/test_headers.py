"""The headers of docs/security.md, on every kind of answer."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from lti_tool import create_app
from lti_tool.db import db
from tests import factories
from tests.conftest import School, Visitor, make_config

Ask = Callable[[School, Visitor], TestResponse]

KINDS: dict[str, Ask] = {
    "a page": lambda _s, v: v.get("/activities"),
    "a redirection of ours": lambda _s, v: v.get("/"),
    "a redirection of the router": lambda _s, v: v.client.get(f"/l/{v.sid}"),
    "not found": lambda _s, v: v.get("/pupils/999"),
    "no such address": lambda _s, v: v.client.get("/nowhere"),
    "the wrong method": lambda _s, v: v.client.delete("/lti/login"),
    "not allowed": lambda s, _v: s.visit("Adam").get("/activities"),
    "an ended session": lambda s, _v: s.app.test_client().get("/l/unknown/activities"),
    "a form from elsewhere": lambda _s, v: v.client.post(f"/l/{v.sid}/picker"),
    "a script's refusal": lambda _s, v: v.post_json("/activities/999/cells", {}),
    "a page's own no": lambda _s, v: v.post("/activities/new"),
    "too much": lambda _s, v: v.client.post("/lti/launch", data={"x": "y" * 3_000_000}),
    "a login refused": lambda _s, v: v.client.get("/lti/login"),
    "a launch refused": lambda _s, v: v.client.post("/lti/launch", data={"state": "x"}),
    "a cookie being tried": lambda s, _v: login(s),
    "a new window offered": lambda s, _v: login(s, spirale_probed="1"),
    "the root": lambda _s, v: v.client.get("/"),
    "a probe of health": lambda _s, v: v.client.get("/health/ready"),
    "a head": lambda _s, v: v.client.head(f"/l/{v.sid}/activities"),
    "our keys": lambda _s, v: v.client.get("/lti/jwks"),
    "a file": lambda _s, v: v.client.get("/static/spirale.css"),
    "a file that is not": lambda _s, v: v.client.get("/static/nothing.css"),
}
KEPT = {"our keys": "public, max-age=300", "a file": "public, max-age=86400"}
"""What may be kept; anything else is not."""


def login(school: School, **more: str) -> TestResponse:
    with school.app.app_context():
        platform = db.session.merge(school.course).platform
        asked = {"iss": platform.issuer, "client_id": platform.client_id, "login_hint": "5", **more}
    target = {"target_link_uri": "http://localhost:8000/lti/launch"}
    return school.app.test_client().get("/lti/login", query_string={**asked, **target})


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_answer_has_the_headers(school: School, kind: str) -> None:
    answer = KINDS[kind](school, school.visit("teacher"))
    policy = answer.headers["Content-Security-Policy"].split("; ")
    assert policy[0] == "default-src 'none'"
    assert {"style-src 'self'", "script-src 'self'", "base-uri 'none'"} <= set(policy)
    assert any(rule.startswith("frame-ancestors ") for rule in policy)
    assert any(rule.startswith("form-action ") for rule in policy)
    assert "unsafe" not in answer.headers["Content-Security-Policy"]
    assert answer.headers["Referrer-Policy"] == "no-referrer"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    for feature in ("camera", "microphone", "geolocation", "payment"):
        assert f"{feature}=()" in answer.headers["Permissions-Policy"]
    assert answer.headers["Cache-Control"] == KEPT.get(kind, "no-store")
    assert "Strict-Transport-Security" not in answer.headers
    assert "Server" not in answer.headers
    answer.close()


def test_an_error_of_ours_has_the_headers_too(school: School, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken() -> None:
        raise RuntimeError

    monkeypatch.setattr("lti_tool.web.activity_list.list_activities", lambda *_args: broken())
    answer = school.visit("teacher").get("/activities")
    assert answer.status_code == 500
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["Content-Security-Policy"].startswith("default-src 'none'")


def https(tmp_path: Path, migrated: Path, **settings: str) -> Flask:
    shutil.copy(migrated, tmp_path / "spirale.db")
    return create_app(make_config(tmp_path, SPIRALE_BASE_URL="https://spirale.example.org", **settings))


def test_over_https_browsers_are_told_to_stay_there_even_when_a_proxy_forgets_to_say_so(
    tmp_path: Path, migrated: Path
) -> None:
    app = https(tmp_path, migrated)
    for path in ("/", "/lti/jwks", "/static/spirale.css", "/health/live", "/nowhere"):
        answer = app.test_client().get(path, base_url="http://localhost")
        assert answer.headers["Strict-Transport-Security"] == "max-age=31536000", path
        answer.close()
    with app.app_context():
        db.engine.dispose()
    app.extensions["spirale_queue"].storage.close()


def test_the_cookie_of_an_https_tool_is_bound_to_its_host(tmp_path: Path, migrated: Path) -> None:
    app = https(tmp_path, migrated)
    with app.app_context():
        platform = factories.platform()
        db.session.commit()
        asked = {"iss": platform.issuer, "client_id": platform.client_id, "login_hint": "5"}
    target = {"target_link_uri": "https://spirale.example.org/lti/launch"}
    answer = app.test_client().get("/lti/login", query_string={**asked, **target})
    cookie = answer.headers["Set-Cookie"]
    assert cookie.startswith("__Host-spirale=")
    for word in ("Secure", "HttpOnly", "SameSite=None", "Partitioned", "Path=/"):
        assert word in cookie
    assert "Domain" not in cookie
    with app.app_context():
        db.engine.dispose()
    app.extensions["spirale_queue"].storage.close()
