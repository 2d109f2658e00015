"""What several competences become, in short: the same as each one's own page says."""

from __future__ import annotations

import pytest
import sqlalchemy as sa
from flask import Flask

from lti_tool.db import db
from lti_tool.frameworks.becoming import becomings
from lti_tool.frameworks.sheets import Entry, competences, find_framework
from lti_tool.frameworks.sides import sheet


@pytest.mark.usefixtures("in_app")
def test_a_competence_becomes_what_its_own_page_says_on_each_side() -> None:
    items = competences(db.session, find_framework(db.session, "mrc-seconde").id)

    found = becomings(db.session, [item.id for item in items])

    assert len(items) == len(found) == 10
    for item in items:
        (row,) = [row for row in sheet(db.session, item).rows if row.type == "competence"]
        expected = [
            (side.framework.slug, _statements([entry for part in side.parts for entry in part.entries]))
            for side in row.sides
        ]
        assert [(b.framework.slug, _statements(b.entries)) for b in found[item.id]] == expected


def _statements(entries: list[Entry]) -> dict[str, list[str]]:
    """What is below each competence; a page groups the competences by bloc, which is not said here."""
    return {entry.item.statement: [one.statement for one in entry.below] for entry in entries}


def test_it_takes_one_query_and_leaves_out_what_was_retired(in_app: Flask) -> None:
    items = competences(db.session, find_framework(db.session, "mrc-seconde").id)
    made: list[str] = []
    sa.event.listen(db.engine, "before_cursor_execute", lambda *given: made.append(given[2]))

    before = becomings(db.session, [items[0].id])
    retired = before[items[0].id][0].entries[0].below[0]
    assert len(made) == 1
    retired.retired = True
    db.session.flush()

    after = becomings(db.session, [items[0].id])[items[0].id][0].entries[0].below
    assert retired not in after
    assert after
    assert becomings(db.session, []) == {}
