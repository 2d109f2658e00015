"""Putting referentials into the database: by identifier, never deleting what may have results."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.orm import Session

from ..config import shipped
from ..errors import ReferentialError
from .case_objects import RELATED, association_uuid
from .checks import check_together
from .data import ItemData, ReferentialData, RetiredItem, named
from .models import Framework, FrameworkItem, ItemAssociation, SeeAlso
from .reading import read_referential


@dataclass(frozen=True)
class Loaded:
    """What loading did to one referential."""

    slug: str
    unchanged: bool
    items: int
    links: int


def shipped_referentials() -> list[Path]:
    """The files that come with Spirale, in the order of their names."""
    return sorted(shipped("configs", "referentials").glob("*.yaml"))


def read_all(paths: list[Path]) -> list[ReferentialData]:
    """Read and check the files, each alone and all together. Raises `ReferentialError`."""
    referentials = [read_referential(path) for path in paths]
    check_together(referentials)
    return sorted(referentials, key=lambda data: data.position)


def load_referentials(session: Session, referentials: list[ReferentialData]) -> list[Loaded]:
    """Bring the database to the given data, in the caller's transaction.

    Items are found by identifier, so a corrected wording keeps its results; an item that is no longer there
    is retired, not deleted.
    """
    known = {f.slug: f for f in session.scalars(sa.select(Framework))}
    _check_against_database(session, referentials)
    changed = [d for d in referentials if d.slug not in known or known[d.slug].checksum != d.checksum]
    write_referentials(session, changed)
    return [
        Loaded(
            data.slug,
            data not in changed,
            sum(1 for _ in data.walk()),
            sum(len(link.destinations) for link in data.links),
        )
        for data in referentials
    ]


def write_referentials(session: Session, referentials: list[ReferentialData]) -> None:
    """Make the database hold these data, in the caller's transaction. They are checked, and so is what they link to."""
    known = {f.slug: f for f in session.scalars(sa.select(Framework))}
    frameworks = {data.slug: _load_items(session, data, known.get(data.slug)) for data in referentials}
    session.flush()
    ids = {row.uuid: row.id for row in session.execute(sa.select(FrameworkItem.uuid, FrameworkItem.id))}
    for data in referentials:
        _load_links(session, data, frameworks[data.slug], ids)


def _check_against_database(session: Session, referentials: list[ReferentialData]) -> None:
    """What the files cannot know: an item that another referential of the database holds, a link to one it lacks.

    Raises `ReferentialError` with every problem found; nothing is written.
    """
    owners = {
        row.uuid: row.slug
        for row in session.execute(
            sa.select(FrameworkItem.uuid, Framework.slug).join(
                Framework, Framework.id == FrameworkItem.framework_id
            )
        )
    }
    found = []
    coming = {item.uuid for data in referentials for item in data.walk()}
    for data in referentials:
        for item in data.walk():
            if owners.get(item.uuid, data.slug) != data.slug:
                found.append(
                    f"{data.path.name}:{item.line}: identifier {item.uuid} belongs to « {owners[item.uuid]} » already"
                )
        for link in data.links:
            for destination, line in link.destinations:
                if destination not in coming and destination not in owners:
                    found.append(
                        f"{data.path.name}:{line}: {destination} is not loaded yet: load « {link.to_slug} » with it"
                    )
    if found:
        raise ReferentialError(found)


def _load_items(session: Session, data: ReferentialData, framework: Framework | None) -> Framework:
    if framework is None:
        framework = Framework(uuid=data.uuid, slug=data.slug)
        session.add(framework)
    framework.title, framework.short_title = data.title, data.short_title
    framework.language, framework.version = data.language, data.version
    framework.position, framework.source, framework.guide = data.position, data.source, data.guide
    framework.checksum = data.checksum
    session.flush()
    existing = {
        item.uuid: item
        for item in session.scalars(
            sa.select(FrameworkItem).where(FrameworkItem.framework_id == framework.id)
        )
    }
    kept = _place(session, framework, data.items, None, existing, 0)
    for item in existing.values():
        if item.uuid not in kept:
            item.retired = True
    return framework


def _place(
    session: Session,
    framework: Framework,
    items: list[ItemData],
    parent: FrameworkItem | None,
    existing: dict[str, FrameworkItem],
    start: int,
) -> set[str]:
    """Write the items below `parent`, numbering them from `start`; the identifiers written."""
    written: set[str] = set()
    for data in items:
        item = existing.get(data.uuid)
        if item is None:
            item = FrameworkItem(uuid=data.uuid, framework_id=framework.id)
            session.add(item)
        item.parent = parent
        item.position = start + len(written)
        item.type, item.code, item.label, item.statement = data.type, data.code, data.label, data.statement
        item.notes, item.also_under, item.pairing_unknown = data.notes, data.also_under, data.pairing_unknown
        item.retired, item.replaced_by = isinstance(data, RetiredItem), data.replaced_by or None
        written.add(data.uuid)
        written |= _place(session, framework, data.items, item, existing, start + len(written))
    return written


def _load_links(session: Session, data: ReferentialData, framework: Framework, ids: dict[str, int]) -> None:
    """Replace the links this referential holds. Their identifiers follow from what they link."""
    uuids = named(data.walk())
    session.execute(sa.delete(ItemAssociation).where(ItemAssociation.framework_id == framework.id))
    own = sa.select(FrameworkItem.id).where(FrameworkItem.framework_id == framework.id)
    session.execute(sa.delete(SeeAlso).where(SeeAlso.origin_id.in_(own)))
    for link in data.links:
        for position, (destination, _line) in enumerate(link.destinations):
            session.add(
                ItemAssociation(
                    uuid=association_uuid(data.uuid, uuids[link.origin], RELATED, destination),
                    framework_id=framework.id,
                    origin_id=ids[uuids[link.origin]],
                    destination_id=ids[destination],
                    grouping=link.grouping,
                    position=position,
                )
            )
    for position, reference in enumerate(data.see_also):
        for offset, code in enumerate(reference.to or [None]):
            session.add(
                SeeAlso(
                    origin_id=ids[uuids[reference.origin]],
                    side=reference.side,
                    type=reference.type,
                    destination_id=ids[uuids[code]] if code else None,
                    position=position * 10 + offset,
                    text=reference.text,
                )
            )
