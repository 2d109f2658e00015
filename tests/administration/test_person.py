"""`spirale person`: all that is stored of somebody, or nothing any more; each is logged by numbers."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import sqlalchemy as sa
from click.testing import CliRunner
from flask import Flask

from lti_tool.administration.models import AdminEvent
from lti_tool.administration.person import export_person, find_person
from lti_tool.assessment.models import Assessment
from lti_tool.cli import spirale
from lti_tool.courses.models import Person, Role
from lti_tool.db import Base, begin_write, db
from lti_tool.errors import NotFound
from tests import factories
from tests.conftest import SECRET


def a_class(app: Flask) -> tuple[int, Person, Person]:
    """A platform's number, a teacher and a pupil who has results and a session, committed."""
    begin_write()
    course = factories.course()
    teacher = factories.enrolled(course, "Claire", "Morel", Role.TEACHER)
    adam = factories.enrolled(course, "Adam", "Benali")
    activity = factories.activity(course, "1A")
    seen = factories.competence("2A").id
    factories.assessment(activity, "1A", adam, 3, teacher, comment="Voix posée", observed=[seen])
    factories.decision(course, "1A", adam, 4, teacher, reason="Vu au salon des métiers")
    factories.group(course, "Groupe A", adam)
    db.session.commit()
    factories.open_session(app, course, adam)
    db.session.rollback()
    return course.platform_id, teacher, adam


def test_an_export_holds_every_row_about_a_person_by_table_with_words_and_no_secret(in_app: Flask) -> None:
    _platform, _teacher, adam = a_class(in_app)
    exported = export_person(db.session, adam)
    assert exported["person"]["family_name"] == "Benali"
    (entry,) = exported["assessment (person_id)"]
    assert (
        entry["level"],
        entry["comment"],
        entry["framework_item"] if "framework_item" in entry else entry["item"],
    ) == (
        3,
        "Voix posée",
        "1A",
    )
    assert entry["activity"] == "Accueil d’un visiteur au lycée"
    (decision,) = exported["decision (person_id)"]
    assert (decision["level"], decision["reason"], decision["item"]) == (4, "Vu au salon des métiers", "1A")
    (member,) = exported["course_group_member (person_id)"]
    assert member["group"] == "Groupe A"
    assert exported["enrolment (person_id)"][0]["course"] == "Seconde MRC 1"
    (session,) = exported["launch_session (person_id)"]
    assert not {"sid_hash", "browser_hash"} & set(session)
    assert exported["entries made about others"] == 0
    assert entry["observed"] == [factories.competence("2A").statement]
    json.dumps(exported)


def test_every_table_that_refers_to_a_person_is_in_the_export(in_app: Flask) -> None:
    _platform, teacher, _adam = a_class(in_app)
    exported = export_person(db.session, teacher)
    tables = {
        table.name
        for table in Base.metadata.sorted_tables
        for key in table.foreign_keys
        if key.column.table.name == "person"
    }
    about_others = {"assessment": "entries made about others", "decision": "decisions made about others"}
    assert set(about_others.values()) <= set(exported)
    assert {key.split(" (")[0] for key in exported} >= tables
    assert exported["entries made about others"] == exported["decisions made about others"] == 1
    assert "salon" not in json.dumps(exported)
    assert "Voix posée" not in json.dumps(exported), "what was written about a pupil is the pupil's"


def test_somebody_unknown_is_not_found(in_app: Flask) -> None:
    platform, _teacher, adam = a_class(in_app)
    for platform_id, sub in ((platform, "nobody"), (platform + 1, adam.sub)):
        with pytest.raises(NotFound):
            find_person(db.session, platform_id, sub)


def test_the_commands_export_and_erase_and_the_log_has_numbers_alone(
    tmp_path: Path, migrated: Path, app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    with app.app_context():
        platform, _teacher, adam = a_class(app)
        db.session.close()
    monkeypatch.setenv("SPIRALE_DATA_DIR", str(tmp_path))
    monkeypatch.setenv("SPIRALE_SECRET_KEY", SECRET)

    def run(*words: str) -> str:
        result = CliRunner().invoke(spirale, words, standalone_mode=False)
        if result.exception is not None:
            raise result.exception
        return result.stdout

    def left() -> tuple[int, int, list[tuple[str, str]]]:
        with app.app_context():
            people = db.session.scalar(sa.select(sa.func.count()).where(Person.sub == adam.sub)) or 0
            entries = db.session.scalar(sa.select(sa.func.count()).select_from(Assessment)) or 0
            events = db.session.execute(sa.select(AdminEvent.what, AdminEvent.about).order_by(AdminEvent.id))
            return people, entries, [(row.what, row.about) for row in events]

    about = f"platform {platform}, person {adam.id}"
    exported = json.loads(run("person", "export", str(platform), adam.sub))
    assert exported["person"]["given_name"] == "Adam"
    assert left() == (1, 1, [("person_exported", about)])

    assert "nothing is changed yet" in run("person", "erase", str(platform), adam.sub)
    assert left() == (1, 1, [("person_exported", about)])

    said = run("person", "erase", str(platform), adam.sub, "--apply")
    assert said.splitlines() == [
        f"person {adam.id} of platform {platform}, with 1 entries about them",
        "erased",
    ]
    assert left() == (0, 0, [("person_exported", about), ("person_erased", about)])
    with pytest.raises(NotFound):
        run("person", "export", str(platform), adam.sub)
