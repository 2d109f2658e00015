"""The platforms that send people here, as logins and launches need them: read each time, built only when they changed.

Every login and every launch asks the database, so that what an administrator changes counts at once; but making the
objects costs more than reading the rows, and the rows hardly ever change. What is kept is found again by its whole
content: a row that differs in anything makes a new object.
"""

from __future__ import annotations

from itertools import groupby
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from ..db import table_of
from .models import Deployment, Platform

MOST_KEPT = 500
"""Platforms kept in a process; one more, and all are built again as they come."""

_PLATFORM, _DEPLOYMENT = table_of(Platform), table_of(Deployment)
_WIDTH = len(_PLATFORM.columns)
# Made once: building a statement costs as much as running it.
_ROWS = (
    sa.select(*_PLATFORM.columns, *_DEPLOYMENT.columns)
    .select_from(_PLATFORM.outerjoin(_DEPLOYMENT))
    .order_by(_PLATFORM.c.id, _DEPLOYMENT.c.id)
)
_OF_ISSUER = _ROWS.where(_PLATFORM.c.issuer == sa.bindparam("wanted"))
_OF_ID = _ROWS.where(_PLATFORM.c.id == sa.bindparam("wanted"))
_kept: dict[int, tuple[list[tuple[Any, ...]], Platform]] = {}


def senders_of(session: Session, issuer: str) -> list[Platform]:
    """The platforms of an issuer, one for each client id, with their deployments. They belong to no session."""
    return _platforms(session, _OF_ISSUER, issuer)


def sender(session: Session, platform_id: int) -> Platform:
    """One platform, in the same way."""
    (found,) = _platforms(session, _OF_ID, platform_id)
    return found


def _platforms(session: Session, query: sa.Select[Any], wanted: str | int) -> list[Platform]:
    rows = [tuple(row) for row in session.execute(query, {"wanted": wanted})]
    return [_platform(list(own)) for _id, own in groupby(rows, key=lambda row: row[0])]


def _platform(rows: list[tuple[Any, ...]]) -> Platform:
    """The platform that these rows describe, one row for each deployment."""
    number = rows[0][0]
    kept = _kept.get(number)
    if kept is not None and kept[0] == rows:
        return kept[1]
    platform = Platform(**dict(zip(_PLATFORM.columns.keys(), rows[0], strict=False)))
    platform.deployments = [
        Deployment(**dict(zip(_DEPLOYMENT.columns.keys(), row[_WIDTH:], strict=True)))
        for row in rows
        if row[_WIDTH] is not None
    ]
    if len(_kept) >= MOST_KEPT:
        _kept.clear()
    _kept[number] = rows, platform
    return platform
