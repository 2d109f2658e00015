"""Where a launch leads, and the bar of pages."""

from __future__ import annotations

from dataclasses import dataclass

import sqlalchemy as sa
from flask import redirect, request
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from ..activities.links import CUSTOM_ACTIVITY, CUSTOM_PAGE, activity_of_link, follow_custom, is_graded
from ..activities.models import Activity
from ..courses.models import Enrolment, Person, ResourceLink
from ..db import begin_write, db, utcnow
from ..errors import NotFound
from ..gradebook.queue import wake_worker
from ..gradebook.scores import queue_own_column
from .first_steps import leads_to_first_steps
from .guard import May, Visit, here, page, visit
from .pupil import find_pupil
from .refusals import Page, refuse


@dataclass(frozen=True)
class Entry:
    """An entry of the bar."""

    label: str
    href: str
    current: bool
    end: bool = False
    leaves: bool = False
    """Whether it leads out of the tool, in the whole window."""


PAGES_OF = {
    "activities": {
        "activities",
        "activity",
        "new_activity",
        "edit_activity",
        "grid",
        "archived",
        "past_years",
        "choose_link",
        "first_steps",
        "keep_first_step",
    },
    "overview": {
        "overview",
        "pupil_sheet",
        "answer_request",
        "decision",
        "pupil_labels",
        "keep_pupil_labels",
    },
    "coverage": {"coverage"},
    "gradebook": {"gradebook", "preview_publish", "ask_clear"},
    "referential": {
        "referential",
        "competence",
        "statement",
        "general_view",
        "printed_referential",
        "referential_search",
    },
    "settings": {
        "gradebook_settings",
        "course_policy",
        "try_policies",
        "groups",
        "new_group",
        "create_group",
        "edit_group",
        "change_group",
        "remove_group",
        "periods",
        "keep_periods",
        "new_year",
        "open_year",
    },
    "my_activities": {"my_activities", "activity"},
    "my_spiral": {"my_spiral", "my_positions", "say_my_position"},
    "my_exploration": {"my_exploration"},
}


def navigation() -> list[Entry]:
    """The bar of this visitor; empty where a page must be finished first (the picker)."""
    current = visit()
    if current.session.deep_linking:
        return []
    return [*_pages_of(current), *_way_back(current)]


def _way_back(current: Visit) -> list[Entry]:
    url = current.session.return_url
    return [Entry(_("Retour au cours"), url, current=False, end=True, leaves=True)] if url else []


def _pages_of(current: Visit) -> list[Entry]:
    if current.may(May.ASSESS):
        entries = [
            _entry(_("Activités"), "activities"),
            _entry(_("Bilan"), "overview"),
            _entry(_("Couverture"), "coverage"),
            _entry(_("Carnet"), "gradebook"),
            _entry(_("Référentiel"), "referential"),
        ]
        if current.may(May.TEACH):
            entries.append(_entry(_("Réglages du cours"), "gradebook_settings", end=True, group="settings"))
        return entries
    if current.may(May.LEARN):
        return [
            _entry(_("Mes activités"), "my_activities"),
            _entry(_("Ma spirale"), "my_spiral"),
            _entry(_("Mon exploration"), "my_exploration"),
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
    if current.session.deep_linking:
        return redirect(here("picker"), 303)
    link = current.session.resource_link
    activity = _open_link(current, link) if link else None
    if "for_user" in current.session.custom:
        return _review(current, activity)
    return redirect(_wanted_page(current) or _destination(current, activity), 303)


def _open_link(current: Visit, link: ResourceLink) -> Activity | None:
    """The activity of a link: found by what its deep link carries at its first launch. Its column gets its scores."""
    activity = activity_of_link(db.session, link)
    if activity is None and CUSTOM_ACTIVITY in current.session.custom:
        begin_write()
        activity = follow_custom(db.session, current.course, link, current.session.custom)
        db.session.commit()
    if activity is not None and is_graded(db.session, link):
        begin_write()
        written = queue_own_column(db.session, current.course, link.id, utcnow())
        db.session.commit()
        if written:
            wake_worker()
    return activity


def _destination(current: Visit, activity: Activity | None) -> str:
    if not (current.may(May.ASSESS) or current.may(May.LEARN)):
        return here("referential")
    named = current.session.resource_link is not None and CUSTOM_ACTIVITY in current.session.custom
    if activity is None and named and current.may(May.TEACH):
        # Its activity is in the course that this one was copied from.
        return here("choose_link")
    if activity is not None and activity.archived_at is None and activity.year_id is None:
        return here("grid" if current.may(May.ASSESS) else "activity", activity_id=activity.id)
    if leads_to_first_steps(current):
        return here("first_steps")
    return here("activities" if current.may(May.ASSESS) else "my_spiral")


def _review(current: Visit, activity: Activity | None) -> Response:
    """A submission review: the pupil's page for that activity. Whoever is not a teacher only sees their own."""
    if not current.may(May.ASSESS):
        own = here("activity", activity_id=activity.id) if activity else here("my_spiral")
        return redirect(own if current.may(May.LEARN) else here("referential"), 303)
    person_id = db.session.scalar(
        sa.select(Person.id)
        .join(Enrolment, Enrolment.person_id == Person.id)
        .where(
            Enrolment.course_id == current.course.id, Person.sub == str(current.session.custom["for_user"])
        )
    )
    try:
        find_pupil(current.course, person_id or 0)
    except NotFound:
        return refuse(_unknown_pupil())
    if activity is None:
        return redirect(here("pupil_sheet", person_id=person_id), 303)
    return redirect(here("reviewed_activity", activity_id=activity.id, person_id=person_id), 303)


def _unknown_pupil() -> Page:
    return Page(
        404,
        _("Élève inconnu dans ce cours"),
        _(
            "La plateforme demande le travail de quelqu’un que Spirale ne connaît pas comme élève de ce cours."
        ),
        _(
            "Revenir au cours et ouvrir Spirale une fois\u00a0: la liste de la classe est alors relue. "
            "Puis recommencer."
        ),
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
