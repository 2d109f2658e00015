"""Waking the worker. The table of deliveries is the truth: a queue that loses a message only delays it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence

import structlog
from flask import Flask, current_app
from huey import Huey, RedisHuey, SqliteHuey, crontab

from ..config import Config
from .queue_tables import TableStorage

log = structlog.get_logger()


SHORTEST_WAIT_S = 0.2
MOST_WAITING = 100
"""Messages waiting for a worker; with so many, one more would tell it nothing new."""
COUNTED_EVERY = 20
"""Messages that a process sends before it asks again how many wait: a keystroke is a message."""


class Planned:
    """The next delivery this process has planned, so that a hundred keystrokes do not plan a hundred of them."""

    def __init__(self, longest_s: float) -> None:
        self._longest_s, self._at, self._lock = longest_s, 0.0, threading.Lock()

    def is_news(self, wait_s: float) -> bool:
        """Whether nothing is planned so soon yet. What is further away than a sweep is the sweep's."""
        now = time.monotonic()
        with self._lock:
            if wait_s > self._longest_s or now < self._at <= now + wait_s + SHORTEST_WAIT_S:
                return False
            self._at = now + max(wait_s, SHORTEST_WAIT_S)
            return True


class Room:
    """How many messages this process may still send without asking how many wait."""

    def __init__(self, queue: Huey) -> None:
        self._queue, self._left = queue, 0

    def take(self) -> bool:
        """Whether a message more may wait. Two threads at once may send one too many, which is no harm."""
        if self._left <= 0:
            self._left = min(COUNTED_EVERY, MOST_WAITING - self._queue.pending_count())
        self._left -= 1
        return self._left >= 0


def make_queue(config: Config) -> Huey:
    """The queue of the settings: PostgreSQL, Redis, or an SQLite file beside the data."""
    if config.queue_url.startswith("postgresql"):
        return Huey("spirale", storage_class=TableStorage, url=config.queue_url, results=False)
    if config.queue_url:
        return _redis_queue(config.queue_url)
    config.data_dir.mkdir(parents=True, exist_ok=True)
    return SqliteHuey("spirale", filename=str(config.data_dir / "queue.db"), results=False, fsync=True)


def _redis_queue(url: str) -> Huey:
    from redis import ConnectionPool  # noqa: PLC0415 - only where Redis is chosen

    # A server that does not answer must not hold up the teacher who typed a level.
    pool = ConnectionPool.from_url(url, socket_connect_timeout=2, socket_timeout=5)
    return RedisHuey("spirale", connection_pool=pool, results=False)


def init_queue(
    app: Flask,
    config: Config,
    deliver: Callable[[Flask], float | None],
    sweeps: Sequence[Callable[[Flask], object]],
    read_roster: Callable[[Flask, int], None],
) -> None:
    """Give the application its queue and its jobs: deliver what is due, read a class list, and sweep.

    A sweep delivers, then does these things, one after the other.
    """
    queue = make_queue(config)
    planned = Planned(longest_s=60.0 * config.delivery.sweep_minutes)

    @queue.task(name="deliver")
    def deliver_scores() -> None:
        wait_s = deliver(app)
        if wait_s is not None and planned.is_news(wait_s):
            deliver_scores.schedule(delay=max(wait_s, SHORTEST_WAIT_S))

    @queue.periodic_task(crontab(minute=f"*/{config.delivery.sweep_minutes}"), name="sweep")
    def sweep_everything() -> None:
        # Not `deliver`: when the queue was wiped, nobody else plans what comes after.
        deliver_scores.call_local()
        for sweep in sweeps:
            sweep(app)

    @queue.task(name="roster")
    def read_class_list(course_id: int) -> None:
        read_roster(app, course_id)

    app.extensions["spirale_roster"] = read_class_list
    app.extensions["spirale_queue"] = queue
    app.extensions["spirale_room"] = Room(queue)
    app.extensions["spirale_deliver"] = deliver_scores


def wake_worker() -> None:
    """Tell the worker that scores are waiting. To be called after the commit.

    A queue that is down is no reason to fail: the sweep finds what waits.
    """
    try:
        # A worker that is down for a week finds its scores in their table, not a week of messages.
        if current_app.extensions["spirale_room"].take():
            current_app.extensions["spirale_deliver"]()
    except Exception as error:  # whatever the queue's own store raises
        log.warning("queue_unreachable", error=type(error).__name__)


def ask_for_roster(course_id: int) -> None:
    """Have the worker read the class list of a course. To be called after the commit.

    A queue that is down is no reason to fail: the next launch of a teacher asks again.
    """
    try:
        current_app.extensions["spirale_roster"](course_id)
    except Exception as error:  # whatever the queue's own store raises
        log.warning("queue_unreachable", error=type(error).__name__)
