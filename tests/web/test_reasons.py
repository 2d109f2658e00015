"""The sentence that says why a level is what it is."""

from datetime import date

import pytest
from flask import Flask

from lti_tool.assessment.entries import Observation
from lti_tool.assessment.mastery import Turn, propose
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
