"""A course of the demo LMS, the tool before it, and both databases."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.platform import DemoWorld
from tests.postgres import Postgres

from .gradebook_world import Gradebook


@pytest.fixture
def world(tmp_path: Path, migrated: Path) -> Iterator[DemoWorld]:
    """The demo LMS and the tool, on SQLite."""
    shutil.copy(migrated, tmp_path / "spirale.db")
    with DemoWorld(tmp_path) as world:
        yield world


@pytest.fixture
def book(world: DemoWorld) -> Gradebook:
    """A course whose pupils are assessed, and its gradebook in the LMS."""
    return Gradebook(world)


@pytest.fixture
def impatient_book(tmp_path: Path, migrated: Path) -> Iterator[Gradebook]:
    """As `book`, where the LMS must answer within two seconds."""
    shutil.copy(migrated, tmp_path / "spirale.db")
    with DemoWorld(tmp_path, timeout_s=2.0) as world:
        yield Gradebook(world)


@pytest.fixture(params=["sqlite", "postgresql"])
def book_on_both(request: pytest.FixtureRequest, tmp_path: Path, migrated: Path) -> Iterator[Gradebook]:
    """As `book`, on each database."""
    settings = {}
    if request.param == "sqlite":
        shutil.copy(migrated, tmp_path / "spirale.db")
    else:
        server: Postgres = request.getfixturevalue("postgres")
        template: str = request.getfixturevalue("migrated_postgres")
        settings["SPIRALE_DATABASE_URL"] = server.new_database(template)
    with DemoWorld(tmp_path, **settings) as world:
        yield Gradebook(world)
