"""What happens once in the middle of a run: a database crashes, a disk is full, a queue is wiped."""

from __future__ import annotations

import errno
import os
import signal
import sqlite3
import time
from contextlib import closing
from pathlib import Path

from redis import Redis

from tests.postgres import Postgres

from .runs import Event, Soak

DOWN_S = 3.0
FULL_S = 120.0
"""The disk stays full until some saves were refused, and so long at most."""
ENOUGH = 5
WIPED_S = 8.0
PIECE = 64 * 1024


def crash_of(server: Postgres) -> Event:
    """The server dies as in a crash (SIGQUIT), and comes back some seconds later."""

    def crash(run: Soak) -> None:
        _let_start(run)
        refused = _refused(run)
        server.stop(signal.SIGQUIT)
        run.school.may_type.set()
        time.sleep(DOWN_S)
        if not all(worker.runs for worker in run.workers):
            run.problems.append("a worker did not survive the database’s crash")
        server.start()
        run.notes["database crashed"] = 1
        run.notes["saves refused meanwhile"] = _refused(run) - refused
        run.calm.clear()

    return crash


def fill_disk(run: Soak) -> None:
    """Fill the disk that holds the database, the queue and the logs; free it some seconds later."""
    _let_start(run)
    ballast = run.school.folder / "ballast"
    refused = _refused(run)
    with ballast.open("wb", buffering=0) as file:
        _shorten_log(run.school.folder / "spirale.db")
        until = time.monotonic() + FULL_S
        _fill(file.fileno())
        run.school.may_type.set()
        while _refused(run) < refused + ENOUGH and time.monotonic() < until:
            _fill(file.fileno())
            time.sleep(0.05)
    still_runs = all(worker.runs for worker in run.workers)
    ballast.unlink()
    run.notes["saves refused meanwhile"] = _refused(run) - refused
    if not run.notes["saves refused meanwhile"]:
        run.problems.append("the disk was never full")
    if not still_runs:
        run.problems.append("a worker did not survive the full disk")
    run.calm.clear()


def _shorten_log(database: Path) -> None:
    """Empty SQLite’s write-ahead log: it goes on writing in old pages of it for a long while, as if there were room."""
    with closing(sqlite3.connect(database, timeout=15)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def _let_start(run: Soak) -> None:
    """No kills for now; and a worker that was just killed is at work again, since one starts only with a database."""
    run.calm.set()
    until = time.monotonic() + 30
    while not all(worker.has_worked for worker in run.workers) and time.monotonic() < until:
        time.sleep(0.1)


def _fill(descriptor: int) -> None:
    """Take what is left, to the last byte."""
    size = PIECE
    while size:
        try:
            os.write(descriptor, bytes(size))
        except OSError as error:
            if error.errno != errno.ENOSPC:
                raise
            size //= 2


def _refused(run: Soak) -> int:
    with run.school.typed.lock:
        return sum(count for status, count in run.school.typed.answers.items() if status >= 500)


def delete_queue(run: Soak) -> None:
    """Delete the queue's file under those who use it; the worker starts again, with an empty one. No kills after."""
    run.calm.set()
    time.sleep(1.0)
    for file in sorted(Path(run.school.folder).glob("queue.db*")):
        file.unlink()
    for worker in run.workers:
        worker.kill()
        worker.start()
    run.notes["queue wiped"] = 1


def wipe_redis(url: str) -> Event:
    """Wipe Redis again and again for some seconds, until no message is left of what waits. No kills after."""

    def wipe(run: Soak) -> None:
        run.calm.set()
        with Redis.from_url(url) as redis:
            until = time.monotonic() + WIPED_S
            while time.monotonic() < until:
                redis.flushall()
                run.notes["queue wiped"] = run.notes.get("queue wiped", 0) + 1
                time.sleep(0.05)

    return wipe
