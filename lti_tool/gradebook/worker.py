"""The background worker: delivers scores when woken, and sweeps the tables that would grow for ever."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import datetime

from flask import Flask
from flask_babel import force_locale

from ..config import Config
from ..courses.models import Course
from ..courses.roster import is_stale, refresh_roster
from ..db import begin_write, db, utcnow
from ..lti.keys import retire_keys
from .delivery import deliver_due
from .queue import init_queue, wake_worker
from .renaming import rename_columns
from .sweeping import forget_ended


def init_worker(app: Flask, config: Config, keep_house: Callable[[Config, datetime], None]) -> None:
    """Give the application its queue and the jobs that a worker runs; `keep_house` is swept with the rest."""
    init_queue(app, config, deliver_now, (sweep, rename_now), read_roster_now)
    app.extensions["spirale_keep_house"] = keep_house
    app.extensions["spirale_stopping"] = threading.Event()


def deliver_now(app: Flask) -> float | None:
    """Deliver what is due, in a context of its own. Seconds until something else is due; None when nothing waits."""
    with app.app_context(), force_locale("fr"):
        return deliver_due(
            app.extensions["spirale_tokens"],
            app.extensions["spirale_config"],
            app.extensions["spirale_stopping"],
        )


def rename_now(app: Flask) -> None:
    """Rename the columns whose competence has another name now."""
    with app.app_context():
        rename_columns(app.extensions["spirale_tokens"], app.extensions["spirale_config"])


def read_roster_now(app: Flask, course_id: int) -> None:
    """Read a class list, unless another job has just done so."""
    with app.app_context():
        config = app.extensions["spirale_config"]
        course = db.session.get(Course, course_id)
        if course is not None and is_stale(course, utcnow(), config):
            refresh_roster(course_id, app.extensions["spirale_tokens"], config)


def sweep(app: Flask) -> None:
    """Forget logins that became nothing, sessions that ended, keys that have served; keep house for the rest."""
    with app.app_context():
        now = utcnow()
        forget_ended(now)
        begin_write()
        retire_keys(db.session, app.extensions["spirale_config"], now)
        db.session.commit()
        app.extensions["spirale_keep_house"](app.extensions["spirale_config"], now)


def run_worker(app: Flask) -> None:
    """Run the jobs of the queue until SIGTERM, or SIGINT, which ends it at once.

    Neither loses anything. After SIGTERM the requests under way end, and other scores in hand are given back at once;
    after SIGINT, or a crash, they are taken up again when their lease ends.
    """
    consumer = app.extensions["spirale_queue"].create_consumer(
        workers=1,
        periodic=True,
        initial_delay=0.1,
        backoff=1.1,
        # How long an idle worker sleeps: what a keystroke waits for at most.
        max_delay=0.5,
        scheduler_interval=1,
        check_worker_health=True,
        graceful_signal="TERM",
        shutdown_timeout=30,
    )
    app.extensions["spirale_stopping"] = consumer.stop_flag
    with app.app_context():
        wake_worker()  # whoever ran before may have died with the message in hand
    consumer.run()
