"""Search in the real referentials: what is found, in which order, and when an index is made again."""

from __future__ import annotations

from pathlib import Path

import pytest
import sqlalchemy as sa
from flask import Flask
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy.orm import Session

from lti_tool.db import db
from lti_tool.frameworks import indexing
from lti_tool.frameworks.folding import fold
from lti_tool.frameworks.indexing import build_index, index_of
from lti_tool.frameworks.loading import load_referentials, read_all, shipped_referentials
from lti_tool.frameworks.models import FrameworkItem
from lti_tool.frameworks.reading import read_referential
from lti_tool.frameworks.search import Entry, Found, Index, too_short
from lti_tool.frameworks.sheets import find_framework, linked_frameworks
from tests.frameworks.samples import BAC, SECONDE, changed, write

NAMES = {"criterion": "Critère d’évaluation", "knowledge": "Savoir associé", "competence": "Compétence"}
REFERENTIALS = read_all(shipped_referentials())
STATEMENTS = {item.uuid: item.statement for data in REFERENTIALS for item in data.walk()}


def index(slug: str) -> Index:
    framework = find_framework(db.session, slug)
    return index_of(db.session, [framework], linked_frameworks(db.session, framework.id), "fr")


@pytest.fixture(scope="module")
def real(migrated: Path) -> Index:
    engine = sa.create_engine(f"sqlite:///{migrated}")
    with Session(engine) as session:
        framework = find_framework(session, "mrc-seconde")
        made = build_index(session, [framework], linked_frameworks(session, framework.id), "fr")
    engine.dispose()
    return made


def entries(found: Found) -> list[Entry]:
    return [entry for group in found.groups for entry in group.entries]


def said(found: Found) -> list[str]:
    return [f"{entry.framework} {entry.code or entry.name or entry.text}" for entry in entries(found)]


# ----- what is found -----


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("1A", ["mrc-seconde 1A"]),
        ("1a", ["mrc-seconde 1A"]),
        ("Groupe 1", ["mcv Groupe 1", "mrc-seconde 1"]),
        ("groupe 4B", ["mcv Groupe 4B"]),
        ("MA", ["ma MA"]),
        ("seconde mrc", ["mrc-seconde Seconde MRC"]),
        ("rgpd", ["mrc-seconde Sensibilisation au RGPD"]),
    ],
)
def test_a_code_or_a_title_finds_exactly(real: Index, query: str, expected: list[str]) -> None:
    assert sorted(said(real.search(query, NAMES))) == expected


def test_a_code_comes_before_what_only_mentions_it(real: Index) -> None:
    found = real.search("bloc 3", NAMES)

    assert said(found)[0] == "ma Bloc 3"
    assert all("bloc 3" in entry.folded for entry in entries(found))
    assert {entry.code for entry in entries(real.search("4B.3", NAMES))} == {"4B.3"}


@settings(max_examples=40, deadline=None)
@given(identifier=st.sampled_from(sorted(STATEMENTS)), random=st.randoms())
def test_any_word_of_any_statement_finds_it_in_any_case(real: Index, identifier: str, random: object) -> None:
    words = [word for word in fold(STATEMENTS[identifier]).split() if len(word) > 1 or word.isdigit()]
    word = random.choice(words)  # type: ignore[attr-defined]

    for query in (word, word.upper(), STATEMENTS[identifier]):
        assert identifier in {entry.uuid for entry in entries(real.search(query, NAMES))}, query


def test_every_word_must_be_there_in_any_order(real: Index) -> None:
    found, turned = real.search("client accueillir", NAMES), real.search("accueillir client", NAMES)

    assert {entry.uuid for entry in entries(found)} == {entry.uuid for entry in entries(turned)}
    assert found.count > 1
    assert all("client" in entry.folded and "accueillir" in entry.folded for entry in entries(found))
    assert real.search("accueillir zzz", NAMES).count == 0


def test_a_whole_word_comes_before_a_beginning_and_a_beginning_before_an_inside(real: Index) -> None:
    [limits] = [g for g in real.search("canal", NAMES).groups if g.type == "competence"]
    ranks = [0 if " canal " in e.folded else 1 if " canal" in e.folded else 2 for e in limits.entries]

    assert ranks == sorted(ranks)
    assert ranks[-1] == 2


def test_the_words_that_follow_each_other_come_first(real: Index) -> None:
    [group] = [g for g in real.search("relation client", NAMES).groups if g.type == "subcompetence"]
    follows = ["relation client" in entry.folded for entry in group.entries]

    assert follows == sorted(follows, reverse=True)
    assert set(follows) == {True, False}


def test_a_type_a_referential_or_a_competence_narrows(real: Index) -> None:
    criteria = entries(real.search("critères 1A", NAMES))
    phone = entries(real.search("téléphone MCV", NAMES))

    assert criteria
    assert all(entry.type == "criterion" and "1A" in entry.competences for entry in criteria)
    assert phone
    assert {entry.framework for entry in phone} == {"mcv"}
    assert {e.uuid for e in entries(real.search("savoir MA 2C", NAMES))} == {
        e.uuid
        for e in real.entries
        if e.type == "knowledge" and e.framework == "ma" and "2C" in e.competences
    }


def test_a_type_can_be_asked_for_in_the_readers_language(real: Index) -> None:
    english = {"criterion": "Assessment criterion critère"}

    assert said(real.search("criterion 1A", english)) == said(real.search("critère 1A", NAMES))
    assert real.search("criterion 1A", NAMES).count == 0


def test_an_entry_knows_where_it_stands_and_which_competences_lead_to_it(real: Index) -> None:
    [entry] = [
        e
        for e in real.entries
        if e.text == "La vente par téléphone et les outils associés (plan d’appel, guide d’entretien)"
    ]

    assert (entry.short_title, entry.parts, entry.competences) == ("MCV", ("Groupe 3",), ("1D",))
    [bloc] = [e for e in real.entries if e.code == "Bloc 1"]
    assert set(bloc.competences) >= {"1A", "1B", "1C"}


def test_the_competences_of_the_results_are_counted(real: Index) -> None:
    found = real.search("téléphone", NAMES)

    assert found.competences == {"1D": 1, "3C": 1}


def test_the_vocabulary_is_found_by_its_term_first(real: Index) -> None:
    found = real.search("omnicanal", NAMES)

    assert found.groups[0].type == "guide"
    assert found.groups[0].entries[0].name == "omnicanal"
    assert found.count > len(found.groups[0].entries)


@pytest.mark.parametrize("query", ["", "   ", ".*", "(", "[-", "\\", "\x00", "🙂", "\u0301", "%", "'\""])
def test_what_holds_no_word_finds_nothing(real: Index, query: str) -> None:
    assert real.search(query, NAMES).count == 0


@pytest.mark.parametrize(
    ("query", "short"), [("a", True), ("É", True), ("1", False), ("ab", False), ("", False)]
)
def test_one_letter_is_too_short_and_one_digit_is_a_code(query: str, short: bool) -> None:
    assert too_short(query) == short


# ----- the indexes -----


def load(folder: Path, bac: str) -> None:
    load_referentials(
        db.session,
        [
            read_referential(write(folder, "essai.yaml", SECONDE)),
            read_referential(write(folder, "bac.yaml", bac)),
        ],
    )
    db.session.flush()


def test_an_index_is_built_once_and_again_when_a_referential_changes(in_app: Flask, tmp_path: Path) -> None:
    load(tmp_path, BAC)
    first = index("essai")
    assert index("essai") is first
    assert said(first.search("salutations", {})) == ["bac Les salutations sont adaptées"]

    load(tmp_path, changed(BAC, "Les salutations sont adaptées", "Les formules sont adaptées"))

    assert said(index("essai").search("salutations", {})) == []
    assert said(index("essai").search("formules", {})) == ["bac Les formules sont adaptées"]


def test_a_retired_item_is_not_found(in_app: Flask, tmp_path: Path) -> None:
    load(tmp_path, BAC)
    without = changed(
        BAC,
        """      - id: 22222222-2222-4222-8222-0000000000d1
        type: knowledge_limit
        statement: "Les règles de politesse"
        pairing: unknown
""",
        "",
    )

    load(tmp_path, without)

    assert db.session.scalars(
        sa.select(FrameworkItem.retired).where(FrameworkItem.statement == "Les règles de politesse")
    ).one()
    assert said(index("essai").search("politesse", {})) == []


def test_only_the_newest_indexes_are_kept(
    in_app: Flask, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(indexing, "INDEXES_KEPT", 2)
    first = index("ma")
    index("mcv")
    assert index("ma") is first
    index("mrc-seconde")

    assert len(indexing._indexes) == 2
    assert index("ma") is first
