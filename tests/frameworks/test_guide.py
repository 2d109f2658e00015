"""What explains a referential: checked with its file, read in the reader's language, its words found in statements."""

from __future__ import annotations

from pathlib import Path

import pytest

from lti_tool.activities.models import COMPLEXITIES, SETTINGS, SPECIALITIES
from lti_tool.courses.entry import LOCALES
from lti_tool.errors import ReferentialError
from lti_tool.frameworks.guide import (
    EXAMPLE_COMPLEXITIES,
    EXAMPLE_SETTINGS,
    EXAMPLE_SPECIALITIES,
    Guide,
    guide_of,
)
from lti_tool.frameworks.guide_check import LANGUAGES
from lti_tool.frameworks.loading import read_all, shipped_referentials
from lti_tool.frameworks.models import Framework
from lti_tool.frameworks.reading import ReferentialData, read_referential

from .samples import SECONDE, changed, line_of, write

GUIDED = (
    SECONDE
    + """\
  about_bases: {text: "Elles se prennent vite.", en: {text: "They come early."}}
  bases:
    - {name: "Écoute", kinds: [attitudes], text: "Écouter.", en: {name: "Listening", kinds: [wit], text: "To listen."}}
  logics:
    - {key: spiral, name: "Spirale", short: "On revient.", text: "On y revient.", en: {name: "Spiral", text: "Again."}}
  vocabulary:
    - {term: "client interne", text: "Un collègue."}
    - {term: "prospect", forms: [prospection], text: "Un futur client.", en: {term: "lead", text: "Maybe a customer."}}
  examples:
    - key: vente
      stage: "En Seconde"
      title: "Une vente"
      situation: "Un client entre."
      en: {title: "A sale", situation: "A customer comes in."}
      complexity: varied
      specialities: [C, V]
      competences:
        - code: "1A"
          observed: [11111111-1111-4111-8111-0000000001a1, 22222222-2222-4222-8222-0000000000c1]
        - code: "1B"
"""
)


def guide(data: ReferentialData, language: str) -> Guide:
    return guide_of(Framework(language=data.language, guide=data.guide), language)


@pytest.fixture
def guided(tmp_path: Path) -> ReferentialData:
    return read_referential(write(tmp_path, "essai.yaml", GUIDED))


@pytest.fixture(scope="module")
def seconde() -> ReferentialData:
    return next(data for data in read_all(shipped_referentials()) if data.slug == "mrc-seconde")


# ----- checked -----

BROKEN = [
    # (what is replaced, by what, the text that marks the line of the problem (None: the last), what is said)
    ("kinds: [attitudes]", "kinds: [attitudes], order: 3", "order:", "« order » is not known here"),
    ('text: "Écouter.", ', "", "kinds:", "« text » is missing"),
    ("kinds: [attitudes]", "kinds: attitudes", "kinds: attitudes", "« kinds » must be a list"),
    ('text: "To listen."', "text: 3", "text: 3", "« text » must be a text"),
    ('en: {name: "Spiral", text: "Again."}', "en: Again", "en: Again", "« en » must be a mapping"),
    ('en: {name: "Spiral", ', "en: {", "Again.", "« name » is missing"),
    ("key: spiral", "key: helix", "helix", "« helix » is not one of spiral, horizontal, exploration"),
    ("forms: [prospection]", "forms: [3]", "forms: [3]", "« forms » must hold texts"),
    ('term: "prospect", ', "", "prospection", "« term » is missing"),
    ('{text: "Elles se prennent vite.", ', "{", "about_bases", "« text » is missing"),
    ("complexity: varied", "complexity: 2", "complexity: 2", "« complexity » must be a text"),
    ("complexity: varied", "complexity: hard", "hard", "« hard » is not one of simple, varied, complex"),
    ("specialities: [C, V]", "specialities: [C, X]", "[C, X]", "« X » is not one of A, C, V"),
    (
        "key: vente\n",
        "key: vente\n      setting: dream\n",
        "dream",
        "« dream » is not one of simulated, real",
    ),
    ('title: "Une vente"', f'title: "{"o" * 256}"', "ooo", "« title » is longer than 255 characters"),
    ('- code: "1B"', '- code: "9Z"', '"9Z"', "code: there is no competence « 9Z »"),
    ('- code: "1B"', '- code: "1"', None, "code: there is no competence « 1 »"),
    ('        - code: "1B"', '        - code: "1A"', None, "code: « 1A » is mobilised twice"),
    (
        "observed: [11111111-1111-4111-8111-0000000001a1",
        "observed: [11111111-1111-4111-8111-00000000001b",
        "observed: [",
        "observed: 11111111-1111-4111-8111-00000000001b is neither a sub-competence of « 1A » nor linked to it",
    ),
]


@pytest.mark.parametrize(("old", "new", "mark", "said"), BROKEN)
def test_a_broken_guide_is_refused_with_its_line_and_what_is_wrong(
    tmp_path: Path, old: str, new: str, mark: str | None, said: str
) -> None:
    text = changed(GUIDED, old, new)

    with pytest.raises(ReferentialError) as caught:
        read_referential(write(tmp_path, "essai.yaml", text))

    line = line_of(text, mark) if mark else len(text.splitlines())
    (problem,) = caught.value.problems
    assert problem.startswith(f"essai.yaml:{line}: {said}")


def test_an_example_mobilises_something_and_its_key_is_its_own(tmp_path: Path) -> None:
    empty = GUIDED.partition("      competences:\n")[0]
    text = empty + GUIDED[GUIDED.index("    - key: vente\n") :]

    with pytest.raises(ReferentialError) as caught:
        read_referential(write(tmp_path, "essai.yaml", text))

    assert [problem.partition(": ")[2] for problem in caught.value.problems] == [
        "an example mobilises at least one competence",
        "key: two examples are called « vente »",
    ]


def test_what_an_example_may_say_is_what_an_activity_may_be() -> None:
    assert len(EXAMPLE_COMPLEXITIES) == len(COMPLEXITIES)
    assert EXAMPLE_SPECIALITIES == SPECIALITIES
    assert EXAMPLE_SETTINGS == SETTINGS
    assert set(LANGUAGES) == set(LOCALES)


# ----- read -----


def test_a_guide_is_read_in_its_own_language_and_in_the_readers(guided: ReferentialData) -> None:
    french, english = guide(guided, "fr"), guide(guided, "en")

    assert [(b.name, b.text, b.kinds, b.language) for b in french.bases] == [
        ("Écoute", "Écouter.", ["attitudes"], "fr")
    ]
    assert [(b.name, b.text, b.kinds, b.language) for b in english.bases] == [
        ("Listening", "To listen.", ["wit"], "en")
    ]
    assert french.about_bases is not None
    assert french.about_bases.text == "Elles se prennent vite."
    spiral = english.logic("spiral")
    assert spiral is not None
    assert (spiral.name, spiral.text) == ("Spiral", "Again.")
    assert english.logic("horizontal") is None


def test_what_is_not_translated_comes_in_the_referentials_language_and_a_word_keeps_its_term(
    guided: ReferentialData,
) -> None:
    internal, prospect = guide(guided, "en").vocabulary

    assert (internal.name, internal.term, internal.language) == ("client interne", "", "fr")
    assert (prospect.name, prospect.term, prospect.language) == ("lead", "prospect", "en")


def test_an_example_says_what_an_activity_needs(guided: ReferentialData) -> None:
    example = guide(guided, "fr").example("vente")

    assert example is not None
    assert (example.title, example.stage, example.language) == ("Une vente", "En Seconde", "fr")
    assert (example.complexity, example.specialities, example.setting) == (2, ["C", "V"], "simulated")
    assert example.competences == ["1A", "1B"]
    assert example.observed == [
        ("1A", "11111111-1111-4111-8111-0000000001a1"),
        ("1A", "22222222-2222-4222-8222-0000000000c1"),
    ]
    assert guide(guided, "en").examples[0].title == "A sale"
    assert guide(guided, "fr").example("autre") is None


@pytest.mark.parametrize(
    ("statement", "found"),
    [
        ("Identifier le client externe ou interne", ["client interne"]),
        ("Informer les clients internes", ["client interne"]),
        ("CLIENT INTERNE", ["client interne"]),
        ("Chercher le client sur internet", []),
        ("Les prestations internes", []),
        ("Cibler les prospects", ["prospect"]),
        ("En situation de prospection", ["prospect"]),
        ("Respecter la perspective", []),
        ("Accueillir le prospect et le client interne", ["client interne", "prospect"]),
    ],
)
def test_a_word_is_found_where_a_statement_says_it_whatever_its_form(
    guided: ReferentialData, statement: str, found: list[str]
) -> None:
    assert [line.name for line in guide(guided, "fr").words_in([statement])] == found


def test_two_statements_do_not_make_a_word_together(guided: ReferentialData) -> None:
    assert guide(guided, "fr").words_in(["Accueillir le client", "Une prestation interne"]) == []


def test_a_referential_without_a_guide_has_an_empty_one() -> None:
    empty = guide_of(Framework(language="fr", guide={}), "en")

    assert (empty.bases, empty.logics, empty.vocabulary, empty.examples) == ([], [], [], [])
    assert empty.about_bases is None


# ----- the Seconde MRC's own -----


def test_the_secondes_guide_has_the_sources_bases_logics_and_words(seconde: ReferentialData) -> None:
    french = guide(seconde, "fr")

    assert [base.kinds for base in french.bases] == [
        ["attitudes", "compétences transversales"],
        ["savoirs", "orientation"],
        ["savoirs"],
        ["savoirs"],
        ["savoirs", "attitudes"],
        ["compétences transversales"],
        ["compétences transversales"],
    ]
    assert {line.key for line in french.logics} == {"spiral", "horizontal", "exploration"}
    assert {"omnicanal", "multicanal", "cross-canal", "client", "client interne", "client externe"} <= {
        line.name for line in french.vocabulary
    }


def test_the_secondes_guide_is_complete_in_english(seconde: ReferentialData) -> None:
    english = guide(seconde, "en")
    lines = [*english.bases, *english.logics, *english.vocabulary, *english.examples]

    assert len(lines) > 20
    assert {line.language for line in lines} == {"en"}
    assert english.about_bases is not None
    assert english.about_bases.language == "en"
    assert all(line.short for line in english.logics)


def test_the_secondes_two_examples_are_a_simple_sale_and_a_complex_one_that_mobilises_every_group(
    seconde: ReferentialData,
) -> None:
    simple, complex_ = guide(seconde, "fr").examples

    assert (simple.complexity, complex_.complexity) == (1, 3)
    assert simple.specialities == complex_.specialities == ["C", "V"]
    assert {code[0] for code in complex_.competences} == {"1", "2", "3"}
    own = {item.uuid: item.type for item in seconde.walk()}
    assert {own[uuid] for one in (simple, complex_) for _code, uuid in one.observed} == {"subcompetence"}
    for one in (simple, complex_):
        assert {code for code, _uuid in one.observed} == set(one.competences)
