"""A referential as a CASE 1.1 package, the form that other competence tools exchange.

Source: 1EdTech CASE 1.1, `CFPackageDType`. Its objects are closed and none of their properties may be null, so what a
referential does not say is left out. Inside a package a document carries no CFPackageURI and an item no CFDocumentURI:
those are for the objects fetched one by one.
"""

from __future__ import annotations

import re
import uuid
from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import date
from typing import Any, NamedTuple

from .data import ItemData, ReferentialData, RetiredItem, with_parents

Json = dict[str, Any]

CHILD, RELATED, REPLACED = "isChildOf", "isRelatedTo", "replacedBy"
CREATOR = "Spirale"
"""Who made the data, for a source that names nobody: CASE wants a creator."""
NO_DATE = "1970-01-01"
"""The day of a referential whose version and source give none: any other would change from one export to the next."""


class _Type(NamedTuple):
    hierarchy: str
    title: str
    description: str


TYPES = {
    "competence_group": _Type(
        "1", "Bloc ou groupe de compétences", "Un ensemble de compétences du référentiel."
    ),
    "competence": _Type("1.1", "Compétence", "Ce que l’élève apprend à faire, et que l’on évalue."),
    "subcompetence": _Type("1.1.1", "Sous-compétence", "Une partie d’une compétence."),
    "behaviour": _Type("1.2", "Comportement professionnel", "Une attitude attendue en situation de travail."),
    "knowledge": _Type("1.3", "Savoir associé", "Ce qu’il faut savoir pour exercer la compétence."),
    "knowledge_limit": _Type("1.3.1", "Limite de savoir", "Jusqu’où va un savoir associé."),
    "resource": _Type("1.4", "Ressource", "Un outil, un document ou une donnée dont dispose l’élève."),
    "relation": _Type("1.5", "Relation", "Les personnes et les services avec qui l’on travaille."),
    "expected_result": _Type("1.6", "Résultat attendu", "Ce que le travail doit produire."),
    "criterion": _Type("1.7", "Critère d’évaluation", "Ce que l’on observe pour évaluer."),
}
TYPE_NAMESPACE = uuid.UUID("8fa0c0ed-382d-4bb6-95f2-08a4f4f67ce8")
"""Types are the same in every referential: so are their identifiers."""


def association_uuid(holder: str, origin: str, type_: str, destination: str) -> str:
    """The identifier of the association that a referential holds: it follows from what it links."""
    return str(uuid.uuid5(uuid.UUID(holder), f"{origin} {type_} {destination}"))


def package(
    referential: ReferentialData, base_url: str, others: Iterable[ReferentialData] = ()
) -> dict[str, Any]:
    """The CFPackage of a referential, ready for `json.dumps`; the same data gives the same package.

    `others` are the referentials its links lead to: CASE wants the title of what a link leads to (without them it is
    the referential's slug). What the format has no place for is left out: `guide`, `see_also`, `pairing`.
    """
    return _Package(referential, base_url, others).whole()


class _Package:
    """Writes one package."""

    def __init__(self, data: ReferentialData, base_url: str, others: Iterable[ReferentialData]) -> None:
        self.data, self.base = data, f"{base_url}/ims/case/v1p1"
        self.day = _day(data)
        self.changed = f"{self.day}T00:00:00+00:00"
        self.titles = {item.uuid: _title(item) for one in (*others, data) for item in one.walk()}
        self.titles[data.uuid] = _line(data.title)

    def whole(self) -> Json:
        return {
            "CFDocument": self.document(),
            "CFItems": [self.item(item) for item in self.data.walk()],
            "CFAssociations": [*self.tree(), *self.links(), *self.replacements()],
            "CFDefinitions": self.definitions(),
        }

    def document(self) -> Json:
        source = {key: _line(str(value)) for key, value in self.data.source.items()}
        address = source.get("url", "")
        return _said(
            {
                **self.named("CFDocuments", self.data.uuid),
                "caseVersion": "1.1",
                "creator": source.get("creator") or source.get("publisher") or CREATOR,
                "title": _line(self.data.title),
                "lastChangeDateTime": self.changed,
                "officialSourceURL": address if address.startswith(("https://", "http://")) else "",
                "publisher": source.get("publisher"),
                "description": "\n".join(
                    source[key] for key in ("title", "part_of", "status") if source.get(key)
                ),
                "language": self.data.language,
                "version": self.data.version,
                "adoptionStatus": "Adopted",
            }
        )

    def item(self, item: ItemData) -> Json:
        return _said(
            {
                **self.named("CFItems", item.uuid),
                "fullStatement": item.statement,
                "abbreviatedStatement": _line(item.label),
                "humanCodingScheme": _line(item.code),
                "CFItemType": TYPES[item.type].title,
                "CFItemTypeURI": self.link("CFItemTypes", _type_uuid(item.type), TYPES[item.type].title),
                "notes": "\n".join(item.notes),
                "language": self.data.language,
                "statusEndDate": self.day if isinstance(item, RetiredItem) else None,
                "lastChangeDateTime": self.changed,
            }
        )

    def tree(self) -> Iterator[Json]:
        """Each item is a child of its parent (of the document at the top), then of the other parts it belongs to.

        Children are numbered in the order of the whole referential, as the pages show them.
        """
        numbers: Counter[str] = Counter()
        parts = _by_code(item for item in self.data.walk() if item.type == "competence_group")
        codes = _by_code(self.data.walk()) | parts
        for item, parent in with_parents(self.data.items, self.data.uuid):
            others = [codes[code].uuid for code in item.also_under if code in codes]
            for place in dict.fromkeys([parent, *others]):
                numbers[place] += 1
                kind = "CFDocuments" if place == self.data.uuid else "CFItems"
                destination = self.link(kind, place, self.titles[place])
                yield self.association(item, CHILD, destination, numbers[place])

    def links(self) -> Iterator[Json]:
        """What the referential's items are related to elsewhere, in the source's order."""
        codes = _by_code(self.data.walk())
        for link in self.data.links:
            for number, (identifier, _file_line) in enumerate(link.destinations, 1):
                destination = self.link("CFItems", identifier, self.titles.get(identifier, link.to_slug))
                yield self.association(codes[link.origin], RELATED, destination, number, _line(link.grouping))

    def replacements(self) -> Iterator[Json]:
        """What took the place of the items that are no longer in force."""
        for item in self.data.walk():
            if item.replaced_by:
                title = self.titles.get(item.replaced_by, item.replaced_by)
                yield self.association(item, REPLACED, self.link("CFItems", item.replaced_by, title), 1)

    def association(
        self, origin: ItemData, type_: str, destination: Json, number: int, grouping: str = ""
    ) -> Json:
        identifier = association_uuid(self.data.uuid, origin.uuid, type_, destination["identifier"])
        return _said(
            {
                **self.named("CFAssociations", identifier),
                "associationType": type_,
                "sequenceNumber": number,
                "originNodeURI": self.link("CFItems", origin.uuid, self.titles[origin.uuid]),
                "destinationNodeURI": destination,
                "CFAssociationGroupingURI": self.link(
                    "CFAssociationGroupings", self.grouping_uuid(grouping), grouping
                )
                if grouping
                else None,
                "lastChangeDateTime": self.changed,
            }
        )

    def definitions(self) -> Json:
        used = {item.type for item in self.data.walk()}
        groupings = dict.fromkeys(
            _line(link.grouping) for link in self.data.links if link.grouping and link.destinations
        )
        return _said(
            {
                "CFItemTypes": [self.item_type(type_) for type_ in TYPES if type_ in used],
                "CFAssociationGroupings": [
                    {
                        **self.named("CFAssociationGroupings", self.grouping_uuid(title)),
                        "title": title,
                        "lastChangeDateTime": self.changed,
                    }
                    for title in groupings
                ],
            }
        )

    def item_type(self, type_: str) -> Json:
        return {
            **self.named("CFItemTypes", _type_uuid(type_)),
            "title": TYPES[type_].title,
            "description": TYPES[type_].description,
            "hierarchyCode": TYPES[type_].hierarchy,
            "typeCode": type_,
            "lastChangeDateTime": self.changed,
        }

    def grouping_uuid(self, title: str) -> str:
        return str(uuid.uuid5(uuid.UUID(self.data.uuid), f"CFAssociationGrouping {title}"))

    def named(self, kind: str, identifier: str) -> Json:
        return {"identifier": identifier, "uri": f"{self.base}/{kind}/{identifier}"}

    def link(self, kind: str, identifier: str, title: str) -> Json:
        return {"title": title, **self.named(kind, identifier)}


def _day(data: ReferentialData) -> str:
    """The day of a referential's text: its version, else its source's date."""
    for text in (data.version, str(data.source.get("date", ""))):
        try:
            return date.fromisoformat(text).isoformat()
        except ValueError:
            continue
    return NO_DATE


def _by_code(items: Iterable[ItemData]) -> dict[str, ItemData]:
    """The items that are in force by their code (the first where several carry the same) and by their identifier."""
    found: dict[str, ItemData] = {}
    for item in items:
        found[item.uuid] = item
        if item.code and not isinstance(item, RetiredItem):
            found.setdefault(item.code, item)
    return found


def _type_uuid(type_: str) -> str:
    return str(uuid.uuid5(TYPE_NAMESPACE, type_))


def _title(item: ItemData) -> str:
    return _line(f"{item.code} {item.label or item.statement}").strip()


def _line(text: str) -> str:
    """The text on one line, as CASE's NormalizedString is; no-break spaces stay."""
    return re.sub(r"[\t\r\n]+", " ", text)


def _said(properties: Json) -> Json:
    """The properties that have a value."""
    return {key: value for key, value in properties.items() if value not in (None, "", [])}
