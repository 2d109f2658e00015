"""What every test starts from: a migrated database with the real referential, an application, a way in."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from types import CodeType
from typing import TYPE_CHECKING, Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from jinja2.bccache import Bucket, BytecodeCache
from werkzeug.routing import Rule
from werkzeug.test import TestResponse

from lti_tool import create_app
from lti_tool.config import Config, load_config
from lti_tool.courses.models import Course, Person, Role
from lti_tool.db import db
from lti_tool.setup import upgrade_database
from tests import factories

if TYPE_CHECKING:
    from tests.postgres import Postgres

pytest_plugins = ["tests.postgres", "tests.both"]

SECRET = "a secret for tests, long enough to be taken"


class CompiledTemplates(BytecodeCache):
    """The templates, compiled once for all the applications of a run: each test makes its own."""

    def __init__(self) -> None:
        self._kept: dict[str, tuple[str, CodeType]] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        checksum, code = self._kept.get(bucket.key, ("", None))
        if checksum == bucket.checksum:
            bucket.code = code

    def dump_bytecode(self, bucket: Bucket) -> None:
        assert bucket.code is not None
        self._kept[bucket.key] = bucket.checksum, bucket.code


def compiled_once(compile_builder: Callable[[Rule, bool], Any]) -> Callable[[Rule, bool], Any]:
    """What builds an address, compiled once for all the applications of a run: 115 of them take 30 ms."""
    kept: dict[tuple[object, ...], Any] = {}

    def compile_once(rule: Rule, append_unknown: bool = True) -> Any:
        defaults = tuple(sorted((rule.defaults or {}).items()))
        key = (tuple(rule._trace), tuple(sorted(rule.arguments)), defaults, append_unknown)
        if key not in kept:
            kept[key] = compile_builder(rule, append_unknown)
        return kept[key]

    return compile_once


def pytest_configure() -> None:
    Flask.jinja_options = {"bytecode_cache": CompiledTemplates()}
    Rule._compile_builder = compiled_once(Rule._compile_builder)  # type: ignore[method-assign]


@pytest.fixture(autouse=True)
def _push_request_context() -> None:
    """Neutralises pytest-flask's context, which spans the requests of a test and hides a forgotten commit."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The longest files first, so that no process is left alone with them at the end."""
    items.sort(key=lambda item: not {"journeys", "soak"} & set(item.path.parts))


def make_config(data_dir: Path, **more: str) -> Config:
    """Settings of a test: SQLite in its own folder."""
    return load_config({"SPIRALE_DATA_DIR": str(data_dir), "SPIRALE_SECRET_KEY": SECRET, **more})


@pytest.fixture(scope="session")
def migrated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database made by the migrations, with the shipped referentials: copied for each test."""
    folder = tmp_path_factory.mktemp("migrated")
    config = make_config(folder)
    app = create_app(config)
    with app.app_context():
        upgrade_database(config)
        db.session.close()
        with db.engine.connect() as connection:
            connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
        db.engine.dispose()
    return folder / "spirale.db"


@pytest.fixture
def config(tmp_path: Path, migrated: Path) -> Config:
    shutil.copy(migrated, tmp_path / "spirale.db")
    return make_config(tmp_path)


@pytest.fixture
def app(config: Config) -> Iterator[Flask]:
    app = create_app(config)
    app.testing = False  # errors become pages, as they do for people
    yield app
    with app.app_context():
        db.engine.dispose()
    app.extensions["spirale_queue"].storage.close()


@pytest.fixture
def app_on_postgres(tmp_path: Path, postgres: Postgres, migrated_postgres: str) -> Iterator[Flask]:
    """The application on PostgreSQL, which refuses more than SQLite does: lengths, NUL, numbers."""
    url = postgres.new_database(template=migrated_postgres)
    app = create_app(make_config(tmp_path, SPIRALE_DATABASE_URL=url))
    app.testing = False
    yield app
    with app.app_context():
        db.engine.dispose()
    app.extensions["spirale_queue"].storage.close()


@pytest.fixture
def in_app(app: Flask) -> Iterator[Flask]:
    """An application context, for tests that talk to the packages below `web`."""
    with app.app_context():
        yield app
        db.session.close()


@dataclass
class Visitor:
    """Somebody with an open session: requests go to its pages, as a browser would send them."""

    client: FlaskClient
    sid: str
    course_id: int
    person_id: int
    csrf: str = ""
    headers: dict[str, str] = field(default_factory=dict)

    def get(self, path: str = "/", **more: Any) -> TestResponse:
        return self.client.get(f"/l/{self.sid}{path}", **more)

    def post(self, path: str, data: dict[str, Any] | None = None, **more: Any) -> TestResponse:
        """Post a form, with its token."""
        return self.client.post(f"/l/{self.sid}{path}", data={"csrf": self.csrf, **(data or {})}, **more)

    def post_json(self, path: str, body: Any, **more: Any) -> TestResponse:
        return self.client.post(
            f"/l/{self.sid}{path}",
            json=body,
            headers={"X-CSRF-Token": self.csrf, **more.pop("headers", {})},
            **more,
        )


@dataclass
class School:
    """One course with two teachers, an assessor and some pupils, and the way in for each."""

    app: Flask
    course: Course
    people: dict[str, Person]

    def visit(self, name: str, **more: Any) -> Visitor:
        """Open a session for « teacher », « colleague », « assessor », « observer » or a pupil's given name."""
        return open_visit(self.app, self.course, self.people[name], **more)


def open_visit(app: Flask, course: Course, person: Person, **more: Any) -> Visitor:
    """A session of a person in a course, opened as a launch opens it."""
    sid, browser, csrf = factories.open_session(app, course, person, **more)
    client = app.test_client()
    client.set_cookie("spirale", browser, domain="localhost", secure=False)
    return Visitor(client, sid, course.id, person.id, csrf)


@pytest.fixture
def school(app: Flask) -> School:
    """A course that may send grades (its columns live nowhere: tests of delivery use the demo platform)."""
    return make_school(app)


def make_school(app: Flask) -> School:
    """The same, in any application."""
    with app.app_context():
        course = factories.course()
        people = {
            "teacher": factories.enrolled(course, "Claire", "Morel", Role.TEACHER),
            "colleague": factories.enrolled(course, "Karim", "Diallo", Role.TEACHER),
            "assessor": factories.enrolled(course, "Yann", "Le Goff", Role.ASSESSOR),
            "observer": factories.enrolled(course, "Ana", "Silva", Role.OBSERVER),
        }
        for given, family in (("Adam", "Benali"), ("Aïcha", "Diop"), ("Chloé", "Martin"), ("Zoé", "Lambert")):
            people[given] = factories.enrolled(course, given, family, Role.LEARNER)
        db.session.commit()
        db.session.close()
    return School(app, course, people)
