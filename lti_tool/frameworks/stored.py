"""Referentials read back from the database, as the same plain data as from their files."""

from __future__ import annotations

import dataclasses
from itertools import groupby
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session, aliased

from .data import ItemData, LinkData, ReferentialData, RetiredItem, SeeAlsoData, names
from .models import Framework, FrameworkItem, ItemAssociation, SeeAlso

NO_LINE = 0
"""Data of the database has no line."""


def stored_referentials(session: Session) -> list[ReferentialData]:
    """Every referential of the database, in order."""
    frameworks = session.scalars(sa.select(Framework).order_by(Framework.position, Framework.slug))
    return [referential_of(session, framework) for framework in list(frameworks)]


def stored_referential(session: Session, slug: str) -> ReferentialData | None:
    """The referential of that slug, or None.

    Equal to what its file gives, but for lines and path; the items that the file no longer has come after the others,
    as `RetiredItem`.
    """
    framework = session.scalars(sa.select(Framework).where(Framework.slug == slug)).first()
    return referential_of(session, framework) if framework else None


def referential_of(session: Session, framework: Framework) -> ReferentialData:
    """The whole referential of that row, as `stored_referential` gives it."""
    items = stored_tree(session, framework.id)
    by_uuid = names(item for top in items for item in top.walk())
    return dataclasses.replace(
        heading(framework),
        items=items,
        links=_links(session, framework.id, by_uuid),
        see_also=_see_also(session, framework.id, by_uuid),
    )


def heading(framework: Framework) -> ReferentialData:
    """What a referential says of itself, without its items and its links."""
    return ReferentialData(
        path=Path(f"{framework.slug}.yaml"),
        slug=framework.slug,
        uuid=framework.uuid,
        title=framework.title,
        short_title=framework.short_title,
        language=framework.language,
        version=framework.version,
        position=framework.position,
        source=framework.source,
        guide=framework.guide,
        items=[],
        links=[],
        see_also=[],
        checksum=framework.checksum,
    )


ITEM_COLUMNS = tuple(
    getattr(FrameworkItem, name)
    for name in (
        "id",
        "framework_id",
        "parent_id",
        "uuid",
        "type",
        "code",
        "label",
        "statement",
        "notes",
        "also_under",
        "pairing_unknown",
        "retired",
        "replaced_by",
    )
)
"""What `item_of` reads: columns cost half of what objects do."""


def stored_tree(session: Session, framework_id: int) -> list[ItemData]:
    """The items at the top of a referential, with all below them."""
    below: dict[int | None, list[sa.Row[Any]]] = {}
    # A retired item keeps the position it had, which another may hold by now.
    rows = session.execute(
        sa.select(*ITEM_COLUMNS)
        .where(FrameworkItem.framework_id == framework_id)
        .order_by(FrameworkItem.retired, FrameworkItem.position, FrameworkItem.id)
    )
    for row in rows:
        below.setdefault(row.parent_id, []).append(row)
    return [item_of(row, below) for row in below.get(None, [])]


def item_of(row: sa.Row[Any], below: dict[int | None, list[sa.Row[Any]]]) -> ItemData:
    """The item of a row that has `ITEM_COLUMNS`, with what is below it."""
    kind = RetiredItem if row.retired else ItemData
    return kind(
        uuid=row.uuid,
        type=row.type,
        code=row.code,
        label=row.label,
        statement=row.statement,
        notes=row.notes,
        also_under=row.also_under,
        pairing_unknown=row.pairing_unknown,
        items=[item_of(child, below) for child in below.get(row.id, [])],
        line=NO_LINE,
        replaced_by=row.replaced_by or "",
    )


def _links(session: Session, framework_id: int, by_uuid: dict[str, str]) -> list[LinkData]:
    """The links as the file has them: each begins at position 0, and they were written in its order."""
    origin, destination = aliased(FrameworkItem), aliased(FrameworkItem)
    rows = session.execute(
        sa.select(
            ItemAssociation.position, ItemAssociation.grouping, origin.uuid, destination.uuid, Framework.slug
        )
        .select_from(ItemAssociation)
        .join(origin, origin.id == ItemAssociation.origin_id)
        .join(destination, destination.id == ItemAssociation.destination_id)
        .join(Framework, Framework.id == destination.framework_id)
        .where(ItemAssociation.framework_id == framework_id)
        .order_by(ItemAssociation.id)
    )
    found: list[LinkData] = []
    for position, grouping, origin_uuid, uuid, slug in rows:
        if position == 0:
            found.append(LinkData(by_uuid.get(origin_uuid, origin_uuid), slug, grouping, [], NO_LINE))
        found[-1].destinations.append((uuid, NO_LINE))
    return found


def _see_also(session: Session, framework_id: int, by_uuid: dict[str, str]) -> list[SeeAlsoData]:
    """The « voir aussi » as the file has them: one that leads to several competences is several rows."""
    origin, destination = aliased(FrameworkItem), aliased(FrameworkItem)
    rows = session.execute(
        sa.select(origin.uuid, SeeAlso.side, SeeAlso.type, SeeAlso.text, SeeAlso.position, destination.uuid)
        .select_from(SeeAlso)
        .join(origin, origin.id == SeeAlso.origin_id)
        .outerjoin(destination, destination.id == SeeAlso.destination_id)
        .where(origin.framework_id == framework_id)
        .order_by(SeeAlso.id)
    )
    return [
        SeeAlsoData(
            by_uuid.get(uuid, uuid),
            side,
            type_,
            [by_uuid.get(row[5], row[5]) for row in group if row[5]],
            text,
            NO_LINE,
        )
        for (uuid, side, type_, text, _number), group in groupby(
            rows, key=lambda row: (row[0], row[1], row[2], row[3], row[4] // 10)
        )
    ]
