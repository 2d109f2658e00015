"""Taking deliveries for this worker, and making plain values of them: what is sent needs no database."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from functools import partial
from threading import Event
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session, joinedload

from ..config import Config
from ..courses.models import Course, Enrolment, Person
from ..courses.roster import pupils_query
from ..db import begin_write, db
from ..lti.ags import SCOPE_RESULT, Score
from ..lti.models import Deployment, Platform
from ..lti.services import Service, service_of
from ..lti.tokens import Tokens
from .columns import KnownColumn, known_columns
from .due import due
from .expected import expected_scores
from .models import WITHDRAWN, ColumnOf, DeliveryState, OwnColumn, ScoreDelivery, in_column
from .sending import Batch, Line, Parcel
from .worths import column_maximum, settings_of

BATCH = 400
"""Deliveries taken at once: what a worker keeps in memory, and how long other platforms wait for their turn."""
ROUND_OF_LEASE = 3
"""No request begins after this part of a lease, so that the last one ends well within it."""


@dataclass(frozen=True)
class Lease:
    """Deliveries that are this worker's until a moment, which is also the mark it knows them by."""

    ids: list[int]
    until: datetime


def take(platform_id: int, now: datetime, config: Config) -> Lease:
    """Lease the due deliveries of a platform, those tried least first, and commit."""
    begin_write()
    session = db.session
    _give_back(session, platform_id, now)
    # Whole milliseconds: what is read back must equal what was written, whatever the database keeps.
    until = (now + timedelta(seconds=config.delivery.lease_s)).replace(
        microsecond=now.microsecond // 1000 * 1000
    )
    ids = list(
        session.scalars(
            due(now)
            .with_only_columns(ScoreDelivery.id)
            .where(Course.platform_id == platform_id)
            .order_by(ScoreDelivery.tries, ScoreDelivery.id)
            .limit(BATCH)
            .with_for_update(of=ScoreDelivery, skip_locked=True)
        )
    )
    session.execute(
        sa.update(ScoreDelivery)
        .where(ScoreDelivery.id.in_(ids))
        .values(state=DeliveryState.SENDING, leased_until=until)
        .execution_options(synchronize_session=False)
    )
    session.commit()
    return Lease(ids, until)


def _give_back(session: Session, platform_id: int, now: datetime) -> None:
    """What a dead worker held waits again, unless something newer does, or it was withdrawn meanwhile."""
    of_platform = sa.select(Course.id).where(Course.platform_id == platform_id)
    held = session.scalars(
        sa.select(ScoreDelivery)
        .where(
            ScoreDelivery.course_id.in_(of_platform),
            ScoreDelivery.state == DeliveryState.SENDING,
            ScoreDelivery.leased_until <= now,
        )
        .order_by(ScoreDelivery.id)
        .with_for_update(skip_locked=True)
        .execution_options(populate_existing=True)
    ).all()
    for delivery in held:
        wait_again(session, delivery, now)
        delivery.reason, delivery.leased_until, delivery.perhaps_taken = "interrupted", None, True
    session.flush()


def wait_again(session: Session, delivery: ScoreDelivery, now: datetime) -> None:
    """Back to waiting; or to nothing, when a newer score waits or its observations were withdrawn."""
    newer = session.scalar(
        sa.select(ScoreDelivery.id).where(
            ScoreDelivery.course_id == delivery.course_id,
            in_column(ScoreDelivery, delivery.column),
            ScoreDelivery.person_id == delivery.person_id,
            ScoreDelivery.state == DeliveryState.WAITING,
        )
    )
    if newer is not None or delivery.reason == WITHDRAWN:
        delivery.state, delivery.done_at = DeliveryState.REPLACED, now
    else:
        delivery.state = DeliveryState.WAITING


# ----- from rows to plain values -----


@dataclass(frozen=True)
class _Course:
    """What the batches of a course have in common."""

    service: Service
    readable: bool
    columns: dict[ColumnOf, KnownColumn]
    pupils: set[int]
    year_began_at: datetime | None
    line: Line


def batches(lease: Lease, closed: Event, tokens: Tokens, config: Config) -> Iterator[Batch]:
    """The leased deliveries by column, as plain values; no transaction is open when one is given.

    The lines of all are shut when `closed` is set.
    """
    until = time.monotonic() + config.delivery.lease_s / ROUND_OF_LEASE
    courses: dict[int, _Course] = {}
    by_column: dict[tuple[int, ColumnOf], list[sa.Row[Any]]] = {}
    for row in _rows(db.session, lease.ids):
        column = row.item_id if row.link_id is None else OwnColumn(row.link_id)
        by_column.setdefault((row.course_id, column), []).append(row)
    for (course_id, column), group in by_column.items():
        if course_id not in courses:
            line = Line(until, partial(is_let_in, db.engine, course_id), closed)
            courses[course_id] = _course(db.session, course_id, line, tokens, config)
        course = courses[course_id]
        known = course.columns.get(column, KnownColumn())
        people = [row.person_id for row in group]
        expected = expected_scores(
            db.session, course_id, column, people, known.renewed_at, course.year_began_at
        )
        db.session.commit()
        yield Batch(
            course_id,
            column,
            course.service,
            course.readable,
            parcels=[
                _parcel(r, expected.get(r.person_id, ())) for r in group if r.person_id in course.pupils
            ],
            left=[row.id for row in group if row.person_id not in course.pupils],
            leased_until=lease.until,
            line=course.line,
            column_url=known.url,
        )


def _rows(session: Session, ids: list[int]) -> Sequence[sa.Row[Any]]:
    of = ScoreDelivery
    columns: list[Any] = [
        *(of.id, of.course_id, of.item_id, of.link_id, of.person_id, Person.sub),
        *(of.score, of.maximum, of.comment, of.timestamp, of.forced, of.tries, of.reason, of.perhaps_taken),
    ]
    query = sa.select(*columns).join(Person, Person.id == of.person_id).where(of.id.in_(ids))
    return session.execute(query.order_by(of.tries, of.id)).all()


def _course(session: Session, course_id: int, line: Line, tokens: Tokens, config: Config) -> _Course:
    course = session.get_one(Course, course_id, options=[joinedload(Course.platform)], populate_existing=True)
    return _Course(
        service_of(session, course.platform, tokens, config),
        SCOPE_RESULT in course.ags_scopes,
        known_columns(session, course_id, column_maximum(settings_of(session, course_id))),
        set(session.scalars(pupils_query(course_id).with_only_columns(Enrolment.person_id))),
        course.year_began_at,
        line,
    )


def is_let_in(engine: sa.Engine, course_id: int) -> bool:
    """Whether a course's platform and deployment still are, and its addresses its own; beside the session."""
    query = (
        sa.select(Course.id)
        .join(Platform, Platform.id == Course.platform_id)
        .join(Deployment, Deployment.id == Course.deployment_id)
        .where(
            Course.id == course_id,
            Platform.enabled.is_(True),
            Deployment.enabled.is_(True),
            Course.awaits_launch.is_(False),
        )
    )
    with engine.connect() as connection:
        return connection.scalar(query) is not None


def _parcel(row: sa.Row[Any], expected: tuple[tuple[Decimal | None, int], ...]) -> Parcel:
    score = Score(row.sub, row.score, row.maximum, row.comment, row.timestamp)
    tried = row.tries > 0 or row.perhaps_taken
    return Parcel(row.id, score, row.forced, row.tries, tried, row.reason, expected)
