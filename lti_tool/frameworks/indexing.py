"""The indexes that searches read: plain text in memory, built once per process for each state of the referentials.

A referential that changes has another checksum, and so another index.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from .folding import fold
from .guide import guide_of
from .models import Framework, FrameworkItem, ItemAssociation
from .search import GUIDE, REFERENTIAL, Entry, Index
from .sheets import COMPETENCE, GROUP

INDEXES_KEPT = 8

_indexes: OrderedDict[tuple[object, ...], Index] = OrderedDict()
_lock = threading.Lock()


def index_of(session: Session, own: Sequence[Framework], linked: Sequence[Framework], language: str) -> Index:
    """The index of a course's own referentials and those they lead to; built when this process has none."""
    key = (language, *((one.uuid, one.checksum) for one in (*own, *linked)))
    with _lock:
        index = _indexes.get(key)
        if index is None:
            index = _indexes[key] = build_index(session, own, linked, language)
        _indexes.move_to_end(key)
        while len(_indexes) > INDEXES_KEPT:
            _indexes.popitem(last=False)
    return index


def build_index(
    session: Session, own: Sequence[Framework], linked: Sequence[Framework], language: str
) -> Index:
    """Read everything and fold it, the guide in the reader's language. Two queries."""
    frameworks = list(dict.fromkeys([*own, *linked]))
    rows = _rows(session, frameworks)
    competences = _competences_of(session, own, rows)
    entries = [_referential_entry(one) for one in frameworks]
    for one in frameworks:
        entries += [
            _item_entry(one, row, rows, competences.get(row.id, ()))
            for row in rows.values()
            if row.framework_id == one.id and not row.retired
        ]
    return Index([*entries, *(entry for one in own for entry in _guide_entries(one, language))])


def _rows(session: Session, frameworks: list[Framework]) -> dict[int, Any]:
    found = session.execute(
        sa.select(
            FrameworkItem.id,
            FrameworkItem.uuid,
            FrameworkItem.framework_id,
            FrameworkItem.parent_id,
            FrameworkItem.type,
            FrameworkItem.code,
            FrameworkItem.label,
            FrameworkItem.statement,
            FrameworkItem.notes,
            FrameworkItem.also_under,
            FrameworkItem.retired,
        )
        .where(FrameworkItem.framework_id.in_([one.id for one in frameworks]))
        .order_by(FrameworkItem.position)
    )
    return {row.id: row for row in found}


def _competences_of(
    session: Session, own: Sequence[Framework], rows: dict[int, Any]
) -> dict[int, tuple[str, ...]]:
    """For each item, the codes of the competences it is part of or that lead to it or below it, in their order."""
    found: dict[int, dict[str, None]] = {}
    owners = [one.id for one in own]
    links: dict[int, list[int]] = {}
    for link in session.execute(
        sa.select(ItemAssociation.origin_id, ItemAssociation.destination_id).where(
            ItemAssociation.framework_id.in_(owners)
        )
    ):
        links.setdefault(link.origin_id, []).append(link.destination_id)
    for row in rows.values():
        if row.framework_id not in owners or row.retired:
            continue
        competence = next((one for one in _upwards(row, rows) if one.type == COMPETENCE), None)
        if competence is not None:
            found.setdefault(row.id, {})[competence.code] = None
        for destination in links.get(row.id, []):
            for above in _upwards(rows.get(destination), rows):
                found.setdefault(above.id, {})[row.code] = None
    return {number: tuple(codes) for number, codes in found.items()}


def _upwards(row: Any, rows: dict[int, Any]) -> Iterator[Any]:
    """An item, then all that it is in."""
    while row is not None:
        yield row
        row = rows.get(row.parent_id)


# ----- entries -----


def _entry(
    framework: Framework,
    type_: str,
    text: str,
    *,
    uuid: str = "",
    code: str = "",
    name: str = "",
    notes: Sequence[str] = (),
    parts: Sequence[str] = (),
    competences: Sequence[str] = (),
) -> Entry:
    """An entry, with its words folded."""
    # A group whose code is a bare number is shown, and asked for, as « Groupe 1 ».
    codes = [code, f"Groupe {code}"] if type_ == GROUP and code.isdigit() else [code]
    folded_codes = frozenset(fold(one).strip() for one in codes if one)
    return Entry(
        type=type_,
        framework=framework.slug,
        short_title=framework.short_title,
        uuid=uuid,
        code=code,
        name=name,
        text=text,
        notes=tuple(notes),
        parts=tuple(parts),
        competences=tuple(competences),
        codes=folded_codes,
        names=folded_codes | {fold(name or text).strip()},
        heading=fold(f"{code} {name}"),
        folded=fold(" ".join([*codes, name, text, *notes])),
        nearby=fold(" ".join([framework.short_title, *parts, *competences])),
    )


def _referential_entry(framework: Framework) -> Entry:
    return _entry(framework, REFERENTIAL, framework.title, code=framework.short_title)


def _item_entry(framework: Framework, row: Any, rows: dict[int, Any], competences: Sequence[str]) -> Entry:
    own = [one.code for one in _upwards(rows.get(row.parent_id), rows) if one.type == GROUP][:1]
    return _entry(
        framework,
        row.type,
        row.statement,
        uuid=row.uuid,
        code=row.code,
        name=row.label,
        notes=row.notes,
        parts=list(dict.fromkeys([*own, *row.also_under])),
        competences=competences,
    )


def _guide_entries(framework: Framework, language: str) -> Iterator[Entry]:
    guide = guide_of(framework, language)
    for line in (*guide.bases, *guide.logics, *guide.vocabulary):
        # A word is looked for as the statements say it, too.
        yield _entry(framework, GUIDE, line.text, name=line.name, notes=[line.term] if line.term else ())
