"""Two rows of the same course, one under each registration of the tool, that become one."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session, joinedload

from ..courses.groups import groups_of
from ..courses.models import Course, CourseGroup, Enrolment, ResourceLink
from ..gradebook.models import DeliveryState, LineItem, ScoreDelivery
from .repointing import repoint

MOVED = "moved"
"""Reason of a delivery that went, or was to go, to a column of the registration that was replaced."""


def merge_course(session: Session, course: Course, same: Course, now: datetime) -> None:
    """Prepare `course` to receive what refers to `same`, which is the LMS's present word."""
    _merge_enrolments(session, course, same)
    _merge_links(session, course, same, now)
    _merge_groups(session, course, same)
    _give_up_columns(session, course, same, now)
    course.welcomed = course.welcomed or same.welcomed
    course.title, course.label = same.title or course.title, same.label or course.label
    course.memberships_url, course.roster_read_at, course.roster_problem = same.memberships_url, None, ""
    # Where the new registration has not said where columns are, the old address waits for a launch that does.
    course.awaits_launch = bool(course.lineitems_url) and not same.lineitems_url
    course.lineitems_url = same.lineitems_url or course.lineitems_url
    course.ags_scopes = list(same.ags_scopes) or course.ags_scopes
    session.flush()


def _merge_enrolments(session: Session, course: Course, same: Course) -> None:
    """One enrolment per person: the number and the label of the first, the role of the present one."""
    kept = {one.person.sub: one for one in _enrolments(session, course)}
    number = max((one.number for one in kept.values()), default=0)
    for coming in _enrolments(session, same):
        known = kept.get(coming.person.sub)
        if known is None:
            number += 1
            coming.number, coming.course_id = number, course.id
            continue
        known.role, known.active, known.in_roster = coming.role, coming.active, coming.in_roster
        if coming.launched_at and (known.launched_at is None or coming.launched_at > known.launched_at):
            known.launched_as, known.launched_at = coming.launched_as, coming.launched_at
        known.label = known.label or coming.label
        session.delete(coming)
    session.flush()


def _enrolments(session: Session, course: Course) -> list[Enrolment]:
    query = sa.select(Enrolment).where(Enrolment.course_id == course.id).order_by(Enrolment.number)
    return list(session.scalars(query.options(joinedload(Enrolment.person))))


def _merge_links(session: Session, course: Course, same: Course, now: datetime) -> None:
    """A link that both know opens what a teacher chose last; its own column is the present registration's."""
    known = {
        link.link_id: link
        for link in session.scalars(sa.select(ResourceLink).where(ResourceLink.course_id == course.id))
    }
    twins = {}
    for link in session.scalars(sa.select(ResourceLink).where(ResourceLink.course_id == same.id)).all():
        if link.link_id in known:
            kept = known[link.link_id]
            kept.title, kept.lineitem_url = link.title, link.lineitem_url
            twins[link.id] = kept.id
    has_score = sa.select(ScoreDelivery.link_id).where(ScoreDelivery.link_id.in_(twins))
    theirs = {twins[link_id] for link_id in session.scalars(has_score) if link_id is not None}
    _give_up(session, ScoreDelivery.link_id.in_(theirs), now)
    repoint(session, "resource_link", twins)
    session.execute(sa.delete(ResourceLink).where(ResourceLink.id.in_(twins)))


def _merge_groups(session: Session, course: Course, same: Course) -> None:
    """Groups of one name become one, with the pupils of both; the others come after."""
    kept = {one.name: one for one in groups_of(session, course.id)}
    last = max((one.position for one in kept.values()), default=0)
    twins = {}
    for coming in groups_of(session, same.id):
        if coming.name in kept:
            twins[coming.id] = kept[coming.name].id
        else:
            coming.position += last
    repoint(session, "course_group", twins)
    session.execute(sa.delete(CourseGroup).where(CourseGroup.id.in_(twins)))


def _give_up_columns(session: Session, course: Course, same: Course, now: datetime) -> None:
    """Where the new registration has a column, or a score on its way to one, the old column no longer counts.

    What was sent to it says nothing of what the new one holds: the scores are worked out again afterwards. Its
    other columns are looked up again before the next score.
    """
    has_column = sa.select(LineItem.item_id).where(LineItem.course_id == same.id)
    has_score = sa.select(ScoreDelivery.item_id).where(ScoreDelivery.course_id == same.id)
    theirs = set(session.scalars(sa.union(has_column, has_score))) - {None}
    of_theirs = sa.and_(ScoreDelivery.course_id == course.id, ScoreDelivery.item_id.in_(theirs))
    _give_up(session, of_theirs, now)
    session.execute(sa.delete(LineItem).where(LineItem.course_id == course.id, LineItem.item_id.in_(theirs)))
    look_up_columns_again(session, course.id)


def _give_up(session: Session, which: sa.ColumnElement[bool], now: datetime) -> None:
    session.execute(
        sa.update(ScoreDelivery)
        .where(which)
        .values(
            state=DeliveryState.REPLACED,
            reason=MOVED,
            leased_until=None,
            done_at=sa.func.coalesce(ScoreDelivery.done_at, now),
        )
    )


def look_up_columns_again(session: Session, course_id: int) -> None:
    """Before the next score; a column that is not found is made again when a teacher says so, not by itself."""
    known = sa.update(LineItem).where(LineItem.course_id == course_id, LineItem.url != "")
    session.execute(known.values(url="", lost=True))
