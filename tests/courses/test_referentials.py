"""How a competence is named in a course that uses several referentials, whose codes may be the same."""

from __future__ import annotations

from pathlib import Path

import pytest
from flask import Flask

from lti_tool.courses.models import Course
from lti_tool.courses.referentials import (
    course_competences,
    course_frameworks,
    find_named,
    materials,
    named,
    place,
    reference,
    spoken_code,
)
from lti_tool.db import begin_write, db
from lti_tool.errors import NotFound
from lti_tool.frameworks.loading import load_referentials, read_all
from lti_tool.frameworks.models import FrameworkItem
from tests import factories
from tests.frameworks.samples import BAC, SECONDE, write


@pytest.fixture
def course(in_app: Flask, tmp_path: Path) -> Course:
    """A course that uses the Seconde, then a referential that has a 1A and a 1B of its own."""
    files = [write(tmp_path, "essai.yaml", SECONDE), write(tmp_path, "bac.yaml", BAC)]
    begin_write()
    load_referentials(db.session, read_all(files))
    return factories.course(framework_slugs=["mrc-seconde", "essai"])


def own(course: Course, text: str) -> FrameworkItem:
    found = named(course_competences(db.session, course), text)
    assert found is not None
    return found


def test_the_main_referential_comes_first_whatever_their_order_in_the_database(course: Course) -> None:
    course.framework_slugs = ["essai", "mrc-seconde"]

    assert [one.slug for one in course_frameworks(db.session, course)] == ["essai", "mrc-seconde"]
    assert [item.statement for item in course_competences(db.session, course)][:3] == [
        "Saluer le client",
        "Écouter le client",
        own(course, "mrc-seconde~1A").statement,
    ]


def test_the_main_ones_are_named_by_their_code_and_the_others_by_their_referential_too(
    course: Course,
) -> None:
    items = course_competences(db.session, course)

    names = [reference(course, item) for item in items]

    assert names[:2] == ["1A", "1B"]
    assert names[-2:] == ["essai~1A", "essai~1B"]
    assert len(set(names)) == len(items) == 12
    assert [named(items, name) for name in names] == items


def test_a_bare_code_is_the_first_referentials_that_has_it(course: Course) -> None:
    assert own(course, "1A").framework.slug == "mrc-seconde"
    course.framework_slugs = ["essai", "mrc-seconde"]
    assert own(course, "1A").statement == "Saluer le client"
    assert own(course, "3C").framework.slug == "mrc-seconde", (
        "a link placed before the change still leads there"
    )


def test_a_full_name_is_understood_of_the_main_referential_too(course: Course) -> None:
    assert own(course, "mrc-seconde~1A") is own(course, "1A")


@pytest.mark.parametrize("text", ["", "9Z", "essai~3C", "ma~1.1", "~1A", "essai~", "essai~essai~1A"])
def test_what_names_no_competence_of_the_course_is_not_found(course: Course, text: str) -> None:
    parts = materials(db.session, course)

    assert named([item for part in parts for item in part.competences], text) is None
    with pytest.raises(NotFound):
        find_named(db.session, parts, text)


def test_a_retired_competence_is_found_only_when_no_other_answers(course: Course) -> None:
    own(course, "essai~1B").retired = True
    own(course, "3C").retired = True
    db.session.flush()
    parts = materials(db.session, course)

    assert find_named(db.session, parts, "essai~1B").statement == "Écouter le client"
    assert find_named(db.session, parts, "3C").framework.slug == "mrc-seconde"
    own(course, "1B").retired = True
    own_1b = find_named(db.session, materials(db.session, course), "1B")
    assert own_1b.framework.slug == "mrc-seconde"


def test_competences_are_in_the_order_of_the_course(course: Course) -> None:
    items = course_competences(db.session, course)

    mixed = [*items[7:], *items[:7]]
    assert sorted(mixed, key=lambda item: place(course, item)) == items
    stranger = own(course, "essai~1A")
    course.framework_slugs = ["mrc-seconde", "ma"]
    assert place(course, stranger) > place(course, items[9]), "one of no referential of the course comes last"


def test_in_a_sentence_a_code_says_its_referential_when_it_is_not_the_main_one(course: Course) -> None:
    assert spoken_code(course, own(course, "1A")) == "1A"
    assert spoken_code(course, own(course, "essai~1A")) == "1A (Essai)"


def test_a_course_of_which_no_referential_is_loaded_says_which_are_missing(course: Course) -> None:
    course.framework_slugs = ["nulle-part", "essai"]
    assert [one.slug for one in course_frameworks(db.session, course)] == ["essai"]

    course.framework_slugs = ["nulle-part", "ailleurs"]
    with pytest.raises(NotFound, match="nulle-part, ailleurs"):
        course_frameworks(db.session, course)
