"""When a class list is read: by the worker, except where a teacher is waiting for it, and then not for long."""

from __future__ import annotations

import threading
from typing import Any

import structlog
from flask import Flask, current_app, request

from ..courses.entry import Opened
from ..courses.models import Course, Role
from ..courses.roster import RosterChange, is_stale, refresh_roster, take_news
from ..db import db, utcnow
from ..gradebook.queue import ask_for_roster
from .guard import May, visit

log = structlog.get_logger()

PATIENCE_S = 2.0
"""How long somebody waits for a class list; a Moodle gives a class in a tenth of a second (docs/decisions/0017)."""


def bring_up_to_date(opened: Opened) -> None:
    """At a teacher's launch: a course seen for the first time has its pupils at once, the others soon.

    The list also says who is a teacher in full. Leaves no transaction open.
    """
    course = opened.course
    if opened.role not in (Role.TEACHER, Role.ASSESSOR):
        return
    if not is_stale(course, utcnow(), current_app.extensions["spirale_config"]):
        return
    never_tried = course.roster_read_at is None and not course.roster_problem
    db.session.commit()
    if never_tried:
        read_with_patience(course.id)
    else:
        ask_for_roster(course.id)


def read_with_patience(course_id: int) -> tuple[bool, RosterChange | None]:
    """Read a class list now: whether that is over already, and what changed (None: the platform gave nothing).

    A platform that takes longer is not waited for: the reading goes on, and what it changes is said later.
    """
    app: Flask = current_app._get_current_object()  # type: ignore[attr-defined] # noqa: SLF001 - Flask's own way
    outcome: list[RosterChange | None] = []
    reading = threading.Thread(target=_read, args=(app, course_id, outcome), daemon=True)
    reading.start()
    reading.join(PATIENCE_S)
    return bool(outcome), (outcome[0] if outcome else None)


def _read(app: Flask, course_id: int, outcome: list[RosterChange | None]) -> None:
    change = None
    with app.app_context():
        try:
            tokens: Any = app.extensions["spirale_tokens"]
            change = refresh_roster(course_id, tokens, app.extensions["spirale_config"])
        except Exception as error:  # whatever the platform answered, its teacher gets in
            log.error("roster_failed", course=course_id, error=type(error).__name__)
        db.session.close()
    outcome.append(change)


def news() -> RosterChange | None:
    """What changed in the class list, for the next page that a teacher reads; once."""
    current = visit()
    if request.method != "GET" or not current.may(May.ASSESS) or current.session.deep_linking:
        return None
    course: Course = current.course
    return take_news(course)
