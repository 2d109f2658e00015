"""What an import would change, in lines of text: counts first, then each change."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from .frameworks.changes import Changes, FieldChange, Link, Move
from .frameworks.data import ItemData, ReferentialData, RetiredItem
from .frameworks.importing import Import

NOWHERE = "the top"


def lines(found: Import, coming: Changes, held: list[ReferentialData]) -> Iterator[str]:
    """What to print of an import; `held` is what the database holds, to name what links lead to."""
    kind = "CASE package" if found.is_case else "YAML file"
    yield _plain(f"{found.data.slug} · {found.data.title} ({kind}{', new here' if coming.new else ''})")
    if coming.nothing:
        yield "nothing changes"
    else:
        yield _counts(coming)
        yield from _changes(coming, _Names([*held, found.data]))
    if found.left_aside:
        aside = ", ".join(f"{count} {_plain(type_)}" for type_, count in sorted(found.left_aside.items()))
        yield f"not taken from the package: {aside}"
    if found.unknown_links:
        yield f"links left aside, that lead to no item known here: {len(found.unknown_links)}"


def _counts(coming: Changes) -> str:
    numbers = {
        "added": len(coming.added),
        "changed": len(coming.changed),
        "moved": len(coming.moved),
        "retired": len(coming.retired),
        "brought back": len(coming.brought_back),
        "links added": len(coming.links_added),
        "links removed": len(coming.links_removed),
        "document fields": len(coming.document),
    }
    said = ", ".join(f"{number} {name}" for name, number in numbers.items())
    return said + (", links in another order" if coming.reordered else "")


def _changes(coming: Changes, name: _Names) -> Iterator[str]:
    for field in coming.document:
        yield f"document  {_field(field)}"
    for item in coming.added:
        yield f"added  {name.item(item)}{' (retired)' if isinstance(item, RetiredItem) else ''}"
    for change in coming.changed:
        for field in change.fields:
            yield f"changed  {name.item(change.item)}  {_field(field)}"
    for move in coming.moved:
        yield f"moved  {name.item(move.item)}  {_move(move)}"
    for item in coming.retired:
        yield f"retired  {name.item(item)}"
    for item in coming.brought_back:
        yield f"brought back  {name.item(item)}"
    for link in coming.links_added:
        yield f"link added  {name.link(link)}"
    for link in coming.links_removed:
        yield f"link removed  {name.link(link)}"


class _Names:
    """How to speak of the items of some referentials."""

    def __init__(self, referentials: list[ReferentialData]) -> None:
        self._items = {item.uuid: (item, one.slug) for one in referentials for item in one.walk()}

    def item(self, item: ItemData) -> str:
        label = f"{item.code} {item.label or item.statement}".strip()
        return f"{item.uuid}  {item.type}  {_plain(label)}"

    def link(self, link: Link) -> str:
        words = f"  ({_plain(link.words)})" if link.words else ""
        end = f" → {self._end(link.destination)}" if link.destination else ""
        return f"{self._end(link.origin)}{end}{words}"

    def _end(self, uuid: str) -> str:
        if uuid not in self._items:
            return uuid
        item, slug = self._items[uuid]
        return _plain(f"{slug} {item.code or item.statement}") + f" ({uuid})"


def _move(move: Move) -> str:
    old, new = (_plain(one.code or one.statement) if one else NOWHERE for one in (move.old, move.new))
    same = (move.old and move.old.uuid) == (move.new and move.new.uuid)
    return f"another rank under {new}" if same else f"{old} → {new}"


def _field(field: FieldChange) -> str:
    return f"{field.name}: {_value(field.old)} → {_value(field.new)}"


def _value(value: Any) -> str:
    if isinstance(value, str):
        return f"« {_plain(value)} »"
    return _plain(json.dumps(value, ensure_ascii=False))


def _plain(text: str) -> str:
    """The text on one line, without what would act on a terminal."""
    return "".join(char for char in " ".join(text.split()) if char.isprintable() or char == " ")
