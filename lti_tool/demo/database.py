"""The demo's SQLite file: WAL, short transactions, writers one at a time."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, create_engine, event, inspect
from sqlalchemy.orm import Session, sessionmaker

from lti_tool.demo.people import SCHOOL, School
from lti_tool.demo.seed import reseed, seed
from lti_tool.demo.tables import Base

BUSY_TIMEOUT_MS = 10_000


class Database:
    """Sessions on one file; several processes may open it at once."""

    def __init__(self, path: Path, school: School = SCHOOL) -> None:
        self._school = school
        path.parent.mkdir(parents=True, exist_ok=True)
        self._engine = create_engine(URL.create("sqlite", database=str(path)))
        event.listen(self._engine, "connect", _set_up_connection)
        event.listen(self._engine, "begin", _begin)
        self._reader = sessionmaker(self._engine, expire_on_commit=False)
        self._writer = sessionmaker(self._engine.execution_options(writes=True), expire_on_commit=False)

    def prepare(self) -> None:
        """Make the tables and the first data when they are missing. Two processes may start together."""
        with self._writer.begin() as session:
            Base.metadata.create_all(session.connection())
            _add_missing_columns(session.connection())
            seed(session, self._school)
        self._engine.dispose()  # so that no connection crosses a fork of gunicorn

    def reset(self) -> None:
        """Put everything back as after the first start, except the keys."""
        with self.writing() as session:
            reseed(session, self._school)

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """A session on a stable view of the data; nothing is kept."""
        with self._reader() as session:
            yield session

    @contextmanager
    def writing(self) -> Iterator[Session]:
        """A session alone in writing; committed at the end, rolled back on an exception."""
        with self._writer.begin() as session:
            yield session

    def close(self) -> None:
        """Close every connection of this process."""
        self._engine.dispose()


def _add_missing_columns(connection: Connection) -> None:
    """Bring a file of an earlier version up to date: what came since has a default of its own."""
    for table in Base.metadata.sorted_tables:
        present = {column["name"] for column in inspect(connection).get_columns(table.name)}
        for column in table.columns:
            if column.name not in present:
                connection.exec_driver_sql(
                    f"ALTER TABLE {table.name} ADD COLUMN {column.name} INTEGER NOT NULL DEFAULT 1"
                )


def _set_up_connection(connection: Any, _record: object) -> None:
    connection.isolation_level = None  # we write BEGIN ourselves, see _begin
    connection.execute(f"PRAGMA busy_timeout = {BUSY_TIMEOUT_MS}")
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = NORMAL")
    connection.execute("PRAGMA foreign_keys = ON")


def _begin(connection: Connection) -> None:
    # A transaction that reads first and writes later fails at once when another wrote between: writers
    # take the lock at the start and wait for it (busy_timeout).
    writes = connection.get_execution_options().get("writes", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")
