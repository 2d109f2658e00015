"""The schema the migrations make is the models', on both databases, and they can be undone."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from flask import Flask

from lti_tool import create_app
from lti_tool.cli import upgrade_database
from lti_tool.config import Config, load_config
from lti_tool.courses.models import Course, Person
from lti_tool.db import Base, alembic_config, begin_write, db, require_current_schema, schema_versions
from lti_tool.errors import DatabaseOutdated
from lti_tool.lti.models import Platform
from tests.postgres import SECRET, Postgres


@pytest.fixture(params=["sqlite", "postgresql"])
def empty(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[Flask, Config]]:
    """An application before an empty database of that kind, in its context."""
    settings = {"SPIRALE_DATA_DIR": str(tmp_path), "SPIRALE_SECRET_KEY": SECRET}
    if request.param == "postgresql":
        server: Postgres = request.getfixturevalue("postgres")
        settings["SPIRALE_DATABASE_URL"] = server.new_database()
    config = load_config(settings)
    app = create_app(config)
    with app.app_context():
        yield app, config
        db.session.close()
        db.engine.dispose()
    app.extensions["spirale_queue"].storage.close()


def tables() -> set[str]:
    with db.engine.connect() as connection:
        return set(sa.inspect(connection).get_table_names())


def test_the_migrations_make_the_models_schema(empty: tuple[Flask, Config]) -> None:
    _app, config = empty
    upgrade_database(config)
    db.session.close()

    with db.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        differences = compare_metadata(context, Base.metadata)

    assert differences == []
    assert tables() == {*Base.metadata.tables, "alembic_version"}


def test_migrations_go_up_down_and_up_again_and_down_leaves_nothing(empty: tuple[Flask, Config]) -> None:
    _app, config = empty
    upgrade_database(config)
    db.session.close()
    command.downgrade(alembic_config(), "base")
    assert tables() == {"alembic_version"}
    assert left_behind() == []
    with pytest.raises(DatabaseOutdated):
        require_current_schema()

    upgrade_database(config)
    db.session.close()

    current, needed = schema_versions()
    assert current == needed
    assert tables() == {*Base.metadata.tables, "alembic_version"}


def test_a_courses_referentials_survive_their_migration_both_ways(empty: tuple[Flask, Config]) -> None:
    from tests import factories

    _app, config = empty
    upgrade_database(config)
    db.session.close()
    begin_write()
    on = factories.platform()
    for slugs in (["mrc-seconde"], ["crcn", "mrc-seconde"]):
        factories.course(on, framework_slugs=slugs)
    db.session.commit()
    db.session.close()

    command.downgrade(alembic_config(), "0003-1")
    with db.engine.connect() as connection:
        single = connection.exec_driver_sql("SELECT framework_slug FROM course ORDER BY id").scalars().all()
    command.upgrade(alembic_config(), "head")

    assert single == ["mrc-seconde", "crcn"], "the main one"
    found = db.session.scalars(sa.select(Course.framework_slugs).order_by(Course.id)).all()
    assert found == [["mrc-seconde"], ["crcn"]]


def test_who_was_seen_when_is_worked_out_from_launches_and_rosters(empty: tuple[Flask, Config]) -> None:
    from tests import factories

    _app, config = empty
    upgrade_database(config)
    db.session.close()
    begin_write()
    old, launch, roster = (datetime(2026, month, 1, 8, tzinfo=UTC) for month in (1, 3, 5))
    course = factories.course(roster_read_at=roster)
    known, launched, listed = (
        factories.enrolled(course, given, "X", **more)
        for given, more in (
            ("known", {"launched_at": None}),
            ("launched", {"launched_at": launch}),
            ("listed", {"launched_at": launch, "in_roster": True}),
        )
    )
    db.session.execute(sa.update(Person).values(created_at=old))
    db.session.commit()
    ids = {known.id: old, launched.id: launch, listed.id: roster}
    db.session.close()

    command.downgrade(alembic_config(), "0005")
    command.upgrade(alembic_config(), "head")

    assert dict(db.session.execute(sa.select(Person.id, Person.seen_at)).all()) == ids
    assert db.session.scalar(sa.select(Platform.launched_at)) == launch


OBJECTS = {
    "sqlite": "SELECT name FROM sqlite_master",
    "postgresql": """
        SELECT proname FROM pg_proc WHERE pronamespace = 'public'::regnamespace
        UNION ALL SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace
        UNION ALL SELECT typname FROM pg_type WHERE typnamespace = 'public'::regnamespace
    """,
}


def left_behind() -> list[str]:
    """What is in the database beside Alembic's table: tables, functions, triggers, sequences, types."""
    with db.engine.connect() as connection:
        names = [row[0] for row in connection.exec_driver_sql(OBJECTS[connection.dialect.name])]
    return [name for name in names if "alembic" not in name]


def test_an_assessment_cannot_be_changed_even_by_hand(empty: tuple[Flask, Config]) -> None:
    from lti_tool.assessment.models import Assessment
    from tests import factories

    _app, config = empty
    upgrade_database(config)
    db.session.close()
    begin_write()
    course = factories.course()
    pupil, teacher = (
        factories.enrolled(course, "Adam", "Benali"),
        factories.enrolled(course, "Claire", "Morel"),
    )
    factories.assessment(factories.activity(course, "1A"), "1A", pupil, 2, teacher)
    db.session.commit()

    with pytest.raises(sa.exc.DBAPIError, match="only added"):
        db.session.execute(sa.update(Assessment).values(level=4))
    db.session.rollback()

    assert db.session.scalar(sa.select(Assessment.level)) == 2


def test_every_constraint_has_the_name_a_migration_can_use(empty: tuple[Flask, Config]) -> None:
    _app, config = empty
    upgrade_database(config)
    db.session.close()

    with db.engine.connect() as connection:
        inspector = sa.inspect(connection)
        found = [
            (table, constraint)
            for table in Base.metadata.tables
            for constraint in (*inspector.get_unique_constraints(table), *inspector.get_foreign_keys(table))
        ]
        unread = [(table, one["constrained_columns"][0]) for table, one in found if one["name"] is None]
        written = "" if not unread else schema_text(connection)

    assert found
    # SQLAlchemy does not read the name of a constraint that SQLite got with its column.
    assert [key for key in unread if "CONSTRAINT fk_{}_{} REFERENCES".format(*key) not in written] == []


def schema_text(connection: sa.Connection) -> str:
    return "\n".join(
        connection.exec_driver_sql("SELECT sql FROM sqlite_master WHERE sql IS NOT NULL").scalars().all()
    )
