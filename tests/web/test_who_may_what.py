"""Every route, walked as every kind of visitor: only what the tables of docs/security.md allow."""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask
from werkzeug.routing import Rule
from werkzeug.test import TestResponse

from lti_tool.assessment.models import SavedComment
from lti_tool.config import shipped
from lti_tool.courses.models import Course, Person, Role
from lti_tool.db import Base, db, utcnow
from lti_tool.gradebook.models import DeliveryState
from lti_tool.gradebook.scores import queue_scores
from lti_tool.lti.models import Deployment, Platform
from lti_tool.web.guard import ASKED, RIGHTS
from tests import factories
from tests.conftest import School, Visitor, open_visit

PAGE = "/l/<sid>/"
TITLE, COMMENT, FAMILY = "Situation du lycée Marqueur", "Remarque Marqueur", "Marqueur"
OF_A_COURSE = ("course_id", "activity_id", "person_id")
"""The columns by which a row belongs to a course."""
ROLES = {
    "observer": Role.OBSERVER,
    "pupil": Role.LEARNER,
    "assessor": Role.ASSESSOR,
    "teacher": Role.TEACHER,
}


def table(first: str) -> dict[tuple[str, str], dict[str, str]]:
    """The rows of a table of the document, by route and method; its heading begins with `first`."""
    lines = shipped("docs", "security.md").read_text(encoding="utf-8").splitlines()
    start = next(n for n, line in enumerate(lines) if line.startswith(f"| {first} | methods |"))
    names = [cell.strip() for cell in lines[start].strip("|").split("|")]
    rows = {}
    for line in lines[start + 2 :]:
        if not line.startswith("|"):
            break
        cells = dict(zip(names, (cell.strip() for cell in line.strip("|").split("|")), strict=True))
        for method in cells["methods"].split():
            rows[cells[first].strip("`"), method] = cells
    return rows


def routes(app: Flask) -> Iterator[tuple[Rule, str]]:
    for rule in app.url_map.iter_rules():
        for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"}):
            yield rule, method


@dataclass
class Target:
    """A course with everything in it, whose numbers visitors put in addresses and forms."""

    school: School
    values: dict[str, str]
    form: dict[str, Any]

    def address(self, rule: Rule) -> str:
        """The route's address below the session; arguments are those of this course, or something plausible."""
        path = rule.rule.removeprefix("/l/<sid>")
        return re.sub(r"<(?:\w+:)?(\w+)>", lambda found: self.values.get(found[1], "1"), path)


@pytest.fixture
def target(school: School) -> Target:
    with school.app.app_context():
        course = db.session.merge(school.course)
        pupil = db.session.get_one(Person, school.people["Chloé"].id)
        pupil.family_name, pupil.name = FAMILY, f"Chloé {FAMILY}"
        activity = factories.activity(course, "1A", title=TITLE)
        assessed = factories.assessment(activity, "1A", pupil, 3, school.people["teacher"], COMMENT)
        kept = SavedComment(person_id=school.people["teacher"].id, text=COMMENT)
        db.session.add(kept)
        item = factories.competence("1A")
        db.session.flush()
        (delivery,) = queue_scores(db.session, course, [(pupil.id, item.id)], utcnow())
        delivery.state = DeliveryState.CHANGED
        group = factories.group(course, "Groupe Marqueur", pupil)
        values = {
            "group_id": str(group.id),
            "activity_id": str(activity.id),
            "person_id": str(pupil.id),
            "comment_id": str(kept.id),
            "code": "1A",
            "identifier": item.uuid,
            "filename": "spirale.css",
        }
        form = {
            "person": pupil.id,
            "pupil": pupil.id,
            "competence": item.id,
            "competences": "1A",
            "item": item.id,
            "activity": activity.id,
            "copy": activity.id,
            "restore": activity.id,
            "archived": activity.id,
            "pupils": pupil.id,
            "name": "D’ailleurs",
            "group": group.id,
            "name_0": "Trimestre 1",
            "starts_0": "2026-09-01",
            "ends_0": "2026-11-30",
            "delivery": delivery.id,
            "comment": "écrit d’ailleurs",
            "text": "écrit d’ailleurs",
            "all": "1",
            "state": str(DeliveryState.CHANGED),
            f"c-{pupil.id}-{item.id}": "1",
            f"e-{pupil.id}-{item.id}": str(assessed.id),
            f"level-{item.id}": "1",
            f"comment-{item.id}": "écrit d’ailleurs",
        }
        db.session.commit()
    return Target(school, values, form)


def ask(visitor: Visitor, target: Target, rule: Rule, method: str, *, full: bool = False) -> TestResponse:
    """Open a page as a visitor; `full`: with the numbers of the target's course wherever one can be put."""
    path = target.address(rule)
    if method == "GET":
        return visitor.get(path, query_string=target.form if full else {})
    if full and rule.rule.endswith("/cells"):
        entry = {"key": str(uuid.uuid4()), "value": "1", "comment": "écrit d’ailleurs"}
        numbers = {"person": target.form["person"], "competence": target.form["competence"]}
        return visitor.post_json(path, {"entries": [{**entry, **numbers}], "since": 0})
    return visitor.post(path, target.form if full else {})


def assert_is(cell: str, answer: TestResponse, what: tuple[str, str, str]) -> None:
    """The answer is what a cell of the table says."""
    if cell == "opens":
        assert answer.status_code < 500, what
        assert answer.status_code not in (401, 403, 410), (*what, answer.status_code)
    else:
        assert answer.status_code == int(cell), (*what, answer.status_code)


# ----- the tables -----


def test_every_route_is_in_the_document(app: Flask) -> None:
    known = {**table("route"), **table("page")}
    walked = {(rule.rule, method) for rule, method in routes(app)}
    assert walked - set(known) == set(), "add a row to docs/security.md"
    assert set(known) - walked == set(), "take the row out of docs/security.md"


def test_every_page_of_a_session_declares_its_right_as_the_table_says(app: Flask) -> None:
    pages = table("page")
    for rule, method in routes(app):
        if rule.rule.startswith(PAGE):
            for column, role in ROLES.items():
                if ASKED[rule.endpoint] not in RIGHTS[role]:
                    assert pages[rule.rule, method][column] == "403", (rule.rule, method, column)
        else:
            assert (rule.rule, method) in table("route")


# ----- the walks -----


def test_nobody_gets_what_the_tables_say(target: Target) -> None:
    client = target.school.app.test_client()
    client.set_cookie("spirale", "another browser", domain="localhost", secure=False)
    stranger = Visitor(client, "not-a-session", 0, 0)
    known = {**table("route"), **table("page")}
    for rule, method in routes(target.school.app):
        if rule.rule.startswith(PAGE):
            answer = ask(stranger, target, rule, method, full=True)
        else:
            answer = client.open(target.address(rule), method=method)
        assert_is(known[rule.rule, method]["nobody"], answer, (rule.rule, method, "nobody"))
        assert FAMILY not in answer.text
        answer.close()


@pytest.mark.parametrize(
    ("who", "column"),
    [("observer", "observer"), ("Adam", "pupil"), ("assessor", "assessor"), ("teacher", "teacher")],
)
def test_each_role_gets_what_the_table_says(target: Target, who: str, column: str) -> None:
    visitor, pages = target.school.visit(who), table("page")
    for rule, method in routes(target.school.app):
        if rule.rule.startswith(PAGE):
            answer = ask(visitor, target, rule, method)
            assert_is(pages[rule.rule, method][column], answer, (rule.rule, method, column))
            if column in ("observer", "pupil"):
                assert COMMENT not in answer.text, rule.rule
                assert FAMILY not in answer.text.replace(TITLE, ""), rule.rule


def elsewhere(target: Target, place: str, role: Role) -> Visitor:
    """Somebody of another course: of the same platform, or of one with the same issuer and the same numbers."""
    with target.school.app.app_context():
        here = db.session.merge(target.school.course)
        on = here.platform
        if place == "platform":
            on = factories.platform(issuer=on.issuer, deployments=[Deployment(deployment_id="1")])
        there = factories.course(on, title="Ailleurs", label="AILLEURS")
        if place == "platform":
            there.context_id = here.context_id
        person = factories.enrolled(there, "Nadia", "Ailleurs", role)
        factories.activity(there, "1A", title="Situation d’ailleurs")
        db.session.commit()
        return open_visit(target.school.app, there, person)


def rows_of(target: Target) -> dict[str, list[Any]]:
    """Every row that belongs to the target's course."""
    ids = {
        "course_id": [target.school.course.id],
        "activity_id": [int(target.values["activity_id"])],
        "person_id": [person.id for person in target.school.people.values()],
    }
    found = {}
    with target.school.app.app_context():
        for kept in Base.metadata.sorted_tables:
            mine = [kept.c[name].in_(ids[name]) for name in OF_A_COURSE if name in kept.c]
            if kept.name == "course":
                mine = [kept.c.id.in_(ids["course_id"])]
            if kept.name == "activity":
                mine.append(kept.c.id.in_(ids["activity_id"]))
            if mine and kept.name != "launch_session":
                rows = db.session.execute(sa.select(kept).where(sa.or_(*mine))).all()
                found[kept.name] = sorted(map(repr, rows))
    return found


@pytest.mark.parametrize("role", [Role.LEARNER, Role.ASSESSOR, Role.TEACHER])
@pytest.mark.parametrize("place", ["course", "platform"])
def test_who_comes_from_elsewhere_reads_and_changes_nothing_of_this_course(
    target: Target, place: str, role: Role
) -> None:
    visitor, pages = elsewhere(target, place, role), table("page")
    column = {Role.LEARNER: "pupil", Role.ASSESSOR: "assessor", Role.TEACHER: "teacher"}[role]
    before = rows_of(target)
    assert before["assessment"]
    assert before["activity"]
    for rule, method in routes(target.school.app):
        if rule.rule.startswith(PAGE):
            cells, answer = pages[rule.rule, method], ask(visitor, target, rule, method, full=True)
            expected = cells["from elsewhere"]
            if cells[column] == "403":
                expected = "403"
            assert_is("opens" if expected == "own" else expected, answer, (rule.rule, method, place))
            for secret in (FAMILY, TITLE, COMMENT):
                assert secret not in answer.text, (rule.rule, method)
    assert rows_of(target) == before


def test_a_session_of_another_course_opens_no_page_of_this_one(target: Target) -> None:
    stranger = elsewhere(target, "course", Role.TEACHER)
    teacher = target.school.visit("teacher")
    borrowed = Visitor(stranger.client, teacher.sid, 0, 0, teacher.csrf)
    for rule, method in routes(target.school.app):
        if rule.rule.startswith(PAGE):
            assert ask(borrowed, target, rule, method, full=True).status_code == 410, rule.rule


def test_the_two_courses_of_the_walk_really_differ(target: Target) -> None:
    elsewhere(target, "platform", Role.TEACHER)
    with target.school.app.app_context():
        issuers = list(db.session.scalars(sa.select(Platform.issuer)))
        contexts = list(db.session.scalars(sa.select(Course.context_id)))
    assert len(issuers) == 2
    assert len(set(issuers)) == 1
    assert len(set(contexts)) == 1
