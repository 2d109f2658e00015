"""Removing a platform: everything of it goes, nothing of another, and no result unasked."""

from __future__ import annotations

from datetime import date

import pytest
import sqlalchemy as sa
from flask import Flask

from lti_tool.activities.links import link_activity
from lti_tool.administration.removing import Removal, remove_platform
from lti_tool.assessment.models import PolicySettings
from lti_tool.courses.models import Course, ResourceLink, Role, SchoolYear
from lti_tool.db import Base, begin_write, db, utcnow
from lti_tool.errors import BadInput, NotFound
from lti_tool.gradebook.models import DeliveryState, LineItem, PlatformPause, ScoreDelivery
from lti_tool.lti.models import Deployment, Login, Platform
from tests import factories


def lived_in(app: Flask) -> Course:
    """A course where everything that can be stored is stored."""
    begin_write()
    course = factories.course()
    teacher = factories.enrolled(course, "Claire", "Morel", Role.TEACHER)
    pupil = factories.enrolled(course, "Adam", "Benali")
    activity = factories.activity(course, "1A", created_by_id=teacher.id)
    factories.assessment(activity, "1A", pupil, 3, teacher)
    factories.gradebook_settings(course)
    factories.decision(course, "1A", pupil, 4, teacher)
    db.session.add(PolicySettings(course_id=course.id, policy="best"))
    link = ResourceLink(course_id=course.id, link_id="40")
    db.session.add(link)
    db.session.flush()
    link_activity(db.session, link, activity)
    item = factories.competence("1A").id
    now = utcnow()
    db.session.add_all(
        [
            LineItem(course_id=course.id, item_id=item, maximum=4),
            ScoreDelivery(
                course_id=course.id,
                item_id=item,
                person_id=pupil.id,
                maximum=4,
                comment="",
                timestamp=now,
                state=DeliveryState.SENT,
            ),
            PlatformPause(platform_id=course.platform_id, until=now, reason="later"),
            Login(
                state_hash=str(course.id),
                nonce_hash="n",
                browser_hash="b",
                platform_id=course.platform_id,
                target_link_uri="x",
                expires_at=now,
            ),
        ]
    )
    group = factories.group(course, "A", pupil)
    factories.period(course, "Trimestre 1", date(2026, 9, 1), date(2026, 11, 30))
    year = SchoolYear(course_id=course.id, name="2025-2026", closed_at=utcnow(), closed_by_id=pupil.id)
    db.session.add(year)
    db.session.flush()
    factories.activity(course, group_id=group.id, year_id=year.id)
    db.session.commit()
    factories.open_session(app, course, pupil, resource_link_id=link.id)
    db.session.rollback()
    return course


def counts() -> dict[str, int]:
    return {
        table.name: db.session.scalar(sa.select(sa.func.count()).select_from(table)) or 0
        for table in Base.metadata.sorted_tables
    }


def test_a_platform_goes_with_all_that_is_its_own_and_nothing_else(any_app: Flask) -> None:
    before = counts()
    kept = lived_in(any_app)
    with_one = counts()
    gone = db.session.get_one(Course, lived_in(any_app).id).platform_id
    name = db.session.get_one(Platform, gone).name
    db.session.rollback()
    begin_write()
    removal = remove_platform(db.session, gone, name)
    db.session.commit()
    assert removal == Removal(name, courses=1, people=2, activities=2, entries=1)
    assert counts() == with_one
    assert {table for table, count in with_one.items() if count > before[table]} >= {
        "course_group", "course_group_member", "course_period", "school_year",
        "assessment", "enrolment", "launch_session", "score_delivery", "line_item", "activity_link", "login",
        "platform_pause", "gradebook_settings", "decision", "policy_settings", "deployment",
    }  # fmt: skip
    assert db.session.scalars(sa.select(Platform.id)).one() == kept.platform_id


@pytest.mark.parametrize("typed", ["", "lms", "LMS"])
def test_results_are_not_erased_unless_the_name_is_typed(in_app: Flask, typed: str) -> None:
    course = lived_in(in_app)
    platform = db.session.get_one(Platform, course.platform_id)
    before = counts()
    with pytest.raises(BadInput) as refused:
        remove_platform(db.session, platform.id, typed)
    assert "1 entries of 2 activities would be lost for ever" in refused.value.problems["--erase"]
    assert f"--erase '{platform.name}'" in refused.value.problems["--erase"]
    assert counts() == before


def test_one_without_activities_goes_at_once(in_app: Flask) -> None:
    course = factories.course()
    factories.enrolled(course, "Adam", "Benali")
    removal = remove_platform(db.session, course.platform_id)
    assert (removal.courses, removal.people, removal.entries) == (1, 1, 0)
    assert db.session.scalar(sa.select(sa.func.count(Deployment.id))) == 0


def test_one_that_is_not_there_is_said(in_app: Flask) -> None:
    with pytest.raises(NotFound, match="platform 9"):
        remove_platform(db.session, 9)
