"""Standing decisions, and the position that counts."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

import pytest
import sqlalchemy as sa
from flask import Flask

from lti_tool.assessment.decisions import policy_of, rule_of, standing_decisions
from lti_tool.assessment.entries import observations
from lti_tool.assessment.models import Decision, PolicySettings
from lti_tool.assessment.overview import Mastery, by_pair
from lti_tool.assessment.policies import Policy
from lti_tool.courses.models import Course, Person, Role, SchoolYear
from lti_tool.db import begin_write, db, utcnow
from tests import factories
from tests.both import any_app  # noqa: F401


@dataclass
class Class:
    course: Course
    adam: Person
    zoe: Person
    teacher: Person

    def decide(self, code: str, level: int | None, about: Person | None = None, **values: object) -> Decision:
        return factories.decision(self.course, code, about or self.adam, level, self.teacher, **values)

    def standing(self, **asked: object) -> dict[tuple[str, str], int | None]:
        found = standing_decisions(db.session, self.course.id, **asked)  # type: ignore[arg-type]
        return {(one.person.given_name, one.item.code): one.level for one in found.values()}

    def mastery(self, code: str) -> Mastery:
        rule = rule_of(db.session, self.course.id, target=3)
        item = factories.competence(code).id
        return by_pair(observations(db.session, self.course.id), rule)[self.adam.id, item]


def make_class() -> Class:
    begin_write()
    course = factories.course()
    adam, zoe = (factories.enrolled(course, name, "B") for name in ("Adam", "Zoé"))
    return Class(course, adam, zoe, factories.enrolled(course, "Claire", "Morel", Role.TEACHER))


@pytest.fixture
def kept(in_app: Flask) -> Class:
    return make_class()


@pytest.fixture
def on_both(any_app: Flask) -> Class:  # noqa: F811
    return make_class()


def test_the_newest_decision_stands_and_one_without_a_level_takes_all_back(kept: Class) -> None:
    kept.decide("1A", 2)
    kept.decide("1A", 4)
    kept.decide("1C", 3)
    kept.decide("1C", None)
    kept.decide("1A", 1, kept.zoe)
    assert kept.standing() == {("Adam", "1A"): 4, ("Zoé", "1A"): 1}
    assert kept.standing(person_ids=[kept.zoe.id]) == {("Zoé", "1A"): 1}
    assert kept.standing(item_ids=[factories.competence("1C").id]) == {}
    kept.decide("1C", 2)
    assert kept.standing(item_ids=[factories.competence("1C").id]) == {("Adam", "1C"): 2}


def test_another_course_of_the_same_people_has_its_own(kept: Class) -> None:
    kept.decide("1A", 2)
    other = factories.course(kept.course.platform)
    factories.decision(other, "1A", kept.adam, 4, kept.teacher)
    assert kept.standing() == {("Adam", "1A"): 2}


def test_each_school_year_has_its_own(on_both: Class) -> None:
    now = utcnow()
    years = [
        SchoolYear(course_id=on_both.course.id, name=name, closed_at=now - timedelta(days=days))
        for name, days in (("2024-2025", 700), ("2025-2026", 300))
    ]
    db.session.add_all(years)
    on_both.course.year_began_at = now - timedelta(days=300)
    db.session.flush()
    for code, level, days in (("1A", 1, 800), ("1A", 2, 500), ("1C", 3, 500), ("1A", 4, 10)):
        on_both.decide(code, level, decided_at=now - timedelta(days=days))
    assert on_both.standing() == {("Adam", "1A"): 4}
    assert on_both.standing(year_id=years[0].id) == {("Adam", "1A"): 1}
    assert on_both.standing(year_id=years[1].id) == {("Adam", "1A"): 2, ("Adam", "1C"): 3}


def test_the_position_that_counts_is_the_retained_one_else_the_proposed_one(kept: Class) -> None:
    activity = factories.activity(kept.course, "1A", "1C", starts_on=date(2026, 10, 1), complexity=2)
    entry = factories.assessment(activity, "1A", kept.adam, 2, kept.teacher)
    factories.assessment(activity, "1C", kept.adam, 3, kept.teacher)
    kept.decide("1A", 4, complexity=1, seen_entry_id=entry.id)

    retained, proposed = kept.mastery("1A"), kept.mastery("1C")

    position = retained.position
    assert (position.level, position.complexity, position.grade, position.provisional) == (4, 1, 4, False)
    assert (retained.proposed.level, retained.proposed.complexity) == (2, 2)
    assert (retained.retained, retained.to_review) == (True, False)
    assert (proposed.position, proposed.retained, proposed.to_review) == (proposed.proposed, False, False)

    later = factories.activity(kept.course, "1A", starts_on=date(2026, 9, 1))
    factories.assessment(later, "1A", kept.adam, 3, kept.teacher)  # typed later, of an earlier day
    assert kept.mastery("1A").to_review


def test_a_code_is_no_turn_and_asks_for_no_other_look(kept: Class) -> None:
    activity = factories.activity(kept.course, "1A", starts_on=date(2026, 10, 1))
    entry = factories.assessment(activity, "1A", kept.adam, 2, kept.teacher)
    kept.decide("1A", 4, seen_entry_id=entry.id)
    other = factories.activity(kept.course, "1A", starts_on=date(2026, 10, 8))
    factories.assessment(other, "1A", kept.adam, "ABS", kept.teacher)
    assert not kept.mastery("1A").to_review


def test_a_course_has_the_policy_it_chose(kept: Class) -> None:
    assert policy_of(db.session, kept.course.id) == Policy("spirale", minimum=2, times=2, weight=65)
    db.session.add(PolicySettings(course_id=kept.course.id, policy="times", minimum=3, times=4, weight=80))
    db.session.flush()
    assert policy_of(db.session, kept.course.id) == Policy("times", minimum=3, times=4, weight=80)


def test_the_database_refuses_a_decision_that_makes_no_sense(on_both: Class) -> None:
    right = {"about": on_both.adam, "level": 3, "decider": on_both.teacher, "complexity": 2, "reason": "Vu."}
    factories.decision(on_both.course, "1A", **right)  # type: ignore[arg-type]
    for wrong in ({"level": 5}, {"complexity": None}, {"complexity": 4}, {"reason": ""}, {"level": None}):
        with pytest.raises(sa.exc.IntegrityError), db.session.begin_nested():
            factories.decision(on_both.course, "1A", **{**right, **wrong})  # type: ignore[arg-type]
    assert on_both.standing() == {("Adam", "1A"): 3}
