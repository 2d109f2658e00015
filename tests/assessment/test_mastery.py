"""The rule « spirale », example by example (docs/mastery.md), then as properties."""

import random
from datetime import date, timedelta
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lti_tool.assessment.mastery import NEWEST_WEIGHT, Position, Turn, merge, propose, round_half_up

DAY = date(2026, 10, 1)
SIMPLE, VARIED, COMPLEX = 1, 2, 3
TARGET = 3


def turns(*seen: tuple[int, int]) -> list[Turn]:
    """Turns a week apart, each (complexity, level)."""
    return [Turn(level, DAY + timedelta(weeks=i), complexity) for i, (complexity, level) in enumerate(seen)]


def proposed(*seen: tuple[int, int]) -> Position:
    position = propose(turns(*seen))
    assert position is not None
    return position


# ----- the examples of docs/mastery.md -----


def test_nothing_is_proposed_without_a_turn():
    assert propose([]) is None


def test_a_harder_situation_at_the_target_is_the_position_and_the_better_level_stays_the_grade():
    position = proposed((SIMPLE, 4), (SIMPLE, 4), (VARIED, 3))

    assert (position.level, position.complexity) == (3, VARIED)
    assert position.grade == 4
    assert position.levels == {SIMPLE: 4, VARIED: 3}
    assert position.provisional


def test_failures_in_a_harder_situation_take_nothing_from_an_easier_one():
    position = proposed((VARIED, 3), (VARIED, 1), (VARIED, 1), (VARIED, 1))

    assert (position.level, position.complexity, position.provisional) == (3, SIMPLE, True)
    assert position.levels == {SIMPLE: 3, VARIED: 1}
    assert [t.level for t in position.counted] == [3]
    assert [t.level for t in position.ignored] == [1, 1, 1]
    assert position.grade == 3


def test_below_the_target_the_best_level_wins_at_the_hardest_situation_where_it_is_reached():
    position = proposed((SIMPLE, 1), (VARIED, 2), (VARIED, 2), (VARIED, 2))

    assert (position.level, position.complexity, position.provisional) == (2, VARIED, False)
    assert position.grade == 2


def test_the_explanation_is_made_of_the_turns_that_counted_and_of_those_that_did_not():
    position = proposed((SIMPLE, 2), (SIMPLE, 3), (VARIED, 2), (VARIED, 4), (VARIED, 3), (COMPLEX, 2))

    assert (position.level, position.complexity, position.provisional) == (3, VARIED, False)
    assert [t.level for t in position.counted] == [3, 4, 2]
    assert [(t.level, t.complexity) for t in position.ignored] == [(2, COMPLEX)]


# ----- each clause of the rule -----


@pytest.mark.parametrize(
    ("levels", "expected"),
    [
        ([3], 3),
        ([1, 4], 3),  # 0.65 × 4 + 0.35 × 1 = 2.95
        ([4, 1], 2),  # 2.05
        ([2, 3, 4], 4),  # 2.65, then 3.5275
        ([4, 4, 2], 3),  # 2.7
        ([4, 4, 2, 2], 2),  # 2.245
    ],
)
def test_the_newest_turn_weighs_65_percent(levels, expected):
    assert proposed(*((SIMPLE, level) for level in levels)).level == expected


@pytest.mark.parametrize(
    ("value", "level"),
    [
        (Fraction(149, 100), 1),
        (Fraction(3, 2), 2),
        (Fraction(5, 2), 3),
        (Fraction(7, 2), 4),
        (Fraction(349, 100), 3),
    ],
)
def test_halves_are_rounded_up(value, level):
    assert round_half_up(value) == level


def test_the_order_is_that_of_the_work_not_of_the_typing():
    typed = turns((SIMPLE, 1), (SIMPLE, 4))

    assert propose(reversed(typed)) == propose(typed)
    assert proposed((SIMPLE, 4), (SIMPLE, 1)).level != proposed((SIMPLE, 1), (SIMPLE, 4)).level


def test_turns_of_one_day_and_complexity_are_averaged_into_one():
    same_day = [Turn(4, DAY, SIMPLE), Turn(1, DAY, SIMPLE)]

    position = propose(same_day)

    assert position is not None
    assert position.counted == (Turn(Fraction(5, 2), DAY, SIMPLE, merged=2),)
    assert (position.level, position.provisional) == (3, True)  # 2.5, half up; one turn


def test_turns_of_one_day_at_two_complexities_stay_two():
    assert [t.complexity for t in merge([Turn(2, DAY, VARIED), Turn(4, DAY, SIMPLE)])] == [SIMPLE, VARIED]


def test_a_harder_turn_counts_below_only_where_it_raises_the_value():
    raised = proposed((SIMPLE, 1), (SIMPLE, 1), (VARIED, 2))
    left = proposed((SIMPLE, 3), (VARIED, 2))

    assert raised.levels == {SIMPLE: 2, VARIED: 2}  # 1 → 1.65
    assert left.levels == {SIMPLE: 3, VARIED: 2}


def test_the_first_value_below_a_harder_turn_needs_the_target():
    assert proposed((COMPLEX, 2)).levels == {COMPLEX: 2}
    assert proposed((COMPLEX, 3)).levels == {SIMPLE: 3, VARIED: 3, COMPLEX: 3}


def test_an_easier_turn_says_nothing_of_a_harder_situation():
    assert proposed((VARIED, 3), (SIMPLE, 1)).levels == {SIMPLE: 2, VARIED: 3}


@pytest.mark.parametrize(("count", "provisional"), [(1, True), (2, False), (3, False)])
def test_a_position_is_provisional_until_two_turns_counted_there(count, provisional):
    assert proposed(*[(SIMPLE, 3)] * count).provisional is provisional


def test_the_minimum_and_the_target_are_the_courses():
    position = propose(turns((SIMPLE, 2), (SIMPLE, 2), (VARIED, 2)), target=2, minimum=3)

    assert position is not None
    assert (position.level, position.complexity, position.provisional) == (2, VARIED, True)


# ----- properties -----

levels = st.integers(1, 4)
complexities = st.integers(1, 3)
histories = st.lists(
    st.builds(
        lambda level, day, complexity: Turn(level, DAY + timedelta(days=day), complexity),
        levels,
        st.integers(0, 40),
        complexities,
    ),
    max_size=8,
)
LATER = DAY + timedelta(days=100)


@given(histories, levels, complexities)
def test_a_newest_turn_at_least_as_good_never_lowers_a_level(history, level, complexity):
    before = propose(history)
    after = propose([*history, Turn(level, LATER, complexity)])

    assert after is not None
    for c, reached in before.levels.items() if before else ():
        if level >= reached or complexity != c:
            assert after.levels[c] >= reached


@given(histories, st.integers(1, 3), complexities)
def test_a_better_newest_turn_never_lowers_a_level_or_the_grade(history, level, complexity):
    worse = propose([*history, Turn(level, LATER, complexity)])
    better = propose([*history, Turn(level + 1, LATER, complexity)])

    assert worse is not None
    assert better is not None
    assert all(better.levels[c] >= reached for c, reached in worse.levels.items())
    assert better.grade >= worse.grade


@given(histories.filter(bool), levels, complexities)
def test_daring_a_harder_situation_never_costs_a_grade(history, level, complexity):
    before = propose(history)
    assert before is not None
    if complexity <= before.complexity:
        return

    after = propose([*history, Turn(level, LATER, complexity)])

    assert after is not None
    assert after.grade >= before.grade
    assert all(after.levels[c] >= before.levels[c] for c in before.levels if c <= before.complexity)


@given(histories, st.randoms())
def test_the_order_of_typing_changes_nothing(history, chance: random.Random):
    shuffled = list(history)
    chance.shuffle(shuffled)

    assert propose(shuffled) == propose(history)


@given(histories.filter(bool))
def test_a_position_is_made_of_what_was_seen(history):
    position = propose(history)

    assert position is not None
    seen = {turn.level for turn in history}
    assert all(min(seen) <= level <= max(seen) for level in position.levels.values())
    assert position.level == position.levels[position.complexity]
    assert position.counted
    assert not set(position.counted) & set(position.ignored)
    assert position.complexity in {t.complexity for t in history} or position.level >= TARGET


@given(histories.filter(bool), complexities, st.randoms())
def test_the_whole_numbers_it_runs_on_say_what_the_formula_says(history, complexity, chance: random.Random):
    # Some turns fall on the same day, so that averages which are no whole number run through too.
    history = [Turn(t.level, DAY + timedelta(days=chance.randrange(4)), t.complexity) for t in history]
    value: Fraction | None = None
    for turn in merge(history):
        x = Fraction(turn.level)
        raised = x if value is None else NEWEST_WEIGHT * x + (1 - NEWEST_WEIGHT) * value
        helps = x >= TARGET if value is None else raised > value
        if turn.complexity == complexity or (turn.complexity > complexity and helps):
            value = raised

    position = propose(history)

    assert position is not None
    assert position.levels.get(complexity) == (None if value is None else round_half_up(value))
