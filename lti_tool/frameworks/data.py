"""A referential as plain frozen data: what is read from a file or from the database, and written to either."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ITEM_TYPES = (
    "competence_group",
    "competence",
    "subcompetence",
    "behaviour",
    "knowledge",
    "knowledge_limit",
    "resource",
    "relation",
    "expected_result",
    "criterion",
)
LONGEST_STATEMENT = 2000
LONGEST_CODE, LONGEST_LABEL, LONGEST_SHORT, LONGEST_LANGUAGE = 16, 255, 64, 16
"""`LONGEST_SHORT`: of a slug, a short title, a version, a grouping."""
DEEPEST = 32
"""Levels of items; the deepest of the shipped referentials has four."""

Where = int | str
"""Where something was read: a line of a YAML file, a path in a CASE package (`CFItems[3]`), 0 in the database."""


@dataclass(frozen=True)
class ItemData:
    """One item of the file, its children included."""

    uuid: str
    type: str
    code: str
    label: str
    statement: str
    notes: list[str]
    also_under: list[str]
    pairing_unknown: bool
    items: list[ItemData]
    line: Where
    replaced_by: str = ""
    """The identifier of what took its place; only a retired item has one."""

    def walk(self) -> Iterator[ItemData]:
        """The item, then all below it, depth first."""
        yield self
        for child in self.items:
            yield from child.walk()


@dataclass(frozen=True)
class RetiredItem(ItemData):
    """An item no longer in force, that the database keeps because results may hang on it. So is all below it."""


@dataclass(frozen=True)
class LinkData:
    """The items that one item is related to in one referential, in the source's order."""

    origin: str
    """A code, or the identifier of an item whose code does not name it alone: see `named`."""
    to_slug: str
    grouping: str
    destinations: list[tuple[str, Where]]
    """UUID and where it was read."""
    line: Where


@dataclass(frozen=True)
class SeeAlsoData:
    """A « voir aussi » of the source; `to` holds codes, none for a plain remark."""

    origin: str
    side: str
    type: str
    to: list[str]
    text: str
    line: Where


@dataclass(frozen=True)
class ReferentialData:
    """A whole referential, checked on its own. `check_together` checks what crosses files."""

    path: Path
    slug: str
    uuid: str
    title: str
    short_title: str
    language: str
    version: str
    position: int
    source: dict[str, Any]
    guide: dict[str, Any]
    items: list[ItemData]
    links: list[LinkData]
    see_also: list[SeeAlsoData]
    checksum: str

    def walk(self) -> Iterator[ItemData]:
        """All items, depth first."""
        for item in self.items:
            yield from item.walk()


def with_parents(items: list[ItemData], parent: str) -> Iterator[tuple[ItemData, str]]:
    """The items with their parent's identifier, depth first; `parent` for those at the top."""
    for item in items:
        yield item, parent
        yield from with_parents(item.items, item.uuid)


def named(items: Iterable[ItemData]) -> dict[str, str]:
    """The identifiers that links may use: by code for an item in force that is alone to have it, and by themselves."""
    force = [item for item in items if not isinstance(item, RetiredItem)]
    codes = Counter(item.code for item in force)
    by_code = {item.code: item.uuid for item in force if item.code and codes[item.code] == 1}
    return {item.uuid: item.uuid for item in force} | by_code


def names(items: Iterable[ItemData]) -> dict[str, str]:
    """How links name each item in force, by identifier: its code when it is alone to have it, else its identifier."""
    return {uuid: name for name, uuid in named(items).items()}
