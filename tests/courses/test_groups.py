"""Groups and periods of a course: who is in them, what falls in them."""

from __future__ import annotations

from datetime import date

import pytest
from flask import Flask

from lti_tool.activities.people import expected_people, is_for
from lti_tool.assessment.audience import pupils_of
from lti_tool.assessment.scales import scale_of
from lti_tool.courses.groups import (
    delete_group,
    find_group,
    groups_of,
    groups_with,
    members,
    save_group,
)
from lti_tool.courses.models import Course, Enrolment, PeriodKind, Person, Role
from lti_tool.courses.periods import period_of, periods_at, periods_of
from lti_tool.db import db
from lti_tool.errors import BadInput, NotFound
from tests import factories


class Class:
    """A course with three pupils and their teacher."""

    def __init__(self) -> None:
        self.course: Course = factories.course()
        self.adam = factories.enrolled(self.course, "Adam", "Benali")
        self.lina = factories.enrolled(self.course, "Lina", "Costa")
        self.zoe = factories.enrolled(self.course, "Zoé", "Lambert")
        self.teacher = factories.enrolled(self.course, "Claire", "Morel", Role.TEACHER)

    def leave(self, person: Person, *, back: bool = False) -> None:
        enrolment = db.session.query(Enrolment).filter_by(person_id=person.id).one()
        enrolment.active = back
        db.session.flush()


@pytest.fixture
def of(in_app: Flask) -> Class:
    return Class()


def test_a_group_has_the_pupils_that_were_ticked_and_nobody_else(of: Class) -> None:
    stranger = factories.enrolled(factories.course(), "Un", "Autre")
    ids = [of.adam.id, of.zoe.id, of.teacher.id, stranger.id]

    group = save_group(db.session, of.course, "  Groupe   A ", ids)

    assert [(one.name, one.id) for one in groups_of(db.session, of.course.id)] == [("Groupe A", group.id)]
    assert members(db.session, of.course.id) == {group.id: {of.adam.id, of.zoe.id}}
    assert groups_with(db.session, of.course.id, of.zoe.id) == {group.id}
    assert groups_with(db.session, of.course.id, of.lina.id) == set()


def test_a_pupil_may_be_in_several_groups(of: Class) -> None:
    first = save_group(db.session, of.course, "A", [of.adam.id])
    second = save_group(db.session, of.course, "B", [of.adam.id, of.lina.id])
    assert groups_with(db.session, of.course.id, of.adam.id) == {first.id, second.id}


def test_who_left_is_no_member_and_is_one_again_when_they_return(of: Class) -> None:
    group = save_group(db.session, of.course, "A", [of.adam.id, of.zoe.id])
    of.leave(of.zoe)
    assert members(db.session, of.course.id) == {group.id: {of.adam.id}}

    save_group(db.session, of.course, "A", [of.lina.id], group)
    of.leave(of.zoe, back=True)

    assert members(db.session, of.course.id) == {group.id: {of.lina.id, of.zoe.id}}


@pytest.mark.parametrize("name", ["", "   ", "GROUPE a", "x" * 65])
def test_a_group_without_a_name_of_its_own_is_refused(of: Class, name: str) -> None:
    save_group(db.session, of.course, "Groupe A", [])
    with pytest.raises(BadInput) as refused:
        save_group(db.session, of.course, name, [])
    assert set(refused.value.problems) == {"name"}


def test_a_group_keeps_its_own_name_when_it_is_saved_again(of: Class) -> None:
    group = save_group(db.session, of.course, "Groupe A", [])
    save_group(db.session, of.course, "groupe a", [of.adam.id], group)
    assert group.name == "groupe a"


def test_another_courses_group_is_not_found(of: Class) -> None:
    other = save_group(db.session, factories.course(), "A", [])
    with pytest.raises(NotFound):
        find_group(db.session, of.course, other.id)


def test_a_deleted_group_leaves_its_pupils_in_the_course(of: Class) -> None:
    delete_group(db.session, save_group(db.session, of.course, "A", [of.adam.id]))
    assert groups_of(db.session, of.course.id) == []
    assert members(db.session, of.course.id) == {}


# ----- whom an activity is for -----


def test_an_activity_is_for_the_class_unless_it_is_for_a_group(of: Class) -> None:
    group = factories.group(of.course, "A", of.adam, of.zoe)
    whole, part = factories.activity(of.course), factories.activity(of.course, group_id=group.id)

    assert expected_people(db.session, whole) == {of.adam.id, of.lina.id, of.zoe.id}
    assert expected_people(db.session, part) == {of.adam.id, of.zoe.id}
    assert [is_for(db.session, part, one.id) for one in (of.adam, of.lina)] == [True, False]
    assert [pupil.name for pupil in pupils_of(db.session, part)] == ["Adam B.", "Zoé L."]


def test_who_was_moved_out_of_a_group_stays_in_the_grid_only_where_something_was_seen(of: Class) -> None:
    group = factories.group(of.course, "A", of.adam, of.lina, of.zoe)
    activity = factories.activity(of.course, "1A", group_id=group.id)
    factories.assessment(activity, "1A", of.lina, 3, of.teacher)
    factories.assessment(activity, "1A", of.zoe, 3, of.teacher)
    factories.assessment(activity, "1A", of.zoe, "", of.teacher)

    save_group(db.session, of.course, "A", [of.adam.id], group)

    assert [pupil.name for pupil in pupils_of(db.session, activity)] == ["Adam B.", "Lina C."]
    assert expected_people(db.session, activity) == {of.adam.id}


# ----- periods -----


def test_a_day_falls_in_its_term_and_in_the_pfmp_within_it(of: Class) -> None:
    first = factories.period(of.course, "Trimestre 1", date(2026, 9, 1), date(2026, 11, 30))
    second = factories.period(of.course, "Trimestre 2", date(2026, 12, 1), date(2027, 3, 15))
    pfmp = factories.period(of.course, "PFMP 1", date(2026, 11, 16), date(2026, 12, 11), PeriodKind.PFMP)
    found = periods_of(db.session, of.course.id)

    assert found == [first, pfmp, second]
    assert periods_at(found, date(2026, 11, 15)) == [first]
    assert periods_at(found, date(2026, 11, 30)) == [first, pfmp]
    assert periods_at(found, date(2026, 12, 1)) == [second, pfmp]
    assert periods_at(found, date(2027, 3, 16)) == []
    assert period_of(found, date(2026, 12, 11), PeriodKind.PFMP) == pfmp


def test_a_courses_scale_says_its_levels_words(of: Class) -> None:
    assert scale_of(of.course).word(3, "fr") == "maîtrisée"
    of.course.scale = "lsu"
    assert scale_of(of.course).word(3, "fr") == "maîtrise satisfaisante"
