"""The competences side by side against the source's general table, transcribed in tests/data/mrc-general.yaml.

The detail pages say the same links in full (test_source.py). Where the two disagree the guide says so (`unlike`).
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from lti_tool.db import db
from lti_tool.frameworks.sheets import competences, find_framework
from lti_tool.frameworks.sides import Side, sheets

from .test_source import plain

pytestmark = pytest.mark.usefixtures("in_app")

TABLE = Path(__file__).parent.parent / "data" / "mrc-general.yaml"
Lines = set[tuple[str, ...]]


def lines_of_table() -> Lines:
    found: Lines = set()
    for code, of_sides in yaml.safe_load(TABLE.read_text(encoding="utf-8")).items():
        for slug, entries in of_sides.items():
            for entry in entries:
                place = (code, slug, entry["part"], plain(entry["competence"]))
                found.add((*place, ""))
                found |= {(*place, plain(item)) for item in entry["items"]}
    return found


def lines_of(code: str, side: Side) -> Lines:
    found: Lines = set()
    for part in side.parts:
        for entry in part.entries:
            named = plain(f"{entry.item.code} {entry.item.statement}")
            place = (code, side.framework.slug, part.items[0].code, named)
            found.add((*place, ""))
            found |= {(*place, plain(below.statement)) for below in entry.below}
    return found


def lines_of_database() -> Lines:
    ten = competences(db.session, find_framework(db.session, "mrc-seconde").id)
    found: Lines = set()
    for sheet in sheets(db.session, ten):
        (row,) = [row for row in sheet.rows if row.type == "competence"]
        for side in row.sides:
            found |= lines_of(sheet.item.code, side)
    return found


def unlike() -> list[dict[str, Any]]:
    guide: dict[str, Any] = find_framework(db.session, "mrc-seconde").guide
    return list(guide["unlike"])


def test_each_competence_leads_to_all_that_the_general_table_lists_but_for_what_the_guide_tells() -> None:
    missing = lines_of_table() - lines_of_database()

    assert [(code, slug, part) for code, slug, part, *_text in missing] == [("1D", "mcv", "Groupe 1")]
    assert [(one["from"], one["side"]) for one in unlike()] == [("1D", "mcv")]
    assert all(line[-1] in plain(unlike()[0]["text"]) for line in missing)


def test_no_competence_leads_to_more_than_the_general_table_lists() -> None:
    assert lines_of_database() - lines_of_table() == set()


def test_the_references_of_the_general_table_are_on_the_same_row() -> None:
    ten = competences(db.session, find_framework(db.session, "mrc-seconde").id)
    ours = {
        (sheet.item.code, side.framework.slug, plain(reference.text))
        for sheet in sheets(db.session, ten)
        for side in sheet.rows[0].sides
        for reference in side.see_also
    }
    theirs = {
        (code, slug, plain(entry["see_also"]))
        for code, of_sides in yaml.safe_load(TABLE.read_text(encoding="utf-8")).items()
        for slug, entries in of_sides.items()
        for entry in entries
        if "see_also" in entry
    }

    assert (
        ours
        == theirs
        == {
            (
                "2B",
                "mcv",
                "Se reporter également au groupe 3 > collecter les motifs de satisfaction et d’insatisfaction",
            )
        }
    )
