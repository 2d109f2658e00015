"""The referential whole: the general view, and the pages for paper."""

from __future__ import annotations

import re

import sqlalchemy as sa

from lti_tool.courses.models import Course
from lti_tool.db import db
from lti_tool.frameworks.models import FrameworkItem, ItemAssociation
from tests.conftest import School

from .reading import part, words
from .test_referential import CODES, counted

TYPES = (
    "competence",
    "subcompetence",
    "behaviour",
    "knowledge",
    "knowledge_limit",
    "resource",
    "relation",
    "expected_result",
    "criterion",
)
STATEMENT = re.compile(r"/statements/([0-9a-f-]{36})")


def linked(school: School, code: str, slug: str, *types: str) -> set[str]:
    """The identifiers of what a competence leads to on one side."""
    with school.app.app_context():
        return set(
            db.session.scalars(
                sa.text(
                    "select i.uuid from item_association a join framework_item o on o.id = a.origin_id "
                    "join framework_item i on i.id = a.destination_id join framework f on f.id = i.framework_id "
                    "where o.code = :code and f.slug = :slug and i.type in :types"
                ).bindparams(sa.bindparam("types", expanding=True)),
                {"code": code, "slug": slug, "types": types},
            )
        )


def cells(source: str, code: str) -> list[str]:
    """The three cells of a competence's row."""
    row = source.partition(f'<tr role="row" id="{code}">')[2].partition("</tr>")[0]
    return re.split(r"(?=<th role=\"rowheader\")|(?<=</th>)", row)


# ----- the general view -----


def test_the_general_view_has_a_table_per_group_with_the_seconde_between_ma_and_mcv(school: School) -> None:
    page = school.visit("Adam").get("/referential/general")

    assert words("".join(re.findall(r"<h2>.*?</h2>", page.text))) == (
        "Groupe 1 Intégrer la relation client dans un cadre omnicanal "
        "Groupe 2 Assurer le suivi de la relation client (à des fins de satisfaction et de fidélisation) "
        "Groupe 3 Collecter et exploiter l’information dans le cadre de la relation client"
    )
    heads = [words(head) for head in re.findall(r"<thead.*?</thead>", page.text, re.DOTALL)]
    assert (
        heads
        == ["MA · Bac Pro Métiers de l’accueil Seconde MRC MCV · Bac Pro Métiers du commerce et de la vente"]
        * 3
    )
    assert re.findall(r'scope="row" abbr="(\w+)"', page.text) == CODES


def test_each_competence_of_the_general_view_leads_to_all_it_is_linked_to_on_each_side(
    school: School,
) -> None:
    page = school.visit("Adam").get("/referential/general")

    for code in CODES:
        ma, own, mcv = cells(page.text, code)
        assert set(STATEMENT.findall(ma)) == linked(school, code, "ma", "competence", "subcompetence")
        assert set(STATEMENT.findall(mcv)) == linked(school, code, "mcv", "competence", "subcompetence")
        assert STATEMENT.findall(own) == []


def test_each_competence_of_the_general_view_leads_to_its_three_sheets(school: School) -> None:
    visitor = school.visit("Adam")
    page = visitor.get("/referential/general")

    for code in CODES:
        _ma, own, _mcv = cells(page.text, code)
        assert f'/referential/{code}"' in own
        assert re.findall(r"/referential/(\w+)\?theme=(\w+)#sheet-(\w+)", own) == [
            (code, theme, theme) for theme in ("skills", "knowledge", "evaluation")
        ]
    assert 'id="sheet-evaluation"' in visitor.get("/referential/3C?theme=evaluation").text


def test_the_general_view_says_the_official_words_notes_and_references(school: School) -> None:
    page = school.visit("teacher").get("/referential/general").text

    ma, own, mcv = (words(cell) for cell in cells(page, "1D"))
    assert ma.startswith("MA Bloc 1 · Gérer l’accueil multicanal à des fins d’information")
    assert "1D Proposer une solution adaptée au parcours du client" in own
    assert "Personnaliser la solution marchande et/ou non marchande" in own
    assert "Ces propositions peuvent être diverses" in own
    assert "4A.3 Développer la clientèle Sur des situations simples en Seconde" in mcv
    _ma, own, mcv = (words(cell) for cell in cells(page, "2B"))
    assert (
        own.count("Collecte de l’information sur la satisfaction ou l’insatisfaction du client. Groupe 3")
        == 1
    )
    assert mcv.endswith("collecter les motifs de satisfaction et d’insatisfaction. Groupe 3")


def test_what_the_source_says_in_its_table_only_and_what_it_announces_is_told(school: School) -> None:
    visitor = school.visit("teacher")
    page = visitor.get("/referential/general")

    told = "Mettre en place les modalités de livraison Cité par le tableau synthétique de la source"
    assert words(page).count(told) == 1
    assert told in words(cells(page.text, "1D")[2])
    assert words(visitor.get("/referential/1D")).count(told) == 1
    assert "Savoirs juridiques et économiques : à venir." in words(page)


def test_the_general_view_without_sub_competences_keeps_the_competences(school: School) -> None:
    page = school.visit("teacher").get("/referential/general?short=1")

    for code in CODES:
        ma, _own, mcv = cells(page.text, code)
        assert set(STATEMENT.findall(ma)) == linked(school, code, "ma", "competence")
        assert set(STATEMENT.findall(mcv)) == linked(school, code, "mcv", "competence")
    assert "Interagir pour cibler le besoin" not in words(page)


def test_a_referential_that_leads_to_no_other_has_no_general_view(school: School) -> None:
    with school.app.app_context():
        db.session.execute(sa.update(Course).values(framework_slugs=["ma"]))
        db.session.commit()
    visitor = school.visit("teacher")

    assert "/referential/general" not in visitor.get("/referential").text
    page = visitor.get("/referential/general")
    assert page.status_code == 200
    assert "Ce référentiel ne mène à aucun autre" in words(page)
    assert visitor.get("/referential/print").status_code == 200


# ----- paper -----


def test_every_link_of_the_referential_is_printed_once_and_unfolded(school: School) -> None:
    page = school.visit("Adam").get("/referential/print")

    with school.app.app_context():
        every = db.session.scalars(
            sa.select(FrameworkItem.statement).join(
                ItemAssociation, ItemAssociation.destination_id == FrameworkItem.id
            )
        ).all()
    printed = re.findall(r'<span class="cited">([^<]*)</span>', page.text)
    assert len(printed) == len(every) == 892
    assert "<details" not in page.text
    assert STATEMENT.findall(page.text) == []
    assert re.findall(r'<section class="paper" id="(\w+)">', page.text) == CODES


def test_each_competence_for_paper_has_its_three_sheets_and_the_source_at_its_foot(school: School) -> None:
    page = school.visit("Adam").get("/referential/print")

    source = (
        "Source : Ressources pour la Seconde Famille des Métiers de la Relation Client "
        "(Bacs Pro Métiers de l’Accueil, du Commerce et de la Vente), 8 juillet 2019"
    )
    for section in page.text.split('<section class="paper"')[1:]:
        said = words(section)
        assert [said.count(f"Fiche {name} ") for name in ("Compétences", "Savoirs", "Évaluation")] == [
            1,
            1,
            1,
        ]
        assert source in words(section.partition("<tfoot>")[2].partition("</tfoot>")[0])
        assert "Savoirs juridiques et économiques : à venir" in said


def test_one_competence_is_printed_alone(school: School) -> None:
    visitor = school.visit("Adam")
    page = visitor.get("/referential/print?code=1D")

    ids = linked(school, "1D", "ma", *TYPES) | linked(school, "1D", "mcv", *TYPES)
    assert page.text.count('<span class="cited">') == len(ids) == 87
    assert "<h1" in page.text.partition('<section class="paper" id="1D">')[2]
    assert "Revenir à 1D" in words(page)
    assert "/referential/print?code=1D" in visitor.get("/referential/1D").text


def test_a_competence_that_does_not_exist_is_not_printed(school: School) -> None:
    assert school.visit("Adam").get("/referential/print?code=9Z").status_code == 404


def test_without_a_script_the_page_says_how_to_print(school: School) -> None:
    page = school.visit("Adam").get("/referential/print")

    assert "clic droit dans cette page" in words(part(page, '<p class="meta no-js">', "</p>"))
    assert re.findall(r'<button class="([^"]+)" type="button" data-print>', page.text) == [
        "btn primary js-only"
    ]


# ----- what they cost -----


def test_a_page_of_the_referential_is_a_handful_of_queries(school: School) -> None:
    visitor = school.visit("observer")

    for path, queries in {
        "/referential/general": 10,
        "/referential/print": 9,
        "/referential/print?code=3A": 9,
        "/referential/3A": 9,
        "/referential?of=mcv": 5,
    }.items():
        with counted(school, queries):
            assert visitor.get(path).status_code == 200


def test_on_an_english_page_the_official_words_say_they_are_french(school: School) -> None:
    visitor = school.visit("teacher", locale="en")

    for path in ("/referential/general", "/referential/print"):
        page = visitor.get(path).text
        official = re.findall(
            r'<(?:ul|dl|p|span)[^>]*class="[^"]*\b(?:ref|official-note)\b[^"]*"[^>]*>', page
        )
        assert len(official) > 50
        assert all('lang="fr"' in tag for tag in official if "official-note" not in tag)
