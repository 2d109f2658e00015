"""A referential file: read whole, or refused with every problem, its file, its line and what is wrong."""

from __future__ import annotations

from pathlib import Path

import pytest

from lti_tool.errors import ReferentialError
from lti_tool.frameworks.checks import check_together
from lti_tool.frameworks.loading import read_all, shipped_referentials
from lti_tool.frameworks.reading import LONGEST_STATEMENT, read_referential

from .samples import BAC, SECONDE, changed, line_of, write


def problems_of(path: Path) -> list[str]:
    with pytest.raises(ReferentialError) as caught:
        read_referential(path)
    return caught.value.problems


def test_a_good_file_gives_its_items_links_and_references_with_their_lines(tmp_path: Path) -> None:
    data = read_referential(write(tmp_path, "essai.yaml", SECONDE))

    assert (data.slug, data.title, data.position) == ("essai", "Seconde d’essai", 7)
    assert [(item.type, item.code, item.statement) for item in data.walk()] == [
        ("competence_group", "1", "Accueillir"),
        ("competence", "1A", "Saluer le client"),
        ("subcompetence", "", "Sourire"),
        ("competence", "1B", "Écouter le client"),
    ]
    assert data.items[0].items[0].line == line_of(SECONDE, "00000000001a")
    assert [(link.origin, link.to_slug, len(link.destinations)) for link in data.links] == [
        ("1A", "bac", 2),
        ("1B", "bac", 1),
    ]
    assert [(r.origin, r.side, r.to) for r in data.see_also] == [("1B", "bac", ["1A"]), ("1A", "bac", [])]
    assert data.source == {"title": "Un texte"}
    assert data.guide == {"reminder": "En situation simple."}


def test_notes_other_parts_and_unknown_pairing_are_read(tmp_path: Path) -> None:
    criterion, limit = read_referential(write(tmp_path, "bac.yaml", BAC)).items[0].items[1:]

    assert (criterion.notes, criterion.also_under) == (["Sur des situations simples"], ["Bloc 2"])
    assert (criterion.pairing_unknown, limit.pairing_unknown) == (False, True)


def test_the_same_text_has_the_same_checksum_and_another_has_another(tmp_path: Path) -> None:
    first = read_referential(write(tmp_path, "a.yaml", SECONDE)).checksum
    again = read_referential(write(tmp_path, "b.yaml", SECONDE)).checksum
    other = read_referential(write(tmp_path, "c.yaml", changed(SECONDE, "Sourire", "Saluer"))).checksum

    assert first == again != other


BROKEN = [
    # (what is replaced, by what, the text that marks the line of the problem, what is said)
    ('title: "Seconde d’essai"\n', "", "slug: essai", "« title » is missing"),
    (
        'label: "Saluer"',
        'label: "Saluer"\n        label: "Dire"',
        'label: "Dire"',
        "« label » is written twice",
    ),
    ('label: "Saluer"', 'libelle: "Saluer"', "libelle:", "« libelle » is not known here"),
    ("position: 7", "position: first", "position:", "« position » must be a whole number"),
    ("position: 7", "position: yes", "position:", "« position » must be a whole number"),
    ('title: "Seconde d’essai"', "title: 2027", "title: 2027", "« title » must be a text"),
    (
        'statement: "Sourire"',
        f'statement: "{"o" * (LONGEST_STATEMENT + 1)}"',
        "ooo",
        f"« statement » is longer than {LONGEST_STATEMENT} characters",
    ),
    ('statement: "Sourire"', 'statement: " "', 'statement: " "', "« statement » is missing"),
    ('label: "Saluer"', f'label: "{"o" * 256}"', "label: ", "« label » is longer than 255 characters"),
    (
        "id: 11111111-1111-4111-8111-0000000001a1",
        "id: 1a1",
        "id: 1a1",
        "« 1a1 » is not a UUID in its usual form",
    ),
    (
        "id: 11111111-1111-4111-8111-0000000001a1",
        "id: 11111111-1111-4111-8111-0000000001A1",
        "0001A1",
        "is not a UUID in its usual form",
    ),
    ("type: subcompetence", "type: skill", "type: skill", "« skill » is not one of competence_group,"),
    (
        "- from: 1B\n    to: bac",
        "- from: 9Z\n    to: bac",
        "from: 9Z",
        "from: there is no « 9Z » in this file",
    ),
    (
        "{from: 1B, side",
        "{from: 9Z, side",
        "{from: 9Z",
        "from: there is no « 9Z » in this file",
    ),
    ('to: ["1A"]', 'to: ["9Z"]', '["9Z"]', "to: there is no « 9Z » in this file"),
    (
        "  - from: 1B\n    to: bac\n    items:\n      - 22222222-2222-4222-8222-00000000000c",
        "  - from: 1B\n    to: bac\n    items:\n      - nowhere",
        "nowhere",
        "« nowhere » is not a UUID",
    ),
    ('source: {title: "Un texte"}', "source: Un texte", "source:", "« source » must be a mapping"),
    ('to: ["1A"]', "to: 1A", "to: 1A,", "« to » must be a list"),
    ('to: ["1A"]', "to: [1]", "to: [1]", "« to » must hold texts"),
    ("see_also:\n", "see_also:\n  - Voir aussi 1A\n", "- Voir aussi 1A", "« see_also » must hold mappings"),
]


@pytest.mark.parametrize(("old", "new", "mark", "said"), BROKEN)
def test_a_broken_file_is_refused_with_its_name_its_line_and_what_is_wrong(
    tmp_path: Path, old: str, new: str, mark: str, said: str
) -> None:
    text = changed(SECONDE, old, new)

    found = problems_of(write(tmp_path, "essai.yaml", text))

    assert len(found) == 1
    assert found[0].startswith(f"essai.yaml:{line_of(text, mark)}: ")
    assert said in found[0]


BROKEN_BAC = [
    ("pairing: unknown", "pairing: maybe", "pairing: maybe", "« pairing » can only be « unknown »"),
    (
        'also_under: ["Bloc 2"]',
        'also_under: ["Bloc 9"]',
        "0000000000c1",
        "also_under: there is no « Bloc 9 »",
    ),
    ('notes: ["Sur des situations simples"]', "notes: Simples", "notes: Simples", "« notes » must be a list"),
]


@pytest.mark.parametrize(("old", "new", "mark", "said"), BROKEN_BAC)
def test_what_only_linked_referentials_say_is_checked_too(
    tmp_path: Path, old: str, new: str, mark: str, said: str
) -> None:
    text = changed(BAC, old, new)

    found = problems_of(write(tmp_path, "bac.yaml", text))

    assert [problem.partition(": ")[0] for problem in found] == [f"bac.yaml:{line_of(text, mark)}"]
    assert said in found[0]


def test_an_identifier_used_twice_is_refused_with_both_lines(tmp_path: Path) -> None:
    text = changed(
        SECONDE, "id: 11111111-1111-4111-8111-0000000001a1", "id: 11111111-1111-4111-8111-00000000001a"
    )

    first = line_of(text, "00000000001a")
    assert problems_of(write(tmp_path, "essai.yaml", text)) == [
        f"essai.yaml:{line_of(text, 'type: subcompetence') - 1}: "
        f"identifier 11111111-1111-4111-8111-00000000001a is already used at line {first}"
    ]


def test_every_problem_is_said_at_once(tmp_path: Path) -> None:
    text = changed(changed(SECONDE, "type: subcompetence", "type: skill"), 'to: ["1A"]', 'to: ["9Z"]')

    assert len(problems_of(write(tmp_path, "essai.yaml", text))) == 2


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"slug: [", "essai.yaml:1: not valid YAML"),
        (b"slug: essai\n  id: x\n", "essai.yaml:2: not valid YAML"),
        (b"slug: \xe9", "essai.yaml: not UTF-8 text (byte 6)"),
        (b"", "essai.yaml:1: a mapping with slug, id, title, items"),
        (b"- slug\n", "essai.yaml:1: a mapping with slug, id, title, items"),
    ],
)
def test_what_is_not_a_referential_at_all_is_refused_in_one_line(
    tmp_path: Path, content: bytes, said: str
) -> None:
    path = tmp_path / "essai.yaml"
    path.write_bytes(content)

    found = problems_of(path)

    assert len(found) == 1
    assert found[0].startswith(said)


def test_a_file_that_is_not_there_is_refused_with_its_path(tmp_path: Path) -> None:
    assert problems_of(tmp_path / "absent.yaml") == [f"{tmp_path}/absent.yaml: No such file or directory"]


# ----- what crosses files -----


def together(folder: Path, seconde: str, bac: str) -> list[str]:
    """The problems of two files read together."""
    data = [
        read_referential(write(folder, "essai.yaml", seconde)),
        read_referential(write(folder, "bac.yaml", bac)),
    ]
    with pytest.raises(ReferentialError) as caught:
        check_together(data)
    return caught.value.problems


def test_two_files_that_agree_are_accepted_in_the_order_of_their_positions(tmp_path: Path) -> None:
    found = read_all([write(tmp_path, "essai.yaml", SECONDE), write(tmp_path, "bac.yaml", BAC)])

    assert [data.slug for data in found] == ["essai", "bac"]


def test_a_link_to_a_referential_that_is_not_there_is_refused(tmp_path: Path) -> None:
    text = changed(SECONDE, '    to: bac\n    grouping: "Liens"', '    to: cap\n    grouping: "Liens"')

    assert together(tmp_path, text, BAC) == [
        f"essai.yaml:{line_of(text, 'from: 1A')}: there is no referential « cap »"
    ]


def test_a_link_to_an_item_that_is_not_there_is_refused_at_its_own_line(tmp_path: Path) -> None:
    text = changed(
        SECONDE, "- 22222222-2222-4222-8222-0000000000c1", "- 22222222-2222-4222-8222-0000000000ff"
    )

    assert together(tmp_path, text, BAC) == [
        f"essai.yaml:{line_of(text, '0000000000ff')}: 22222222-2222-4222-8222-0000000000ff is not an item of « bac »"
    ]


def test_a_link_to_an_item_of_another_referential_than_the_one_named_is_refused(tmp_path: Path) -> None:
    text = changed(
        SECONDE, "- 22222222-2222-4222-8222-0000000000c1", "- 11111111-1111-4111-8111-00000000001b"
    )

    (problem,) = together(tmp_path, text, BAC)
    assert problem.endswith("is not an item of « bac »")


def test_an_identifier_used_in_two_files_is_refused_where_it_comes_second(tmp_path: Path) -> None:
    text = changed(
        BAC, "id: 22222222-2222-4222-8222-0000000000d1", "id: 11111111-1111-4111-8111-00000000001b"
    )

    assert together(tmp_path, SECONDE, text) == [
        f"bac.yaml:{line_of(text, '00000000001b')}: identifier 11111111-1111-4111-8111-00000000001b "
        "is already used in essai"
    ]


def test_two_files_with_the_same_slug_are_refused(tmp_path: Path) -> None:
    text = changed(BAC, "slug: bac", "slug: essai")

    assert "two files carry the same slug" in together(tmp_path, SECONDE, text)


def test_the_shipped_referentials_are_good() -> None:
    assert [data.slug for data in read_all(shipped_referentials())] == ["mrc-seconde", "ma", "mcv"]


def test_the_example_of_the_documentation_is_a_good_file(tmp_path: Path) -> None:
    text = (Path(__file__).parents[2] / "docs" / "referentials.md").read_text(encoding="utf-8")
    example = text.partition("```yaml\n")[2].partition("```")[0]

    found = read_all([*shipped_referentials(), write(tmp_path, "exemple.yaml", example)])

    assert found[-1].slug == "seconde-exemple"


def test_a_code_that_links_use_names_one_item_only(tmp_path: Path) -> None:
    text = changed(SECONDE, 'code: "1B"', 'code: "1A"')

    found = problems_of(write(tmp_path, "essai.yaml", text))

    assert any("2 items of this file carry the code « 1A »" in problem for problem in found)
