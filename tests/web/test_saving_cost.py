"""What saving a cell asks of the database: as much in a small class as in a large one, however much was seen before."""

from __future__ import annotations

import uuid
from datetime import date, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask

from lti_tool.activities.models import Activity, ActivityLink
from lti_tool.assessment.models import Assessment
from lti_tool.courses.models import Person, ResourceLink, Role
from lti_tool.db import begin_write, db
from lti_tool.gradebook.models import ScoreDelivery
from lti_tool.web import guard
from tests import factories
from tests.both import any_app as any_app
from tests.conftest import School, Visitor, open_visit
from tests.lti.test_launch_cost import statements

CODES = ("1A", "1B", "2A")
MOST = 18
"""With the scores of its competence and of the column that the activity has of its own."""


def a_class(app: Flask, pupils: int, turns: int) -> tuple[Visitor, Activity, list[Person], list[int]]:
    """A class that was assessed so many times, where each activity has its own column too; a new activity."""
    begin_write()
    course = factories.course()
    teacher = factories.enrolled(course, "Claire", "Morel", Role.TEACHER)
    people = [factories.enrolled(course, "Camille", f"Roux {n}") for n in range(pupils)]
    items = [factories.competence(code).id for code in CODES]
    for number in range(turns + 1):
        new = factories.activity(course, *CODES, starts_on=date(2026, 1, 5) + timedelta(days=7 * number))
        link = ResourceLink(
            course_id=course.id, link_id=f"link-{number}", lineitem_url=f"https://lms/{number}"
        )
        db.session.add(link)
        db.session.flush()
        db.session.add(ActivityLink(resource_link_id=link.id, activity_id=new.id, graded=True))
        for person in people if number < turns else []:
            for item in items:
                db.session.add(
                    Assessment(
                        key=str(uuid.uuid4()),
                        activity_id=new.id,
                        item_id=item,
                        person_id=person.id,
                        assessor_id=teacher.id,
                        level=2,
                    )
                )
    db.session.commit()
    db.session.close()
    return open_visit(app, course, teacher), new, people, items


def typed(person: Person, item: int, value: str) -> dict[str, Any]:
    return {
        "key": str(uuid.uuid4()),
        "person": person.id,
        "competence": item,
        "value": value,
        "comment": None,
    }


def test_a_cell_costs_as_many_statements_in_any_class_and_a_column_hardly_more_reads(any_app: Flask) -> None:
    counts = []
    for pupils, turns in ((3, 1), (30, 8)):
        visitor, activity, people, items = a_class(any_app, pupils, turns)
        path = f"/activities/{activity.id}/cells"
        visitor.post_json(path, {"entries": [typed(people[0], items[0], "1")], "since": 1})
        with statements(any_app) as sent:
            answer = visitor.post_json(path, {"entries": [typed(people[1], items[0], "4")], "since": 1})
        assert len(answer.json["saved"]) == 1
        db.session.rollback()  # what was read before stays as it was
        # Its competence's score and its activity's own, and no other activity's.
        written = db.session.scalars(
            sa.select(ScoreDelivery).where(ScoreDelivery.person_id == people[1].id)
        ).all()
        assert sorted(d.item_id is None for d in written) == [False, True]
        db.session.close()
        column = [typed(person, items[1], "3") for person in people]
        with statements(any_app) as pasted:
            answer = visitor.post_json(path, {"entries": column, "since": 1})
        assert [row["person"] for row in answer.json["saved"]] == [person.id for person in people]
        counts.append((len(sent), sum(s.startswith("SELECT") for s in pasted)))
    assert counts[0] == counts[1]
    assert counts[0][0] <= MOST, counts


def test_a_cell_typed_twice_in_one_request_keeps_both_and_holds_the_second(any_app: Flask) -> None:
    visitor, activity, people, items = a_class(any_app, 3, 1)
    twice = [typed(people[0], items[0], value) for value in ("1", "4")]
    others = [typed(person, item, "2") for person in people for item in items[1:]]
    answer = visitor.post_json(f"/activities/{activity.id}/cells", {"entries": twice + others, "since": 1})
    saved = answer.json["saved"]
    assert [row["key"] for row in saved] == [entry["key"] for entry in twice + others]
    assert [row["entry"] for row in saved] == sorted(row["entry"] for row in saved)
    rows = db.session.scalars(
        sa.select(Assessment).where(Assessment.key.in_([e["key"] for e in twice])).order_by(Assessment.id)
    )
    assert [row.level for row in rows] == [1, 4]
    score = sa.select(ScoreDelivery.level).where(
        ScoreDelivery.person_id == people[0].id, ScoreDelivery.item_id == items[0]
    )
    assert db.session.scalars(score).all() == [3]  # a 2 before and a 4 now; the 1 between is no turn


def test_a_request_of_no_session_never_takes_the_lock(
    school: School, monkeypatch: pytest.MonkeyPatch
) -> None:
    visitor = school.visit("teacher")
    taken: list[str] = []
    monkeypatch.setattr(guard, "begin_write", lambda: taken.append("lock") or begin_write())
    stranger = Visitor(
        school.app.test_client(), visitor.sid, visitor.course_id, visitor.person_id, visitor.csrf
    )
    body = {"entries": [], "since": 1}
    refused = stranger.post_json("/activities/1/cells", body).status_code
    assert (refused, taken) == (stranger.get("/activities").status_code, [])
    visitor.post_json("/activities/1/cells", body)
    assert taken == ["lock"]
