"""Which deliveries may leave now, of which platforms, and when something else will be due."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import aliased

from ..courses.models import Course
from ..db import db
from ..lti.models import Deployment, Platform
from .models import DeliveryState, GradebookSettings, PlatformPause, ScoreDelivery


def due(now: datetime) -> sa.Select[ScoreDelivery]:
    """Waiting deliveries that may leave now. One open delivery per cell is under way at most, so order is kept."""
    return _may_leave().where(
        ScoreDelivery.not_before <= now,
        sa.or_(PlatformPause.until.is_(None), PlatformPause.until <= now),
        ~has_sibling(DeliveryState.SENDING),
    )


def _may_leave() -> sa.Select[ScoreDelivery]:
    """Waiting deliveries of courses that send, on platforms and deployments that are not shut out."""
    return (
        sa.select(ScoreDelivery)
        .join(Course, Course.id == ScoreDelivery.course_id)
        .join(Platform, Platform.id == Course.platform_id)
        .join(Deployment, Deployment.id == Course.deployment_id)
        .outerjoin(PlatformPause, PlatformPause.platform_id == Course.platform_id)
        .outerjoin(GradebookSettings, GradebookSettings.course_id == Course.id)
        .where(
            ScoreDelivery.state == DeliveryState.WAITING,
            Platform.enabled.is_(True),
            Deployment.enabled.is_(True),
            Course.awaits_launch.is_(False),
            sa.or_(GradebookSettings.sending.is_(None), GradebookSettings.sending.is_(True)),
        )
    )


def has_sibling(state: DeliveryState) -> sa.ColumnElement[bool]:
    """Whether the same cell has another delivery in that state. One look per kind of column: each has its index."""
    item, link = aliased(ScoreDelivery), aliased(ScoreDelivery)
    of_item = sa.exists().where(
        item.course_id == ScoreDelivery.course_id,
        item.item_id == ScoreDelivery.item_id,
        item.person_id == ScoreDelivery.person_id,
        item.state == state,
    )
    of_link = sa.exists().where(
        link.link_id == ScoreDelivery.link_id,
        link.person_id == ScoreDelivery.person_id,
        link.state == state,
    )
    return sa.or_(of_item, of_link)


def platforms_due(now: datetime) -> list[int]:
    """The platforms with something to take, or whose worker died with something in hand."""
    died = (
        sa.select(Course.platform_id)
        .join(ScoreDelivery, ScoreDelivery.course_id == Course.id)
        .where(ScoreDelivery.state == DeliveryState.SENDING, ScoreDelivery.leased_until <= now)
    )
    waiting = due(now).with_only_columns(Course.platform_id)
    found = list(db.session.scalars(sa.union(waiting, died)))
    db.session.commit()
    return found


def next_wait(now: datetime) -> float | None:
    """Seconds until something is due: a score whose wait ends, or the lease of a worker that may be dead."""
    moment = sa.case(
        (PlatformPause.until > ScoreDelivery.not_before, PlatformPause.until), else_=ScoreDelivery.not_before
    )
    waiting = _may_leave().where(~has_sibling(DeliveryState.SENDING)).with_only_columns(sa.func.min(moment))
    leased = sa.select(sa.func.min(ScoreDelivery.leased_until)).where(
        ScoreDelivery.state == DeliveryState.SENDING
    )
    moments = [m for m in (db.session.scalar(waiting), db.session.scalar(leased)) if m is not None]
    db.session.commit()
    return max((min(moments) - now).total_seconds(), 0.0) if moments else None
