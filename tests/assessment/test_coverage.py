"""What a course has really worked: no page here, but the rows of the grid on both databases."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from flask import Flask

from lti_tool.activities.models import Activity
from lti_tool.assessment.coverage import (
    NO_SPECIALITY,
    Coverage,
    Seen,
    Verdict,
    cover,
    planned_situations,
    seen_situations,
)
from lti_tool.assessment.spans import ELSEWHERE, Span, parts_of_year, present_span, span_of
from lti_tool.db import db
from tests import factories
from tests.conftest import make_school

AUTUMN = Span("1", date(2026, 9, 1), date(2026, 11, 30), "Trimestre 1")
WINTER = Span("2", date(2026, 12, 1), date(2027, 2, 28), "Trimestre 2")
PFMP = Span("3", date(2027, 1, 11), date(2027, 1, 29), "PFMP 1")
YEAR = [AUTUMN, WINTER, PFMP]
OCTOBER, NOVEMBER, JANUARY = date(2026, 10, 8), date(2026, 11, 26), date(2027, 1, 20)
A, B = 11, 12


@pytest.fixture(autouse=True)
def _mapped(request: pytest.FixtureRequest) -> None:
    """Activities are mapped rows, stored or not."""
    if "any_app" not in request.fixturenames:
        request.getfixturevalue("in_app")


def seen(
    number: int,
    day: date = OCTOBER,
    specialities: str = "A",
    complexity: int = 1,
    item: int = A,
    people: str = "1",
) -> Seen:
    activity = Activity(id=number, starts_on=day, specialities=list(specialities), complexity=complexity)
    return Seen(activity, item, frozenset(int(one) for one in people))


def table(*found: Seen, planned: list[tuple[int, int]] | None = None, today: date = NOVEMBER) -> Coverage:
    return cover([A, B], YEAR, found, planned or [], today)


def shown(coverage: Coverage) -> dict[tuple[str, str], list[int]]:
    """The situations of competence A, by stretch and speciality, where there are some."""
    return {
        place: [s.activity.id for s in cell.seen]
        for place, cell in coverage.lines[0].cells.items()
        if cell.seen
    }


def test_a_situation_counts_in_each_speciality_it_explores_and_once_in_the_line():
    coverage = table(seen(1, specialities="AV"), seen(2, specialities="A"))

    assert shown(coverage) == {("1", "A"): [1, 2], ("1", "V"): [1]}
    assert len(coverage.lines[0].seen) == 2
    assert coverage.situations == 2
    assert coverage.lines[1].seen == ()


def test_a_cell_says_its_hardest_situation_and_each_pupil_once():
    cell = table(seen(1, people="12"), seen(2, complexity=3, people="23")).lines[0].cells["1", "A"]

    assert (cell.complexity, cell.people) == (3, {1, 2, 3})


def test_work_of_a_placement_counts_there_and_not_in_the_term_around_it():
    coverage = table(seen(1, JANUARY), seen(2, date(2027, 1, 30)))

    assert shown(coverage) == {("3", "A"): [1], ("2", "A"): [2]}


@pytest.mark.parametrize(
    ("day", "key"),
    [
        (AUTUMN.first - timedelta(days=1), None),
        (AUTUMN.first, "1"),
        (AUTUMN.last, "1"),
        (WINTER.first, "2"),
        (PFMP.first - timedelta(days=1), "2"),
        (PFMP.first, "3"),
        (PFMP.last, "3"),
        (WINTER.last, "2"),
        (WINTER.last + timedelta(days=1), None),
    ],
)
def test_both_ends_of_a_stretch_are_in_it(day, key):
    span = span_of(YEAR, day)

    assert (span and span.key) == key


def test_work_outside_every_stretch_has_a_column_of_its_own_and_only_then():
    early, late = date(2026, 6, 2), date(2027, 6, 2)

    coverage = table(seen(1, early), seen(2, OCTOBER), seen(3, late))

    assert [span.key for span in coverage.spans] == ["1", "2", "3", ELSEWHERE]
    assert shown(coverage) == {("1", "A"): [2], (ELSEWHERE, "A"): [1, 3]}
    assert [span.key for span in table(seen(2)).spans] == ["1", "2", "3"]


def test_without_a_stretch_everything_is_elsewhere():
    coverage = cover([A], [], [seen(1)], [], NOVEMBER)

    assert shown(coverage) == {(ELSEWHERE, "A"): [1]}


def test_situations_without_a_speciality_have_a_column_only_where_there_are_some():
    assert table(seen(1)).specialities == ["A", "C", "V"]
    bare = table(seen(1, specialities=""))

    assert bare.specialities == ["A", "C", "V", NO_SPECIALITY]
    assert shown(bare) == {("1", NO_SPECIALITY): [1]}
    assert bare.lines[0].missing == ["A", "C", "V"]


@pytest.mark.parametrize(
    ("found", "verdict", "missing"),
    [
        ([], Verdict.NEVER, "ACV"),
        ([seen(1, specialities="ACV")], Verdict.ONCE, ""),
        ([seen(1), seen(2)], Verdict.ONE_SPECIALITY, "CV"),
        ([seen(1, specialities=""), seen(2, specialities="")], Verdict.MISSING, "ACV"),
        ([seen(1), seen(2, specialities="C")], Verdict.MISSING, "V"),
        ([seen(1, specialities="AC"), seen(2, specialities="V")], Verdict.ONLY_SIMPLE, ""),
        ([seen(1, specialities="AC"), seen(2, specialities="V", complexity=2)], Verdict.COVERED, ""),
    ],
)
def test_a_line_is_said_by_what_presses_most(found, verdict, missing):
    line = table(*found).lines[0]

    assert (line.verdict, "".join(line.missing)) == (verdict, missing)


def test_what_was_never_explored_is_pointed_at_in_the_present_stretch_only():
    def pointed(coverage: Coverage) -> list[tuple[str, str]]:
        return [place for place, cell in coverage.lines[0].cells.items() if cell.unexplored]

    found = [seen(1, specialities="A"), seen(2, specialities="")]
    assert pointed(table(*found, today=NOVEMBER)) == [("1", "C"), ("1", "V")]
    assert pointed(table(*found, today=JANUARY)) == [("3", "C"), ("3", "V")]
    assert pointed(table(*found, today=date(2027, 7, 1))) == [("2", "C"), ("2", "V")]
    assert pointed(table(seen(1, specialities="ACV"), today=NOVEMBER)) == []


def test_the_present_stretch_is_the_next_one_between_two_and_the_last_at_the_end():
    assert present_span(YEAR, date(2026, 8, 20)) is AUTUMN
    assert present_span(YEAR, JANUARY) is PFMP
    assert present_span(YEAR, date(2027, 8, 20)) is WINTER
    assert present_span([], JANUARY) is None


@pytest.mark.parametrize(
    ("day", "first"), [(date(2026, 9, 1), 2026), (date(2027, 8, 31), 2026), (date(2027, 9, 1), 2027)]
)
def test_a_school_year_without_named_periods_is_cut_in_three_without_a_gap(day, first):
    parts = parts_of_year(day)

    assert [part.first for part in parts] == [date(first, 9, 1), date(first, 12, 1), date(first + 1, 3, 1)]
    assert [part.last + timedelta(days=1) for part in parts] == [
        parts[1].first,
        parts[2].first,
        date(first + 1, 9, 1),
    ]
    assert len({part.key for part in parts}) == 3


def test_the_next_complexity_is_the_first_not_worked_twice():
    def following(*complexities: int) -> int:
        return table(*(seen(n, complexity=c) for n, c in enumerate(complexities, 1))).lines[0].next_complexity

    assert [
        following(),
        following(1),
        following(1, 1),
        following(1, 2, 1, 2),
        following(1, 1, 2, 2, 3, 3),
    ] == [1, 1, 2, 3, 3]
    assert following(2, 2) == 1


def test_a_new_situation_is_dated_inside_its_stretch():
    assert AUTUMN.day_near(OCTOBER) == OCTOBER
    assert AUTUMN.day_near(date(2026, 8, 1)) == AUTUMN.first
    assert AUTUMN.day_near(JANUARY) == AUTUMN.last


def test_planned_situations_are_counted_apart_until_somebody_is_assessed_in_them():
    coverage = table(seen(1), planned=[(A, 1), (A, 2), (B, 1), (B, 3)])

    assert [line.planned for line in coverage.lines] == [1, 2]
    assert coverage.lines[1].verdict is Verdict.NEVER


def test_only_levels_of_the_pupils_asked_for_make_a_situation_seen(any_app: Flask):
    school = make_school(any_app)
    with any_app.app_context():
        course, people = school.course, school.people
        first = factories.activity(course, "1A", "1C", starts_on=OCTOBER)
        second = factories.activity(course, "1A", starts_on=date(2026, 9, 17), archived_at=factories.utcnow())
        factories.activity(course, "2B", starts_on=NOVEMBER)
        factories.assessment(first, "1A", people["Adam"], 3, people["teacher"])
        factories.assessment(first, "1A", people["Zoé"], "ABS", people["teacher"])
        factories.assessment(first, "1C", people["Zoé"], 2, people["teacher"])
        factories.assessment(first, "1C", people["Zoé"], "", people["teacher"])
        factories.assessment(second, "1A", people["Zoé"], 1, people["teacher"])
        factories.assessment(second, "1A", people["Chloé"], 4, people["teacher"])
        factories.assessment(
            factories.activity(factories.course(), "1A"), "1A", people["Adam"], 4, people["teacher"]
        )
        db.session.commit()
        of = [people[name].id for name in ("Adam", "Zoé")]

        found = seen_situations(db.session, course.id, of)

        one, two = factories.competence("1A").id, factories.competence("1C").id
        assert [(s.activity.id, s.item_id, s.people) for s in found] == [
            (second.id, one, {people["Zoé"].id}),
            (first.id, one, {people["Adam"].id}),
        ]
        planned = planned_situations(db.session, course.id)
        assert sorted(planned)[:2] == sorted([(one, first.id), (two, first.id)])
        assert len(planned) == 3
