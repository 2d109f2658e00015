"""The one guard: every route is walked as every kind of visitor."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest
import sqlalchemy as sa
from flask import Flask
from werkzeug.routing import Rule

from lti_tool.courses.models import Enrolment, LaunchSession, Role
from lti_tool.db import db, utcnow
from lti_tool.lti.models import Platform
from lti_tool.web.admin.guard import ADMIN_ONLY, OPEN
from lti_tool.web.case_api import FINDS
from lti_tool.web.guard import ASKED, RIGHTS, May
from tests import factories
from tests.conftest import School, Visitor, open_visit

OPEN_TO_ALL = {
    "root",
    "door.login",
    "door.launch",
    "door.launch_alone",
    "door.jwks",
    "registration.show",
    "registration.confirm",
    "health.live",
    "health.ready",
    "static",
    # The administrator's pages have a guard of their own: test_admin_guard walks them.
    *ADMIN_ONLY,
    *OPEN,
    # The referentials, which are public: the CASE interface.
    "case.documents",
    *(f"case.{kind}" for kind in FINDS),
}


def rules(app: Flask) -> Iterator[tuple[Rule, str]]:
    for rule in app.url_map.iter_rules():
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}:
            yield rule, method


def address(rule: Rule, school: School, activity_id: int, statement: str) -> str:
    """The address of a page below the session, with values that exist."""
    values = {
        "activity_id": str(activity_id),
        "person_id": str(school.people["Chloé"].id),
        "code": "1A",
        "identifier": statement,
    }
    path = rule.rule.removeprefix("/l/<sid>")
    for name in rule.arguments - {"sid"}:
        path = path.replace(f"<id:{name}>", values[name]).replace(f"<uuid:{name}>", values[name])
        path = path.replace(f"<{name}>", values[name])
    return path


@pytest.fixture
def activity_id(school: School) -> int:
    with school.app.app_context():
        made = factories.activity(school.course)
        db.session.commit()
        return made.id


@pytest.fixture
def statement(school: School) -> str:
    with school.app.app_context():
        return factories.competence("1A").uuid


def test_every_route_is_a_page_of_a_session_or_known_to_be_open(app: Flask) -> None:
    for rule, _method in rules(app):
        if rule.endpoint in OPEN_TO_ALL:
            continue
        assert rule.rule.startswith("/l/<sid>/"), rule.rule
        assert isinstance(ASKED[rule.endpoint], May)


@pytest.mark.parametrize("who", ["teacher", "assessor", "Adam", "observer"])
def test_each_page_opens_for_those_who_may_and_refuses_the_others(
    school: School, activity_id: int, statement: str, who: str
) -> None:
    role = {
        "teacher": Role.TEACHER,
        "assessor": Role.ASSESSOR,
        "Adam": Role.LEARNER,
        "observer": Role.OBSERVER,
    }[who]
    visitor = school.visit(who)
    walked = 0
    for rule, method in rules(school.app):
        if rule.endpoint in OPEN_TO_ALL:
            continue
        path = address(rule, school, activity_id, statement)
        answer = visitor.get(path) if method == "GET" else visitor.post(path)
        allowed = ASKED[rule.endpoint] in RIGHTS[role]
        walked += 1
        if allowed:
            assert answer.status_code < 500, (rule.rule, method, answer.status_code)
            if not (who == "observer" and rule.endpoint == "pages.activity"):
                assert answer.status_code != 403, (rule.rule, method)
        else:
            assert answer.status_code == 403, (rule.rule, method, answer.status_code)
    assert walked > 20


def test_nobody_enters_without_a_session(school: School, activity_id: int, statement: str) -> None:
    client = school.app.test_client()
    client.set_cookie("spirale", "another browser", domain="localhost", secure=False)
    stranger = Visitor(client, "not-a-session", 0, 0)
    for rule, method in rules(school.app):
        if rule.endpoint not in OPEN_TO_ALL:
            path = address(rule, school, activity_id, statement)
            answer = stranger.get(path) if method == "GET" else stranger.post(path)
            assert answer.status_code == 410, (rule.rule, method)
            assert "s’ouvre depuis le cours" in answer.text


def test_the_path_alone_does_not_open_a_session_in_another_browser(school: School) -> None:
    teacher = school.visit("teacher")
    thief = school.app.test_client()
    assert thief.get(f"/l/{teacher.sid}/activities").status_code == 410
    thief.set_cookie("spirale", "guessed", domain="localhost", secure=False)
    assert thief.get(f"/l/{teacher.sid}/activities").status_code == 410
    assert teacher.get("/activities").status_code == 200


def test_another_courses_things_are_not_there(school: School) -> None:
    with school.app.app_context():
        platform = db.session.get_one(Platform, school.course.platform_id)
        other = factories.course(platform)
        stranger = factories.enrolled(other, "Nadia", "Autre")
        theirs = factories.activity(other)
        db.session.commit()
        foreign, person = theirs.id, stranger.id
    teacher = school.visit("teacher")
    assert teacher.get(f"/activities/{foreign}").status_code == 404
    assert teacher.get(f"/activities/{foreign}/grid").status_code == 404
    assert teacher.get(f"/activities/{foreign}/edit").status_code == 404
    assert teacher.get(f"/pupils/{person}").status_code == 404
    refused = teacher.post_json(f"/activities/{foreign}/cells", {"entries": [], "since": 0})
    assert refused.status_code == 404
    assert "appartient à un autre cours" in refused.get_json()["message"]


def test_a_form_without_its_token_writes_nothing(school: School, activity_id: int) -> None:
    teacher = school.visit("teacher")
    answer = teacher.client.post(f"/l/{teacher.sid}/activities/{activity_id}/archive", data={"csrf": "wrong"})
    assert answer.status_code == 403
    assert "Formulaire refusé" in answer.text
    with school.app.app_context():
        from lti_tool.activities.models import Activity

        assert db.session.get_one(Activity, activity_id).archived_at is None


def test_a_disabled_platform_ends_open_sessions_at_once(school: School) -> None:
    teacher = school.visit("teacher")
    assert teacher.get("/activities").status_code == 200
    with school.app.app_context():
        db.session.get_one(Platform, school.course.platform_id).enabled = False
        db.session.commit()
    assert teacher.get("/activities").status_code == 410


def test_an_idle_session_ends_and_one_in_use_goes_on(school: School) -> None:
    teacher = school.visit("teacher")
    idle_s = school.app.extensions["spirale_config"].lti.session_idle_s

    def age(seconds: float) -> None:
        with school.app.app_context():
            db.session.execute(sa.update(LaunchSession).values(used_at=utcnow() - timedelta(seconds=seconds)))
            db.session.commit()

    age(idle_s - 30)
    assert teacher.get("/activities").status_code == 200
    with school.app.app_context():
        used = db.session.scalars(sa.select(LaunchSession.used_at)).one()
        assert utcnow() - used < timedelta(seconds=30)
    age(idle_s + 1)
    assert teacher.get("/activities").status_code == 410


def test_a_page_left_open_saves_through_a_newer_launch_of_the_same_person(school: School) -> None:
    teacher = school.visit("teacher")
    with school.app.app_context():
        old = db.session.scalars(sa.select(LaunchSession)).one()
        db.session.execute(sa.update(LaunchSession).values(used_at=utcnow() - timedelta(days=1)))
        db.session.commit()
        browser = old.browser_hash
    assert teacher.get("/activities").status_code == 410
    open_visit(school.app, school.course, school.people["colleague"], browser_hash=browser)
    assert teacher.get("/activities").status_code == 410
    open_visit(school.app, school.course, school.people["teacher"], browser_hash=browser)
    assert teacher.get("/activities").status_code == 200


def test_a_non_editing_teacher_is_an_assessor_once_the_roster_says_learner(school: School) -> None:
    yann = open_visit(school.app, school.course, school.people["assessor"], role=Role.TEACHER)
    assert yann.get("/activities/new").status_code == 200
    with school.app.app_context():
        enrolment = db.session.scalars(
            sa.select(Enrolment).where(Enrolment.person_id == school.people["assessor"].id)
        ).one()
        enrolment.role, enrolment.in_roster = Role.LEARNER, True
        db.session.commit()
    assert yann.get("/activities/new").status_code == 403
    assert yann.get("/activities").status_code == 200


def test_who_may_frame_a_page_is_its_platform(school: School) -> None:
    policy = school.visit("teacher").get("/activities").headers["Content-Security-Policy"]
    assert f"frame-ancestors https://{school.course.lineitems_url.split('/')[2]}" in policy
    assert "script-src 'self'" in policy
    assert "unsafe" not in policy


def test_pages_of_a_session_are_kept_nowhere_and_tell_no_one_where_they_were(school: School) -> None:
    headers = school.visit("Adam").get("/me").headers
    assert headers["Cache-Control"] == "no-store"
    assert headers["Referrer-Policy"] == "no-referrer"
