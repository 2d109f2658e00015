"""Where a launch leads, and the bar of pages."""

from __future__ import annotations

from dataclasses import dataclass

import sqlalchemy as sa
from flask import redirect, request
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from ..activities.links import CUSTOM_ACTIVITY, CUSTOM_PAGE, activity_of_link, follow_custom
from ..courses.models import Person
from ..db import begin_write, db
from .guard import May, Visit, here, page, visit


@dataclass(frozen=True)
class Entry:
    """An entry of the bar."""

    label: str
    href: str
    current: bool
    end: bool = False


PAGES_OF = {
    "activities": {
        "activities",
        "activity",
        "new_activity",
        "edit_activity",
        "grid",
        "archived",
        "choose_link",
    },
    "overview": {"overview", "pupil_sheet", "pupil_labels", "keep_pupil_labels"},
    "gradebook": {"gradebook"},
    "referential": {"referential", "competence", "statement"},
    "settings": {"gradebook_settings"},
    "to_do": {"to_do", "activity"},
    "my_spiral": {"my_spiral"},
}


def navigation() -> list[Entry]:
    """The bar of this visitor; empty where a page must be finished first (the picker)."""
    current = visit()
    if current.session.deep_linking:
        return []
    if current.may(May.ASSESS):
        entries = [
            _entry(_("Activités"), "activities"),
            _entry(_("Bilan"), "overview"),
            _entry(_("Carnet"), "gradebook"),
            _entry(_("Référentiel"), "referential"),
        ]
        if current.may(May.TEACH):
            entries.append(_entry(_("Réglages du cours"), "gradebook_settings", end=True, group="settings"))
        return entries
    if current.may(May.LEARN):
        return [
            _entry(_("À faire"), "to_do"),
            _entry(_("Mes compétences"), "my_spiral"),
            _entry(_("Référentiel"), "referential"),
        ]
    return [_entry(_("Référentiel"), "referential")]


def _entry(label: str, endpoint: str, *, end: bool = False, group: str = "") -> Entry:
    current = (request.endpoint or "").removeprefix("pages.") in PAGES_OF[group or endpoint]
    return Entry(label, here(endpoint), current, end)


@page("/", may=May.READ)
def home() -> Response:
    """Where this launch leads: what its link opens, else the course's home."""
    current = visit()
    return redirect(_destination(current), 303)


def _destination(current: Visit) -> str:
    session = current.session
    if session.deep_linking:
        return here("picker")
    reviewed = _reviewed_person(current)
    if reviewed is not None:
        return here("pupil_sheet", person_id=reviewed)
    wanted = _wanted_page(current)
    if wanted:
        return wanted
    link = session.resource_link
    activity = activity_of_link(db.session, link) if link else None
    if link and activity is None and CUSTOM_ACTIVITY in session.custom:
        begin_write()
        activity = follow_custom(db.session, current.course, link, session.custom)
        db.session.commit()
        if activity is None and current.may(May.TEACH):
            return here("choose_link", copied=1)
    if activity is not None and activity.archived_at is None:
        return here("grid" if current.may(May.ASSESS) else "activity", activity_id=activity.id)
    if current.may(May.ASSESS):
        return here("activities")
    return here("my_spiral") if current.may(May.LEARN) else here("referential")


def _reviewed_person(current: Visit) -> int | None:
    """The pupil a submission review is about; a pupil only ever reviews their own."""
    sub = current.session.custom.get("for_user")
    if not sub or not current.may(May.ASSESS):
        return None
    return db.session.scalar(
        sa.select(Person.id).where(Person.platform_id == current.course.platform_id, Person.sub == sub)
    )


def _wanted_page(current: Visit) -> str:
    """The page a deep link of ours names; the closest one its visitor may see."""
    kind, _colon, code = str(current.session.custom.get(CUSTOM_PAGE, "")).partition(":")
    if kind == "competence" and code:
        return here("competence", code=code)
    if kind == "overview" and current.may(May.ASSESS):
        return here("overview")
    if kind in ("overview", "me") and current.may(May.LEARN):
        return here("my_spiral")
    return ""
