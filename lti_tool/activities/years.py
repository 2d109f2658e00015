"""« Nouvelle année »: what was seen is put away, what was prepared is kept without its dates (docs/decisions/0027)."""

from __future__ import annotations

import uuid
from collections import Counter
from dataclasses import dataclass
from datetime import date, datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session, joinedload, selectinload

from ..courses.models import Course, SchoolYear
from ..courses.periods import school_year_of
from ..courses.years import absent_pupils, hide_absent, name_of_new, years_of
from .copies import prepared_copy
from .models import Activity, ActivityCompetence, ActivityLink, ObservedItem


@dataclass(frozen=True)
class Preview:
    """What closing the present year would do."""

    name: str
    copied: int
    """Activities that come back without their dates."""
    archived: int
    """Activities that were put away before, and go with the year."""
    hidden: int
    """Pupils who are not in the class list."""


def preview_year(session: Session, course: Course, today: date) -> Preview:
    """What closing the present year of a course would do."""
    of_year = sa.select(Activity.id).where(Activity.course_id == course.id, Activity.year_id.is_(None))

    def count(rows: sa.Select[int]) -> int:
        return session.scalar(sa.select(sa.func.count()).select_from(rows.subquery())) or 0

    return Preview(
        _name(session, course, today),
        copied=count(of_year.where(Activity.archived_at.is_(None))),
        archived=count(of_year.where(Activity.archived_at.is_not(None))),
        hidden=count(absent_pupils(course.id)),
    )


def year_mark(course: Course) -> str:
    """Which year a page was made in: sent back with its form, so that a second press closes nothing more."""
    return course.year_began_at.isoformat() if course.year_began_at else "first"


def close_year(
    session: Session, course: Course, mark: str, person_id: int, today: date, now: datetime
) -> SchoolYear | None:
    """Close the present year of a course, in the caller's transaction, that holds the course.

    None, and nothing is changed, when the page was made in another year than the present one, or when the present
    one has no activity: somebody closed it at the same moment.
    """
    session.refresh(course, ("year_began_at",))
    current = session.scalars(
        sa.select(Activity)
        .where(Activity.course_id == course.id, Activity.year_id.is_(None))
        .order_by(Activity.starts_on, Activity.id)  # the copies, of one day, are listed as these were
        .options(
            selectinload(Activity.competences).joinedload(ActivityCompetence.item),
            selectinload(Activity.competences)
            .selectinload(ActivityCompetence.observed)
            .joinedload(ObservedItem.item),
        )
        .execution_options(populate_existing=True)
    ).all()
    if mark != year_mark(course) or not current:
        return None
    year = SchoolYear(
        course_id=course.id, name=_name(session, course, today), closed_at=now, closed_by_id=person_id
    )
    session.add(year)
    session.flush()
    for activity in current:
        if activity.archived_at is None:
            _carry_over(session, activity, person_id, today, now)
        activity.year_id = year.id
    course.year_began_at = now
    hide_absent(session, course)
    session.flush()
    return year


def _carry_over(session: Session, old: Activity, person_id: int, today: date, now: datetime) -> Activity:
    """The activity of the new year: the links of the course, old copies of them too, open it from now on.

    It takes the identifier over, since that is what links carry; the old one, which nothing names, gets another.
    """
    identifier, copied_from = old.uuid, old.copied_from
    old.uuid, old.copied_from = str(uuid.uuid4()), None
    session.flush()
    copy = prepared_copy(
        old,
        uuid=identifier,
        copied_from=copied_from,
        course_id=old.course_id,
        starts_on=today,
        undated=True,
        group_id=old.group_id,
        position=old.position,
        created_by_id=person_id,
        created_at=now,
        updated_at=now,
    )
    session.add(copy)
    session.flush()
    links = sa.update(ActivityLink).where(ActivityLink.activity_id == old.id)
    session.execute(links.values(activity_id=copy.id))
    return copy


def past_activities(session: Session, course: Course) -> dict[int, list[Activity]]:
    """The activities of the years that are over, by year, oldest work first."""
    rows = session.scalars(
        sa.select(Activity)
        .where(Activity.course_id == course.id, Activity.year_id.is_not(None))
        .order_by(Activity.starts_on, Activity.id)
        .options(
            selectinload(Activity.competences).joinedload(ActivityCompetence.item), joinedload(Activity.group)
        )
    )
    found: dict[int, list[Activity]] = {}
    for row in rows:
        found.setdefault(row.year_id or 0, []).append(row)
    return found


def _name(session: Session, course: Course, today: date) -> str:
    """The school year of most of the dated work; of today where nothing is dated."""
    days = session.scalars(
        sa.select(Activity.starts_on).where(
            Activity.course_id == course.id, Activity.year_id.is_(None), Activity.undated.is_(False)
        )
    )
    worked = Counter(school_year_of(day) for day in days) or Counter([school_year_of(today)])
    return name_of_new(max(worked, key=lambda first: (worked[first], -first)), years_of(session, course.id))
