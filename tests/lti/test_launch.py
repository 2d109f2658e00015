"""Launches: what is taken, and what is refused beside 1EdTech's list, which is in `tests/certification/`."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import jwt
import pytest
import sqlalchemy as sa
from flask import Flask
from werkzeug.wrappers import Response

from lti_tool.courses.entry import SEEN_EVERY
from lti_tool.courses.models import Course, Enrolment, LaunchSession, Person, ResourceLink, Role
from lti_tool.db import db, utcnow
from lti_tool.lti.models import LaunchRefusal, Login, Platform
from tests.lti.platform_of_tests import (
    BASE,
    GONE,
    MEMBERSHIP,
    KeyServer,
    Lms,
    assert_refused,
    browser,
    make_lms,
    new_key,
    opened,
)

# ----- the way in -----


@pytest.mark.parametrize("method", ["post", "get"])
def test_a_teachers_launch_opens_a_session_of_their_course(app: Flask, lms: Lms, method: str) -> None:
    lms.begin(method)
    answer = lms.launch()
    assert answer.status_code == 303
    assert answer.headers["Location"].startswith("/l/")
    with app.app_context():
        session = db.session.scalars(sa.select(LaunchSession)).one()
        course = db.session.scalars(sa.select(Course)).one()
        person = db.session.scalars(sa.select(Person)).one()
        link = db.session.scalars(sa.select(ResourceLink)).one()
    assert (course.context_id, course.label, course.title) == ("2", "2MRC1", "Seconde MRC 1")
    assert (person.sub, person.given_name, person.family_name) == ("5", "Claire", "Morel")
    assert (link.link_id, link.title) == ("7", "Spirale")
    assert (session.role, session.locale, session.course_id) == (Role.TEACHER, "fr", course.id)
    assert answer.headers["Location"].split("/")[2] not in session.sid_hash


def test_the_authorisation_request_asks_what_the_specification_says(lms: Lms) -> None:
    answer = lms.begin()
    assert answer.headers["Location"].startswith(f"{lms.issuer}/auth?")
    asked = lms.login
    assert asked["scope"] == "openid"
    assert asked["response_type"] == "id_token"
    assert asked["response_mode"] == "form_post"
    assert asked["prompt"] == "none"
    assert asked["client_id"] == lms.client_id
    assert asked["redirect_uri"] == f"{BASE}/lti/launch"
    assert asked["login_hint"] == "5"
    assert asked["lti_message_hint"] == '{"cmid":5}'
    assert len(asked["state"]) > 40
    assert len(asked["nonce"]) > 40


def test_the_cookie_is_tried_before_the_platform_is_asked(app: Flask, lms: Lms) -> None:
    first = lms.client.post("/lti/login", data=lms.parameters())
    assert first.status_code == 303
    assert first.headers["Location"].startswith("/lti/login?")
    cookie = first.headers["Set-Cookie"]
    for part in ("Secure", "HttpOnly", "SameSite=None", "Partitioned", "Path=/"):
        assert part in cookie
    with app.app_context():
        assert db.session.scalar(sa.select(sa.func.count(Login.id))) == 0
    # The second time the browser brings it: no extra hop.
    lms.begin()
    assert lms.client.post("/lti/login", data=lms.parameters()).headers["Location"].startswith(lms.issuer)


def test_a_browser_that_keeps_no_cookie_is_offered_a_new_window_with_the_login_unspent(
    app: Flask, lms: Lms
) -> None:
    client = app.test_client(use_cookies=False)
    first = client.post("/lti/login", data=lms.parameters())
    second = client.get(first.headers["Location"])
    assert second.status_code == 200
    assert 'target="_blank"' in second.text
    for name, value in lms.parameters().items():
        assert f'name="{name}"' in second.text
        assert value.replace('"', "&#34;") in second.text
    with app.app_context():
        assert db.session.scalar(sa.select(sa.func.count(Login.id))) == 0


def test_a_launch_notes_its_platform_and_its_person_and_a_refused_one_is_counted_for_its_platform(
    app: Flask, lms: Lms
) -> None:
    started = utcnow()

    def noted() -> tuple[object, list[tuple[str, int]]]:
        with app.app_context():
            launched = db.session.scalars(sa.select(Platform.launched_at)).one()
            query = sa.select(LaunchRefusal.reason, LaunchRefusal.count).order_by(LaunchRefusal.reason)
            counts = [(row.reason, row.count) for row in db.session.execute(query)]
            db.session.close()
        return launched, counts

    for _ in range(2):
        assert lms.whole_launch(aud="another client").status_code == 403
    assert lms.whole_launch(sub=GONE).status_code == 403
    assert noted() == (None, [("bad_token", 2), ("no_person", 1)])

    assert lms.whole_launch().status_code == 303
    launched, counts = noted()
    assert isinstance(launched, datetime)
    assert started <= launched <= utcnow()
    assert len(counts) == 2
    with app.app_context():
        assert started <= (db.session.scalars(sa.select(Person.seen_at)).one() or started - SEEN_EVERY)
        db.session.close()


def test_a_login_that_is_refused_is_counted_where_its_platform_is_known(app: Flask, lms: Lms) -> None:
    client = app.test_client()
    assert client.post("/lti/login", data=lms.parameters(lti_deployment_id="99")).status_code == 403
    assert client.post("/lti/login", data=lms.parameters(iss="https://nobody.example.org")).status_code == 403
    with app.app_context():
        db.session.execute(sa.update(Platform).values(enabled=False))
        db.session.commit()
        db.session.close()
    assert client.post("/lti/login", data=lms.parameters()).status_code == 403
    with app.app_context():
        counts = db.session.execute(
            sa.select(LaunchRefusal.reason, LaunchRefusal.count).order_by(LaunchRefusal.id)
        ).all()
        db.session.close()
    assert [tuple(row) for row in counts] == [("unknown_deployment", 1), ("platform_disabled", 1)]


@pytest.mark.parametrize(
    ("roles", "role"),
    [
        ([MEMBERSHIP + "Learner"], Role.LEARNER),
        ([MEMBERSHIP + "Instructor", MEMBERSHIP + "Learner"], Role.TEACHER),
        (["Instructor"], Role.TEACHER),
        (["Learner"], Role.LEARNER),
        (["http://purl.imsglobal.org/vocab/lis/v2/membership/Instructor#TeachingAssistant"], Role.ASSESSOR),
        (
            [
                MEMBERSHIP + "Instructor",
                "http://purl.imsglobal.org/vocab/lis/v2/membership/Instructor#TeachingAssistant",
            ],
            Role.ASSESSOR,
        ),
        (["http://purl.imsglobal.org/vocab/lis/v2/institution/person#Instructor"], Role.OBSERVER),
        (["http://purl.imsglobal.org/vocab/lis/v2/system/person#Administrator"], Role.OBSERVER),
        ([MEMBERSHIP + "Mentor"], Role.OBSERVER),
        (["http://example.org/roles#Instructor"], Role.OBSERVER),
        ([], Role.OBSERVER),
    ],
)
def test_only_context_roles_count_and_the_unknown_gets_the_least(
    app: Flask, lms: Lms, roles: list[str], role: Role
) -> None:
    assert lms.whole_launch(roles=roles).status_code == 303
    assert opened(app)[0].role is role


def test_a_launch_without_names_context_or_services_works(app: Flask, lms: Lms) -> None:
    answer = lms.whole_launch(given_name=GONE, family_name=GONE, name=GONE, context=GONE)
    assert answer.status_code == 303
    with app.app_context():
        course = db.session.scalars(sa.select(Course)).one()
    assert course.context_id == "link:7"
    page = lms.client.get(answer.headers["Location"], follow_redirects=True)
    assert page.status_code == 200


@pytest.mark.parametrize(("locale", "ours"), [("fr_ca", "fr"), ("en-US", "en"), ("de", "fr"), (GONE, "fr")])
def test_the_platforms_language_is_followed_where_we_speak_it(
    app: Flask, lms: Lms, locale: Any, ours: str
) -> None:
    presentation = {} if locale is GONE else {"locale": locale}
    lms.whole_launch(launch_presentation=presentation)
    assert opened(app)[0].locale == ours


def test_the_same_person_course_and_link_are_found_again(app: Flask, lms: Lms) -> None:
    lms.whole_launch()
    lms.whole_launch(given_name="Clara")
    with app.app_context():
        for model in (Course, Person, ResourceLink, Enrolment):
            assert db.session.scalar(sa.select(sa.func.count()).select_from(model)) == 1
        assert db.session.scalars(sa.select(Person.given_name)).one() == "Clara"
    assert len(opened(app)) == 2


def test_two_platforms_with_the_same_issuer_and_courses_are_never_joined(
    app: Flask, server: KeyServer
) -> None:
    one = make_lms(app, server, issuer="https://same.example.org", client_id="a")
    two = make_lms(app, server, issuer="https://same.example.org", client_id="b")
    one.whole_launch()
    two.whole_launch()
    with app.app_context():
        assert len(set(db.session.scalars(sa.select(Course.platform_id)))) == 2
        assert db.session.scalar(sa.select(sa.func.count(Person.id))) == 2


# ----- one login, one browser, one launch -----


def test_a_replay_is_refused_in_the_same_browser_and_in_another(app: Flask, lms: Lms) -> None:
    lms.begin()
    token = lms.sign(lms.claims())
    assert lms.launch(token).status_code == 303
    again = lms.launch(token)
    assert again.status_code == 400
    assert "a déjà servi" in again.text
    other = browser(app)
    assert other.post("/lti/launch", data={"state": lms.login["state"], "id_token": token}).status_code == 400
    assert len(opened(app)) == 1


def test_the_launch_must_come_from_the_browser_that_logged_in(app: Flask, lms: Lms) -> None:
    lms.begin()
    token = lms.sign(lms.claims())
    thief = browser(app)
    thief.set_cookie("spirale", "somebody else", domain="localhost", secure=False)
    answer = thief.post("/lti/launch", data={"state": lms.login["state"], "id_token": token})
    assert_refused(answer, "autre navigateur", app)
    # And that one try used the login up.
    assert lms.launch(token).status_code == 400


def test_a_login_that_waited_too_long_is_refused(app: Flask, lms: Lms) -> None:
    lms.begin()
    with app.app_context():
        db.session.execute(sa.update(Login).values(expires_at=sa.func.datetime("now", "-1 minute")))
        db.session.commit()
    assert_refused(lms.launch(), "elle a expiré", app)


def test_a_forged_signature_is_refused(app: Flask, lms: Lms) -> None:
    lms.begin()
    assert_refused(lms.launch(lms.sign(lms.claims(), key=new_key())), "Ouverture refusée", app)


@pytest.mark.parametrize(
    "target", ["https://evil.example.org/", f"{BASE}.evil.example.org/lti/launch", 7, GONE]
)
def test_a_target_that_is_not_ours_is_refused(app: Flask, lms: Lms, target: Any) -> None:
    assert_refused(lms.whole_launch(target_link_uri=target), "Que faire", app)


@pytest.mark.parametrize(
    ("claim", "value"),
    [
        ("roles", "Instructor"),
        ("roles", [1, 2]),
        ("context", "2"),
        ("context", {"id": 2}),
        ("context", {"id": "x" * 256}),
        ("resource_link", {"id": ["7"]}),
        ("resource_link", []),
        ("sub", "s" * 256),
        ("sub", 5),
        ("deployment_id", 1),
        ("launch_presentation", "fr"),
        ("launch_presentation", {"return_url": "javascript:alert(1)"}),
        ("custom", ["a"]),
        ("iat", "now"),
        ("exp", None),
        ("message_type", 3),
    ],
)
def test_claims_of_the_wrong_type_or_size_are_refused_not_a_crash(
    app: Flask, lms: Lms, claim: str, value: Any
) -> None:
    answer = lms.whole_launch(**{claim: value})
    assert answer.status_code < 500
    assert_refused(answer, "Que faire", app)


def test_an_unknown_platform_is_refused(app: Flask, lms: Lms) -> None:
    assert_refused(lms.begin(iss="https://unknown.example.org"), "Plateforme inconnue", app)
    assert_refused(lms.begin(client_id="unknown"), "Plateforme inconnue", app)


@pytest.mark.parametrize("missing", ["iss", "login_hint", "target_link_uri"])
def test_a_login_with_a_parameter_missing_is_refused(app: Flask, lms: Lms, missing: str) -> None:
    assert_refused(lms.begin(**{missing: GONE}), "ouvert seul", app)


def test_the_client_id_may_be_left_out_where_there_is_no_doubt(
    app: Flask, lms: Lms, server: KeyServer
) -> None:
    assert lms.begin(client_id=GONE).status_code == 303
    make_lms(app, server, issuer=lms.issuer, client_id="second")
    assert_refused(lms.begin(client_id=GONE), "Plateforme inconnue", app)


def test_the_launch_address_opened_alone_says_where_to_go(app: Flask) -> None:
    answer = app.test_client().get("/lti/launch")
    assert_refused(answer, "s’ouvre depuis le cours", app)


def test_refusals_speak_english_to_those_who_do(app: Flask, lms: Lms) -> None:
    answer = lms.client.get("/lti/launch", headers={"Accept-Language": "en"})
    assert "This page opens from the course" in answer.text
    assert '<html lang="en">' in answer.text


# ----- the platform's keys -----


def test_keys_are_fetched_once_for_many_launches(lms: Lms) -> None:
    for _ in range(3):
        assert lms.whole_launch().status_code == 303
    assert lms.server.asked == 1


def test_unknown_keys_do_not_make_us_hammer_the_platform(lms: Lms) -> None:
    for _ in range(5):
        lms.begin()
        assert lms.launch(lms.sign(lms.claims(), kid="unknown")).status_code == 403
    assert lms.server.asked == 1


def test_the_last_good_keys_outlive_a_platform_that_is_down(
    app: Flask, lms: Lms, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert lms.whole_launch().status_code == 303
    lms.server.answer = lambda: Response("down", 503)
    monkeypatch.setattr(app.extensions["spirale_keysets"], "_lifetime_s", 0.0)
    assert lms.whole_launch().status_code == 303


# ----- our keys -----


def test_our_keys_are_public_and_stay_the_same(app: Flask) -> None:
    client = app.test_client()
    first, second = client.get("/lti/jwks").get_json(), client.get("/lti/jwks").get_json()
    assert first == second
    (key,) = first["keys"]
    assert set(key) == {"kty", "n", "e", "kid", "alg", "use"}
    assert (key["kty"], key["alg"], key["use"]) == ("RSA", "RS256", "sig")
    assert jwt.PyJWK(key).key.key_size == 2048


def test_a_launch_logs_no_name_token_or_address(
    app: Flask, lms: Lms, capsys: pytest.CaptureFixture[str]
) -> None:
    answer = lms.whole_launch()
    lms.client.get(answer.headers["Location"], follow_redirects=True)
    lms.begin()
    lms.launch(lms.sign(lms.claims(), key=new_key()))
    logged = "".join(capsys.readouterr())
    assert "refused" in logged
    sid = answer.headers["Location"].split("/")[2]
    for secret in ("Claire", "Morel", sid, lms.login["state"], lms.login["nonce"], "eyJ"):
        assert secret not in logged
