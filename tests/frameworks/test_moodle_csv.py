"""The CSV for Moodle, read again as Moodle's importer reads it: everything arrives, under its parent, with its links.

`Importer` is written from what admin/tool/lpimportcsv does, its silent losses included; it shares nothing with the
module it checks.
"""

from __future__ import annotations

import csv
import html
import io
import json
import re
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from lti_tool.assessment.scales import find_scale
from lti_tool.frameworks import moodle_csv
from lti_tool.frameworks.case_objects import RetiredItem
from lti_tool.frameworks.loading import read_all, shipped_referentials
from lti_tool.frameworks.reading import ItemData, LinkData, ReferentialData, read_referential

from .samples import BAC, SECONDE, write

REFERENTIALS = {data.slug: data for data in read_all(shipped_referentials())}
WORDS = ["non maîtrisée", "insuffisamment maîtrisée", "maîtrisée", "bien maîtrisée"]
TERMS = {"behaviour", "competency", "concept", "domain", "indicator", "level", "outcome", "practice"}
TERMS |= {"proficiency", "skill", "value"}


def php_equal(one: str, other: str) -> bool:
    """PHP's `==` between two texts: numbers are compared as numbers."""
    number = re.compile(r"\s*[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?\s*")
    if number.fullmatch(one) and number.fullmatch(other):
        return float(one) == float(other)
    return one == other


def clean(text: str, most: int | None = None) -> str:
    """PARAM_TEXT, then `shorten_text`."""
    text = re.sub(r"<[^>]*>?", "", text)
    return text if most is None or len(text) <= most else text[: most - 3] + "..."


@dataclass
class Competency:
    """A row that Moodle read; `created` once it is in the database."""

    parent: str
    identifier: str
    name: str
    description: str
    related: str
    children: list[Competency] = field(default_factory=list)
    created: bool = False
    references: list[str] = field(default_factory=list)


class Importer:
    """What Moodle's import makes of a file."""

    def __init__(self, text: str) -> None:
        headers, *rows = csv.reader(io.StringIO(text.strip()))
        assert len(headers) == 14
        self.flat: dict[str, Competency] = {}
        self.rows = 0
        self.framework: list[str] = []
        for row in rows:
            assert len(row) == len(headers), "csvweirdcolumns"
            assert not re.search(r'\\"', text), "PHP reads a backslash before a quote otherwise"
            if row[12] not in ("", "0"):
                assert not self.framework, "the last framework row would win"
                self.framework = row
                continue
            self.rows += 1
            self.flat[row[1]] = Competency(
                clean(row[0]), clean(row[1], 100), clean(row[2], 100), row[3], row[10]
            )
        assert self.framework, "invalidimportfile"
        self.roots = self._children("")
        for root in self.roots:
            self._create(root)
        for one in self.created():
            self._relate(one)

    def _children(self, parent: str, depth: int = 0) -> list[Competency]:
        assert depth < 50, "a row is its own parent"
        found = [one for one in self.flat.values() if php_equal(one.parent, parent)]
        for one in found:
            one.children = self._children(one.identifier, depth + 1)
        return found

    def _create(self, one: Competency) -> None:
        if one.identifier in ("", "0") or one.name in ("", "0"):
            return
        assert not one.created, f"{one.identifier} would be made twice"
        one.created = True
        for child in one.children:
            self._create(child)

    def _relate(self, one: Competency) -> None:
        for raw in one.related.split(",") if one.related else []:
            other = self.flat.get(raw.replace("%2C", ","))
            if other is not None:
                assert other.created, "Moodle would stop here"
                one.references.append(other.identifier)

    def created(self) -> list[Competency]:
        return [one for one in self.flat.values() if one.created]


def exported(slug: str) -> str:
    return moodle_csv.framework(REFERENTIALS[slug], REFERENTIALS.values(), WORDS, 3)


@pytest.fixture(scope="module")
def whole() -> Importer:
    return Importer(exported("mrc-seconde"))


def items(*slugs: str) -> list[ItemData]:
    return [item for slug in slugs for item in REFERENTIALS[slug].walk()]


def plain(description: str) -> list[str]:
    return [html.unescape(line) for line in re.findall(r"<p>(.*?)</p>", description)]


# ----- the shipped referentials -----


def test_every_row_is_imported_the_three_referentials_in_one_framework(whole: Importer) -> None:
    everything = items("mrc-seconde", "ma", "mcv")

    assert whole.rows == len(whole.flat) == len(whole.created()) == len(everything) + 3
    assert [root.name for root in whole.roots] == [data.title for data in REFERENTIALS.values()]
    assert whole.framework[1:3] == ["mrc-seconde", "Seconde, famille des métiers de la relation client"]


def test_each_item_is_under_its_parent_in_the_referentials_order(whole: Importer) -> None:
    def shape(one: Competency) -> list[object]:
        return [plain(one.description)[0], [shape(child) for child in one.children]]

    def expected(item: ItemData) -> list[object]:
        return [item.statement, [expected(child) for child in item.items]]

    for root, data in zip(whole.roots, REFERENTIALS.values(), strict=True):
        assert [shape(child) for child in root.children] == [expected(item) for item in data.items]


def test_every_link_is_a_cross_reference_with_both_ends(whole: Importer) -> None:
    seconde = REFERENTIALS["mrc-seconde"]
    statements = {item.uuid: item.statement for item in items("mrc-seconde", "ma", "mcv")}
    wanted = {(link.origin, statements[uuid]) for link in seconde.links for uuid, _line in link.destinations}
    made = [
        (one.identifier.removeprefix("mrc-seconde:"), other)
        for one in whole.created()
        for other in one.references
    ]

    assert len(made) == len(set(made)) == sum(len(link.destinations) for link in seconde.links) == 892
    assert {(code, plain(whole.flat[other].description)[0]) for code, other in made} == wanted
    assert {one.identifier for one in whole.created() if one.related} == {
        f"mrc-seconde:{link.origin}" for link in seconde.links
    }


def test_names_are_cut_at_a_word_and_the_description_says_all(whole: Importer) -> None:
    names = {plain(one.description)[0]: one.name for one in whole.created()}

    assert max(map(len, names.values())) <= 100
    assert names[
        "Prendre contact avec le client interne ou externe (ou prospect), dans un cadre omnicanal"
    ] == ("1A Prendre contact")
    cut = {statement: name for statement, name in names.items() if name.endswith("…") and statement != name}
    assert len(cut) > 10
    for statement, name in cut.items():
        shown = name[:-1].split()
        assert shown[-1].rstrip(",;:") in [word.rstrip(",;:") for word in statement.split()], name
    noted = next(item for item in items("ma") if item.notes)
    assert [one for one in whole.created() if plain(one.description)[:2] == [noted.statement, noted.notes[0]]]


def test_the_type_and_the_other_parts_are_in_the_description(whole: Importer) -> None:
    several = next(item for item in items("mcv") if item.also_under)
    found = [one for one in whole.created() if plain(one.description)[0] == several.statement]

    assert any(
        plain(one.description)[-1].endswith(f" · MCV · {' · '.join(several.also_under)}") for one in found
    )


def test_the_scale_has_four_levels_and_those_from_the_target_up_are_proficient(whole: Importer) -> None:
    scale = find_scale("lsl-pro")
    values, config = whole.framework[5:7]
    first, *levels = json.loads(config)

    assert values.split(",") == [scale.word(level, "fr") for level in (1, 2, 3, 4)] == WORDS
    assert list(first) == ["scaleid"]
    assert [level["id"] for level in levels] == [1, 2, 3, 4]
    assert [level["proficient"] for level in levels] == [0, 0, 1, 1]
    assert [level["scaledefault"] for level in levels] == [0, 0, 1, 0]


def test_the_taxonomy_names_the_four_levels_there_are(whole: Importer) -> None:
    def depth(one: Competency) -> int:
        return 1 + max((depth(child) for child in one.children), default=0)

    terms = whole.framework[13].split(",")
    assert len(terms) == max(depth(root) for root in whole.roots) == 4
    assert set(terms) <= TERMS


@pytest.mark.parametrize("slug", ["ma", "mcv"])
def test_a_referential_that_leads_nowhere_is_alone(slug: str) -> None:
    made = Importer(exported(slug))

    assert len(made.created()) == made.rows == len(items(slug)) + 1
    assert made.framework[1] == slug
    assert not any(one.related for one in made.created())


# ----- what other referentials may hold -----


def item(number: int, statement: str, code: str = "", **more: object) -> ItemData:
    values: dict[str, object] = {"label": "", "notes": [], "also_under": [], "items": [], **more}
    return ItemData(
        uuid=f"33333333-3333-4333-8333-{number:012d}",
        type="competence",
        code=code,
        statement=statement,
        pairing_unknown=False,
        line=0,
        **values,  # type: ignore[arg-type]
    )


@pytest.fixture
def essai(tmp_path: Path) -> ReferentialData:
    return read_referential(write(tmp_path, "essai.yaml", SECONDE))


def made_of(essai: ReferentialData, *of: ItemData, links: tuple[LinkData, ...] = ()) -> Importer:
    return Importer(moodle_csv.framework(replace(essai, items=list(of), links=list(links)), [], WORDS, 3))


def test_codes_that_php_takes_for_the_same_number_stay_apart(essai: ReferentialData) -> None:
    made = made_of(
        essai,
        item(1, "Un", "1.1", items=[item(2, "Dessous")]),
        item(3, "Dix", "1.10", items=[item(4, "Dessous aussi")]),
        item(5, "Cent", "1e2"),
    )

    assert len(made.created()) == 6
    assert [len(one.children) for one in made.roots[0].children] == [1, 1, 0]


def test_a_comma_in_a_code_survives_in_cross_references(essai: ReferentialData) -> None:
    link = LinkData("1A", "essai", "", [(item(2, "").uuid, 0), (item(3, "").uuid, 0)], 0)
    made = made_of(
        essai, item(1, "Un", "1A"), item(2, "Deux", "2,1"), item(3, "Trois", "3%2C1"), links=(link,)
    )

    assert made.flat["essai:1A"].references == ["essai:2,1", item(3, "").uuid]


@pytest.mark.parametrize(
    ("first", "second"), [("1A", "1A"), ("1A", "1a"), ("<b>", "b"), ("", ""), ("a\\", "b")]
)
def test_items_that_share_a_code_keep_identifiers_of_their_own(
    essai: ReferentialData, first: str, second: str
) -> None:
    made = made_of(essai, item(1, "Un", first), item(2, "Deux", second))

    assert len({one.identifier.casefold() for one in made.created()}) == made.rows == 3


@pytest.mark.parametrize(
    "statement",
    [
        "Un < deux & \"trois\" > 'quatre'",
        '<script>alert("x")</script>',
        'C:\\dossier\\ "et" \\"',
        "a\nb, c;d",
        "x" * 300,
    ],
)
def test_a_statement_arrives_whole_whatever_it_holds(essai: ReferentialData, statement: str) -> None:
    made = made_of(essai, item(1, statement))
    [one] = made.roots[0].children

    assert one.created
    assert len(one.name) <= 100
    assert not one.name.endswith("...")
    assert plain(one.description)[0].replace("<br>", "\n") == statement
    assert "<script" not in one.description


@pytest.mark.parametrize(("length", "cut"), [(100, False), (101, True)])
def test_a_hundred_characters_are_kept_and_one_more_is_cut(
    essai: ReferentialData, length: int, cut: bool
) -> None:
    statement = ("mot " * 40)[: length - 1] + "z"
    [one] = made_of(essai, item(1, statement)).roots[0].children

    assert (one.name != statement) == cut
    assert one.name == statement if not cut else one.name.endswith(" mot…")


def test_retired_items_and_links_to_them_are_left_out(essai: ReferentialData, tmp_path: Path) -> None:
    bac = read_referential(write(tmp_path, "bac.yaml", BAC))
    before = Importer(moodle_csv.framework(essai, [bac], WORDS, 3))
    [contact] = [one for one in bac.walk() if one.code == "1.1"]
    [bloc, *others] = bac.items
    gone = RetiredItem(**vars(contact))
    left = replace(
        bac, items=[replace(bloc, items=[gone if i is contact else i for i in bloc.items]), *others]
    )

    after = Importer(moodle_csv.framework(essai, [left], WORDS, 3))

    assert before.flat["essai:1B"].references == ["bac:1.1"]
    assert after.flat["essai:1B"].references == []
    assert len(after.created()) == len(before.created()) - 1 == after.rows
