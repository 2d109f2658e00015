"""« Activités »: how far each is, the filters, the order, copies; and activities for one group."""

from __future__ import annotations

import re
from datetime import date, timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from lti_tool.activities.models import Activity
from lti_tool.assessment.models import Assessment
from lti_tool.courses.groups import save_group
from lti_tool.courses.models import Course, CourseGroup
from lti_tool.db import begin_write, db, utcnow
from lti_tool.gradebook.models import ScoreDelivery
from tests import factories
from tests.conftest import School, Visitor
from tests.web.reading import words

FORM: dict[str, Any] = {
    "title": "Au comptoir",
    "starts_on": "2026-10-08",
    "setting": "simulated",
    "purpose": "formative",
    "complexity": "1",
    "competences": ["1A"],
    "version": "0",
}


def made(school: School, title: str, **values: Any) -> int:
    with school.app.app_context():
        begin_write()
        activity = factories.activity(
            db.session.get_one(Course, school.course.id), "1A", "1C", title=title, **values
        )
        db.session.commit()
        number = activity.id
        db.session.close()
    return number


def assess(school: School, activity_id: int, *pupils: str) -> None:
    with school.app.app_context():
        begin_write()
        activity = db.session.get_one(Activity, activity_id)
        for pupil in pupils:
            factories.assessment(activity, "1A", school.people[pupil], 3, school.people["teacher"])
        db.session.commit()
        db.session.close()


def group(school: School, name: str, *pupils: str) -> int:
    with school.app.app_context():
        begin_write()
        course = db.session.get_one(Course, school.course.id)
        found = factories.group(course, name, *(school.people[pupil] for pupil in pupils)).id
        db.session.commit()
        db.session.close()
    return found


def titles(visitor: Visitor, query: str = "") -> list[str]:
    return re.findall(
        r'scope="row" class="lead"><a [^>]*>([^<]*)</a>', visitor.get(f"/activities{query}").text
    )


def line(visitor: Visitor, activity_id: int) -> str:
    page = visitor.get("/activities").text
    return words(page.partition(f'id="a{activity_id}"')[2].partition("</tr>")[0])


# ----- how far -----


def test_an_activity_is_to_assess_then_in_progress_then_done(school: School) -> None:
    teacher = school.visit("teacher")
    number = made(school, "Au comptoir", starts_on=date(2026, 10, 8))
    assert "à évaluer 0/4" in line(teacher, number)
    assess(school, number, "Adam")
    assert "en cours 1/4" in line(teacher, number)
    assess(school, number, "Aïcha", "Chloé", "Zoé")
    assert "évaluée 4/4" in line(teacher, number)


def test_what_is_to_come_and_what_has_no_date_is_not_said_to_wait(school: School) -> None:
    teacher = school.visit("teacher")
    later = made(school, "Plus tard", starts_on=utcnow().date() + timedelta(days=30))
    undated = made(school, "Un jour", undated=True)
    assert "à venir" in line(teacher, later)
    assert "à fixer" in line(teacher, undated)
    assert "date à fixer" in line(teacher, undated)
    assert "/4" not in line(teacher, later) + line(teacher, undated)


def test_of_a_group_only_its_pupils_are_counted_and_those_moved_out_with_a_result(school: School) -> None:
    teacher = school.visit("teacher")
    key = group(school, "Groupe A", "Adam", "Zoé")
    number = made(school, "Atelier", group_id=key)
    assess(school, number, "Adam")
    assert "pour Groupe A" in line(teacher, number)
    assert "en cours 1/2" in line(teacher, number)

    with school.app.app_context():
        begin_write()
        course = db.session.get_one(Course, school.course.id)
        save_group(
            db.session, course, "Groupe A", [school.people["Zoé"].id], db.session.get_one(CourseGroup, key)
        )
        db.session.commit()
        db.session.close()

    assert "en cours 1/2" in line(teacher, number), "Adam's result is kept, Zoé is expected"


# ----- filters and order -----


def test_the_list_is_filtered_by_state_group_and_period(school: School) -> None:
    teacher = school.visit("teacher")
    key = group(school, "Groupe A", "Adam")
    first = made(school, "Un", starts_on=date(2026, 9, 15))
    made(school, "Deux", starts_on=date(2026, 10, 15), group_id=key)
    made(school, "Trois", undated=True, starts_on=date(2026, 9, 15))
    assess(school, first, "Adam")
    with school.app.app_context():
        begin_write()
        course = db.session.get_one(Course, school.course.id)
        span = factories.period(course, "Septembre", date(2026, 9, 1), date(2026, 9, 30)).id
        db.session.commit()
        db.session.close()

    assert titles(teacher, "?state=in_progress") == ["Un"]
    assert titles(teacher, "?state=undated") == ["Trois"]
    assert titles(teacher, f"?group={key}") == ["Deux"]
    assert sorted(titles(teacher, "?group=class")) == ["Trois", "Un"]
    assert titles(teacher, f"?period={span}") == ["Un"], "what has no date is in no period"
    assert "Rien avec ces filtres" in words(teacher.get(f"/activities?state=done&period={span}"))


def test_a_teacher_moves_activities_up_and_down_and_back_to_the_dates(school: School) -> None:
    teacher = school.visit("teacher")
    ids = {
        title: made(school, title, starts_on=date(2026, 10, day))
        for title, day in (("Un", 1), ("Deux", 2), ("Trois", 3))
    }
    assert titles(teacher) == ["Trois", "Deux", "Un"]

    teacher.post(f"/activities/{ids['Un']}/move", {"step": "up"})
    assert titles(teacher) == ["Trois", "Un", "Deux"]
    teacher.post(f"/activities/{ids['Trois']}/move", {"step": "down"})
    assert titles(teacher) == ["Un", "Trois", "Deux"]
    teacher.post(f"/activities/{ids['Un']}/move", {"step": "up"})
    assert titles(teacher) == ["Un", "Trois", "Deux"], "the first one goes no higher"

    made(school, "Quatre", starts_on=date(2026, 9, 1))
    assert titles(teacher) == ["Quatre", "Un", "Trois", "Deux"], "what nobody placed comes first"

    teacher.post("/activities/order")
    assert titles(teacher) == ["Trois", "Deux", "Un", "Quatre"]


def test_an_assessor_reads_the_list_and_does_not_arrange_it(school: School) -> None:
    number = made(school, "Un")
    assessor = school.visit("assessor")
    assert "Réordonner" not in words(assessor.get("/activities"))
    assert assessor.post(f"/activities/{number}/move", {"step": "up"}).status_code == 403


def test_the_list_asks_as_many_questions_whatever_its_length(school: School) -> None:
    teacher = school.visit("teacher")
    key = group(school, "Groupe A", "Adam")
    asked: list[str] = []

    def count() -> int:
        with school.app.app_context():
            engine = db.engine

        def on_execute(_c: Any, _u: Any, statement: str, *_more: Any) -> None:
            asked.append(statement)

        sa.event.listen(engine, "before_cursor_execute", on_execute)
        asked.clear()
        teacher.get("/activities")
        sa.event.remove(engine, "before_cursor_execute", on_execute)
        return len(asked)

    for number in range(2):
        assess(school, made(school, f"Activité {number}", group_id=key), "Adam")
    few = count()
    for number in range(8):
        assess(school, made(school, f"Autre {number}", group_id=key), "Adam")
    assert count() == few


# ----- copies -----


def test_a_copy_is_prepared_alike_dated_today_and_has_no_result(school: School) -> None:
    teacher = school.visit("teacher")
    key = group(school, "Groupe A", "Adam")
    number = made(school, "Au comptoir", group_id=key)
    assess(school, number, "Adam")

    form = teacher.get(f"/activities/new?copy={number}").text
    assert 'value="Au comptoir (copie)"' in form
    assert f'<option value="{key}" selected>' in form
    teacher.post("/activities/new", {**FORM, "title": "Au comptoir (copie)", "group": key})

    with school.app.app_context():
        copy = db.session.scalars(sa.select(Activity).where(Activity.id != number)).one()
        assert (copy.title, copy.group_id) == ("Au comptoir (copie)", key)
        assert db.session.scalar(sa.select(sa.func.count()).where(Assessment.activity_id == copy.id)) == 0
        db.session.close()


# ----- for one group -----


def test_the_form_says_for_whom_and_refuses_a_group_that_is_gone(school: School) -> None:
    teacher = school.visit("teacher")
    assert "Pour qui" not in teacher.get("/activities/new").text, "a course without groups is not asked"
    key = group(school, "Groupe A", "Adam")

    refused = teacher.post("/activities/new", {**FORM, "group": key + 100})
    assert refused.status_code == 422
    assert "Ce groupe n’est plus dans le cours" in words(refused)
    teacher.post("/activities/new", {**FORM, "group": key})

    with school.app.app_context():
        assert db.session.scalars(sa.select(Activity.group_id)).all() == [key]
        db.session.close()


def test_a_pupil_of_no_such_group_is_asked_nothing_and_gets_no_score(school: School) -> None:
    key = group(school, "Groupe A", "Adam")
    day = utcnow().date() + timedelta(days=5)
    number = made(school, "Atelier", group_id=key, starts_on=day)
    item = {name: school.people[name].id for name in ("Adam", "Zoé")}

    assert "Atelier" in words(school.visit("Adam").get("/me/activities"))
    assert "Atelier" not in words(school.visit("Zoé").get("/me/activities"))
    assert "Cette activité est pour un autre groupe." in words(
        school.visit("Zoé").get(f"/activities/{number}")
    )
    assert "Atelier" in words(school.visit("Adam").get("/me?competence=1A"))
    assert "Atelier" not in words(school.visit("Zoé").get("/me?competence=1A"))
    assert "Atelier" not in words(school.visit("Zoé").get("/referential/1A"))

    teacher = school.visit("teacher")
    page = teacher.get(f"/activities/{number}/grid").text
    assert "Adam B." in page
    assert "Zoé L." not in page
    with school.app.app_context():
        competence = factories.competence("1A").id
        db.session.close()
    key_of = {name: f"00000000-0000-4000-8000-00000000000{n}" for n, name in enumerate(item)}
    answer = teacher.post_json(
        f"/activities/{number}/cells",
        {
            "entries": [
                {"key": key_of[name], "person": person, "competence": competence, "value": "3"}
                for name, person in item.items()
            ],
            "since": 0,
        },
    ).json
    assert answer is not None
    assert [one["person"] for one in answer["saved"]] == [item["Adam"]]
    assert [one["key"] for one in answer["refused"]] == [key_of["Zoé"]]
    with school.app.app_context():
        assert db.session.scalars(sa.select(ScoreDelivery.person_id)).all() == [item["Adam"]]
        db.session.close()


def test_changing_the_group_later_loses_nothing(school: School) -> None:
    teacher = school.visit("teacher")
    key = group(school, "Groupe A", "Adam")
    number = made(school, "Atelier")
    assess(school, number, "Adam", "Zoé")

    teacher.post(f"/activities/{number}/edit", {**FORM, "version": "1", "group": key})

    page = teacher.get(f"/activities/{number}/grid").text
    assert [name in page for name in ("Adam B.", "Zoé L.", "Chloé M.")] == [True, True, False]
    assert "Atelier" in words(school.visit("Zoé").get("/me/activities")) or "Au comptoir" in words(
        school.visit("Zoé").get("/me/activities")
    )
    teacher.post(f"/activities/{number}/edit", {**FORM, "version": "2", "group": ""})
    assert "Chloé M." in teacher.get(f"/activities/{number}/grid").text


def test_an_activity_without_a_date_is_kept_so_until_it_gets_one(school: School) -> None:
    teacher = school.visit("teacher")
    number = made(school, "Un jour", undated=True)

    assert 'name="starts_on" value=""' in teacher.get(f"/activities/{number}/edit").text
    teacher.post(f"/activities/{number}/edit", {**FORM, "title": "Bientôt", "starts_on": "", "version": "1"})
    assert "date à fixer" in line(teacher, number)
    assert "Sans date : la fixer avant d’évaluer." in words(teacher.get(f"/activities/{number}/grid"))
    assert "Bientôt" not in words(school.visit("Adam").get("/me/activities"))

    teacher.post(f"/activities/{number}/edit", {**FORM, "title": "Bientôt", "version": "2"})
    assert "à évaluer 0/4" in line(teacher, number)
    assert "Bientôt" in words(school.visit("Adam").get("/me/activities"))


@pytest.mark.parametrize("address", ["/activities/{}", "/activities/{}/edit"])
def test_the_periods_of_a_date_are_said(school: School, address: str) -> None:
    number = made(school, "Un", starts_on=date(2026, 9, 15))
    with school.app.app_context():
        begin_write()
        course = db.session.get_one(Course, school.course.id)
        factories.period(course, "Trimestre 1", date(2026, 9, 1), date(2026, 11, 30))
        db.session.commit()
        db.session.close()
    assert "Trimestre 1" in words(school.visit("teacher").get(address.format(number)))
