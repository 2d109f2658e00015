"""Stretches of the year: the periods a course names, or the three parts of the school year where it names none."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

ELSEWHERE = "other"
"""The key of the stretch of the days that no other holds."""


@dataclass(frozen=True)
class Span:
    """A stretch of the year: a period of the course, or a part of the school year where it names none."""

    key: str
    first: date
    last: date
    name: str = ""

    def holds(self, day: date) -> bool:
        return self.first <= day <= self.last

    def day_near(self, today: date) -> date:
        """Today where it falls inside, else the closest day that does."""
        return min(max(today, self.first), self.last)


def parts_of_year(today: date) -> list[Span]:
    """The three parts of the school year of a day: September to November, December to February, March to August."""
    year = today.year if today.month >= 9 else today.year - 1
    starts = [date(year, 9, 1), date(year, 12, 1), date(year + 1, 3, 1), date(year + 1, 9, 1)]
    return [
        Span(f"part{number}", first, following - timedelta(days=1))
        for number, (first, following) in enumerate(zip(starts, starts[1:], strict=False), 1)
    ]


def present_span(spans: Sequence[Span], today: date) -> Span | None:
    """The stretch of this moment, the shortest where two overlap; between two the next one, at the end the last."""
    inside = [span for span in spans if span.holds(today)]
    if inside:
        return min(inside, key=_length)
    later = [span for span in spans if span.first > today]
    return (
        min(later, key=lambda span: span.first) if later else max(spans, key=lambda s: s.last, default=None)
    )


def span_of(spans: Iterable[Span], day: date) -> Span | None:
    """Where work of a day is counted, once: in a PFMP rather than in the term it falls in."""
    return min((span for span in spans if span.holds(day)), key=_length, default=None)


def _length(span: Span) -> timedelta:
    return span.last - span.first
