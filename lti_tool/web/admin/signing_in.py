"""Signing in and out."""

from __future__ import annotations

import math

import structlog
from flask import make_response, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_babel import ngettext
from werkzeug.wrappers import Response

from ...administration.events import Done, log_event
from ...administration.signing_in import (
    administrator_of,
    admit_try,
    find_admin_session,
    open_admin_session,
    sign_out,
)
from ...db import begin_write, db, utcnow
from .guard import admin_page, config, cookie_name, cookie_secret, note, open_page

log = structlog.get_logger()

LONGEST_LOGIN = 64
ROOT = "/"
"""The cookie's path: browsers keep a `__Host-` cookie for the whole host only."""


@open_page("/sign-in", methods=("GET", "POST"))
def sign_in() -> Response:
    """The form, and its answer. A wrong login and a wrong password are told in the same words and take as long."""
    if request.method == "GET":
        if find_admin_session(db.session, cookie_secret(), utcnow()) is not None:
            return redirect(url_for("admin.overview"), 303)
        return _show(200)
    login = request.form.get("login", "").strip()[:LONGEST_LOGIN]
    password = request.form.get("password", "")
    address = request.remote_addr or ""
    begin_write()
    wait = admit_try(db.session, login, address, utcnow(), config())
    db.session.commit()
    if wait is not None:
        log.info("admin_sign_in_delayed", wait_s=math.ceil(wait.total_seconds()))
        return _show(429, _wait_words(wait.total_seconds()), login)
    known = administrator_of(db.session, login, password)
    if known is None:
        log.info("admin_sign_in_failed")
        return _show(403, _("Identifiant ou mot de passe inexact."), login)
    begin_write()
    # Whatever session this browser had is over: a secret that somebody slipped in before is worth nothing after.
    sign_out(db.session, cookie_secret())
    secret = open_admin_session(db.session, known, address, utcnow(), config())
    log_event(db.session, known, Done.SIGNED_IN)
    db.session.commit()
    return _with_cookie(redirect(url_for("admin.overview"), 303), secret)


@admin_page("/sign-out", methods=("POST",))
def leave() -> Response:
    """End the session."""
    note(Done.SIGNED_OUT)
    sign_out(db.session, cookie_secret())
    db.session.commit()
    response = redirect(url_for("admin.sign_in", left=1), 303)
    response.delete_cookie(cookie_name(), path=ROOT, secure=config().https, httponly=True, samesite="Strict")
    return response


def _show(status: int, problem: str = "", login: str = "") -> Response:
    page = render_template(
        "admin/sign_in.html",
        problem=problem,
        login=login,
        ended=bool(request.args.get("ended")),
        left=bool(request.args.get("left")),
        nav=[],
    )
    return make_response(page, status)


def _wait_words(seconds: float) -> str:
    if seconds > 60:
        return ngettext(
            "Trop d’essais. Attendre une minute avant le prochain.",
            "Trop d’essais. Attendre %(num)s minutes avant le prochain.",
            math.ceil(seconds / 60),
        )
    return ngettext(
        "Attendre une seconde avant le prochain essai.",
        "Attendre %(num)s secondes avant le prochain essai.",
        math.ceil(seconds),
    )


def _with_cookie(response: Response, secret: str) -> Response:
    response.set_cookie(
        cookie_name(), secret, path=ROOT, secure=config().https, httponly=True, samesite="Strict"
    )
    return response
