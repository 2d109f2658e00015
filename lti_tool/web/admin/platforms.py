"""One platform: what to paste in the LMS, how it fares, what may be switched."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from flask import redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from ...administration.events import Done, log_earlier_years
from ...administration.health import PlatformHealth, platforms_health
from ...db import db, utcnow
from ...errors import BadInput
from ...lti.models import Platform
from ...lti.platforms import (
    add_deployment,
    add_from_preset,
    change_platform,
    find_platform,
    set_deployment_enabled,
    tool_addresses,
)
from ...lti.presets import presets
from .guard import admin_page, administrator, config, note
from .words import launch_problems, pause_words, problems_in_words

LONGEST = 4000
ADDRESSES = ("issuer", "auth_login_url", "auth_token_url", "jwks_url", "audience")


@admin_page("/platforms/<id:platform_id>")
def platform(platform_id: int) -> str:
    """Everything that is stored of a platform."""
    return _show(find_platform(db.session, platform_id))


@admin_page("/platforms/<id:platform_id>/settings", methods=("POST",))
def platform_settings(platform_id: int) -> Response | tuple[str, int]:
    """Change a platform's settings, effective at once."""
    typed = _typed("name", "audience", "frame_origin", "family", "connections")
    typed["anonymous"] = request.form.get("anonymous", "")
    typed["earlier_years"] = request.form.get("earlier_years", "")
    number = typed["connections"]
    changes: dict[str, Any] = {
        "name": typed["name"],
        "audience": typed["audience"],
        "family": typed["family"],
        "frame_origins": typed["frame_origin"].split(),
        "anonymous": typed["anonymous"] == "1",
        "earlier_years": typed["earlier_years"] == "1",
        "connections": int(number) if number.isascii() and number.isdigit() and len(number) < 5 else 0,
    }
    try:
        before = find_platform(db.session, platform_id).earlier_years
        changed = change_platform(db.session, platform_id, **changes)
        db.session.flush()
    except BadInput as error:
        db.session.rollback()
        return _show(find_platform(db.session, platform_id), typed, problems_in_words(error)), 422
    note(Done.PLATFORM_CHANGED, platform=platform_id)
    log_earlier_years(db.session, administrator(), changed, before)
    db.session.commit()
    return redirect(url_for("admin.platform", platform_id=platform_id, saved=1, _anchor="settings"), 303)


@admin_page("/platforms/<id:platform_id>/deployments", methods=("POST",))
def platform_deployment(platform_id: int) -> Response | tuple[str, int]:
    """Let one more deployment in, keep one out, let it in again."""
    name, switch = request.form.get("deployment_id", "").strip(), request.form.get("switch", "")
    try:
        if switch in ("on", "off"):
            set_deployment_enabled(db.session, platform_id, name, switch == "on")
            note(
                Done.DEPLOYMENT_ENABLED if switch == "on" else Done.DEPLOYMENT_DISABLED, platform=platform_id
            )
        else:
            add_deployment(db.session, platform_id, name)
            note(Done.DEPLOYMENT_ADDED, platform=platform_id)
    except BadInput as error:
        db.session.rollback()
        problems = problems_in_words(error)
        return _show(find_platform(db.session, platform_id), problems=problems, new_deployment=name), 422
    db.session.commit()
    return redirect(url_for("admin.platform", platform_id=platform_id, _anchor="deployments"), 303)


@admin_page("/platforms/add", methods=("GET", "POST"))
def add_platform() -> str | Response | tuple[str, int]:
    """A platform that is added by hand: a preset and its host, or each address."""
    if request.method == "GET":
        return _ask({"preset": "moodle"}, {})
    typed = _typed("preset", "host", "name", "client_id", "deployment_id", "frame_origin", *ADDRESSES)
    try:
        added = add_from_preset(
            db.session,
            typed["preset"],
            typed["host"],
            {name: typed[name] for name in ADDRESSES if typed[name]},
            name=typed["name"],
            client_id=typed["client_id"],
            deployment_ids=tuple(typed["deployment_id"].split()),
            frame_origins=tuple(typed["frame_origin"].split()),
        )
    except BadInput as error:
        db.session.rollback()
        return _ask(typed, problems_in_words(error)), 422
    note(Done.PLATFORM_ADDED, platform=added.id)
    db.session.commit()
    return redirect(url_for("admin.platform", platform_id=added.id, added=1), 303)


def _typed(*names: str) -> dict[str, str]:
    return {name: request.form.get(name, "").strip()[:LONGEST] for name in names}


def _ask(typed: dict[str, str], problems: dict[str, str]) -> str:
    return render_template(
        "admin/platform_add.html",
        typed=typed,
        problems=problems,
        presets=presets(),
        addresses=tool_addresses(config()),
    )


def _show(
    shown: Platform,
    typed: dict[str, str] | None = None,
    problems: dict[str, str] | None = None,
    new_deployment: str = "",
) -> str:
    health = _health(shown)
    return render_template(
        "admin/platform.html",
        platform=shown,
        typed=typed or _stored(shown),
        problems=problems or {},
        new_deployment=new_deployment,
        health=health,
        refusals=launch_problems(health),
        pause=pause_words(health, shown),
        addresses=tool_addresses(config()),
        families=presets(),
        others=_others(shown),
        saved=bool(request.args.get("saved")),
        added=bool(request.args.get("added")),
        replaced=bool(request.args.get("replaced")),
    )


def _stored(shown: Platform) -> dict[str, str]:
    return {
        "name": shown.name,
        "audience": shown.audience,
        "frame_origin": "\n".join(shown.frame_origins),
        "family": shown.family,
        "connections": str(shown.connections),
        "anonymous": "1" if shown.anonymous else "",
        "earlier_years": "1" if shown.earlier_years else "",
    }


def _health(shown: Platform) -> PlatformHealth:
    return next(h for one, h in platforms_health(db.session, utcnow()) if one.id == shown.id)


def _others(shown: Platform) -> int:
    """How many other registrations of the same LMS there are."""
    same = sa.and_(Platform.issuer == shown.issuer, Platform.id != shown.id)
    return db.session.scalar(sa.select(sa.func.count()).where(same)) or 0
