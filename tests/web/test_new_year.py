"""« Nouvelle année »: results are put away, activities come back without their dates, nothing is sent or cleared."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from threading import Barrier
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask

from lti_tool.activities.links import activity_of_link, follow_custom, link_activity
from lti_tool.activities.models import Activity
from lti_tool.activities.years import close_year, year_mark
from lti_tool.assessment.decisions import standing_decisions
from lti_tool.assessment.entries import observations
from lti_tool.assessment.models import Assessment, Decision
from lti_tool.courses.models import Course, Enrolment, ResourceLink, Role, SchoolYear
from lti_tool.courses.people import pupils
from lti_tool.db import begin_write, db, utcnow
from lti_tool.gradebook.expected import expected_scores
from lti_tool.gradebook.models import DeliveryState, ScoreDelivery
from lti_tool.gradebook.publishing import Change, plan_scores
from lti_tool.gradebook.scores import current_values, hold_course, queue_all, queue_scores
from tests import factories
from tests.conftest import School, make_school
from tests.web.reading import words

DAY = date(2026, 8, 31)


@dataclass
class Year:
    """A course at the end of its year: one activity assessed and sent, one archived, a link that opens the first."""

    app: Flask
    school: School
    activity_id: int
    uuid: str
    link_id: int

    @property
    def course(self) -> Course:
        return db.session.get_one(Course, self.school.course.id)

    def close(self, mark: str | None = None) -> SchoolYear | None:
        begin_write()
        course = self.course
        hold_course(db.session, course.id)
        teacher = self.school.people["teacher"].id
        closed = close_year(db.session, course, mark or year_mark(course), teacher, DAY, utcnow())
        db.session.commit()
        return closed

    def current(self) -> list[Activity]:
        query = sa.select(Activity).where(Activity.year_id.is_(None)).order_by(Activity.id)
        return list(db.session.scalars(query))

    def listed(self, *names: str) -> None:
        """Make these pupils the class list."""
        begin_write()
        people = [self.school.people[name].id for name in names]
        db.session.execute(sa.update(Enrolment).where(Enrolment.person_id.in_(people)).values(in_roster=True))
        db.session.commit()


@pytest.fixture
def year(any_app: Flask) -> Iterator[Year]:
    db.session.close()
    school = make_school(any_app)
    begin_write()
    course = db.session.get_one(Course, school.course.id)
    adam, teacher = school.people["Adam"], school.people["teacher"]
    group = factories.group(course, "Groupe A", adam)
    activity = factories.activity(
        course, "1A", "1C", starts_on=date(2026, 3, 19), group_id=group.id, complexity=2, position=3
    )
    factories.activity(course, "1A", title="Rangée", starts_on=date(2026, 2, 2), archived_at=utcnow())
    factories.assessment(activity, "1A", adam, 3, teacher)
    link = ResourceLink(course_id=course.id, link_id="40")
    db.session.add(link)
    db.session.flush()
    link_activity(db.session, link, activity)
    (sent,) = queue_scores(db.session, course, [(adam.id, factories.competence("1A").id)], utcnow())
    sent.state, sent.done_at = DeliveryState.SENT, utcnow()
    db.session.commit()
    yield Year(any_app, school, activity.id, activity.uuid, link.id)
    db.session.close()


def deliveries() -> list[tuple[str, Decimal | None]]:
    rows = db.session.execute(sa.select(ScoreDelivery.state, ScoreDelivery.score).order_by(ScoreDelivery.id))
    return [(str(state), score) for state, score in rows]


def test_activities_come_back_prepared_alike_without_date_or_result(year: Year) -> None:
    closed = year.close()

    assert closed is not None
    assert closed.name == "2025-2026"
    (copy,) = year.current()
    old = db.session.get_one(Activity, year.activity_id)
    assert (copy.undated, copy.ends_on, copy.complexity, copy.position) == (True, None, 2, 3)
    assert copy.group_id == old.group_id
    assert [one.item.code for one in copy.competences] == ["1A", "1C"]
    assert (old.year_id, old.starts_on) == (closed.id, date(2026, 3, 19))
    assert db.session.scalars(sa.select(Assessment.activity_id)).all() == [year.activity_id]
    put_away = db.session.scalars(sa.select(Activity.year_id).where(Activity.title == "Rangée")).all()
    assert put_away == [closed.id], "what was archived goes with its year, and is not copied"


def test_the_links_of_the_course_open_the_new_years_activity(year: Year) -> None:
    year.close()

    (copy,) = year.current()
    link = db.session.get_one(ResourceLink, year.link_id)
    assert copy.uuid == year.uuid
    assert activity_of_link(db.session, link) == copy
    again = ResourceLink(course_id=year.course.id, link_id="41")
    db.session.add(again)
    db.session.flush()
    assert follow_custom(db.session, year.course, again, {"spirale_activity": year.uuid}) == copy


def test_results_are_still_read_and_count_no_more(year: Year) -> None:
    closed = year.close()
    assert closed is not None

    course = year.course
    assert observations(db.session, course.id) == []
    assert [o.level for o in observations(db.session, course.id, year_id=closed.id)] == [3]
    db.session.close()
    teacher = year.school.visit("teacher")
    assert "2025-2026" in words(teacher.get("/years"))
    grid = teacher.get(f"/activities/{year.activity_id}/grid")
    assert "Année passée : en lecture seule." in words(grid)
    assert 'value="3"' in grid.text
    assert teacher.get(f"/activities/{year.activity_id}/edit").status_code == 404
    assert teacher.post(f"/activities/{year.activity_id}/archive").status_code == 404


def test_nothing_is_sent_again_nor_cleared(year: Year) -> None:
    before = deliveries()
    year.close()

    begin_write()
    assert queue_all(db.session, year.course, utcnow()) == []
    assert current_values(db.session, year.course) == {}
    db.session.commit()
    assert deliveries() == before == [("sent", Decimal("3.00"))]


def test_what_still_waits_of_the_past_year_is_left_to_go(year: Year) -> None:
    begin_write()
    db.session.execute(sa.update(ScoreDelivery).values(state=DeliveryState.WAITING, done_at=None))
    db.session.commit()
    year.close()

    begin_write()
    queue_all(db.session, year.course, utcnow())
    db.session.commit()
    assert deliveries() == [("waiting", Decimal("3.00"))]


def test_the_same_level_is_sent_in_the_new_year_and_an_emptied_column_is_no_surprise(year: Year) -> None:
    year.listed("Adam")
    year.close()
    begin_write()
    (copy,) = year.current()
    copy.undated = False
    adam, item = year.school.people["Adam"].id, factories.competence("1A").id
    factories.assessment(copy, "1A", year.school.people["Adam"], 3, year.school.people["teacher"])

    (line,) = plan_scores(db.session, year.course).lines
    assert (line.pair, line.change) == ((adam, item), Change.NEW), "as « Publier » would say"
    for _again in range(2):
        queue_scores(db.session, year.course, [(adam, item)], utcnow())

    assert deliveries() == [("sent", Decimal("3.00")), ("waiting", Decimal("3.00"))]
    plan = plan_scores(db.session, year.course)
    assert [(line.pair, line.change) for line in plan.lines] == [((adam, item), Change.UNCHANGED)]
    held = expected_scores(db.session, year.course.id, item, [adam], None, year.course.year_began_at)
    assert held == {adam: ((None, 0), (Decimal("3.00"), 4))}, "the LMS's course was reset, or it was not"
    db.session.rollback()


def test_what_teachers_retained_in_a_past_year_says_nothing_of_the_new_one(year: Year) -> None:
    begin_write()
    adam, item = year.school.people["Adam"].id, factories.competence("1A").id
    kept = {"level": 4, "complexity": 2, "reason": "Vu en PFMP"}
    db.session.add(Decision(course_id=year.course.id, person_id=adam, item_id=item, **kept))
    db.session.commit()
    assert len(standing_decisions(db.session, year.course.id)) == 1
    year.close()

    assert standing_decisions(db.session, year.course.id) == {}
    assert db.session.scalar(sa.select(sa.func.count()).select_from(Decision)) == 1


def test_who_is_not_in_the_class_list_is_hidden_until_they_come_back(year: Year) -> None:
    year.listed("Adam", "Zoé")
    year.close()

    assert [pupil.name for pupil in pupils(db.session, year.course.id)] == ["Adam B.", "Zoé L."]
    staff = db.session.scalars(sa.select(Enrolment.active).where(Enrolment.role != Role.LEARNER)).all()
    assert set(staff) == {True}
    assert db.session.scalar(sa.select(sa.func.count()).select_from(Assessment)) == 1


def test_a_second_press_changes_nothing(year: Year) -> None:
    mark = year_mark(year.course)
    assert year.close(mark) is not None
    ids = [one.id for one in year.current()]

    assert year.close(mark) is None

    assert [one.id for one in year.current()] == ids
    assert db.session.scalar(sa.select(sa.func.count()).select_from(SchoolYear)) == 1


def test_two_teachers_at_once_close_one_year(year: Year) -> None:
    db.session.close()
    visits = [year.school.visit(name) for name in ("teacher", "colleague")]
    start = Barrier(2)

    def press(visitor: Any) -> str:
        start.wait(timeout=10)
        return str(visitor.post("/year", {"mark": "first"}).headers["Location"])

    with ThreadPoolExecutor(2) as threads:
        answers = sorted(
            address.partition("/years?")[2].partition("=")[0] for address in threads.map(press, visits)
        )

    assert answers == ["already", "closed"]
    assert len(year.current()) == 1
    assert db.session.scalar(sa.select(sa.func.count()).select_from(SchoolYear)) == 1


def test_a_year_closed_again_gets_a_name_of_its_own(year: Year) -> None:
    year.close()
    begin_write()
    for activity in year.current():
        activity.undated, activity.starts_on = False, date(2026, 5, 1)
    db.session.commit()
    again = year.close()
    assert again is not None
    assert again.name == "2025-2026 (2)"


# ----- the page -----


def test_the_page_counts_before_anything_is_done(school: School) -> None:
    with school.app.app_context():
        begin_write()
        course = db.session.get_one(Course, school.course.id)
        for number in range(2):
            activity = factories.activity(
                course, "1A", title=f"Activité {number}", starts_on=date(2026, 3, 1)
            )
            factories.assessment(activity, "1A", school.people["Adam"], 3, school.people["teacher"])
        db.session.commit()
        db.session.close()
    teacher = school.visit("teacher")

    page = words(teacher.get("/year"))

    assert "2 résultats rangés dans l’année 2025-2026" in page
    assert "2 activités reviennent, sans date ni résultat." in page
    assert "4 élèves qui ne sont pas dans la liste de la classe sont masqués" in page
    assert "Aucune année passée" in words(teacher.get("/years"))
    done = teacher.post("/year", {"mark": "first"}, follow_redirects=True)
    assert "L’année 2025-2026 est rangée." in words(done)


def test_a_course_without_activities_has_nothing_to_put_away(school: School) -> None:
    teacher = school.visit("teacher")
    assert "Rien à ranger" in words(teacher.get("/year"))
    assert teacher.post("/year", {"mark": "first"}).headers["Location"].endswith("/years?already=1")


def test_the_gradebook_page_shows_nothing_of_the_past_year(year: Year) -> None:
    year.close()
    db.session.close()
    page = words(year.school.visit("teacher").get("/gradebook?state=sent"))
    assert "Adam" not in page
