"""The guard of the administrator's pages, as `web.guard` is that of the courses': a page declares itself, or is not.

`admin_page` registers a page that wants an administrator; `open_page` the few that make one. `_admit` runs before
each: `tests/web/test_admin_guard.py` walks every route.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import sqlalchemy as sa
from flask import Blueprint, Response, current_app, g, redirect, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response as BaseResponse

from ...administration.events import Done, log_event
from ...administration.models import Administrator, AdminSession
from ...administration.signing_in import find_admin_session
from ...config import Config
from ...db import begin_write, db, utcnow
from ...errors import NotFound
from ..guard import BadForm
from ..refusals import Page, refuse

admin = Blueprint("admin", __name__, url_prefix="/admin")

TOUCH_EVERY = timedelta(seconds=60)

ADMIN_ONLY: set[str] = set()
"""The pages that want an administrator, by endpoint."""
OPEN: set[str] = set()
"""The pages for somebody who is not signed in."""


def admin_page(rule: str, *, methods: tuple[str, ...] = ("GET",)) -> Callable[[Any], Any]:
    """Register a page for administrators alone."""
    return _registered(rule, methods, ADMIN_ONLY)


def open_page(rule: str, *, methods: tuple[str, ...] = ("GET",)) -> Callable[[Any], Any]:
    """Register a page for whoever is not signed in."""
    return _registered(rule, methods, OPEN)


def _registered(rule: str, methods: tuple[str, ...], among: set[str]) -> Callable[[Any], Any]:
    def register(view: Callable[..., Any]) -> Callable[..., Any]:
        among.add(f"admin.{view.__name__}")
        admin.add_url_rule(rule, view.__name__, view, methods=list(methods))
        return view

    return register


def config() -> Config:
    found: Config = current_app.extensions["spirale_config"]
    return found


def administrator() -> Administrator:
    """Who is signed in; only inside a page for administrators."""
    found: Administrator = g.admin_session.administrator
    return found


def note(what: Done, **rows: int) -> None:
    """Log what the administrator does, in the transaction of the page."""
    log_event(db.session, administrator(), what, **rows)


def cookie_name() -> str:
    """The prefix makes browsers refuse one that a sub-domain or http would set."""
    return "__Host-spirale-admin" if config().https else "spirale-admin"


def cookie_secret() -> str:
    return request.cookies.get(cookie_name(), "")


def admin_csrf() -> str:
    """The token of every form of this session; it follows from the session's secret."""
    said = f"admin csrf {cookie_secret()}"
    return hmac.new(config().secret_key.encode(), said.encode(), hashlib.sha256).hexdigest()


@admin.before_request
def _admit() -> BaseResponse | None:
    """Let an administrator in; send anybody else to sign in. A request that writes holds the lock from here."""
    reads = request.method in ("GET", "HEAD")
    if not reads and request.headers.get("Sec-Fetch-Site", "same-origin") not in ("same-origin", "none"):
        raise BadForm  # another site's form, signing somebody in under another's name
    if request.endpoint in OPEN:
        return None
    found = find_admin_session(db.session, cookie_secret(), utcnow())
    if found is not None and utcnow() - found.used_at > TOUCH_EVERY:
        _touch(found.id)
    if found is not None and not reads:
        begin_write()
        found = find_admin_session(db.session, cookie_secret(), utcnow())
    if found is None or request.endpoint not in ADMIN_ONLY:
        db.session.rollback()
        return redirect(url_for("admin.sign_in", ended=None if reads else 1), 303)
    g.admin_session = found
    if not reads and not hmac.compare_digest(request.form.get("csrf", "").encode(), admin_csrf().encode()):
        raise BadForm
    return None


def _touch(session_id: int) -> None:
    """Say that a session is in use: a transaction of its own."""
    begin_write()
    used = sa.update(AdminSession).where(AdminSession.id == session_id)
    db.session.execute(used.values(used_at=utcnow()))
    db.session.commit()


@admin.errorhandler(NotFound)
def _on_not_found(_error: NotFound) -> Response:
    db.session.rollback()
    return refuse(
        Page(
            404,
            _("Introuvable"),
            _("Ce qui est demandé n’existe pas, ou n’existe plus."),
            _("Revenir à la vue d’ensemble."),
        )
    )
