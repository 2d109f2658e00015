"""Reading a CASE 1.0 or 1.1 package, as Spirale, OpenSALT and others write them: plain frozen data, or every problem.

What is tolerated is documented in `docs/referentials.md`. A problem says its path: ``CFItems[3].identifier``.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

from ..errors import ReferentialError
from .case_objects import CHILD, CREATOR, NO_DATE, RELATED, REPLACED
from .case_tree import Place, Tree
from .case_types import GROUP, by_place, type_codes, type_said
from .case_values import Json, Object
from .checks import Problems, check_alone
from .data import (
    LONGEST_CODE,
    LONGEST_LABEL,
    LONGEST_LANGUAGE,
    LONGEST_SHORT,
    LONGEST_STATEMENT,
    ItemData,
    LinkData,
    ReferentialData,
    RetiredItem,
    names,
)

TYPES_OF_ASSOCIATION = {
    "childof": (CHILD, False),
    "parentof": (CHILD, True),
    "relatedto": (RELATED, False),
    "replacedby": (REPLACED, False),
    "replaces": (REPLACED, True),
}
"""The types we take, without « is », case nor spaces; True: written from the other end."""


@dataclass(frozen=True)
class PackageRead:
    """What a package says; its slug, short title and position are empty: CASE has no place for them."""

    data: ReferentialData
    left_aside: dict[str, int]
    """How many associations were not taken, by type."""
    unknown_links: list[str]
    """The problems of links that lead to no item known here."""


def read_package(
    package: Json,
    path: Path,
    checksum: str,
    *,
    owners: dict[str, str],
    known_types: dict[str, str],
    today: date | None = None,
) -> PackageRead:
    """The referential of a package. Raises `ReferentialError` with one line per problem: ``file:path: what is wrong``.

    `owners` are the slugs of the referentials that hold the items known here, `known_types` the types of those that the
    database holds for this one: they stand where the package names none that we know.
    """
    problems = Problems(path.name)
    read = _Package(Object(package, "", problems), problems, owners, known_types, today or date.today())  # noqa: DTZ011
    data = read.whole(path, checksum)
    if problems.found:
        raise ReferentialError(problems.found)
    check_alone(data, problems)
    if problems.found:
        raise ReferentialError(problems.found)
    left_aside = {type_: count for type_, count in read.left_aside.items() if count}
    return PackageRead(data, left_aside, read.unknown.found)


class _Package:
    """Reads one package."""

    def __init__(
        self,
        top: Object,
        problems: Problems,
        owners: dict[str, str],
        known_types: dict[str, str],
        today: date,
    ) -> None:
        self.problems, self.owners, self.known_types = problems, owners, known_types
        self.unknown, self.left_aside = Problems(problems.name), Counter[str]()
        value = top.value.get("CFDocument")
        if not isinstance(value, dict):
            raise ReferentialError([f"{problems.name}:CFDocument: must be an object"])
        self.document = Object(value, "CFDocument", problems)
        self.uuid = self.document.identifier()
        self.last_change = self.document.day("lastChangeDateTime")
        self.now = max(today, self.last_change or today)
        self.items = self.identified(top.objects("CFItems"))
        defined = top.value.get("CFDefinitions")
        definitions = Object(defined if isinstance(defined, dict) else {}, "CFDefinitions", problems)
        self.types = type_codes(definitions.objects("CFItemTypes"))
        self.groupings = {
            one.link("identifier").identifier: one.text("title")
            for one in definitions.objects("CFAssociationGroupings")
        }
        self.tree = Tree(self.uuid, self.items, problems)
        self.replaced: dict[str, str] = {}
        self.related: list[tuple[str, str, str, float | None, str]] = []
        # Without all the items, most associations would be said to lead nowhere.
        for association in top.objects("CFAssociations") if not problems.found else []:
            self.associate(association)

    def identified(self, objects: list[Object]) -> dict[str, Object]:
        """The items by identifier."""
        found: dict[str, Object] = {}
        for one in objects:
            identifier = one.identifier()
            if identifier and (identifier in found or identifier == self.uuid):
                first = found[identifier].path if identifier in found else self.document.path
                one.add("identifier", f"{identifier} is already used at {first}")
            elif identifier:
                found[identifier] = one
        if not objects and not self.problems.found:
            self.problems.add("CFItems", "holds no item")
        return found

    def associate(self, association: Object) -> None:
        """Take one association: a place in the tree, a link, a replacement; the others are counted."""
        written = association.text("associationType")
        if not written:
            association.add("associationType", "is missing")
            return
        type_, backwards = TYPES_OF_ASSOCIATION.get(
            re.sub("[^a-z]", "", written.lower()).removeprefix("is"), ("", False)
        )
        if not type_:
            self.left_aside[written] += 1
            return
        ends = ("originNodeURI", "destinationNodeURI")
        origin, destination = (association.link(key, needed=type_ == CHILD).identifier for key in ends)
        if backwards:
            origin, destination, ends = destination, origin, (ends[1], ends[0])
        if type_ == CHILD:
            if origin and destination:
                self.tree.add(association, ends, origin, destination)
        elif origin not in self.items:
            self.unknown.add(association.at(ends[0]), f"« {origin} » is not an item of this package")
        elif type_ == REPLACED and destination:
            self.replaced.setdefault(origin, destination)
        elif destination not in self.items and destination not in self.owners:
            self.unknown.add(
                association.at(ends[1]), f"« {destination} » is an item of no referential known here"
            )
        else:
            number = association.number("sequenceNumber")
            self.related.append((origin, destination, self.grouping(association), number, association.path))

    def grouping(self, association: Object) -> str:
        link = association.link("CFAssociationGroupingURI")
        return cut(self.groupings.get(link.identifier) or link.title, LONGEST_SHORT)

    # ----- the data -----

    def whole(self, path: Path, checksum: str) -> ReferentialData:
        ended = {uuid for uuid, item in self.items.items() if self.ended(item)} | set(self.replaced)
        items = [self.item(place, "", ended) for place in self.tree.places(ended)]
        title = self.document.text("title")
        self.document.needs("title", title)
        data = ReferentialData(
            path=path,
            slug="",
            uuid=self.uuid,
            title=title,
            short_title="",
            language=self.language(),
            version=self.document.text("version", longest=LONGEST_SHORT),
            position=0,
            source=self.source(),
            guide={},
            items=self.with_other_parts(items),
            links=[],
            see_also=[],
            checksum=checksum,
        )
        return replace(data, links=self.links(data))

    def ended(self, item: Object) -> bool:
        """Whether its time is over: by today, or by the day of the package where that is later."""
        day = item.day("statusEndDate")
        return day is not None and day <= self.now

    def item(self, place: Place, parent_type: str, ended: set[str]) -> ItemData:
        """An item and all below it. Below one that is no longer in force, nothing is."""
        item = self.items[place.uuid]
        if place.uuid in ended:
            ended = ended.union(place.walk())
        type_ = (
            type_said(item, self.types)
            or self.known_types.get(place.uuid)
            or by_place(parent_type, holds_items=bool(place.below))
        )
        code, whole = short_code(item.text("humanCodingScheme") or item.text("listEnumeration"))
        label = item.text("abbreviatedStatement")
        statement = item.text("fullStatement", longest=LONGEST_STATEMENT)
        if not statement.strip():
            statement = item.text("alternativeLabel", longest=LONGEST_STATEMENT) or cut(
                label, LONGEST_STATEMENT
            )
        item.needs("fullStatement", statement)
        return (RetiredItem if place.uuid in ended else ItemData)(
            uuid=place.uuid,
            type=type_,
            code=code,
            label=cut(label, LONGEST_LABEL),
            statement=statement,
            notes=[*whole, *item.texts("notes")],
            also_under=[],
            pairing_unknown=False,
            items=[self.item(child, type_, ended) for child in place.below],
            line=item.path,
            replaced_by=self.replaced.get(place.uuid, ""),
        )

    def with_other_parts(self, items: list[ItemData]) -> list[ItemData]:
        """The items with the codes of the other parts they belong to; a part without one of its own is left aside."""
        force = [i for top in items for i in top.walk() if i.code and not isinstance(i, RetiredItem)]
        by_code: dict[str, str] = {}
        for item in sorted(force, key=lambda item: item.type != GROUP):
            by_code.setdefault(item.code, item.uuid)
        codes = {uuid: code for code, uuid in by_code.items()}

        def filled(item: ItemData) -> ItemData:
            others = self.tree.others(item.uuid)
            named_others = [codes[uuid] for uuid in others if uuid in codes]
            self.left_aside[CHILD] += len(others) - len(named_others)
            return replace(item, also_under=named_others, items=[filled(child) for child in item.items])

        return [filled(item) for item in items]

    def links(self, data: ReferentialData) -> list[LinkData]:
        """Links that follow each other, from one item to one referential, are one: so `case.package` writes them."""
        by_uuid = names(data.walk())
        found: list[LinkData] = []
        seen: set[tuple[str, str]] = set()
        for origin, destination, grouping, number, path in self.related:
            if (origin, destination) in seen or origin not in by_uuid:
                continue
            seen.add((origin, destination))
            to_slug = "" if destination in self.items else self.owners[destination]
            key = (by_uuid[origin], to_slug, grouping)
            if not found or number == 1 or (found[-1].origin, found[-1].to_slug, found[-1].grouping) != key:
                found.append(LinkData(*key, [], path))
            found[-1].destinations.append((destination, path))
        return found

    def language(self) -> str:
        """The document's language, else its items'."""
        said = self.document.text("language", longest=LONGEST_LANGUAGE)
        items = (item.text("language", longest=LONGEST_LANGUAGE) for item in self.items.values())
        return said or next((language for language in items if language), "")

    def source(self) -> dict[str, str]:
        """Where the text comes from. Our own name as the creator says nothing, and is not kept."""
        creator, publisher = self.document.text("creator"), self.document.text("publisher")
        day = self.last_change.isoformat() if self.last_change else ""
        said = {
            "title": self.document.text("description"),
            "publisher": publisher,
            "creator": creator if creator not in (publisher, CREATOR) else "",
            "url": self.document.text("officialSourceURL"),
            "date": day if day not in (NO_DATE, self.document.text("version")) else "",
        }
        return {key: value for key, value in said.items() if value}


def cut(text: str, longest: int) -> str:
    """The text, its end cut where it is too long."""
    return text if len(text) <= longest else text[: longest - 1] + "…"


def short_code(code: str) -> tuple[str, list[str]]:
    """A code that fits: the last parts of one that is too long, which is then a note, whole."""
    if len(code) <= LONGEST_CODE:
        return code, []
    whole, parts = code, re.split(r"(?<=[.\-/: ])", code)
    while len(parts) > 1 and len("".join(parts)) > LONGEST_CODE:
        parts = parts[1:]
    return "".join(parts)[-LONGEST_CODE:], [whole]
