"""Words as a search compares them: accents, case, ligatures and punctuation do not count; marks keep the text."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lti_tool.frameworks.folding import fold, marked, query_words, variants
from lti_tool.frameworks.loading import read_all, shipped_referentials

STATEMENTS = [item.statement for data in read_all(shipped_referentials()) for item in data.walk()]
ANY_TEXT = st.one_of(st.text(max_size=60), st.sampled_from(STATEMENTS))
few = settings(max_examples=60, deadline=None)


@pytest.mark.parametrize(
    ("text", "folded"),
    [
        ("L’Œuvre d'été", " l oeuvre d ete "),
        ("mise en oeuvre", " mise en oeuvre "),
        ("Face-à-face\u00a0!", " face a face "),
        ("4B.3, etc.", " 4b.3 etc "),
        ("cœur\u202f;\u00a0cœur", " coeur coeur "),
        ("e\u0301te\u0301", " ete "),
        ("\x00…🙂 ?", " "),
        ("", " "),
    ],
)
def test_what_a_reader_does_not_hear_does_not_count(text: str, folded: str) -> None:
    assert fold(text) == folded


@few
@given(ANY_TEXT)
def test_folding_twice_changes_nothing(text: str) -> None:
    assert fold(fold(text)) == fold(text)


@few
@given(st.sampled_from(STATEMENTS))
def test_neither_case_nor_the_way_accents_are_written_matter(statement: str) -> None:
    assert fold(statement.upper()) == fold(statement)
    assert fold(unicodedata.normalize("NFD", statement)) == fold(statement)
    bare = "".join(c for c in unicodedata.normalize("NFD", statement) if not unicodedata.combining(c))
    assert fold(bare.replace("’", "'").replace("\u00a0", " ")) == fold(statement)


def test_a_letter_alone_does_not_count_beside_words_and_a_digit_does() -> None:
    assert query_words("l’accueil à 3 3") == ["accueil", "3"]
    assert query_words("à") == ["a"]
    assert query_words(".*") == []


@pytest.mark.parametrize(
    ("word", "forms"),
    [
        ("clients", ("clients", "client")),
        ("reseaux", ("reseaux", "reseau", "reseal")),
        ("canaux", ("canaux", "canau", "canal")),
        ("cas", ("cas",)),
        ("process", ("process",)),
        ("client", ("client",)),
    ],
)
def test_a_plural_also_looks_for_its_singular(word: str, forms: tuple[str, ...]) -> None:
    assert variants(word) == forms


@pytest.mark.parametrize(
    ("text", "words", "matched"),
    [
        ("Œuvrer, mettre en œuvre", ["oeuvre"], ["Œuvre", "œuvre"]),
        ("Le télé\u0301phone", ["telephone"], ["télé\u0301phone"]),
        ("e\u0301te\u0301", ["ete"], ["e\u0301te\u0301"]),
        ("La prospection du client", ["client", "prospec"], ["prospec", "client"]),
        ("L’omnicanal et le canal", ["canal"], ["canal"]),
        ("L’omnicanal", ["canal"], ["canal"]),
        ("Un client", ["clients"], ["client"]),
        ("La maîtrise", ["tr"], []),
    ],
)
def test_what_matched_is_marked_beginnings_before_insides(
    text: str, words: list[str], matched: list[str]
) -> None:
    assert [piece for piece, is_match in marked(text, words) if is_match] == matched


@few
@given(ANY_TEXT, st.lists(st.text(max_size=6), max_size=4))
def test_marking_loses_and_adds_no_character(text: str, queries: list[str]) -> None:
    pieces = marked(text, [word for query in queries for word in query_words(query)])

    assert "".join(piece for piece, _matched in pieces) == text


@few
@given(st.sampled_from(STATEMENTS), st.randoms())
def test_any_word_of_a_statement_is_marked_in_it(statement: str, random: object) -> None:
    word = random.choice(fold(statement).split())  # type: ignore[attr-defined]

    assert word in [fold(piece).strip() for piece, matched in marked(statement, [word]) if matched]
