"""The loaded referential against an independent reading of the official text (tests/data/mrc-source.yaml).

Both sides are turned into the same lines: one per statement, with the competence, the side, the type, the parts (bloc,
groupe) it is under and its text. What differs on purpose is in tests/data/mrc-differences.yaml, each with its reason.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter, defaultdict
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
    """The text without what typography may change: spaces (around / and ; too), œ and its case, the accent of a capital
    E, the final dot, three dots for one sign.
    """
    text = unicodedata.normalize("NFC", text).replace("…", "...").replace("É", "E")
    for ligature in ("œ", "Œ", "Oe"):
        text = text.replace(ligature, "oe")
    text = re.sub(r"\s*([/;])\s*", r" \1 ", text)
    return " ".join(text.split()).removesuffix(".")


# ----- what the source says -----


def source() -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load((DATA / "mrc-source.yaml").read_text(encoding="utf-8"))
    return loaded


def lines_of_source() -> list[Line]:
    return [
        line
        for code, competence in source().items()
        for slug, side in competence["sides"].items()
        for line in _lines_of_side(code, slug, side)
    ]


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


def lines_of_database() -> list[Line]:
    items = {item.id: item for item in db.session.scalars(sa.select(FrameworkItem))}
    slugs = {f.id: f.slug for f in db.session.scalars(sa.select(Framework))}
    links = db.session.scalars(sa.select(ItemAssociation).order_by(ItemAssociation.position))
    return [
        _line_of_item(items[link.origin_id].code, slugs, items[link.destination_id], items) for link in links
    ]


def _line_of_item(
    code: str, slugs: dict[int, str], item: FrameworkItem, items: dict[int, FrameworkItem]
) -> Line:
    above = items.get(item.parent_id or 0)
    head = above
    while head is not None and head.type != "competence_group":
        head = items.get(head.parent_id or 0)
    direct = "" if above is None or above.type == "competence_group" else f"{above.code} {above.statement}"
    return Line(
        code,
        slugs[item.framework_id],
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


def line_of_difference(difference: dict[str, Any], key: str) -> Line | None:
    """The line as the source (or the database) has it, if it has one: what is not said is the same on both sides."""
    if key not in difference:
        return None
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
    ours, theirs = Counter(lines_of_database()), Counter(lines_of_source())
    missing, extra = theirs - ours, ours - theirs
    unused = []
    for difference in differences():
        there, here = line_of_difference(difference, "source"), line_of_difference(difference, "loaded")
        if (there or here) and (there is None or missing[there]) and (here is None or extra[here]):
            missing -= Counter([there] if there else [])
            extra -= Counter([here] if here else [])
        else:
            unused.append(f"{difference['competence']} {difference['side']}: {there or here}")
    return missing, extra, unused


def test_every_statement_of_the_source_is_linked_from_its_competence_with_its_type_parts_and_text(
    unexplained: tuple[Counter[Line], Counter[Line], list[str]],
) -> None:
    assert sorted(unexplained[0]) == []


def test_every_linked_statement_is_in_the_source(
    unexplained: tuple[Counter[Line], Counter[Line], list[str]],
) -> None:
    assert sorted(unexplained[1]) == []


def test_every_statement_of_a_side_is_linked_from_a_competence(in_app: Flask) -> None:
    linked = sa.select(ItemAssociation.destination_id)
    alone = db.session.scalars(
        sa.select(FrameworkItem.statement)
        .join(Framework)
        .where(Framework.slug.in_(("ma", "mcv")), FrameworkItem.type != "competence_group")
        .where(FrameworkItem.id.not_in(linked))
    )

    assert alone.all() == []


def test_every_difference_is_still_one_and_has_a_reason(
    unexplained: tuple[Counter[Line], Counter[Line], list[str]],
) -> None:
    assert unexplained[2] == []
    assert all(difference["reason"].strip() for difference in differences())


def test_the_statements_of_each_type_are_in_the_order_of_the_source(in_app: Flask) -> None:
    apart = {
        line
        for difference in differences()
        for key in ("source", "loaded")
        if (line := line_of_difference(difference, key))
    }

    def texts(lines: list[Line]) -> dict[tuple[str, str, str], list[str]]:
        found = defaultdict(list)
        for line in lines:
            if line not in apart:
                found[line.competence, line.side, line.type].append(line.text)
        return found

    assert texts(lines_of_database()) == texts(lines_of_source())


def test_a_limit_is_flagged_when_and_only_when_no_knowledge_is_above_it(in_app: Flask) -> None:
    items = {item.id: item for item in db.session.scalars(sa.select(FrameworkItem))}
    limits = [item for item in items.values() if item.type == "knowledge_limit"]
    paired = [
        (limit.parent_id or 0) in items and items[limit.parent_id or 0].type == "knowledge"
        for limit in limits
    ]

    assert [limit.pairing_unknown for limit in limits] == [not one for one in paired]
    assert paired.count(False) == 10


def test_the_ten_competences_their_groups_names_and_sub_competences_are_those_of_the_source(
    in_app: Flask,
) -> None:
    items = {
        item.id: item
        for item in db.session.scalars(sa.select(FrameworkItem).order_by(FrameworkItem.position))
    }
    subs: dict[str, list[str]] = defaultdict(list)
    for item in items.values():
        if item.type == "subcompetence":
            subs[items[item.parent_id or 0].code].append(plain(item.statement))
    ours = {
        item.code: (items[item.parent_id or 0].statement, item.label, plain(item.statement), subs[item.code])
        for item in items.values()
        if item.framework.slug == "mrc-seconde" and item.type == "competence"
    }

    assert ours == {
        code: (said["group"], said["label"], plain(said["statement"]), [plain(sub) for sub in said["subs"]])
        for code, said in source().items()
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


def references_of_source() -> set[tuple[str, str, str, str, str]]:
    """The « voir aussi »: from, side, type, words and where each leads (nowhere when it is a mere remark)."""
    return {
        (code, slug, TYPES[reference.get("type", "competences")], plain(reference["text"]), target)
        for code, competence in source().items()
        for slug, said in [("", competence), *competence["sides"].items()]
        for reference in said.get("voir_aussi", [])
        for target in [one.removeprefix("groupe ") for one in reference["codes"]] or [""]
    }


def test_every_see_also_is_that_of_the_source_with_its_words_and_where_it_leads(in_app: Flask) -> None:
    rows = db.session.execute(
        sa.select(SeeAlso, FrameworkItem.code).join(FrameworkItem, FrameworkItem.id == SeeAlso.origin_id)
    ).all()
    ours = {
        (code, row.side, row.type, plain(row.text), row.destination.code if row.destination else "")
        for row, code in rows
    }

    assert ours == references_of_source()
    assert len(rows) == len(ours)


def test_every_official_note_of_a_competence_is_that_of_the_source(in_app: Flask) -> None:
    rows = db.session.scalars(
        sa.select(FrameworkItem)
        .join(Framework)
        .where(Framework.slug == "mrc-seconde", FrameworkItem.type == "competence")
    )

    assert {row.code: [plain(note) for note in row.notes] for row in rows} == {
        code: [plain(note) for note in competence["official_notes"]] for code, competence in source().items()
    }


def test_the_words_of_the_source_are_set_in_french_typography(in_app: Flask) -> None:
    items = db.session.scalars(sa.select(FrameworkItem))
    words = [text for item in items for text in (item.label, item.statement, *item.notes)]
    words += db.session.scalars(sa.select(SeeAlso.text))
    # A straight apostrophe, three dots, « oe », and an ordinary space where a no-break one stands.
    wrong = re.compile(r"'|\.\.\.|oeu|« | [»:;?!]|[;?!](?=\w)|\bEta")

    assert [text for text in words if wrong.search(text)] == []
