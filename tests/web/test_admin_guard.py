"""The administrator's door: every route as nobody, as a teacher, as an administrator; sessions, tokens, locks."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.routing import Rule
from werkzeug.test import TestResponse

from lti_tool import create_app
from lti_tool.administration import accounts
from lti_tool.administration.models import AdminEvent, Administrator, AdminLoginFailure, AdminSession
from lti_tool.db import begin_write, db, utcnow
from lti_tool.lti.models import Platform
from lti_tool.web.admin.guard import ADMIN_ONLY, OPEN
from tests.conftest import School, make_config
from tests.web.admin_world import COOKIE, PASSWORD, AdminBrowser, add_account, events, signed_in, token_in


@pytest.fixture
def marie(app: Flask) -> AdminBrowser:
    return signed_in(app)


def admin_rules(app: Flask) -> Iterator[tuple[Rule, str]]:
    for rule in app.url_map.iter_rules():
        if rule.rule == "/admin" or rule.rule.startswith("/admin/"):
            for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}:
                yield rule, method


def address(rule: Rule) -> str:
    return re.sub(r"<id:\w+>", "1", rule.rule)


def sent(client: FlaskClient, path: str, method: str) -> TestResponse:
    return client.get(path) if method == "GET" else client.post(path, data={"name": "x"})


def counted(app: Flask) -> list[int]:
    """Rows of what an administrator could change."""
    with app.app_context():
        found = [
            db.session.scalar(sa.select(sa.func.count()).select_from(model)) or 0
            for model in (Platform, AdminEvent, AdminSession)
        ]
        found.append(db.session.scalar(sa.select(sa.func.count()).where(Platform.enabled)) or 0)
        db.session.close()
    return found


def test_every_route_under_admin_declared_itself_and_no_other_did(app: Flask) -> None:
    walked = {rule.endpoint for rule, _method in admin_rules(app)}
    assert walked == ADMIN_ONLY | OPEN
    assert {"admin.sign_in"} == OPEN
    assert len(ADMIN_ONLY) >= 17
    assert {r.endpoint for r in app.url_map.iter_rules() if r.endpoint.startswith("admin.")} == walked


@pytest.mark.parametrize("who", ["nobody", "teacher", "a guess", "a cookie of the course"])
def test_nobody_else_opens_a_page_and_nothing_is_written(school: School, who: str) -> None:
    client = school.app.test_client()
    if who == "teacher":
        client = school.visit("teacher").client
    elif who == "a guess":
        client.set_cookie(COOKIE, "guessed", domain="localhost", secure=False)
    elif who == "a cookie of the course":
        given = school.visit("teacher").client.get_cookie("spirale")
        assert given is not None
        client.set_cookie(COOKIE, given.value, domain="localhost", secure=False)
    before, walked = counted(school.app), 0
    for rule, method in admin_rules(school.app):
        if rule.endpoint in OPEN:
            continue
        answer = sent(client, address(rule), method)
        assert answer.status_code == 303, (rule.rule, method)
        assert answer.headers["Location"].startswith("/admin/sign-in"), rule.rule
        walked += 1
    assert walked >= 22
    assert counted(school.app) == before


def test_an_administrator_opens_every_page_and_a_form_without_its_token_writes_nothing(
    school: School,
) -> None:
    marie = signed_in(school.app)
    before = counted(school.app)
    for rule, method in admin_rules(school.app):
        answer = sent(marie.client, address(rule), method)
        if rule.endpoint in OPEN:
            continue
        assert answer.status_code == (200 if method == "GET" else 403), (rule.rule, method)
        if method == "POST":
            assert "Formulaire refusé" in answer.text
    assert counted(school.app) == before


def test_no_page_may_be_framed_kept_or_run_anything(school: School) -> None:
    marie = signed_in(school.app)
    stranger = school.app.test_client()
    for rule, method in admin_rules(school.app):
        for client in (marie.client, stranger):
            answer = sent(client, address(rule), method)
            policy = answer.headers["Content-Security-Policy"]
            assert "frame-ancestors 'none'" in policy, rule.rule
            assert "form-action 'self';" in policy
            assert answer.headers["X-Frame-Options"] == "DENY"
            assert answer.headers["Cache-Control"] == "no-store"
            assert " style=" not in answer.text
            assert "<script>" not in answer.text
    for path in ("/admin", "/admin/nothing/here", "/admin/platforms/99999"):
        answer = marie.client.get(path)
        assert answer.status_code in (308, 404)
        assert "frame-ancestors 'none'" in answer.headers["Content-Security-Policy"]


def test_what_is_not_there_is_said_so(marie: AdminBrowser) -> None:
    answer = marie.get("/platforms/7")
    assert answer.status_code == 404
    assert "Introuvable" in answer.text
    assert "cours" not in answer.text.partition("<main")[2]


def test_a_token_of_another_session_is_not_ours(app: Flask, marie: AdminBrowser) -> None:
    add_account(app, "karim")
    other = app.test_client()
    other.post("/admin/sign-in", data={"login": "karim", "password": PASSWORD})
    token = token_in(other.get("/admin/keys").text)
    assert token != marie.csrf
    answer = marie.client.post("/admin/keys/rotate", data={"csrf": token})
    assert answer.status_code == 403
    assert ("key_rotated", "key 1") not in events(app)


def test_another_sites_form_does_not_sign_anybody_in(app: Flask) -> None:
    add_account(app)
    form = {"login": "marie", "password": PASSWORD}
    for site, status in (("cross-site", 403), ("same-site", 403), ("same-origin", 303), ("none", 303)):
        client = app.test_client()
        answer = client.post("/admin/sign-in", data=form, headers={"Sec-Fetch-Site": site})
        assert answer.status_code == status, site


# ----- signing in -----


def test_signing_in_opens_a_session_and_leaving_ends_it(app: Flask) -> None:
    number = add_account(app)
    client = app.test_client()
    assert "Se connecter" in client.get("/admin/sign-in").text
    answer = client.post("/admin/sign-in", data={"login": " Marie ", "password": PASSWORD})
    assert (answer.status_code, answer.headers["Location"]) == (303, "/admin/")
    cookie = answer.headers["Set-Cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=Strict" in cookie
    assert "Path=/" in cookie
    assert "Domain" not in cookie
    page = client.get("/admin/")
    assert page.status_code == 200
    assert client.get("/admin/sign-in").status_code == 303
    kept = client.get_cookie(COOKIE)
    assert kept is not None
    left = client.post("/admin/sign-out", data={"csrf": token_in(page.text)})
    assert "Déconnexion faite" in client.get(left.headers["Location"]).text
    client.set_cookie(COOKIE, kept.value, domain="localhost", secure=False)
    assert client.get("/admin/").status_code == 303, "the secret is worth nothing any more"
    assert events(app) == [("signed_in", ""), ("signed_out", "")]
    with app.app_context():
        assert set(db.session.scalars(sa.select(AdminEvent.administrator_id))) == {number}
        db.session.close()


@pytest.mark.usefixtures("config")
def test_on_https_the_cookie_is_of_this_host_alone(tmp_path: Path) -> None:
    app = create_app(make_config(tmp_path, SPIRALE_BASE_URL="https://spirale.example.org"))
    add_account(app)
    answer = app.test_client().post(
        "/admin/sign-in",
        data={"login": "marie", "password": PASSWORD},
        base_url="https://spirale.example.org",
    )
    cookie = answer.headers["Set-Cookie"]
    assert cookie.startswith("__Host-spirale-admin=")
    assert "; Secure" in cookie
    with app.app_context():
        db.engine.dispose()
    app.extensions["spirale_queue"].storage.close()


def test_a_secret_slipped_in_before_is_not_the_sessions(app: Flask) -> None:
    add_account(app)
    client = app.test_client()
    client.set_cookie(COOKIE, "fixed by somebody", domain="localhost", secure=False)
    client.post("/admin/sign-in", data={"login": "marie", "password": PASSWORD})
    first = client.get_cookie(COOKIE)
    assert first is not None
    assert first.value != "fixed by somebody"
    client.post("/admin/sign-in", data={"login": "marie", "password": PASSWORD})
    second = client.get_cookie(COOKIE)
    assert second is not None
    assert second.value != first.value
    thief = app.test_client()
    for secret in ("fixed by somebody", first.value):
        thief.set_cookie(COOKIE, secret, domain="localhost", secure=False)
        assert thief.get("/admin/").status_code == 303
    assert client.get("/admin/").status_code == 200


@pytest.mark.parametrize(
    ("login", "password"),
    [("marie", "wrong"), ("nobody", PASSWORD), ("karim", PASSWORD), ("marie", ""), ("", "")],
)
def test_a_wrong_login_password_or_closed_account_get_the_same_answer(
    app: Flask, login: str, password: str, capsys: pytest.CaptureFixture[str]
) -> None:
    add_account(app)
    karim = add_account(app, "karim")
    with app.app_context():
        begin_write()
        db.session.get_one(Administrator, karim).disabled_at = utcnow()
        db.session.commit()
        db.session.close()
    answer = app.test_client().post("/admin/sign-in", data={"login": login, "password": password})
    assert answer.status_code == 403
    assert "Identifiant ou mot de passe inexact." in answer.text
    assert f'name="login" value="{login}"' in answer.text, "the login is kept, the password is not"
    assert not password or password not in answer.text
    assert "Set-Cookie" not in answer.headers
    logged = capsys.readouterr().err
    assert "admin_sign_in_failed" in logged
    assert not password or password not in logged
    assert not login or login not in logged


def test_a_login_that_is_no_account_costs_as_much_as_one_that_is(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    add_account(app)
    methods = []

    def looked(stored: str, _password: str) -> bool:
        methods.append(stored.split("$")[0])
        return False

    monkeypatch.setattr(accounts, "check_password_hash", looked)
    for login in ("marie", "nobody"):
        app.test_client().post("/admin/sign-in", data={"login": login, "password": "wrong"})
    assert methods == ["scrypt:1024:8:1", accounts.METHOD], "one hash is worked out for each"


def test_the_sixth_try_is_locked_out_even_with_the_right_password_until_a_quarter_of_an_hour_is_over(
    app: Flask,
) -> None:
    add_account(app)
    client = app.test_client()
    right, wrong = ({"login": "marie", "password": password} for password in (PASSWORD, "wrong"))

    def later(seconds: float) -> None:
        with app.app_context():
            begin_write()
            for row in db.session.scalars(sa.select(AdminLoginFailure)):
                row.last_at -= timedelta(seconds=seconds)
            db.session.commit()
            db.session.close()

    for number in range(5):
        assert client.post("/admin/sign-in", data=wrong).status_code == 403
        if number < 4:
            at_once = client.post("/admin/sign-in", data=right)
            assert at_once.status_code == 429
            assert "avant le prochain essai" in at_once.text
            later(2**number)
    for waited in (0, 890):
        later(waited)
        locked = client.post("/admin/sign-in", data=right)
        assert locked.status_code == 429
    assert "Attendre 10 secondes" in locked.text
    assert client.post("/admin/sign-in", data={"login": "nobody", "password": "x"}).status_code == 403
    later(10)
    assert client.post("/admin/sign-in", data=right).status_code == 303


def test_a_session_in_use_goes_on_and_an_idle_one_ends_without_a_trace(
    app: Flask, marie: AdminBrowser
) -> None:
    def idle(minutes: float) -> None:
        with app.app_context():
            begin_write()
            db.session.execute(sa.update(AdminSession).values(used_at=utcnow() - timedelta(minutes=minutes)))
            db.session.commit()
            db.session.close()

    idle(29)
    assert marie.get("/").status_code == 200
    with app.app_context():
        used = db.session.scalars(sa.select(AdminSession.used_at)).one()
        assert utcnow() - used < timedelta(minutes=1)
        db.session.close()
    idle(31)
    answer = marie.post("/keys/rotate")
    assert answer.headers["Location"] == "/admin/sign-in?ended=1"
    assert "n’a pas été fait" in marie.client.get(answer.headers["Location"]).text
    assert events(app) == []


def test_a_session_ends_at_once_with_its_account(app: Flask, marie: AdminBrowser) -> None:
    assert marie.get("/").status_code == 200
    with app.app_context():
        begin_write()
        accounts.disable_administrator(db.session, "marie", utcnow())
        db.session.commit()
        db.session.close()
    assert marie.get("/").status_code == 303


def test_an_administrators_cookie_opens_no_course(school: School) -> None:
    marie = signed_in(school.app)
    teacher = school.visit("teacher")
    assert marie.client.get(f"/l/{teacher.sid}/activities").status_code == 410
