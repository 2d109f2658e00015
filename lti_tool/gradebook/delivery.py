"""Delivering scores: take what is due, ask the platform, write down what it said.

Three steps, so that no transaction is open while a platform answers: `_take` leases deliveries and commits; the
platform is asked; `_settle` writes each outcome and commits. A worker that dies in between leaves a lease that ends.
"""

from __future__ import annotations

import random
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal

import sqlalchemy as sa
import structlog
from sqlalchemy.orm import Session, joinedload

from ..config import Config
from ..courses.models import Course
from ..db import begin_write, db, utcnow
from ..errors import PlatformDelayed, PlatformRefused
from ..lti import ags
from ..lti.services import Service, service_of
from ..lti.tokens import Tokens
from .columns import COLUMN_GONE, find_or_make_column
from .models import DeliveryState, LineItem, PlatformPause, ScoreDelivery
from .scores import column_maximum, settings_of

log = structlog.get_logger()

BATCH = 200
CONNECTIONS = 4
"""To one platform at once: beyond it a Moodle gains nothing (moodle.md §4)."""
SAME = Decimal("0.01")
"""Two scores closer than this are one: platforms rescale and round."""


@dataclass(frozen=True)
class Outcome:
    """What became of one delivery. Exactly one of `state` (an end) and `retry_at` (again) is set."""

    delivery_id: int
    state: DeliveryState | None = None
    reason: str = ""
    status: int = 0
    lms_score: Decimal | None = None
    retry_at: datetime | None = None
    counts: bool = True
    """Whether this try counts; a platform that refuses its token has tried nothing."""


@dataclass
class Batch:
    """The deliveries of one column, ready to be sent: plain values, no database."""

    course_id: int
    item_id: int
    platform_id: int
    service: Service
    column_url: str
    scores: dict[int, ags.Score] = field(default_factory=dict)
    """By delivery id."""
    unforced: set[int] = field(default_factory=set)
    """Deliveries that must not overwrite a change made in the LMS."""
    last_sent: dict[str, tuple[Decimal | None, int]] = field(default_factory=dict)
    """By person, what the LMS last took from us, and its maximum."""
    tries: dict[int, int] = field(default_factory=dict)


def deliver_due(tokens: Tokens, config: Config) -> float | None:
    """Deliver everything that is due. Seconds until something else is; None when nothing waits. Commits."""
    while taken := _take(utcnow(), config):
        for batch in _batches(taken, tokens, config):
            _settle(batch, _send(batch, config))
    return _next_wait(utcnow())


def _take(now: datetime, config: Config) -> list[int]:
    """Lease due deliveries and commit: their ids. One open delivery per column and person, so order is kept."""
    begin_write()
    session = db.session
    session.execute(
        # A worker that died gives back what it held, unless something newer already waits.
        sa.update(ScoreDelivery)
        .where(
            ScoreDelivery.state == DeliveryState.SENDING, ScoreDelivery.leased_until < now, ~_newer_waits()
        )
        .values(state=DeliveryState.WAITING, leased_until=None, reason="interrupted")
    )
    session.execute(
        sa.update(ScoreDelivery)
        .where(ScoreDelivery.state == DeliveryState.SENDING, ScoreDelivery.leased_until < now)
        .values(state=DeliveryState.REPLACED, leased_until=None, done_at=now)
    )
    due = (
        sa.select(ScoreDelivery.id)
        .join(Course, Course.id == ScoreDelivery.course_id)
        .outerjoin(PlatformPause, PlatformPause.platform_id == Course.platform_id)
        .where(
            ScoreDelivery.state == DeliveryState.WAITING,
            ScoreDelivery.not_before <= now,
            sa.or_(PlatformPause.until.is_(None), PlatformPause.until <= now),
            ~_sibling_is_sending(),
        )
        .order_by(ScoreDelivery.id)
        .limit(BATCH)
    )
    if session.get_bind().dialect.name == "postgresql":
        due = due.with_for_update(of=ScoreDelivery, skip_locked=True)
    ids = list(session.scalars(due))
    session.execute(
        sa.update(ScoreDelivery)
        .where(ScoreDelivery.id.in_(ids))
        .values(state=DeliveryState.SENDING, leased_until=now + timedelta(seconds=config.delivery.lease_s))
    )
    session.commit()
    return ids


def _newer_waits() -> sa.ColumnElement[bool]:
    other = sa.orm.aliased(ScoreDelivery)
    return sa.exists().where(_same_cell(other), other.state == DeliveryState.WAITING)


def _sibling_is_sending() -> sa.ColumnElement[bool]:
    other = sa.orm.aliased(ScoreDelivery)
    return sa.exists().where(_same_cell(other), other.state == DeliveryState.SENDING)


def _same_cell(other: type[ScoreDelivery]) -> sa.ColumnElement[bool]:
    return sa.and_(
        other.course_id == ScoreDelivery.course_id,
        other.item_id == ScoreDelivery.item_id,
        other.person_id == ScoreDelivery.person_id,
    )


def _batches(ids: list[int], tokens: Tokens, config: Config) -> Iterable[Batch]:
    """The taken deliveries by column. A column that cannot be had settles its deliveries here."""
    deliveries = _load(db.session, ids)
    by_column: dict[tuple[int, int], list[ScoreDelivery]] = {}
    for delivery in deliveries:
        by_column.setdefault((delivery.course_id, delivery.item_id), []).append(delivery)
    for (course_id, item_id), group in by_column.items():
        course = db.session.get_one(Course, course_id)
        batch = Batch(
            course_id,
            item_id,
            course.platform_id,
            service_of(db.session, course.platform, tokens, config),
            "",
        )
        for delivery in group:
            batch.scores[delivery.id] = ags.Score(
                delivery.person.sub, delivery.score, delivery.maximum, delivery.comment, delivery.timestamp
            )
            batch.tries[delivery.id] = delivery.tries
            if not delivery.forced:
                batch.unforced.add(delivery.id)
        maximum = column_maximum(settings_of(db.session, course_id))
        batch.last_sent = _last_sent(db.session, course_id, item_id, [d.person_id for d in group])
        db.session.commit()
        try:
            batch.column_url = find_or_make_column(
                batch.service, course_id, item_id, group[0].maximum, config
            )
        except (PlatformDelayed, PlatformRefused) as error:
            _settle(batch, [_failed(batch, id_, error, config, column=True) for id_ in batch.scores])
            continue
        yield batch


def _load(session: Session, ids: list[int]) -> list[ScoreDelivery]:
    return list(
        session.scalars(
            sa.select(ScoreDelivery)
            .where(ScoreDelivery.id.in_(ids))
            .order_by(ScoreDelivery.id)
            .options(joinedload(ScoreDelivery.person))
        )
    )


def _last_sent(
    session: Session, course_id: int, item_id: int, people: list[int]
) -> dict[str, tuple[Decimal | None, int]]:
    rows = session.scalars(
        sa.select(ScoreDelivery)
        .where(
            ScoreDelivery.course_id == course_id,
            ScoreDelivery.item_id == item_id,
            ScoreDelivery.person_id.in_(people),
            ScoreDelivery.state == DeliveryState.SENT,
        )
        .order_by(ScoreDelivery.id)
        .options(joinedload(ScoreDelivery.person))
    )
    return {row.person.sub: (row.score, row.maximum) for row in rows}


def _send(batch: Batch, config: Config) -> list[Outcome]:
    """Send the scores of a column, some at once. No database here."""
    outcomes, going = _compare(batch, config)
    with ThreadPoolExecutor(max_workers=min(CONNECTIONS, max(len(going), 1))) as pool:
        return [*outcomes, *pool.map(lambda id_: _send_one(batch, id_, config), going)]


def _compare(batch: Batch, config: Config) -> tuple[list[Outcome], list[int]]:
    """Before anything is overwritten, look at what the column holds: one request for the whole batch."""
    watched = {id_ for id_ in batch.unforced if batch.scores[id_].sub in batch.last_sent}
    if not watched:
        return [], list(batch.scores)
    try:
        results = ags.read_results(batch.service, batch.column_url)
    except PlatformDelayed as error:
        return [_failed(batch, id_, error, config) for id_ in batch.scores], []
    except PlatformRefused:
        # A platform that offers no results cannot be compared with; its own rules decide (409).
        return [], list(batch.scores)
    outcomes, going = [], []
    for id_, score in batch.scores.items():
        held = results.get(score.sub)
        sent, maximum = batch.last_sent.get(score.sub, (None, 0))
        if id_ in watched and not _equal(held, sent, maximum):
            changed = held.score if held else None
            outcomes.append(Outcome(id_, DeliveryState.CHANGED, "changed_by_hand", lms_score=changed))
        else:
            going.append(id_)
    return outcomes, going


def _equal(held: ags.Result | None, score: Decimal | None, maximum: int) -> bool:
    """Whether the gradebook holds this score, on whatever scale the column has."""
    if held is None or held.score is None or score is None:
        return (held is None or held.score is None) and score is None
    theirs = held.score / held.maximum if held.maximum else held.score
    ours = score / maximum if held.maximum and maximum else score
    return abs(theirs - ours) <= SAME


def _send_one(batch: Batch, id_: int, config: Config) -> Outcome:
    score = batch.scores[id_]
    try:
        ags.send_score(batch.service, batch.column_url, score)
    except PlatformRefused as error:
        if error.status == 409:
            return _conflict(batch, id_, config)
        return _failed(batch, id_, error, config)
    except PlatformDelayed as error:
        return _failed(batch, id_, error, config)
    return Outcome(id_, DeliveryState.SENT, status=200)


def _conflict(batch: Batch, id_: int, config: Config) -> Outcome:
    """« The gradebook holds something as new »: ours, from a try whose answer was lost, or a change by hand."""
    score = batch.scores[id_]
    try:
        held = ags.read_results(batch.service, batch.column_url, score.sub).get(score.sub)
    except (PlatformDelayed, PlatformRefused) as error:
        return _failed(batch, id_, PlatformDelayed(error.what, error.status), config)
    if _equal(held, score.given, score.maximum):
        return Outcome(id_, DeliveryState.SENT, status=409)
    return Outcome(
        id_, DeliveryState.CHANGED, "changed_by_hand", status=409, lms_score=held.score if held else None
    )


REASONS = {
    400: "not_gradable",
    401: "not_allowed",
    403: "not_allowed",
    404: "column_gone",
    410: "column_gone",
}


def _failed(
    batch: Batch, id_: int, error: PlatformDelayed | PlatformRefused, config: Config, *, column: bool = False
) -> Outcome:
    now = utcnow()
    if isinstance(error, PlatformRefused):
        if column:
            reason = "column_gone" if error.what == COLUMN_GONE else "column_refused"
            return Outcome(id_, DeliveryState.REFUSED, reason, error.status)
        if error.status in (404, 410):
            return Outcome(id_, reason="column_lost", status=error.status, retry_at=now)
        return Outcome(id_, DeliveryState.REFUSED, REASONS.get(error.status, "refused"), error.status)
    if error.what.startswith("token"):
        retry_at = error.retry_at or now + timedelta(seconds=_wait_s(0, config))
        return Outcome(id_, reason="token", status=error.status, retry_at=retry_at, counts=False)
    tries = batch.tries[id_] + 1
    if tries >= config.delivery.tries:
        return Outcome(id_, DeliveryState.REFUSED, "no_answer", error.status)
    retry_at = error.retry_at or now + timedelta(seconds=_wait_s(tries - 1, config))
    return Outcome(id_, reason="no_answer", status=error.status, retry_at=retry_at)


def _wait_s(tries: int, config: Config) -> float:
    """Twice as long each time, with jitter, so that a class does not come back all at once."""
    wait_s = min(config.delivery.retry_first_s * 2**tries, config.delivery.retry_longest_s)
    return wait_s * random.uniform(0.8, 1.2)  # noqa: S311 - not a secret


def _settle(batch: Batch, outcomes: list[Outcome]) -> None:
    """Write what became of the deliveries, and commit."""
    begin_write()
    session, now = db.session, utcnow()
    for outcome in outcomes:
        delivery = session.get_one(ScoreDelivery, outcome.delivery_id, populate_existing=True)
        if delivery.state is not DeliveryState.SENDING:
            continue  # its lease ended, and another worker has it
        delivery.leased_until, delivery.status = None, outcome.status
        delivery.reason, delivery.lms_score = outcome.reason, outcome.lms_score
        delivery.tries += outcome.counts
        if outcome.state is not None:
            delivery.state, delivery.done_at = outcome.state, now
        elif _waiting_sibling(session, delivery):
            delivery.state, delivery.done_at = DeliveryState.REPLACED, now
        else:
            delivery.state, delivery.not_before = DeliveryState.WAITING, outcome.retry_at or now
        log.info("score", delivery=delivery.id, state=delivery.state.value, reason=delivery.reason)
    _pause(session, batch, outcomes)
    if any(outcome.reason == "column_lost" for outcome in outcomes):
        _lose_column(session, batch)
    session.commit()


def _waiting_sibling(session: Session, delivery: ScoreDelivery) -> bool:
    return (
        session.scalar(
            sa.select(ScoreDelivery.id).where(
                ScoreDelivery.course_id == delivery.course_id,
                ScoreDelivery.item_id == delivery.item_id,
                ScoreDelivery.person_id == delivery.person_id,
                ScoreDelivery.state == DeliveryState.WAITING,
            )
        )
        is not None
    )


def _pause(session: Session, batch: Batch, outcomes: list[Outcome]) -> None:
    """A platform that says « later », or refuses our token, is left alone until then; one that works is resumed."""
    waits = [o for o in outcomes if o.retry_at and (not o.counts or o.status in (429, 503))]
    pause = session.get(PlatformPause, batch.platform_id)
    if waits:
        until = max(o.retry_at for o in waits if o.retry_at)
        if pause is None:
            session.add(PlatformPause(platform_id=batch.platform_id, until=until, reason=waits[0].reason))
        else:
            pause.until, pause.reason = until, waits[0].reason
    elif pause is not None and any(o.state is DeliveryState.SENT for o in outcomes):
        session.delete(pause)


def _lose_column(session: Session, batch: Batch) -> None:
    """The column's address is no longer known there: it is looked up again before the next try."""
    session.execute(
        sa.update(LineItem)
        .where(LineItem.course_id == batch.course_id, LineItem.item_id == batch.item_id)
        .values(lost=True, url="")
    )


def _next_wait(now: datetime) -> float | None:
    """Seconds until the next delivery is due; None when none waits."""
    due = db.session.scalar(
        sa.select(sa.func.min(ScoreDelivery.not_before)).where(ScoreDelivery.state == DeliveryState.WAITING)
    )
    pause = db.session.scalar(sa.select(sa.func.min(PlatformPause.until)).where(PlatformPause.until > now))
    db.session.commit()
    if due is None:
        return None
    return max((max(due, pause) if pause else due) - now, timedelta()).total_seconds()
