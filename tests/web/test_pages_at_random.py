"""Every route with addresses, queries and forms of any kind, as a teacher and as a pupil: never an error of ours."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import quote

import pytest
from flask import Flask
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from werkzeug.routing import Rule

from lti_tool.db import db
from tests import factories
from tests.conftest import School, Visitor
from tests.web.test_who_may_what import routes

SOME = settings(
    max_examples=150,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
WORDS = [
    "", "1", "0", "-1", "2147483647", "2147483648", "9" * 30, "1A", "1A,1C", "on", "all", "cancel", "add", "next",
    "teach", "é\u202f« »", "\x00", "<b>", "../..", "%00", "2026-09-01", "2026-13-45", "0001-01-01", "9999-12-31",
    "٣", "²", "1e400", "nan", "activity:1", "page:me", "competence:1A", "A", "MA", "sent", "refused", "x" * 3000,
]  # fmt: skip
FIELDS = [
    "title", "situation", "starts_on", "setting", "purpose", "complexity", "competences", "competence", "specialities",
    "version", "item", "action", "all", "delivery", "person", "pupil", "comment", "activity", "copy", "restore",
    "archived", "chosen", "copied", "back", "then", "for_link", "state", "since", "until", "speciality", "provisional",
    "saved", "arrived", "left", "of", "q", "conversion", "table-1", "maximum", "send_from", "column", "c-1-1", "e-1-1",
    "level-1", "code-1", "comment-1", "c-9-", "framework", "limit", "offset", "page", "sort", "filter", "fields",
]  # fmt: skip

words = st.one_of(
    st.sampled_from(WORDS), st.text(max_size=12).map(lambda t: t.encode("utf-8", "replace").decode())
)
fields = st.dictionaries(
    st.one_of(st.sampled_from(FIELDS), words.filter(bool)),
    st.lists(words, min_size=1, max_size=3),
    max_size=7,
)
bodies = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), words),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(
            st.sampled_from(["entries", "since", "key", "person", "competence", "value", "comment"]), inner
        ),
    ),
    max_leaves=12,
)


def chosen_route(app: Flask, number: int) -> tuple[Rule, str]:
    """One of the application's routes, whichever there are: a new one is tried as soon as it exists."""
    known = [(rule, method) for rule, method in routes(app) if rule.endpoint != "static"]
    return known[number % len(known)]


def fill(rule: Rule, sid: str, arguments: list[str]) -> str:
    """The address with these values in the place of its arguments, quoted as a browser does."""
    given_values = iter(arguments * 4)

    def value(found: re.Match[str]) -> str:
        return sid if found[1] == "sid" else quote(next(given_values), safe="")

    return re.sub(r"<(?:[^:<>]+:)?(\w+)>", value, rule.rule)


@pytest.fixture
def app(app_on_postgres: Flask) -> Flask:
    return app_on_postgres


@pytest.fixture
def visitors(school: School) -> dict[str, Visitor]:
    """A teacher, a teacher who chooses contents, an assessor and a pupil, in a course where something was assessed."""
    with school.app.app_context():
        course = db.session.merge(school.course)
        activity = factories.activity(course, "1A", "1C")
        factories.assessment(activity, "1A", school.people["Adam"], 3, school.people["teacher"])
        db.session.commit()
    chooses = {
        "return_url": "https://lms.example.org/return", "accept_multiple": True, "accept_lineitem": True,
        "data": None, "title": "", "text": "",
    }  # fmt: skip
    return {
        "teacher": school.visit("teacher"),
        "chooser": school.visit("teacher", deep_linking=chooses),
        "assessor": school.visit("assessor"),
        "pupil": school.visit("Adam"),
    }


@SOME
@given(
    number=st.integers(0, 10_000),
    who=st.sampled_from(["teacher", "chooser", "assessor", "pupil"]),
    arguments=st.lists(words.filter(bool), min_size=1, max_size=3),
    query=fields,
    form=fields,
)
def test_a_page_asked_with_anything_never_fails(
    visitors: dict[str, Visitor],
    number: int,
    who: str,
    arguments: list[str],
    query: dict[str, Any],
    form: dict[str, Any],
) -> None:
    visitor = visitors[who]
    rule, method = chosen_route(visitor.client.application, number)
    address = fill(rule, visitor.sid, arguments)
    data = {"csrf": visitor.csrf, **form} if method == "POST" else None
    answer = visitor.client.open(address, method=method, query_string=query, data=data)
    assert answer.status_code < 500, (method, rule.rule, arguments, query, form)


@SOME
@given(number=st.integers(0, 10_000), query=fields, form=fields)
def test_a_real_page_asked_with_any_form_never_fails(
    visitors: dict[str, Visitor], number: int, query: dict[str, Any], form: dict[str, Any]
) -> None:
    visitor = visitors["teacher"]
    rule, method = chosen_route(visitor.client.application, number)
    address = fill(rule, visitor.sid, ["1"])
    data = {"csrf": visitor.csrf, **form} if method == "POST" else None
    answer = visitor.client.open(address, method=method, query_string=query, data=data)
    assert answer.status_code < 500, (method, rule.rule, query, form)


@SOME
@example(body={"entries": [], "since": False})
@example(body={"entries": [{"key": "k", "person": True, "competence": 1, "value": "3", "comment": None}]})
@given(body=bodies)
def test_a_scripts_entries_of_any_shape_never_fail(visitors: dict[str, Visitor], body: Any) -> None:
    answer = visitors["teacher"].post_json("/activities/1/cells", body)
    assert answer.status_code < 500, body
