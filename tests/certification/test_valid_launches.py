"""1EdTech's certification, « valid launches », for a teacher and for a learner: each ends on a page of theirs."""

from __future__ import annotations

from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask
from werkzeug.test import TestResponse

from lti_tool.courses.models import Course, LaunchSession, Person, Role
from lti_tool.db import Base, db
from tests.lti.platform_of_tests import GONE, MEMBERSHIP, Lms

INSTITUTION = "http://purl.imsglobal.org/vocab/lis/v2/institution/person#"
NO_NAMES = {"name": GONE, "given_name": GONE, "family_name": GONE}
EMAIL = "claire.morel@example.org"

TEACHER_OR_LEARNER = pytest.mark.parametrize(
    ("word", "role", "page"),
    [("Instructor", Role.TEACHER, "Réglages du cours"), ("Learner", Role.LEARNER, "Ma spirale")],
)


def land(lms: Lms, **claims: Any) -> TestResponse:
    """Launch, and follow it to its page."""
    answer = lms.whole_launch(**claims)
    assert answer.status_code == 303, answer.text
    page = lms.client.get(answer.headers["Location"], follow_redirects=True)
    assert page.status_code == 200
    return page


def role_given(app: Flask) -> Role:
    with app.app_context():
        return db.session.scalars(sa.select(LaunchSession.role)).one()


def person(app: Flask) -> Person:
    with app.app_context():
        return db.session.scalars(sa.select(Person)).one()


def everything_stored(app: Flask) -> str:
    """Every value of every row, as one text."""
    with app.app_context():
        rows = [db.session.execute(sa.select(table)).all() for table in Base.metadata.tables.values()]
        return repr(rows)


@TEACHER_OR_LEARNER
def test_launch_with_one_role(app: Flask, lms: Lms, word: str, role: Role, page: str) -> None:
    assert page in land(lms, roles=[MEMBERSHIP + word]).text
    assert role_given(app) is role


@TEACHER_OR_LEARNER
def test_launch_with_several_roles(app: Flask, lms: Lms, word: str, role: Role, page: str) -> None:
    others = [INSTITUTION + "Faculty", INSTITUTION + "Instructor", MEMBERSHIP + word]
    assert page in land(lms, roles=others).text
    assert role_given(app) is role


@TEACHER_OR_LEARNER
def test_launch_with_short_role(app: Flask, lms: Lms, word: str, role: Role, page: str) -> None:
    assert page in land(lms, roles=[word]).text
    assert role_given(app) is role


@TEACHER_OR_LEARNER
def test_launch_with_unknown_role_beside_a_known_one(
    app: Flask, lms: Lms, word: str, role: Role, page: str
) -> None:
    unknown = "http://purl.imsglobal.org/vocab/lis/v2/uknownrole/unknown#Helper"
    assert page in land(lms, roles=[unknown, MEMBERSHIP + word]).text
    assert role_given(app) is role


@pytest.mark.parametrize("unknown", [MEMBERSHIP + "Unknown", "http://example.org/roles#Instructor", "Helper"])
def test_launch_with_unknown_role_alone_has_the_least_rights(app: Flask, lms: Lms, unknown: str) -> None:
    page = land(lms, roles=[unknown])
    assert "Réglages du cours" not in page.text
    assert "Ma spirale" not in page.text
    assert role_given(app) is Role.OBSERVER


def test_launch_with_no_role_has_the_least_rights(app: Flask, lms: Lms) -> None:
    assert "Réglages du cours" not in land(lms, roles=[]).text
    assert role_given(app) is Role.OBSERVER


@TEACHER_OR_LEARNER
def test_launch_with_email_only(app: Flask, lms: Lms, word: str, role: Role, page: str) -> None:
    assert page in land(lms, roles=[MEMBERSHIP + word], email=EMAIL, **NO_NAMES).text
    assert role_given(app) is role
    assert EMAIL not in everything_stored(app)


@TEACHER_OR_LEARNER
def test_launch_with_names_only(app: Flask, lms: Lms, word: str, role: Role, page: str) -> None:
    assert page in land(lms, roles=[MEMBERSHIP + word]).text
    found = person(app)
    assert (found.given_name, found.family_name, found.name) == ("Claire", "Morel", "Claire Morel")


@TEACHER_OR_LEARNER
def test_launch_with_no_personal_data(app: Flask, lms: Lms, word: str, role: Role, page: str) -> None:
    assert page in land(lms, roles=[MEMBERSHIP + word], **NO_NAMES).text
    found = person(app)
    assert (found.sub, found.given_name, found.family_name, found.name) == ("5", "", "", "")


@TEACHER_OR_LEARNER
def test_launch_with_email_and_without_context(
    app: Flask, lms: Lms, word: str, role: Role, page: str
) -> None:
    shown = land(lms, roles=[MEMBERSHIP + word], email=EMAIL, context=GONE, **NO_NAMES)
    assert page in shown.text
    with app.app_context():
        assert db.session.scalars(sa.select(Course.context_id)).one() == "link:7"
    assert EMAIL not in everything_stored(app)
