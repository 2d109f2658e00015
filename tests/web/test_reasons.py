"""The sentence that says why a level is what it is."""

import re
from datetime import date, timedelta
from fractions import Fraction

import pytest
from flask import Flask
from flask_babel import force_locale
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lti_tool.assessment.entries import Observation
from lti_tool.assessment.mastery import Turn, propose, round_half_up
from lti_tool.assessment.policies import BEST, DECAYING, LATEST, MEAN, POLICIES, TIMES, Policy, propose_by
from lti_tool.web import reasons, shown
from lti_tool.web.reasons import Reason, describe_turns, explain
from tests import factories


@pytest.fixture(autouse=True)
def _in_march(in_app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (reasons, shown):
        monkeypatch.setattr(module, "today", lambda: date(2027, 3, 24))


def said(*turns: tuple[int, int, date]) -> Reason:
    """Why, for turns given as (complexity, level, day)."""
    position = propose(Turn(level, day, complexity) for complexity, level, day in turns)
    assert position is not None
    return explain(position)


OCTOBER, NOVEMBER, JANUARY = date(2026, 10, 8), date(2026, 11, 26), date(2027, 1, 14)
FEBRUARY, MARCH, LATER = date(2027, 2, 2), date(2027, 3, 12), date(2027, 3, 19)


def test_the_sentence_of_the_mock_up():
    reason = said(
        (1, 2, OCTOBER), (1, 3, NOVEMBER), (2, 2, JANUARY), (2, 4, FEBRUARY), (2, 3, MARCH), (3, 2, LATER)
    )

    assert reason.sentence == (
        "3 en situation variée\u00a0: 3 le 12 mars, 4 le 2 février, 2 le 14 janvier\u202f; "
        "le 2 du 19 mars en situation complexe ne l’abaisse pas"
    )
    assert reason.provisional == ""


def test_a_provisional_position_says_what_would_confirm_it():
    reason = said((1, 4, OCTOBER), (1, 4, NOVEMBER), (2, 3, JANUARY))

    assert reason.sentence == "3 en situation variée\u00a0: 3 le 14 janvier"
    assert reason.provisional == "Provisoire\u00a0: un tour de plus le confirmera."


def test_a_turn_in_a_harder_situation_says_so_where_it_counted():
    reason = said((2, 3, OCTOBER), (2, 1, NOVEMBER), (2, 1, JANUARY), (2, 1, FEBRUARY))

    assert reason.sentence == (
        "3 en situation simple\u00a0: 3 le 8 octobre (en situation variée)\u202f; le 1 du 2 février, "
        "le 1 du 14 janvier et le 1 du 26 novembre en situation variée ne l’abaissent pas"
    )


def test_below_the_target_the_turns_are_told_the_same_way():
    reason = said((1, 1, OCTOBER), (2, 2, NOVEMBER), (2, 2, JANUARY), (2, 2, FEBRUARY))

    assert reason.sentence == "2 en situation variée\u00a0: 2 le 2 février, 2 le 14 janvier, 2 le 26 novembre"


def test_turns_ignored_at_two_complexities_are_told_the_hardest_first():
    reason = said((1, 4, OCTOBER), (2, 2, NOVEMBER), (3, 1, JANUARY))

    assert reason.because == (
        "4 le 8 octobre\u202f; le 1 du 14 janvier en situation complexe et "
        "le 2 du 26 novembre en situation variée ne l’abaissent pas"
    )


def test_many_ignored_turns_are_counted_not_told():
    reason = said((1, 4, OCTOBER), *((2, 1, date(2027, 1, day)) for day in range(5, 9)))

    assert reason.because == "4 le 8 octobre\u202f; les 4 tours en situation plus complexe ne l’abaissent pas"


@pytest.mark.parametrize(
    ("count", "end"), [(4, "3 le 1er janvier"), (5, "un tour plus ancien"), (7, "3 tours plus anciens")]
)
def test_turns_too_old_to_weigh_are_counted_not_told(count, end):
    reason = said(*((1, 3, date(2027, 1, 1 + i)) for i in range(count)))

    assert reason.because.endswith(f", {end}")
    assert reason.because.count(" le ") == 4


@pytest.mark.parametrize(
    ("levels", "text"), [((2, 3), "2,5 en moyenne"), ((2, 4), "3 en moyenne"), ((1, 1, 2), "1,3 en moyenne")]
)
def test_turns_of_one_day_are_said_to_be_averaged(levels, text):
    assert said(*((1, level, MARCH) for level in levels)).because == f"{text} le 12 mars"


def test_a_day_of_another_school_year_has_its_year():
    assert said((1, 3, date(2025, 10, 8))).because == "3 le 8 octobre 2025"


def test_the_picture_is_said_in_one_sentence():
    course = factories.course()
    turns = [
        Observation(factories.activity(course, "1C", starts_on=day, complexity=complexity), 1, 1, level, "")
        for complexity, level, day in (
            (1, 2, OCTOBER), (1, 3, NOVEMBER), (2, 2, JANUARY), (2, 4, FEBRUARY), (2, 3, MARCH), (3, 2, LATER)
        )
    ]  # fmt: skip

    assert describe_turns(turns) == (
        "6 tours, du 8 octobre au 19 mars\u00a0: 2 puis 3 en situation simple, 2, 4 puis 3 en situation variée, "
        "2 en situation complexe. La liste complète suit."
    )
    assert (
        describe_turns(turns[:1])
        == "1 tour, le 8 octobre\u00a0: 2 en situation simple. La liste complète suit."
    )


# ----- the other policies -----


def said_by(policy: Policy, *turns: tuple[int, int, date]) -> str:
    position = propose_by(policy, [Turn(level, day, complexity) for complexity, level, day in turns])
    assert position is not None
    return explain(position, policy).sentence


CLIMB = ((1, 2, OCTOBER), (1, 4, NOVEMBER), (1, 3, JANUARY))


@pytest.mark.parametrize(
    ("policy", "french", "english"),
    [
        (
            Policy(LATEST),
            "3 en situation simple : 3 le 14 janvier, le plus récent de 3 tours",
            "3 in a simple situation: 3 on 14 January, the latest of 3 turns",
        ),
        (
            Policy(BEST),
            "4 en situation simple : 4 le 26 novembre, le meilleur de 3 tours",
            "4 in a simple situation: 4 on 26 November, the best of 3 turns",
        ),
        (
            Policy(MEAN),
            "3 en situation simple : 3 en moyenne (3 le 14 janvier, 4 le 26 novembre, 2 le 8 octobre)",
            "3 in a simple situation: 3 on average (3 on 14 January, 4 on 26 November, 2 on 8 October)",
        ),
        (
            Policy(DECAYING, weight=80),
            "3 en situation simple : 3,12, le plus récent comptant pour 80 % "
            "(3 le 14 janvier, 4 le 26 novembre, 2 le 8 octobre)",
            "3 in a simple situation: 3.12, the latest weighing 80% "
            "(3 on 14 January, 4 on 26 November, 2 on 8 October)",
        ),
        (
            Policy(TIMES),
            "3 en situation simple : 3 ou plus atteint 2 fois (3 le 14 janvier, 4 le 26 novembre)",
            "3 in a simple situation: 3 or more reached 2 times (3 on 14 January, 4 on 26 November)",
        ),
        (
            Policy(TIMES, times=3),
            "2 en situation simple : 3 ou plus atteint 2 fois, il le faut 3 fois (3 le 14 janvier, 4 le 26 novembre)",
            "2 in a simple situation: 3 or more reached 2 times, 3 are needed (3 on 14 January, 4 on 26 November)",
        ),
    ],
)
def test_each_policy_says_what_it_made_of_the_turns(policy, french, english):
    assert said_by(policy, *CLIMB).replace("\u00a0", " ") == french
    with force_locale("en"):
        assert said_by(policy, *CLIMB).replace("\u00a0", " ") == english


def test_the_target_never_reached_says_the_best_that_was():
    sentence = said_by(Policy(TIMES), (1, 2, OCTOBER), (1, 1, NOVEMBER)).replace("\u00a0", " ")
    assert sentence == (
        "2 en situation simple : 3 ou plus pas encore atteint, il le faut 2 fois (au mieux 2 le 8 octobre)"
    )


turns = st.lists(
    st.builds(
        lambda level, day, complexity: Turn(level, OCTOBER + timedelta(days=day), complexity),
        st.integers(1, 4),
        st.integers(0, 60),
        st.integers(1, 3),
    ),
    min_size=1,
    max_size=7,
)


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.builds(
        Policy, st.sampled_from(POLICIES), st.just(2), st.integers(1, 4), st.sampled_from([50, 65, 90])
    ),
    turns,
)
def test_the_sentence_agrees_with_the_numbers_whatever_the_policy(policy, history):
    position = propose_by(policy, history)
    assert position is not None
    reason = explain(position, policy)

    assert reason.answer.startswith(f"{position.level} en situation ")
    told = [
        Fraction(n.replace(",", ".")) for n in re.findall(r"(\d[\d,]*)(?: en moyenne)? le \d", reason.because)
    ]
    counted = [Fraction(round(float(turn.level), 1)).limit_denominator(10) for turn in position.counted]
    assert set(told) - {t.level for t in position.ignored} <= set(counted) | {
        Fraction(round(float(t.level), 1)).limit_denominator(10) for t in position.ignored
    }
    if policy.name in (MEAN, DECAYING) and position.seen > 1:
        value = re.match(r"([\d,]+)(?: en moyenne|, le plus récent)", reason.because)
        assert value is not None
        shown_value = Fraction(value[1].replace(",", "."))
        assert round_half_up(shown_value) == position.level
        assert 0 <= position.value - shown_value < Fraction(1, 100)
    if policy.name == LATEST:
        assert told[0] == counted[0]
        assert round_half_up(position.counted[0].level + Fraction(0)) == position.level
    if policy.name == BEST:
        assert told[0] == position.level
    if policy.name == TIMES:
        reached = sum(
            t.level >= max(3, position.level) and t.complexity == position.complexity for t in history
        )
        times = re.search(r"atteint (\d+) fois", reason.because)
        assert (int(times[1]) if times else 0) == reached
        assert (reached >= policy.times) == (position.level >= 3)
    assert bool(reason.provisional) == position.provisional
