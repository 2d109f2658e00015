"""« Couverture », as a teacher opens it."""

from __future__ import annotations

import html
import re
from datetime import date

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from lti_tool.db import db
from lti_tool.web import coverage
from tests import factories
from tests.conftest import School
from tests.web.reading import part, words

TODAY = date(2026, 11, 26)


@pytest.fixture(autouse=True)
def _in_november(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(coverage, "today", lambda: TODAY)


@pytest.fixture
def worked(app: Flask, school: School) -> dict[str, int]:
    """1A three times in two terms, 2A twice in accueil, 2C once; 3B planned twice and never assessed."""
    with app.app_context():
        course, people = school.course, school.people
        first = factories.period(course, "Trimestre 1", date(2026, 9, 1), date(2026, 11, 30))
        second = factories.period(course, "Trimestre 2", date(2026, 12, 1), date(2027, 2, 28))
        ids = {"first": first.id, "second": second.id}
        for title, codes, day, complexity, specialities, pupils in (
            ("Accueil", "1A 2A", date(2026, 9, 17), 1, "A", "Adam Zoé"),
            ("Stand", "1A 2A", date(2026, 10, 8), 3, "A", "Adam"),
            ("Rayon", "1A 2C", date(2026, 12, 10), 2, "CV", "Zoé Chloé Aïcha"),
            ("Veille", "3B", date(2026, 12, 11), 1, "V", ""),
            ("Presse", "3B", date(2026, 12, 12), 1, "V", ""),
        ):
            made = factories.activity(
                course,
                *codes.split(),
                title=title,
                starts_on=day,
                complexity=complexity,
                specialities=list(specialities),
            )
            for name in pupils.split():
                for code in codes.split():
                    factories.assessment(made, code, people[name], 3, people["teacher"])
            ids[title] = made.id
        factories.assessment(made, "3B", people["Adam"], "ABS", people["teacher"])
        db.session.commit()
    return ids


def line(page: TestResponse, code: str) -> list[str]:
    """What each cell of a competence says: the name of its link, else its words."""
    source = part(page, f'/referential/{code}">', "</tr>")
    cells = re.findall(r"<td[^>]*>(.*?)</td>", source, re.DOTALL)
    named = [re.search(r'aria-label="([^"]*)"', cell) for cell in cells[:-1]]
    return [
        *(html.unescape(name[1]) if name else words(cell) for name, cell in zip(named, cells, strict=False)),
        words(cells[-1]),
    ]


def test_a_cell_counts_the_situations_assessed_their_pupils_and_the_hardest(school, worked):
    page = school.visit("teacher").get("/coverage")

    said = [text.replace("\u00a0", " ").replace("\u202f", " ") for text in line(page, "1A")]
    assert said == [
        "1A en accueil, Trimestre 1 : 2 situations, complexe, 2/4 élèves",
        "1A en commerce, Trimestre 1 : rien ; créer une situation",
        "1A en vente, Trimestre 1 : rien ; créer une situation",
        "1A en accueil, Trimestre 2 : rien ; créer une situation",
        "1A en commerce, Trimestre 2 : 1 situation, variée, 3/4 élèves",
        "1A en vente, Trimestre 2 : 1 situation, variée, 3/4 élèves",
        "3 situations",
    ]
    assert "3 situations évaluées" in words(page), "those only planned are not counted"


def test_each_line_is_said_in_a_word_and_what_presses_comes_first_as_links_to_a_form(school, worked):
    page = school.visit("teacher").get("/coverage")

    assert [line(page, code)[-1] for code in ("2A", "2C", "3B", "3C")] == [
        "en accueil seulement",
        "une seule fois",
        "jamais travaillée 2 prévues",
        "jamais travaillée",
    ]
    first = part(page, '<div class="note mb3">', "</div>")
    assert words(first) == (
        "À ouvrir d’abord : 1B , 1C , 1D , 2B , 3A , 3B et 3C , jamais travaillées ; 2C , une seule fois ; "
        "2A , en accueil seulement."
    ).replace(" ,", ",")
    assert html.unescape(first).count("/activities/new?competence=") == 9


def test_an_empty_cell_opens_a_form_filled_with_its_competence_speciality_complexity_and_a_date_inside(
    school, worked
):
    teacher = school.visit("teacher")
    page = html.unescape(teacher.get("/coverage").text)

    now = "/activities/new?competence=2A&speciality=V&complexity=1&date=2026-11-26"
    later = "/activities/new?competence=2A&speciality=V&complexity=1&date=2026-12-01"
    assert now in page
    assert later in page
    form = teacher.get(later[later.index("/activities") :]).text
    assert 'name="starts_on" value="2026-12-01"' in form
    assert 'name="competences" value="2A" checked' in form
    harder = html.unescape(teacher.get("/coverage?complexity=3").text)
    assert "competence=2A&speciality=V&complexity=3&date=2026-11-26" in harder


def test_an_unexplored_speciality_is_hatched_in_the_present_period_only(school, worked):
    page = school.visit("teacher").get("/coverage")

    hatched = re.findall(r'<td class="[^"]*hole"><a [^>]*aria-label="2A en (\w+), ([^:\u00a0]+)', page.text)
    assert hatched == [("commerce", "Trimestre 1"), ("vente", "Trimestre 1")]


def test_a_full_cell_lists_its_situations_with_the_way_to_their_grids(school, worked):
    teacher = school.visit("teacher")
    query = {"competence": "1A", "span": worked["first"], "speciality": "A"}

    page = teacher.get("/coverage", query_string=query)

    listed = part(page, '<tr class="why">', "</tr>")
    assert re.findall(r'grid">([^<]+)</a>', listed) == ["Accueil", "Stand"]
    assert f"/activities/{worked['Stand']}/grid" in listed
    assert "2 élèves de la classe y ont un niveau" in words(listed)
    assert page.text.count('id="open" aria-expanded="true"') == 1
    for nothing in ({**query, "speciality": "V"}, {**query, "span": 999}, {**query, "competence": "9Z"}):
        assert 'class="why"' not in teacher.get("/coverage", query_string=nothing).text


def test_one_complexity_counts_its_situations_only_and_says_so(school, worked):
    page = school.visit("teacher").get("/coverage?complexity=3")

    assert line(page, "1A")[0].startswith("1A en accueil, Trimestre 1\u00a0: 1 situation, complexe")
    assert line(page, "2C")[-1] == "aucune situation"
    assert "Seules les situations complexes sont comptées dans le tableau. Tout afficher" in words(page)
    assert "2C, une seule fois" in words(page), "the first sentence is about the whole year"


def test_without_named_periods_the_school_year_is_cut_in_three(school, app):
    with app.app_context():
        made = factories.activity(school.course, "1A", starts_on=date(2026, 10, 8))
        old = factories.activity(school.course, "1A", starts_on=date(2026, 3, 8))
        for one in (made, old):
            factories.assessment(one, "1A", school.people["Adam"], 3, school.people["teacher"])
        db.session.commit()

    heads = re.findall(
        r'<th colspan="3" scope="colgroup"[^>]*>(.*?)</th>', school.visit("teacher").get("/coverage").text
    )

    assert [words(head) for head in heads] == [
        "sept. – nov. 2026",
        "déc. – févr. 2027",
        "mars – août 2027",
        "Autres dates hors des périodes",
    ]


def test_an_assessor_reads_it_and_is_offered_no_form(school, worked):
    page = school.visit("assessor").get("/coverage")

    assert page.status_code == 200
    assert "/activities/new" not in page.text
    assert line(page, "1A")[1] == "· rien"


def test_before_any_level_it_says_what_it_counts_and_offers_every_cell(school):
    page = school.visit("teacher").get("/coverage")

    assert (
        "Rien n’est encore évalué. La couverture compte les situations où des élèves ont un niveau"
        in words(page)
    )
    assert page.text.count('class="add"') == 10 * 9


def test_its_table_says_what_each_cell_is_under(school, worked):
    page = school.visit("teacher").get("/coverage")

    assert page.text.count('scope="colgroup"') == 2
    assert len(re.findall(r'<th scope="col"', part(page, '<tr class="second">', "</tr>"))) == 6
    assert page.text.count('scope="rowgroup"') == 3
    assert page.text.count('<th scope="row"') == 10
