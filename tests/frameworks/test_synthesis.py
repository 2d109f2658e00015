"""The loaded links against the source's synthetic tables (tests/data/mrc-synthesis.yaml), and the figures that the
documentation gives of them.
"""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path
from typing import Any

import sqlalchemy as sa
import yaml
from flask import Flask

from lti_tool.db import db
from lti_tool.frameworks.models import Framework, FrameworkItem, ItemAssociation

TESTS = Path(__file__).parent.parent
COLUMNS = (
    "competence",
    "subcompetence",
    "behaviour",
    "knowledge",
    "knowledge_limit",
    "resource",
    "relation",
    "expected_result",
    "criterion",
)


def plain(text: str) -> str:
    """The text with ordinary spaces, none around a slash, and no final dot."""
    return re.sub(r"\s*/\s*", "/", " ".join(text.split())).removesuffix(".")


def linked() -> list[tuple[str, str, FrameworkItem]]:
    """Each link: the Seconde competence, the side, what it leads to."""
    codes = {item.id: item.code for item in db.session.scalars(sa.select(FrameworkItem))}
    rows = db.session.execute(
        sa.select(ItemAssociation.origin_id, Framework.slug, FrameworkItem)
        .join(FrameworkItem, FrameworkItem.id == ItemAssociation.destination_id)
        .join(Framework, Framework.id == FrameworkItem.framework_id)
    )
    return [(codes[origin_id], slug, item) for origin_id, slug, item in rows]


def rows_of_synthesis() -> Counter[tuple[str, ...]]:
    tables: dict[str, Any] = yaml.safe_load((TESTS / "data/mrc-synthesis.yaml").read_text(encoding="utf-8"))
    return Counter(
        (code, slug, entry["part"], plain(entry["competence"]), plain(text))
        for code, sides in tables.items()
        for slug, entries in sides.items()
        for entry in entries
        for text in ["", *entry["items"]]
    )


def test_each_cell_of_the_synthetic_tables_is_what_the_competence_is_linked_to(in_app: Flask) -> None:
    items = {item.id: item for item in db.session.scalars(sa.select(FrameworkItem))}

    def row(code: str, slug: str, item: FrameworkItem) -> tuple[str, ...]:
        above = item if item.type == "competence" else items[item.parent_id or 0]
        text = "" if item is above else plain(item.statement)
        return (code, slug, items[above.parent_id or 0].code, plain(f"{above.code} {above.statement}"), text)

    ours = Counter(row(*link) for link in linked() if link[2].type in ("competence", "subcompetence"))

    assert ours == rows_of_synthesis()


def test_the_figures_of_the_documentation_are_those_of_what_is_loaded(in_app: Flask) -> None:
    text = (TESTS.parent / "docs/referentials.md").read_text(encoding="utf-8")
    links = linked()
    counts = Counter((code, slug.upper(), item.type) for code, slug, item in links)
    sides = sorted({(code, side) for code, side, _type in counts})
    rows = {(code, side): [counts[code, side, type_] for type_ in COLUMNS] for code, side in sides}
    slugs = db.session.scalars(sa.select(Framework.slug).join(FrameworkItem))
    by_slug = Counter(slugs)
    said = f"{by_slug.total()} énoncés : {by_slug['mrc-seconde']} en Seconde"

    for (code, side), row in rows.items():
        assert f"| {code} | {side} | {' | '.join(str(n) for n in [*row, sum(row)])} |" in text
    assert len(rows) == len(re.findall(r"^\| \d[A-D] \| MC?[AV] \|", text, re.MULTILINE)) == 20
    assert said in text
    assert f"{by_slug['ma']} en MA, {by_slug['mcv']} en MCV ; {len(links)} liens" in text
