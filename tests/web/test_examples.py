"""« Partir d’un exemple »: the activity form, filled in; nothing is saved before the teacher saves."""

from __future__ import annotations

import html
import re
from typing import Any

import pytest
import sqlalchemy as sa

from lti_tool.activities.models import Activity
from lti_tool.db import db
from lti_tool.frameworks.guide import Example, guide_of
from lti_tool.frameworks.sheets import find_framework
from lti_tool.web.shown import today
from tests import factories
from tests.conftest import School

from .reading import part, words


def examples(school: School) -> list[Example]:
    with school.app.app_context():
        return guide_of(find_framework(db.session, "mrc-seconde"), "fr").examples


def count(school: School) -> int:
    with school.app.app_context():
        return db.session.scalar(sa.select(sa.func.count(Activity.id))) or 0


def filled(page: str) -> dict[str, Any]:
    """What a browser would post of the activity form, as it was received."""
    form = page.partition('id="activity-form"')[2]
    typed: dict[str, Any] = {}
    for tag in re.findall(r"<input[^>]*>", form):
        name, value = re.search(r'name="(\w+)"', tag), re.search(r'value="([^"]*)"', tag)
        if (
            name
            and value
            and ('type="checkbox"' not in tag and 'type="radio"' not in tag or " checked" in tag)
        ):
            typed.setdefault(name[1], []).append(html.unescape(value[1]))
    typed["situation"] = html.unescape(re.search(r"<textarea[^>]*>(.*?)</textarea>", form, re.DOTALL)[1])  # type: ignore[index]
    return typed


@pytest.mark.parametrize("key", ["vente-simple", "promotion-complexe"])
def test_an_example_fills_the_form_in_and_saves_nothing_until_it_is_saved_as_it_is(
    school: School, key: str
) -> None:
    example = next(one for one in examples(school) if one.key == key)
    visitor = school.visit("teacher")

    page = visitor.get(f"/activities/new?example={key}")

    assert page.status_code == 200
    assert count(school) == 0
    assert "rien n’est encore enregistré" in page.text
    with school.app.app_context():
        assert f'name="starts_on" value="{today().isoformat()}"' in page.text
    assert visitor.post("/activities/new", filled(page.text)).status_code == 303
    with school.app.app_context():
        made = db.session.scalars(sa.select(Activity)).one()
        assert (made.title, made.situation) == (example.title, example.situation)
        assert (made.complexity, made.specialities) == (example.complexity, ["C", "V"])
        assert (made.setting, made.purpose, made.version) == ("simulated", "formative", 1)
        links = sorted(made.competences, key=lambda link: link.item.position)
        assert [link.item.code for link in links] == example.competences
        assert {(link.item.code, o.item.uuid) for link in links for o in link.observed} == set(
            example.observed
        )


def test_an_example_is_offered_in_the_readers_language(school: School) -> None:
    page = school.visit("teacher", locale="en").get("/activities/new?example=vente-simple").text

    assert 'value="Two speakers, and a customer who has read about them"' in page


def test_an_example_that_does_not_exist_is_not_found(school: School) -> None:
    assert school.visit("teacher").get("/activities/new?example=rien").status_code == 404


def test_the_examples_are_offered_to_who_may_create_an_activity(school: School) -> None:
    empty = school.visit("teacher").get("/activities")
    assert "Partir d’un exemple" in words(empty)
    assert re.findall(r"/activities/new\?example=([\w-]+)", empty.text) == [
        "vente-simple",
        "promotion-complexe",
    ]
    with school.app.app_context():
        made = factories.activity(school.course, "1A")
        db.session.commit()
        activity_id = made.id

    offered = school.visit("teacher").get("/activities")
    assert (
        "Deux enceintes, un client déjà renseigné En Seconde simple commerce vente 1A 1C 1D 2A 3A"
        in words(offered)
    )
    assert "example=" in school.visit("teacher").get("/activities/new").text
    assert "example=" not in school.visit("teacher").get(f"/activities/{activity_id}/edit").text
    assert "example=" not in school.visit("assessor").get("/activities").text
    assert school.visit("assessor").get("/activities/new?example=vente-simple").status_code == 403


def test_an_example_keeps_what_the_form_is_for(school: School) -> None:
    page = school.visit("teacher").get("/activities/new?for_link=1&back=picker")

    assert "example=vente-simple&amp;for_link=1&amp;back=picker" in part(
        page, "Partir d’un exemple", "</details>"
    )
