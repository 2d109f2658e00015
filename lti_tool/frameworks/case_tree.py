"""The tree of a CASE package, from its `isChildOf` associations."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from .case_values import Object
from .checks import Problems
from .data import DEEPEST


@dataclass(frozen=True)
class Place:
    """Where an item stands, and what is below it."""

    uuid: str
    below: list[Place]

    def walk(self) -> Iterator[str]:
        """The identifiers of the item and of all below it."""
        yield self.uuid
        for place in self.below:
            yield from place.walk()


class Tree:
    """Gathers who is a child of whom; the first parent written is the item's place, the others are `also_under`."""

    def __init__(self, document: str, items: dict[str, Object], problems: Problems) -> None:
        self.document, self.items, self.problems = document, items, problems
        self.parents: dict[str, dict[str, tuple[float | None, str]]] = {uuid: {} for uuid in items}
        """By child, then by parent: the number among its children, and the path of the association."""

    def add(self, association: Object, ends: tuple[str, str], child: str, parent: str) -> None:
        """One `isChildOf`; written twice, the first counts."""
        if child not in self.items:
            association.add(ends[0], f"{child} is not an item of this package")
        elif parent not in self.items and parent != self.document:
            association.add(ends[1], f"{parent} is neither an item of this package nor its document")
        else:
            place = (association.number("sequenceNumber"), association.path)
            self.parents[child].setdefault(parent, place)

    def places(self, last: set[str]) -> list[Place]:
        """What is at the top, each with all that is below it; those of `last` come after the others.

        An item without a parent is at the top.
        """
        below: dict[str, list[str]] = {}
        for child, parents in self.parents.items():
            below.setdefault(next(iter(parents), self.document), []).append(child)
        for parent, children in below.items():
            children.sort(key=lambda child: self._rank(child, parent, last))
        levels, level = 0, below.get(self.document, [])
        reached = set(level)
        while level:
            levels += 1
            level = [child for parent in level for child in below.get(parent, [])]
            reached.update(level)
        self._report_circles([uuid for uuid in self.items if uuid not in reached])
        if levels > DEEPEST:
            self.problems.add("CFAssociations", f"nested too deeply: {levels} levels, at most {DEEPEST}")
            return []
        return [self._place(uuid, below) for uuid in below.get(self.document, [])]

    def others(self, child: str) -> list[str]:
        """The other items that an item is a child of."""
        return [parent for parent in list(self.parents[child])[1:] if parent != self.document]

    def _rank(self, child: str, parent: str, last: set[str]) -> tuple[bool, bool, float]:
        """By number; without one, after those that have one, in the order of the package (sorting is stable)."""
        number, _path = self.parents[child].get(parent, (None, ""))
        return child in last, number is None, number or 0

    def _place(self, uuid: str, below: dict[str, list[str]]) -> Place:
        return Place(uuid, [self._place(child, below) for child in below.get(uuid, [])])

    def _report_circles(self, unreached: list[str]) -> None:
        """Items that climbing never leads out of: each circle once, at the association that closes it."""
        done: set[str] = set()
        for uuid in unreached:
            path: dict[str, None] = {}
            while uuid not in done and uuid not in path:
                path[uuid] = None
                uuid = next(iter(self.parents[uuid]))
            if uuid in path:
                _number, where = self.parents[uuid][next(iter(self.parents[uuid]))]
                self.problems.add(where, f"{uuid} is below itself")
            done.update(path)
