"""Writing down what became of deliveries: their ends, their waits, and the pauses of their platform."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta

import sqlalchemy as sa
import structlog
from sqlalchemy.orm import Session

from ..config import Config
from ..db import begin_write, db, insert_missing, utcnow
from .columns import lose_column
from .leases import wait_again
from .models import WITHDRAWN, DeliveryState, PlatformPause, ScoreDelivery
from .scores import BETWEEN_SCORES
from .sending import Batch, Outcome, total_silence, wait_s

log = structlog.get_logger()

LONGEST_PAUSE_S = 600.0
"""A platform that is silent is asked again at least so often: nobody waits an hour after it was mended."""


def settle(platform_id: int, done: list[Batch], config: Config, *, paused: bool = False) -> bool:
    """Write what became of deliveries, and commit. What is no longer this worker's is left alone.

    Whether the platform is to be left alone; `paused` when this round has said so already: it is one failure.
    """
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
    _write_others(session, others, now)
    for batch in done:
        paused = _keep_pause(session, platform_id, batch.outcomes, now, config, paused=paused)
        if any(outcome.reason == "column_lost" for outcome in batch.outcomes):
            lose_column(batch.course_id, batch.column, batch.column_url)
    session.commit()
    log.info("scores", platform=platform_id, sent=len(taken), other=len(others))
    return paused


def _hold(session: Session, done: list[Batch]) -> set[int]:
    """Hold the deliveries that are still this worker's, in the order in which everybody holds them."""
    marks = {outcome.delivery_id: batch.leased_until for batch in done for outcome in batch.outcomes}
    rows = session.execute(
        sa.select(ScoreDelivery.id, ScoreDelivery.leased_until)
        .where(ScoreDelivery.id.in_(marks), ScoreDelivery.state == DeliveryState.SENDING)
        .order_by(ScoreDelivery.id)
        .with_for_update()
    )
    return {id_ for id_, leased_until in rows if leased_until == marks[id_]}


def _write_taken(session: Session, ids: list[int], now: datetime) -> None:
    """Nearly all scores: the LMS took them."""
    if ids:
        session.execute(
            sa.update(ScoreDelivery)
            .where(ScoreDelivery.id.in_(ids))
            .values(
                state=DeliveryState.SENT,
                done_at=now,
                leased_until=None,
                reason="",
                status=200,
                lms_score=None,
                tries=ScoreDelivery.tries + 1,
            )
            .execution_options(synchronize_session=False)
        )


def _write_others(session: Session, outcomes: dict[int, Outcome], now: datetime) -> None:
    if not outcomes:
        return
    rows = session.scalars(
        sa.select(ScoreDelivery)
        .where(ScoreDelivery.id.in_(outcomes))
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
    delivery.tries += outcome.counts
    delivery.not_before = outcome.retry_at or delivery.not_before
    if outcome.restamp:
        # How far its clock is ahead is not known: further each time.
        delivery.timestamp = max(now, delivery.timestamp) + BETWEEN_SCORES * 2 ** min(delivery.tries, 6)


def _keep_pause(
    session: Session,
    platform_id: int,
    outcomes: Collection[Outcome],
    now: datetime,
    config: Config,
    *,
    paused: bool,
) -> bool:
    """A platform that is silent, says « later » or refuses our token is left alone, longer each time.

    Whether it is; `paused` when this round has found it so already.
    """
    later = [outcome for outcome in outcomes if outcome.later]
    silence = total_silence(outcomes)
    if not later and not silence:
        if not paused and any(outcome.status for outcome in outcomes):
            session.execute(sa.delete(PlatformPause).where(PlatformPause.platform_id == platform_id))
        return paused
    insert_missing(session, PlatformPause, platform_id=platform_id, until=now, reason="", tries=0)
    pause = session.scalars(
        sa.select(PlatformPause)
        .filter_by(platform_id=platform_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).one()
    named = [outcome.pause_until for outcome in later if outcome.pause_until]
    if paused:
        pause.until = max([pause.until, *named])
        return True
    own = now + timedelta(seconds=min(wait_s(pause.tries, config), LONGEST_PAUSE_S))
    pause.until = max(named) if named else own
    pause.reason, pause.tries = (later[0].reason if later else "no_answer"), pause.tries + 1
    return True
