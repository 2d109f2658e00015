"""Delivering scores: take what is due, ask the platform, write down what it said.

Three steps, so that no transaction is open while a platform answers: `leases` takes deliveries and commits; the
platform is asked (`sending`), several columns at once (`pipeline`); `settling` writes the outcomes and commits. A
worker that dies in between leaves a lease that ends. What may then be sent twice carries the same timestamp, and
counts once.
"""

from __future__ import annotations

from collections.abc import Iterator
from threading import Event, Lock

import structlog
from flask import Flask, current_app

from ..config import Config
from ..db import db, utcnow
from ..errors import PlatformError, PlatformRefused
from ..lti.models import Platform
from ..lti.tokens import Tokens
from .columns import COLUMN_GONE, find_or_make_column
from .due import next_wait, platforms_due
from .leases import batches, take
from .models import DeliveryState, OwnColumn
from .pipeline import Pipeline, Pipelines
from .sending import Batch, Outcome, Parcel, compare, fail_all, send_one
from .settling import Turn, settle
from .worths import column_maximum, settings_of

log = structlog.get_logger()

MAKING = [Lock() for _ in range(64)]
"""By column: this process looks for one, or makes it, once at a time."""


class Closed(Event):
    """Whether a platform’s turn is over: by what the platform does, or because the worker is stopping."""

    def __init__(self, stopping: Event) -> None:
        super().__init__()
        self._stopping = stopping

    def is_set(self) -> bool:
        return super().is_set() or self._stopping.is_set()


def deliver_due(tokens: Tokens, config: Config, stopping: Event | None = None) -> float | None:
    """Deliver everything that is due. Seconds until something else is; None when nothing waits. Commits.

    Platforms take turns, so that one with much to take, or that is slow, does not keep the others waiting long.
    Once `stopping`, no request begins any more, and what was not asked is given back at once.
    """
    stopping = stopping or Event()
    app: Flask = current_app._get_current_object()  # type: ignore[attr-defined]

    def open_batch(batch: Batch) -> list[Parcel]:
        with app.app_context():
            return _open(batch, config)

    def send(batch: Batch, parcel: Parcel) -> None:
        batch.outcomes.append(send_one(batch, parcel, config))

    with Pipelines(open_batch, send) as pipelines:
        busy, failed = True, set[int]()
        while busy:
            busy = False
            for platform_id in platforms_due(utcnow()):
                if platform_id in failed or stopping.is_set():
                    continue
                try:
                    busy |= _deliver_to(platform_id, Closed(stopping), tokens, config, pipelines)
                except Exception as error:  # one platform's surprise must not keep the others waiting
                    db.session.rollback()
                    failed.add(platform_id)
                    log.error("round_failed", platform=platform_id, error=type(error).__name__)
    return next_wait(utcnow())


def _deliver_to(
    platform_id: int, closed: Event, tokens: Tokens, config: Config, pipelines: Pipelines
) -> bool:
    """One turn of a platform; whether it calls for another.

    Not where the platform is left alone by now: some that say « later » for ever would keep the worker busy.
    """
    connections = db.session.get_one(Platform, platform_id, populate_existing=True).connections
    db.session.commit()
    pipeline, turn, found = pipelines.of(connections), Turn(platform_id), False
    try:
        for batch in _supply(platform_id, closed, tokens, config):
            found = True
            pipeline.put(batch)
            while done := pipeline.take_done(wait=pipeline.is_full):
                _settle(turn, done, config)
        while pipeline.under_way:
            _settle(turn, pipeline.take_done(wait=True), config)
    finally:
        _give_up(pipeline, closed)
    return found and not turn.paused


def _supply(platform_id: int, closed: Event, tokens: Tokens, config: Config) -> Iterator[Batch]:
    """What the platform is to be sent in this turn, lease after lease; one lease when another platform waits."""
    while not closed.is_set():
        lease = take(platform_id, utcnow(), config)
        last = None
        for last in batches(lease, closed, tokens, config):
            yield last
        if last is None or not last.line.is_open() or set(platforms_due(utcnow())) - {platform_id}:
            return


def _settle(turn: Turn, done: list[Batch], config: Config) -> None:
    settle(turn, [batch for batch in done if batch.error is None], config)
    for batch in done:
        if batch.error is not None:
            raise batch.error


def _give_up(pipeline: Pipeline, closed: Event) -> None:
    """Wait for what is under way, after a failure of ours: begin nothing more, and leave the leases to their end."""
    closed.set()
    while pipeline.under_way:
        pipeline.take_done(wait=True)


def _open(batch: Batch, config: Config) -> list[Parcel]:
    """Have the column, and look at what it holds: which scores are to be sent. Leaves no transaction open."""
    batch.outcomes += [Outcome(id_, DeliveryState.REFUSED, "left") for id_ in batch.left]
    if not batch.parcels:
        return []
    if not batch.line.is_open():
        batch.outcomes += [Outcome(parcel.delivery_id) for parcel in batch.parcels]
        return []
    try:
        if not batch.column_url and _make_column(batch, config):
            return batch.parcels
    except PlatformError as error:
        batch.outcomes += fail_all(batch, error, config)
        return []
    outcomes, going = compare(batch, config)
    batch.outcomes += outcomes
    return going


def _make_column(batch: Batch, config: Config) -> bool:
    """Find where the scores of a batch go; whether it is a new column, which holds nothing. Raises `PlatformError`."""
    if isinstance(batch.column, OwnColumn):
        # It is lost: a launch through the link gives it again.
        raise PlatformRefused(COLUMN_GONE, 404)
    maximum = column_maximum(settings_of(db.session, batch.course_id))
    db.session.commit()
    # Two leases may hold scores of one new column: the second waits for it here, not until the next round.
    with MAKING[hash((batch.course_id, batch.column)) % len(MAKING)]:
        batch.column_url, made = find_or_make_column(
            batch.service, batch.course_id, batch.column, maximum, config
        )
    return made
