"""The class list: late arrivals, people who left, non-editing teachers who look like learners."""

from __future__ import annotations

import sqlalchemy as sa
from flask import Flask

from lti_tool.courses.models import Course, Enrolment, Role
from lti_tool.courses.people import pupils, sort_key
from lti_tool.courses.roster import keep_roster
from lti_tool.db import db, utcnow
from lti_tool.lti.nrps import Member
from tests import factories


def member(sub: str, given: str = "", family: str = "", role: str = "Learner") -> Member:
    return Member(sub, frozenset({role}), given, family, f"{given} {family}".strip())


def keep(course: Course, *members: Member) -> tuple[int, int]:
    change = keep_roster(db.session, course, list(members), utcnow())
    return change.arrived, change.left


def names(course: Course) -> list[str]:
    return [pupil.name for pupil in pupils(db.session, course.id)]


def test_a_roster_brings_pupils_and_says_who_came_and_left(in_app: Flask) -> None:
    course = factories.course()
    assert keep(course, member("p1", "Émile", "Zola"), member("p2", "Adam", "Roy")) == (2, 0)
    assert names(course) == ["Adam R.", "Émile Z."]
    assert keep(course, member("p2", "Adam", "Roy"), member("p3", "Noé", "Petit")) == (1, 1)
    assert names(course) == ["Adam R.", "Noé P."]
    gone = db.session.scalars(sa.select(Enrolment).where(Enrolment.active.is_(False))).one()
    assert gone.person.sub == "p1"  # hidden, not erased
    assert keep(course, member("p1", "Émile", "Zola"), member("p2"), member("p3")) == (1, 0)
    assert names(course) == ["Adam R.", "Émile Z.", "Noé P."]


def test_a_roster_without_names_takes_no_name_away(in_app: Flask) -> None:
    course = factories.course()
    keep(course, member("p1", "Adam", "Roy"))
    keep(course, member("p1"))
    assert names(course) == ["Adam R."]


def test_pupils_without_names_have_numbers_in_order(in_app: Flask) -> None:
    course = factories.course()
    keep(course, *(member(f"p{n}") for n in range(1, 13)))
    assert names(course) == [f"Élève {n}" for n in range(1, 13)]


def test_a_late_arrival_is_a_pupil_before_the_next_roster(in_app: Flask) -> None:
    course = factories.course()
    keep(course, member("p1", "Adam", "Roy"))
    factories.enrolled(course, "Noé", "Petit", launched_as=Role.LEARNER)
    assert names(course) == ["Adam R.", "Noé P."]


def test_a_non_editing_teacher_is_not_a_pupil_once_they_came_as_instructor(in_app: Flask) -> None:
    course = factories.course()
    yann = factories.enrolled(course, "Yann", "Le Goff", Role.TEACHER, launched_as=Role.TEACHER)
    keep(course, member("p1", "Adam", "Roy"), member(yann.sub, "Yann", "Le Goff"))
    assert names(course) == ["Adam R."]


def test_teachers_of_the_roster_are_not_pupils(in_app: Flask) -> None:
    course = factories.course()
    keep(course, member("t", "Claire", "Morel", "Instructor"), member("m", "Mère", "X", "Mentor"))
    assert names(course) == []


def test_two_pupils_with_one_short_name_show_their_whole_names(in_app: Flask) -> None:
    course = factories.course()
    keep(course, member("p1", "Zoé", "Lambert"), member("p2", "Zoé", "Lopez"), member("p3", "Zoé", "Petit"))
    assert names(course) == ["Zoé Lambert", "Zoé Lopez", "Zoé P."]


def test_order_forgets_accents_and_counts_numbers() -> None:
    assert sorted(["Élève 12", "Zoé", "élève 2", "Adam", "Émile"], key=sort_key) == [
        "Adam", "élève 2", "Élève 12", "Émile", "Zoé",
    ]  # fmt: skip
