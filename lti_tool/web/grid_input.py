"""What comes in from a grid: a form without scripts, or a script's entries. Anything else is refused whole."""

from __future__ import annotations

import uuid
from contextlib import suppress
from typing import Any, TypeGuard

import sqlalchemy as sa
from flask import request
from flask_babel import gettext as _
from werkzeug.exceptions import BadRequest

from ..activities.models import Activity
from ..assessment.entries import NewEntry, Refused, cells
from ..assessment.models import Assessment
from ..db import db
from .guard import LARGEST_ID, row_id

MOST_ENTRIES = 500
MOST_OBSERVED = 200


def typed_cells(activity: Activity) -> dict[str, NewEntry]:
    """The cells a form changed, by input name.

    The hidden `e-…` says which entry the page was drawn with: a cell that a colleague filled since is only overwritten
    by somebody who typed in it.
    """
    current = cells(db.session, activity.id)
    places = {name: place for name in request.form if (place := _place(name)) is not None}
    drawn = drawn_entries(activity, [request.form.get(f"e-{p}-{i}", "0") for p, i in places.values()])
    found = {}
    for name, (person_id, item_id) in places.items():
        value = request.form[name]
        now = current.get((person_id, item_id))
        was = drawn.get(request.form.get(f"e-{person_id}-{item_id}", "0"))
        if value.strip().upper() not in (was.value if was else "", now.value if now else None):
            found[name] = NewEntry(str(uuid.uuid4()), person_id, item_id, value)
    return found


def _place(name: str) -> tuple[int, int] | None:
    """The (person, competence) of an input `c-12-34`; None for any other."""
    kind, _dash, place = name.partition("-")
    person, _dash, item = place.partition("-")
    try:
        return (row_id(person), row_id(item)) if kind == "c" else None
    except ValueError:
        return None


def drawn_entries(activity: Activity, entries: list[str]) -> dict[str, Assessment]:
    """The entries that a page was drawn with, by what its hidden inputs say."""
    ids = set()
    for entry in entries:
        with suppress(ValueError):
            ids.add(row_id(entry))
    rows = db.session.scalars(
        sa.select(Assessment).where(Assessment.id.in_(ids), Assessment.activity_id == activity.id)
    )
    return {str(row.id): row for row in rows}


def read_entries() -> tuple[list[NewEntry], int]:
    """The entries of a script's request, and the newest entry it knows. Raises `BadRequest` for anything else."""
    try:
        body = request.get_json(silent=True)
    except RecursionError as error:
        raise BadRequest from error
    if not isinstance(body, dict) or not isinstance(body.get("entries"), list):
        raise BadRequest
    since = body.get("since", 0)
    nothing_known = since == 0 and not isinstance(since, bool)
    if len(body["entries"]) > MOST_ENTRIES or not (nothing_known or _is_id(since)):
        raise BadRequest
    return [_parse_entry(entry) for entry in body["entries"]], since


def _parse_entry(entry: Any) -> NewEntry:
    if not isinstance(entry, dict):
        raise BadRequest
    key, person, item = entry.get("key"), entry.get("person"), entry.get("competence")
    value, comment, observed = entry.get("value"), entry.get("comment"), entry.get("observed")
    if not (_is_id(person) and _is_id(item)):
        raise BadRequest
    if not (isinstance(key, str) and isinstance(value, str | None) and isinstance(comment, str | None)):
        raise BadRequest
    if not (observed is None or _are_ids(observed)):
        raise BadRequest
    if value is None and comment is None and observed is None:
        raise BadRequest
    # What no database can store: half of a surrogate pair, NUL.
    texts = [
        text.replace("\x00", "").encode("utf-8", "replace").decode()
        for text in (key, value or "", comment or "")
    ]
    return NewEntry(
        texts[0],
        person,
        item,
        None if value is None else texts[1],
        None if comment is None else texts[2],
        None if observed is None else tuple(observed),
    )


def _is_id(value: Any) -> TypeGuard[int]:
    return isinstance(value, int) and not isinstance(value, bool) and 0 < value <= LARGEST_ID


def _are_ids(value: Any) -> bool:
    return isinstance(value, list) and len(value) <= MOST_OBSERVED and all(map(_is_id, value))


def named_refusal(entry: NewEntry, refused: Refused, activity: Activity, people: dict[int, str]) -> str:
    """The sentence of a refused cell, with where it is."""
    code = next((link.item.code for link in activity.competences if link.item_id == entry.item_id), "?")
    return _(
        "%(who)s, %(code)s\u00a0: %(why)s",
        who=people.get(entry.person_id, "?"),
        code=code,
        why=refused.message,
    )
