"""What must hold inside one referential, whatever it was read from."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from ..errors import ReferentialError
from .data import ItemData, ReferentialData, RetiredItem, Where

UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
"""NUL and half characters: JSON and YAML can write them, a database cannot hold them."""

MOST_CODES = 10
"""Of one « voir aussi »: the database numbers them by tens."""


@dataclass
class Problems:
    """Collects everything that is wrong, so that one reading says it all."""

    name: str
    found: list[str] = field(default_factory=list)

    def add(self, where: Where, what: str) -> None:
        self.found.append(f"{self.name}:{where}: {what}")


def storable(text: str, where: Where, key: str, problems: Problems) -> str:
    """The text, or none and a problem."""
    if UNSTORABLE.search(text):
        problems.add(where, f"« {key} » holds a character that cannot be stored (NUL, or half of a pair)")
        return ""
    return text


def texts_within(value: Any) -> Iterator[str]:
    """Every text of a free value, its keys included."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for key, inner in value.items():
            yield from texts_within(key)
            yield from texts_within(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from texts_within(inner)


def is_json(value: Any) -> bool:
    """Whether a free value can be kept as JSON."""
    if isinstance(value, dict):
        return all(is_json(inner) for inner in value.values())
    if isinstance(value, list):
        return all(is_json(inner) for inner in value)
    if isinstance(value, float):
        return math.isfinite(value)
    return value is None or isinstance(value, str | int)


def check_alone(data: ReferentialData, problems: Problems) -> None:
    """Identifiers once each; codes that exist, and name one item wherever a link uses them; no link twice."""
    seen: dict[str, Where] = {}
    for item in data.walk():
        if item.uuid in seen:
            problems.add(item.line, f"identifier {item.uuid} is already used at {_at(seen[item.uuid])}")
        seen[item.uuid] = item.line
        if item.replaced_by == item.uuid:
            problems.add(item.line, "replaced_by: an item cannot replace itself")
    force = [item for item in data.walk() if not isinstance(item, RetiredItem)]
    codes = Counter(item.code for item in force if item.code)
    for item in force:
        for other in item.also_under:
            if other not in codes:
                problems.add(item.line, f"also_under: there is no « {other} » in this file")
    codes.update(item.uuid for item in force)
    _check_links(data, codes, problems)
    for reference in data.see_also:
        _check_code(reference.origin, reference.line, codes, problems, "from")
        if len(reference.to) > MOST_CODES:
            problems.add(reference.line, f"to: at most {MOST_CODES} codes")
        for code in reference.to:
            _check_code(code, reference.line, codes, problems, "to")


def _check_links(data: ReferentialData, codes: Counter[str], problems: Problems) -> None:
    linked: set[tuple[str, str]] = set()
    for link in data.links:
        _check_code(link.origin, link.line, codes, problems, "from")
        for destination, line in link.destinations:
            if (link.origin, destination) in linked:
                problems.add(line, f"{link.origin} is linked to {destination} already")
            linked.add((link.origin, destination))


def _check_code(code: str, line: Where, codes: Counter[str], problems: Problems, key: str) -> None:
    if codes[code] == 0:
        problems.add(line, f"{key}: there is no « {code} » in this file")
    elif codes[code] > 1:
        problems.add(
            line, f"{key}: {codes[code]} items of this file carry the code « {code} »: give them one each"
        )


def _at(where: Where) -> str:
    return f"line {where}" if isinstance(where, int) else where


def depth(items: list[ItemData]) -> int:
    """How many levels of items there are."""
    return 1 + max((depth(item.items) for item in items), default=0) if items else 0


def check_together(referentials: list[ReferentialData]) -> None:
    """Check what crosses files: identifiers once over all, links that lead to an item.

    Raises `ReferentialError` with every problem found.
    """
    found: list[str] = []
    owner: dict[str, str] = {}
    by_slug = {data.slug: data for data in referentials}
    if len(by_slug) < len(referentials):
        found.append("two files carry the same slug")
    for data in referentials:
        for item in data.walk():
            if owner.setdefault(item.uuid, data.slug) != data.slug:
                found.append(
                    f"{data.path.name}:{item.line}: identifier {item.uuid} is already used in {owner[item.uuid]}"
                )
    for data in referentials:
        for link in data.links:
            if link.to_slug not in by_slug:
                found.append(f"{data.path.name}:{link.line}: there is no referential « {link.to_slug} »")
                continue
            for destination, line in link.destinations:
                if owner.get(destination) != link.to_slug:
                    found.append(
                        f"{data.path.name}:{line}: {destination} is not an item of « {link.to_slug} »"
                    )
    if found:
        raise ReferentialError(found)
