"""Removing a platform, with everything that came through it. Results are never erased unasked."""

from __future__ import annotations

from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.orm import Session

from ..activities.models import Activity
from ..assessment.models import Assessment
from ..courses.models import Course, Person
from ..db import Base
from ..errors import BadInput
from ..lti.models import Platform
from ..lti.platforms import find_platform

LASTING = frozenset({"invite"})
"""Tables that only remember a platform: their rows stay, without it."""


@dataclass(frozen=True)
class Removal:
    """What went with a platform."""

    name: str
    courses: int
    people: int
    activities: int
    entries: int


def remove_platform(session: Session, platform_id: int, erase: str = "") -> Removal:
    """Remove a platform and all that belongs to it, in the caller's transaction.

    Raises `NotFound`, or `BadInput` when its courses hold activities or results and `erase` is not its name.
    """
    platform = find_platform(session, platform_id)
    removal = count_removal(session, platform)
    if (removal.activities or removal.entries) and erase != platform.name:
        raise BadInput(
            {
                "--erase": f"{removal.entries} entries of {removal.activities} activities would be lost for ever; "
                f"type --erase '{platform.name}' to erase them, or keep the platform out: "
                f"« spirale platform disable {platform_id} »"
            }
        )
    delete_rows(session, sa.select(Platform.id).where(Platform.id == platform_id), Platform.__tablename__)
    session.expire_all()
    return removal


def delete_rows(session: Session, rows: sa.Select[int], name: str) -> None:
    """Delete rows, and before them whatever refers to them, table after table."""
    table = Base.metadata.tables[name]
    for other in reversed(Base.metadata.sorted_tables):
        for column in other.columns:
            if other.name == name or not any(key.column.table is table for key in column.foreign_keys):
                continue
            if other.name in LASTING:
                session.execute(sa.update(other).where(column.in_(rows)).values({column: None}))
            elif "id" in other.primary_key.columns:
                delete_rows(session, sa.select(other.c.id).where(column.in_(rows)), other.name)
            else:
                session.execute(sa.delete(other).where(column.in_(rows)))
    session.execute(sa.delete(table).where(table.c.id.in_(rows)))


def count_removal(session: Session, platform: Platform) -> Removal:
    """What would go with a platform."""
    courses = sa.select(Course.id).where(Course.platform_id == platform.id)
    activities = sa.select(Activity.id).where(Activity.course_id.in_(courses))

    def count(of: sa.ColumnElement[bool]) -> int:
        return session.scalar(sa.select(sa.func.count()).where(of)) or 0

    return Removal(
        platform.name,
        courses=count(Course.platform_id == platform.id),
        people=count(Person.platform_id == platform.id),
        activities=count(Activity.course_id.in_(courses)),
        entries=count(Assessment.activity_id.in_(activities)),
    )
