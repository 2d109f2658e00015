"""The loaded referential against an independent reading of the official text (tests/data/mrc-source.yaml).

Both sides are turned into the same lines: one per statement, with the competence, the side, the type, the parts (bloc,
groupe) it is under and its text. What differs on purpose is in tests/data/mrc-differences.yaml, each with its reason.
"""

from __future__ import annotations

import unicodedata
from collections import Counter
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import sqlalchemy as sa
import yaml
from flask import Flask

from lti_tool.db import db
from lti_tool.frameworks.models import Framework, FrameworkItem, ItemAssociation, SeeAlso

DATA = Path(__file__).parent.parent / "data"
TYPES = {
    "comportements": "behaviour",
    "savoirs": "knowledge",
    "ressources": "resource",
    "relations": "relation",
    "resultats": "expected_result",
    "criteres": "criterion",
    "competences": "competence",
}


class Line(NamedTuple):
    """A statement as it is compared."""

    competence: str
    side: str
    type: str
    parts: tuple[str, ...]
    text: str
    above: str
    """The competence of a sub-competence, the knowledge of a limit."""
    notes: tuple[str, ...]


def plain(text: str) -> str:
    """The text without what typography may change: spaces, œ and its case, the final dot, three dots for one sign."""
    text = unicodedata.normalize("NFC", text).replace("…", "...")
    for ligature in ("œ", "Œ", "Oe"):
        text = text.replace(ligature, "oe")
    return " ".join(text.split()).removesuffix(".")


# ----- what the source says -----


def source() -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load((DATA / "mrc-source.yaml").read_text(encoding="utf-8"))
    return loaded


def lines_of_source() -> Counter[Line]:
    found: Counter[Line] = Counter()
    for code, competence in source().items():
        for slug, side in competence["sides"].items():
            found.update(_lines_of_side(code, slug, side))
    return found


def _lines_of_side(code: str, slug: str, side: dict[str, Any]) -> list[Line]:
    def line(type_: str, entry: dict[str, Any], text: str, above: str = "") -> Line:
        parts = tuple(sorted(entry.get("parts") or ([entry["part"]] if entry.get("part") else [])))
        notes = (plain(entry["note"]),) if entry.get("note") else ()
        return Line(code, slug, type_, parts, plain(text), plain(above), notes)

    found = []
    for entry in side["competences"]:
        title = f"{entry['code']} {entry['title']}"
        found.append(line("competence", entry, title))
        found += [
            line("subcompetence", {**sub, "part": entry["part"]}, sub["text"], title)
            for sub in entry["items"]
        ]
    for key, type_ in TYPES.items():
        if key != "competences":
            found += [line(type_, entry, entry["text"]) for entry in side[key]]
    for entry in side["savoirs"]:
        found += [line("knowledge_limit", entry, limit, entry["text"]) for limit in entry["limites"]]
    return found + [line("knowledge_limit", entry, entry["text"]) for entry in side["limites_seules"]]


# ----- what is loaded -----


def lines_of_database() -> Counter[Line]:
    items = {item.id: item for item in db.session.scalars(sa.select(FrameworkItem))}
    slugs = {f.id: f.slug for f in db.session.scalars(sa.select(Framework))}
    found: Counter[Line] = Counter()
    for link in db.session.scalars(sa.select(ItemAssociation)):
        item = items[link.destination_id]
        found[_line_of_item(items[link.origin_id].code, slugs[item.framework_id], item, items)] += 1
    return found


def _line_of_item(code: str, slug: str, item: FrameworkItem, items: dict[int, FrameworkItem]) -> Line:
    above = items.get(item.parent_id or 0)
    head = above
    while head is not None and head.type != "competence_group":
        head = items.get(head.parent_id or 0)
    direct = "" if above is None or above.type == "competence_group" else f"{above.code} {above.statement}"
    return Line(
        code,
        slug,
        item.type,
        tuple(sorted([*([head.code] if head else []), *item.also_under])),
        plain(f"{item.code} {item.statement}"),
        plain(direct),
        tuple(plain(note) for note in item.notes),
    )


# ----- the differences that are meant -----


def differences() -> list[dict[str, Any]]:
    loaded: list[dict[str, Any]] = yaml.safe_load((DATA / "mrc-differences.yaml").read_text(encoding="utf-8"))
    return loaded


def line_of_difference(difference: dict[str, Any], key: str) -> Line:
    """The line as the source (or the database) has it: what is not said is the same on both sides."""
    said = {**difference, **difference[key]}
    return Line(
        said["competence"],
        said["side"],
        said["type"],
        tuple(sorted(said.get("parts", []))),
        plain(said["text"]),
        plain(said.get("above", "")),
        tuple(plain(note) for note in said.get("notes", [])),
    )


@pytest.fixture
def unexplained(in_app: Flask) -> tuple[Counter[Line], Counter[Line], list[str]]:
    """What only the source has, what only the database has, and the differences that explain nothing."""
    ours, theirs = lines_of_database(), lines_of_source()
    missing, extra = theirs - ours, ours - theirs
    unused = []
    for difference in differences():
        there, here = line_of_difference(difference, "source"), line_of_difference(difference, "loaded")
        if missing[there] and extra[here]:
            missing[there] -= 1
            extra[here] -= 1
        else:
            unused.append(f"{difference['competence']} {difference['side']}: {there.text}")
    return +missing, +extra, unused


def test_every_statement_of_the_source_is_linked_from_its_competence_with_its_type_parts_and_text(
    unexplained: tuple[Counter[Line], Counter[Line], list[str]],
) -> None:
    assert sorted(unexplained[0]) == []


def test_every_linked_statement_is_in_the_source(
    unexplained: tuple[Counter[Line], Counter[Line], list[str]],
) -> None:
    assert sorted(unexplained[1]) == []


def test_every_difference_is_still_one_and_has_a_reason(
    unexplained: tuple[Counter[Line], Counter[Line], list[str]],
) -> None:
    assert unexplained[2] == []
    assert all(difference["reason"].strip() for difference in differences())


def test_there_are_as_many_statements_by_competence_side_and_type_as_in_the_source(in_app: Flask) -> None:
    def counts(lines: Counter[Line]) -> Counter[tuple[str, str, str]]:
        found: Counter[tuple[str, str, str]] = Counter()
        for line, n in lines.items():
            found[line.competence, line.side, line.type] += n
        return found

    theirs = counts(lines_of_source())

    assert counts(lines_of_database()) == theirs
    assert {code for code, _side, _type in theirs} == set(source())


def test_the_ten_competences_and_their_sub_competences_are_those_of_the_source(in_app: Flask) -> None:
    rows = db.session.scalars(
        sa.select(FrameworkItem)
        .join(Framework)
        .where(Framework.slug == "mrc-seconde", FrameworkItem.type.in_(("competence", "subcompetence")))
        .order_by(FrameworkItem.position)
    )
    ours: dict[str, tuple[str, list[str]]] = {}
    for row in rows:
        if row.type == "competence":
            code = row.code
            ours[code] = (plain(row.statement), [])
        else:
            ours[code][1].append(plain(row.statement))

    assert ours == {
        code: (plain(competence["statement"]), [plain(sub) for sub in competence["subs"]])
        for code, competence in source().items()
    }


def test_the_titles_of_blocs_and_groupes_are_those_of_the_source(in_app: Flask) -> None:
    theirs = {
        (slug, entry["part"], plain(entry["part_title"]))
        for competence in source().values()
        for slug, side in competence["sides"].items()
        for entry in side["competences"]
    }
    rows = db.session.execute(
        sa.select(Framework.slug, FrameworkItem.code, FrameworkItem.statement)
        .join(FrameworkItem)
        .where(FrameworkItem.type == "competence_group", Framework.slug != "mrc-seconde")
    )

    assert {(slug, code, plain(title)) for slug, code, title in rows} == theirs


def test_every_see_also_of_the_source_is_there_with_its_words_and_where_it_leads(in_app: Flask) -> None:
    theirs = {
        (code, slug, TYPES[reference["type"]], plain(reference["text"]), target.removeprefix("groupe "))
        for code, competence in source().items()
        for slug, side in competence["sides"].items()
        for reference in side["voir_aussi"]
        for target in reference["codes"]
    }
    ours = {
        (origin.code, row.side, row.type, plain(row.text), row.destination.code if row.destination else "")
        for row, origin in db.session.execute(
            sa.select(SeeAlso, FrameworkItem).join(FrameworkItem, FrameworkItem.id == SeeAlso.origin_id)
        )
        if row.destination is not None and row.side
    }

    assert ours == theirs


def test_every_official_note_of_a_competence_is_there(in_app: Flask) -> None:
    ours: dict[str, set[str]] = {}
    for code, item_id, notes in db.session.execute(
        sa.select(FrameworkItem.code, FrameworkItem.id, FrameworkItem.notes)
        .join(Framework)
        .where(Framework.slug == "mrc-seconde", FrameworkItem.type == "competence")
    ):
        said = db.session.scalars(sa.select(SeeAlso.text).where(SeeAlso.origin_id == item_id))
        ours[code] = {plain(text) for text in [*notes, *said]}

    for code, competence in source().items():
        assert {plain(note) for note in competence["official_notes"]} <= ours[code]
