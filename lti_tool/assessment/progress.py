"""How far the assessment of each activity is: how many of the pupils it is for have a result."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

import sqlalchemy as sa
from sqlalchemy.orm import Session

from ..activities.models import Activity
from ..courses.groups import members
from ..courses.models import Enrolment
from ..courses.roster import pupils_query
from .entries import newest_ids
from .models import Assessment

UNDATED, COMING, TO_ASSESS, IN_PROGRESS, DONE = "undated", "coming", "to_assess", "in_progress", "done"
STATES = (TO_ASSESS, IN_PROGRESS, DONE, COMING, UNDATED)


@dataclass(frozen=True)
class Progress:
    """Of how many pupils something was said in an activity, of how many it is for."""

    assessed: int
    total: int
    state: str
    everybody: int
    """Of how many people something was said, those who left included."""


def progress_of(
    session: Session, course_id: int, activities: Iterable[Activity], today: date
) -> dict[int, Progress]:
    """The progress of some activities of a course, by number, in three questions whatever their number."""
    known = list(activities)
    pupils = set(session.scalars(pupils_query(course_id).with_only_columns(Enrolment.person_id)))
    grouped = members(session, course_id) if any(one.group_id for one in known) else {}
    seen = _assessed(session, [one.id for one in known])
    found = {}
    for activity in known:
        expected = grouped.get(activity.group_id, set()) if activity.group_id else pupils
        assessed = seen[activity.id] & pupils
        total = len(expected | assessed)
        state = _state(activity, len(assessed), total, today)
        found[activity.id] = Progress(len(assessed), total, state, len(seen[activity.id]))
    return found


def count_results(session: Session, course_id: int) -> int:
    """How many levels and codes count in the present year of a course."""
    of_year = sa.select(Activity.id).where(Activity.course_id == course_id, Activity.year_id.is_(None))
    newest = newest_ids(Assessment.activity_id.in_(of_year))
    said = sa.or_(Assessment.level.is_not(None), Assessment.code.is_not(None))
    query = sa.select(sa.func.count(Assessment.id)).where(Assessment.id.in_(newest), said)
    return session.scalar(query) or 0


def _state(activity: Activity, assessed: int, total: int, today: date) -> str:
    if activity.undated:
        return UNDATED
    if assessed:
        return DONE if assessed >= total else IN_PROGRESS
    return COMING if activity.starts_on > today else TO_ASSESS


def _assessed(session: Session, activity_ids: list[int]) -> dict[int, set[int]]:
    """Who has at least one level or code in each activity."""
    newest = newest_ids(Assessment.activity_id.in_(activity_ids))
    rows = session.execute(
        sa.select(Assessment.activity_id, Assessment.person_id)
        .where(Assessment.id.in_(newest), sa.or_(Assessment.level.is_not(None), Assessment.code.is_not(None)))
        .distinct()
    )
    seen: dict[int, set[int]] = defaultdict(set)
    for activity_id, person_id in rows:
        seen[activity_id].add(person_id)
    return seen
