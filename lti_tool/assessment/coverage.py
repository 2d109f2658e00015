"""What a course has really worked: situations in which a level was seen, by competence, speciality and period.

What is only planned counts for nothing here: a situation covers a competence once somebody was assessed in it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from enum import Enum, auto

import sqlalchemy as sa
from sqlalchemy.orm import Session

from ..activities.models import COMPLEXITIES, SIMPLE, SPECIALITIES, Activity, ActivityCompetence
from ..activities.nudges import OFTEN
from .entries import newest_ids
from .models import Assessment
from .spans import ELSEWHERE, Span, present_span, span_of

NO_SPECIALITY = ""
"""The column of the situations that explore no speciality."""


@dataclass(frozen=True)
class Seen:
    """A situation in which a competence was seen, and in whom."""

    activity: Activity
    item_id: int
    people: frozenset[int]


@dataclass(frozen=True)
class Cell:
    """The situations of one competence in one speciality and one stretch of the year."""

    seen: tuple[Seen, ...] = ()
    unexplored: bool = False
    """Whether to point at it: its speciality was never explored in this competence, and its time is now."""

    @property
    def complexity(self) -> int:
        """The highest one."""
        return max(seen.activity.complexity for seen in self.seen)

    @property
    def people(self) -> frozenset[int]:
        return frozenset[int]().union(*(seen.people for seen in self.seen))


class Verdict(Enum):
    """A line in a word, the most pressing one."""

    NEVER = auto()
    ONCE = auto()
    ONE_SPECIALITY = auto()
    MISSING = auto()
    ONLY_SIMPLE = auto()
    COVERED = auto()


@dataclass(frozen=True)
class Line:
    """A competence: its cells by (stretch, speciality), and what they say together."""

    item_id: int
    cells: dict[tuple[str, str], Cell]
    seen: tuple[Seen, ...]
    planned: int
    """How many situations mobilise it in which nobody was assessed yet."""

    @property
    def explored(self) -> list[str]:
        """The specialities it was worked in."""
        return [s for s in SPECIALITIES if any(s in seen.activity.specialities for seen in self.seen)]

    @property
    def missing(self) -> list[str]:
        return [s for s in SPECIALITIES if s not in self.explored]

    @property
    def next_complexity(self) -> int:
        """The lowest one it was not yet worked twice at."""
        counts = Counter(seen.activity.complexity for seen in self.seen)
        return next((c for c in COMPLEXITIES if counts[c] < OFTEN), COMPLEXITIES[-1])

    @property
    def verdict(self) -> Verdict:
        if not self.seen:
            return Verdict.NEVER
        if len(self.seen) == 1:
            return Verdict.ONCE
        if len(self.explored) == 1:
            return Verdict.ONE_SPECIALITY
        if self.missing:
            return Verdict.MISSING
        if all(seen.activity.complexity == SIMPLE for seen in self.seen):
            return Verdict.ONLY_SIMPLE
        return Verdict.COVERED


@dataclass(frozen=True)
class Coverage:
    """The table: stretches of the year in columns, each with the same specialities; a line per competence."""

    spans: list[Span]
    specialities: list[str]
    lines: list[Line]
    situations: int


def seen_situations(session: Session, course_id: int, people: Iterable[int]) -> list[Seen]:
    """Each situation of the present year and each competence in which some of these people got a level, by date."""
    here = sa.select(Activity.id).where(Activity.course_id == course_id, Activity.year_id.is_(None))
    newest = newest_ids(Assessment.activity_id.in_(here), Assessment.person_id.in_(list(people)))
    rows = session.execute(
        sa.select(Assessment.activity_id, Assessment.item_id, Assessment.person_id).where(
            Assessment.id.in_(newest), Assessment.level.is_not(None)
        )
    )
    found: dict[int, dict[int, set[int]]] = {}
    for activity_id, item_id, person_id in rows:
        found.setdefault(activity_id, {}).setdefault(item_id, set()).add(person_id)
    activities = session.scalars(
        sa.select(Activity).where(Activity.course_id == course_id).order_by(Activity.starts_on, Activity.id)
    )
    return [
        Seen(activity, item_id, frozenset(of))
        for activity in activities
        for item_id, of in found.get(activity.id, {}).items()
    ]


def planned_situations(session: Session, course_id: int) -> list[tuple[int, int]]:
    """The pairs (competence, situation) that the activities of the list mobilise."""
    rows = session.execute(
        sa.select(ActivityCompetence.item_id, ActivityCompetence.activity_id)
        .join(Activity, Activity.id == ActivityCompetence.activity_id)
        .where(Activity.course_id == course_id, Activity.archived_at.is_(None), Activity.year_id.is_(None))
    )
    return [(item_id, activity_id) for item_id, activity_id in rows]


def cover(
    item_ids: Sequence[int],
    spans: Sequence[Span],
    found: Iterable[Seen],
    planned: Iterable[tuple[int, int]],
    today: date,
) -> Coverage:
    """The table. Work outside every stretch gets a column of its own, the last."""
    wanted = set(item_ids)
    seen = [one for one in found if one.item_id in wanted]
    columns = [*spans, *_elsewhere(spans, seen)]
    bare = any(not one.activity.specialities for one in seen)
    specialities = [*SPECIALITIES, *([NO_SPECIALITY] if bare else [])]
    now = present_span(spans, today)
    done = {(one.item_id, one.activity.id) for one in seen}
    waiting = [item_id for item_id, activity_id in planned if (item_id, activity_id) not in done]
    lines = [
        _line(
            item_id,
            columns,
            specialities,
            [o for o in seen if o.item_id == item_id],
            now,
            waiting.count(item_id),
        )
        for item_id in item_ids
    ]
    return Coverage(columns, specialities, lines, len({one.activity.id for one in seen}))


def _line(
    item_id: int,
    spans: Sequence[Span],
    specialities: list[str],
    seen: list[Seen],
    now: Span | None,
    planned: int,
) -> Line:
    groups: dict[tuple[str, str], list[Seen]] = {}
    for one in seen:
        span = span_of(spans, one.activity.starts_on)
        for speciality in one.activity.specialities or [NO_SPECIALITY]:
            if span is not None:
                groups.setdefault((span.key, speciality), []).append(one)
    explored = {speciality for _span, speciality in groups}
    cells = {}
    for span in spans:
        for speciality in specialities:
            unexplored = span is now and speciality != NO_SPECIALITY and speciality not in explored
            cells[span.key, speciality] = Cell(tuple(groups.get((span.key, speciality), ())), unexplored)
    return Line(item_id, cells, tuple(seen), planned)


def _elsewhere(spans: Sequence[Span], seen: list[Seen]) -> list[Span]:
    """A column for work on days that no stretch holds; a stretch it runs over is shorter, and keeps its days."""
    days = [one.activity.starts_on for one in seen if span_of(spans, one.activity.starts_on) is None]
    return [Span(ELSEWHERE, min(days), max(days))] if days else []
