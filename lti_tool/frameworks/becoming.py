"""What several competences become in the referentials they lead to, in short: for pages about an activity."""

from __future__ import annotations

from dataclasses import dataclass, field

import sqlalchemy as sa
from sqlalchemy.orm import Session, contains_eager

from .models import Framework, FrameworkItem, ItemAssociation
from .sheets import COMPETENCE, DETAILS, Entry


@dataclass(frozen=True)
class Becoming:
    """The competences of one linked referential that a competence leads to, with their sub-competences."""

    framework: Framework
    entries: list[Entry] = field(default_factory=list)


def becomings(session: Session, competence_ids: list[int]) -> dict[int, list[Becoming]]:
    """What each of these competences becomes, by its id, in the referentials' and the source's order. One query."""
    rows = session.execute(
        sa.select(ItemAssociation.origin_id, FrameworkItem)
        .join(FrameworkItem, ItemAssociation.destination_id == FrameworkItem.id)
        .join(FrameworkItem.framework)
        .where(
            ItemAssociation.origin_id.in_(competence_ids),
            FrameworkItem.type.in_((COMPETENCE, DETAILS[COMPETENCE])),
            FrameworkItem.retired.is_(False),
        )
        .order_by(Framework.position, ItemAssociation.position)
        .options(contains_eager(FrameworkItem.framework))
    )
    found: dict[int, dict[int, Becoming]] = {}
    for origin_id, item in rows:
        sides = found.setdefault(origin_id, {})
        entries = sides.setdefault(item.framework_id, Becoming(item.framework)).entries
        # The source names a competence before what is below it.
        above = next((entry for entry in entries if entry.item.id == item.parent_id), None)
        if above:
            above.below.append(item)
        else:
            entries.append(Entry(item))
    return {origin_id: list(sides.values()) for origin_id, sides in found.items()}
