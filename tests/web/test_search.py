"""The search page: what it shows and where it leads, what it says of a search it cannot make."""

from __future__ import annotations

import html
import re

import pytest
import sqlalchemy as sa
from hypothesis import given, settings
from hypothesis import strategies as st
from markupsafe import Markup, escape
from werkzeug.test import TestResponse

from lti_tool.db import db
from lti_tool.frameworks.folding import query_words
from lti_tool.frameworks.models import FrameworkItem
from lti_tool.web.search import SHOWN_PER_TYPE, _marked
from tests.conftest import School

from .reading import part, words


def search(
    school: School, query: str, who: str = "teacher", path: str = "/referential/search"
) -> TestResponse:
    return school.visit(who).get(path, query_string={"q": query})


def section(page: TestResponse, title: str) -> str:
    """The source of the results of one type."""
    return part(page, f"<h2>{title} ", "</section>")


def linked(source: str) -> list[str]:
    """Where the results lead, without the session."""
    return [re.sub(r"^/l/[^/]+", "", href) for href in re.findall(r'class="hit" href="([^"]+)"', source)]


@pytest.mark.parametrize("who", ["teacher", "assessor", "observer", "Adam"])
def test_everyone_may_search(school: School, who: str) -> None:
    page = search(school, "telephone", who)

    assert page.status_code == 200
    assert "4 résultats pour « telephone »" in words(page)


@pytest.mark.parametrize(
    "address", ["/referential", "/referential?of=ma", "/referential/1C", "/referential/search"]
)
def test_each_page_of_the_referential_has_the_field_which_works_without_a_script(
    school: School, address: str
) -> None:
    visitor = school.visit("Adam")
    page = visitor.get(address)

    form = part(page, '<form class="find"', "</form>")
    assert f'action="/l/{visitor.sid}/referential/search"' in form
    assert "method" not in form
    assert re.search(r'<input type="search" id="q" name="q" value=""', form)
    assert '<label for="q">Chercher dans le référentiel</label>' in form
    assert 'type="submit"' in form


def test_a_result_says_where_it_stands_and_which_competences_lead_to_it(school: School) -> None:
    found = section(search(school, "téléphone"), "Limites de savoir")

    assert "La vente par <mark>téléphone</mark> et les outils associés" in found
    assert "MCV · Groupe 3 préparé par 1D" in words(found)
    assert all(re.fullmatch(r"/statements/[0-9a-f-]{36}", href) for href in linked(found))


@pytest.mark.parametrize(
    ("query", "leads_to"),
    [
        ("1A", "/referential/1A"),
        ("prendre contact avec le client en situation de prospection", "/referential/1A"),
        ("groupe 2", "/referential#g2"),
        ("MCV", "/referential?of=mcv"),
        ("seconde mrc", "/referential"),
        ("rgpd", "/referential#guide"),
    ],
)
def test_the_first_result_leads_to_its_page(school: School, query: str, leads_to: str) -> None:
    visitor = school.visit("Adam")
    page = visitor.get("/referential/search", query_string={"q": query})

    assert leads_to in linked(page.text)[:2]
    address, _hash, anchor = leads_to.partition("#")
    there = visitor.get(address)
    assert there.status_code == 200
    assert not anchor or f'id="{anchor}"' in there.text


def test_our_own_words_are_found_in_the_language_of_the_page(school: School) -> None:
    english = school.visit("Adam", locale="en").get("/referential/search?q=internal+customer").text
    french = school.visit("Adam").get("/referential/search?q=internal+customer").text

    assert linked(english) == ["/referential#guide"]
    assert "Someone inside the organisation" in english
    assert linked(french) == []
    both = school.visit("Adam", locale="en").get("/referential/search?q=client+interne").text
    assert "Someone inside the organisation" in both, "a word is found as the statements say it, too"


def test_what_is_our_own_words_is_not_shown_as_the_sources(school: School) -> None:
    page = search(school, "omnicanal")

    assert 'class="ref said-text"' not in section(page, "Pour s’y retrouver")
    assert 'class="ref said-text"' in section(page, "Compétences")


def test_a_long_type_is_cut_and_its_whole_is_one_link_away(school: School) -> None:
    visitor = school.visit("teacher")
    page = visitor.get("/referential/search?q=client")
    cut = section(page, "Sous-compétences")
    count = int(re.findall(r"small\">(\d+)</span></h2>", cut)[0])
    assert count > SHOWN_PER_TYPE == len(linked(cut))

    more = html.unescape(re.findall(r'<a href="/l/[^/]+([^"]+type=[^"]+)">Voir les', cut)[0])
    whole = visitor.get(more)

    assert len(linked(whole.text)) == count
    assert "Voir les" not in whole.text
    assert visitor.get("/referential/search?q=client&type=nothing").status_code == 200


def test_naming_a_competence_leaves_what_it_leads_to(school: School) -> None:
    visitor = school.visit("teacher")
    page = visitor.get("/referential/search?q=telephone")
    nav = part(page, '<nav class="narrower', "</nav>")
    assert re.findall(r'kode">(\w+)</span> <span class="quiet">(\d+)<', nav) == [("1D", "1"), ("3C", "1")]

    narrowed = visitor.get(re.sub(r"^/l/[^/]+", "", re.findall(r'href="([^"]+)"', nav)[0]))

    assert "1 résultat pour « telephone 1D »" in words(narrowed)
    assert "La vente par <mark>téléphone</mark>" in narrowed.text


def test_nothing_found_says_what_to_try(school: School) -> None:
    page = search(school, "blockchain")

    said = words(page)
    assert "Aucun résultat pour « blockchain »" in said
    assert "Essayer un seul mot, plus court, au singulier" in said
    assert linked(page.text) == []


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("", ""),
        ("   ", ""),
        ("\x07\u200b", ""),
        ("a", "Une lettre ne suffit pas"),
        ("x" * 200, "Aucun résultat"),
        ("x" * 201, "La recherche est trop longue : 200 caractères au plus."),
        ("é" * 10_000, "La recherche est trop longue"),
        (".*(+[", "Aucun résultat pour « .*(+[ »"),
        ("\\wz{3,}%_'\"--", "Aucun résultat"),
        ("🙂🙂", "Aucun résultat pour « 🙂🙂 »"),
        ("te\u0301le\u0301phone", "4 résultats"),
        ("télé\x07phone", "4 résultats pour « télé phone »"),
        ("<script>alert(1)</script>", "Aucun résultat"),
        ("%F0%28%8C", "Aucun résultat"),
    ],
)
def test_whatever_is_typed_has_its_sentence(school: School, query: str, said: str) -> None:
    for path in ("/referential/search", "/referential/search/results"):
        page = search(school, query, path=path)

        assert page.status_code == 200
        told = html.unescape(re.findall(r'class="found" data-said="([^"]*)"', page.text)[0])
        assert said in told.replace("\u00a0", " ").replace("\u202f", " ")
        assert bool(told) == bool(said)
        assert "\x07" not in page.text
        assert "<script>alert" not in page.text


def test_a_nul_is_refused_with_a_sentence_as_everywhere(school: School) -> None:
    page = search(school, "télé\x00phone")

    assert page.status_code == 400
    assert "<h1" in page.text


def test_the_results_alone_are_those_of_the_page(school: School) -> None:
    visitor = school.visit("teacher")
    alone = visitor.get("/referential/search/results?q=accueil").text
    page = visitor.get("/referential/search?q=accueil").text

    assert alone.strip().startswith('<div class="found"')
    assert linked(alone)
    assert alone.strip() in page


def test_a_retired_statement_is_not_found(school: School) -> None:
    with school.app.app_context():
        sentence = "UPDATE framework SET checksum = 'changed'"
        db.session.execute(sa.text(sentence))
        db.session.execute(
            sa.update(FrameworkItem)
            .where(FrameworkItem.statement.startswith("La vente par t"))
            .values(retired=True)
        )
        db.session.commit()

    page = search(school, "telephone")

    assert "3 résultats" in words(page)
    assert "La vente par" not in page.text


def test_in_english_types_are_asked_for_in_english_or_french_and_statements_stay_french(
    school: School,
) -> None:
    visitor = school.visit("teacher", locale="en")
    english = visitor.get("/referential/search?q=criterion+1A")
    french = visitor.get("/referential/search?q=critère+1A")

    assert "results for “criterion 1A”" in words(english)
    assert linked(english.text) == linked(french.text) != []
    assert '<span class="ref said-text" lang="fr">' in english.text
    assert "search in that language" in words(visitor.get("/referential/search?q=blockchain"))


@settings(max_examples=80, deadline=None)
@given(
    text=st.text(alphabet=st.sampled_from("<>&\"'aéœ markt/;#l\u0301\u00a0"), max_size=40),
    query=st.text(max_size=8),
)
def test_marks_never_break_the_text_around_them(text: str, query: str) -> None:
    marked = _marked(text, query_words(query) or ["mark", "amp", "a", "lt"])

    assert Markup(marked.replace("<mark>", "").replace("</mark>", "")) == escape(text)
    assert re.fullmatch(r"([^<>]|<mark>[^<>]+</mark>)*", marked)
