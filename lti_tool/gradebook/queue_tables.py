"""Huey's messages in tables of PostgreSQL: for a school that has a database server and no Redis.

What huey ships for this brings a second ORM, with tables of general names (docs/decisions/0012-queue-storage.md).
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from huey.constants import EmptyData
from huey.storage import BaseStorage
from sqlalchemy.dialects.postgresql import insert

from ..db import try_idle_connections

MAKING = 0x5B12A1E
"""The lock of whoever makes the tables: two processes may start at once."""
metadata = sa.MetaData()
messages = sa.Table(
    "queue_message",
    metadata,
    sa.Column("id", sa.BigInteger, sa.Identity(), primary_key=True),
    sa.Column("queue", sa.String(64), nullable=False),
    sa.Column("data", sa.LargeBinary, nullable=False),
    sa.Column("priority", sa.Float, nullable=False),
)
sa.Index("ix_queue_message_next", messages.c.queue, messages.c.priority.desc(), messages.c.id)
planned = sa.Table(
    "queue_planned",
    metadata,
    sa.Column("id", sa.BigInteger, sa.Identity(), primary_key=True),
    sa.Column("queue", sa.String(64), nullable=False),
    sa.Column("data", sa.LargeBinary, nullable=False),
    sa.Column("due", sa.DateTime, nullable=False),
)
sa.Index("ix_queue_planned_due", planned.c.queue, planned.c.due)
values = sa.Table(
    "queue_value",
    metadata,
    sa.Column("queue", sa.String(64), primary_key=True),
    sa.Column("key", sa.String(255), primary_key=True),
    sa.Column("value", sa.LargeBinary),
    sa.Column("count", sa.BigInteger, nullable=False, server_default="0"),
)


class TableStorage(BaseStorage):
    """Huey's own interface; its methods are described there."""

    def __init__(self, name: str, url: str) -> None:
        super().__init__(name)
        # A server that does not answer must not hold up the teacher who typed a level.
        limits = {"connect_timeout": 2, "tcp_user_timeout": 5000, "options": "-c statement_timeout=5000"}
        asked = sa.make_url(url).query
        self._engine = sa.create_engine(
            url,
            pool_size=2,
            max_overflow=14,
            hide_parameters=True,
            connect_args={key: value for key, value in limits.items() if key not in asked},
        )
        try_idle_connections(self._engine)
        # Each operation is one statement: a transaction around it would be two more exchanges with the server.
        self._single = self._engine.execution_options(isolation_level="AUTOCOMMIT")
        self._made, self._lock = False, threading.Lock()

    def close(self) -> bool:
        self._engine.dispose()
        return True

    @contextmanager
    def _connection(self) -> Iterator[sa.Connection]:
        if not self._made:
            with self._lock, self._engine.begin() as connection:
                connection.execute(sa.select(sa.func.pg_advisory_xact_lock(MAKING)))
                metadata.create_all(connection)
                self._made = True
        with self._single.connect() as connection:
            yield connection

    def _count(self, table: sa.Table) -> int:
        with self._connection() as connection:
            query = sa.select(sa.func.count()).select_from(table).where(table.c.queue == self.name)
            return connection.scalar(query) or 0

    def _flush(self, table: sa.Table) -> None:
        with self._connection() as connection:
            connection.execute(sa.delete(table).where(table.c.queue == self.name))

    # Messages

    def enqueue(self, data: bytes, priority: float | None = None) -> None:
        with self._connection() as connection:
            row = {"queue": self.name, "data": data, "priority": priority or 0}
            connection.execute(sa.insert(messages).values(row))

    def dequeue(self) -> bytes | None:
        first = (
            sa.select(messages.c.id)
            .where(messages.c.queue == self.name)
            .order_by(messages.c.priority.desc(), messages.c.id)
            .limit(1)
            .with_for_update(skip_locked=True)
        )
        taken = sa.delete(messages).where(messages.c.id == first.scalar_subquery()).returning(messages.c.data)
        with self._connection() as connection:
            found = connection.scalar(taken)
        return None if found is None else bytes(found)

    def queue_size(self) -> int:
        return self._count(messages)

    def enqueued_items(self, limit: int | None = None) -> list[bytes]:
        order = (messages.c.priority.desc(), messages.c.id)
        return self._items(messages, order, limit)

    def flush_queue(self) -> None:
        self._flush(messages)

    # What is planned

    def add_to_schedule(self, data: bytes, ts: datetime) -> None:
        with self._connection() as connection:
            connection.execute(sa.insert(planned).values(queue=self.name, data=data, due=ts))

    def read_schedule(self, ts: datetime) -> list[bytes]:
        due = (
            sa.select(planned.c.id)
            .where(planned.c.queue == self.name, planned.c.due <= ts)
            .with_for_update(skip_locked=True)
        )
        taken = (
            sa.delete(planned)
            .where(planned.c.id.in_(due))
            .returning(planned.c.due, planned.c.id, planned.c.data)
        )
        with self._connection() as connection:
            return [
                bytes(data)
                for _due, _id, data in sorted(connection.execute(taken), key=lambda r: (r[0], r[1]))
            ]

    def schedule_size(self) -> int:
        return self._count(planned)

    def scheduled_items(self, limit: int | None = None) -> list[bytes]:
        return self._items(planned, (planned.c.due, planned.c.id), limit)

    def flush_schedule(self) -> None:
        self._flush(planned)

    def _items(self, table: sa.Table, order: Any, limit: int | None) -> list[bytes]:
        query = sa.select(table.c.data).where(table.c.queue == self.name).order_by(*order).limit(limit)
        with self._connection() as connection:
            return [bytes(data) for data in connection.scalars(query)]

    # What is remembered: tasks that were revoked, locks

    def put_data(self, key: str, value: bytes, is_result: bool = False) -> None:
        row = insert(values).values(queue=self.name, key=_text(key), value=value)
        with self._connection() as connection:
            connection.execute(
                row.on_conflict_do_update(index_elements=["queue", "key"], set_={"value": row.excluded.value})
            )

    def put_if_empty(self, key: str, value: bytes, ttl: int | None = None) -> bool:
        if ttl is not None:
            return bool(
                super().put_if_empty(key, value, ttl)
            )  # huey's own refusal: nothing is forgotten by itself
        row = insert(values).values(queue=self.name, key=_text(key), value=value)
        with self._connection() as connection:
            return connection.scalar(row.on_conflict_do_nothing().returning(values.c.key)) is not None

    def peek_data(self, key: str) -> Any:
        with self._connection() as connection:
            found = connection.scalar(sa.select(values.c.value).where(*self._named(key)))
        return EmptyData if found is None else bytes(found)

    def peek_many(self, keys: list[str]) -> dict[str, bytes]:
        query = sa.select(values.c.key, values.c.value).where(
            values.c.queue == self.name,
            values.c.key.in_([_text(key) for key in keys]),
            values.c.value.is_not(None),
        )
        with self._connection() as connection:
            return {key: bytes(value) for key, value in connection.execute(query)}

    def pop_data(self, key: str) -> Any:
        taken = sa.delete(values).where(*self._named(key)).returning(values.c.value)
        with self._connection() as connection:
            found = connection.scalar(taken)
        return EmptyData if found is None else bytes(found)

    def has_data_for_key(self, key: str) -> bool:
        return self.peek_data(key) is not EmptyData

    def incr(self, key: str, amount: int = 1) -> int:
        row = insert(values).values(queue=self.name, key=_text(key), count=amount)
        counted = row.on_conflict_do_update(
            index_elements=["queue", "key"], set_={"count": values.c.count + amount}
        ).returning(values.c.count)
        with self._connection() as connection:
            return int(connection.scalar(counted) or 0)

    def delete_counter(self, key: str) -> None:
        with self._connection() as connection:
            connection.execute(sa.delete(values).where(*self._named(key)))

    def result_store_size(self) -> int:
        return len(self.result_items())

    def result_items(self) -> dict[str, bytes]:
        query = sa.select(values.c.key, values.c.value).where(
            values.c.queue == self.name, values.c.value.is_not(None)
        )
        with self._connection() as connection:
            return {key: bytes(value) for key, value in connection.execute(query)}

    def flush_results(self) -> None:
        self._flush(values)

    def flush_counters(self) -> None:
        self._flush(values)

    def _named(self, key: str) -> tuple[sa.ColumnElement[bool], ...]:
        return values.c.queue == self.name, values.c.key == _text(key)


def _text(key: str | bytes) -> str:
    return key.decode() if isinstance(key, bytes) else key
