"""Whom an activity is for: the whole class, or one group of it."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.orm import Session

from ..courses.models import Enrolment, GroupMember
from ..courses.roster import pupils_query
from .models import Activity


def expected_people(session: Session, activity: Activity) -> set[int]:
    """The pupils of the course that an activity is for."""
    query = pupils_query(activity.course_id).with_only_columns(Enrolment.person_id)
    if activity.group_id is not None:
        query = query.where(Enrolment.person_id.in_(_in_group(activity.group_id)))
    return set(session.scalars(query))


def is_for(session: Session, activity: Activity, person_id: int) -> bool:
    """Whether an activity is for somebody, who is a pupil of its course."""
    if activity.group_id is None:
        return True
    return session.scalar(_in_group(activity.group_id).where(GroupMember.person_id == person_id)) is not None


def forget_group(session: Session, group_id: int) -> None:
    """Before a group is deleted: the activities of years that are over no longer name it."""
    past = sa.update(Activity).where(Activity.group_id == group_id, Activity.year_id.is_not(None))
    session.execute(past.values(group_id=None))


def _in_group(group_id: int) -> sa.Select[int]:
    return sa.select(GroupMember.person_id).where(GroupMember.group_id == group_id)
