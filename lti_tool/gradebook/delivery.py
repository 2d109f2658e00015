"""Delivering scores: take what is due, ask the platform, write down what it said.

Three steps, so that no transaction is open while a platform answers: `_take` leases deliveries and commits; the
platform is asked (`sending`); `_settle` writes each outcome and commits. A worker that dies in between leaves a
lease that ends. What may then be sent twice carries the same timestamp, and counts once.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from functools import partial

import sqlalchemy as sa
import structlog
from sqlalchemy.orm import Session, joinedload

from ..config import Config
from ..courses.models import Course, Enrolment
from ..courses.roster import pupils_query
from ..db import begin_write, db, insert_missing, utcnow
from ..errors import PlatformError
from ..lti.ags import SCOPE_RESULT, Score
from ..lti.models import Platform
from ..lti.services import service_of
from ..lti.tokens import Tokens
from .columns import find_or_make_column, lose_column, own_column_url
from .due import due, next_wait, platforms_due
from .expected import expected_scores
from .models import (
    WITHDRAWN,
    ColumnOf,
    DeliveryState,
    OwnColumn,
    PlatformPause,
    ScoreDelivery,
    in_column,
)
from .scores import BETWEEN_SCORES
from .sending import Batch, Line, Outcome, Parcel, fail_all, send, total_silence, wait_s
from .worths import column_maximum, settings_of

log = structlog.get_logger()

BATCH = 200
ROUND_OF_LEASE = 3
"""A round begins no request after this part of its lease, so that the last one ends well within it."""
LONGEST_PAUSE_S = 600.0
"""A platform that is silent is asked again at least so often: nobody waits an hour after it was mended."""


@dataclass(frozen=True)
class Lease:
    """Deliveries that are this worker's until a moment, which is also the mark it knows them by."""

    ids: list[int]
    until: datetime


class Pools(ExitStack):
    """Threads for each number of connections that a platform takes at once; ended together."""

    def __init__(self) -> None:
        super().__init__()
        self._made: dict[int, Executor] = {}

    def of(self, connections: int) -> Executor:
        """The threads for platforms that take so many."""
        if connections not in self._made:
            self._made[connections] = self.enter_context(ThreadPoolExecutor(max_workers=connections))
        return self._made[connections]


def deliver_due(tokens: Tokens, config: Config, stopping: threading.Event | None = None) -> float | None:
    """Deliver everything that is due. Seconds until something else is; None when nothing waits. Commits.

    Platforms take turns, so that one with much to take, or that is slow, does not keep the others waiting long.
    Once `stopping`, no request begins any more, and what was not asked is given back at once.
    """
    stopping = stopping or threading.Event()
    with Pools() as pools:
        busy, failed = True, set[int]()
        while busy:
            busy = False
            for platform_id in platforms_due(utcnow()):
                if platform_id in failed or stopping.is_set():
                    continue
                try:
                    busy |= _deliver_to(platform_id, tokens, config, pools, stopping)
                except Exception as error:  # one platform's surprise must not keep the others waiting
                    db.session.rollback()
                    failed.add(platform_id)
                    log.error("round_failed", platform=platform_id, error=type(error).__name__)
    return next_wait(utcnow())


def _deliver_to(
    platform_id: int, tokens: Tokens, config: Config, pools: Pools, stopping: threading.Event
) -> bool:
    """One round with one platform; whether there was something to deliver."""
    connections = db.session.get_one(Platform, platform_id, populate_existing=True).connections
    pool = pools.of(connections)
    lease = _take(platform_id, utcnow(), config)
    line = Line(
        config.delivery.lease_s / ROUND_OF_LEASE, partial(_is_let_in, db.engine, platform_id), stopping
    )
    for batch in _batches(lease, tokens, config):
        _settle(platform_id, lease, batch, _ask(batch, line, pool, config), config)
    return bool(lease.ids)


def _ask(batch: Batch, line: Line, pool: Executor, config: Config) -> list[Outcome]:
    """Have the column, then send its scores. Begins with no transaction open, and leaves none."""
    left = [Outcome(id_, DeliveryState.REFUSED, "left") for id_ in batch.left]
    if not batch.parcels or not line.is_open() or not batch.let_in:
        return [*left, *(Outcome(parcel.delivery_id) for parcel in batch.parcels)]
    try:
        batch.column_url = _column_url(batch, config)
    except PlatformError as error:
        return [*left, *fail_all(batch, error, line, config)]
    return [*left, *send(batch, line, pool, config)]


def _is_let_in(engine: sa.Engine, platform_id: int) -> bool:
    """Whether a platform is still let in; asked by any thread, beside the session."""
    with engine.connect() as connection:
        enabled = sa.select(Platform.enabled).where(Platform.id == platform_id)
        return bool(connection.scalar(enabled))


def _column_url(batch: Batch, config: Config) -> str:
    """Where the scores of a batch go. Leaves no transaction open. Raises `PlatformError`."""
    if isinstance(batch.column, OwnColumn):
        return own_column_url(batch.column)
    maximum = column_maximum(settings_of(db.session, batch.course_id))
    db.session.commit()
    return find_or_make_column(batch.service, batch.course_id, batch.column, maximum, config)


# ----- leases -----


def _take(platform_id: int, now: datetime, config: Config) -> Lease:
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
        _wait_again(session, delivery, now)
        delivery.reason, delivery.leased_until = "interrupted", None
    session.flush()


def _wait_again(session: Session, delivery: ScoreDelivery, now: datetime) -> None:
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


def _batches(lease: Lease, tokens: Tokens, config: Config) -> Iterator[Batch]:
    """The leased deliveries by column, as plain values; no transaction is open when one is given."""
    by_column: dict[tuple[int, ColumnOf], list[ScoreDelivery]] = {}
    for delivery in _load(db.session, lease.ids):
        by_column.setdefault((delivery.course_id, delivery.column), []).append(delivery)
    for (course_id, column), group in by_column.items():
        course = db.session.get_one(
            Course, course_id, options=[joinedload(Course.deployment)], populate_existing=True
        )
        pupils = set(db.session.scalars(pupils_query(course_id).with_only_columns(Enrolment.person_id)))
        expected = expected_scores(db.session, course_id, column, [d.person_id for d in group])
        batch = Batch(
            course_id,
            column,
            service_of(db.session, course.platform, tokens, config),
            readable=SCOPE_RESULT in course.ags_scopes,
            parcels=[_parcel(d, expected.get(d.person_id, ())) for d in group if d.person_id in pupils],
            left=[d.id for d in group if d.person_id not in pupils],
            let_in=course.deployment.enabled and not course.awaits_launch,
        )
        db.session.commit()
        yield batch


def _load(session: Session, ids: list[int]) -> list[ScoreDelivery]:
    return list(
        session.scalars(
            sa.select(ScoreDelivery)
            .where(ScoreDelivery.id.in_(ids))
            .order_by(ScoreDelivery.tries, ScoreDelivery.id)
            .options(joinedload(ScoreDelivery.person))
            .execution_options(populate_existing=True)
        )
    )


def _parcel(delivery: ScoreDelivery, expected: tuple[tuple[Decimal | None, int], ...]) -> Parcel:
    return Parcel(
        delivery.id,
        Score(delivery.person.sub, delivery.score, delivery.maximum, delivery.comment, delivery.timestamp),
        delivery.forced,
        delivery.tries,
        delivery.reason,
        expected,
    )


# ----- what became of them -----


def _settle(platform_id: int, lease: Lease, batch: Batch, outcomes: list[Outcome], config: Config) -> None:
    """Write what became of the deliveries, and commit. What is no longer this worker's is left alone."""
    begin_write()
    session, now = db.session, utcnow()
    by_id = {outcome.delivery_id: outcome for outcome in outcomes}
    rows = session.scalars(
        sa.select(ScoreDelivery)
        .where(
            ScoreDelivery.id.in_(by_id),
            ScoreDelivery.state == DeliveryState.SENDING,
            ScoreDelivery.leased_until == lease.until,
        )
        .order_by(ScoreDelivery.id)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).all()
    for delivery in rows:
        _write_down(session, delivery, by_id[delivery.id], now)
        log.info("score", delivery=delivery.id, state=delivery.state.value, reason=delivery.reason)
    _keep_pause(session, platform_id, outcomes, now, config)
    if any(outcome.reason == "column_lost" for outcome in outcomes):
        lose_column(batch.course_id, batch.column, batch.column_url)
    session.commit()


def _write_down(session: Session, delivery: ScoreDelivery, outcome: Outcome, now: datetime) -> None:
    delivery.leased_until = None
    if outcome.state is not None:
        delivery.state, delivery.done_at = outcome.state, now
    else:
        _wait_again(session, delivery, now)
    if outcome.released:
        delivery.reason = "" if delivery.reason == WITHDRAWN else delivery.reason
        return
    delivery.reason, delivery.status, delivery.lms_score = outcome.reason, outcome.status, outcome.lms_score
    delivery.tries += outcome.counts
    delivery.not_before = outcome.retry_at or delivery.not_before
    if outcome.restamp:
        # How far its clock is ahead is not known: further each time.
        delivery.timestamp = max(now, delivery.timestamp) + BETWEEN_SCORES * 2 ** min(delivery.tries, 6)


def _keep_pause(
    session: Session, platform_id: int, outcomes: list[Outcome], now: datetime, config: Config
) -> None:
    """A platform that is silent, says « later » or refuses our token is left alone, longer each time."""
    later = [outcome for outcome in outcomes if outcome.later]
    silence = total_silence(outcomes)
    if not later and not silence:
        if any(outcome.status for outcome in outcomes):
            session.execute(sa.delete(PlatformPause).where(PlatformPause.platform_id == platform_id))
        return
    insert_missing(session, PlatformPause, platform_id=platform_id, until=now, reason="", tries=0)
    pause = session.scalars(
        sa.select(PlatformPause)
        .filter_by(platform_id=platform_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).one()
    named = [outcome.pause_until for outcome in later if outcome.pause_until]
    own = now + timedelta(seconds=min(wait_s(pause.tries, config), LONGEST_PAUSE_S))
    pause.until = max(named) if named else own
    pause.reason, pause.tries = (later[0].reason if later else "no_answer"), pause.tries + 1
