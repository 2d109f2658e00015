"""Rows that become one: everything that refers to a row is made to refer to another, whatever table it is in."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import sqlalchemy as sa
from sqlalchemy.orm import Session

from ..assessment.models import Assessment
from ..db import Base

MOVES = sa.Table(
    "moves",
    sa.MetaData(),
    sa.Column("source", sa.Integer, primary_key=True),
    sa.Column("place", sa.Integer, nullable=False),
    prefixes=["TEMPORARY"],
)
"""A temporary table: there may be more rows than a statement takes parameters."""


def references(target: str) -> Iterator[sa.Column[int]]:
    """The columns of all tables that refer to the rows of `target`."""
    for table in Base.metadata.sorted_tables:
        for column in table.columns:
            if any(key.column.table.name == target for key in column.foreign_keys):
                yield column


def repoint(session: Session, target: str, moves: Mapping[int, int]) -> None:
    """Make the rows that refer to `target` rows refer to others: from each key of `moves` to its value.

    Where there is room for one row only (a unique rule), the one that moves takes the place of the one that was
    there. Entries of the grid cannot be changed: they are written again, under their own numbers.
    """
    if not moves:
        return
    session.flush()
    connection = session.connection()
    MOVES.create(connection)
    connection.execute(MOVES.insert(), [{"source": s, "place": p} for s, p in moves.items()])
    for column in references(target):
        if column.table is Assessment.__table__:
            continue
        for rule in _unique_rules(column):
            connection.execute(_make_room(column, rule))
        place = sa.select(MOVES.c.place).where(MOVES.c.source == column).scalar_subquery()
        moving = column.in_(sa.select(MOVES.c.source))
        connection.execute(sa.update(column.table).where(moving).values({column: place}))
    MOVES.drop(connection)
    if target == "person":
        _write_entries_again(session, moves)
    session.expire_all()


def _unique_rules(column: sa.Column[int]) -> Iterator[list[sa.Column[object]]]:
    """The sets of columns, this one among them, that no two rows of its table may share."""
    table = column.table
    assert isinstance(table, sa.Table)
    for constraint in table.constraints:
        if isinstance(constraint, sa.UniqueConstraint | sa.PrimaryKeyConstraint) and column in set(
            constraint.columns
        ):
            yield list(constraint.columns)
    for index in table.indexes:
        # A rule about some of the rows only (open deliveries) is for the caller, who knows which.
        partial = any("where" in options for options in index.dialect_kwargs)
        if index.unique and not partial and column in set(index.columns):
            yield list(index.columns)


def _make_room(column: sa.Column[int], rule: list[sa.Column[object]]) -> sa.Delete:
    """Delete the rows whose place the moving ones take."""
    moving = column.table.alias("moving")
    same = [moving.c[other.name] == other for other in rule if other is not column]
    taken = (
        sa.select(sa.literal(1))
        .select_from(moving.join(MOVES, MOVES.c.source == moving.c[column.name]))
        .where(MOVES.c.place == column, *same)
    )
    return sa.delete(column.table).where(sa.exists(taken.correlate(column.table)))


def _write_entries_again(session: Session, moves: Mapping[int, int]) -> None:
    table = Assessment.__table__
    assert isinstance(table, sa.Table)
    columns = (table.c.person_id, table.c.assessor_id)
    sources = list(moves)
    for start in range(0, len(sources), 500):
        some = sources[start : start + 500]
        mine = sa.or_(*(column.in_(some) for column in columns))
        rows = [dict(row._mapping) for row in session.execute(sa.select(table).where(mine))]
        session.execute(sa.delete(table).where(table.c.id.in_([row["id"] for row in rows])))
        for row in rows:
            for column in columns:
                row[column.name] = moves.get(row[column.name], row[column.name])
        if rows:
            session.execute(sa.insert(table), rows)
