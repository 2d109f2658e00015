"""Import, export, import: nothing is lost, whatever the referential; and what CASE cannot say stays in the database."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy.orm import Session

from lti_tool.db import db
from lti_tool.frameworks.case import package
from lti_tool.frameworks.changes import changes
from lti_tool.frameworks.checks import Problems, check_alone
from lti_tool.frameworks.data import ItemData, ReferentialData
from lti_tool.frameworks.importing import Import, read_import
from lti_tool.frameworks.loading import write_referentials
from lti_tool.frameworks.models import FrameworkItem
from lti_tool.frameworks.stored import stored_referential, stored_referentials
from tests.postgres import Postgres

from .packages import item, referentials, salt
from .test_case import plain

BASE = "https://spirale.example.org"
QUICK = settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
FEW = settings(QUICK, max_examples=15)


def written(data: ReferentialData, held: list[ReferentialData]) -> bytes:
    return json.dumps(package(data, BASE, held)).encode()


def read(content: bytes, held: list[ReferentialData]) -> Import:
    return read_import(Path("package.json"), content, held, slug="" if held else "essai")


def sayable(data: ReferentialData, new: ReferentialData) -> ReferentialData:
    """The data without what CASE has no place for, which is as in `new`."""

    def items(many: list[ItemData]) -> list[ItemData]:
        return [dataclasses.replace(one, pairing_unknown=False, items=items(one.items)) for one in many]

    return dataclasses.replace(
        plain(data),
        items=items(plain(data).items),
        short_title=new.short_title,
        position=new.position,
        guide={},
        see_also=[],
        checksum=new.checksum,
    )


@given(referentials())
@QUICK
def test_a_package_gives_back_the_referential_it_was_written_from(data: ReferentialData) -> None:
    problems = Problems("essai")
    check_alone(data, problems)
    assert problems.found == []

    found = read(written(data, [data]), [])

    assert plain(found.data) == sayable(data, found.data)


@given(referentials())
@QUICK
def test_a_package_of_what_is_held_changes_nothing_even_what_case_cannot_say(data: ReferentialData) -> None:
    found = read(written(data, [data]), [data])

    assert changes(data, found.data).nothing
    assert plain(dataclasses.replace(found.data, checksum="")) == plain(
        dataclasses.replace(data, checksum="")
    )


def through_the_database(session: Session, data: ReferentialData) -> None:
    """Import, export, import in a transaction that is undone."""
    held = stored_referentials(session)
    assert changes(None, data).new
    write_referentials(session, [data])
    stored = stored_referential(session, "essai")
    assert stored is not None
    assert plain(stored) == plain(data)

    again = read(written(stored, [*held, stored]), [*held, stored])

    coming = changes(stored, again.data)
    assert coming.nothing, coming
    write_referentials(session, [again.data])
    rewritten = stored_referential(session, "essai")
    assert rewritten is not None
    assert plain(rewritten) == plain(again.data)
    session.rollback()


def ends(session: Session) -> tuple[tuple[str, str], ...]:
    """Some items of the real referentials, for links to lead to."""
    rows = session.scalars(sa.select(FrameworkItem).where(FrameworkItem.code.in_(["1.1", "Bloc 1"])))
    return tuple((row.uuid, row.framework.slug) for row in rows)


@given(st.data())
@FEW
def test_through_sqlite_import_export_import_is_the_identity(in_app: Flask, data: Any) -> None:
    through_the_database(db.session, data.draw(referentials(ends(db.session))))


@pytest.fixture(scope="module")
def postgresql(postgres: Postgres, migrated_postgres: str) -> Any:
    engine = sa.create_engine(
        postgres.new_database(template=migrated_postgres).replace("postgresql://", "postgresql+psycopg://")
    )
    yield engine
    engine.dispose()


@given(st.data())
@settings(FEW, max_examples=5)
def test_through_postgresql_too(postgresql: sa.Engine, data: Any) -> None:
    with Session(postgresql) as session:
        through_the_database(session, data.draw(referentials(ends(session))))


def test_on_postgresql_a_package_is_imported_changed_and_exported_again(postgresql: sa.Engine) -> None:
    found = salt()
    with Session(postgresql) as session:
        write_referentials(session, [read(json.dumps(found).encode(), []).data])
        found["CFItems"].append(item(5, "Prendre congé"))
        found["CFItems"][0]["fullStatement"] = "Accueillir le client"

        second = read(json.dumps(found).encode(), stored_referentials(session))

        assert second.stored is not None
        coming = changes(second.stored, second.data)
        assert [one.statement for one in coming.added] == ["Prendre congé"]
        assert [one.item.statement for one in coming.changed] == ["Accueillir le client"]
        write_referentials(session, [second.data])
        held = stored_referentials(session)
        (stored,) = [one for one in held if one.uuid == second.data.uuid]
        assert changes(stored, read(written(stored, held), held).data).nothing


@pytest.mark.parametrize("slug", ["mrc-seconde", "ma", "mcv"])
def test_the_package_of_a_shipped_referential_changes_nothing(slug: str, in_app: Flask) -> None:
    held = stored_referentials(db.session)
    data = next(one for one in held if one.slug == slug)

    found = read(written(data, held), held)

    assert changes(found.stored, found.data).nothing
    assert (found.left_aside, found.unknown_links) == ({}, [])
