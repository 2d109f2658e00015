"""The order of the list of activities, where a teacher puts them in one."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.orm import Session

from ..courses.models import Course
from .editing import list_activities
from .models import Activity


def move_activity(session: Session, course: Course, activity: Activity, step: int) -> None:
    """Move an activity up (-1) or down (1) in the list, in the caller's transaction, that holds the course.

    The whole list takes its places as it is seen; what is added later comes first until it is placed.
    """
    listed = list_activities(session, course)
    place = next((n for n, one in enumerate(listed) if one.id == activity.id), None)
    if place is None or not 0 <= place + step < len(listed):
        return
    listed.insert(place + step, listed.pop(place))
    for number, one in enumerate(listed, start=1):
        one.position = number
    session.flush()


def order_by_date(session: Session, course: Course) -> None:
    """Forget the places: the newest work comes first again."""
    session.execute(sa.update(Activity).where(Activity.course_id == course.id).values(position=0))


def is_placed(activities: list[Activity]) -> bool:
    """Whether a teacher put some of these in an order of their own."""
    return any(activity.position for activity in activities)
