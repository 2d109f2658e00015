"""Waking the worker. The table of deliveries is the truth: a queue that loses a message only delays it."""

from __future__ import annotations

from collections.abc import Callable

import structlog
from flask import Flask, current_app
from huey import Huey, RedisHuey, SqliteHuey, crontab

from ..config import Config

log = structlog.get_logger()


def make_queue(config: Config) -> Huey:
    """The queue of the settings: Redis, or an SQLite file beside the data."""
    if config.queue_url:
        return RedisHuey("spirale", url=config.queue_url, results=False)
    config.data_dir.mkdir(parents=True, exist_ok=True)
    return SqliteHuey("spirale", filename=str(config.data_dir / "queue.db"), results=False, fsync=True)


def init_queue(
    app: Flask, config: Config, deliver: Callable[[Flask], float | None], sweep: Callable[[Flask], None]
) -> None:
    """Give the application its queue and its two jobs: deliver what is due, and sweep."""
    queue = make_queue(config)

    @queue.task(name="deliver")
    def deliver_scores() -> None:
        wait_s = deliver(app)
        if wait_s is not None:
            deliver_scores.schedule(delay=max(wait_s, 0.2))

    @queue.periodic_task(crontab(minute=f"*/{config.delivery.sweep_minutes}"), name="sweep")
    def sweep_everything() -> None:
        sweep(app)
        deliver(app)

    app.extensions["spirale_queue"] = queue
    app.extensions["spirale_deliver"] = deliver_scores


def wake_worker() -> None:
    """Tell the worker that scores are waiting. To be called after the commit.

    A queue that is down is no reason to fail: the sweep finds what waits.
    """
    try:
        current_app.extensions["spirale_deliver"]()
    except Exception as error:  # whatever the queue's own store raises
        log.warning("queue_unreachable", error=type(error).__name__)
