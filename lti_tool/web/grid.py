"""The assessment grid: pupils × competences of one activity, saved as typed."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from flask import jsonify, redirect, render_template, request
from flask_babel import gettext as _
from flask_babel import ngettext
from werkzeug.wrappers import Response

from ..activities.editing import find_activity, find_activity_alone, find_activity_and_items
from ..activities.models import Activity
from ..assessment.audience import pupils_of
from ..assessment.entries import (
    NewEntry,
    Refused,
    Written,
    cells,
    entries_since,
    previous_levels,
    pupils_among,
    record,
)
from ..assessment.models import Assessment
from ..courses.people import initials, staff_name
from ..db import db, utcnow
from ..gradebook.models import ScoreDelivery
from ..gradebook.queue import wake_worker
from ..gradebook.scores import hold_course, queue_typed
from .grid_input import named_refusal, read_entries, typed_cells
from .grid_view import colleagues_of, column_of, one_url, previous_words, row_of, teams
from .grid_words import readable_words
from .guard import May, csrf_token, here, page, row_id, visit
from .saved_comments import offered_comments
from .shown import clock, codes, levels, scale, show_activity


@page("/activities/<id:activity_id>/grid", may=May.ASSESS)
def grid(activity_id: int) -> str:
    """The grid."""
    return show_grid(find_activity(db.session, visit().course, activity_id))


@page("/activities/<id:activity_id>/grid", may=May.ASSESS, methods=("POST",))
def save_grid(activity_id: int) -> Response | str:
    """Save the whole grid at once: what a browser without scripts sends. What is wrong is shown again as typed."""
    activity = activity_to_assess(activity_id)
    typed = typed_cells(activity)
    saved, refused = save_entries(activity, list(typed.values()))
    if refused:
        names = {entry.key: name for name, entry in typed.items()}
        people = {p.person_id: p.name for p in pupils_of(db.session, activity)}
        return show_grid(
            activity,
            errors=[named_refusal(typed[names[r.key]], r, activity, people) for r in refused],
            rejected={names[r.key]: typed[names[r.key]].value for r in refused},
        )
    return redirect(here("grid", activity_id=activity.id, saved=len(saved)), 303)


@page("/activities/<id:activity_id>/cells", may=May.ASSESS, methods=("POST",))
def save_cells(activity_id: int) -> Response:
    """Save entries as they are typed, and tell what colleagues typed meanwhile. The same key again is harmless."""
    entries, since = read_entries()
    hold_course(db.session, visit().course.id)
    activity, items = find_activity_and_items(db.session, visit().course, activity_id)
    saved, refused, queued = _write_entries(activity, items, entries)
    news = _news(activity, since)  # before the commit: after it they would be a transaction more
    _commit(queued)
    return jsonify(
        saved=[{"key": entry.key, **_told(row)} for entry, row in saved],
        refused=[{"key": r.key, "message": r.message} for r in refused],
        at=clock(utcnow()),
        **news,
    )


@page("/activities/<id:activity_id>/cells", may=May.ASSESS)
def poll_cells(activity_id: int) -> Response:
    """What colleagues typed since; also keeps the session of an open grid alive."""
    activity = find_activity_alone(db.session, visit().course, activity_id)
    since = request.args.get("since", default=0, type=row_id)
    people = len(pupils_of(db.session, activity))
    return jsonify(people=people, **_news(activity, since))


# ----- saving -----


def activity_to_assess(activity_id: int) -> Activity:
    """The activity, read once its course is held: its year is not closed before the commit."""
    hold_course(db.session, visit().course.id)
    return find_activity(db.session, visit().course, activity_id)


def save_entries(activity: Activity, entries: list[NewEntry]) -> tuple[list[Written], list[Refused]]:
    """Write entries and the scores they call for in one transaction, then wake the worker."""
    items = {link.item_id for link in activity.competences}
    saved, refused, queued = _write_entries(activity, items, entries)
    _commit(queued)
    return saved, refused


def _write_entries(
    activity: Activity, items: set[int], entries: list[NewEntry]
) -> tuple[list[Written], list[Refused], list[ScoreDelivery]]:
    course, session = visit().course, db.session
    pupils = pupils_among(session, course.id, {entry.person_id for entry in entries})
    written, refused = record(session, activity, visit().person.id, entries, pupils=pupils, items=items)
    pairs = [(row.person_id, row.item_id) for _entry, row in written]
    queued = queue_typed(session, course, activity.id, pairs, pupils, utcnow())
    return written, refused, queued


def _commit(queued: list[ScoreDelivery]) -> None:
    db.session.commit()
    if queued:
        wake_worker()


# ----- colleagues -----


def _news(activity: Activity, since: int) -> dict[str, Any]:
    """Colleagues' entries newer than one, and the newest entry of all."""
    me = visit().person.id
    rows = entries_since(db.session, activity.id, since)
    news = [
        {**_told(row), "by": initials(row.assessor), "by_name": staff_name(row.assessor)}
        for row in rows
        if row.assessor_id != me
    ]
    return {"cells": news, "cursor": rows[-1].id if rows else since}


def _told(row: Assessment) -> dict[str, Any]:
    """An entry as a script takes it."""
    return {
        "person": row.person_id,
        "competence": row.item_id,
        "value": row.value,
        "comment": row.comment,
        "observed": row.observed,
        "entry": row.id,
    }


def newest_entry(activity: Activity) -> int:
    """The number of the newest entry of a grid; 0 without any."""
    newest = sa.select(sa.func.max(Assessment.id)).where(Assessment.activity_id == activity.id)
    return db.session.scalar(newest) or 0


# ----- showing -----


def _edit_url(activity: Activity) -> str | None:
    """Where a teacher changes the activity; one of a past year stays as it is."""
    may = visit().may(May.TEACH) and activity.year_id is None
    return here("edit_activity", activity_id=activity.id) if may else None


def show_grid(activity: Activity, **more: Any) -> str:
    """The page; `more`: what it shows again because it could not be written."""
    course_pupils = pupils_of(db.session, activity)
    columns = [column_of(link) for link in activity.competences]
    cursor = newest_entry(activity)  # before the cells: what is written in between is news for the page
    current = cells(db.session, activity.id)
    before = previous_words(previous_levels(db.session, activity, [column.id for column in columns]))
    groups, inside = teams(visit().course)
    rows = [row_of(pupil, columns, current, before, inside.get(pupil.person_id)) for pupil in course_pupils]
    saved = request.args.get("saved", default=0, type=row_id)
    values: dict[str, Any] = {
        "activity": show_activity(activity),
        "competences": columns,
        "rows": rows,
        "counts": [sum(bool(row.cells[place].value) for row in rows) for place in range(len(columns))],
        "groups": groups,
        "levels": levels(),
        "target": scale().target,
        "codes": codes(),
        "comments": offered_comments(),
        "readable": readable_words(),
        "known_text": ngettext("%(num)d élève connu", "%(num)d élèves connus", len(course_pupils)),
        "save_url": here("save_cells", activity_id=activity.id),
        "poll_url": here("poll_cells", activity_id=activity.id),
        "comment_url": here("save_comment", activity_id=activity.id),
        "cursor": cursor,
        "csrf": csrf_token(),
        "colleagues": colleagues_of(current, {column.id: column.code for column in columns}),
        "one_url": one_url(activity),
        "edit_url": _edit_url(activity),
        "to_date": activity.undated,
        "read_only": activity.is_closed,
        "saved_text": _("Enregistré à %(hour)s", hour=clock(utcnow())) if saved else "",
        "errors": [],
        "rejected": {},
        "draft": None,
    }
    return render_template("grid.html", **(values | more))
