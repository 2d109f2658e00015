"""Attaching: the form, its sentences, its remarks; archiving; what a link opens."""

from __future__ import annotations

import html
import re
from datetime import date
from typing import Any

import pytest
import sqlalchemy as sa

from lti_tool.activities.models import Activity, ActivityLink
from lti_tool.courses.models import ResourceLink
from lti_tool.db import db, utcnow
from lti_tool.frameworks.models import Framework, FrameworkItem
from lti_tool.frameworks.sheets import linked_items
from lti_tool.gradebook.models import ScoreDelivery
from tests import factories
from tests.conftest import School

FORM: dict[str, Any] = {
    "title": "  Vente  à un client ",
    "situation": "Le client a comparé deux produits.\r\nIl hésite.",
    "work_url": "https://moodle.example.org/mod/quiz/view.php?id=4",
    "starts_on": "2026-11-26",
    "ends_on": "",
    "setting": "real",
    "purpose": "certificative",
    "complexity": "2",
    "specialities": ["V", "C"],
    "competences": ["1A", "3B"],
    "version": "0",
}


def activities(school: School) -> list[Activity]:
    with school.app.app_context():
        found = list(db.session.scalars(sa.select(Activity).order_by(Activity.id)))
        for activity in found:
            _ = [(link.item.code, [o.item.uuid for o in link.observed]) for link in activity.competences]
        return found


def observable(school: School, code: str) -> tuple[str, str, str]:
    """A sub-competence of a competence, a criterion linked to it, and a criterion that is not."""
    with school.app.app_context():
        competence = factories.competence(code)
        sub = db.session.scalars(
            sa.select(FrameworkItem.uuid).where(FrameworkItem.parent_id == competence.id)
        ).first()
        criteria = [
            item.uuid for item in linked_items(db.session, [competence.id], "criterion")[competence.id]
        ]
        other = db.session.scalars(
            sa.select(FrameworkItem.uuid)
            .join(Framework)
            .where(FrameworkItem.type == "criterion", FrameworkItem.uuid.not_in(criteria))
        ).first()
        assert sub
        assert other
        return sub, criteria[0], other


def test_an_activity_is_created_as_it_was_typed(school: School) -> None:
    sub, criterion, unrelated = observable(school, "1A")
    answer = school.visit("teacher").post(
        "/activities/new",
        {
            **FORM,
            "observed": [f"1A:{sub}", f"1A:{criterion}", f"1A:{unrelated}", f"2C:{sub}"],
            "then": "grid",
        },
    )
    (made,) = activities(school)
    assert answer.status_code == 303
    assert answer.headers["Location"].endswith(f"/activities/{made.id}/grid")
    assert made.title == "Vente à un client"
    assert made.situation == "Le client a comparé deux produits.\nIl hésite."
    assert (made.starts_on, made.ends_on) == (date(2026, 11, 26), None)
    assert (made.setting, made.purpose, made.complexity) == ("real", "certificative", 2)
    assert made.specialities == ["C", "V"]
    observed = {link.item.code: {o.item.uuid for o in link.observed} for link in made.competences}
    assert observed == {"1A": {sub, criterion}, "3B": set()}


@pytest.mark.parametrize(
    ("field", "value", "sentence"),
    [
        ("title", "   ", "Un titre est nécessaire"),
        ("title", "x" * 256, "dépasse 255 caractères"),
        ("situation", "x" * 4001, "dépasse 4000 caractères"),
        ("work_url", "javascript:alert(1)", "commence par https://"),
        ("starts_on", "2027-02-31", "n’existe pas"),
        ("starts_on", "", "choisir le jour du travail"),
        ("starts_on", "12026-01-01", "n’existe pas"),
        ("ends_on", "2026-11-25", "vient avant le début"),
        ("ends_on", "demain", "n’existe pas"),
        ("complexity", "4", "simple, variée ou complexe"),
        ("setting", "x", "réelle ou simulée"),
        ("purpose", "x", "formative ou certificative"),
        ("specialities", ["X"], "accueil, commerce et vente"),
        ("competences", [], "au moins une compétence"),
        ("competences", ["9Z"], "n’est plus dans le référentiel"),
    ],
)
def test_each_wrong_field_gets_a_sentence_and_nothing_typed_is_lost(
    school: School, field: str, value: Any, sentence: str
) -> None:
    answer = school.visit("teacher").post("/activities/new", {**FORM, field: value})
    assert answer.status_code == 422
    assert sentence in answer.text
    assert "rien de ce qui est tapé n’est perdu" in answer.text
    assert activities(school) == []
    if field != "situation":
        assert "Le client a comparé deux produits." in answer.text
    if field != "title":
        assert 'value="Vente à un client"' in answer.text
    if field not in ("competences", "specialities"):
        assert answer.text.count(" checked") >= 6


def test_changing_an_activity_changes_what_it_mobilises_and_the_scores_that_follow(school: School) -> None:
    with school.app.app_context():
        made = factories.activity(school.course, "1A", "1C")
        factories.assessment(made, "1A", school.people["Adam"], 3, school.people["teacher"])
        db.session.commit()
        activity_id = made.id
    answer = school.visit("teacher").post(f"/activities/{activity_id}/edit", {**FORM, "version": "1"})
    assert answer.status_code == 303
    (changed,) = activities(school)
    assert changed.version == 2
    assert sorted(link.item.code for link in changed.competences) == ["1A", "3B"]
    with school.app.app_context():
        (score,) = db.session.scalars(sa.select(ScoreDelivery))
        assert score.comment.startswith("maîtrisée en situation variée")


def test_two_teachers_editing_at_once_never_overwrite_each_other_unknowingly(school: School) -> None:
    with school.app.app_context():
        made = factories.activity(school.course)
        db.session.commit()
        path = f"/activities/{made.id}/edit"
    claire, karim = school.visit("teacher"), school.visit("colleague")
    assert karim.post(path, {**FORM, "title": "Par Karim", "version": "1"}).status_code == 303
    answer = claire.post(path, {**FORM, "title": "Par Claire", "version": "1"})
    assert answer.status_code == 422
    assert "modifié cette activité entre-temps" in answer.text
    assert 'value="Par Claire"' in answer.text
    assert activities(school)[0].title == "Par Karim"
    assert 'name="version" value="2"' in answer.text
    assert claire.post(path, {**FORM, "title": "Par Claire", "version": "2"}).status_code == 303
    assert activities(school)[0].title == "Par Claire"


def test_the_form_remarks_and_never_blocks(school: School) -> None:
    with school.app.app_context():
        for day in (1, 2):
            factories.activity(school.course, "1A", "2B", starts_on=date(2026, 10, day))
        db.session.commit()
    teacher = school.visit("teacher")
    one_group = teacher.get("/activities/nudges?competences=1A&competences=1C&complexity=1").text
    assert "Toutes les compétences viennent du groupe 1, est-ce voulu" in one_group
    assert "1A déjà travaillée 2 fois en situation simple" in one_group
    assert "une situation variée la ferait monter" in one_group
    varied = teacher.get("/activities/nudges?competences=1A&competences=3C&complexity=2").text
    assert "celle-ci la fait monter" in varied
    assert "Un seul groupe" not in varied
    assert "1B, 1C, 1D, 2A, 2C, 3A, 3B ne l’ont pas encore été" in varied
    assert teacher.get("/activities/nudges").text.strip() == ""


def test_the_form_sees_where_the_spiral_stands_and_what_is_unexplored(school: School) -> None:
    with school.app.app_context():
        course = school.course
        for day, complexity in ((1, 1), (2, 1), (3, 2)):
            factories.activity(
                course, "1A", starts_on=date(2026, 10, day), complexity=complexity, specialities=["A"]
            )
        factories.activity(course, "2B", "3C", starts_on=date(2026, 10, 4), specialities=["A"])
        latest = factories.activity(course, "1A", complexity=2, specialities=["A"])
        factories.activity(course, "1A", complexity=2, archived_at=utcnow(), specialities=["V"])
        db.session.commit()
    teacher = school.visit("teacher")

    def said(query: str) -> str:
        return html.unescape(teacher.get(f"/activities/nudges?competences=1A&competences=2B&{query}").text)

    assert (
        "1A déjà travaillée 2 fois en situation variée\u202f; une situation complexe la ferait monter."
        in said("complexity=2")
    )
    assert "1A déjà travaillée 2 fois en situation variée\u202f; celle-ci la fait monter." in said(
        "complexity=3"
    )
    assert "1A déjà travaillée 2 fois en situation simple\u202f; celle-ci la fait monter." in said(
        f"complexity=2&activity={latest.id}"
    ), "the edited one is not counted with the others"
    assert "2B déjà" not in said("complexity=1"), "once is not often"
    bare = said("complexity=1&specialities=A")
    assert "1A\u00a0: jamais en commerce ni en vente, et cette situation non plus." in bare
    assert "2B\u00a0:" not in bare
    assert "jamais en" not in said("complexity=1&specialities=A&specialities=V")


@pytest.mark.parametrize(
    ("query", "ticked", "day"),
    [
        ("competence=2B&speciality=V&complexity=3&date=2027-01-11", ["2B", "3", "V"], "2027-01-11"),
        ("competence=9Z&speciality=Z&complexity=4&date=demain", ["1"], ""),
        ("", ["1"], ""),
    ],
)
def test_a_new_form_is_filled_with_what_its_address_asks(school: School, query, ticked, day) -> None:
    page = school.visit("teacher").get(f"/activities/new?{query}").text

    checked = re.findall(r'name="(competences|complexity|specialities)" value="(\w+)" checked', page)
    assert sorted(value for _name, value in checked) == sorted(ticked)
    assert re.search(rf'name="starts_on" value="{day or "[0-9]{4}-[0-9]{2}-[0-9]{2}"}"', page)


def test_archiving_puts_an_activity_away_and_back(school: School) -> None:
    with school.app.app_context():
        made = factories.activity(school.course, title="À ranger")
        db.session.commit()
        activity_id = made.id
    teacher = school.visit("teacher")
    said = teacher.post(f"/activities/{activity_id}/archive", follow_redirects=True).text
    assert "À ranger\u00a0» est archivée" in said
    assert "Ses résultats restent et comptent" in said
    assert "À ranger" not in teacher.get("/activities").text
    assert "1 activité archivée" in teacher.get("/activities").text
    assert "À ranger" in teacher.get("/activities/archived").text
    teacher.post(f"/activities/{activity_id}/archive", {"restore": "1"})
    assert "À ranger" in teacher.get("/activities").text


def linked(school: School) -> tuple[int, Any]:
    """A link of the course, and a teacher who came through it."""
    with school.app.app_context():
        link = ResourceLink(course_id=school.course.id, link_id="7", title="Spirale")
        db.session.add(link)
        db.session.commit()
        link_id = link.id
    return link_id, school.visit("teacher", resource_link_id=link_id)


def test_a_link_without_activity_offers_to_choose_or_create_one(school: School) -> None:
    link_id, teacher = linked(school)
    empty = teacher.get("/activities").text
    assert "Aucune activité dans ce cours" in empty
    assert "Choisir ou créer l’activité de ce lien" in empty
    assert "for_link=1" in teacher.get("/link").text
    teacher.post("/activities/new", {**FORM, "for_link": "1", "then": "grid"})
    with school.app.app_context():
        found = db.session.scalars(sa.select(ActivityLink)).one()
        assert found.resource_link_id == link_id
    assert teacher.get("/").headers["Location"].endswith("/grid")
    pupil = school.visit("Adam", resource_link_id=link_id)
    (made,) = activities(school)
    assert pupil.get("/").headers["Location"].endswith(f"/activities/{made.id}")


def test_a_link_can_open_another_activity_or_the_course_again(school: School) -> None:
    link_id, teacher = linked(school)
    with school.app.app_context():
        made = factories.activity(school.course)
        db.session.commit()
        activity_id = made.id
    assert "Ce lien ouvre le cours entier" in teacher.get("/activities").text
    assert teacher.post("/link", {"activity": activity_id}).status_code == 303
    assert teacher.get("/").headers["Location"].endswith(f"/activities/{activity_id}/grid")
    teacher.post("/link", {"activity": ""})
    assert teacher.get("/").headers["Location"].endswith("/activities")
    with school.app.app_context():
        assert db.session.scalar(sa.select(sa.func.count(ActivityLink.id))) == 0
    assert link_id


def test_a_deep_link_opens_its_activity_and_never_another_classes(school: School) -> None:
    link_id, _teacher = linked(school)
    with school.app.app_context():
        mine = factories.activity(school.course)
        theirs = factories.activity(factories.course())
        db.session.commit()
        own, foreign, activity_id = mine.uuid, theirs.uuid, mine.id
    copied = school.visit("teacher", resource_link_id=link_id, custom={"spirale_activity": foreign})
    answer = copied.get("/")
    assert answer.headers["Location"].endswith("/link")
    assert "Ce lien vient d’un autre cours" in copied.get("/link").text
    pupil = school.visit("Adam", resource_link_id=link_id, custom={"spirale_activity": foreign})
    assert pupil.get("/").headers["Location"].endswith("/me")
    right = school.visit("Adam", resource_link_id=link_id, custom={"spirale_activity": own})
    assert right.get("/").headers["Location"].endswith(f"/activities/{activity_id}")
    with school.app.app_context():
        assert db.session.scalars(sa.select(ActivityLink)).one().activity_id == activity_id


@pytest.mark.parametrize(
    ("who", "wanted", "leads_to"),
    [
        ("teacher", "competence:1C", "/referential/1C"),
        ("Adam", "competence:1C", "/referential/1C"),
        ("teacher", "overview", "/overview"),
        ("Adam", "overview", "/me"),
        ("Adam", "me", "/me"),
        ("observer", "overview", "/referential"),
        ("teacher", "nonsense", "/activities"),
    ],
)
def test_a_deep_link_to_a_page_opens_the_closest_one_its_visitor_may_see(
    school: School, who: str, wanted: str, leads_to: str
) -> None:
    visitor = school.visit(who, custom={"spirale_page": wanted})
    assert visitor.get("/").headers["Location"].endswith(leads_to)


def test_a_pupil_reads_what_is_expected_before_and_the_result_after(school: School) -> None:
    sub, _criterion, _other = observable(school, "1A")
    teacher = school.visit("teacher")
    teacher.post("/activities/new", {**FORM, "observed": [f"1A:{sub}"]})
    (made,) = activities(school)
    pupil = school.visit("Adam")
    before = pupil.get(f"/activities/{made.id}").text
    assert "Le client a comparé deux produits." in before
    assert "Accueillir le client lorsque celui-ci prend contact avec l’organisation" in before
    assert 'rel="noopener noreferrer"' in before
    assert "maîtrisée" not in before
    with school.app.app_context():
        made = db.session.get_one(Activity, made.id)
        factories.assessment(made, "1A", school.people["Adam"], 4, school.people["teacher"], "Très à l’aise")
        factories.assessment(made, "3B", school.people["Adam"], "NR", school.people["teacher"])
        factories.assessment(made, "3B", school.people["Zoé"], 1, school.people["teacher"], "Secret de Zoé")
        db.session.commit()
    after = pupil.get(f"/activities/{made.id}").text
    assert "bien maîtrisée" in after
    assert "Très à l’aise" in after
    assert "non rendu" in after
    assert "Secret de Zoé" not in after


def test_unticking_a_competence_says_what_becomes_of_its_levels(school: School) -> None:
    with school.app.app_context():
        made = factories.activity(school.course, "1A", "2A")
        db.session.commit()
        path = f"/activities/nudges?activity={made.id}&competences=1A"
    text = school.visit("teacher").get(path).text
    assert "2A n’est plus cochée" in text
    assert "Les niveaux déjà saisis restent et comptent" in text
