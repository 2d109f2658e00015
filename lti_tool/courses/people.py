"""People as they are shown: short names that stay apart, or « Élève 7 »."""

from __future__ import annotations

import unicodedata
from collections import Counter
from dataclasses import dataclass

import sqlalchemy as sa
from flask_babel import gettext as _
from sqlalchemy.orm import Session, joinedload

from .models import Enrolment, Person
from .roster import pupils_query


@dataclass(frozen=True)
class Pupil:
    """A pupil of a course: `name` is short (« Camille R. »), `full_name` whole."""

    person_id: int
    name: str
    full_name: str


def pupils(session: Session, course_id: int) -> list[Pupil]:
    """The pupils of a course, in the order of their shown names."""
    rows = list(session.scalars(pupils_query(course_id).options(joinedload(Enrolment.person))))
    short = Counter(_short(row.person) for row in rows)
    shown = [
        Pupil(
            row.person_id,
            _short(row.person) if _short(row.person) and short[_short(row.person)] == 1 else full_name(row),
            full_name(row),
        )
        for row in rows
    ]
    return sorted(shown, key=lambda pupil: sort_key(pupil.name))


def named_people(session: Session, course_id: int, person_ids: set[int]) -> list[Pupil]:
    """Some people of a course, those who left too, by their whole names."""
    rows = session.scalars(
        sa.select(Enrolment)
        .where(Enrolment.course_id == course_id, Enrolment.person_id.in_(person_ids))
        .options(joinedload(Enrolment.person))
    )
    shown = [Pupil(row.person_id, full_name(row), full_name(row)) for row in rows]
    return sorted(shown, key=lambda pupil: sort_key(pupil.name))


def count_pupils(session: Session, course_id: int) -> int:
    """How many pupils a course has, without their names."""
    return session.scalar(sa.select(sa.func.count()).select_from(pupils_query(course_id).subquery())) or 0


def full_name(enrolment: Enrolment) -> str:
    """The name the platform shares, else the teacher's label, else the pupil's number."""
    person = enrolment.person
    whole = f"{person.given_name} {person.family_name}".strip() or person.name
    return whole or enrolment.label or _("Élève %(number)s", number=enrolment.number)


def staff_name(person: Person) -> str:
    """A colleague, in short: « Karim D. », or a word for those without a name."""
    return _short(person) or person.name or _("Collègue")


def initials(person: Person) -> str:
    """Two letters for a colleague's entries."""
    words = f"{person.given_name} {person.family_name}".split() or person.name.split()
    return "".join(word[0] for word in words[:2]).upper() or "?"


def sort_key(name: str) -> tuple[object, ...]:
    """Order without accents or case; « Élève 7 » before « Élève 12 »."""
    return tuple((1, int(word), "") if word.isdigit() else (0, 0, word) for word in plain(name).split())


def plain(name: str) -> str:
    """A name without accents or case, to compare."""
    letters = unicodedata.normalize("NFKD", name.casefold())
    return "".join(letter for letter in letters if not unicodedata.combining(letter))


def _short(person: Person) -> str:
    if not person.given_name:
        return person.name
    return f"{person.given_name} {person.family_name[:1]}.".replace(" .", "")
