"""What a teacher calls pupils whose names the platform does not share."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from .models import Enrolment, Person
from .people import pupils, sort_key
from .roster import pupils_query

LONGEST_LABEL = 64
NAMELESS = sa.and_(Person.given_name == "", Person.family_name == "", Person.name == "")


@dataclass(frozen=True)
class Nameless:
    """A pupil without a name: their number in the course, and the label that replaces it."""

    person_id: int
    number: int
    label: str
    seen_at: datetime | None


def nameless_pupils(session: Session, course_id: int) -> list[Nameless]:
    """The pupils of a course whose names the platform does not share, by number."""
    return [
        Nameless(row.person_id, row.number, row.label, row.launched_at)
        for row in session.scalars(_nameless(course_id).order_by(Enrolment.number))
    ]


def count_nameless(session: Session, course_id: int, *, unlabelled: bool = False) -> int:
    """How many pupils have no name; with `unlabelled`, those who are still a number."""
    query = _nameless(course_id)
    query = query.where(Enrolment.label == "") if unlabelled else query
    return session.scalar(sa.select(sa.func.count()).select_from(query.subquery())) or 0


def number_of(session: Session, course_id: int, person_id: int) -> int | None:
    """The number of a pupil without a name; None for the others."""
    query = _nameless(course_id).where(Enrolment.person_id == person_id)
    return session.scalar(query.with_only_columns(Enrolment.number))


def taken_names(session: Session, course_id: int, labels: Mapping[int, str]) -> set[int]:
    """The people whose label, once these are kept, would be somebody else's name too."""
    names = {pupil.person_id: pupil.full_name for pupil in pupils(session, course_id)}
    names.update(labels)
    keys = {person_id: sort_key(name) for person_id, name in names.items() if name}
    return {
        person_id
        for person_id in labels
        if person_id in keys and any(p != person_id and k == keys[person_id] for p, k in keys.items())
    }


def keep_labels(session: Session, course_id: int, labels: Mapping[int, str]) -> None:
    """Give pupils without a name their labels; an empty one gives the number back. In the caller's transaction."""
    query = _nameless(course_id).where(Enrolment.person_id.in_(labels))
    for row in session.scalars(query.with_for_update(of=Enrolment)):
        row.label = labels[row.person_id]


def _nameless(course_id: int) -> sa.Select[Enrolment]:
    return pupils_query(course_id).join(Person, Person.id == Enrolment.person_id).where(NAMELESS)
