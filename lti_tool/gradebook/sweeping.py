"""What is forgotten once it has served: which rows, when, and how: a few at a time, so that nobody waits for it."""

from __future__ import annotations

from datetime import datetime, timedelta

import sqlalchemy as sa

from ..courses.models import LaunchSession
from ..db import WithId, begin_write, db
from ..lti.models import Login

BATCH = 500
"""Rows deleted in one transaction: on SQLite a launch waits some milliseconds for it at most."""
KEPT_AFTER_END = timedelta(days=1)
"""An ended session is remembered this long: a page still open may save through a newer one of the same person."""


def ended(now: datetime) -> dict[type[WithId], sa.ColumnElement[bool]]:
    """The rows of each table that have served. A table that is not here holds lasting data (tests/gradebook/
    test_sweeping.py lists them)."""
    return {
        Login: Login.expires_at < now,
        LaunchSession: LaunchSession.expires_at < now - KEPT_AFTER_END,
    }


def forget_ended(now: datetime) -> int:
    """Delete what has served, batch by batch, each in a transaction of its own; how many rows went."""
    return sum(_forget(model, condition) for model, condition in ended(now).items())


def _forget(model: type[WithId], condition: sa.ColumnElement[bool]) -> int:
    gone = 0
    while True:
        begin_write()
        batch = db.session.scalars(sa.select(model.id).where(condition).limit(BATCH)).all()
        db.session.execute(sa.delete(model).where(model.id.in_(batch)))
        db.session.commit()
        gone += len(batch)
        if len(batch) < BATCH:
            return gone
