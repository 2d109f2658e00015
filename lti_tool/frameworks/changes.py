"""What writing a referential would change in the one that the database holds. Plain values, no database."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from .data import ItemData, ReferentialData, RetiredItem, named, with_parents

DOCUMENT_FIELDS = ("title", "short_title", "language", "version", "position", "source", "guide")
ITEM_FIELDS = ("type", "code", "label", "statement", "notes", "also_under", "pairing_unknown", "replaced_by")


@dataclass(frozen=True)
class FieldChange:
    """One value that becomes another."""

    name: str
    old: Any
    new: Any


@dataclass(frozen=True)
class ItemChange:
    """An item that stays, and what changes in it."""

    item: ItemData
    fields: list[FieldChange]


@dataclass(frozen=True)
class Move:
    """An item that stands elsewhere: under another one, or at another rank under the same (`old` is `new`)."""

    item: ItemData
    old: ItemData | None
    new: ItemData | None


@dataclass(frozen=True)
class Link:
    """A link, or one destination of a « voir aussi », by what it says."""

    origin: str
    """An identifier."""
    destination: str
    """An identifier; empty for a remark that leads nowhere."""
    words: str
    """The link's grouping; the remark's side, type and text."""


@dataclass(frozen=True)
class Changes:
    """Everything that would change; all empty when nothing would."""

    new: bool
    """The referential is not in the database yet."""
    document: list[FieldChange]
    added: list[ItemData]
    changed: list[ItemChange]
    moved: list[Move]
    retired: list[ItemData]
    brought_back: list[ItemData]
    links_added: list[Link]
    links_removed: list[Link]
    reordered: bool
    """The links are the same, in another order."""

    @property
    def nothing(self) -> bool:
        """Whether the database holds just that already."""
        lists = (self.document, self.added, self.changed, self.moved, self.retired, self.brought_back)
        return not (self.new or self.reordered or self.links_added or self.links_removed or any(lists))


def changes(stored: ReferentialData | None, coming: ReferentialData) -> Changes:
    """What makes `stored` into `coming`. An item that is no longer there is retired; one that was stays retired."""
    before = {item.uuid: item for item in stored.walk()} if stored else {}
    now = {item.uuid: item for item in coming.walk()}
    both = [(before[uuid], item) for uuid, item in now.items() if uuid in before]
    gone = [item for uuid, item in before.items() if uuid not in now and not isinstance(item, RetiredItem)]
    old_links, new_links = (_links(one) if one else [] for one in (stored, coming))
    links_added, links_removed = _beyond(new_links, old_links), _beyond(old_links, new_links)
    return Changes(
        new=stored is None,
        document=_fields(stored, coming, DOCUMENT_FIELDS) if stored else [],
        added=[item for uuid, item in now.items() if uuid not in before],
        changed=[ItemChange(new, found) for old, new in both if (found := _fields(old, new, ITEM_FIELDS))],
        moved=_moves(stored, coming) if stored else [],
        retired=gone + [new for old, new in both if _is_retired(new) and not _is_retired(old)],
        brought_back=[new for old, new in both if _is_retired(old) and not _is_retired(new)],
        links_added=links_added,
        links_removed=links_removed,
        reordered=not links_added and not links_removed and old_links != new_links,
    )


def _is_retired(item: ItemData) -> bool:
    return isinstance(item, RetiredItem)


def _fields(old: object, new: object, fields: tuple[str, ...]) -> list[FieldChange]:
    values = ((name, getattr(old, name), getattr(new, name)) for name in fields)
    return [FieldChange(name, before, now) for name, before, now in values if before != now]


def _beyond(these: list[Link], those: list[Link]) -> list[Link]:
    known = set(those)
    return [link for link in these if link not in known]


def _links(data: ReferentialData) -> list[Link]:
    """Links, then « voir aussi », each by what it says."""
    uuids = named(data.walk())
    found = [
        Link(uuids.get(link.origin, link.origin), destination, link.grouping)
        for link in data.links
        for destination, _where in link.destinations
    ]
    for one in data.see_also:
        origin = uuids.get(one.origin, one.origin)
        words = " · ".join(part for part in (one.side, one.type, one.text) if part)
        found += [Link(origin, uuids.get(code, code) if code else "", words) for code in one.to or [""]]
    return found


def _moves(stored: ReferentialData, coming: ReferentialData) -> list[Move]:
    """Items in force before and after that stand under another one, or that were passed by their neighbours."""
    before, now = _standing(stored), _standing(coming)
    old_rank = {uuid: rank for rank, uuid in enumerate(before)}
    items, olds = ({item.uuid: item for item in one.walk()} for one in (coming, stored))
    neighbours: dict[str, list[str]] = {}
    for uuid, parent in now.items():
        if before.get(uuid) == parent:
            neighbours.setdefault(parent, []).append(uuid)
    passed = {u for same in neighbours.values() for u in same} - {
        uuid for same in neighbours.values() for uuid in _longest_in_order(same, old_rank)
    }
    return [
        Move(items[uuid], olds.get(before[uuid]), items.get(parent))
        for uuid, parent in now.items()
        if uuid in passed or before.get(uuid, parent) != parent
    ]


def _standing(data: ReferentialData) -> dict[str, str]:
    """The parent of each item in force, in order."""
    pairs = with_parents(data.items, "")
    return {item.uuid: parent for item, parent in pairs if not isinstance(item, RetiredItem)}


def _longest_in_order(uuids: Iterable[str], rank: dict[str, int]) -> list[str]:
    """The longest part of a sequence that is in the order of the ranks: what moved is the rest."""
    ends: list[str] = []
    before: dict[str, str | None] = {}
    for uuid in uuids:
        place = bisect_left(ends, rank[uuid], key=rank.__getitem__)
        before[uuid] = ends[place - 1] if place else None
        ends[place : place + 1] = [uuid]
    found: list[str] = []
    last = ends[-1] if ends else None
    while last is not None:
        found.append(last)
        last = before[last]
    return found[::-1]
