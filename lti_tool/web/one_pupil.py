"""One pupil at a time: a tablet or a phone, during a role-play."""

from __future__ import annotations

import uuid

from flask import redirect, render_template, request
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from ..activities.editing import find_activity
from ..activities.models import Activity
from ..assessment.audience import pupils_of
from ..assessment.entries import NewEntry, cells
from ..db import db, utcnow
from ..errors import NotFound
from .grid import save_entries
from .grid_view import column_of, one_url, previous_turns, row_of
from .guard import May, here, page, visit
from .shown import clock, codes, levels, show_activity


@page("/activities/<id:activity_id>/grid/<id:person_id>", may=May.ASSESS)
def one_pupil(activity_id: int, person_id: int) -> str:
    """The cells of one pupil, large."""
    activity = find_activity(db.session, visit().course, activity_id)
    course_pupils = pupils_of(db.session, activity)
    place = next((n for n, pupil in enumerate(course_pupils) if pupil.person_id == person_id), None)
    if place is None:
        raise NotFound("no such pupil in this course")
    columns = [column_of(link) for link in activity.competences]
    row = row_of(
        course_pupils[place],
        columns,
        cells(db.session, activity.id),
        previous_turns(activity, [c.id for c in columns]),
    )
    url = one_url(activity)
    return render_template(
        "one_pupil.html",
        activity=show_activity(activity),
        pupil=course_pupils[place],
        place=place + 1,
        total=len(course_pupils),
        columns=list(zip(columns, row.cells, strict=True)),
        levels=levels(),
        codes=codes(),
        save_url=here("save_cells", activity_id=activity.id),
        previous_url=url(course_pupils[place - 1].person_id) if place else None,
        next_url=url(course_pupils[place + 1].person_id) if place + 1 < len(course_pupils) else None,
        grid_url=here("grid", activity_id=activity.id),
        read_only=activity.is_closed,
        saved_text=_("Enregistré à %(hour)s", hour=clock(utcnow())) if request.args.get("saved") else "",
    )


@page("/activities/<id:activity_id>/grid/<id:person_id>", may=May.ASSESS, methods=("POST",))
def save_one_pupil(activity_id: int, person_id: int) -> Response:
    """Save one pupil's cells, then show them, or the next pupil."""
    activity = find_activity(db.session, visit().course, activity_id)
    current = cells(db.session, activity.id)
    entries = []
    for link in activity.competences:
        value = request.form.get(f"code-{link.item_id}") or request.form.get(f"level-{link.item_id}", "")
        comment = request.form.get(f"comment-{link.item_id}")
        before = current.get((person_id, link.item_id))
        if before or value or comment:
            entries.append(NewEntry(str(uuid.uuid4()), person_id, link.item_id, value, comment))
    _saved, refused = save_entries(activity, entries)
    if refused:
        raise NotFound("no such pupil in this course")
    if request.form.get("then") == "next":
        return redirect(_next_url(activity, person_id), 303)
    return redirect(here("one_pupil", activity_id=activity.id, person_id=person_id, saved=1), 303)


def _next_url(activity: Activity, person_id: int) -> str:
    ids = [pupil.person_id for pupil in pupils_of(db.session, activity)]
    following = ids[ids.index(person_id) + 1 :] if person_id in ids else []
    return one_url(activity)(following[0]) if following else here("grid", activity_id=activity.id)
