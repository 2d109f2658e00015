"""A referential as a CASE 1.1 package, the form that other competence tools exchange.

Source: 1EdTech CASE 1.1, `CFPackageDType`. The objects are in `case_objects`, the scales in `case_rubrics`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from .case_objects import CHILD, RELATED, TYPES, Json, Node, Writer, by_code, line, said
from .case_rubrics import RubricScale, rubrics
from .data import ItemData, ReferentialData


def package(
    referential: ReferentialData,
    base_url: str,
    others: Iterable[ReferentialData] = (),
    scales: Iterable[RubricScale] = (),
) -> Json:
    """The CFPackage of a referential, ready for `json.dumps`; the same data gives the same package.

    `others` are the referentials its links lead to: CASE wants the title of what a link leads to (without them it is
    the referential's slug). `scales` are those its competences are assessed on. What the format has no place for is
    left out: `guide`, `see_also`, `pairing`.
    """
    titles = {item.uuid: Node.item(item).title for one in others for item in one.walk()}
    return Package(referential, base_url, titles, scales).whole()


class Package:
    """Writes one package. `titles` are those of the items of other referentials, by identifier."""

    def __init__(
        self,
        data: ReferentialData,
        base_url: str,
        titles: dict[str, str],
        scales: Iterable[RubricScale] = (),
    ) -> None:
        self.data, self.titles, self.scales = data, titles, scales
        self.writer = Writer(data, base_url)

    def whole(self) -> Json:
        """The CFPackage."""
        return said(
            {
                "CFDocument": self.writer.document(),
                "CFItems": [self.writer.item(item) for item in self.data.walk()],
                "CFAssociations": [*self.tree(), *self.links(), *self.replacements()],
                "CFDefinitions": self.definitions(),
                "CFRubrics": list(rubrics(self.writer, self.data.walk(), self.scales)),
            }
        )

    def tree(self) -> Iterator[Json]:
        """Each item is a child of the places where it is."""
        for place in places(self.data):
            yield self.writer.association(Node.item(place.item), CHILD, place.under, place.number)

    def links(self) -> Iterator[Json]:
        """What the referential's items are related to elsewhere, in the source's order."""
        codes = by_code(self.data.walk())
        for link in self.data.links:
            origin = Node.item(codes[link.origin])
            for number, (identifier, _file_line) in enumerate(link.destinations, 1):
                destination = Node("CFItems", identifier, self.titles.get(identifier, link.to_slug))
                yield self.writer.association(origin, RELATED, destination, number, line(link.grouping))

    def replacements(self) -> Iterator[Json]:
        """What took the place of the items that are no longer in force."""
        own = {item.uuid: item for item in self.data.walk()}
        for item in own.values():
            if item.replaced_by in own:
                yield self.writer.replacement(item, Node.item(own[item.replaced_by]))
            elif item.replaced_by:
                title = self.titles.get(item.replaced_by, item.replaced_by)
                yield self.writer.replacement(item, Node("CFItems", item.replaced_by, title))

    def definitions(self) -> Json:
        """The types and the groupings that the package's objects name."""
        used = {item.type for item in self.data.walk()}
        groupings = dict.fromkeys(
            line(link.grouping) for link in self.data.links if link.grouping and link.destinations
        )
        return said(
            {
                "CFItemTypes": [self.writer.addresses.item_type(type_) for type_ in TYPES if type_ in used],
                "CFAssociationGroupings": [self.writer.grouping(title) for title in groupings],
            }
        )


class Place(NamedTuple):
    """An item somewhere in the tree, and its number among the children there."""

    item: ItemData
    under: Node
    number: int


def places(data: ReferentialData) -> Iterator[Place]:
    """Where each item is: under its parent (the document at the top), then in the other parts it belongs to.

    Children are numbered in the order of the whole referential, as the pages show them.
    """
    numbers: Counter[str] = Counter()
    codes = by_code(data.walk()) | by_code(item for item in data.walk() if item.type == "competence_group")
    for item, parent in _with_parents(data.items, Node.document(data)):
        others = [Node.item(codes[code]) for code in item.also_under if code in codes]
        for under in dict.fromkeys([parent, *others]):
            numbers[under.uuid] += 1
            yield Place(item, under, numbers[under.uuid])


def _with_parents(items: list[ItemData], parent: Node) -> Iterator[tuple[ItemData, Node]]:
    """The items with their parent, depth first."""
    for item in items:
        yield item, parent
        yield from _with_parents(item.items, Node.item(item))
