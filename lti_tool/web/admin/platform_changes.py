"""What shuts a platform out or takes it away: each asks on a page of its own before it is done."""

from __future__ import annotations

from flask import redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from ...administration.events import Done
from ...administration.removing import count_removal, remove_platform
from ...db import db
from ...errors import BadInput
from ...lti.platforms import find_platform, set_enabled
from .guard import admin_page, note
from .words import problems_in_words


@admin_page("/platforms/<id:platform_id>/disable", methods=("GET", "POST"))
def platform_disable(platform_id: int) -> str | Response:
    """Keep a platform out, open sessions too; nothing is lost."""
    found = find_platform(db.session, platform_id)
    if request.method == "GET":
        return render_template("admin/platform_disable.html", platform=found)
    set_enabled(db.session, platform_id, False)
    note(Done.PLATFORM_DISABLED, platform=platform_id)
    db.session.commit()
    return redirect(url_for("admin.platform", platform_id=platform_id), 303)


@admin_page("/platforms/<id:platform_id>/enable", methods=("POST",))
def platform_enable(platform_id: int) -> Response:
    """Let a platform in again."""
    set_enabled(db.session, platform_id, True)
    note(Done.PLATFORM_ENABLED, platform=platform_id)
    db.session.commit()
    return redirect(url_for("admin.platform", platform_id=platform_id), 303)


@admin_page("/platforms/<id:platform_id>/remove", methods=("GET", "POST"))
def platform_remove(platform_id: int) -> str | Response | tuple[str, int]:
    """Take a platform away. One that has results wants its name typed."""
    if request.method == "GET":
        return _ask_removal(platform_id, "", {})
    typed = request.form.get("erase", "")[:255]
    try:
        remove_platform(db.session, platform_id, typed)
    except BadInput as error:
        db.session.rollback()
        return _ask_removal(platform_id, typed, problems_in_words(error)), 422
    note(Done.PLATFORM_REMOVED, platform=platform_id)
    db.session.commit()
    return redirect(url_for("admin.overview", removed=platform_id), 303)


def _ask_removal(platform_id: int, typed: str, problems: dict[str, str]) -> str:
    found = find_platform(db.session, platform_id)
    return render_template(
        "admin/platform_remove.html",
        platform=found,
        removal=count_removal(db.session, found),
        typed=typed,
        problems=problems,
    )
