"""Changing what a course sends: what it would change, said before; and the change itself."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from ..courses.models import Course
from ..db import insert_missing
from .cells import newest_ids
from .models import (
    COMPLEXITY_TABLE,
    OPEN,
    TABLE,
    Conversion,
    DeliveryState,
    GradebookSettings,
    Mode,
    ScoreDelivery,
)
from .publishing import Change, plan_scores
from .scores import hold_course, queue_all, withdraw_waiting
from .worths import settings_of


@dataclass(frozen=True)
class Wanted:
    """The settings a teacher wants."""

    mode: str = Mode.AUTOMATIC
    conversion: str = Conversion.POINTS
    table: dict[str, Any] = field(default_factory=lambda: dict(TABLE))
    complexity_table: dict[str, Any] = field(default_factory=lambda: dict(COMPLEXITY_TABLE))
    minimum: int = 1
    competences: list[int] | None = None


@dataclass(frozen=True)
class Effect:
    """What a change of settings does to scores."""

    new: int = 0
    changed: int = 0
    unchanged: int = 0
    conflicts: int = 0
    """Written too in a course that sends by itself, compared, and left to the teacher: never sent over."""
    back: int = 0
    """Waiting, and taken back."""
    staying: int = 0
    """Arrived earlier in columns of competences that are sent no more: they stay as they are."""

    @property
    def moves(self) -> bool:
        """Whether anything is sent, to be published, or taken back."""
        return bool(self.new or self.changed or self.conflicts or self.back or self.staying)


def wanted_now(session: Session, course: Course) -> Wanted:
    """The settings as they are."""
    now = settings_of(session, course.id)
    return Wanted(now.mode, now.conversion, now.table, now.complexity_table, now.minimum, now.competences)


def preview_settings(session: Session, course: Course, wanted: Wanted) -> Effect:
    """What these settings would change. Nothing is written."""
    before = settings_of(session, course.id)
    if wanted.mode == Mode.NOTHING:
        return Effect(back=_count_open(session, course) if before.sending else 0)
    after = GradebookSettings(course_id=course.id, table_maximum=before.table_maximum, **asdict(wanted))
    dropping = _stops(before.mode, wanted.mode)
    plan = plan_scores(session, course, after, dropping=dropping)
    counts = plan.counts
    return Effect(
        new=counts[Change.NEW],
        changed=counts[Change.CHANGED],
        unchanged=counts[Change.UNCHANGED],
        conflicts=counts[Change.CONFLICT],
        back=_count_open(session, course) if dropping else counts[Change.BACK],
        staying=_count_staying(session, course, before, after),
    )


def change_settings(session: Session, course: Course, wanted: Wanted, now: datetime) -> list[ScoreDelivery]:
    """Keep these settings, and write what they send: in the caller's write transaction."""
    hold_course(session, course.id)
    insert_missing(session, GradebookSettings, course_id=course.id)
    settings = settings_of(session, course.id)
    before = settings.mode
    for name, value in asdict(wanted).items():
        setattr(settings, name, value)
    session.flush()
    if wanted.mode == Mode.NOTHING or _stops(before, wanted.mode):
        withdraw_waiting(session, course, now)
        return []
    return queue_all(session, course, now)


def _stops(before: str, after: str) -> bool:
    """Whether what waits is not to leave by itself any more."""
    return after == Mode.PUBLISH and before != Mode.PUBLISH


def _count_open(session: Session, course: Course) -> int:
    count = sa.select(sa.func.count()).where(
        ScoreDelivery.course_id == course.id, ScoreDelivery.state.in_(OPEN)
    )
    return session.scalar(count) or 0


def _count_staying(
    session: Session, course: Course, before: GradebookSettings, after: GradebookSettings
) -> int:
    """Cells that hold a score of ours in columns that are sent now, and would not be."""
    if after.competences is None:
        return 0
    newest = newest_ids(
        ScoreDelivery.course_id == course.id,
        ScoreDelivery.item_id.is_not(None),
        ScoreDelivery.state == DeliveryState.SENT,
    )
    # One that was emptied since holds nothing.
    held = sa.select(ScoreDelivery.item_id).where(
        ScoreDelivery.id.in_(newest), ScoreDelivery.score.is_not(None)
    )
    items = [item for item in session.scalars(held) if item is not None]
    return sum(before.sends(item) and not after.sends(item) for item in items)
