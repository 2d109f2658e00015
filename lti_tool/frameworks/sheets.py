"""Referentials as they are read: the tree, one competence with its two sides, a statement and what prepares it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

import sqlalchemy as sa
from sqlalchemy.orm import Session, aliased

from ..errors import NotFound
from .models import Framework, FrameworkItem, ItemAssociation, SeeAlso

LINKED_TYPES = (
    "competence",
    "behaviour",
    "knowledge",
    "resource",
    "relation",
    "expected_result",
    "criterion",
)
"""The types of a linked referential, in the order a competence page shows them; limits go under their knowledge."""


@dataclass(frozen=True)
class Group:
    """A group of competences."""

    item: FrameworkItem
    competences: list[FrameworkItem]


@dataclass
class Entry:
    """A statement, and what narrows or details it."""

    item: FrameworkItem
    below: list[FrameworkItem] = field(default_factory=list)


@dataclass
class Part:
    """The entries of one bloc or groupe; no `items` when the source names none."""

    items: list[FrameworkItem]
    entries: list[Entry] = field(default_factory=list)


@dataclass
class Side:
    """One referential's part of a row: what the Seconde competence leads to there, for one type."""

    framework: Framework
    parts: list[Part] = field(default_factory=list)
    see_also: list[SeeAlso] = field(default_factory=list)

    @property
    def count(self) -> int:
        """How many statements: sub-competences for competences, entries for other types."""
        entries = [entry for part in self.parts for entry in part.entries]
        if entries and entries[0].item.type == "competence":
            return sum(len(entry.below) for entry in entries)
        return len(entries)


@dataclass(frozen=True)
class Row:
    """One type, side by side."""

    type: str
    sides: list[Side]


@dataclass(frozen=True)
class Sheet:
    """A Seconde competence, whole."""

    item: FrameworkItem
    group: FrameworkItem
    subcompetences: list[FrameworkItem]
    see_also: list[SeeAlso]
    sides: list[Framework]
    rows: list[Row]


def find_framework(session: Session, slug: str) -> Framework:
    """The referential of that slug. Raises `NotFound`."""
    framework = session.scalars(sa.select(Framework).where(Framework.slug == slug)).first()
    if framework is None:
        raise NotFound(f"there is no referential « {slug} »")
    return framework


def groups(session: Session, framework_id: int) -> list[Group]:
    """The groups of a referential with their competences, in order."""
    items = session.scalars(
        sa.select(FrameworkItem)
        .where(
            FrameworkItem.framework_id == framework_id,
            FrameworkItem.type.in_(("competence_group", "competence")),
            FrameworkItem.retired.is_(False),
        )
        .order_by(FrameworkItem.position)
    )
    found: list[Group] = []
    for item in items:
        if item.type == "competence_group":
            found.append(Group(item, []))
        elif found:
            found[-1].competences.append(item)
    return found


def competences(session: Session, framework_id: int) -> list[FrameworkItem]:
    """The competences of a referential, in order."""
    return [competence for group in groups(session, framework_id) for competence in group.competences]


def find_competence(session: Session, framework_id: int, code: str) -> FrameworkItem:
    """The competence of that code. Raises `NotFound`."""
    item = session.scalars(
        sa.select(FrameworkItem).where(
            FrameworkItem.framework_id == framework_id,
            FrameworkItem.type == "competence",
            FrameworkItem.code == code,
        )
    ).first()
    if item is None:
        raise NotFound(f"there is no competence « {code} »")
    return item


def find_item(session: Session, uuid: str) -> FrameworkItem:
    """The item of that identifier. Raises `NotFound`."""
    item = session.scalars(sa.select(FrameworkItem).where(FrameworkItem.uuid == uuid)).first()
    if item is None:
        raise NotFound("there is no item of that identifier")
    return item


def children(session: Session, items: Iterable[FrameworkItem], type_: str) -> dict[int, list[FrameworkItem]]:
    """The children of one type of several items, by parent, in order."""
    rows = session.scalars(
        sa.select(FrameworkItem)
        .where(
            FrameworkItem.parent_id.in_([item.id for item in items]),
            FrameworkItem.type == type_,
            FrameworkItem.retired.is_(False),
        )
        .order_by(FrameworkItem.position)
    )
    found: dict[int, list[FrameworkItem]] = {}
    for row in rows:
        found.setdefault(row.parent_id or 0, []).append(row)
    return found


def linked_items(session: Session, competence_ids: list[int], type_: str) -> dict[int, list[FrameworkItem]]:
    """The linked statements of one type for several competences, in the source's order."""
    rows = session.execute(
        sa.select(ItemAssociation.origin_id, FrameworkItem)
        .join(FrameworkItem, FrameworkItem.id == ItemAssociation.destination_id)
        .join(Framework, Framework.id == FrameworkItem.framework_id)
        .where(ItemAssociation.origin_id.in_(competence_ids), FrameworkItem.type == type_)
        .order_by(ItemAssociation.origin_id, Framework.position, ItemAssociation.position)
    )
    found: dict[int, list[FrameworkItem]] = {}
    for origin_id, item in rows:
        found.setdefault(origin_id, []).append(item)
    return found


def sheet(session: Session, competence: FrameworkItem) -> Sheet:
    """Everything the referential says of one competence, its linked sides row by row."""
    frameworks, links = _links(session, competence)
    references = list(
        session.scalars(
            sa.select(SeeAlso).where(SeeAlso.origin_id == competence.id).order_by(SeeAlso.position)
        )
    )
    group = session.get_one(FrameworkItem, competence.parent_id)
    return Sheet(
        item=competence,
        group=group,
        subcompetences=children(session, [competence], "subcompetence").get(competence.id, []),
        see_also=[r for r in references if not r.side],
        sides=frameworks,
        rows=[
            Row(type_, [_side(session, f, type_, links, references) for f in frameworks])
            for type_ in LINKED_TYPES
        ]
        if links
        else [],
    )


def prepared_by(session: Session, item: FrameworkItem) -> list[FrameworkItem]:
    """The competences that lead to a statement, or to anything below it, in order."""
    below = sa.select(FrameworkItem.id).where(FrameworkItem.id == item.id).cte(recursive=True)
    child = aliased(FrameworkItem)
    below = below.union_all(sa.select(child.id).where(child.parent_id == below.c.id))
    return list(
        session.scalars(
            sa.select(FrameworkItem)
            .where(
                FrameworkItem.id.in_(
                    sa.select(ItemAssociation.origin_id).where(
                        ItemAssociation.destination_id.in_(sa.select(below.c.id))
                    )
                )
            )
            .order_by(FrameworkItem.framework_id, FrameworkItem.position)
        )
    )


def ancestors(session: Session, item: FrameworkItem) -> list[FrameworkItem]:
    """What an item is part of, outermost first."""
    found: list[FrameworkItem] = []
    parent_id = item.parent_id
    while parent_id is not None:
        parent = session.get_one(FrameworkItem, parent_id)
        found.insert(0, parent)
        parent_id = parent.parent_id
    return found


def _links(
    session: Session, competence: FrameworkItem
) -> tuple[list[Framework], dict[int, list[FrameworkItem]]]:
    """The linked referentials, and for each the linked items in the source's order."""
    rows = session.execute(
        sa.select(Framework, FrameworkItem)
        .join(FrameworkItem, FrameworkItem.framework_id == Framework.id)
        .join(ItemAssociation, ItemAssociation.destination_id == FrameworkItem.id)
        .where(ItemAssociation.origin_id == competence.id)
        .order_by(Framework.position, ItemAssociation.position)
    )
    frameworks: dict[int, Framework] = {}
    links: dict[int, list[FrameworkItem]] = {}
    for framework, item in rows:
        frameworks[framework.id] = framework
        links.setdefault(framework.id, []).append(item)
    return list(frameworks.values()), links


def _side(
    session: Session,
    framework: Framework,
    type_: str,
    links: dict[int, list[FrameworkItem]],
    references: list[SeeAlso],
) -> Side:
    linked = links.get(framework.id, [])
    side = Side(framework, see_also=[r for r in references if r.side == framework.slug and r.type == type_])
    shown = [item for item in linked if item.type == type_]
    detail = {"competence": "subcompetence", "knowledge": "knowledge_limit"}.get(type_, "")
    below: dict[int, list[FrameworkItem]] = {}
    for item in linked:
        if detail and item.type == detail:
            below.setdefault(item.parent_id or 0, []).append(item)
    # Limits that narrow no knowledge of this page stand by themselves.
    ids = {item.id for item in shown}
    lonely = [item for parent_id, items in below.items() if parent_id not in ids for item in items]
    by_part: dict[tuple[int | None, ...], Part] = {}
    for item in [*shown, *lonely]:
        heads = _parts_of(session, item)
        part = by_part.setdefault(tuple(head.id for head in heads), Part(heads))
        part.entries.append(Entry(item, below.get(item.id, []) if item.id in ids else []))
    side.parts = list(by_part.values())
    return side


def _parts_of(session: Session, item: FrameworkItem) -> list[FrameworkItem]:
    """The blocs or groupes an item belongs to: its own, then those it is also under."""
    own = next((a for a in reversed(ancestors(session, item)) if a.type == "competence_group"), None)
    if own is None:
        return []
    others = session.scalars(
        sa.select(FrameworkItem)
        .where(
            FrameworkItem.framework_id == item.framework_id,
            FrameworkItem.type == "competence_group",
            FrameworkItem.code.in_(item.also_under),
        )
        .order_by(FrameworkItem.position)
    )
    return [own, *(others if item.also_under else [])]
