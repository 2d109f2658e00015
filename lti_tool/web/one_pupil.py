"""One pupil at a time: a tablet or a phone, during a role-play."""

from __future__ import annotations

import uuid

from flask import redirect, render_template, request
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from ..activities.editing import find_activity
from ..activities.models import Activity
from ..assessment.audience import pupils_of
from ..assessment.entries import NewEntry, cells, previous_levels
from ..assessment.models import Assessment
from ..courses.people import Pupil
from ..db import db, utcnow
from ..errors import NotFound
from .grid import activity_to_assess, newest_entry, save_entries
from .grid_input import drawn_entries, named_refusal
from .grid_view import Cell, column_of, one_url, previous_words, row_of
from .guard import May, here, page, row_id, visit
from .saved_comments import offered_comments
from .shown import clock, codes, levels, show_activity


@page("/activities/<id:activity_id>/grid/<id:person_id>", may=May.ASSESS)
def one_pupil(activity_id: int, person_id: int) -> str:
    """The cells of one pupil, large."""
    return _show(find_activity(db.session, visit().course, activity_id), person_id)


@page("/activities/<id:activity_id>/grid/<id:person_id>", may=May.ASSESS, methods=("POST",))
def save_one_pupil(activity_id: int, person_id: int) -> Response | tuple[str, int]:
    """Save one pupil's cells, then show them, or the next pupil. What is wrong is shown again as typed."""
    activity = activity_to_assess(activity_id)
    course_pupils = pupils_of(db.session, activity)
    _place_of(person_id, course_pupils)
    typed = _typed(activity, person_id)
    _saved, refused = save_entries(activity, list(typed.values()))
    if refused:
        people = {pupil.person_id: pupil.name for pupil in course_pupils}
        by_key = {entry.key: entry for entry in typed.values()}
        return _show(
            activity,
            person_id,
            errors=[named_refusal(by_key[r.key], r, activity, people) for r in refused],
            rejected={by_key[r.key].item_id: by_key[r.key] for r in refused},
        ), 422
    if request.form.get("then") == "next":
        return redirect(_next_url(activity, person_id, course_pupils), 303)
    return redirect(here("one_pupil", activity_id=activity.id, person_id=person_id, saved=1), 303)


def _typed(activity: Activity, person_id: int) -> dict[int, NewEntry]:
    """The cells that the form changed, by competence; what it did not change may be a colleague's by now.

    The hidden `e-…` says which entry the page was drawn with, `drawn-…` which level or code it showed.
    """
    drawn = drawn_entries(
        activity, [request.form.get(f"e-{link.item_id}", "") for link in activity.competences]
    )
    found = {}
    for link in activity.competences:
        item_id = link.item_id
        was = drawn.get(request.form.get(f"e-{item_id}", ""))
        value = _chosen(item_id, request.form.get(f"drawn-{item_id}", _value(was)))
        comment = request.form.get(f"comment-{item_id}", "").replace("\r\n", "\n").strip()
        ticked = tuple(sorted(set(request.form.getlist(f"observed-{item_id}", type=row_id))))
        entry = NewEntry(
            str(uuid.uuid4()),
            person_id,
            item_id,
            value if value != _value(was) else None,
            comment if comment != (was.comment if was else "") else None,
            ticked if list(ticked) != (was.observed if was else []) else None,
        )
        if (entry.value, entry.comment, entry.observed) != (None, None, None):
            found[item_id] = entry
    return found


def _chosen(item_id: int, drawn: str) -> str:
    """Of a level and a code, the one just chosen. Where both were, the code: a form's level cannot be un-chosen."""
    code, level = request.form.get(f"code-{item_id}", ""), request.form.get(f"level-{item_id}", "")
    return level if level and code == drawn else code or level


def _value(row: Assessment | None) -> str:
    return row.value if row else ""


def _place_of(person_id: int, course_pupils: list[Pupil]) -> int:
    """Where a pupil stands in the class. Raises `NotFound`."""
    place = next((n for n, pupil in enumerate(course_pupils) if pupil.person_id == person_id), None)
    if place is None:
        raise NotFound("no such pupil in this course")
    return place


def _next_url(activity: Activity, person_id: int, course_pupils: list[Pupil]) -> str:
    following = course_pupils[_place_of(person_id, course_pupils) + 1 :]
    if following:
        return one_url(activity)(following[0].person_id)
    return here("grid", activity_id=activity.id)


def _show(
    activity: Activity,
    person_id: int,
    errors: list[str] | None = None,
    rejected: dict[int, NewEntry] | None = None,
) -> str:
    course_pupils = pupils_of(db.session, activity)
    place = _place_of(person_id, course_pupils)
    columns = [column_of(link) for link in activity.competences]
    cursor = newest_entry(activity)  # before the cells: what is written in between is news for the page
    row = row_of(
        course_pupils[place],
        columns,
        cells(db.session, activity.id, person_id),
        previous_words(previous_levels(db.session, activity, [c.id for c in columns])),
    )
    rejected = rejected or {}
    shown = [_as_typed(cell, rejected.get(c.id)) for c, cell in zip(columns, row.cells, strict=True)]
    url = one_url(activity)
    return render_template(
        "one_pupil.html",
        activity=show_activity(activity),
        pupil=course_pupils[place],
        place=place + 1,
        total=len(course_pupils),
        columns=list(zip(columns, shown, strict=True)),
        levels=levels(),
        codes=codes(),
        comments=offered_comments(),
        cursor=cursor,
        save_url=here("save_cells", activity_id=activity.id),
        previous_url=url(course_pupils[place - 1].person_id) if place else None,
        next_url=_next_url(activity, person_id, course_pupils) if place + 1 < len(course_pupils) else None,
        grid_url=here("grid", activity_id=activity.id),
        read_only=activity.is_closed,
        saved_text=_("Enregistré à %(hour)s", hour=clock(utcnow())) if request.args.get("saved") else "",
        errors=errors or [],
        rejected=rejected,
    )


def _as_typed(cell: Cell, entry: NewEntry | None) -> Cell:
    """The cell with what was refused in it."""
    if entry is None:
        return cell
    return Cell(
        cell.value if entry.value is None else entry.value,
        cell.comment if entry.comment is None else entry.comment,
        cell.entry,
        cell.by,
        cell.previous_text,
        cell.observed if entry.observed is None else entry.observed,
    )
