"""The policies beside « spirale », example by example (docs/mastery.md), then as properties of all of them."""

import random
from dataclasses import replace
from datetime import date, timedelta
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lti_tool.assessment.mastery import Position, Turn, propose, round_half_up
from lti_tool.assessment.policies import (
    BEST,
    DECAYING,
    LATEST,
    MEAN,
    POLICIES,
    SPIRALE,
    TIMES,
    Policy,
    propose_by,
)

DAY = date(2026, 10, 1)
SIMPLE, VARIED, COMPLEX = 1, 2, 3
TARGET = 3


def turns(*seen: tuple[int, int]) -> list[Turn]:
    """Turns a week apart, each (complexity, level)."""
    return [Turn(level, DAY + timedelta(weeks=i), complexity) for i, (complexity, level) in enumerate(seen)]


def proposed(policy: Policy | str, *seen: tuple[int, int]) -> Position:
    position = propose_by(policy if isinstance(policy, Policy) else Policy(policy), turns(*seen))
    assert position is not None
    return position


@pytest.mark.parametrize("name", POLICIES)
def test_nothing_is_proposed_without_a_turn(name):
    assert propose_by(Policy(name), []) is None


@pytest.mark.parametrize(
    ("name", "levels", "expected", "value", "counted"),
    [
        (LATEST, [4, 2, 1], 1, "1", [1]),
        (LATEST, [1, 2, 4], 4, "4", [4]),
        (BEST, [2, 4, 1], 4, "4", [4]),
        (MEAN, [4, 3, 2], 3, "3", [2, 3, 4]),
        (MEAN, [4, 3, 3, 4], 4, "3.5", [4, 3, 3, 4]),  # half up
        (MEAN, [4, 1, 2], 2, "7/3", [2, 1, 4]),
        (DECAYING, [2], 2, "2", [2]),
        (DECAYING, [1, 4], 3, "2.95", [4, 1]),
        (DECAYING, [4, 4, 2, 2], 2, "2.245", [2, 2, 4, 4]),
        (TIMES, [3], 2, "2", [3]),
        (TIMES, [3, 3], 3, "3", [3, 3]),
        (TIMES, [4, 1, 3], 3, "3", [3, 4]),
        (TIMES, [4, 1, 4], 4, "4", [4, 4]),
        (TIMES, [1, 1, 1], 1, "1", [1, 1, 1]),
        (TIMES, [4, 2, 2], 2, "2", [2, 2, 4]),
    ],
)
def test_each_policy_by_example(name, levels, expected, value, counted):
    position = proposed(name, *((SIMPLE, level) for level in levels))
    assert (position.level, position.value) == (expected, Fraction(value))
    assert [turn.level for turn in position.counted] == counted
    assert position.seen == len(levels)


@pytest.mark.parametrize("times", [1, 2, 3, 4])
def test_the_target_is_reached_at_the_asked_number_of_times_and_not_before(times):
    policy = Policy(TIMES, times=times)
    before = [(SIMPLE, 2), *[(SIMPLE, 3)] * (times - 1)]
    assert proposed(policy, *before).level == 2
    assert proposed(policy, *before, (SIMPLE, 3)).level == 3


def test_the_weight_is_the_courses():
    seen = [(SIMPLE, 1), (SIMPLE, 4)]
    assert proposed(Policy(DECAYING, weight=90), *seen).value == Fraction("3.7")
    assert proposed(Policy(DECAYING, weight=50), *seen).value == Fraction("2.5")


@pytest.mark.parametrize("name", [LATEST, BEST, MEAN, DECAYING])
def test_the_position_is_the_hardest_situation_that_reaches_the_target(name):
    position = proposed(name, (SIMPLE, 4), (SIMPLE, 4), (VARIED, 3), (COMPLEX, 2))
    assert (position.level, position.complexity, position.grade) == (3, VARIED, 4)
    assert position.levels == {SIMPLE: 4, VARIED: 3, COMPLEX: 2}
    assert [turn.level for turn in position.ignored] == [2]


@pytest.mark.parametrize("name", [name for name in POLICIES if name != SPIRALE])
def test_a_turn_counts_at_its_own_complexity_alone(name):
    assert set(proposed(name, (COMPLEX, 4), (COMPLEX, 4)).levels) == {COMPLEX}


@pytest.mark.parametrize("name", POLICIES)
@pytest.mark.parametrize(("count", "missing"), [(1, 2), (2, 1), (3, 0), (4, 0)])
def test_a_position_is_provisional_below_the_courses_minimum(name, count, missing):
    position = proposed(Policy(name, minimum=3), *[(SIMPLE, 3)] * count)
    assert (position.provisional, position.missing) == (missing > 0, missing)


@pytest.mark.parametrize("name", POLICIES)
def test_turns_of_one_day_and_complexity_confirm_as_one(name):
    position = propose_by(Policy(name), [Turn(3, DAY, SIMPLE), Turn(3, DAY, SIMPLE)])
    assert position is not None
    assert (position.level if name != TIMES else 3, position.missing) == (3, 1)


@pytest.mark.parametrize(
    ("name", "value"), [(LATEST, "2.5"), (DECAYING, "2.5"), (BEST, "4"), (MEAN, "2.5"), (TIMES, "2")]
)
def test_only_where_order_matters_are_the_turns_of_one_day_averaged(name, value):
    position = propose_by(Policy(name), [Turn(4, DAY, SIMPLE), Turn(1, DAY, SIMPLE)])
    assert position is not None
    assert position.value == Fraction(value)


# ----- properties -----

levels = st.integers(1, 4)
complexities = st.integers(1, 3)
histories = st.lists(
    st.builds(
        lambda level, day, complexity: Turn(level, DAY + timedelta(days=day), complexity),
        levels,
        st.integers(0, 20),
        complexities,
    ),
    min_size=1,
    max_size=8,
)
policies = st.builds(
    Policy, st.sampled_from(POLICIES), st.integers(1, 4), st.integers(1, 4), st.sampled_from([50, 65, 90])
)
LATER = DAY + timedelta(days=100)


def position_of(policy: Policy, history: list[Turn]) -> Position:
    position = propose_by(policy, history, target=TARGET)
    assert position is not None
    return position


@given(policies, histories)
def test_a_level_is_within_what_was_seen_and_at_a_complexity_that_is(policy, history):
    position = position_of(policy, history)
    seen = [turn.level for turn in history]
    low = 1 if policy.name == TIMES else min(seen)  # 3, once, is not yet 3
    assert all(low <= level <= max(seen) for level in position.levels.values())
    assert position.level == position.levels[position.complexity] <= position.grade
    assert {turn.complexity for turn in history} <= set(position.levels)
    assert position.provisional == (position.missing > 0)


@given(policies, histories, st.randoms())
def test_the_order_of_typing_changes_nothing(policy, history, chance: random.Random):
    shuffled = list(history)
    chance.shuffle(shuffled)
    assert position_of(policy, shuffled) == position_of(policy, history)


@given(policies, histories, st.integers(1, 3), complexities)
def test_a_better_newest_turn_never_lowers_a_level_or_the_grade(policy, history, level, complexity):
    worse = position_of(policy, [*history, Turn(level, LATER, complexity)])
    better = position_of(policy, [*history, Turn(level + 1, LATER, complexity)])
    assert all(better.levels[c] >= reached for c, reached in worse.levels.items())
    assert (better.grade, better.complexity) >= (worse.grade, 0)


@given(st.sampled_from([BEST, TIMES]), histories, levels, complexities)
def test_best_and_times_never_go_down(name, history, level, complexity):
    before = position_of(Policy(name), history)
    after = position_of(Policy(name), [*history, Turn(level, LATER, complexity)])
    assert all(after.levels[c] >= reached for c, reached in before.levels.items())


@given(policies, histories)
def test_the_level_is_the_value_rounded_half_up_and_made_of_turns_that_were_seen(policy, history):
    position = position_of(policy, history)
    assert position.level == round_half_up(position.value)
    assert position.counted
    days = {(turn.worked_on, turn.complexity) for turn in history}
    assert {(turn.worked_on, turn.complexity) for turn in position.counted} <= days
    assert list(position.counted) == sorted(position.counted, key=lambda t: t.worked_on, reverse=True)


@given(histories, st.integers(1, 4))
def test_spirale_is_the_rule_itself_whatever_the_parameters_of_the_others(history, minimum):
    policy = Policy(SPIRALE, minimum=minimum, times=4, weight=50)
    assert propose_by(policy, history) == propose(history, minimum=minimum)


@given(histories, policies)
def test_parameters_that_a_policy_does_not_use_change_nothing(history, policy):
    other = replace(
        policy,
        times=policy.times if policy.name == TIMES else 5,
        weight=policy.weight if policy.name == DECAYING else 80,
    )
    assert position_of(other, history) == position_of(policy, history)
