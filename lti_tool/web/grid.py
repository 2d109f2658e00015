"""The assessment grid: pupils × competences of one activity, saved as typed."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeGuard

import sqlalchemy as sa
from flask import jsonify, redirect, render_template, request
from flask_babel import gettext as _
from flask_babel import ngettext
from werkzeug.exceptions import BadRequest
from werkzeug.wrappers import Response

from ..activities.editing import find_activity
from ..activities.models import Activity, ActivityCompetence
from ..assessment.entries import (
    NewEntry,
    Observation,
    Refused,
    cells,
    entries_since,
    observations,
    record,
)
from ..assessment.models import Assessment
from ..assessment.words import plain_date
from ..courses.people import Pupil, initials, pupils, staff_name
from ..db import db, utcnow
from ..errors import NotFound
from ..frameworks.models import FrameworkItem
from ..gradebook.queue import wake_worker
from ..gradebook.scores import hold_course, queue_scores
from .guard import May, csrf_token, here, page, row_id, visit
from .shown import clock, codes, complexity_words, levels, show_activity

MOST_ENTRIES = 500
SHORT_LABEL = 24


@dataclass(frozen=True)
class Observed:
    """Something to observe: the official words, and what they are."""

    text: str
    side: str
    kind_text: str


@dataclass(frozen=True)
class Column:
    """A competence of the grid."""

    id: int
    code: str
    label: str
    """Short enough to stand above a column."""
    name: str
    statement: str
    observed: list[Observed]


@dataclass(frozen=True)
class Cell:
    """What a cell shows."""

    value: str = ""
    comment: str = ""
    entry: int = 0
    by: str = ""
    previous_text: str = ""


@dataclass(frozen=True)
class Row:
    """A pupil's line."""

    person_id: int
    name: str
    cells: list[Cell] = field(default_factory=list)


@dataclass(frozen=True)
class Colleague:
    """Somebody else who wrote in this grid."""

    initials: str
    name: str
    code: str


@page("/activities/<id:activity_id>/grid", may=May.ASSESS)
def grid(activity_id: int) -> str:
    """The grid."""
    return _render(find_activity(db.session, visit().course, activity_id))


@page("/activities/<id:activity_id>/grid", may=May.ASSESS, methods=("POST",))
def save_grid(activity_id: int) -> Response | str:
    """Save the whole grid at once: what a browser without scripts sends. What is wrong is shown again as typed."""
    activity = find_activity(db.session, visit().course, activity_id)
    typed = _typed(activity)
    saved, refused = _save(activity, list(typed.values()))
    if refused:
        names = {entry.key: name for name, entry in typed.items()}
        people = {p.person_id: p.name for p in pupils(db.session, activity.course_id)}
        return _render(
            activity,
            errors=[_named(typed[names[r.key]], r, activity, people) for r in refused],
            rejected={names[r.key]: typed[names[r.key]].value for r in refused},
        )
    return redirect(here("grid", activity_id=activity.id, saved=len(saved)), 303)


@page("/activities/<id:activity_id>/comments", may=May.ASSESS, methods=("POST",))
def save_comment(activity_id: int) -> Response:
    """Save one comment: the form of a browser without scripts."""
    activity = find_activity(db.session, visit().course, activity_id)
    person_id = request.form.get("person", type=row_id) or 0
    item_id = request.form.get("competence", type=row_id) or 0
    current = cells(db.session, activity.id).get((person_id, item_id))
    entry = NewEntry(
        str(uuid.uuid4()),
        person_id,
        item_id,
        current.value if current else "",
        request.form.get("comment", ""),
    )
    _saved, refused = _save(activity, [entry])
    if refused:
        raise BadRequest
    return redirect(here("grid", activity_id=activity.id, saved=1), 303)


@page("/activities/<id:activity_id>/cells", may=May.ASSESS, methods=("POST",))
def save_cells(activity_id: int) -> Response:
    """Save entries as they are typed, and tell what colleagues typed meanwhile. The same key again is harmless."""
    activity = find_activity(db.session, visit().course, activity_id)
    entries, since = _parse(_json())
    saved, refused = _save(activity, entries)
    answered = [
        {
            "key": entry.key,
            "person": row.person_id,
            "competence": row.item_id,
            "value": row.value,
            "comment": row.comment,
            "entry": row.id,
        }
        for entry, row in saved
    ]
    return jsonify(
        saved=answered,
        refused=[{"key": r.key, "message": r.message} for r in refused],
        at=clock(utcnow()),
        **_news(activity, since),
    )


@page("/activities/<id:activity_id>/cells", may=May.ASSESS)
def poll_cells(activity_id: int) -> Response:
    """What colleagues typed since; also keeps the session of an open grid alive."""
    activity = find_activity(db.session, visit().course, activity_id)
    since = request.args.get("since", default=0, type=row_id)
    people = len(pupils(db.session, activity.course_id))
    return jsonify(people=people, **_news(activity, since))


# ----- saving -----


def _save(
    activity: Activity, entries: list[NewEntry]
) -> tuple[list[tuple[NewEntry, Assessment]], list[Refused]]:
    """Write entries and the scores they call for in one transaction, then wake the worker."""
    hold_course(db.session, activity.course_id)
    written, refused = record(db.session, activity, visit().person.id, entries)
    pairs = [(row.person_id, row.item_id) for row in written]
    deliveries = queue_scores(db.session, visit().course, pairs, utcnow())
    db.session.commit()
    if deliveries:
        wake_worker()
    kept = [entry for entry in entries if entry.key not in {r.key for r in refused}]
    return list(zip(kept, written, strict=True)), refused


def _typed(activity: Activity) -> dict[str, NewEntry]:
    """The cells a form changed, by input name. The hidden `e-…` says which entry the page was drawn with: a cell
    that a colleague filled since is only overwritten by somebody who typed in it."""
    current = cells(db.session, activity.id)
    found = {}
    for name, value in request.form.items():
        kind, _dash, place = name.partition("-")
        person, _dash, item = place.partition("-")
        if kind != "c" or not (_is_number(person) and _is_number(item)):
            continue
        drawn = _drawn_value(activity, request.form.get(f"e-{place}", "0"))
        if value.strip().upper() == drawn:
            continue
        now = current.get((int(person), int(item)))
        if now is None or now.value != value.strip().upper():
            found[name] = NewEntry(str(uuid.uuid4()), int(person), int(item), value)
    return found


def _drawn_value(activity: Activity, entry: str) -> str:
    """What a cell showed when its page was drawn."""
    if not _is_number(entry) or entry == "0":
        return ""
    row = db.session.get(Assessment, int(entry))
    return row.value if row is not None and row.activity_id == activity.id else ""


def _json() -> Any:
    try:
        return request.get_json(silent=True)
    except RecursionError as error:
        raise BadRequest from error


def _parse(body: Any) -> tuple[list[NewEntry], int]:
    """The entries of a script's request. Raises `BadRequest` for anything that is not one."""
    if not isinstance(body, dict) or not isinstance(body.get("entries"), list):
        raise BadRequest
    since = body.get("since", 0)
    if len(body["entries"]) > MOST_ENTRIES or not (since == 0 or _is_id(since)):
        raise BadRequest
    return [_parse_entry(entry) for entry in body["entries"]], since


def _parse_entry(entry: Any) -> NewEntry:
    if not isinstance(entry, dict):
        raise BadRequest
    key, person, item = entry.get("key"), entry.get("person"), entry.get("competence")
    value, comment = entry.get("value"), entry.get("comment")
    if not (_is_id(person) and _is_id(item)):
        raise BadRequest
    if not (isinstance(key, str) and isinstance(value, str) and isinstance(comment, str | None)):
        raise BadRequest
    # What no database can store: half of a surrogate pair, NUL.
    texts = [
        text.replace("\x00", "").encode("utf-8", "replace").decode() for text in (key, value, comment or "")
    ]
    return NewEntry(texts[0], person, item, texts[1], None if comment is None else texts[2])


def _is_number(text: str) -> bool:
    try:
        return row_id(text) >= 0
    except ValueError:
        return False


def _is_id(value: Any) -> TypeGuard[int]:
    return isinstance(value, int) and not isinstance(value, bool) and 0 < value < 2**31


def _named(entry: NewEntry, refused: Refused, activity: Activity, people: dict[int, str]) -> str:
    """The sentence of a refused cell, with where it is."""
    code = next((link.item.code for link in activity.competences if link.item_id == entry.item_id), "?")
    return _(
        "%(who)s, %(code)s\u00a0: %(why)s",
        who=people.get(entry.person_id, "?"),
        code=code,
        why=refused.message,
    )


# ----- colleagues -----


def _news(activity: Activity, since: int) -> dict[str, Any]:
    """Colleagues' entries newer than one, and the newest entry of all."""
    me = visit().person.id
    rows = entries_since(db.session, activity.id, since)
    news = [
        {
            "person": row.person_id,
            "competence": row.item_id,
            "value": row.value,
            "comment": row.comment,
            "entry": row.id,
            "by": initials(row.assessor),
            "by_name": staff_name(row.assessor),
        }
        for row in rows
        if row.assessor_id != me
    ]
    return {"cells": news, "cursor": rows[-1].id if rows else since}


def _colleagues(found: dict[tuple[int, int], Assessment], codes_by_item: dict[int, str]) -> list[Colleague]:
    """Who else wrote in this grid, and where they wrote last."""
    latest: dict[int, Assessment] = {}
    for row in sorted(found.values(), key=lambda row: row.id):
        if row.assessor_id != visit().person.id:
            latest[row.assessor_id] = row
    return [
        Colleague(initials(row.assessor), staff_name(row.assessor), codes_by_item.get(row.item_id, ""))
        for row in latest.values()
    ]


# ----- showing -----


def _render(activity: Activity, **more: Any) -> str:
    course_pupils = pupils(db.session, activity.course_id)
    columns = [_column(link) for link in activity.competences]
    current = cells(db.session, activity.id)
    before = _previous(activity, [column.id for column in columns])
    saved = request.args.get("saved", default=0, type=row_id)
    newest = db.session.scalar(
        sa.select(sa.func.max(Assessment.id)).where(Assessment.activity_id == activity.id)
    )
    values: dict[str, Any] = {
        "activity": show_activity(activity),
        "competences": columns,
        "rows": [_row(pupil, columns, current, before) for pupil in course_pupils],
        "levels": levels(),
        "codes": codes(),
        "known_text": ngettext("%(num)d élève connu", "%(num)d élèves connus", len(course_pupils)),
        "save_url": here("save_cells", activity_id=activity.id),
        "poll_url": here("poll_cells", activity_id=activity.id),
        "comment_url": here("save_comment", activity_id=activity.id),
        "cursor": newest or 0,
        "csrf": csrf_token(),
        "colleagues": _colleagues(current, {column.id: column.code for column in columns}),
        "one_url": _one_url(activity),
        "edit_url": here("edit_activity", activity_id=activity.id) if visit().may(May.TEACH) else None,
        "read_only": activity.archived_at is not None,
        "saved_text": _("Enregistré à %(hour)s", hour=clock(utcnow())) if saved else "",
        "errors": [],
        "rejected": {},
    }
    return render_template("grid.html", **(values | more))


def _one_url(activity: Activity) -> Callable[[int], str]:
    return lambda person_id: here("one_pupil", activity_id=activity.id, person_id=person_id)


def _column(link: ActivityCompetence) -> Column:
    observed = [_observed(o.item) for o in link.observed]
    kinds = sorted({o.kind_text for o in observed}, reverse=True)
    return Column(
        id=link.item.id,
        code=link.item.code,
        label=_short(link.item.label or link.item.statement),
        name=link.item.label or link.item.statement,
        statement=link.item.statement,
        observed=sorted(observed, key=lambda o: kinds.index(o.kind_text)),
    )


def _short(label: str) -> str:
    """« Rechercher le besoin… »: whole words that fit above a column."""
    if len(label) <= SHORT_LABEL:
        return label
    words = label.split()
    kept = words[:1]
    while len(" ".join([*kept, words[len(kept)]])) <= SHORT_LABEL - 2:
        kept.append(words[len(kept)])
    while len(kept) > 1 and len(kept[-1]) <= 3:
        kept.pop()
    return " ".join(kept) + "…"


def _observed(item: FrameworkItem) -> Observed:
    if item.type == "subcompetence":
        return Observed(item.statement, "", _("Sous-compétences retenues"))
    side = item.framework.short_title
    return Observed(item.statement, side, _("Critères %(side)s retenus", side=side))


def _row(
    pupil: Pupil,
    columns: list[Column],
    current: dict[tuple[int, int], Assessment],
    before: dict[tuple[int, int], Observation],
) -> Row:
    me = visit().person.id
    shown = []
    for column in columns:
        row = current.get((pupil.person_id, column.id))
        previous = _previous_text(before.get((pupil.person_id, column.id)))
        if row is None:
            shown.append(Cell(previous_text=previous))
        else:
            by = initials(row.assessor) if row.assessor_id != me and row.value else ""
            shown.append(Cell(row.value, row.comment, row.id, by, previous))
    return Row(pupil.person_id, pupil.name, shown)


def _previous(activity: Activity, item_ids: list[int]) -> dict[tuple[int, int], Observation]:
    """For each cell, the pupil's latest turn in another activity, up to this one's date."""
    found: dict[tuple[int, int], Observation] = {}
    for observation in observations(db.session, activity.course_id, item_ids=item_ids):
        other = observation.activity
        if other.id != activity.id and other.starts_on <= activity.starts_on:
            found[observation.person_id, observation.item_id] = observation
    return found


def _previous_text(observation: Observation | None) -> str:
    if observation is None:
        return ""
    return _(
        "Avant\u00a0: %(level)s le %(day)s, %(complexity)s",
        level=observation.level,
        day=plain_date(observation.activity.starts_on),
        complexity=complexity_words()[observation.activity.complexity],
    )


# ----- one pupil at a time: a tablet or a phone, during a role-play -----


@page("/activities/<id:activity_id>/grid/<id:person_id>", may=May.ASSESS)
def one_pupil(activity_id: int, person_id: int) -> str:
    """The cells of one pupil, large."""
    activity = find_activity(db.session, visit().course, activity_id)
    course_pupils = pupils(db.session, activity.course_id)
    place = next((n for n, pupil in enumerate(course_pupils) if pupil.person_id == person_id), None)
    if place is None:
        raise NotFound("no such pupil in this course")
    columns = [_column(link) for link in activity.competences]
    row = _row(
        course_pupils[place],
        columns,
        cells(db.session, activity.id),
        _previous(activity, [c.id for c in columns]),
    )
    url = _one_url(activity)
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
        read_only=activity.archived_at is not None,
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
    _saved, refused = _save(activity, entries)
    if refused:
        raise NotFound("no such pupil in this course")
    if request.form.get("then") == "next":
        return redirect(_next_url(activity, person_id), 303)
    return redirect(here("one_pupil", activity_id=activity.id, person_id=person_id, saved=1), 303)


def _next_url(activity: Activity, person_id: int) -> str:
    ids = [pupil.person_id for pupil in pupils(db.session, activity.course_id)]
    following = ids[ids.index(person_id) + 1 :] if person_id in ids else []
    return _one_url(activity)(following[0]) if following else here("grid", activity_id=activity.id)
