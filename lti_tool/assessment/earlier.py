"""What a pupil did in other courses of the same platform, in earlier school years."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import sqlalchemy as sa
from sqlalchemy.orm import Session, joinedload

from ..activities.models import Activity
from ..courses.models import Course
from ..frameworks.models import FrameworkItem
from .entries import Observation, newest_ids
from .models import Assessment

FIRST_MONTH = 8
"""A school year is counted from the first of August: no class works then."""


@dataclass(frozen=True)
class EarlierCourse:
    """A course, and the turns of a pupil in it with their competence, newest first."""

    course: Course
    turns: list[tuple[FrameworkItem, Observation]]


def school_year_start(today: date) -> date:
    """The first day of the school year of a day."""
    return date(today.year - (today.month < FIRST_MONTH), FIRST_MONTH, 1)


def earlier_courses(session: Session, course: Course, person_id: int, today: date) -> list[EarlierCourse]:
    """The earlier years of a pupil of a course, the latest course first; empty unless its platform allows it.

    Only work from before this school year: what a colleague sees this year is that colleague's to tell. It is shown,
    and counts in no position of this course.
    """
    if not course.platform.earlier_years:
        return []
    elsewhere = (
        sa.select(Activity.id)
        .join(Course, Course.id == Activity.course_id)
        .where(
            Course.platform_id == course.platform_id,
            Course.id != course.id,
            Activity.starts_on < school_year_start(today),
        )
    )
    ids = newest_ids(Assessment.person_id == person_id, Assessment.activity_id.in_(elsewhere))
    rows = session.execute(
        sa.select(Assessment, Activity)
        .join(Activity, Activity.id == Assessment.activity_id)
        .where(Assessment.id.in_(ids), Assessment.level.is_not(None))
        .order_by(Activity.starts_on.desc(), Activity.complexity.desc(), Activity.id.desc())
        .options(joinedload(Assessment.item), joinedload(Assessment.activity).joinedload(Activity.course))
    )
    found: dict[int, EarlierCourse] = {}
    for row, activity in rows:
        one = found.setdefault(activity.course_id, EarlierCourse(activity.course, []))
        turn = Observation(activity, row.person_id, row.item_id, row.level or 0, row.comment)
        one.turns.append((row.item, turn))
    return list(found.values())
