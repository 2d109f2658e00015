"""What would change, item by item: added, changed, moved, retired, brought back; links; fields of the document."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from lti_tool.frameworks.changes import Changes, FieldChange, changes
from lti_tool.frameworks.data import ItemData, ReferentialData, RetiredItem
from lti_tool.frameworks.reading import read_referential

from .samples import SECONDE, changed, write

SUB = (
    "        items:\n          - id: 11111111-1111-4111-8111-0000000001a1\n"
    '            type: subcompetence\n            statement: "Sourire"\n'
)


@pytest.fixture
def read(tmp_path: Path):
    def _read(text: str) -> ReferentialData:
        return read_referential(write(tmp_path, "essai.yaml", text))

    return _read


def counts(found: Changes) -> dict[str, int]:
    """How many changes of each kind, none left out."""
    lists = {f.name: getattr(found, f.name) for f in dataclasses.fields(found)}
    return {name: len(what) for name, what in lists.items() if isinstance(what, list) and what}


def statements(found: list[ItemData]) -> list[str]:
    return [item.statement for item in found]


def test_the_same_data_changes_nothing(read) -> None:
    found = changes(read(SECONDE), read("# relu\n" + SECONDE))

    assert found.nothing
    assert counts(found) == {}


def test_a_new_referential_adds_all_it_holds(read) -> None:
    found = changes(None, read(SECONDE))

    assert (found.new, found.nothing) == (True, False)
    assert statements(found.added) == ["Accueillir", "Saluer le client", "Sourire", "Écouter le client"]
    assert counts(found) == {"added": 4, "links_added": 5}


def test_a_corrected_wording_says_the_field_and_both_texts(read) -> None:
    found = changes(read(SECONDE), read(changed(SECONDE, '"Sourire"', '"Sourire au client"')))

    (change,) = found.changed
    assert change.fields == [FieldChange("statement", "Sourire", "Sourire au client")]
    assert counts(found) == {"changed": 1}


@pytest.mark.parametrize(
    ("field", "old", "new", "before", "after"),
    [
        ("title", '"Seconde d’essai"', '"Seconde"', "Seconde d’essai", "Seconde"),
        ("short_title", 'short_title: "Essai"', 'short_title: "E"', "Essai", "E"),
        ("language", "language: fr", "language: en", "fr", "en"),
        ("version", 'version: "1"', 'version: "2"', "1", "2"),
        ("position", "position: 7", "position: 8", 7, 8),
        ("source", '"Un texte"', '"Le texte"', {"title": "Un texte"}, {"title": "Le texte"}),
        ("guide", '"En situation simple."', '"x"', {"reminder": "En situation simple."}, {"reminder": "x"}),
    ],
)
def test_a_field_of_the_document(read, field: str, old: str, new: str, before: object, after: object) -> None:
    found = changes(read(SECONDE), read(changed(SECONDE, old, new)))

    assert found.document == [FieldChange(field, before, after)]
    assert counts(found) == {"document": 1}


def test_an_item_that_is_no_longer_there_is_retired_and_comes_back(read) -> None:
    whole, without = read(SECONDE), read(changed(SECONDE, SUB, ""))

    found = changes(whole, without)
    assert statements(found.retired) == ["Sourire"]
    assert counts(found) == {"retired": 1}

    group = without.items[0]
    sub = whole.items[0].items[0].items[0]
    values = {f.name: getattr(sub, f.name) for f in dataclasses.fields(sub)}
    competence = dataclasses.replace(group.items[0], items=[RetiredItem(**values)])
    stored = dataclasses.replace(
        whole, items=[dataclasses.replace(group, items=[competence, group.items[1]])]
    )
    assert changes(stored, without).nothing
    back = changes(stored, whole)
    assert statements(back.brought_back) == ["Sourire"]
    assert counts(back) == {"brought_back": 1}


def test_a_replaced_item_is_retired_and_says_by_what(read) -> None:
    heir = "11111111-1111-4111-8111-00000000001b"
    found = changes(
        read(SECONDE), read(changed(SECONDE, '"Sourire"', f'"Sourire"\n            replaced_by: {heir}'))
    )

    assert statements(found.retired) == ["Sourire"]
    assert found.changed[0].fields == [FieldChange("replaced_by", "", heir)]
    assert counts(found) == {"retired": 1, "changed": 1}


def test_an_item_under_another_one_has_moved(read) -> None:
    moved = changed(SECONDE, SUB, "")
    moved = changed(moved, '"Écouter le client"\n', '"Écouter le client"\n' + SUB)

    found = changes(read(SECONDE), read(moved))

    (move,) = found.moved
    assert move.old is not None
    assert move.new is not None
    assert (move.item.statement, move.old.code, move.new.code) == ("Sourire", "1A", "1B")
    assert counts(found) == {"moved": 1}


def flat(*codes: str) -> ReferentialData:
    """A referential of competences at the top, in that order."""
    items = [ItemData(f"0000000{code}", "competence", code, "", code, [], [], False, [], 0) for code in codes]
    return ReferentialData(Path("x"), "x", "u", "t", "s", "fr", "1", 0, {}, {}, items, [], [], "")


@pytest.mark.parametrize(
    ("now", "moved"),
    [
        ("abcde", ""),
        ("eabcd", "e"),
        ("bcdea", "a"),
        ("axbcde", ""),
        ("acde", ""),
        ("bacde", "b"),
        ("badce", "bd"),
    ],
)
def test_only_what_passed_its_neighbours_has_moved(now: str, moved: str) -> None:
    found = changes(flat(*"abcde"), flat(*now))

    assert sorted(move.item.code for move in found.moved) == list(moved)
    assert all(move.old is move.new is None for move in found.moved)


def test_links_that_appear_disappear_or_change_their_grouping(read) -> None:
    c, c1 = "22222222-2222-4222-8222-00000000000c", "22222222-2222-4222-8222-0000000000c1"
    without = changes(read(SECONDE), read(changed(SECONDE, f"      - {c1}\n", "")))
    assert [(link.destination, link.words) for link in without.links_removed] == [(c1, "Liens")]
    assert counts(without) == {"links_removed": 1}

    renamed = changes(read(SECONDE), read(changed(SECONDE, '"Liens"', '"Liens Bac"')))
    assert counts(renamed) == {"links_added": 2, "links_removed": 2}

    both = f"      - {c}\n      - {c1}\n"
    other = changes(read(SECONDE), read(changed(SECONDE, both, f"      - {c1}\n      - {c}\n")))
    assert (other.reordered, other.nothing, counts(other)) == (True, False, {})


def test_a_see_also_that_disappears_is_a_link_less(read) -> None:
    line = '  - {from: 1A, side: bac, type: behaviour, to: [], text: "À conserver"}\n'
    found = changes(read(SECONDE), read(changed(SECONDE, line, "")))

    assert [(link.destination, link.words) for link in found.links_removed] == [
        ("", "bac · behaviour · À conserver")
    ]


def test_a_code_that_changes_changes_no_link(read) -> None:
    renamed = changed(SECONDE, 'code: "1B"', 'code: "1C"')
    renamed = renamed.replace("from: 1B", "from: 1C")

    assert counts(changes(read(SECONDE), read(renamed))) == {"changed": 1}
