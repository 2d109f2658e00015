"""The objects of CASE read from the database one by one, as the REST interface gives them.

Each reads the rows it needs, not a whole package. Whoever asks for what is not there gets `NotFound`.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session, aliased

from ..errors import NotFound
from .case import Package, Place, places
from .case_objects import (
    CHILD,
    TYPES,
    Addresses,
    Json,
    Node,
    Writer,
    association_uuid,
    grouping_uuid,
    item_title,
    line,
    type_uuid,
)
from .case_rubrics import RubricScale
from .data import ReferentialData
from .models import Framework, FrameworkItem, ItemAssociation
from .stored import ITEM_COLUMNS, heading, item_of, referential_of, stored_tree


def stored_state(session: Session) -> str:
    """What changes whenever any referential does: a link's title is another referential's statement."""
    rows = session.execute(sa.select(Framework.uuid, Framework.checksum).order_by(Framework.uuid))
    return " ".join(f"{uuid}:{checksum}" for uuid, checksum in rows)


def count_documents(session: Session) -> int:
    """How many referentials the database holds."""
    return session.scalars(sa.select(sa.func.count()).select_from(Framework)).one()


def some_documents(session: Session, base_url: str, limit: int, offset: int) -> Json:
    """The CFDocumentSet of a page of referentials, in their order."""
    frameworks = session.scalars(
        sa.select(Framework).order_by(Framework.position, Framework.slug).limit(limit).offset(offset)
    )
    return {"CFDocuments": [Writer(heading(one), base_url).document_alone() for one in frameworks]}


def find_document(session: Session, base_url: str, identifier: str) -> Json:
    """A CFDocument."""
    return Writer(heading(_framework(session, identifier)), base_url).document_alone()


def find_package(
    session: Session,
    base_url: str,
    identifier: str,
    scales_of: Callable[[ReferentialData], Iterable[RubricScale]],
) -> Json:
    """The CFPackage of a CFDocument's identifier; `scales_of` says which scales a referential's package holds."""
    framework = _framework(session, identifier)
    data = referential_of(session, framework)
    linked = sa.select(ItemAssociation.destination_id).where(ItemAssociation.framework_id == framework.id)
    rows = session.execute(
        sa.select(FrameworkItem.uuid, FrameworkItem.code, FrameworkItem.label, FrameworkItem.statement).where(
            FrameworkItem.id.in_(linked)
        )
    )
    titles = {row.uuid: item_title(row.code, row.label, row.statement) for row in rows}
    return Package(data, base_url, titles, scales_of(data)).whole()


def find_item(session: Session, base_url: str, identifier: str) -> Json:
    """A CFItem, retired or not."""
    row = _item_row(session, identifier)
    writer = Writer(heading(session.get_one(Framework, row.framework_id)), base_url)
    return writer.alone(writer.item(item_of(row, {})))


def find_item_associations(session: Session, base_url: str, identifier: str) -> Json:
    """The CFAssociationSet of an item: the item, and the associations that begin or end there, whoever holds them."""
    row = _item_row(session, identifier)
    framework = session.get_one(Framework, row.framework_id)
    writer = Writer(heading(framework), base_url)
    tree = [
        _association(writer, place)
        for place in _places(session, framework)
        if identifier in (place.item.uuid, place.under.uuid)
    ]
    here = (ItemAssociation.origin_id == row.id) | (ItemAssociation.destination_id == row.id)
    related = [association for _holder, association in _related(session, base_url, here)]
    ends = (FrameworkItem.uuid == identifier) | (FrameworkItem.replaced_by == identifier)
    replaced = [association for _holder, association in _replacements(session, base_url, ends)]
    return {
        "CFItem": writer.alone(writer.item(item_of(row, {}))),
        "CFAssociations": [*tree, *related, *replaced],
    }


def find_association(session: Session, base_url: str, identifier: str) -> Json:
    """A CFAssociation. A link has a row; a place in the tree has none, and is looked for among them all."""
    for holder, association in _related(session, base_url, ItemAssociation.uuid == identifier):
        return holder.alone(association)
    for holder, association in _replacements(session, base_url, sa.true()):
        if association["identifier"] == identifier:
            return holder.alone(association)
    for framework in list(session.scalars(sa.select(Framework).order_by(Framework.id))):
        for place in _places(session, framework):
            if association_uuid(framework.uuid, place.item.uuid, CHILD, place.under.uuid) == identifier:
                writer = Writer(heading(framework), base_url)
                return writer.alone(_association(writer, place))
    raise NotFound(f"there is no CFAssociation {identifier}")


def find_item_types(base_url: str, identifier: str) -> Json:
    """The CFItemTypeSet of a type: the type, then those below it. They are the same on every server."""
    asked = next((type_ for type_ in TYPES if type_uuid(type_) == identifier), None)
    if asked is None:
        raise NotFound(f"there is no CFItemType {identifier}")
    below = [type_ for type_ in TYPES if TYPES[type_].hierarchy.startswith(f"{TYPES[asked].hierarchy}.")]
    return {"CFItemTypes": [Addresses(base_url).item_type(type_) for type_ in (asked, *below)]}


def find_grouping(session: Session, base_url: str, identifier: str) -> Json:
    """A CFAssociationGrouping of the links."""
    rows = session.execute(
        sa.select(Framework.id, Framework.uuid, ItemAssociation.grouping)
        .join(Framework, Framework.id == ItemAssociation.framework_id)
        .where(ItemAssociation.grouping != "")
        .distinct()
    )
    for framework_id, holder, title in rows:
        if grouping_uuid(holder, line(title)) == identifier:
            writer = Writer(heading(session.get_one(Framework, framework_id)), base_url)
            return writer.grouping(line(title))
    raise NotFound(f"there is no CFAssociationGrouping {identifier}")


def _framework(session: Session, identifier: str) -> Framework:
    framework = session.scalars(sa.select(Framework).where(Framework.uuid == identifier)).first()
    if framework is None:
        raise NotFound(f"there is no CFDocument {identifier}")
    return framework


def _item_row(session: Session, identifier: str) -> sa.Row[Any]:
    row = session.execute(sa.select(*ITEM_COLUMNS).where(FrameworkItem.uuid == identifier)).first()
    if row is None:
        raise NotFound(f"there is no CFItem {identifier}")
    return row


def _places(session: Session, framework: Framework) -> Iterator[Place]:
    """Where the items of a referential are: the number of one depends on those before it, so all are read."""
    return places(dataclasses.replace(heading(framework), items=stored_tree(session, framework.id)))


def _association(writer: Writer, place: Place) -> Json:
    return writer.association(Node.item(place.item), CHILD, place.under, place.number)


def _related(session: Session, base_url: str, which: sa.ColumnElement[bool]) -> Iterator[tuple[Writer, Json]]:
    """The links of the database that `which` says, each with the writer of the referential that holds it."""
    origin, destination = aliased(FrameworkItem), aliased(FrameworkItem)
    ends = (
        one for item in (origin, destination) for one in (item.uuid, item.code, item.label, item.statement)
    )
    rows = session.execute(
        sa.select(Framework, ItemAssociation.type, ItemAssociation.position, ItemAssociation.grouping, *ends)
        .select_from(ItemAssociation)
        .join(Framework, Framework.id == ItemAssociation.framework_id)
        .join(origin, origin.id == ItemAssociation.origin_id)
        .join(destination, destination.id == ItemAssociation.destination_id)
        .where(which)
        .order_by(Framework.position, ItemAssociation.id)
    )
    for framework, type_, position, grouping, *said in rows:
        writer = Writer(heading(framework), base_url)
        nodes = [Node("CFItems", said[i], item_title(*said[i + 1 : i + 4])) for i in (0, 4)]
        yield writer, writer.association(nodes[0], type_, nodes[1], position + 1, line(grouping))


def _replacements(
    session: Session, base_url: str, which: sa.ColumnElement[bool]
) -> Iterator[tuple[Writer, Json]]:
    """What took the place of retired items, of those that `which` says; there are few."""
    new = aliased(FrameworkItem)
    rows = session.execute(
        sa.select(
            Framework,
            *ITEM_COLUMNS,
            new.code.label("new_code"),
            new.label.label("new_label"),
            new.statement.label("new_statement"),
        )
        .join(Framework, Framework.id == FrameworkItem.framework_id)
        .outerjoin(new, new.uuid == FrameworkItem.replaced_by)
        .where(FrameworkItem.replaced_by.is_not(None), which)
        .order_by(FrameworkItem.id)
    )
    for row in rows:
        writer = Writer(heading(row.Framework), base_url)
        known = row.new_statement is not None
        title = item_title(row.new_code, row.new_label, row.new_statement) if known else row.replaced_by
        by = Node("CFItems", row.replaced_by, title)
        yield writer, writer.replacement(item_of(row, {}), by)
