"""What comes next for a pupil: the order of the steps, and what holds whatever the year was."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lti_tool.assessment.next_step import FRESH, NEAR, NextStep, Standing, Step, Work, choose_step

TODAY = date(2027, 3, 19)
A1, B1, C1 = 1, 2, 3
"""Three competences, in the order of the course."""


def standing(
    complexity: int = 1, *, reached: bool = True, provisional: bool = False, days: int = 30
) -> Standing:
    return Standing(reached, complexity, provisional, TODAY - timedelta(days=days))


def work(number: int, days: int, *competences: int, complexity: int = 1) -> Work:
    day = TODAY + timedelta(days=days)
    return Work(number, day, day, complexity, competences)


def step(
    standings: dict[int, Standing] | None = None,
    coming: tuple[Work, ...] = (),
    unsaid: tuple[Work, ...] = (),
    unexplored: tuple[str, ...] = (),
) -> NextStep:
    return choose_step((A1, B1, C1), standings or {}, coming, unsaid, unexplored, TODAY)


KNOWN = {A1: standing(2), B1: standing(1), C1: standing(3)}


@pytest.mark.parametrize(
    ("given_", "expected"),
    [
        pytest.param(
            {"coming": (work(7, 5, B1, complexity=2),)}, NextStep(Step.WORK, B1, 2, 7), id="near work"
        ),
        pytest.param(
            {"coming": (work(8, 5, A1), work(7, 2, B1, complexity=2))},
            NextStep(Step.WORK, B1, 2, 7),
            id="the nearest",
        ),
        pytest.param({"coming": (work(7, 0, B1),)}, NextStep(Step.WORK, B1, 1, 7), id="today's"),
        pytest.param(
            {"coming": (work(7, -1, B1),)}, NextStep(Step.HARDER, B1, 2), id="what is over is not ahead"
        ),
        pytest.param(
            {"coming": (work(7, 15, B1),), "unsaid": (work(6, -2, A1, C1, complexity=2),)},
            NextStep(Step.SAY, A1, 2, 6),
            id="saying where I stand comes before work that is far",
        ),
        pytest.param(
            {"unsaid": (work(5, -9, A1), work(6, -2, B1))}, NextStep(Step.SAY, B1, 1, 6), id="the latest work"
        ),
        pytest.param({"coming": (work(7, 15, B1),)}, NextStep(Step.WORK, B1, 1, 7), id="work that is far"),
        pytest.param({}, NextStep(Step.HARDER, B1, 2), id="the lowest complexity climbs first"),
    ],
)
def test_the_next_step(given_: dict[str, tuple[Work, ...]], expected: NextStep) -> None:
    assert step(KNOWN, **given_) == expected


@pytest.mark.parametrize(("days", "kind"), [(NEAR.days, Step.WORK), (NEAR.days + 1, Step.SAY)])
def test_near_is_fourteen_days(days: int, kind: Step) -> None:
    assert step(KNOWN, (work(7, days, B1),), (work(6, -1, A1),)).step is kind


@pytest.mark.parametrize(("days", "kind"), [(-FRESH.days, Step.SAY), (-FRESH.days - 1, Step.HARDER)])
def test_work_of_more_than_thirty_days_ago_is_no_longer_asked_about(days: int, kind: Step) -> None:
    assert step(KNOWN, (), (work(6, days, A1),)).step is kind


def test_work_names_the_competence_it_takes_furthest() -> None:
    both = work(7, 3, A1, B1, complexity=2)
    assert step({A1: standing(2), B1: standing(1)}, (both,)).competence == B1, (
        "it climbs from simple to varied"
    )
    assert step({B1: standing(1)}, (both,)).competence == A1, "it was never worked"
    assert step({A1: standing(2), B1: standing(2, provisional=True)}, (both,)).competence == B1, (
        "it confirms it"
    )
    assert step({A1: standing(3), B1: standing(3)}, (both,)).competence == A1, "the first of equals"


def test_a_provisional_level_and_one_below_the_target_are_the_same_step_the_oldest_first() -> None:
    unsure = {
        A1: standing(2, provisional=True, days=10),
        B1: standing(1, reached=False, days=40),
        C1: standing(1),
    }
    assert step(unsure) == NextStep(Step.MORE, B1, 1)
    assert step({**unsure, B1: replace(unsure[B1], worked_on=TODAY)}) == NextStep(Step.MORE, A1, 2)


def test_what_was_never_worked_then_a_speciality_then_the_bac() -> None:
    done = {A1: standing(3), C1: standing(3)}
    assert step(done, unexplored=("C",)) == NextStep(Step.FIRST, B1)
    whole = {**done, B1: standing(3)}
    assert step(whole, unexplored=("C", "V")) == NextStep(Step.EXPLORE, speciality="C")
    assert step(whole) == NextStep(Step.GO_ON)
    assert step({}) == NextStep(Step.FIRST, A1)


days = st.integers(-400, 400)
works = st.builds(work, st.integers(1, 9), days, st.sampled_from((A1, B1, C1)), complexity=st.integers(1, 3))
standings_ = st.dictionaries(
    st.sampled_from((A1, B1, C1)),
    st.builds(
        standing,
        st.integers(1, 3),
        reached=st.booleans(),
        provisional=st.booleans(),
        days=st.integers(0, 400),
    ),
)


@given(standings_, st.lists(works, max_size=4), st.lists(works, max_size=4), st.sets(st.sampled_from("ACV")))
def test_there_is_always_a_step_it_is_whole_and_the_order_of_what_is_given_changes_nothing(
    known: dict[int, Standing], coming: list[Work], unsaid: list[Work], unexplored: set[str]
) -> None:
    coming, unsaid = (
        list({w.activity_id: w for w in coming}.values()),
        list({w.activity_id: w for w in unsaid}.values()),
    )
    left = sorted(unexplored)
    found = choose_step((A1, B1, C1), known, coming, unsaid, left, TODAY)
    assert found == choose_step((A1, B1, C1), known, coming[::-1], unsaid[::-1], left, TODAY)
    assert bool(found.activity_id) == (found.step in (Step.WORK, Step.SAY))
    assert bool(found.competence) == (found.step not in (Step.EXPLORE, Step.GO_ON))
    assert found.complexity in ({0} if found.step in (Step.FIRST, Step.EXPLORE, Step.GO_ON) else {1, 2, 3})
    if found.step is Step.HARDER:
        assert found.complexity == known[found.competence].complexity + 1
    if found.step is Step.WORK:
        assert found.activity_id in {w.activity_id for w in coming if w.ends_on >= TODAY}
