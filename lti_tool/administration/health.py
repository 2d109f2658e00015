"""How platforms and courses fare: last launch, what is refused, scores on their way. Counts, no pupil's name."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import InstrumentedAttribute, Session, aliased

from ..activities.models import Activity
from ..courses.models import Course, Enrolment, Role
from ..gradebook.models import OPEN, DeliveryState, PlatformPause, ScoreDelivery
from ..lti.models import LaunchRefusal, Platform
from ..lti.platforms import list_platforms
from .models import WorkerTrace

WORKER_SILENT_AFTER = timedelta(minutes=5)
REFUSALS_SHOWN = timedelta(days=7)


@dataclass
class Health:
    """What an administrator wants to know of a platform, or of a course."""

    waiting: int = 0
    refused: int = 0
    """Scores whose last try was refused: those sent again since do not count."""
    oldest_waiting: datetime | None = None
    last_sent: datetime | None = None


@dataclass
class PlatformHealth(Health):
    """The same of a platform, and its launches."""

    courses: int = 0
    pause: PlatformPause | None = None
    refusals: list[LaunchRefusal] = field(default_factory=list)
    """Launches refused these last days, newest first."""


@dataclass
class CourseHealth(Health):
    """The same of a course, and who and what is in it, counted."""

    pupils: int = 0
    activities: int = 0
    last_launch: datetime | None = None


def platforms_health(session: Session, now: datetime) -> list[tuple[Platform, PlatformHealth]]:
    """Every platform and how it fares, oldest first, in a handful of queries."""
    platforms = list_platforms(session)
    found = {platform.id: PlatformHealth() for platform in platforms}
    _fill_deliveries(session, found, Course.platform_id)
    courses = sa.select(Course.platform_id, sa.func.count()).group_by(Course.platform_id)
    for platform_id, count in session.execute(courses):
        found[platform_id].courses = count
    for pause in session.scalars(sa.select(PlatformPause).where(PlatformPause.until > now)):
        found[pause.platform_id].pause = pause
    recent = sa.select(LaunchRefusal).where(LaunchRefusal.day >= (now - REFUSALS_SHOWN).date())
    for refusal in session.scalars(recent.order_by(LaunchRefusal.last_at.desc())):
        found[refusal.platform_id].refusals.append(refusal)
    return [(platform, found[platform.id]) for platform in platforms]


def courses_health(session: Session, platform_id: int) -> list[tuple[Course, CourseHealth]]:
    """Every course of a platform and how it fares, those opened last first."""
    courses = list(session.scalars(sa.select(Course).where(Course.platform_id == platform_id)))
    found = {course.id: CourseHealth() for course in courses}
    _fill_deliveries(session, found, Course.id, Course.platform_id == platform_id)
    known = sa.and_(Enrolment.role == Role.LEARNER, Enrolment.active)
    people = sa.select(
        Enrolment.course_id,
        sa.func.count().filter(known),
        sa.func.max(Enrolment.launched_at),
    ).where(Enrolment.course_id.in_(found))
    for course_id, pupils, last_launch in session.execute(people.group_by(Enrolment.course_id)):
        found[course_id].pupils, found[course_id].last_launch = pupils, last_launch
    activities = sa.select(Activity.course_id, sa.func.count()).where(Activity.course_id.in_(found))
    for course_id, count in session.execute(activities.group_by(Activity.course_id)):
        found[course_id].activities = count
    ordered = sorted(
        courses, key=lambda course: found[course.id].last_launch or course.created_at, reverse=True
    )
    return [(course, found[course.id]) for course in ordered]


def worker_trace(session: Session) -> WorkerTrace | None:
    """What the worker said last; None when it never ran."""
    return session.get(WorkerTrace, 1)


def worker_is_silent(trace: WorkerTrace | None, now: datetime) -> bool:
    """Whether scores may be waiting because no worker runs."""
    return trace is None or trace.seen_at + WORKER_SILENT_AFTER < now


def _fill_deliveries(
    session: Session,
    found: dict[int, PlatformHealth] | dict[int, CourseHealth],
    owner: InstrumentedAttribute[int],
    *only: sa.ColumnElement[bool],
) -> None:
    """Count scores on their way, refused and sent, per platform or per course."""
    by_owner = sa.select(owner).select_from(ScoreDelivery).join(Course, Course.id == ScoreDelivery.course_id)
    waiting = (
        by_owner.add_columns(sa.func.count(), sa.func.min(ScoreDelivery.created_at))
        .where(ScoreDelivery.state.in_(OPEN), *only)
        .group_by(owner)
    )
    for key, count, oldest in session.execute(waiting):
        found[key].waiting, found[key].oldest_waiting = count, oldest
    newer = aliased(ScoreDelivery)
    cell = (ScoreDelivery.course_id, ScoreDelivery.item_id, ScoreDelivery.person_id)
    same_cell = [getattr(newer, column.key) == column for column in cell]
    refused = (
        by_owner.add_columns(sa.func.count())
        .where(
            ScoreDelivery.state == DeliveryState.REFUSED,
            ~sa.exists().where(*same_cell, newer.id > ScoreDelivery.id),
            *only,
        )
        .group_by(owner)
    )
    for key, count in session.execute(refused):
        found[key].refused = count
    sent = by_owner.add_columns(sa.func.max(ScoreDelivery.done_at)).where(
        ScoreDelivery.state == DeliveryState.SENT, *only
    )
    for key, last in session.execute(sent.group_by(owner)):
        found[key].last_sent = last
