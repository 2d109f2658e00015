"""What a column may hold from us: what is compared with it before anything is overwritten."""

from __future__ import annotations

from decimal import Decimal

import sqlalchemy as sa
from sqlalchemy.orm import Session, aliased

from ..courses.models import Course
from .models import PERHAPS_TAKEN, ColumnOf, DeliveryState, LineItem, OwnColumn, ScoreDelivery, in_column


def expected_scores(
    session: Session, course_id: int, column: ColumnOf, people: list[int]
) -> dict[int, tuple[tuple[Decimal | None, int], ...]]:
    """By person, what the column may hold from us: the last it took, and what was tried since without an answer.

    What it took in a year that is over may have been emptied with the LMS's course: nothing is as expected.
    """
    began = session.scalar(sa.select(Course.year_began_at).where(Course.id == course_id))
    renewed_at = None
    if not isinstance(column, OwnColumn):
        renewed_at = session.scalar(
            sa.select(LineItem.renewed_at).where(LineItem.course_id == course_id, LineItem.item_id == column)
        )
    cell: list[sa.ColumnElement[bool]] = [
        ScoreDelivery.course_id == course_id,
        in_column(ScoreDelivery, column),
        ScoreDelivery.person_id.in_(people),
    ]
    taken = ScoreDelivery.state == DeliveryState.SENT
    if renewed_at is not None:
        cell.append(ScoreDelivery.created_at >= renewed_at)
    last = sa.select(sa.func.max(ScoreDelivery.id)).where(*cell, taken).group_by(ScoreDelivery.person_id)
    other = aliased(ScoreDelivery)
    after_last = ~sa.exists().where(
        other.course_id == course_id,
        in_column(other, column),
        other.person_id == ScoreDelivery.person_id,
        other.state == DeliveryState.SENT,
        other.id > ScoreDelivery.id,
    )
    perhaps = sa.and_(ScoreDelivery.reason.in_(PERHAPS_TAKEN), after_last)
    rows = session.execute(
        sa.select(
            ScoreDelivery.person_id,
            ScoreDelivery.score,
            ScoreDelivery.maximum,
            ScoreDelivery.created_at,
            taken,
        )
        .where(*cell, sa.or_(ScoreDelivery.id.in_(last), perhaps))
        .order_by(ScoreDelivery.id)
    )
    found: dict[int, list[tuple[Decimal | None, int]]] = {}
    sure = set()
    for person_id, score, maximum, created_at, was_taken in rows:
        found.setdefault(person_id, []).append((score, maximum))
        if was_taken and (began is None or created_at >= began):
            sure.add(person_id)
    # Where nothing was surely taken, an empty cell is as expected as what may have arrived.
    return {p: tuple(held if p in sure else [(None, 0), *held]) for p, held in found.items()}
