"""The objects of CASE 1.1, each made from the data it says.

Source: 1EdTech CASE 1.1, information model. Its objects are closed and none of their properties may be null, so what a
referential does not say is left out. An object is the same inside a package and fetched one by one, but for the link
to what holds it, which only the second carries.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterable
from datetime import date
from typing import Any, NamedTuple

from .data import ItemData, ReferentialData, RetiredItem

Json = dict[str, Any]

ROOT = "/ims/case/v1p1"
"""Where the objects answer, below the tool's own address."""
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
TYPES_CHANGED = "2026-11-23T00:00:00+00:00"
"""When the words of `TYPES` last changed: they are Spirale's, not a referential's."""


def association_uuid(holder: str, origin: str, type_: str, destination: str) -> str:
    """The identifier of the association that a referential holds: it follows from what it links."""
    return str(uuid.uuid5(uuid.UUID(holder), f"{origin} {type_} {destination}"))


def grouping_uuid(holder: str, title: str) -> str:
    """The identifier of a grouping of the links that a referential holds."""
    return str(uuid.uuid5(uuid.UUID(holder), f"CFAssociationGrouping {title}"))


def type_uuid(type_: str) -> str:
    """The identifier of a type of items."""
    return str(uuid.uuid5(TYPE_NAMESPACE, type_))


class Node(NamedTuple):
    """One end of an association: an item, or the document itself."""

    kind: str
    uuid: str
    title: str

    @classmethod
    def item(cls, item: ItemData) -> Node:
        """An item as the end of an association."""
        return cls("CFItems", item.uuid, item_title(item.code, item.label, item.statement))

    @classmethod
    def document(cls, data: ReferentialData) -> Node:
        """A whole referential as the end of an association."""
        return cls("CFDocuments", data.uuid, line(data.title))


class Writer:
    """Writes the objects of one referential. Of the referential itself only its heading is read, not its items."""

    def __init__(self, data: ReferentialData, base_url: str) -> None:
        self.data, self.addresses = data, Addresses(base_url)
        self.day = _day(data)
        self.changed = f"{self.day}T00:00:00+00:00"

    def document(self) -> Json:
        """The CFDocument, as a package carries it."""
        source = {key: line(str(value)) for key, value in self.data.source.items()}
        address = source.get("url", "")
        return said(
            {
                **self.addresses.named("CFDocuments", self.data.uuid),
                "caseVersion": "1.1",
                "creator": source.get("creator") or source.get("publisher") or CREATOR,
                "title": line(self.data.title),
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

    def document_alone(self) -> Json:
        """The CFDocument fetched by itself: it says where its package is."""
        package = self.addresses.link("CFPackages", self.data.uuid, line(self.data.title))
        return {**self.document(), "CFPackageURI": package}

    def item(self, item: ItemData) -> Json:
        """A CFItem, as a package carries it."""
        title = TYPES[item.type].title
        return said(
            {
                **self.addresses.named("CFItems", item.uuid),
                "fullStatement": item.statement,
                "abbreviatedStatement": line(item.label),
                "humanCodingScheme": line(item.code),
                "CFItemType": title,
                "CFItemTypeURI": self.addresses.link("CFItemTypes", type_uuid(item.type), title),
                "notes": "\n".join(item.notes),
                "language": self.data.language,
                "statusEndDate": self.day if isinstance(item, RetiredItem) else None,
                "lastChangeDateTime": self.changed,
            }
        )

    def association(
        self, origin: Node, type_: str, destination: Node, number: int, grouping: str = ""
    ) -> Json:
        """A CFAssociation, as a package carries it."""
        identifier = association_uuid(self.data.uuid, origin.uuid, type_, destination.uuid)
        return said(
            {
                **self.addresses.named("CFAssociations", identifier),
                "associationType": type_,
                "sequenceNumber": number,
                "originNodeURI": self.addresses.link(*origin),
                "destinationNodeURI": self.addresses.link(*destination),
                "CFAssociationGroupingURI": self.addresses.link(
                    "CFAssociationGroupings", grouping_uuid(self.data.uuid, grouping), grouping
                )
                if grouping
                else None,
                "lastChangeDateTime": self.changed,
            }
        )

    def replacement(self, item: ItemData, by: Node) -> Json:
        """The CFAssociation from a retired item to what took its place."""
        return self.association(Node.item(item), REPLACED, by, 1)

    def grouping(self, title: str) -> Json:
        """A CFAssociationGrouping."""
        return {
            **self.addresses.named("CFAssociationGroupings", grouping_uuid(self.data.uuid, title)),
            "title": title,
            "lastChangeDateTime": self.changed,
        }

    def alone(self, held: Json) -> Json:
        """An item or an association fetched by itself: it says which document it is of."""
        return {**held, "CFDocumentURI": self.addresses.link(*Node.document(self.data))}


class Addresses:
    """Where the objects answer on one server."""

    def __init__(self, base_url: str) -> None:
        self.root = f"{base_url}{ROOT}"

    def named(self, kind: str, identifier: str) -> Json:
        """What every object begins with."""
        return {"identifier": identifier, "uri": f"{self.root}/{kind}/{identifier}"}

    def link(self, kind: str, identifier: str, title: str) -> Json:
        """A link to an object."""
        return {"title": title, **self.named(kind, identifier)}

    def item_type(self, type_: str) -> Json:
        """A CFItemType."""
        return {
            **self.named("CFItemTypes", type_uuid(type_)),
            "title": TYPES[type_].title,
            "description": TYPES[type_].description,
            "hierarchyCode": TYPES[type_].hierarchy,
            "typeCode": type_,
            "lastChangeDateTime": TYPES_CHANGED,
        }


def _day(data: ReferentialData) -> str:
    """The day of a referential's text: its version, else its source's date."""
    for text in (data.version, str(data.source.get("date", ""))):
        try:
            return date.fromisoformat(text).isoformat()
        except ValueError:
            continue
    return NO_DATE


def by_code(items: Iterable[ItemData]) -> dict[str, ItemData]:
    """The items by identifier, and those in force by their code, the first where several carry the same."""
    found: dict[str, ItemData] = {}
    for item in items:
        found[item.uuid] = item
        if item.code and not isinstance(item, RetiredItem):
            found.setdefault(item.code, item)
    return found


def item_title(code: str, label: str, statement: str) -> str:
    """The title of a link to an item."""
    return line(f"{code} {label or statement}").strip()


def line(text: str) -> str:
    """The text on one line, as CASE's NormalizedString is; no-break spaces stay."""
    return re.sub(r"[\t\r\n]+", " ", text)


def said(properties: Json) -> Json:
    """The properties that have a value."""
    return {key: value for key, value in properties.items() if value not in (None, "", [])}
