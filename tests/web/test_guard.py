"""The one guard. Every route is walked as every kind of visitor in test_who_may_what.py."""

from __future__ import annotations

from datetime import timedelta

import pytest
import sqlalchemy as sa

from lti_tool.courses.models import Enrolment, LaunchSession, Role
from lti_tool.db import db, utcnow
from lti_tool.lti.models import Platform
from tests import factories
from tests.conftest import School, open_visit


@pytest.fixture
def activity_id(school: School) -> int:
    with school.app.app_context():
        made = factories.activity(school.course)
        db.session.commit()
        return made.id


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
