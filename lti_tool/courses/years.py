"""The school years of a course that are over."""

from __future__ import annotations

from collections.abc import Iterable

import sqlalchemy as sa
from sqlalchemy.orm import Session

from .models import Course, Enrolment, Role, SchoolYear
from .periods import year_name


def years_of(session: Session, course_id: int) -> list[SchoolYear]:
    """The years of a course that are over, newest first."""
    query = sa.select(SchoolYear).where(SchoolYear.course_id == course_id)
    return list(session.scalars(query.order_by(SchoolYear.id.desc())))


def name_of_new(first: int, known: Iterable[SchoolYear]) -> str:
    """« 2025-2026 », or « 2025-2026 (2) » where that year was closed before."""
    name, names, number = year_name(first), {year.name for year in known}, 2
    while name in names:
        name, number = f"{year_name(first)} ({number})", number + 1
    return name


def absent_pupils(course_id: int) -> sa.Select[int]:
    """The enrolments of those whom a new year hides: shown as pupils, and not in the class list.

    On a platform that gives no class list that is everybody: each is shown again when they open the tool.
    """
    return sa.select(Enrolment.id).where(
        Enrolment.course_id == course_id,
        Enrolment.role == Role.LEARNER,
        Enrolment.active.is_(True),
        Enrolment.in_roster.is_(False),
        Enrolment.launched_as.in_(("", Role.LEARNER)),
    )


def hide_absent(session: Session, course: Course) -> None:
    """Hide the pupils who are not in the class list; their results stay."""
    session.execute(
        sa.update(Enrolment).where(Enrolment.id.in_(absent_pupils(course.id))).values(active=False)
    )
