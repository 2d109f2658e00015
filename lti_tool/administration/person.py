"""One person, at their request: all that is stored of them, as JSON, or nothing any more."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from enum import Enum
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from ..activities.models import Activity
from ..assessment.models import Assessment, Decision, ObservationRequest
from ..courses.models import Course, CourseGroup, Person
from ..db import Base
from ..errors import NotFound
from ..frameworks.models import FrameworkItem
from ..lti.models import Platform
from .repointing import references

SECRETS = ("sid_hash", "browser_hash")
NAMED: dict[str, tuple[sa.Table, sa.ColumnElement[str]]] = {
    "course": (Course.__table__, Course.title),  # type: ignore[dict-item]
    "course_group": (CourseGroup.__table__, CourseGroup.name),  # type: ignore[dict-item]
    "activity": (Activity.__table__, Activity.title),  # type: ignore[dict-item]
    "framework_item": (FrameworkItem.__table__, FrameworkItem.code),  # type: ignore[dict-item]
    "platform": (Platform.__table__, Platform.name),  # type: ignore[dict-item]
}
"""Tables whose rows an export calls by a word, beside their number."""

MADE = {
    (Assessment.__tablename__, "assessor_id"): "entries made about others",
    (Decision.__tablename__, "decider_id"): "decisions made about others",
    (ObservationRequest.__tablename__, "closed_by_id"): "others' requests closed",
}
"""The columns that say who made something of somebody else."""


def find_person(session: Session, platform_id: int, sub: str) -> Person:
    """The person a platform calls `sub`. Raises `NotFound`."""
    found = session.scalars(sa.select(Person).filter_by(platform_id=platform_id, sub=sub)).first()
    if found is None:
        raise NotFound(
            f"platform {platform_id} has nobody of that identifier; « spirale platform list » shows them"
        )
    return found


def export_person(session: Session, person: Person) -> dict[str, Any]:
    """Everything that is stored about a person, by table: their own row, and the rows that refer to it.

    Entries and decisions they made about others are counted, not given: those are the others'.
    """
    table = Base.metadata.tables[Person.__tablename__]
    exported: dict[str, Any] = {"person": _rows(session, table, table.c.id == person.id)[0]}
    for column in references(Person.__tablename__):
        name = f"{column.table.name} ({column.name})"
        said = MADE.get((column.table.name, column.name))
        if said:
            made = sa.select(sa.func.count()).where(
                column == person.id, column.table.c.person_id != person.id
            )
            exported[said] = session.scalar(made) or 0
        else:
            exported[name] = _rows(session, column.table, column == person.id)
    return exported


def _rows(session: Session, table: sa.Table, those: sa.ColumnElement[bool]) -> list[dict[str, Any]]:
    names = {
        column.name: key.column.table.name
        for column in table.columns
        for key in column.foreign_keys
        if key.column.table.name in NAMED
    }
    found = session.execute(sa.select(table).where(those).order_by(*table.primary_key.columns))
    rows = []
    for row in found:
        values = {key: _plain(value) for key, value in row._mapping.items() if key not in SECRETS}
        for column, target in names.items():
            if values.get(column) is not None:
                values[column.removesuffix("_id")] = _name(session, target, values[column])
        if table.name == Assessment.__tablename__:
            values["observed"] = _statements(session, row.observed)
        rows.append(values)
    return rows


def _name(session: Session, target: str, row_id: int) -> str:
    table, word = NAMED[target]
    return session.scalar(sa.select(word).where(table.c.id == row_id)) or ""


def _statements(session: Session, ids: list[int]) -> list[str]:
    """What was observed, in words."""
    return list(
        session.scalars(
            sa.select(FrameworkItem.statement).where(FrameworkItem.id.in_(ids)).order_by(FrameworkItem.id)
        )
    )


def _plain(value: object) -> Any:
    """A value as JSON has it."""
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, Decimal):
        return float(value)
    return value.value if isinstance(value, Enum) else value
