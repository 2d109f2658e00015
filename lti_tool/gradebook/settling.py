"""Writing down what became of deliveries: their ends, their waits, and the pauses of their platform."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any

import sqlalchemy as sa
import structlog
from sqlalchemy.orm import Session

from ..config import Config
from ..db import UtcDateTime, begin_write, db, insert_missing, table_of, utcnow
from .columns import lose_column
from .due import has_sibling
from .leases import wait_again
from .models import UNCLEAR, WITHDRAWN, DeliveryState, PlatformPause, ScoreDelivery
from .scores import BETWEEN_SCORES
from .sending import Batch, Outcome, total_silence, wait_s

log = structlog.get_logger()

LONGEST_PAUSE_S = 600.0
"""A platform that is silent is asked again at least so often: nobody waits an hour after it was mended."""
SHORTEST_PAUSE_S = 0.5
"""`Retry-After` counts in seconds, and is kept to the second: less than half of one is nothing. So much is left too
where the wait was over before all that was under way had ended."""


@dataclass
class Turn:
    """A platform's turn: what was found out of the platform itself, once for all its batches."""

    platform_id: int
    paused: bool = False
    answers: bool = False


def settle(turn: Turn, done: list[Batch], config: Config) -> None:
    """Write what became of deliveries, and commit. What is no longer this worker's is left alone."""
    begin_write()
    session, now = db.session, utcnow()
    held = _hold(session, done)
    taken: list[int] = []
    others: dict[int, Outcome] = {}
    for batch in done:
        for outcome in batch.outcomes:
            if outcome.delivery_id in held:
                if outcome.is_plain:
                    taken.append(outcome.delivery_id)
                else:
                    others[outcome.delivery_id] = outcome
    _write_taken(session, taken, now)
    _release(session, [id_ for id_, outcome in others.items() if outcome.released])
    _write_others(session, others, now)
    for batch in done:
        _keep_pause(session, turn, batch.outcomes, now, config)
        if any(outcome.reason == "column_lost" for outcome in batch.outcomes):
            lose_column(batch.course_id, batch.column, batch.column_url)
    session.commit()
    log.info("scores", platform=turn.platform_id, sent=len(taken), other=len(others))


def _hold(session: Session, done: list[Batch]) -> set[int]:
    """Hold the deliveries that are still this worker's, in the order in which everybody holds them."""
    marks = {outcome.delivery_id: batch.leased_until for batch in done for outcome in batch.outcomes}
    rows = session.execute(_held_query(), {"ids": list(marks)})
    return {id_ for id_, leased_until in rows if leased_until == marks[id_]}


def _write_taken(session: Session, ids: list[int], now: datetime) -> None:
    """Nearly all scores: the LMS took them."""
    if ids:
        session.execute(_taken_update(), {"ids": ids, "now": now})


@lru_cache(maxsize=1)
def _held_query() -> sa.Select[Any]:
    """Made once, as its neighbour: making a statement costs more than running it."""
    delivery = table_of(ScoreDelivery).c
    return (
        sa.select(delivery.id, delivery.leased_until)
        .where(
            delivery.id.in_(sa.bindparam("ids", expanding=True)),
            delivery.state == DeliveryState.SENDING,
        )
        .order_by(delivery.id)
        .with_for_update()
    )


@lru_cache(maxsize=1)
def _taken_update() -> sa.Update:
    table = table_of(ScoreDelivery)
    return (
        sa.update(table)
        .where(table.c.id.in_(sa.bindparam("ids", expanding=True)))
        .values(
            state=DeliveryState.SENT,
            done_at=sa.bindparam("now", type_=UtcDateTime()),
            leased_until=None,
            reason="",
            status=200,
            lms_score=None,
            tries=table.c.tries + 1,
        )
    )


def _release(session: Session, ids: list[int]) -> None:
    """Give back what was not even begun, all at once: a platform that says « later » leaves hundreds of them.

    Those that something newer replaces, or that were withdrawn, are for `_write_others`, as all the rest.
    """
    session.execute(
        sa.update(ScoreDelivery)
        .where(
            ScoreDelivery.id.in_(ids),
            ScoreDelivery.reason != WITHDRAWN,
            ~has_sibling(DeliveryState.WAITING),
        )
        .values(state=DeliveryState.WAITING, leased_until=None)
        .execution_options(synchronize_session=False)
    )


def _write_others(session: Session, outcomes: dict[int, Outcome], now: datetime) -> None:
    if not outcomes:
        return
    rows = session.scalars(
        sa.select(ScoreDelivery)
        .where(ScoreDelivery.id.in_(outcomes), ScoreDelivery.state == DeliveryState.SENDING)
        .order_by(ScoreDelivery.id)
        .execution_options(populate_existing=True)
    ).all()
    for delivery in rows:
        _write_down(session, delivery, outcomes[delivery.id], now)
        log.info("score", delivery=delivery.id, state=delivery.state.value, reason=delivery.reason)


def _write_down(session: Session, delivery: ScoreDelivery, outcome: Outcome, now: datetime) -> None:
    delivery.leased_until = None
    if outcome.state is not None:
        delivery.state, delivery.done_at = outcome.state, now
    else:
        wait_again(session, delivery, now)
    if outcome.released:
        delivery.reason = "" if delivery.reason == WITHDRAWN else delivery.reason
        return
    delivery.reason, delivery.status, delivery.lms_score = outcome.reason, outcome.status, outcome.lms_score
    delivery.perhaps_taken |= outcome.reason in UNCLEAR
    delivery.tries += outcome.counts
    delivery.not_before = outcome.retry_at or delivery.not_before
    if outcome.restamp:
        # How far its clock is ahead is not known: further each time.
        delivery.timestamp = max(now, delivery.timestamp) + BETWEEN_SCORES * 2 ** min(delivery.tries, 6)


def _keep_pause(
    session: Session, turn: Turn, outcomes: Collection[Outcome], now: datetime, config: Config
) -> None:
    """A platform that is silent, says « later » or refuses our token is left alone, longer each time.

    Once in a turn: the columns that were under way when it fell silent are one failure.
    """
    platform_id = turn.platform_id
    later = [outcome for outcome in outcomes if outcome.later]
    if not later and not total_silence(outcomes):
        if not turn.paused and not turn.answers and any(outcome.status for outcome in outcomes):
            turn.answers = True
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
    if turn.paused:
        pause.until = max([pause.until, *named])
        return
    own = now + timedelta(seconds=min(wait_s(pause.tries, config), LONGEST_PAUSE_S))
    shortest = now + timedelta(seconds=SHORTEST_PAUSE_S)
    pause.until = max([shortest, *named]) if named else own
    pause.reason, pause.tries = (later[0].reason if later else "no_answer"), pause.tries + 1
    turn.paused = True
