"""Referentials as they are read: the tree, a statement and what prepares it. A competence with its sides is in `sides`.

Each page is a handful of queries: items are fetched many at a time and put together here.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

import sqlalchemy as sa
from sqlalchemy.orm import Session, aliased, joinedload

from ..errors import NotFound
from .models import Framework, FrameworkItem, ItemAssociation

GROUP, COMPETENCE = "competence_group", "competence"
THEMES = {
    "skills": (COMPETENCE, "behaviour"),
    "knowledge": ("knowledge", "resource", "relation"),
    "evaluation": ("expected_result", "criterion"),
}
"""The source's three sheets on each competence, and the types it puts on each, in its order."""
LINKED_TYPES = tuple(type_ for types in THEMES.values() for type_ in types)
"""The types of a linked referential, in the order pages show them."""
DETAILS = {COMPETENCE: "subcompetence", "knowledge": "knowledge_limit"}
"""What goes under a statement of each type."""


@dataclass(frozen=True)
class Group:
    """A group of competences."""

    item: FrameworkItem
    competences: list[FrameworkItem]


@dataclass(frozen=True)
class Entry:
    """A statement, and what narrows or details it. A limit that narrows no knowledge here is an entry by itself."""

    item: FrameworkItem
    below: list[FrameworkItem] = field(default_factory=list)


@dataclass(frozen=True)
class Kind:
    """The statements of one type."""

    type: str
    entries: list[Entry]


@dataclass(frozen=True)
class Branch:
    """What is right below an item, by type; `item` is None for what a referential puts under no group."""

    item: FrameworkItem | None
    kinds: list[Kind]


@dataclass(frozen=True)
class Place:
    """A statement, where it stands, what is below it, and the competences that prepare it."""

    item: FrameworkItem
    ancestors: list[FrameworkItem]
    """What it is part of, outermost first."""
    also_under: list[FrameworkItem]
    branch: Branch
    prepared_by: list[FrameworkItem]


# ----- finding -----


def find_framework(session: Session, slug: str) -> Framework:
    """The referential of that slug. Raises `NotFound`."""
    framework = session.scalars(sa.select(Framework).where(Framework.slug == slug)).first()
    if framework is None:
        raise NotFound(f"there is no referential « {slug} »")
    return framework


def linked_frameworks(session: Session, framework_id: int) -> list[Framework]:
    """The other referentials that this one's links lead to, in order."""
    return list(
        session.scalars(
            sa.select(Framework)
            .where(
                Framework.id != framework_id,
                Framework.id.in_(
                    sa.select(FrameworkItem.framework_id)
                    .join(ItemAssociation, ItemAssociation.destination_id == FrameworkItem.id)
                    .where(ItemAssociation.framework_id == framework_id)
                ),
            )
            .order_by(Framework.position)
        )
    )


def find_competence(session: Session, framework_id: int, code: str) -> FrameworkItem:
    """The competence of that code, a retired one only when no other has it. Raises `NotFound`."""
    item = session.scalars(
        sa.select(FrameworkItem)
        .where(
            FrameworkItem.framework_id == framework_id,
            FrameworkItem.type == COMPETENCE,
            FrameworkItem.code == code,
        )
        .order_by(FrameworkItem.retired, FrameworkItem.position)
    ).first()
    if item is None:
        raise NotFound(f"there is no competence « {code} »")
    return item


def find_item(session: Session, uuid: str) -> FrameworkItem:
    """The item of that identifier, with its referential. Raises `NotFound`."""
    item = session.scalars(
        sa.select(FrameworkItem)
        .where(FrameworkItem.uuid == uuid)
        .options(joinedload(FrameworkItem.framework))
    ).first()
    if item is None:
        raise NotFound("there is no item of that identifier")
    return item


# ----- a referential -----


def groups(session: Session, framework_id: int) -> list[Group]:
    """The groups of a referential with their competences, in order."""
    items = session.scalars(
        sa.select(FrameworkItem)
        .where(
            FrameworkItem.framework_id == framework_id,
            FrameworkItem.type.in_((GROUP, COMPETENCE)),
            FrameworkItem.retired.is_(False),
        )
        .order_by(FrameworkItem.position)
    )
    found: list[Group] = []
    for item in items:
        if item.type == GROUP:
            found.append(Group(item, []))
        elif found:
            found[-1].competences.append(item)
    return found


def competences(session: Session, framework_id: int) -> list[FrameworkItem]:
    """The competences of a referential, in order."""
    return [competence for group in groups(session, framework_id) for competence in group.competences]


def retired_among(session: Session, framework_id: int, item_ids: Iterable[int]) -> list[FrameworkItem]:
    """The competences of a referential, among some items, that are no longer in force: what was seen there is kept."""
    return list(
        session.scalars(
            sa.select(FrameworkItem)
            .where(
                FrameworkItem.framework_id == framework_id,
                FrameworkItem.type == COMPETENCE,
                FrameworkItem.retired.is_(True),
                FrameworkItem.id.in_(list(item_ids)),
            )
            .order_by(FrameworkItem.position)
        )
    )


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
    return by_parent(rows)


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


def outline(session: Session, framework_id: int) -> list[Branch]:
    """A whole referential: a branch per bloc or groupe, then what stands under none. One query.

    A statement that belongs to several parts is in the branch of each.
    """
    items = list(
        session.scalars(
            sa.select(FrameworkItem)
            .where(FrameworkItem.framework_id == framework_id, FrameworkItem.retired.is_(False))
            .order_by(FrameworkItem.position)
        )
    )
    below = by_parent(items)
    heads = [item for item in items if item.type == GROUP]
    branches = []
    for head in heads:
        guests = [i for i in items if head.code in i.also_under and i.parent_id != head.id]
        inside = sorted([*below.get(head.id, []), *guests], key=lambda item: item.position)
        branches.append(Branch(head, _kinds(inside, below)))
    loose = [i for i in below.get(0, []) if i.type != GROUP and not i.also_under]
    return [*branches, Branch(None, _kinds(loose, below))] if loose else branches


# ----- a statement -----


def place(session: Session, item: FrameworkItem, origin_id: int) -> Place:
    """Where a statement stands, and the competences of the referential `origin_id` that lead to it."""
    ancestors = Climb(session, [item]).above(item)
    own = [ancestor for ancestor in ancestors if ancestor.type == GROUP][-1:]
    heads = heads_of(session, [item.framework_id]) if item.also_under else {}
    if item.type == GROUP:
        branches = outline(session, item.framework_id)
        branch = next((b for b in branches if b.item and b.item.id == item.id), Branch(item, []))
    else:
        below = children(session, [item], DETAILS.get(item.type, ""))
        branch = Branch(item, _kinds(below.get(item.id, []), {}))
    return Place(
        item,
        ancestors,
        [head for head in in_order([], item, heads) if head not in own],
        branch,
        prepared_by(session, item, origin_id),
    )


def prepared_by(session: Session, item: FrameworkItem, origin_id: int) -> list[FrameworkItem]:
    """The competences of a referential that lead to a statement, or to anything below it, in order."""
    below = sa.select(FrameworkItem.id).where(FrameworkItem.id == item.id).cte(recursive=True)
    child = aliased(FrameworkItem)
    below = below.union_all(sa.select(child.id).where(child.parent_id == below.c.id))
    return list(
        session.scalars(
            sa.select(FrameworkItem)
            .where(
                FrameworkItem.framework_id == origin_id,
                FrameworkItem.retired.is_(False),
                FrameworkItem.id.in_(
                    sa.select(ItemAssociation.origin_id).where(
                        ItemAssociation.destination_id.in_(sa.select(below.c.id))
                    )
                ),
            )
            .order_by(FrameworkItem.position)
        )
    )


# ----- putting together -----


def heads_of(session: Session, framework_ids: list[int]) -> dict[tuple[int, str], FrameworkItem]:
    """The blocs and groupes of some referentials, by referential and code."""
    rows = session.scalars(
        sa.select(FrameworkItem).where(
            FrameworkItem.framework_id.in_(framework_ids), FrameworkItem.type == GROUP
        )
    )
    return {(row.framework_id, row.code): row for row in rows}


def in_order(
    own: list[FrameworkItem], item: FrameworkItem, heads: dict[tuple[int, str], FrameworkItem]
) -> list[FrameworkItem]:
    """The parts an item belongs to: its own and those it is also under, in the referential's order."""
    if not item.also_under and len(own) < 2:
        return own
    others = [
        heads[item.framework_id, code] for code in item.also_under if (item.framework_id, code) in heads
    ]
    return sorted({head.id: head for head in [*own, *others]}.values(), key=lambda head: head.position)


class Climb:
    """All that is above some items, fetched once: to climb without asking the database again."""

    def __init__(self, session: Session, items: Iterable[FrameworkItem]) -> None:
        up = (
            sa.select(FrameworkItem.id, FrameworkItem.parent_id)
            .where(FrameworkItem.id.in_([item.id for item in items]))
            .cte(recursive=True)
        )
        parent = aliased(FrameworkItem)
        up = up.union(sa.select(parent.id, parent.parent_id).join(up, parent.id == up.c.parent_id))
        rows = session.scalars(
            sa.select(FrameworkItem).where(FrameworkItem.id.in_(sa.select(up.c.parent_id)))
        )
        self._known = {row.id: row for row in rows}

    def above(self, item: FrameworkItem) -> list[FrameworkItem]:
        """What an item is part of, outermost first."""
        found: list[FrameworkItem] = []
        parent = self._known.get(item.parent_id or 0)
        while parent is not None:
            found.insert(0, parent)
            parent = self._known.get(parent.parent_id or 0)
        return found

    def head(self, item: FrameworkItem) -> FrameworkItem | None:
        """The group, bloc or groupe an item is in."""
        parent = self._known.get(item.parent_id or 0)
        while parent is not None and parent.type != GROUP:
            parent = self._known.get(parent.parent_id or 0)
        return parent


def by_parent(items: Iterable[FrameworkItem]) -> dict[int, list[FrameworkItem]]:
    """Items by their parent's id, in order; 0 for those at the top."""
    found: dict[int, list[FrameworkItem]] = {}
    for item in items:
        found.setdefault(item.parent_id or 0, []).append(item)
    return found


def _kinds(items: list[FrameworkItem], below: dict[int, list[FrameworkItem]]) -> list[Kind]:
    """Items by type, in the order pages show them; a limit by itself goes with the knowledge."""
    kinds = []
    for type_ in LINKED_TYPES:
        of_type = [i for i in items if i.type in (type_, DETAILS.get(type_))]
        if of_type:
            kinds.append(Kind(type_, [Entry(i, below.get(i.id, [])) for i in of_type]))
    return kinds
