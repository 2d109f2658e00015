"""The table of a class, computed: no page here."""

from datetime import date, timedelta

import pytest
from flask import Flask

from lti_tool.activities.models import Activity
from lti_tool.assessment.decisions import CourseRule
from lti_tool.assessment.entries import Observation
from lti_tool.assessment.overview import Filter, Mastery, Overview, by_pair, months, overview
from lti_tool.courses.people import Pupil

ADAM, ZOE = Pupil(1, "Adam B.", "Adam Benali"), Pupil(2, "Zoé L.", "Zoé Lambert")
ITEMS = [11, 12, 21]
SEPTEMBER, NOVEMBER, MARCH = date(2026, 9, 17), date(2026, 11, 26), date(2027, 3, 12)


@pytest.fixture(autouse=True)
def _mapped(in_app: Flask) -> None:
    """Activities are mapped rows; none is stored here."""


class Seen:
    """Observations, written as a teacher would say them."""

    def __init__(self) -> None:
        self.activities: dict[tuple[date, int, str], Activity] = {}
        self.found: list[Observation] = []

    def __call__(
        self, pupil: Pupil, item_id: int, level: int, day: date, complexity: int = 1, specialities: str = "A"
    ) -> None:
        key = (day, complexity, specialities)
        activity = self.activities.setdefault(
            key,
            Activity(
                id=len(self.activities) + 1,
                starts_on=day,
                complexity=complexity,
                specialities=list(specialities),
            ),
        )
        self.found.append(Observation(activity, pupil.person_id, item_id, level, ""))

    def table(self, **wanted: object) -> Overview:
        return overview([ADAM, ZOE], ITEMS, self.found, Filter(**wanted), rule=CourseRule())  # type: ignore[arg-type]


@pytest.fixture
def seen() -> Seen:
    return Seen()


def shown(cell: Mastery | None) -> tuple[int, int, bool, int] | None:
    """Level, complexity, provisional, number of turns."""
    if cell is None:
        return None
    position = cell.position
    return position.level, position.complexity, position.provisional, len(cell.turns)


def test_a_class_without_observations_has_its_rows_and_no_position(seen):
    table = seen.table()

    assert [row.pupil for row in table.rows] == [ADAM, ZOE]
    assert [row.cells for row in table.rows] == [[None] * 3, [None] * 3]
    assert table.counts == [[0, 0, 0, 0]] * 3
    assert table.situations == 0


def test_each_cell_is_the_position_of_its_own_turns(seen):
    seen(ADAM, 11, 2, SEPTEMBER)
    seen(ADAM, 11, 4, NOVEMBER)
    seen(ZOE, 11, 1, SEPTEMBER)
    seen(ZOE, 21, 3, MARCH, 2)

    rows = seen.table().rows

    assert [shown(cell) for cell in rows[0].cells] == [(3, 1, False, 2), None, None]
    assert [shown(cell) for cell in rows[1].cells] == [(1, 1, True, 1), None, (3, 2, True, 1)]


def test_turns_come_newest_first(seen):
    for day, level in ((SEPTEMBER, 1), (MARCH, 3), (NOVEMBER, 2)):
        seen(ADAM, 11, level, day)

    cell = seen.table().rows[0].cells[0]

    assert cell is not None
    assert [o.level for o in cell.turns] == [3, 2, 1]


def test_columns_count_pupils_by_level_from_1_to_4(seen):
    seen(ADAM, 11, 1, SEPTEMBER)
    seen(ZOE, 11, 4, SEPTEMBER)
    seen(ADAM, 21, 4, SEPTEMBER)
    seen(ZOE, 21, 4, SEPTEMBER)

    assert seen.table().counts == [[1, 0, 0, 1], [0, 0, 0, 0], [0, 0, 0, 2]]


def test_a_situation_counts_once_however_many_levels_it_gave(seen):
    seen(ADAM, 11, 1, SEPTEMBER)
    seen(ADAM, 12, 1, SEPTEMBER)
    seen(ZOE, 11, 1, SEPTEMBER)
    seen(ZOE, 11, 1, NOVEMBER)

    assert seen.table().situations == 2


def test_who_is_not_listed_and_what_is_no_column_is_left_out(seen):
    seen(Pupil(9, "Parti", "Parti"), 11, 4, SEPTEMBER)
    seen(ADAM, 99, 4, NOVEMBER)

    table = seen.table()

    assert table.counts == [[0, 0, 0, 0]] * 3
    assert table.situations == 0


@pytest.mark.parametrize(
    ("wanted", "levels"),
    [
        ({}, [1, 2, 3]),
        ({"since": NOVEMBER}, [2, 3]),
        ({"since": NOVEMBER + timedelta(days=1)}, [3]),
        ({"until": NOVEMBER}, [1, 2]),
        ({"until": NOVEMBER - timedelta(days=1)}, [1]),
        ({"since": SEPTEMBER, "until": NOVEMBER}, [1, 2]),
        ({"speciality": "V"}, [2, 3]),
        ({"speciality": "C"}, [2]),
        ({"complexity": 2}, [2]),
        ({"complexity": 2, "speciality": "A"}, []),
    ],
)
def test_a_filter_keeps_the_turns_it_names(seen, wanted, levels):
    seen(ADAM, 11, 1, SEPTEMBER, 1, "A")
    seen(ADAM, 11, 2, NOVEMBER, 2, "CV")
    seen(ADAM, 11, 3, MARCH, 3, "V")

    cell = seen.table(**wanted).rows[0].cells[0]

    assert (sorted(o.level for o in cell.turns) if cell else []) == levels
    assert Filter(**wanted).narrows == bool(wanted)


def test_a_position_is_that_of_the_turns_the_filter_keeps(seen):
    seen(ADAM, 11, 4, SEPTEMBER)
    seen(ADAM, 11, 4, NOVEMBER)
    seen(ADAM, 11, 2, MARCH, 3)

    assert shown(seen.table().rows[0].cells[0]) == (4, 1, False, 3)
    assert shown(seen.table(complexity=3).rows[0].cells[0]) == (2, 3, True, 1)


def test_only_provisional_hides_the_rest_and_changes_no_position(seen):
    seen(ADAM, 11, 3, SEPTEMBER)
    seen(ADAM, 11, 3, NOVEMBER)
    seen(ADAM, 12, 2, NOVEMBER)
    seen(ZOE, 11, 4, SEPTEMBER)
    seen(ZOE, 11, 4, NOVEMBER)
    wanted = Filter(provisional=True)

    table = overview([ADAM, ZOE], ITEMS, seen.found, wanted, rule=CourseRule())

    assert [row.pupil for row in table.rows] == [ADAM]
    assert [shown(cell) for cell in table.rows[0].cells] == [(3, 1, False, 2), (2, 1, True, 1), None]
    assert [wanted.shows(cell) for cell in table.rows[0].cells if cell] == [False, True]
    assert table.counts == [[0, 0, 0, 0], [0, 1, 0, 0], [0, 0, 0, 0]]
    assert not wanted.narrows


def test_the_target_of_the_scale_moves_the_position(seen):
    seen(ADAM, 11, 4, SEPTEMBER)
    seen(ADAM, 11, 2, NOVEMBER, 2)

    assert shown(by_pair(seen.found, CourseRule())[1, 11]) == (4, 1, True, 2)
    assert shown(by_pair(seen.found, CourseRule(target=2))[1, 11]) == (2, 2, True, 2)


def test_months_are_those_of_the_work_each_once_oldest_first(seen):
    for day in (MARCH, SEPTEMBER, SEPTEMBER + timedelta(days=5)):
        seen(ADAM, 11, 1, day)

    assert months(seen.found) == [date(2026, 9, 1), date(2027, 3, 1)]
    assert months([]) == []
