"""Comments kept for reuse: their author's alone, tidy, bounded, gone with their author."""

from __future__ import annotations

import json

import pytest
import sqlalchemy as sa
from flask import Flask

from lti_tool.administration.person import export_person
from lti_tool.administration.repointing import repoint
from lti_tool.administration.retention import erase_people
from lti_tool.assessment.models import SavedComment
from lti_tool.assessment.saved_comments import (
    LONGEST_SAVED,
    MOST_SAVED,
    change_comment,
    find_saved,
    keep_comment,
    saved_comments,
)
from lti_tool.courses.models import Person, Role
from lti_tool.db import db
from lti_tool.errors import BadInput, NotFound
from tests import factories


def teachers() -> tuple[Person, Person]:
    course = factories.course()
    return tuple(factories.enrolled(course, given, "X", Role.TEACHER) for given in ("Claire", "Karim"))  # type: ignore[return-value]


def texts(person: Person) -> list[str]:
    return [row.text for row in saved_comments(db.session, person.id)]


def test_a_comment_is_kept_once_for_its_author_alone_in_alphabetical_order(any_app: Flask) -> None:
    claire, karim = teachers()
    for text in ("Voix  posée\n", "écoute active", "Voix posée", "Accueil souriant"):
        keep_comment(db.session, claire.id, text)
    keep_comment(db.session, karim.id, "À reformuler")
    db.session.commit()
    assert texts(claire) == ["Accueil souriant", "écoute active", "Voix posée"]
    assert texts(karim) == ["À reformuler"]
    (theirs,) = saved_comments(db.session, karim.id)
    with pytest.raises(NotFound):
        find_saved(db.session, claire.id, theirs.id)


@pytest.mark.parametrize("text", ["", " \n\t ", "\x00", "é" * (LONGEST_SAVED + 1)])
def test_nothing_or_too_much_is_not_kept(in_app: Flask, text: str) -> None:
    claire, _karim = teachers()
    with pytest.raises(BadInput) as refused:
        keep_comment(db.session, claire.id, text)
    assert list(refused.value.problems) == ["text"]
    assert texts(claire) == []


def test_the_longest_is_kept_and_so_many_of_them(any_app: Flask) -> None:
    claire, _karim = teachers()
    for number in range(MOST_SAVED):
        keep_comment(db.session, claire.id, f"{number:03}" + "𝄞" * (LONGEST_SAVED - 3))
    assert len(texts(claire)) == MOST_SAVED
    with pytest.raises(BadInput):
        keep_comment(db.session, claire.id, "Un de trop")


def test_a_comment_written_anew_as_another_one_leaves_one(any_app: Flask) -> None:
    claire, _karim = teachers()
    for text in ("Voix posée", "Voix poséee"):
        keep_comment(db.session, claire.id, text)
    wrong = saved_comments(db.session, claire.id)[1]
    assert wrong.text == "Voix poséee"
    change_comment(db.session, wrong, " Voix posée ")
    db.session.commit()
    assert texts(claire) == ["Voix posée"]


def test_they_are_exported_with_their_author_follow_a_merge_and_go_with_an_erasure(any_app: Flask) -> None:
    claire, karim = teachers()
    for person, text in ((claire, "Voix posée"), (claire, "Écoute"), (karim, "Voix posée")):
        keep_comment(db.session, person.id, text)
    db.session.commit()
    exported = export_person(db.session, claire)["saved_comment (person_id)"]
    assert sorted(row["text"] for row in exported) == ["Voix posée", "Écoute"]
    json.dumps(exported)
    repoint(db.session, "person", {claire.id: karim.id})
    assert texts(karim) == ["Écoute", "Voix posée"]
    erase_people(db.session, [karim.id])
    assert db.session.scalar(sa.select(sa.func.count(SavedComment.id))) == 0
