"""Launches that were refused, counted per platform, reason and day: what an administrator is told of them."""

from __future__ import annotations

from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session

from ..db import insert_missing
from ..errors import Refusal
from .models import LaunchRefusal, Platform

KEPT = timedelta(days=90)
NOTED_EVERY = timedelta(minutes=1)


def count_refusal(session: Session, platform_id: int, reason: Refusal, now: datetime) -> None:
    """Count a refusal, in the caller's transaction."""
    day = {"platform_id": platform_id, "reason": reason.value, "day": now.date()}
    insert_missing(session, LaunchRefusal, **day, count=0, last_at=now)
    counted = sa.update(LaunchRefusal).filter_by(**day)
    session.execute(counted.values(count=LaunchRefusal.count + 1, last_at=now))


def note_launch(session: Session, platform: Platform, now: datetime) -> None:
    """Keep when a platform last launched, to the minute: a class that arrives together writes it once."""
    if platform.launched_at is None or platform.launched_at + NOTED_EVERY <= now:
        session.execute(sa.update(Platform).where(Platform.id == platform.id).values(launched_at=now))


def forget_refusals(session: Session, now: datetime) -> None:
    """Delete the counts of long ago."""
    session.execute(sa.delete(LaunchRefusal).where(LaunchRefusal.day < (now - KEPT).date()))
