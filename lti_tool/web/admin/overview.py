"""The first page: the platforms, how each fares, the invitations that are open, and whether the worker runs."""

from __future__ import annotations

from datetime import datetime

from flask import render_template, request

from ...administration.health import platforms_health, worker_is_silent, worker_trace
from ...db import db, utcnow
from ...lti.invites import list_invites, state_of
from ...lti.models import Invite
from ..guard import row_id
from .guard import admin_page
from .words import invite_words, launch_problem


@admin_page("/")
def overview() -> str:
    """The platforms."""
    now = utcnow()
    trace = worker_trace(db.session)
    return render_template(
        "admin/overview.html",
        platforms=[
            (platform, health, launch_problem(health, platform))
            for platform, health in platforms_health(db.session, now)
        ],
        invites=open_invites(now),
        trace=trace,
        silent=worker_is_silent(trace, now),
        removed=request.args.get("removed", type=row_id),
        invite_words=invite_words,
    )


def open_invites(now: datetime) -> list[Invite]:
    """The invitations that may still serve."""
    return [invite for invite in list_invites(db.session) if state_of(invite, now) == "open"]
