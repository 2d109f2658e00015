"""What a pupil did in earlier school years: in this course, and in others of its platform where that is allowed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import sqlalchemy as sa
from sqlalchemy.orm import Session, joinedload

from ..activities.models import Activity
from ..courses.models import Course, SchoolYear
from ..frameworks.models import FrameworkItem
from .entries import Observation, newest_ids
from .models import Assessment

FIRST_MONTH = 8
"""A school year is counted from the first of August: no class works then."""


@dataclass(frozen=True)
class EarlierYear:
    """A year of a course, and the turns of a pupil in it with their competence, newest first."""

    course: Course
    year: SchoolYear | None
    """None where its teachers did not close it."""
    turns: list[tuple[FrameworkItem, Observation]]


def school_year_start(today: date) -> date:
    """The first day of the school year of a day."""
    return date(today.year - (today.month < FIRST_MONTH), FIRST_MONTH, 1)


def earlier_years(session: Session, course: Course, person_id: int, today: date) -> list[EarlierYear]:
    """The earlier years of a pupil of a course, the latest first: those that this course closed, and others' where
    its platform allows it.

    Of other courses, only work from before this school year: what a colleague sees this year is that colleague's to
    tell. All is shown, and counts in no position of this course.
    """
    closed = sa.and_(Activity.course_id == course.id, Activity.year_id.is_not(None))
    elsewhere = sa.and_(
        Course.platform_id == course.platform_id,
        Course.id != course.id,
        Activity.starts_on < school_year_start(today),
    )
    shown = sa.or_(closed, elsewhere) if course.platform.earlier_years else closed
    those = sa.select(Activity.id).join(Course, Course.id == Activity.course_id).where(shown)
    ids = newest_ids(Assessment.person_id == person_id, Assessment.activity_id.in_(those))
    rows = session.execute(
        sa.select(Assessment, Activity, SchoolYear)
        .join(Activity, Activity.id == Assessment.activity_id)
        .outerjoin(SchoolYear, SchoolYear.id == Activity.year_id)
        .where(Assessment.id.in_(ids), Assessment.level.is_not(None))
        .order_by(Activity.starts_on.desc(), Activity.complexity.desc(), Activity.id.desc())
        .options(joinedload(Assessment.item), joinedload(Assessment.activity).joinedload(Activity.course))
    )
    found: dict[tuple[int, int | None], EarlierYear] = {}
    for row, activity, year in rows:
        one = found.setdefault((activity.course_id, activity.year_id), EarlierYear(activity.course, year, []))
        turn = Observation(activity, row.person_id, row.item_id, row.level or 0, row.comment, row.id)
        one.turns.append((row.item, turn))
    return list(found.values())
