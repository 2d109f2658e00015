"""The grid's form for one comment, of a browser without scripts."""

from __future__ import annotations

import uuid
from dataclasses import dataclass

import sqlalchemy as sa
from flask import redirect, request
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from ..activities.models import Activity
from ..assessment.entries import NewEntry, cells
from ..assessment.models import Assessment
from ..courses.people import staff_name
from ..db import db
from .grid import activity_to_assess, save_entries, show_grid
from .guard import LARGEST_ID, May, here, page, row_id
from .saved_comments import with_chosen


@dataclass(frozen=True)
class Draft:
    """What the form came with, to be shown again: nothing that was typed is lost."""

    person_id: int
    item_id: int
    text: str
    saved: str
    problem: str = ""
    by: str = ""
    """Who wrote another comment there since the form was drawn, and what."""
    theirs: str = ""


@page("/activities/<id:activity_id>/comments", may=May.ASSESS, methods=("POST",))
def save_comment(activity_id: int) -> Response | tuple[str, int]:
    """Save one comment. Without text nothing changes: the form does not show the comment that there is."""
    activity = activity_to_assess(activity_id)
    person_id = request.form.get("person", default=0, type=row_id)
    item_id = request.form.get("competence", default=0, type=row_id)
    typed, chosen = request.form.get("comment", "").replace("\r\n", "\n"), request.form.get("saved", "")
    text = with_chosen(typed, chosen)
    if not text:
        return _show_again(activity, Draft(person_id, item_id, typed, chosen, _("Rien n’a changé.")))
    rival = _written_since(activity, person_id, item_id)
    if rival is not None and rival.comment != text:
        by, theirs = staff_name(rival.assessor), rival.comment
        return _show_again(activity, Draft(person_id, item_id, typed, chosen, by=by, theirs=theirs))
    entry = NewEntry(str(uuid.uuid4()), person_id, item_id, None, text)
    _saved, refused = save_entries(activity, [entry])
    if refused:
        return _show_again(activity, Draft(person_id, item_id, typed, chosen, refused[0].message))
    return redirect(here("grid", activity_id=activity.id, saved=1), 303)


def _written_since(activity: Activity, person_id: int, item_id: int) -> Assessment | None:
    """The newest entry of the cell, where its comment is not the one that the form's page showed.

    The hidden `seen` is the grid's newest entry when the page was drawn.
    """
    seen = request.form.get("seen", default=LARGEST_ID, type=row_id)
    now = cells(db.session, activity.id, person_id).get((person_id, item_id))
    if now is None or now.id <= seen:
        return None
    before = (
        sa.select(Assessment.comment)
        .where(Assessment.activity_id == activity.id, Assessment.id <= seen)
        .where(Assessment.person_id == person_id, Assessment.item_id == item_id)
        .order_by(Assessment.id.desc())
        .limit(1)
    )
    return now if now.comment != (db.session.scalar(before) or "") else None


def _show_again(activity: Activity, draft: Draft) -> tuple[str, int]:
    return show_grid(activity, draft=draft), 422
