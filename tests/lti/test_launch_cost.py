"""What a launch may cost: no key fetched or read, seven statements, and no more among a hundred thousand persons."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import sqlalchemy as sa
from cryptography.hazmat.primitives import serialization
from flask import Flask
from jwt.algorithms import RSAAlgorithm
from sqlalchemy import event

from lti_tool.courses.models import Course, Enrolment, Role
from lti_tool.db import db
from lti_tool.lti import keys, keysets
from tests import factories
from tests.lti.platform_of_tests import MEMBERSHIP, KeyServer, Lms

CROWD = 100_000
PUPILS = 35
TEACHER = "claire"


@contextmanager
def statements(app: Flask) -> Iterator[list[str]]:
    """The statements sent to the database, transactions left out."""
    sent: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_more: object) -> None:
        sent.append(statement)

    with app.app_context():
        event.listen(db.engine, "before_cursor_execute", note)
        try:
            yield sent
        finally:
            event.remove(db.engine, "before_cursor_execute", note)


def test_fifty_launches_fetch_the_platforms_keys_once_and_read_each_once(
    app: Flask, lms: Lms, server: KeyServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    parsed: list[str] = []

    def count(module: object, name: str, original: object) -> None:
        monkeypatch.setattr(module, name, lambda *a, **k: (parsed.append(name), original(*a, **k))[1])  # type: ignore[operator]

    count(keysets.RSAAlgorithm, "from_jwk", RSAAlgorithm.from_jwk)
    count(keys.serialization, "load_pem_private_key", serialization.load_pem_private_key)
    for _ in range(50):
        assert lms.whole_launch().status_code == 303
    assert server.asked == 1
    assert parsed == ["from_jwk"]


def test_a_login_and_the_launch_of_somebody_known_ask_the_database_seven_times(app: Flask, lms: Lms) -> None:
    lms.whole_launch()
    with statements(app) as sent:
        lms.begin()
        assert [statement.split()[0] for statement in sent] == ["SELECT", "INSERT"]
        sent.clear()
        assert lms.launch().status_code == 303
    assert [statement.split()[0] for statement in sent] == ["DELETE", "SELECT", "SELECT", "UPDATE", "INSERT"]


def a_class(lms: Lms) -> None:
    """A course of 35 with an activity, all pupils assessed; the teacher has been there."""
    lms.whole_launch(sub=TEACHER)
    with lms.app.app_context():
        course = db.session.scalars(sa.select(Course)).one()
        teacher = db.session.scalars(sa.select(Enrolment)).one().person
        activity = factories.activity(course)
        for number in range(PUPILS):
            pupil = factories.enrolled(course, f"Camille {number}", "Roux", Role.LEARNER)
            factories.assessment(activity, "1A", pupil, 3, teacher)
        db.session.commit()
        db.session.close()


def a_crowd(app: Flask) -> None:
    """As many persons of the same platform, each enrolled somewhere else, and sessions of theirs."""
    with app.app_context():
        course = db.session.scalars(sa.select(Course)).one()
        elsewhere = factories.course(course.platform)
        numbers = f"WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {CROWD}) "
        into = "(platform_id, sub, given_name, family_name, name, created_at)"
        values = f"{course.platform_id}, 'crowd ' || i, 'A', 'B', 'A B', '2026-09-01 00:00:00'"
        db.session.execute(sa.text(f"INSERT INTO person {into} {numbers} SELECT {values} FROM n"))
        db.session.execute(
            sa.text(
                "INSERT INTO enrolment "
                "(course_id, person_id, role, number, active, in_roster, launched_as, label) "
                f"SELECT {elsewhere.id}, id, 'learner', id, 1, 0, '', '' FROM person WHERE sub LIKE 'crowd %'"
            )
        )
        db.session.commit()
        db.session.execute(sa.text("ANALYZE"))
        db.session.commit()
        db.session.close()


def visit(lms: Lms, page: str) -> list[str]:
    """What a teacher's launch, and the page they then read, ask of the database."""
    with statements(lms.app) as sent:
        answer = lms.whole_launch(sub=TEACHER, roles=[MEMBERSHIP + "Instructor"])
        assert answer.status_code == 303
        shown = lms.client.get(answer.headers["Location"].rstrip("/") + page, follow_redirects=True)
    assert shown.status_code == 200
    assert page == "/" or "Camille 34" in shown.text
    return sent


def test_the_first_page_of_a_class_asks_as_often_among_a_hundred_thousand_persons(
    app: Flask, lms: Lms
) -> None:
    a_class(lms)
    pages = ("/", "/activities/1/grid", "/overview")
    visit(lms, "/")  # that a teacher came is noted once per course
    few = [visit(lms, page) for page in pages]
    a_crowd(app)
    many = [visit(lms, page) for page in pages]
    assert many == few
    assert scanned(app, [statement for sent in many for statement in sent]) == []


def scanned(app: Flask, asked: list[str]) -> list[str]:
    """The statements that read a table of the crowd from end to end."""
    found = []
    with app.app_context(), db.engine.connect() as connection:
        for statement in set(asked):
            blanks = (None,) * statement.count("?")
            plan = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", blanks).fetchall()
            if any(re.match(r"SCAN (person|enrolment)(_\d+)?( AS .*)?$", row[3]) for row in plan):
                found.append(statement)
    return found
