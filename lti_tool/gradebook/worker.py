"""The background worker: delivers scores when woken, and sweeps the tables that would grow for ever."""

from __future__ import annotations

from flask import Flask
from flask_babel import force_locale

from ..config import Config
from ..db import utcnow
from .delivery import deliver_due
from .queue import init_queue
from .sweeping import forget_ended


def init_worker(app: Flask, config: Config) -> None:
    """Give the application its queue and the jobs that a worker runs."""
    init_queue(app, config, deliver_now, sweep)


def deliver_now(app: Flask) -> float | None:
    """Deliver what is due, in a context of its own. Seconds until something else is due; None when nothing waits."""
    with app.app_context(), force_locale("fr"):
        return deliver_due(app.extensions["spirale_tokens"], app.extensions["spirale_config"])


def sweep(app: Flask) -> None:
    """Forget logins that became nothing, and sessions that ended."""
    with app.app_context():
        forget_ended(utcnow())


def run_worker(app: Flask) -> None:
    """Run the jobs of the queue until SIGTERM, which lets the one in hand finish, or SIGINT, which does not.

    Either loses nothing: what was in hand is taken up again when its lease ends.
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
    consumer.run()
