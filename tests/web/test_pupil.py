"""A pupil's pages, as the pupil opens them, and as a teacher reads them."""

from __future__ import annotations

import html
import re
from datetime import date, timedelta
from zoneinfo import ZoneInfo

import pytest
import sqlalchemy as sa
from flask import Flask
from sqlalchemy import event
from werkzeug.test import TestResponse

from lti_tool.activities.models import ObservedItem
from lti_tool.assessment.models import CODES, Decision
from lti_tool.courses.models import Enrolment, Role
from lti_tool.db import db, utcnow
from lti_tool.frameworks.sheets import children
from lti_tool.lti.models import Platform
from tests import factories
from tests.conftest import School
from tests.web.reading import part, words

PARIS = ZoneInfo("Europe/Paris")
"""Where the school is: its day begins before that of UTC."""


def days_ago(days: int) -> date:
    return utcnow().astimezone(PARIS).date() - timedelta(days=days)


@pytest.fixture
def worked(app: Flask, school: School) -> dict[str, int]:
    """Adam's year: four turns in 1C, one code; Zoé has one level of her own. The activities' ids, by title."""
    with app.app_context():
        teacher, adam = school.people["teacher"], school.people["Adam"]
        ids = {}
        for title, days, complexity, specialities, codes in (
            ("Accueil", 160, 1, "A", ("1A", "1C")),
            ("Vente", 110, 1, "CV", ("1C",)),
            ("Relance", 42, 2, "V", ("1C", "2A")),
            ("Forum", 8, 3, "V", ("1C",)),
        ):
            made = factories.activity(
                school.course,
                *codes,
                title=title,
                starts_on=days_ago(days),
                complexity=complexity,
                specialities=list(specialities),
            )
            ids[title] = made.id
            level = {"Accueil": 3, "Vente": 4, "Relance": 3, "Forum": 2}[title]
            comment = "Il a manqué <la reformulation>." if title == "Forum" else ""
            factories.assessment(made, "1C", adam, level, teacher, comment)
            if title == "Accueil":
                factories.assessment(made, "1A", adam, "ABS", teacher, "À rattraper.")
                factories.assessment(made, "1A", school.people["Zoé"], 4, teacher, "Bravo Zoé.")
                link = next(link for link in made.competences if link.item.code == "1C")
                subs = children(db.session, [link.item], "subcompetence")[link.item_id]
                link.observed = [ObservedItem(item=subs[0])]
        factories.activity(
            school.course, "1C", "2B", title="Réclamation", starts_on=days_ago(-6), specialities=["A"]
        )
        factories.activity(
            school.course, "3C", title="PFMP", starts_on=days_ago(3), ends_on=days_ago(-3), specialities=["A"]
        )
        factories.activity(school.course, "3A", title="Veille", starts_on=days_ago(20), specialities=["C"])
        db.session.commit()
    return ids


def competence_lines(page: TestResponse) -> list[str]:
    return [
        words(line)
        for line in re.findall(r"<li>(.*?)</li>", part(page, '<ol class="mine">', "</ol>"), re.DOTALL)
    ]


def turn_lines(page: TestResponse) -> list[str]:
    source = part(page, '<ol class="turnlist full">', "</ol>")
    return [words(line) for line in source.split("<li ")[1:]]


# ----- « Ma spirale » -----


def test_the_ten_competences_are_listed_with_where_i_stand(school, worked):
    lines = competence_lines(school.visit("Adam").get("/me"))

    assert len(lines) == 10
    assert [line[:2] for line in lines] == ["1A", "1B", "1C", "1D", "2A", "2B", "2C", "3A", "3B", "3C"]
    assert lines[0] == "1A Prendre contact pas encore travaillée –"
    assert (
        lines[2] == "1C Rechercher le besoin du client maîtrisée, variée · 4 tours, provisoire 3 provisoire"
    )


def test_the_most_recently_worked_competence_is_the_one_shown(school, worked):
    page = school.visit("Adam").get("/me")

    assert "Ma spirale · 1C" in words(page)
    assert part(page, 'aria-current="true"', "</li>").count("1C") == 1


def test_the_answer_comes_with_its_reason_and_its_picture(school, worked):
    page = school.visit("Adam").get("/me")

    text = words(page)
    assert "maîtrisée, en situation variée Parce que : 3 le " in text
    assert "en situation complexe ne l’abaisse pas. Provisoire : un tour de plus le confirmera." in text
    assert page.text.count('<svg class="spiral ') == 2
    assert "3 puis 4 en situation simple, 3 en situation variée, 2 en situation complexe" in page.text


def test_each_turn_says_all_there_is_to_know_of_it(school, worked):
    page = school.visit("Adam").get("/me?competence=1C")

    turns = turn_lines(page)
    assert [re.search(r"Forum|Relance|Vente|Accueil", turn)[0] for turn in turns] == [  # type: ignore[index]
        "Forum",
        "Relance",
        "Vente",
        "Accueil",
    ]
    assert "Forum (vente) insuffisamment maîtrisée, complexe Il a manqué <la reformulation>." in turns[0]
    assert "Vente (commerce, vente) bien maîtrisée, simple" in turns[2]
    assert "Ce qui était observé" in turns[3]
    assert "Ce qui était observé" not in turns[2]
    for title, number in worked.items():
        assert f'id="tour-{number}"' in page.text, title
        assert page.text.count(f'href="#tour-{number}"') == 2, title
        assert f"/activities/{number}" in page.text, title


def test_the_next_turn_is_the_next_situation_that_mobilises_it(school, worked):
    adam = school.visit("Adam")

    assert "Prochain tour : Réclamation" in words(adam.get("/me?competence=1C"))
    assert "Prochain tour" not in words(adam.get("/me?competence=1A"))


def test_a_competence_never_worked_says_so_and_what_to_do(school, worked):
    page = school.visit("Adam").get("/me?competence=3B")

    assert "Pas encore travaillée Mon premier tour apparaîtra ici" in words(page)
    assert "/me/activities" in page.text
    assert 'class="spiral' not in page.text


def test_a_pupil_without_a_result_has_a_page_that_says_so(school):
    page = school.visit("Chloé").get("/me")

    assert page.status_code == 200
    assert all("pas encore travaillée" in line for line in competence_lines(page))
    text = words(school.visit("Chloé").get("/me/exploration"))
    assert "Tout reste à explorer en accueil, commerce et vente." in text


def test_exploration_counts_situations_and_names_what_is_left(school, worked):
    page = school.visit("Adam").get("/me/exploration")

    text = words(part(page, 'id="exploration"', "<section"))
    assert "accueil 1 situation 1 compétence" in text
    assert "commerce 1 situation 1 compétence" in text
    assert "vente 3 situations 1 compétence" in text
    assert "En accueil, rien encore pour 1A, 1B, 1D, 2A, 2B, 2C, 3A, 3B et 3C." in text
    assert "Tout reste à explorer" not in text
    vente = part(page, 'id="h-V"', "</section>")
    assert re.findall(r">([^<]+)</a>", vente) == ["Forum", "Relance", "Vente"]
    assert "À venir : PFMP" in words(part(page, 'id="h-A"', "</section>"))


def test_exploration_says_what_each_competence_becomes_and_how_often_it_was_worked_in_each(school, worked):
    page = school.visit("Adam").get("/me/exploration")

    bac = part(page, 'id="bac"', "</section>")
    lines = [words(line) for line in bac.split("<li><h3>")[1:]]
    assert [line[:2] for line in lines] == ["1A", "1B", "1C", "1D", "2A", "2B", "2C", "3A", "3B", "3C"]
    assert "accueil × 1 commerce × 1 vente × 3 Ce que 1C devient au Bac MA MCV" in lines[2]
    assert "accueil pas encore commerce pas encore vente pas encore" in lines[4]
    assert bac.count("/statements/") > 20


def test_an_unknown_competence_is_not_found(school, worked):
    assert school.visit("Adam").get("/me?competence=9Z").status_code == 404


# ----- « Mes activités » -----


def test_what_is_to_come_is_dated_in_order_with_what_is_expected(school, worked):
    page = school.visit("Adam").get("/me/activities")

    coming = part(page, "<h1", "<section")
    assert re.findall(r"<strong>([^<]+)</strong>", coming) == ["PFMP", "Réclamation"]
    text = words(coming)
    assert re.search(
        r"du \S+ \S+( \d{4})? au \S+ \S+( \d{4})? PFMP Attendu : 3C Diffuser l’information", text
    )
    assert "Attendu : 1C Rechercher le besoin du client, 2B Satisfaire le client, en situation simple" in text


def test_past_work_without_a_result_waits_apart(school, worked):
    waiting = part(school.visit("Adam").get("/me/activities"), "Sans résultat pour l’instant", "</section>")

    assert re.findall(r"<strong>([^<]+)</strong>", waiting) == ["Veille"]


def test_what_is_done_has_its_results_and_comments_newest_first(school, worked):
    done = part(school.visit("Adam").get("/me/activities"), "<h2>Faites", "</section>")

    assert re.findall(r"<strong>([^<]+)</strong>", done) == ["Forum", "Relance", "Vente", "Accueil"]
    text = words(done)
    assert (
        "1C 2 Rechercher le besoin du client insuffisamment maîtrisée Il a manqué <la reformulation>." in text
    )
    assert "2A – Gérer le suivi de la demande (commande, service, prestation) pas encore de résultat" in text


def test_a_code_is_said_in_its_word_and_never_as_a_level(app, school):
    with app.app_context():
        for code in CODES:
            activity = factories.activity(school.course, "1A", title=f"Avec {code}")
            factories.assessment(activity, "1A", school.people["Adam"], code, school.people["teacher"])
        db.session.commit()

    adam = school.visit("Adam")
    done = part(adam.get("/me/activities"), "<h2>Faites", "</section>")

    for code, word in zip(CODES, ("absent", "dispensé", "non évalué", "non fait", "non rendu"), strict=True):
        assert f"{code} Prendre contact {word}" in words(done)
    assert 'class="level' not in done
    assert "1A Prendre contact pas encore travaillée" in competence_lines(adam.get("/me"))[0]


def test_archived_work_is_no_longer_to_do_and_its_results_stay(app, school, worked):
    with app.app_context():
        db.session.execute(sa.text("UPDATE activity SET archived_at = '2026-01-01 00:00:00'"))
        db.session.commit()

    page = school.visit("Adam").get("/me/activities")

    assert "Rien à faire pour l’instant" in words(page)
    assert "Réclamation" not in page.text
    assert "Forum" in part(page, "<h2>Faites", "</section>")


def test_an_emptied_cell_is_no_result(app, school, worked):
    with app.app_context():
        activity = factories.activity(school.course, "1B", title="Vidée", starts_on=days_ago(1))
        factories.assessment(activity, "1B", school.people["Adam"], 3, school.people["teacher"])
        factories.assessment(activity, "1B", school.people["Adam"], "", school.people["teacher"])
        db.session.commit()

    page = school.visit("Adam").get("/me/activities")

    assert "Vidée" in part(page, "Sans résultat pour l’instant", "</section>")


# ----- whose page it is -----


@pytest.mark.parametrize(
    "path", ["/me", "/me?competence=1A", "/me/activities", "/me/exploration", "/me/positions?competence=1A"]
)
def test_a_pupil_sees_nothing_of_others(school, worked, path):
    page = school.visit("Adam").get(path)

    assert page.status_code == 200
    for hidden in ("Zoé", "Lambert", "Bravo", "Morel", "Claire", "Chloé", "Aïcha"):
        assert hidden not in page.text


@pytest.mark.parametrize("path", ["/me", "/me/activities", "/me/exploration", "/me/positions"])
@pytest.mark.parametrize("name", ["teacher", "assessor", "observer"])
def test_only_a_pupil_has_pages_of_their_own(school, name, path):
    assert school.visit(name).get(path).status_code == 403


@pytest.mark.parametrize(
    ("name", "status"),
    [("teacher", 200), ("colleague", 200), ("assessor", 200), ("observer", 403), ("Adam", 403), ("Zoé", 403)],
)
def test_only_those_who_assess_read_a_pupils_sheet(school, worked, name, status):
    assert school.visit(name).get(f"/pupils/{school.people['Adam'].id}").status_code == status


def test_results_of_another_course_are_not_on_the_page(app, school, worked):
    with app.app_context():
        other = factories.course(db.session.get_one(Platform, school.course.platform_id))
        db.session.add(
            Enrolment(course_id=other.id, person_id=school.people["Adam"].id, role=Role.LEARNER, number=1)
        )
        elsewhere = factories.activity(other, "2C", title="Ailleurs")
        factories.assessment(elsewhere, "2C", school.people["Adam"], 4, school.people["teacher"])
        db.session.commit()
    adam = school.visit("Adam")

    assert "2C Fidéliser le client pas encore travaillée" in competence_lines(adam.get("/me"))[6]
    assert "Ailleurs" not in adam.get("/me/activities").text


# ----- the teacher's sheet -----


def test_a_teacher_reads_the_same_sheet_in_the_third_person(school, worked):
    page = school.visit("teacher").get(f"/pupils/{school.people['Adam'].id}?competence=1C")

    text = words(page)
    assert "<h1>Adam Benali</h1>" in page.text
    assert "Spirale · 1C" in text
    assert len(turn_lines(page)) == 4
    assert f"/activities/{worked['Forum']}/grid" in page.text
    for own in ("Mes compétences", "Ma spirale", "Mon exploration", "Mon premier", "Pour moi"):
        assert own not in text


def test_the_way_goes_to_the_pupils_before_and_after_at_the_same_competence(school, worked):
    teacher, people = school.visit("teacher"), school.people

    def way(name: str) -> list[tuple[str, int]]:
        page = teacher.get(f"/pupils/{people[name].id}?competence=2B")
        found = re.findall(r'rel="(prev|next)" href="[^"]*/pupils/(\d+)\?competence=2B"', page.text)
        return [(rel, int(number)) for rel, number in found]

    assert way("Adam") == [("next", people["Aïcha"].id)]
    assert way("Aïcha") == [("prev", people["Adam"].id), ("next", people["Chloé"].id)]
    assert way("Zoé") == [("prev", people["Chloé"].id)]


def test_the_way_stays_in_the_group_that_the_address_names_for_who_is_in_it(app, school):
    people = school.people
    with app.app_context():
        group = factories.group(school.course, "Groupe A", people["Adam"], people["Zoé"])
        other = factories.group(factories.course(), "Ailleurs")
        db.session.commit()
        mine, foreign = group.id, other.id
    teacher = school.visit("teacher")

    def following(name: str, number: object) -> list[str]:
        page = teacher.get(f"/pupils/{people[name].id}?competence=2B&group={number}")
        return re.findall(r'rel="next" href="[^"]*/pupils/(\d+)\?', page.text)

    assert following("Adam", mine) == [str(people["Zoé"].id)]
    assert following("Zoé", mine) == []
    for number in (foreign, 999_999, "x", ""):
        assert following("Adam", number) == [str(people["Aïcha"].id)], number
    assert following("Aïcha", mine) == [str(people["Chloé"].id)], (
        "who is not in the group has the whole class"
    )


def test_a_retained_position_comes_with_its_reason_then_what_is_proposed(app, school, worked):
    with app.app_context():
        decided = Decision(
            course_id=school.course.id,
            person_id=school.people["Adam"].id,
            item_id=factories.competence("1C").id,
            level=4,
            complexity=2,
            reason="Vu deux fois en autonomie.",
            proposed_level=3,
            proposed_complexity=2,
            decider_id=school.people["teacher"].id,
        )
        db.session.add(decided)
        db.session.commit()

    mine = words(school.visit("Adam").get("/me?competence=1C"))
    theirs = words(school.visit("teacher").get(f"/pupils/{school.people['Adam'].id}?competence=1C"))

    assert "4 bien maîtrisée, en situation variée Positionnement retenu par mon enseignant·e le" in mine
    assert ": « Vu deux fois en autonomie. » D’après mes tours seuls : 3 en situation variée : 3 le" in mine
    assert "Vu deux fois en autonomie. » Proposé : 3 en situation variée : 3 le" in theirs
    assert "Morel" not in mine


def test_someone_who_left_can_still_be_read_and_is_marked(app, school, worked):
    with app.app_context():
        db.session.execute(
            sa.update(Enrolment).where(Enrolment.person_id == school.people["Adam"].id).values(active=False)
        )
        db.session.commit()
    teacher = school.visit("teacher")

    page = teacher.get(f"/pupils/{school.people['Adam'].id}")

    assert page.status_code == 200
    assert "a quitté le cours" in words(page)
    assert 'rel="next"' not in page.text
    assert "a quitté le cours" not in teacher.get(f"/pupils/{school.people['Zoé'].id}").text
    assert "Adam" not in teacher.get("/overview").text


def test_who_is_no_pupil_of_this_course_is_not_found(app, school, worked):
    with app.app_context():
        other = factories.course(db.session.get_one(Platform, school.course.platform_id))
        stranger = factories.enrolled(other, "Inès", "Haddad")
        left_without = factories.enrolled(school.course, "Théo", "Petit", active=False)
        ids = [
            stranger.id,
            left_without.id,
            school.people["teacher"].id,
            school.people["observer"].id,
            999_999,
        ]
        db.session.commit()
    teacher = school.visit("teacher")

    assert [teacher.get(f"/pupils/{number}").status_code for number in ids] == [404] * 5


def test_a_name_the_platform_does_not_share_is_a_number(app, school):
    with app.app_context():
        nameless = factories.enrolled(school.course, "", "")
        number = db.session.scalars(sa.select(Enrolment.number).filter_by(person_id=nameless.id)).one()
        db.session.commit()
        page = school.visit("teacher").get(f"/pupils/{nameless.id}")

    assert f"<h1>Élève {number}</h1>" in html.unescape(page.text)


# ----- what it costs -----


@pytest.mark.parametrize(
    ("who", "path", "most"),
    [
        ("Adam", "/me?competence=1C", 20),
        ("Adam", "/me/activities", 13),
        ("Adam", "/me/exploration", 14),
        ("Adam", "/me/positions?competence=1C", 11),
        ("teacher", "/pupils/{adam}?competence=1C", 21),
    ],
)
def test_a_longer_year_costs_no_more_queries(app, school, worked, who, path, most):
    visitor, path = school.visit(who), path.format(adam=school.people["Adam"].id)
    with app.app_context():
        engine = db.engine

    def queries() -> int:
        seen = []

        def count(*args: object) -> None:
            seen.append(args)

        event.listen(engine, "before_cursor_execute", count)
        assert visitor.get(path).status_code == 200
        event.remove(engine, "before_cursor_execute", count)
        return len(seen)

    short = queries()
    with app.app_context():
        for i in range(20):
            made = factories.activity(school.course, "1C", "2B", starts_on=days_ago(30 + i))
            factories.assessment(made, "1C", school.people["Adam"], 3, school.people["teacher"])
        db.session.commit()

    assert queries() == short <= most
