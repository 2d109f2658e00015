"""What is stored, for how long, and what was erased last."""

from __future__ import annotations

from flask import render_template

from ...administration.health import worker_is_silent, worker_trace
from ...administration.retention import count_forgotten, stored_people
from ...db import db, utcnow
from .guard import admin_page, config


@admin_page("/retention")
def retention() -> str:
    """The settings, the counts, and the commands for one person."""
    now, trace = utcnow(), worker_trace(db.session)
    return render_template(
        "admin/retention.html",
        settings=config().retention,
        counts=stored_people(db.session),
        forgotten=count_forgotten(db.session, config(), now),
        trace=trace,
        silent=worker_is_silent(trace, now),
    )
