"""The periods of a course: terms, which follow one another, and PFMP, which fall within them."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

import sqlalchemy as sa
from sqlalchemy.orm import Session

from .models import CoursePeriod, PeriodKind


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
