"""The first launch of a course: three steps, each passed or kept, shown once."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from lti_tool.activities.links import CUSTOM_ACTIVITY, CUSTOM_PAGE
from lti_tool.courses.models import Course, ResourceLink
from lti_tool.db import begin_write, db, utcnow
from lti_tool.gradebook.models import GradebookSettings, ScoreDelivery
from lti_tool.gradebook.scores import queue_scores
from tests import factories
from tests.conftest import School
from tests.web.reading import words
from tests.web.test_referential_choice import CRCN, load


def leads_to(school: School, name: str, **session: object) -> str:
    """Where a launch of somebody leads, below the session."""
    visitor = school.visit(name, **session)
    return str(visitor.get("/").headers["Location"]).partition(visitor.sid)[2]


def course(school: School) -> Course:
    with school.app.app_context():
        found = db.session.get_one(Course, school.course.id)
        db.session.expunge(found)
        db.session.close()
    return found


def test_the_first_teacher_is_led_through_the_steps_and_nobody_again(school: School) -> None:
    assert leads_to(school, "teacher") == "/start"
    assert course(school).welcomed
    assert leads_to(school, "teacher") == "/activities"
    assert leads_to(school, "colleague") == "/activities"


@pytest.mark.parametrize(
    ("name", "home"), [("assessor", "/activities"), ("Adam", "/me"), ("observer", "/referential")]
)
def test_only_a_teacher_sees_them_and_who_comes_before_takes_them_from_nobody(
    school: School, name: str, home: str
) -> None:
    assert leads_to(school, name) == home
    assert not course(school).welcomed
    assert leads_to(school, "teacher") == "/start"


def test_a_course_that_has_activities_never_sees_them(school: School) -> None:
    with school.app.app_context():
        begin_write()
        factories.activity(db.session.get_one(Course, school.course.id), archived_at=utcnow())
        db.session.commit()
        db.session.close()
    assert leads_to(school, "teacher") == "/activities"


def test_they_are_in_no_links_way(school: School) -> None:
    with school.app.app_context():
        begin_write()
        link = ResourceLink(course_id=school.course.id, link_id="40")
        db.session.add(link)
        db.session.commit()
        number = link.id
        db.session.close()
    settings = {"return_url": "https://x.example.org", "data": ""}
    deep = {"deep_linking": {**settings, "accept_multiple": True, "accept_lineitem": True}}
    assert leads_to(school, "teacher", **deep) == "/picker"
    assert leads_to(school, "teacher", custom={CUSTOM_PAGE: "overview"}) == "/overview"
    copied = {"custom": {CUSTOM_ACTIVITY: "elsewhere"}, "resource_link_id": number}
    assert leads_to(school, "teacher", **copied) == "/link"
    assert not course(school).welcomed


def test_each_step_keeps_what_it_chose_and_leads_to_the_next(school: School) -> None:
    load(school, CRCN)
    teacher = school.visit("teacher")
    page = words(teacher.get("/start"))
    assert "étape 1 sur 3" in page
    assert "LSU 1 maîtrise insuffisante" in page

    first = teacher.post("/start", {"step": "1", "main": "crcn", "scale": "lsu"})
    assert first.headers["Location"].endswith("/start?step=2")
    assert (course(school).framework_slugs, course(school).scale) == (["crcn"], "lsu")

    second = teacher.post("/start", {"step": "2", "mode": "publish", "conversion": "table"})
    assert second.headers["Location"].endswith("/start?step=3")
    with school.app.app_context():
        kept = db.session.scalars(sa.select(GradebookSettings)).one()
        assert (kept.mode, kept.conversion) == ("publish", "table")
        db.session.close()
    assert "Nouvelle situation" in words(teacher.get("/start?step=3"))


def test_a_passed_step_changes_nothing(school: School) -> None:
    teacher = school.visit("teacher")
    for step in (1, 2, 3):
        assert teacher.get(f"/start?step={step}").status_code == 200
    assert (course(school).framework_slugs, course(school).scale) == (["mrc-seconde"], "lsl-pro")
    with school.app.app_context():
        assert db.session.scalars(sa.select(GradebookSettings)).all() == []
        db.session.close()


@pytest.mark.parametrize(
    "form", [{"main": "x", "scale": "lsu"}, {"main": "mrc-seconde", "scale": "../lsu"}, {}]
)
def test_what_is_not_in_the_list_is_refused(school: School, form: dict[str, str]) -> None:
    answer = school.visit("teacher").post("/start", {"step": "1", **form})
    assert answer.status_code == 422
    assert (course(school).framework_slugs, course(school).scale) == (["mrc-seconde"], "lsl-pro")


def test_the_scale_of_the_course_is_chosen_in_its_settings_and_its_words_are_used(school: School) -> None:
    with school.app.app_context():
        begin_write()
        own = db.session.get_one(Course, school.course.id)
        activity = factories.activity(own, "1A")
        adam = school.people["Adam"]
        factories.assessment(activity, "1A", adam, 3, school.people["teacher"])
        queue_scores(db.session, own, [(adam.id, factories.competence("1A").id)], utcnow())
        db.session.commit()
        db.session.close()
    teacher = school.visit("teacher")

    teacher.post("/settings/scale", {"scale": "lsu"})

    assert "maîtrise satisfaisante" in words(teacher.get(f"/pupils/{school.people['Adam'].id}"))
    with school.app.app_context():
        comments = db.session.scalars(sa.select(ScoreDelivery.comment).order_by(ScoreDelivery.id)).all()
        db.session.close()
    assert ["maîtrise satisfaisante" in comment for comment in comments] == [False, True]
    assert teacher.post("/settings/scale", {"scale": "x"}).status_code == 400
