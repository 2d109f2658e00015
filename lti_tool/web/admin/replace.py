"""A tool that was added again to an LMS: choose what replaces it, read what would follow, do it."""

from __future__ import annotations

import sqlalchemy as sa
from flask import redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from ...administration.events import Done
from ...administration.replacing import Replacement, replace_platform
from ...db import db
from ...errors import BadInput
from ...lti.models import Platform
from ...lti.platforms import find_platform
from ..guard import row_id
from .guard import admin_page, note
from .words import problems_in_words


@admin_page("/platforms/<id:platform_id>/replace", methods=("GET", "POST"))
def platform_replace(platform_id: int) -> str | Response | tuple[str, int]:
    """First the choice, then what would follow (nothing is changed), then the same again, done."""
    if request.method == "GET":
        return _ask(platform_id)
    new_id = request.form.get("new", 0, type=row_id)
    places = {
        name.removeprefix("place_"): value.strip()
        for name, value in request.form.items()
        if name.startswith("place_") and value.strip()
    }
    try:
        if new_id not in {one.id for one in _candidates(find_platform(db.session, platform_id))}:
            raise BadInput({"NEW": "is not one of the list"})
        done = replace_platform(db.session, platform_id, new_id, places)
    except BadInput as error:
        db.session.rollback()
        return _ask(platform_id, new_id, places, problems=problems_in_words(error)), 422
    if request.form.get("apply") != "1":
        db.session.rollback()
        return _ask(platform_id, new_id, places, done)
    note(Done.PLATFORM_REPLACED, platform=platform_id, new=new_id)
    db.session.commit()
    return redirect(url_for("admin.platform", platform_id=new_id, replaced=1), 303)


def _ask(
    platform_id: int,
    new_id: int = 0,
    places: dict[str, str] | None = None,
    done: Replacement | None = None,
    problems: dict[str, str] | None = None,
) -> str:
    old = find_platform(db.session, platform_id)
    candidates = _candidates(old)
    return render_template(
        "admin/platform_replace.html",
        platform=old,
        candidates=candidates,
        asks_places=any(len(one.deployments) > 1 for one in candidates),
        new_id=new_id,
        places=places or {},
        done=done,
        problems=problems or {},
    )


def _candidates(old: Platform) -> list[Platform]:
    """The other registrations of the same LMS that are let in, newest first."""
    same = sa.select(Platform).where(
        Platform.issuer == old.issuer, Platform.id != old.id, Platform.enabled.is_(True)
    )
    return list(db.session.scalars(same.order_by(Platform.id.desc())))
