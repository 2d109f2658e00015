"""Competences as they are read: each one whole, with what it leads to in the linked referentials, side by side.

One competence or all of them cost the same five queries: items are fetched many at a time and put together here.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import sqlalchemy as sa
from sqlalchemy.orm import Session, contains_eager, joinedload

from .models import Framework, FrameworkItem, ItemAssociation, SeeAlso
from .sheets import COMPETENCE, DETAILS, THEMES, Climb, Entry, by_parent, children, heads_of, in_order


@dataclass(frozen=True)
class Part:
    """The entries of one bloc or groupe, or of several together; no `items` when the source names none."""

    items: list[FrameworkItem]
    entries: list[Entry] = field(default_factory=list)


@dataclass(frozen=True)
class Reference:
    """A « voir aussi » of the source, and where it leads: nowhere for a plain remark."""

    text: str
    destinations: list[FrameworkItem] = field(default_factory=list)


@dataclass(frozen=True)
class Side:
    """One referential's part of a row: what the competence leads to there, for one type."""

    framework: Framework
    parts: list[Part]
    see_also: list[Reference]

    @property
    def count(self) -> int:
        """How many statements: sub-competences for competences, entries for other types."""
        entries = [entry for part in self.parts for entry in part.entries]
        return sum(len(e.below) if e.item.type == COMPETENCE else 1 for e in entries)


@dataclass(frozen=True)
class Row:
    """One type, side by side."""

    type: str
    sides: list[Side]


@dataclass(frozen=True)
class Theme:
    """One of the source's three sheets on a competence: its skills, its knowledge, its evaluation."""

    name: str
    rows: list[Row]


@dataclass(frozen=True)
class Sheet:
    """A competence, whole."""

    item: FrameworkItem
    group: FrameworkItem | None
    subcompetences: list[FrameworkItem]
    see_also: list[Reference]
    sides: list[Framework]
    themes: list[Theme]
    """None when nothing is linked."""

    @property
    def rows(self) -> list[Row]:
        """The rows of all the themes."""
        return [row for theme in self.themes for row in theme.rows]


def sheet(session: Session, competence: FrameworkItem) -> Sheet:
    """Everything the referential says of one competence, its linked sides row by row."""
    return sheets(session, [competence])[0]


def sheets(session: Session, competences: list[FrameworkItem], types: tuple[str, ...] = ()) -> list[Sheet]:
    """The same of several competences, all with the same sides; with `types`, only what is of these types."""
    gathered = _Gathered(session, competences, types)
    return [gathered.sheet(competence) for competence in competences]


class _Gathered:
    """What several competences lead to, fetched once."""

    def __init__(self, session: Session, competences: list[FrameworkItem], types: tuple[str, ...]) -> None:
        self.linked = _linked(session, competences, types)
        every = [item for items in self.linked.values() for item in items]
        self.sides = sorted({item.framework for item in every}, key=lambda side: side.position)
        self.climb = Climb(session, [*competences, *every])
        self.heads = heads_of(session, [side.id for side in self.sides])
        self.subcompetences = children(session, competences, "subcompetence")
        self.references = _references(session, competences)

    def sheet(self, competence: FrameworkItem) -> Sheet:
        themes = [Theme(name, [self.row(competence, t) for t in types]) for name, types in THEMES.items()]
        return Sheet(
            item=competence,
            group=self.climb.head(competence),
            subcompetences=self.subcompetences.get(competence.id, []),
            see_also=[r for slug, _type, r in self.references.get(competence.id, []) if not slug],
            sides=self.sides,
            themes=themes if self.sides else [],
        )

    def row(self, competence: FrameworkItem, type_: str) -> Row:
        references = self.references.get(competence.id, [])
        return Row(
            type_,
            [
                Side(
                    side,
                    self.parts([i for i in self.linked[competence.id] if i.framework_id == side.id], type_),
                    [r for slug, kind, r in references if (slug, kind) == (side.slug, type_)],
                )
                for side in self.sides
            ],
        )

    def parts(self, linked: list[FrameworkItem], type_: str) -> list[Part]:
        """The linked statements of one type, by bloc or groupe, each with the details that are linked too."""
        detail = DETAILS.get(type_, "")
        ids = {item.id for item in linked if item.type == type_}
        below = by_parent(item for item in linked if item.type == detail)
        parts: dict[tuple[int, ...], Part] = {}
        for item in linked:
            if item.type == type_ or (item.type == detail and item.parent_id not in ids):
                own = self.climb.head(item)
                items = in_order([own] if own else [], item, self.heads)
                part = parts.setdefault(tuple(head.id for head in items), Part(items))
                part.entries.append(Entry(item, below.get(item.id, [])))
        return list(parts.values())


def _linked(
    session: Session, competences: list[FrameworkItem], types: tuple[str, ...]
) -> dict[int, list[FrameworkItem]]:
    """What each competence is linked to: by referential, then in the source's order."""
    query = (
        sa.select(ItemAssociation.origin_id, FrameworkItem)
        .join(FrameworkItem, FrameworkItem.id == ItemAssociation.destination_id)
        .join(FrameworkItem.framework)
        .where(
            ItemAssociation.origin_id.in_([one.id for one in competences]), FrameworkItem.retired.is_(False)
        )
        .order_by(Framework.position, ItemAssociation.position)
        .options(contains_eager(FrameworkItem.framework))
    )
    rows = session.execute(query.where(FrameworkItem.type.in_(types)) if types else query)
    found: dict[int, list[FrameworkItem]] = {one.id: [] for one in competences}
    for origin_id, item in rows:
        found[origin_id].append(item)
    return found


def _references(
    session: Session, competences: list[FrameworkItem]
) -> dict[int, list[tuple[str, str, Reference]]]:
    """The « voir aussi » of each competence with their side and type; one that leads to three places is one."""
    rows = session.scalars(
        sa.select(SeeAlso)
        .where(SeeAlso.origin_id.in_([one.id for one in competences]))
        .order_by(SeeAlso.position)
        .options(joinedload(SeeAlso.destination))
    )
    kept: dict[tuple[int, str, str, str], Reference] = {}
    for row in rows:
        reference = kept.setdefault((row.origin_id, row.side, row.type, row.text), Reference(row.text))
        # « Voir aussi 1A à 1C » on 1C's own page: there is nowhere to go for 1C.
        if row.destination is not None and row.destination_id != row.origin_id:
            reference.destinations.append(row.destination)
    found: dict[int, list[tuple[str, str, Reference]]] = {}
    for (origin_id, side, type_, _text), reference in kept.items():
        found.setdefault(origin_id, []).append((side, type_, reference))
    return found
