"""The one guard: who may see what. A page of a session declares what its visitor may do, or it does not exist.

Every page lives under ``/l/<sid>/``. `page` registers it with the right it asks for; `_admit` runs before each of
them: it finds the session by the path and the browser's cookie, works out the role of this moment, and refuses
whoever lacks the right. `tests/web/test_who_may_what.py` walks every route.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

import sqlalchemy as sa
from flask import Blueprint, Response, current_app, g, request, url_for

from ..config import Config
from ..courses.entry import FoundSession, find_session, last_use
from ..courses.models import Course, LaunchSession, Person, Role
from ..courses.roles import role_now
from ..db import begin_write, db, utcnow
from ..errors import NotAllowed, SpiraleError

pages = Blueprint("pages", __name__, url_prefix="/l/<sid>")

LARGEST_ID = 2**31 - 1
TOUCH_EVERY = timedelta(seconds=60)


class May(StrEnum):
    """What a page asks of its visitor."""

    READ = "read"
    LEARN = "learn"
    ASSESS = "assess"
    TEACH = "teach"


RIGHTS: dict[Role, frozenset[May]] = {
    Role.TEACHER: frozenset({May.READ, May.ASSESS, May.TEACH}),
    Role.ASSESSOR: frozenset({May.READ, May.ASSESS}),
    Role.LEARNER: frozenset({May.READ, May.LEARN}),
    Role.OBSERVER: frozenset({May.READ}),
}


ASKED: dict[str, May] = {}
"""The right that each page asks for, by endpoint."""


class SessionEnded(SpiraleError):
    """There is no open session at this address, for this browser."""


class BadForm(SpiraleError):
    """A form without its token: sent from elsewhere, or from a session that ended."""


class Visit:
    """This request's session: who, where, as what."""

    def __init__(self, session: LaunchSession, role: Role, sid: str) -> None:
        self.session, self.role, self.sid = session, role, sid

    @property
    def course(self) -> Course:
        return self.session.course

    @property
    def person(self) -> Person:
        return self.session.person

    def may(self, right: May) -> bool:
        return right in RIGHTS[self.role]


def page(rule: str, *, may: May, methods: tuple[str, ...] = ("GET",)) -> Callable[[Any], Any]:
    """Register a page of a session, and the right it asks for. The view does not receive `sid`."""

    def register(view: Callable[..., Any]) -> Callable[..., Any]:
        def admitted(**values: Any) -> Any:
            values.pop("sid")
            return view(**values)

        admitted.__name__, admitted.__doc__ = view.__name__, view.__doc__
        ASKED[f"pages.{view.__name__}"] = may
        pages.add_url_rule(rule, view.__name__, admitted, methods=list(methods))
        return view

    return register


def visit() -> Visit:
    """The session of this request; only inside a page."""
    found: Visit = g.visit
    return found


def here(endpoint: str, **values: Any) -> str:
    """The address of a page in this session."""
    return url_for(f"pages.{endpoint}", sid=g.visit.sid, **values)


def row_id(text: str) -> int:
    """A row's number that came as text. Raises ValueError for what no database could hold: `type=row_id`."""
    if not (text.isascii() and text.isdigit() and len(text) <= 10 and int(text) <= LARGEST_ID):
        raise ValueError(text)
    return int(text)


def csrf_token() -> str:
    """The token every form of this session carries; it follows from the session, not from a cookie."""
    config: Config = current_app.extensions["spirale_config"]
    return hmac.new(config.secret_key.encode(), f"csrf {g.visit.sid}".encode(), hashlib.sha256).hexdigest()


def cookie_name(config: Config) -> str:
    """The browser's cookie. The prefix makes browsers refuse one that a sub-domain or http would set."""
    return "__Host-spirale" if config.https else "spirale"


def browser_secret() -> str:
    """What this browser was given at its first login; empty without."""
    return request.cookies.get(cookie_name(current_app.extensions["spirale_config"]), "")


@pages.before_request
def _admit() -> None:
    config: Config = current_app.extensions["spirale_config"]
    sid = str((request.view_args or {}).get("sid", ""))
    now = utcnow()
    reads = request.method in ("GET", "HEAD")
    # SQLite: what will write takes the one lock at once, and reads everything under it. No stranger makes us take it.
    locks = not reads and db.engine.dialect.name == "sqlite"
    used_at = last_use(db.session, sid, browser_secret()) if locks else None
    if used_at is None or now - used_at > TOUCH_EVERY:
        found, enrolment = _open_session(sid, now, config)
        if now - found.used_at > TOUCH_EVERY:
            _touch(found.id)
    if locks:
        begin_write()
        found, enrolment = _open_session(sid, now, config)
    g.visit, g.locale = Visit(found, role_now(found.role, enrolment), sid), found.locale
    asked = ASKED[request.endpoint or ""]
    if not g.visit.may(asked):
        raise NotAllowed(asked)
    if not reads and not _form_is_ours():
        raise BadForm


def _open_session(sid: str, now: datetime, config: Config) -> FoundSession:
    found = find_session(db.session, sid, browser_secret(), now, config)
    if found is None:
        raise SessionEnded
    return found


def _touch(session_id: int) -> None:
    """Say that a session is in use: a transaction of its own, before anything is read."""
    begin_write()
    db.session.execute(
        sa.update(LaunchSession).where(LaunchSession.id == session_id).values(used_at=utcnow())
    )
    db.session.commit()


def _form_is_ours() -> bool:
    token = request.headers.get("X-CSRF-Token") or request.form.get("csrf", "")
    return hmac.compare_digest(token.encode(), csrf_token().encode())


@pages.after_request
def _private(response: Response) -> Response:
    response.headers["Cache-Control"] = "no-store"
    return response
