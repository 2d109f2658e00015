"""How often an address may come: a minute's count for each, in a table with a bound."""

from __future__ import annotations

import pytest

from lti_tool.web import counting
from lti_tool.web.counting import MOST_COUNTED, WINDOW_S, Counting


class Clock:
    now = 1000.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(counting, "time", clock)
    return clock


def test_as_many_as_the_limit_may_come_in_a_minute_and_not_one_more(clock: Clock) -> None:
    count = Counting(3)
    assert [count.is_too_many("a") for _ in range(5)] == [False, False, False, True, True]
    assert not count.is_too_many("b")


def test_a_minute_later_the_count_begins_anew(clock: Clock) -> None:
    count = Counting(1)
    assert not count.is_too_many("a")
    clock.now += WINDOW_S - 0.1
    assert count.is_too_many("a")
    clock.now += 0.1
    assert not count.is_too_many("a")
    assert count.is_too_many("a")


def test_the_table_is_bounded_and_gives_up_what_is_over_first(clock: Clock) -> None:
    count = Counting(1)
    for number in range(MOST_COUNTED - 1):
        count.is_too_many(f"old {number}")
    clock.now += WINDOW_S / 2
    count.is_too_many("young")
    assert len(count) == MOST_COUNTED
    clock.now += WINDOW_S / 2
    count.is_too_many("one more")
    assert len(count) == 2
    assert count.is_too_many("young"), "what is not over is still counted"


def test_a_full_table_of_young_counts_gives_up_a_tenth_those_that_end_first(clock: Clock) -> None:
    count = Counting(1)
    for number in range(MOST_COUNTED):
        clock.now += 0.001
        count.is_too_many(str(number))
    count.is_too_many("one more")
    assert len(count) == MOST_COUNTED - MOST_COUNTED // 10 + 1
    assert count.is_too_many(str(MOST_COUNTED // 10))
    assert not count.is_too_many("0")
