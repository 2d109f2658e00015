"""The referential's pages: the ten competences, one with its two sides, a statement, and who sees which results."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime

import pytest
import sqlalchemy as sa
from werkzeug.test import TestResponse

from lti_tool.activities.models import Activity
from lti_tool.assessment.models import Assessment
from lti_tool.courses.models import Course
from lti_tool.db import db
from lti_tool.frameworks.models import Framework, FrameworkItem
from lti_tool.frameworks.sheets import find_framework
from tests import factories
from tests.conftest import School

from .reading import part, words

CODES = ["1A", "1B", "1C", "1D", "2A", "2B", "2C", "3A", "3B", "3C"]


def uuid_of(school: School, text: str, slug: str = "mcv") -> str:
    with school.app.app_context():
        return db.session.scalars(
            sa.select(FrameworkItem.uuid)
            .join(Framework)
            .where(Framework.slug == slug, FrameworkItem.statement == text)
        ).one()


def row(page: TestResponse, type_: str) -> str:
    """The source of one row of the two sides."""
    return part(page, f'<div class="two-row" id="{type_}">', "</details>")


def sides(page: TestResponse, type_: str) -> tuple[str, str]:
    """The words of MA's and of MCV's side of a row."""
    ma, _mark, mcv = row(page, type_).partition('<div data-t="MCV">')
    return words(ma), words(mcv)


@contextmanager
def counted(school: School, most: int) -> Iterator[None]:
    """Fails when more queries than that are made inside, by any request."""
    made: list[str] = []

    def count(_connection: object, _cursor: object, text: str, *_more: object) -> None:
        if text.startswith(("SELECT", "WITH")):
            made.append(text)

    with school.app.app_context():
        engine = db.engine
    sa.event.listen(engine, "before_cursor_execute", count)
    try:
        yield
    finally:
        sa.event.remove(engine, "before_cursor_execute", count)
    assert len(made) <= most, "\n\n".join(made)


# ----- the ten competences -----


@pytest.mark.parametrize("who", ["teacher", "assessor", "observer", "Adam"])
def test_everyone_reads_the_ten_competences_with_their_official_words(school: School, who: str) -> None:
    page = school.visit(who).get("/referential")

    assert page.status_code == 200
    assert re.findall(r'<span class="kode">(\w+)</span>', page.text) == CODES
    said = words(page)
    assert "Groupe 1 Intégrer la relation client dans un cadre omnicanal" in said
    assert (
        "Identifier le besoin du client externe ou interne (ou du prospect), dans un cadre omnicanal" in said
    )
    assert "Situer le client/prospect dans son parcours et son expérience" in said


def test_the_guide_is_at_the_foot_and_the_linked_referentials_one_click_away(school: School) -> None:
    page = school.visit("teacher").get("/referential")

    said = words(page)
    for title in ("Les bases indispensables de la Seconde", "Les logiques de la formation", "Le vocabulaire"):
        assert title in said
    assert "Sensibilisation au RGPD" in said
    assert "Quelqu’un qui n’est pas encore client" in said
    tabs = part(page, 'aria-label="Référentiels"', "</nav>")
    assert re.findall(r"/referential([^\"]*)\"", tabs) == ["", "/general", "?of=ma", "?of=mcv"]


def test_a_linked_referential_is_shown_whole_by_part_and_by_type(school: School) -> None:
    page = school.visit("Adam").get("/referential?of=mcv")

    said = words(page)
    assert re.findall(r"<h2>.*?(Groupe \w+) · ", page.text) == [
        "Groupe 1",
        "Groupe 2",
        "Groupe 3",
        "Groupe 4A",
        "Groupe 4B",
    ]
    assert "1.2 Réaliser la vente dans un cadre omnicanal" in said
    assert "Sans bloc ni groupe" in said
    assert "ce n’est pas le référentiel entier" in said
    with school.app.app_context():
        mcv = find_framework(db.session, "mcv").id
        every = set(
            db.session.scalars(sa.select(FrameworkItem.uuid).where(FrameworkItem.framework_id == mcv))
        )
    assert set(re.findall(r"/statements/([0-9a-f-]{36})", page.text)) == every


@pytest.mark.parametrize("address", ["/referential?of=unknown", "/referential/9Z", "/referential/1c"])
def test_what_is_not_in_the_courses_referential_is_not_found(school: School, address: str) -> None:
    assert school.visit("teacher").get(address).status_code == 404


def test_a_referential_that_the_courses_own_does_not_lead_to_is_not_found(school: School) -> None:
    uuid = uuid_of(school, "Prendre contact avec le client")
    with school.app.app_context():
        db.session.execute(sa.update(Course).values(framework_slugs=["ma"]))
        db.session.commit()
    visitor = school.visit("teacher")

    assert visitor.get("/referential?of=mcv").status_code == 404
    assert visitor.get(f"/statements/{uuid}").status_code == 404


# ----- a competence -----


def test_a_competence_shows_its_group_its_words_and_its_place_among_the_ten(school: School) -> None:
    page = school.visit("Adam").get("/referential/1C")

    said = words(page)
    assert "Groupe 1 · Intégrer la relation client dans un cadre omnicanal" in said
    assert "Interagir pour cibler le besoin" in said
    ruler = part(page, '<nav class="ruler"', "</nav>")
    assert re.findall(r"/referential/(\w+)", ruler) == CODES
    assert re.findall(r'/referential/(\w+)"[^>]*aria-current="page"', ruler) == ["1C"]


@pytest.mark.parametrize("code", CODES)
def test_every_competence_has_its_page_with_every_linked_statement_as_a_link(
    school: School, code: str
) -> None:
    page = school.visit("Adam").get(f"/referential/{code}")

    with school.app.app_context():
        linked = set(
            db.session.scalars(
                sa.text(
                    "select f.uuid from framework_item f join item_association a on a.destination_id = f.id "
                    "where a.origin_id = :id"
                ),
                {"id": factories.competence(code).id},
            )
        )
    assert page.status_code == 200
    assert set(re.findall(r"/statements/([0-9a-f-]{36})", page.text)) == linked


def test_the_two_sides_face_each_other_by_bloc_and_groupe(school: School) -> None:
    page = school.visit("teacher").get("/referential/1C")

    ma, mcv = sides(page, "competence")
    assert ma.startswith(
        "Bloc 1 · Gérer l’accueil multicanal à des fins d’information, d’orientation et de conseil "
        "1.3 Identifier la demande Appréhender la demande du public"
    )
    assert mcv.startswith("Groupe 1 · Conseiller et vendre 1.2 Réaliser la vente dans un cadre omnicanal")
    ma, mcv = sides(page, "criterion")
    assert ma.startswith("Bloc 1 Le niveau de complexité de la demande est repéré")
    assert "Bloc 3 Le questionnement, les échanges" in ma
    assert mcv.count("Groupe 1") == mcv.count("Groupe 4B") == 1
    assert "3 · 6" in words(page)


def opened(page: TestResponse) -> list[str]:
    """The types whose row is open."""
    return re.findall(r'<details open>.*?<div class="two-row" id="(\w+)">', page.text, re.DOTALL)


def test_the_rows_stand_under_the_three_sheets_of_the_source(school: School) -> None:
    page = school.visit("Adam").get("/referential/1C")

    assert re.findall(r'id="sheet-(\w+)"><h3>([^<]+)</h3>|<div class="two-row" id="(\w+)">', page.text) == [
        ("skills", "Fiche Compétences", ""),
        ("", "", "competence"),
        ("", "", "behaviour"),
        ("knowledge", "Fiche Savoirs", ""),
        ("", "", "knowledge"),
        ("", "", "resource"),
        ("", "", "relation"),
        ("evaluation", "Fiche Évaluation", ""),
        ("", "", "expected_result"),
        ("", "", "criterion"),
    ]


def test_a_sheet_that_is_asked_for_is_open_and_the_others_folded(school: School) -> None:
    visitor = school.visit("teacher")

    for query, types in {
        "": ["competence", "criterion"],
        "?theme=skills": ["competence", "behaviour"],
        "?theme=knowledge": ["knowledge", "resource", "relation"],
        "?theme=evaluation": ["expected_result", "criterion"],
        "?theme=unknown": ["competence", "criterion"],
    }.items():
        assert opened(visitor.get(f"/referential/1C{query}")) == types


def test_a_sheet_stays_the_same_from_one_competence_to_the_next(school: School) -> None:
    page = school.visit("teacher").get("/referential/1C?theme=knowledge")

    ruler = part(page, '<nav class="ruler"', "</nav>")
    assert set(re.findall(r"/referential/\w+([^\"]*)", ruler)) == {"?theme=knowledge"}
    sheets = part(page, '<nav class="jumps', "</nav>")
    assert re.findall(r'\?theme=(\w+)#sheet-(\w+)"( aria-current="true")?', sheets) == [
        ("skills", "skills", ""),
        ("knowledge", "knowledge", ' aria-current="true"'),
        ("evaluation", "evaluation", ""),
    ]


def test_the_competences_before_and_after_are_at_the_foot(school: School) -> None:
    visitor = school.visit("Adam")

    for code, around in {"1A": ["1B"], "1D": ["1C", "2A"], "3C": ["3B"]}.items():
        foot = part(visitor.get(f"/referential/{code}"), 'aria-label="Compétences voisines"', "</nav>")
        assert re.findall(r"/referential/(\w+)", foot) == around


def test_what_a_competence_becomes_is_told_step_by_step_in_the_guides_words(school: School) -> None:
    page = school.visit("Adam").get("/referential/1C")

    assert re.findall(
        r'aria-label="(\w+)"><use href="#i-cx\d"/></svg> <b>([^<]+)', part(page, '<ol class="path', "</ol>")
    ) == [
        ("simple", "En Seconde"),
        ("variée", "En Première et en Terminale"),
        ("complexe", "Au Bac"),
    ]


def test_a_statement_of_two_groupes_is_under_both_names(school: School) -> None:
    _ma, mcv = sides(school.visit("teacher").get("/referential/1A"), "behaviour")

    assert "Groupes 1 et 4B Respecter les principes déontologiques" in mcv


def test_limits_face_their_knowledge_joined_by_a_stroke(school: School) -> None:
    page = school.visit("teacher").get("/referential/1C")

    _ma, mcv = sides(page, "knowledge")
    assert "Le questionnement Les différents types de questions / L’écoute active / La reformulation" in mcv
    ma, _mcv = sides(school.visit("teacher").get("/referential/2C"), "knowledge")
    assert (
        "savoir non précisé Les enjeux, démarche et outils de la relation client et de la relation usager"
        in ma
    )


def test_a_list_of_resources_stays_open(school: School) -> None:
    ma, mcv = sides(school.visit("teacher").get("/referential/1D"), "resource")

    assert "terminal de paiement électronique… Voir les ressources" in ma
    assert "Documentation documents commerciaux" in ma
    assert "La carte de visite de l’unité commerciale ou du vendeur… Groupe 4B" in mcv


def test_a_see_also_is_said_in_the_sources_words_and_leads_to_the_same_row_elsewhere(school: School) -> None:
    page = school.visit("teacher").get("/referential/1C")

    assert "Voir aussi les critères d’évaluation liés aux compétences 1A et 1B : 1A, 1B" in words(page)
    assert re.findall(r"/referential/(\w+)\?theme=evaluation#criterion", row(page, "criterion")) == [
        "1A",
        "1B",
    ]
    assert 'id="criterion"' in school.visit("teacher").get("/referential/1A").text


def test_a_reference_to_a_group_leads_to_it_and_is_said_once(school: School) -> None:
    visitor = school.visit("teacher")
    page = visitor.get("/referential/2B")

    assert (
        words(page).count("Collecte de l’information sur la satisfaction ou l’insatisfaction du client.") == 1
    )
    assert "/referential#g3" in page.text
    assert 'id="g3"' in visitor.get("/referential").text


def test_official_notes_stand_with_what_they_qualify(school: School) -> None:
    page = school.visit("teacher").get("/referential/1D")

    ma, mcv = sides(page, "competence")
    assert (
        "Finaliser la relation commerciale En Seconde, il s’agit de finaliser une relation commerciale simple"
        in ma
    )
    assert "4A.3 Développer la clientèle Sur des situations simples en Seconde" in mcv
    assert "Ces propositions peuvent être diverses" in words(page)
    assert (
        "Comportements à conserver tout au long de la relation client"
        in sides(school.visit("teacher").get("/referential/1A"), "behaviour")[1]
    )


def test_what_the_source_does_not_say_is_said(school: School) -> None:
    page = school.visit("teacher").get("/referential/1C")

    assert sides(page, "behaviour")[0] == "non précisé par le référentiel MA"
    assert "Savoirs juridiques et économiques : à venir" in words(page)
    assert "« la maitrise de l’ensemble des compétences et savoirs suivants" in words(page)
    other = school.visit("teacher").get("/referential/3B")
    assert sides(other, "relation")[0].startswith("Voir les relations liées à la compétence 3A")


def test_the_horizon_that_the_guide_gives_a_row_stands_after_its_title(school: School) -> None:
    page = words(school.visit("teacher").get("/referential/1C"))

    assert "Comportements professionnels sur 3 ans 0 · 2" in page
    assert "Critères d’évaluation objectifs Bac 5 · 3" in page


def test_without_a_guide_a_competence_is_shown_with_its_rows_alone(school: School) -> None:
    with school.app.app_context():
        find_framework(db.session, "mrc-seconde").guide = {}
        db.session.commit()

    page = school.visit("teacher").get("/referential/1C")

    assert "Critères d’évaluation 5 · 3" in words(page)
    assert '<ol class="path' not in page.text
    assert "à venir" not in page.text


def test_a_retired_competence_still_has_its_page_and_says_so(school: School) -> None:
    with school.app.app_context():
        factories.competence("3C").retired = True
        db.session.commit()

    page = school.visit("teacher").get("/referential/3C")

    assert page.status_code == 200
    assert "Cette compétence n’est plus dans le référentiel." in words(page)


def test_on_an_english_page_official_text_says_it_is_french(school: School) -> None:
    page = school.visit("teacher", locale="en").get("/referential/1C")

    assert '<html lang="en"' in page.text
    assert '<p class="ref statement mt3" lang="fr">Identifier le besoin' in page.text
    official = re.findall(r'<(?:ul|dl|p|span|li)[^>]*class="[^"]*\bref\b[^"]*"[^>]*>', page.text)
    assert len(official) > 20
    assert all('lang="fr"' in tag for tag in official)
    assert 'lang="fr"' not in school.visit("teacher").get("/referential/1C").text.partition("<body")[2]


# ----- in this course -----


@pytest.fixture
def worked(school: School) -> dict[str, int]:
    """Three activities on 1C, the newest one complex and archived without anything seen, and one on 1A only."""
    people = school.people
    with school.app.app_context():
        simple = factories.activity(school.course, "1A", "1C", title="Accueil", starts_on=date(2026, 10, 8))
        varied = factories.activity(
            school.course,
            "1C",
            title="Téléphone",
            complexity=2,
            specialities=["V"],
            starts_on=date(2027, 2, 2),
        )
        put_away = factories.activity(
            school.course,
            "1C",
            title="Rangée",
            complexity=3,
            starts_on=date(2027, 3, 1),
            archived_at=datetime(2027, 3, 2, tzinfo=UTC),
        )
        factories.activity(school.course, "1A", title="Ailleurs")
        by = people["teacher"]
        factories.assessment(simple, "1C", people["Adam"], 1, by)
        factories.assessment(simple, "1C", people["Adam"], 3, by)
        factories.assessment(simple, "1A", people["Chloé"], 4, by)
        factories.assessment(simple, "1C", people["Chloé"], 3, by)
        factories.assessment(simple, "1C", people["Zoé"], "ABS", by)
        factories.assessment(varied, "1C", people["Zoé"], 2, by)
        db.session.commit()
        return {"simple": simple.id, "varied": varied.id, "put_away": put_away.id}


def test_a_teacher_sees_the_situations_that_work_it_newest_first_with_the_levels_seen(
    school: School, worked: dict[str, int]
) -> None:
    page = school.visit("assessor").get("/referential/1C")

    table = part(page, "<tbody", "</tbody>")
    assert re.findall(r"/activities/(\d+)/grid", table) == [str(worked["varied"]), str(worked["simple"])]
    assert re.findall(r'<svg class="histo mini"[^>]*aria-label="([^"]+)"', table) == [
        "0 au niveau 1, 1 au niveau 2, 0 au niveau 3, 0 au niveau 4",
        "0 au niveau 1, 0 au niveau 2, 2 au niveau 3, 0 au niveau 4",
    ]
    assert "1 sur 4" in words(table)
    assert "2 sur 4" in words(table)
    assert "2 situations : 1 simple, 1 variée" in words(page)


def test_the_head_says_how_many_pupils_have_a_level_over_all_these_situations(
    school: School, worked: dict[str, int]
) -> None:
    page = school.visit("teacher").get("/referential/1C")

    # Adam's two entries are one pupil; Zoé is absent in one situation and has a level in the other; Chloé's 4 is 1A's.
    assert "2 situations : 1 simple, 1 variée · 3 élèves évalués sur 4" in words(page)
    with school.app.app_context():
        varied = db.session.get_one(Activity, worked["varied"])
        factories.assessment(varied, "1C", school.people["Adam"], 2, school.people["teacher"])
        factories.assessment(varied, "1C", school.people["Zoé"], "", school.people["teacher"])
        db.session.commit()
    # Seen twice is still one pupil; a level taken back leaves none.
    again = school.visit("teacher").get("/referential/1C")
    assert "· 2 élèves évalués sur 4" in words(again)
    assert "évalués sur" not in words(school.visit("Adam").get("/referential/1C"))


def test_the_head_counts_nobody_who_left(school: School, worked: dict[str, int]) -> None:
    assert "2 situations : 2 simples · 1 élève évalué sur 4" in words(
        school.visit("teacher").get("/referential/1A")
    )
    with school.app.app_context():
        db.session.execute(
            sa.text("update enrolment set active = 0 where person_id = :id"),
            {"id": school.people["Chloé"].id},
        )
        db.session.commit()
    assert "· 2 élèves évalués sur 3" in words(school.visit("teacher").get("/referential/1C"))
    assert "2 situations : 2 simples · 0 élève évalué sur 3" in words(
        school.visit("teacher").get("/referential/1A")
    )


def test_an_archived_situation_stays_where_something_was_seen_in_it(
    school: School, worked: dict[str, int]
) -> None:
    with school.app.app_context():
        db.session.add(
            Assessment(
                key="11111111-1111-4111-8111-111111111111",
                activity_id=worked["put_away"],
                item_id=factories.competence("1C").id,
                person_id=school.people["Adam"].id,
                assessor_id=school.people["teacher"].id,
                level=4,
                code=None,
            )
        )
        db.session.commit()

    assert "Rangée archivée" in words(school.visit("teacher").get("/referential/1C"))


def test_who_left_the_course_is_counted_nowhere(school: School, worked: dict[str, int]) -> None:
    with school.app.app_context():
        db.session.execute(
            sa.text("update enrolment set active = 0 where person_id = :id"),
            {"id": school.people["Chloé"].id},
        )
        db.session.commit()

    assert "1 sur 3" in words(school.visit("teacher").get("/referential/1C"))


def test_a_pupil_sees_their_own_level_in_each_situation_and_nobody_elses(
    school: School, worked: dict[str, int]
) -> None:
    adam = words(school.visit("Adam").get("/referential/1C"))
    zoe = words(school.visit("Zoé").get("/referential/1C"))
    aicha = words(school.visit("Aïcha").get("/referential/1C"))

    assert "2 févr. Téléphone variée pas encore évaluée 8 oct. Accueil simple 3 maîtrisée" in adam
    assert "2 févr. Téléphone variée 2 insuffisamment maîtrisée 8 oct. Accueil simple ABS absent" in zoe
    assert aicha.count("pas encore évaluée") == 2
    for said in (adam, zoe, aicha):
        assert "Rangée" not in said
        assert "sur 4" not in said


def test_a_pupil_gets_no_grid_no_button_and_an_observer_no_result_at_all(
    school: School, worked: dict[str, int]
) -> None:
    pupil = school.visit("Adam").get("/referential/1C").text
    observer = school.visit("observer").get("/referential/1C").text

    assert "/grid" not in pupil
    assert "/activities/new" not in pupil
    assert f"/activities/{worked['simple']}" in pupil
    assert "/activities/" not in observer


def test_only_a_teacher_may_open_a_new_situation_with_the_competence(school: School) -> None:
    assert "/activities/new?competence=1C" in school.visit("teacher").get("/referential/1C").text
    assert "/activities/new" not in school.visit("assessor").get("/referential/1C").text


def test_another_courses_situations_are_not_shown(school: School) -> None:
    with school.app.app_context():
        elsewhere = factories.course()
        factories.activity(elsewhere, "1C", title="Chez les autres")
        db.session.commit()

    page = words(school.visit("teacher").get("/referential/1C"))

    assert "Chez les autres" not in page
    assert "Aucune situation ne travaille encore 1C" in page


def test_a_class_of_many_situations_costs_no_more_queries(school: School) -> None:
    with school.app.app_context():
        for number in range(20):
            made = factories.activity(school.course, "3A", title=f"Situation {number}")
            for name in ("Adam", "Aïcha", "Chloé", "Zoé"):
                factories.assessment(
                    made, "3A", school.people[name], 1 + number % 4, school.people["teacher"]
                )
        db.session.commit()
    visitor = school.visit("teacher")

    with counted(school, 13):
        assert words(visitor.get("/referential/3A")).count("4 sur 4") == 20


def test_a_title_is_shown_as_text(school: School) -> None:
    with school.app.app_context():
        factories.activity(school.course, "1C", title="<script>alert(1)</script>")
        db.session.commit()

    assert "<script>alert" not in school.visit("teacher").get("/referential/1C").text


# ----- a statement -----


def test_a_statement_says_where_it_stands_and_what_prepares_it(school: School) -> None:
    uuid = uuid_of(school, "S’assurer de la disponibilité du produit")

    page = school.visit("Adam").get(f"/statements/{uuid}")

    assert words(part(page, 'tabindex="-1">', "</main>")) == (
        "MCV · Bac Pro Métiers du commerce et de la vente "
        "Groupe 1 · Conseiller et vendre 1.2 Réaliser la vente dans un cadre omnicanal "
        "Sous-compétence S’assurer de la disponibilité du produit "
        "En Seconde, il s’agit de finaliser et d’assurer l’exécution de la vente pour une relation commerciale simple "
        "Les compétences de Seconde qui y préparent "
        "1D Proposer une solution adaptée au parcours du client "
        "Proposer une solution adaptée au parcours et à l’expérience du client interne ou externe (ou prospect), "
        "dans un cadre omnicanal"
    )
    assert re.findall(r"/referential/(\w+)", part(page, '<ul class="mine', "</ul>")) == ["1D"]


def test_a_competence_shows_what_is_below_it_and_a_groupe_all_it_holds(school: School) -> None:
    visitor = school.visit("teacher")

    competence = visitor.get(f"/statements/{uuid_of(school, 'Réaliser la vente dans un cadre omnicanal')}")
    groupe = visitor.get(f"/statements/{uuid_of(school, 'Conseiller et vendre')}")

    assert "Sous-compétences 10 Intégrer l’omnicanal dans le processus de vente" in words(competence)
    assert "Comportements professionnels 7" in words(groupe)
    assert "Bloc ou groupe de compétences Groupe 1 Conseiller et vendre" in words(groupe)


def test_a_statement_leads_back_to_the_row_of_each_competence_that_cites_it(school: School) -> None:
    visitor = school.visit("teacher")

    for text, ends in {
        "Prendre congé": ["1D?theme=skills#competence"],
        "Les méthodes de vente": ["1A?theme=knowledge#knowledge"],
        "Respecter les principes déontologiques": ["1A?theme=skills#behaviour"],
        "La prise en compte de l’omnicanal dans les méthodes de vente": ["1A?theme=knowledge#knowledge"],
    }.items():
        page = visitor.get(f"/statements/{uuid_of(school, text)}")
        back = re.findall(r"/referential/([^\"]+)", part(page, '<ul class="mine', "</ul>"))
        assert back[:1] == ends
        code, _query, anchor = re.split(r"[?#]", back[0])
        cited = row(visitor.get(f"/referential/{code}"), anchor)
        assert f"/statements/{uuid_of(school, text)}" in cited


def test_a_limit_without_its_knowledge_says_so(school: School) -> None:
    uuid = uuid_of(school, "Les réseaux de prestataires internes et externes", "ma")

    assert "La source ne dit pas quel savoir cette limite borne." in words(
        school.visit("teacher").get(f"/statements/{uuid}")
    )


def test_a_statement_of_two_groupes_names_the_other(school: School) -> None:
    uuid = uuid_of(school, "Respecter les principes déontologiques")

    page = words(school.visit("teacher").get(f"/statements/{uuid}"))

    assert "Aussi dans : Groupe 4B · Prospecter et valoriser l’offre commerciale" in page


def test_a_retired_statement_says_so(school: School) -> None:
    uuid = uuid_of(school, "Prendre congé")
    with school.app.app_context():
        db.session.execute(sa.update(FrameworkItem).where(FrameworkItem.uuid == uuid).values(retired=True))
        db.session.commit()

    assert "Cet énoncé n’est plus dans le référentiel." in words(
        school.visit("teacher").get(f"/statements/{uuid}")
    )


def test_a_retired_statement_leads_to_what_replaced_it(school: School) -> None:
    uuid, heir = uuid_of(school, "Prendre congé"), uuid_of(school, "Gérer simultanément les activités", "ma")
    with school.app.app_context():
        row = db.session.scalars(sa.select(FrameworkItem).where(FrameworkItem.uuid == uuid)).one()
        row.retired, row.replaced_by = True, heir
        db.session.commit()

    page = school.visit("teacher").get(f"/statements/{uuid}")

    assert "Remplacé par : 1.1 Gérer simultanément les activités" in words(page)
    assert f'/statements/{heir}"' in page.text


def test_a_replacement_that_is_not_here_is_not_named(school: School) -> None:
    uuid = uuid_of(school, "Prendre congé")
    with school.app.app_context():
        row = db.session.scalars(sa.select(FrameworkItem).where(FrameworkItem.uuid == uuid)).one()
        row.retired, row.replaced_by = True, "11111111-1111-4111-8111-111111111111"
        db.session.commit()

    page = school.visit("teacher").get(f"/statements/{uuid}")

    assert page.status_code == 200
    assert "Remplacé par" not in words(page)


def test_a_retired_competence_leads_to_what_replaced_it(school: School) -> None:
    with school.app.app_context():
        row = factories.competence("3C")
        row.retired, row.replaced_by = True, factories.competence("3B").uuid
        db.session.commit()
        label = factories.competence("3B").label

    assert f"Remplacé par : 3B {label}" in words(school.visit("teacher").get("/referential/3C"))


def test_a_retired_competence_whose_code_is_another_s_is_read_on_its_own_page(school: School) -> None:
    with school.app.app_context():
        row, heir = factories.competence("3C"), factories.competence("3B")
        row.retired, row.replaced_by, heir.code = True, heir.uuid, "3C"
        uuid, statement, label = row.uuid, row.statement, heir.label
        db.session.commit()

    page = school.visit("teacher").get(f"/statements/{uuid}")

    assert page.status_code == 200
    assert statement in words(page)
    assert f"Remplacé par : 3C {label}" in words(page)
    assert "Les compétences de Seconde qui y préparent" not in words(page)


def test_a_retired_competence_is_found_by_its_identifier_on_its_codes_page(school: School) -> None:
    with school.app.app_context():
        row = factories.competence("3C")
        row.retired = True
        uuid = row.uuid
        db.session.commit()

    assert school.visit("teacher").get(f"/statements/{uuid}").location.endswith("/referential/3C")


def test_an_item_of_the_courses_own_referential_is_read_on_its_competences_page(school: School) -> None:
    visitor = school.visit("teacher")

    sub = visitor.get(f"/statements/{uuid_of(school, 'Interagir pour cibler le besoin', 'mrc-seconde')}")
    group = visitor.get(
        f"/statements/{uuid_of(school, 'Intégrer la relation client dans un cadre omnicanal', 'mrc-seconde')}"
    )

    assert sub.location.endswith("/referential/1C")
    assert group.location.endswith("/referential")


@pytest.mark.parametrize("identifier", ["11111111-1111-4111-8111-111111111111", "not-an-identifier"])
def test_an_unknown_statement_is_not_found(school: School, identifier: str) -> None:
    assert school.visit("teacher").get(f"/statements/{identifier}").status_code == 404


def test_every_link_of_a_competences_page_opens(school: School) -> None:
    visitor = school.visit("Adam")
    page = visitor.get("/referential/1B")

    found = sorted(set(re.findall(r'href="/l/[^/]+(/(?:statements|referential)[^"#]*)', page.text)))

    assert len(found) > 40
    assert {visitor.get(address).status_code for address in found} == {200}
