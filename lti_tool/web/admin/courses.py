"""The courses of each platform: counts and dates, no pupil's name."""

from __future__ import annotations

from flask import render_template

from ...administration.health import courses_health
from ...db import db
from ...lti.platforms import list_platforms
from .guard import admin_page


@admin_page("/courses")
def courses() -> str:
    """Every course, by platform."""
    return render_template(
        "admin/courses.html",
        platforms=[(one, courses_health(db.session, one.id)) for one in list_platforms(db.session)],
    )
