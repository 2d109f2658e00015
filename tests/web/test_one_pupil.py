"""One pupil at a time, without a script: what the teacher just did is what is stored."""

from __future__ import annotations

import re
import uuid
from typing import Any

import pytest

from lti_tool.assessment.entries import cells
from lti_tool.db import db
from tests import factories
from tests.conftest import School, Visitor


@pytest.fixture
def made(school: School) -> dict[str, int]:
    """An activity on 1A: its id, 1A's, Adam's."""
    with school.app.app_context():
        activity = factories.activity(school.course, "1A")
        db.session.commit()
        return {"id": activity.id, "1A": factories.competence("1A").id, "Adam": school.people["Adam"].id}


def path(made: dict[str, int]) -> str:
    return f"/activities/{made['id']}/grid/{made['Adam']}"


def put(visitor: Visitor, made: dict[str, int], value: str) -> None:
    """What Adam has in 1A, as a script sends it."""
    entry = {"key": str(uuid.uuid4()), "person": made["Adam"], "competence": made["1A"], "value": value}
    answer = visitor.post_json(f"/activities/{made['id']}/cells", {"entries": [entry], "since": 0})
    assert answer.get_json()["refused"] == []


def stored(school: School, made: dict[str, int]) -> str:
    with school.app.app_context():
        row = cells(db.session, made["id"]).get((made["Adam"], made["1A"]))
        return row.value if row else ""


def form_of(html: str, item: int) -> dict[str, str]:
    """What a browser sends of a page that nobody touched."""
    sent: dict[str, str] = {}
    for tag in re.findall(r"<input[^>]*>", html):
        name = re.search(rf'name="(\w+-{item})"', tag)
        value = re.search(r'value="([^"]*)"', tag)
        if name and value and ('type="hidden"' in tag or re.search(r" checked\b", tag)):
            sent[name[1]] = value[1]
    select = re.search(rf'<select name="code-{item}".*?</select>', html, re.DOTALL)
    assert select
    chosen = re.search(r'<option value="(\w*)" selected>', select[0])
    sent[f"code-{item}"] = chosen[1] if chosen else ""
    comment = re.search(rf'<textarea id="comment-{item}"[^>]*>(.*?)</textarea>', html, re.DOTALL)
    assert comment
    return {**sent, f"comment-{item}": comment[1]}


@pytest.mark.parametrize(
    ("drawn", "touched", "kept"),
    [
        ("", {"level": "3"}, "3"),
        ("", {"code": "ABS"}, "ABS"),
        ("3", {"code": "ABS"}, "ABS"),
        ("3", {"level": "4"}, "4"),
        ("ABS", {"level": "3"}, "3"),
        ("ABS", {"level": "3", "code": ""}, "3"),
        ("ABS", {"code": "NE"}, "NE"),
        ("ABS", {"code": ""}, ""),
        ("3", {}, "3"),
        ("ABS", {}, "ABS"),
        # Both chosen anew: a level cannot be un-chosen in a form, a code can.
        ("", {"level": "3", "code": "ABS"}, "ABS"),
        ("2", {"level": "3", "code": "ABS"}, "ABS"),
        ("ABS", {"level": "3", "code": "NE"}, "NE"),
    ],
)
def test_of_a_level_and_a_code_the_one_just_chosen_is_stored(
    school: School, made: dict[str, int], drawn: str, touched: dict[str, str], kept: str
) -> None:
    teacher = school.visit("teacher")
    if drawn:
        put(teacher, made, drawn)
    form = form_of(teacher.get(path(made)).text, made["1A"])
    form |= {f"{name}-{made['1A']}": value for name, value in touched.items()}
    assert teacher.post(path(made), form).status_code == 303
    assert stored(school, made) == kept


def test_of_what_was_refused_and_shown_again_the_one_just_chosen_is_stored(
    school: School, made: dict[str, int]
) -> None:
    teacher, item = school.visit("teacher"), made["1A"]
    put(teacher, made, "3")
    form: dict[str, Any] = form_of(teacher.get(path(made)).text, item)
    refused = teacher.post(path(made), {**form, f"code-{item}": "ABS", f"comment-{item}": "é" * 2001})
    assert refused.status_code == 422
    again = form_of(refused.text, item)
    assert again[f"code-{item}"] == "ABS"
    teacher.post(path(made), {**again, f"level-{item}": "3", f"comment-{item}": "court"})
    assert stored(school, made) == "3"
