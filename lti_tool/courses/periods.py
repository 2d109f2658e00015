"""The periods of a course: terms, which follow one another, and PFMP, which fall within them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

import sqlalchemy as sa
from flask_babel import gettext as _
from sqlalchemy.orm import Session

from ..errors import BadInput
from .models import Course, CoursePeriod, PeriodKind

LONGEST_NAME = 64
FIRST_MONTH = 8


def periods_of(session: Session, course_id: int) -> list[CoursePeriod]:
    """The periods of a course, oldest first; a term before the PFMP that begins with it."""
    found = session.scalars(sa.select(CoursePeriod).where(CoursePeriod.course_id == course_id))
    return sorted(found, key=lambda one: (one.starts_on, one.kind is PeriodKind.PFMP, one.id))


def period_of(
    periods: Iterable[CoursePeriod], day: date, kind: PeriodKind = PeriodKind.TERM
) -> CoursePeriod | None:
    """The term, or the PFMP, that a day falls in: one of a kind at most."""
    return next((one for one in periods if one.kind is kind and one.starts_on <= day <= one.ends_on), None)


def periods_at(periods: Iterable[CoursePeriod], day: date) -> list[CoursePeriod]:
    """All that a day falls in: its term, then its PFMP."""
    known = list(periods)
    return [one for kind in PeriodKind if (one := period_of(known, day, kind))]


# ----- the school year -----


def school_year_of(day: date) -> int:
    """The year in which the school year of a day begins: August is of the next one."""
    return day.year if day.month >= FIRST_MONTH else day.year - 1


def year_name(first: int) -> str:
    """« 2026-2027 »."""
    return f"{first}-{first + 1}"


@dataclass(frozen=True)
class Row:
    """A line of the form: a period as it was typed, or as it is proposed. `period_id` 0 for a new one."""

    period_id: int = 0
    name: str = ""
    kind: str = PeriodKind.TERM
    starts_on: str = ""
    ends_on: str = ""

    @property
    def empty(self) -> bool:
        return not (self.name or self.starts_on or self.ends_on)

    @classmethod
    def of(cls, period: CoursePeriod) -> Row:
        return cls(
            period.id, period.name, period.kind, period.starts_on.isoformat(), period.ends_on.isoformat()
        )


def proposed_terms(first: int, count: int) -> list[Row]:
    """Three terms or two halves of a school year, to be changed to the school's own dates."""
    if count == 2:
        bounds = [(date(first, 9, 1), date(first + 1, 1, 31)), (date(first + 1, 2, 1), date(first + 1, 7, 4))]
        names = [_("Semestre %(n)s", n=n) for n in (1, 2)]
    else:
        bounds = [
            (date(first, 9, 1), date(first, 11, 30)),
            (date(first, 12, 1), date(first + 1, 3, 14)),
            (date(first + 1, 3, 15), date(first + 1, 7, 4)),
        ]
        names = [_("Trimestre %(n)s", n=n) for n in (1, 2, 3)]
    return [
        Row(0, name, PeriodKind.TERM, start.isoformat(), end.isoformat())
        for name, (start, end) in zip(names, bounds, strict=True)
    ]


# ----- the form -----


def save_periods(session: Session, course: Course, rows: list[Row]) -> None:
    """Make, change and delete the periods of these lines, in the caller's transaction.

    An emptied line deletes its period; a period that no line names stays. Raises `BadInput`: a sentence per line, by
    its place.
    """
    known = {one.id: one for one in periods_of(session, course.id)}
    problems = {str(n): problem for n, row in enumerate(rows) if (problem := _problem(row))}
    if problems:
        raise BadInput(problems)
    named = {row.period_id for row in rows}
    spans = [
        (one.name, one.kind, one.starts_on, one.ends_on) for key, one in known.items() if key not in named
    ]
    for place, row in enumerate(rows):
        if row.empty:
            continue
        kind, start, end = (
            PeriodKind(row.kind),
            date.fromisoformat(row.starts_on),
            date.fromisoformat(row.ends_on),
        )
        for name, other, begins, ends in spans:
            if other is kind and start <= ends and begins <= end:
                problems[str(place)] = _overlap(row.name, name, kind)
        spans.append((row.name, kind, start, end))
    if problems:
        raise BadInput(problems)
    for row in rows:
        period = known.get(row.period_id)
        if row.empty:
            if period is not None:
                session.delete(period)
            continue
        if period is None:
            period = CoursePeriod(course_id=course.id)
            session.add(period)
        period.name, period.kind = row.name, PeriodKind(row.kind)
        period.starts_on, period.ends_on = date.fromisoformat(row.starts_on), date.fromisoformat(row.ends_on)
    session.flush()


def _problem(row: Row) -> str:
    if row.empty:
        return ""
    if not row.name:
        return _(
            "Un nom est nécessaire\u00a0: «\u00a0Trimestre 1\u00a0», par exemple. Vider la ligne la supprime."
        )
    if len(row.name) > LONGEST_NAME:
        return _("Ce nom dépasse %(n)s caractères\u00a0: le raccourcir.", n=LONGEST_NAME)
    if row.kind not in set(PeriodKind):
        return _("Choisir période de classe ou PFMP.")
    starts_on, ends_on = read_day(row.starts_on), read_day(row.ends_on)
    if starts_on is None or ends_on is None:
        return _("Un début et une fin sont nécessaires, à des dates qui existent.")
    if ends_on < starts_on:
        return _("La fin vient avant le début\u00a0: inverser les deux dates.")
    return ""


def _overlap(name: str, other: str, kind: PeriodKind) -> str:
    if kind is PeriodKind.PFMP:
        return _(
            "«\u00a0%(name)s\u00a0» et «\u00a0%(other)s\u00a0» se chevauchent\u00a0: un jour n’est que d’une PFMP.",
            name=name,
            other=other,
        )
    return _(
        "«\u00a0%(name)s\u00a0» et «\u00a0%(other)s\u00a0» se chevauchent\u00a0: un jour n’est que d’une période de "
        "classe. Une PFMP, elle, peut tomber dedans.",
        name=name,
        other=other,
    )


def read_day(typed: str) -> date | None:
    """A day that was typed, of this century; None for anything else."""
    try:
        found = date.fromisoformat(typed)
    except ValueError:
        return None
    return found if 2000 <= found.year <= 2100 else None
