"""How far the sending of a course is, and when its platform last took a score."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from ..courses.models import Course
from .models import OPEN, DeliveryState, ScoreDelivery

LOOKED_AT = 200
"""The newest scores of a platform among which the last success is looked for."""


@dataclass(frozen=True)
class Progress:
    """Scores of a batch: those that ended, of how many."""

    done: int
    total: int


def batch_progress(session: Session, course: Course) -> Progress | None:
    """How far the scores are that were asked for since the oldest that is still open; None when none is."""
    mine = ScoreDelivery.course_id == course.id
    began, waiting = session.execute(
        sa.select(sa.func.min(ScoreDelivery.created_at), sa.func.count()).where(
            mine, ScoreDelivery.state.in_(OPEN)
        )
    ).one()
    if not waiting:
        return None
    ended = ScoreDelivery.state.not_in((*OPEN, DeliveryState.REPLACED))
    done = session.scalar(sa.select(sa.func.count()).where(mine, ended, ScoreDelivery.created_at >= began))
    return Progress(done or 0, (done or 0) + waiting)


def last_success(session: Session, platform_id: int) -> datetime | None:
    """When a platform last took a score, of whatever course."""
    courses = sa.select(Course.id).where(Course.platform_id == platform_id)
    newest = (
        sa.select(ScoreDelivery.done_at)
        .where(ScoreDelivery.course_id.in_(courses), ScoreDelivery.state == DeliveryState.SENT)
        .order_by(ScoreDelivery.id.desc())
        .limit(LOOKED_AT)
        .subquery()
    )
    return session.scalar(sa.select(sa.func.max(newest.c.done_at)))
