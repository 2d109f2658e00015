"""When a session ends, and what its owner then reads."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
import sqlalchemy as sa

from lti_tool.courses.models import Enrolment, LaunchSession
from lti_tool.courses.roster import keep_roster
from lti_tool.db import db, utcnow
from lti_tool.lti.models import Deployment
from lti_tool.lti.nrps import Member
from tests.conftest import School, open_visit

MINUTE = timedelta(minutes=1)


def change(school: School, **values: datetime) -> None:
    with school.app.app_context():
        db.session.execute(sa.update(LaunchSession).values(**values))
        db.session.commit()


def read_roster(school: School, *names: str) -> None:
    """A class list that names these people only."""
    with school.app.app_context():
        members = [Member(school.people[n].sub, frozenset({"Learner"}), n, "", n) for n in names]
        course = db.session.merge(school.course)
        keep_roster(db.session, course, members, utcnow())
        db.session.commit()


@pytest.mark.parametrize(("left", "status"), [(MINUTE, 200), (-MINUTE, 410)])
def test_a_session_in_use_ends_at_its_own_hour_whatever_happens(
    school: School, left: timedelta, status: int
) -> None:
    adam = school.visit("Adam")
    change(school, expires_at=utcnow() + left, used_at=utcnow())
    assert adam.get("/me").status_code == status


def test_a_session_that_ended_says_where_to_go_and_shows_nothing_of_the_course(school: School) -> None:
    adam = school.visit("Adam")
    change(school, expires_at=utcnow() - MINUTE)
    for answer in (adam.get("/me"), adam.post("/activities/1/answer", {"text": "x"}), adam.get("/nowhere")):
        assert answer.status_code in (404, 410)
        assert "Seconde MRC" not in answer.text
        assert "Adam" not in answer.text
    page = adam.get("/me").text
    assert "la session a expiré" in page
    assert "Revenir au cours dans la plateforme" in page


def test_a_disabled_deployment_ends_open_sessions_at_once_and_enabling_it_lets_them_go_on(
    school: School,
) -> None:
    teacher = school.visit("teacher")
    for enabled, status in ((True, 200), (False, 410), (True, 200)):
        with school.app.app_context():
            db.session.execute(sa.update(Deployment).values(enabled=enabled))
            db.session.commit()
        assert teacher.get("/activities").status_code == status


def test_somebody_who_left_the_class_list_loses_what_they_had_open_there_at_once(school: School) -> None:
    read_roster(school, "Adam", "Chloé")
    adam, chloe = school.visit("Adam"), school.visit("Chloé")
    read_roster(school, "Chloé")
    assert adam.get("/me").status_code == 410
    assert chloe.get("/me").status_code == 200


def test_who_left_and_launches_again_is_let_in_since_the_platform_says_so(school: School) -> None:
    read_roster(school, "Adam")
    school.visit("Adam")
    read_roster(school)
    again = open_visit(school.app, school.course, school.people["Adam"])
    assert again.get("/me").status_code == 200
    read_roster(school)
    assert again.get("/me").status_code == 200, "they were in no list since"


def test_an_administrator_on_a_visit_whom_no_list_names_keeps_their_session(school: School) -> None:
    visitor = school.visit("observer")
    read_roster(school, "Adam")
    assert visitor.get("/referential").status_code == 200
    with school.app.app_context():
        number = school.people["observer"].id
        assert db.session.scalars(sa.select(Enrolment.active).filter_by(person_id=number)).one() is False


def test_leaving_one_class_closes_nothing_in_another(school: School) -> None:
    read_roster(school, "Adam")
    with school.app.app_context():
        from tests import factories

        other = factories.course(db.session.merge(school.course).platform)
        db.session.commit()
        db.session.refresh(other)
        db.session.expunge_all()
    here, there = school.visit("Adam"), open_visit(school.app, other, school.people["Adam"], role="learner")
    read_roster(school)
    assert here.get("/me").status_code == 410
    assert there.get("/me").status_code == 200
