"""The database: the models' base, the engine's habits, the schema's version.

SQLite is opened in WAL mode with full synchronisation; a transaction that will write begins with
`begin_write()`, which takes the write lock at once, so that it never has to turn a read into a write half-way
(SQLite answers SQLITE_BUSY to that without waiting).
"""

from __future__ import annotations

import time
from datetime import UTC, datetime
from inspect import iscoroutinefunction
from typing import Any

import sqlalchemy as sa
from alembic.config import Config as AlembicConfig
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from flask import Flask
from flask_sqlalchemy_lite import SQLAlchemy
from sqlalchemy import event
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import Connection, Engine
from sqlalchemy.exc import InvalidatePoolError
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column
from sqlalchemy.pool import ConnectionPoolEntry
from sqlalchemy.types import DateTime, TypeDecorator

from .config import Config, shipped
from .errors import DatabaseOutdated

db = SQLAlchemy(session_options={"expire_on_commit": False})

BUSY_TIMEOUT_MS = 15_000
TRIED_AFTER_S = 1.0
"""A connection that was idle longer is tried before it is used."""


class UtcDateTime(TypeDecorator[datetime]):
    """An aware UTC date and time; SQLite, which has no time zones, keeps it as naive UTC."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: sa.Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a date without a time zone cannot be stored")
        value = value.astimezone(UTC)
        return value.replace(tzinfo=None) if dialect.name == "sqlite" else value

    def process_result_value(self, value: datetime | None, dialect: sa.Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class Base(DeclarativeBase):
    """Base of the models. Names of constraints are fixed here, so that migrations can name them."""

    metadata = sa.MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map = {  # noqa: RUF012 - SQLAlchemy's own way
        datetime: UtcDateTime,
        dict[str, Any]: sa.JSON,
        list[str]: sa.JSON,
        list[int]: sa.JSON,
    }


class WithId:
    """A numeric primary key."""

    id: Mapped[int] = mapped_column(primary_key=True)


def utcnow() -> datetime:
    """The present moment, aware, in UTC."""
    return datetime.now(UTC)


def init_db(app: Flask, config: Config) -> None:
    """Bind the application to its database. Nothing is opened before the first query."""
    if config.database_url.startswith("sqlite:///"):
        config.data_dir.mkdir(parents=True, exist_ok=True)
    app.config["SQLALCHEMY_ENGINES"] = {"default": {"url": config.database_url, **_engine_options(config)}}
    db.init_app(app)
    # The extension also closes asynchronous sessions, for which Flask starts a thread at the end of each request.
    app.teardown_appcontext_funcs[:] = [
        close for close in app.teardown_appcontext_funcs if not iscoroutinefunction(close)
    ]
    with app.app_context():
        if db.engine.dialect.name == "sqlite":
            _teach_sqlite(db.engine)
        else:
            try_idle_connections(db.engine)


def _engine_options(config: Config) -> dict[str, Any]:
    # Errors of the database quote what was written: values stay out of them, and so out of every log.
    # The connection used last is used next: what it keeps (pages, prepared statements) is fresh.
    options: dict[str, Any] = {"hide_parameters": True, "pool_use_lifo": True}
    if not config.database_url.startswith("sqlite"):
        options |= {"pool_size": 8, "max_overflow": 8}
    return options


def _teach_sqlite(engine: Engine) -> None:
    @event.listens_for(engine, "connect")
    def on_connect(connection: Any, _record: object) -> None:
        # The driver must not begin transactions by itself: on_begin does, with the right lock.
        connection.isolation_level = None
        for pragma in (
            f"busy_timeout={BUSY_TIMEOUT_MS}",
            "journal_mode=WAL",
            "synchronous=FULL",
            "foreign_keys=ON",
        ):
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def on_begin(connection: Connection) -> None:
        immediate = connection.get_execution_options().get("immediate", False)
        driver: Any = connection.connection.dbapi_connection
        driver.execute("BEGIN IMMEDIATE" if immediate else "BEGIN")


def try_idle_connections(engine: Engine) -> None:
    """A connection that was idle is tried before it is used: the server may have restarted.

    SQLAlchemy's own trial comes before each transaction, several times in a launch.
    """

    @event.listens_for(engine, "checkin")
    def on_checkin(_connection: Any, record: ConnectionPoolEntry) -> None:
        record.info["idle_since"] = time.monotonic()

    @event.listens_for(engine, "checkout")
    def on_checkout(connection: Any, record: ConnectionPoolEntry, _proxy: object) -> None:
        idle_since = record.info.get("idle_since")
        if idle_since is None or time.monotonic() - idle_since < TRIED_AFTER_S:
            return
        try:
            engine.dialect.do_ping(connection)
        except engine.dialect.loaded_dbapi.Error as error:
            raise InvalidatePoolError from error


def begin_write() -> None:
    """Begin this thread's transaction as one that will write. To be called before its first query."""
    if db.session.in_transaction():
        db.session.rollback()
    db.session.connection(execution_options={"immediate": True})


def table_of(model: type[Base]) -> sa.Table:
    """The table of a model, for a statement that makes no objects."""
    table = model.__table__
    assert isinstance(table, sa.Table)
    return table


def insert_missing(session: Session, model: type[Base], **values: Any) -> None:
    """Insert a row unless one with the same unique values is there: two requests at once make one row."""
    table = table_of(model)
    if session.get_bind().dialect.name == "sqlite":
        session.execute(sqlite.insert(table).values(**values).on_conflict_do_nothing())
    else:
        session.execute(postgresql.insert(table).values(**values).on_conflict_do_nothing())


# ----- the schema's version -----


def alembic_config() -> AlembicConfig:
    """Alembic's settings; they need no file of their own. The address comes from the application."""
    config = AlembicConfig()
    config.set_main_option("script_location", str(shipped("migrations")).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    return config


def schema_versions() -> tuple[str | None, str | None]:
    """The revision of the database (None when empty), and the one this version needs."""
    with db.engine.connect() as connection:
        current = MigrationContext.configure(connection).get_current_revision()
    return current, ScriptDirectory.from_config(alembic_config()).get_current_head()


def require_current_schema() -> None:
    """Raise `DatabaseOutdated`, with the advice, unless the schema is the one this version needs."""
    current, needed = schema_versions()
    if current != needed:
        raise DatabaseOutdated(
            f"the database is at schema {current or 'none'}, this version needs {needed}: "
            "run « spirale db upgrade »"
        )
