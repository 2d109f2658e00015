"""The referential where it helps: opened from an activity's link, on the activity's page, beside the form's fields."""

from __future__ import annotations

import re
from datetime import UTC, datetime

import pytest
import sqlalchemy as sa

from lti_tool.activities.links import link_activity
from lti_tool.activities.models import Activity, ObservedItem
from lti_tool.courses.models import ResourceLink
from lti_tool.db import db
from lti_tool.frameworks.models import Framework, FrameworkItem
from tests import factories
from tests.conftest import School, Visitor

from .reading import part, words

OBSERVED = "Accueillir le client lorsque celui-ci prend contact avec l’organisation"


def make_link(school: School, *codes: str, **values: object) -> tuple[int, int]:
    """A link of the course that opens an activity on these competences, and that activity."""
    with school.app.app_context():
        made = factories.activity(school.course, *codes, title="Visite <b>guidée</b>", **values)
        observed = db.session.scalars(
            sa.select(FrameworkItem).where(FrameworkItem.statement == OBSERVED)
        ).one()
        made.competences[0].observed.append(ObservedItem(item=observed))
        link = ResourceLink(course_id=school.course.id, link_id="7")
        db.session.add(link)
        db.session.flush()
        link_activity(db.session, link, made)
        db.session.commit()
        return link.id, made.id


def context_of(visitor: Visitor) -> str:
    """What stands before the whole referential."""
    page = visitor.get("/referential")
    return part(page, 'aria-labelledby="in-context"', "Tout le référentiel")


# ----- opened from an activity's link -----


@pytest.mark.parametrize("who", ["teacher", "assessor", "Adam"])
def test_from_an_activitys_link_its_competences_come_first_in_their_own_words(
    school: School, who: str
) -> None:
    link, activity_id = make_link(school, "1A", "2B")

    said = context_of(school.visit(who, resource_link_id=link))

    assert "Dans l’activité «\u00a0Visite &lt;b&gt;guidée&lt;/b&gt;\u00a0»" in said
    assert re.findall(r'/referential/(\w+)"><span class="kode">', said) == ["1A", "2B"]
    assert (
        "1A Prendre contact Prendre contact avec le client interne ou externe (ou prospect), dans un cadre omnicanal "
        f"Ce qui sera observé {OBSERVED}" in words(said)
    )
    assert "2B Satisfaire le client" in words(said)
    assert f"/activities/{activity_id}" in said


def test_the_links_come_on_demand_per_competence_and_the_whole_referential_after(school: School) -> None:
    link, _activity = make_link(school, "1A", "2B")

    page = school.visit("Adam", resource_link_id=link).get("/referential")

    said = part(page, 'aria-labelledby="in-context"', "Tout le référentiel")
    first, second = re.findall(r"<details.*?</details>", said, re.DOTALL)
    assert " open" not in first.partition(">")[0]
    assert words(first).startswith(
        "Ce que 1A devient au Bac MA MCV 1.1 Gérer simultanément les activités Recenser"
    )
    assert "1.2 Réaliser la vente dans un cadre omnicanal" in words(first)
    assert "/referential/1A#sides" in first
    assert "3.3 Gérer les réclamations" in words(second)
    assert "criterion" not in said
    after = page.text.partition("Tout le référentiel")[2]
    assert len(re.findall(r'<span class="kode">\w+</span>', after)) == 10


def test_without_such_a_link_nothing_changes(school: School) -> None:
    link, activity_id = make_link(school, "1A")
    with school.app.app_context():
        other = ResourceLink(course_id=school.course.id, link_id="8")
        db.session.add(other)
        db.session.commit()
        opens_the_course = other.id

    for visitor in (
        school.visit("Adam"),
        school.visit("teacher", resource_link_id=opens_the_course),
        school.visit("observer", resource_link_id=link),
    ):
        page = visitor.get("/referential")
        assert page.status_code == 200
        assert "Dans l’activité" not in page.text
        assert "Tout le référentiel" not in page.text
    with school.app.app_context():
        db.session.get_one(Activity, activity_id).archived_at = datetime(2027, 1, 1, tzinfo=UTC)
        db.session.commit()
    assert "Dans l’activité" not in school.visit("Adam", resource_link_id=link).get("/referential").text


def test_a_linked_referential_is_shown_alone(school: School) -> None:
    link, _activity = make_link(school, "1A")

    page = school.visit("Adam", resource_link_id=link).get("/referential?of=ma")

    assert "Dans l’activité" not in page.text


# ----- a pupil's pages -----


def test_on_an_activitys_page_each_competence_leads_to_its_page_and_to_what_it_becomes(
    school: School,
) -> None:
    _link, activity_id = make_link(school, "1A", "2B")

    page = school.visit("Adam").get(f"/activities/{activity_id}")

    said = part(page, '<ul class="expected">', "Les mots de cette page")
    assert re.findall(r'/referential/(\w+)"><span class="kode">', said) == ["1A", "2B"]
    assert re.findall(r"/referential/(\w+)#sides", said) == ["1A", "2B"]
    assert "Ce que 2B devient au Bac MA MCV" in words(said)


def terms(page_words: str) -> list[str]:
    return re.findall(r"<dt[^>]*>(.*?)</dt>", page_words)


def test_the_words_of_an_activitys_statements_have_their_meaning_on_its_page(school: School) -> None:
    _link, activity_id = make_link(school, "1A")

    page = school.visit("Adam").get(f"/activities/{activity_id}")

    said = part(page, "Les mots de cette page", "</details>")
    assert terms(said) == [
        "omnicanal",
        "client",
        "client interne",
        "client externe",
        "prospect",
        "Logique spiralaire",
        "Exploration des trois spécialités",
    ]
    assert "Quelqu’un de l’organisation elle-même" in words(said)


def test_an_activity_that_explores_nothing_does_not_speak_of_exploration(school: School) -> None:
    _link, activity_id = make_link(school, "1A", specialities=[])

    said = part(
        school.visit("Adam").get(f"/activities/{activity_id}"), "Les mots de cette page", "</details>"
    )

    assert terms(said)[-1] == "Logique spiralaire"


def test_the_words_of_a_competences_page_are_those_of_all_its_statements(school: School) -> None:
    visitor = school.visit("Adam")

    first = terms(part(visitor.get("/referential/1A"), "Les mots de cette page", "</details>"))
    last = terms(part(visitor.get("/referential/3C"), "Les mots de cette page", "</details>"))

    # « multicanal » is MA's Bloc 1, which 1A leads to and 3C does not; 3C says nothing of « veille » either.
    assert {"multicanal", "prospect", "client interne"} <= set(first)
    assert "multicanal" not in last
    assert "veille" not in last
    assert "cross-canal" not in first + last


def test_an_english_page_gives_the_french_word_then_its_english(school: School) -> None:
    page = school.visit("Adam", locale="en").get("/referential/1A")

    assert '<dt><span lang="fr">client interne</span>, internal customer</dt>' in page.text
    assert "<dd>Someone inside the organisation" in page.text
    french = school.visit("Adam").get("/referential/1A")
    assert "<dt>client interne</dt>" in french.text


def test_what_the_guide_does_not_say_in_english_is_marked_french(school: School) -> None:
    with school.app.app_context():
        framework = db.session.scalars(sa.select(Framework).where(Framework.slug == "mrc-seconde")).one()
        framework.guide = {"vocabulary": [{"term": "client", "text": "Qui vient."}]}
        db.session.commit()

    page = school.visit("Adam", locale="en").get("/referential/1A")

    assert '<dt lang="fr">client</dt><dd lang="fr">Qui vient.</dd>' in page.text


def test_my_competences_say_the_spiral_and_the_exploration_in_a_sentence_each(school: School) -> None:
    mine = words(school.visit("Adam").get("/me"))
    theirs = words(school.visit("teacher").get(f"/pupils/{school.people['Adam'].id}"))

    assert "Mes compétences Chaque compétence revient plusieurs fois" in mine
    mine = words(school.visit("Adam").get("/me/exploration"))
    assert "Mon exploration Découvrir l’accueil, le commerce et la vente" in mine
    assert "Chaque compétence revient" not in theirs


# ----- beside the form -----


def test_each_logic_stands_beside_what_it_is_about_and_the_bases_beside_the_competences(
    school: School,
) -> None:
    page = school.visit("teacher").get("/activities/new").text

    order = [
        'name="situation"',
        "Logique horizontale",
        'name="complexity"',
        'name="specialities"',
        "Logique spiralaire",
        "Exploration des trois spécialités",
        'name="competences"',
        "Les bases indispensables de la Seconde",
        "Sensibilisation au RGPD",
    ]
    assert sorted(order, key=page.index) == order
    english = school.visit("teacher", locale="en").get("/activities/new").text
    assert "Horizontal logic" in english
    assert "Awareness of data protection" in english


def test_a_referential_that_explains_nothing_has_its_form_and_its_pages_all_the_same(school: School) -> None:
    _link, activity_id = make_link(school, "1A")
    with school.app.app_context():
        db.session.execute(sa.update(Framework).values(guide={}))
        db.session.commit()
    visitor = school.visit("teacher")

    for path in (
        "/activities",
        "/activities/new",
        f"/activities/{activity_id}",
        "/referential",
        "/referential/1A",
    ):
        page = visitor.get(path)
        assert page.status_code == 200
        assert "Les mots de cette page" not in page.text
        assert "Partir d’un exemple" not in page.text
    assert school.visit("Adam").get("/me").status_code == 200
