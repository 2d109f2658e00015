"""« Demander à être observé » : a pupil asks, a teacher assesses or closes."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from flask_babel import gettext as _
from sqlalchemy.orm import Session, aliased, joinedload

from ..activities.models import Activity
from ..db import insert_missing
from ..errors import BadInput, NotFound
from .models import Assessment, ObservationRequest

LONGEST_ANSWER = 500


@dataclass(frozen=True)
class Asked:
    """A request, and whether a level was seen in the competence since."""

    request: ObservationRequest
    assessed: bool

    @property
    def open(self) -> bool:
        return self.request.closed_at is None and not self.assessed


def _assessed_since() -> sa.ColumnElement[bool]:
    """Whether a level that still stands was typed after a request, in its competence.

    Worked out, not stored: an entry typed by mistake and withdrawn leaves the request as it was.
    """
    newer = aliased(Assessment)
    replaced = sa.exists().where(
        newer.activity_id == Assessment.activity_id,
        newer.person_id == Assessment.person_id,
        newer.item_id == Assessment.item_id,
        newer.id > Assessment.id,
    )
    return (
        sa.exists()
        .where(
            Assessment.person_id == ObservationRequest.person_id,
            Assessment.item_id == ObservationRequest.item_id,
            Assessment.created_at > ObservationRequest.asked_at,
            Assessment.level.is_not(None),
            Activity.id == Assessment.activity_id,
            Activity.course_id == ObservationRequest.course_id,
            ~replaced,
        )
        .correlate(ObservationRequest)
    )


def requests_of(session: Session, course_id: int, person_id: int) -> dict[int, Asked]:
    """What a pupil asked in a course, by competence."""
    rows = session.execute(
        sa.select(ObservationRequest, _assessed_since()).where(
            ObservationRequest.course_id == course_id, ObservationRequest.person_id == person_id
        )
    )
    return {row.item_id: Asked(row, bool(assessed)) for row, assessed in rows}


def open_requests(session: Session, course_id: int, person_ids: Iterable[int]) -> list[ObservationRequest]:
    """What these pupils wait for, the oldest first."""
    return list(
        session.scalars(
            sa.select(ObservationRequest)
            .where(
                ObservationRequest.course_id == course_id,
                ObservationRequest.person_id.in_(list(person_ids)),
                ObservationRequest.closed_at.is_(None),
                ~_assessed_since(),
            )
            .order_by(ObservationRequest.asked_at, ObservationRequest.id)
            .options(joinedload(ObservationRequest.item))
        )
    )


def ask(session: Session, course_id: int, person_id: int, item_id: int, now: datetime) -> None:
    """Open a request, in the caller's transaction. One that is open stays as it is, with its date."""
    insert_missing(
        session,
        ObservationRequest,
        course_id=course_id,
        person_id=person_id,
        item_id=item_id,
        asked_at=now,
        answer="",
    )
    asked = _held(session, course_id, person_id, item_id)
    if asked is not None and not asked.open:
        row = asked.request
        row.asked_at, row.closed_at, row.closed_by_id, row.answer = now, None, None, ""
        session.flush()


def withdraw(session: Session, course_id: int, person_id: int, item_id: int, now: datetime) -> None:
    """Close one's own request; nothing happens where none is open."""
    asked = _held(session, course_id, person_id, item_id)
    if asked is not None and asked.open:
        asked.request.closed_at = now
        session.flush()


def close(
    session: Session,
    course_id: int,
    person_id: int,
    item_id: int,
    teacher_id: int,
    answer: str,
    now: datetime,
) -> None:
    """A teacher's answer other than an assessment. Raises `NotFound`, or `BadInput` for a text too long.

    One that is closed already, by a colleague or by its pupil, stays as it is.
    """
    said = answer.replace("\r\n", "\n").strip()
    if len(said) > LONGEST_ANSWER:
        raise BadInput(
            {"answer": _("Ce texte dépasse %(n)s caractères\u00a0: le raccourcir.", n=LONGEST_ANSWER)}
        )
    asked = _held(session, course_id, person_id, item_id)
    if asked is None:
        raise NotFound("this pupil did not ask to be observed in this competence")
    if asked.open:
        row = asked.request
        row.closed_at, row.closed_by_id, row.answer = now, teacher_id, said
        session.flush()


def _held(session: Session, course_id: int, person_id: int, item_id: int) -> Asked | None:
    """A request, kept from whoever else would change it until the commit."""
    row = session.scalars(
        sa.select(ObservationRequest)
        .filter_by(course_id=course_id, person_id=person_id, item_id=item_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).first()
    if row is None:
        return None
    assessed = session.scalar(sa.select(_assessed_since()).where(ObservationRequest.id == row.id))
    return Asked(row, bool(assessed))
