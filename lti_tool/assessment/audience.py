"""Who is in the grid of an activity."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.orm import Session

from ..activities.models import Activity
from ..activities.people import expected_people
from ..courses.people import Pupil, named_people, pupils
from .entries import newest_ids
from .models import Assessment


def pupils_of(session: Session, activity: Activity) -> list[Pupil]:
    """The pupils in the grid of an activity, in the order of their shown names.

    They are those it is for, and those who were moved out of its group since and have a result in it. Of a year that
    is over, they are those who have a result, wherever they are now.
    """
    if activity.year_id is not None:
        return named_people(session, activity.course_id, assessed_people(session, activity))
    known = pupils(session, activity.course_id)
    if activity.group_id is None:
        return known
    inside = expected_people(session, activity) | assessed_people(session, activity)
    return [pupil for pupil in known if pupil.person_id in inside]


def assessed_people(session: Session, activity: Activity) -> set[int]:
    """Who has a level or a code in an activity."""
    newest = newest_ids(Assessment.activity_id == activity.id)
    said = sa.or_(Assessment.level.is_not(None), Assessment.code.is_not(None))
    return set(session.scalars(sa.select(Assessment.person_id).where(Assessment.id.in_(newest), said)))
