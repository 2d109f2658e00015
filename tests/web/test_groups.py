"""« Groupes » and « Périodes »: made, changed and deleted by a teacher, without a script."""

from __future__ import annotations

from datetime import date

import pytest
import sqlalchemy as sa

from lti_tool.activities.models import Activity
from lti_tool.courses.groups import groups_of, members
from lti_tool.courses.models import CoursePeriod, PeriodKind, SchoolYear
from lti_tool.courses.periods import periods_of, proposed_terms, school_year_of, year_name
from lti_tool.db import begin_write, db, utcnow
from tests import factories
from tests.conftest import School
from tests.web.reading import words


def stored(school: School) -> dict[str, list[str]]:
    """The given names of the pupils of each group, by its name."""
    given = {person.id: name for name, person in school.people.items()}
    with school.app.app_context():
        inside = members(db.session, school.course.id)
        found = groups_of(db.session, school.course.id)
        groups = {one.name: sorted(given[p] for p in inside.get(one.id, set())) for one in found}
        db.session.close()
    return groups


def group_id(school: School, name: str) -> int:
    with school.app.app_context():
        found = next(one.id for one in groups_of(db.session, school.course.id) if one.name == name)
        db.session.close()
    return found


def ticked(school: School, name: str, *pupils: str) -> dict[str, object]:
    return {"name": name, "pupils": [school.people[pupil].id for pupil in pupils]}


def test_a_teacher_makes_a_group_by_a_name_and_ticks(school: School) -> None:
    teacher = school.visit("teacher")
    assert "Aucun groupe dans ce cours" in words(teacher.get("/groups"))

    made = teacher.post("/groups/new", ticked(school, "Groupe A", "Adam", "Zoé"))

    assert stored(school) == {"Groupe A": ["Adam", "Zoé"]}
    page = words(teacher.get(made.headers["Location"].partition(teacher.sid)[2]))
    assert "« Groupe A » est enregistré." in page
    assert "Groupe A 2 élèves Adam B., Zoé L. 0 activité" in page
    assert "Dans aucun groupe : Aïcha D., Chloé M." in page


def test_the_rest_of_the_class_is_ticked_at_once(school: School) -> None:
    teacher = school.visit("teacher")
    teacher.post("/groups/new", ticked(school, "Groupe A", "Adam", "Zoé"))

    page = teacher.get("/groups/new?rest=1").text

    boxes = {
        person: f'value="{school.people[person].id}" checked' in page
        for person in ("Adam", "Aïcha", "Chloé", "Zoé")
    }
    assert boxes == {"Adam": False, "Aïcha": True, "Chloé": True, "Zoé": False}


def test_a_group_changes_its_name_and_its_pupils(school: School) -> None:
    teacher = school.visit("teacher")
    teacher.post("/groups/new", ticked(school, "Groupe A", "Adam"))

    teacher.post(f"/groups/{group_id(school, 'Groupe A')}", ticked(school, "Atelier", "Chloé", "Adam"))

    assert stored(school) == {"Atelier": ["Adam", "Chloé"]}


def test_what_was_ticked_is_not_lost_when_the_name_is_wrong(school: School) -> None:
    teacher = school.visit("teacher")
    teacher.post("/groups/new", ticked(school, "Groupe A", "Adam"))

    again = teacher.post("/groups/new", ticked(school, "groupe a", "Zoé"))

    assert again.status_code == 422
    assert "Un autre groupe porte déjà ce nom : en changer." in words(again)
    assert f'value="{school.people["Zoé"].id}" checked' in again.text
    assert stored(school) == {"Groupe A": ["Adam"]}


def test_a_group_that_an_activity_is_for_is_not_deleted(school: School) -> None:
    teacher = school.visit("teacher")
    teacher.post("/groups/new", ticked(school, "Groupe A", "Adam"))
    key = group_id(school, "Groupe A")
    with school.app.app_context():
        begin_write()
        activity = factories.activity(db.session.merge(school.course), group_id=key, title="Au comptoir")
        db.session.commit()
        number = activity.id
        db.session.close()

    refused = teacher.post(f"/groups/{key}/delete")

    assert refused.status_code == 422
    assert "Une activité est pour ce groupe" in words(refused)
    assert f"/activities/{number}/edit" in refused.text
    assert stored(school) == {"Groupe A": ["Adam"]}


def test_a_group_that_nothing_is_for_is_deleted(school: School) -> None:
    teacher = school.visit("teacher")
    teacher.post("/groups/new", ticked(school, "Groupe A", "Adam"))
    done = teacher.post(f"/groups/{group_id(school, 'Groupe A')}/delete")
    assert done.headers["Location"].endswith("/groups?deleted=1")
    assert stored(school) == {}


def test_a_group_that_only_past_years_name_is_deleted_and_they_stay(school: School) -> None:
    teacher = school.visit("teacher")
    teacher.post("/groups/new", ticked(school, "Groupe A", "Adam"))
    key = group_id(school, "Groupe A")
    with school.app.app_context():
        begin_write()
        year = SchoolYear(course_id=school.course.id, name="2025-2026", closed_at=utcnow())
        db.session.add(year)
        db.session.flush()
        past = factories.activity(db.session.merge(school.course), group_id=key, year_id=year.id)
        db.session.commit()
        number = past.id
        db.session.close()

    assert teacher.post(f"/groups/{key}/delete").status_code == 303

    with school.app.app_context():
        assert db.session.get_one(Activity, number).group_id is None
        db.session.close()
    assert stored(school) == {}


# ----- periods -----


def line(n: int, name: str, starts: str, ends: str, kind: str = "term", key: int = 0) -> dict[str, str]:
    values = {"id": str(key), "name": name, "kind": kind, "starts": starts, "ends": ends}
    return {f"{field}_{n}": value for field, value in values.items()}


def periods(school: School) -> list[tuple[str, str, date, date]]:
    with school.app.app_context():
        found = [
            (p.name, str(p.kind), p.starts_on, p.ends_on) for p in periods_of(db.session, school.course.id)
        ]
        db.session.close()
    return found


FIRST = ("2026-09-01", "2026-11-30")


def test_terms_and_pfmp_are_kept_and_an_emptied_line_deletes(school: School) -> None:
    teacher = school.visit("teacher")
    teacher.post(
        "/periods",
        {
            **line(0, "Trimestre 1", *FIRST),
            **line(1, "PFMP 1", "2026-11-16", "2026-12-04", "pfmp"),
            **line(2, "", "", ""),
        },
    )
    assert periods(school) == [
        ("Trimestre 1", "term", date(2026, 9, 1), date(2026, 11, 30)),
        ("PFMP 1", "pfmp", date(2026, 11, 16), date(2026, 12, 4)),
    ]

    with school.app.app_context():
        key = db.session.scalar(sa.select(CoursePeriod.id).where(CoursePeriod.kind == PeriodKind.TERM))
        db.session.close()
    teacher.post("/periods", line(0, "", "", "", key=key or 0))

    assert [row[0] for row in periods(school)] == ["PFMP 1"]


@pytest.mark.parametrize(
    ("second", "sentence"),
    [
        (("Trimestre 2", "2026-11-30", "2027-03-14"), "« Trimestre 2 » et « Trimestre 1 » se chevauchent"),
        (("Trimestre 2", "2027-03-14", "2026-12-01"), "La fin vient avant le début"),
        (("Trimestre 2", "2026-12-01", ""), "Un début et une fin sont nécessaires"),
        (("", "2026-12-01", "2027-03-14"), "Un nom est nécessaire"),
        (("Trimestre 2", "2026-12-01", "2026-02-30"), "Un début et une fin sont nécessaires"),
    ],
)
def test_a_wrong_line_is_said_and_nothing_typed_is_lost(
    school: School, second: tuple[str, str, str], sentence: str
) -> None:
    answer = school.visit("teacher").post("/periods", {**line(0, "Trimestre 1", *FIRST), **line(1, *second)})
    assert answer.status_code == 422
    assert sentence in words(answer)
    assert f'value="{second[1]}"' in answer.text
    assert periods(school) == []


def test_two_pfmp_do_not_overlap_and_the_next_day_is_no_overlap(school: School) -> None:
    teacher = school.visit("teacher")
    both = {
        **line(0, "PFMP 1", "2026-11-16", "2026-12-04", "pfmp"),
        **line(1, "PFMP 2", "2026-12-04", "2026-12-18", "pfmp"),
    }
    assert "un jour n’est que d’une PFMP" in words(teacher.post("/periods", both))
    both["starts_1"] = "2026-12-05"
    assert teacher.post("/periods", both).status_code == 303


def test_a_course_without_terms_of_this_year_is_proposed_some(school: School) -> None:
    teacher = school.visit("teacher")
    page = teacher.get("/periods?proposal=terms").text
    assert page.count('value="Trimestre ') == 3
    assert "Proposer deux semestres" in page or "rien n’est encore enregistré" in page
    assert periods(school) == []


@pytest.mark.parametrize(
    ("day", "name"),
    [(date(2026, 7, 31), "2025-2026"), (date(2026, 8, 1), "2026-2027"), (date(2027, 1, 1), "2026-2027")],
)
def test_the_school_year_begins_in_august(day: date, name: str) -> None:
    assert year_name(school_year_of(day)) == name


def test_proposed_terms_follow_one_another_without_a_gap(school: School) -> None:
    with school.app.test_request_context():
        for count in (2, 3):
            rows = proposed_terms(2026, count)
            ends = [date.fromisoformat(row.ends_on) for row in rows]
            starts = [date.fromisoformat(row.starts_on) for row in rows]
            assert [(after - before).days for before, after in zip(ends, starts[1:], strict=False)] == [1] * (
                count - 1
            )
