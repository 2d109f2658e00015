"""What a column may hold from us: what is compared with it before anything is overwritten."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from functools import lru_cache
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session, aliased

from ..db import UtcDateTime
from .models import ColumnOf, DeliveryState, OwnColumn, ScoreDelivery


def expected_scores(
    session: Session,
    course_id: int,
    column: ColumnOf,
    people: list[int],
    renewed_at: datetime | None,
    began_at: datetime | None,
) -> dict[int, tuple[tuple[Decimal | None, int], ...]]:
    """By person, what the column may hold from us: the last it took, and what was tried since without an answer.

    What was sent before `renewed_at` went to a column that is no more; what it took before `began_at`, in a year that
    is over, may have been emptied with the LMS's course.
    """
    own = isinstance(column, OwnColumn)
    number = column.link_id if isinstance(column, OwnColumn) else column
    values = {"course": course_id, "column": number, "people": people}
    if renewed_at is not None:
        values["renewed"] = renewed_at
    rows = session.execute(_query(own, renewed_at is not None), values)
    found: dict[int, list[tuple[Decimal | None, int]]] = {}
    sure = set()
    for person_id, score, maximum, created_at, was_taken in rows:
        found.setdefault(person_id, []).append((score, maximum))
        if was_taken and (began_at is None or created_at >= began_at):
            sure.add(person_id)
    # Where nothing was surely taken, an empty cell is as expected as what may have arrived.
    return {p: tuple(held if p in sure else [(None, 0), *held]) for p, held in found.items()}


@lru_cache(maxsize=4)
def _query(own: bool, renewed: bool) -> sa.Select[Any]:
    """Made once: making it costs more than running it."""
    other = aliased(ScoreDelivery)

    def of_column(of: type[ScoreDelivery]) -> sa.ColumnElement[bool]:
        column: sa.ColumnElement[bool] = (of.link_id if own else of.item_id) == sa.bindparam("column")
        return sa.and_(of.course_id == sa.bindparam("course"), column)

    cell = [of_column(ScoreDelivery), ScoreDelivery.person_id.in_(sa.bindparam("people", expanding=True))]
    if renewed:
        cell.append(ScoreDelivery.created_at >= sa.bindparam("renewed", type_=UtcDateTime()))
    taken = ScoreDelivery.state == DeliveryState.SENT
    last = sa.select(sa.func.max(ScoreDelivery.id)).where(*cell, taken).group_by(ScoreDelivery.person_id)
    after_last = ~sa.exists().where(
        of_column(other),
        other.person_id == ScoreDelivery.person_id,
        other.state == DeliveryState.SENT,
        other.id > ScoreDelivery.id,
    )
    perhaps = sa.and_(ScoreDelivery.perhaps_taken, after_last)
    columns: list[Any] = [
        ScoreDelivery.person_id,
        ScoreDelivery.score,
        ScoreDelivery.maximum,
        ScoreDelivery.created_at,
        taken,
    ]
    return (
        sa.select(*columns)
        .where(*cell, sa.or_(ScoreDelivery.id.in_(last), perhaps))
        .order_by(ScoreDelivery.id)
    )
