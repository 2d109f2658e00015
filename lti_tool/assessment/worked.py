"""Which competences a course works: those that an activity mobilises, or that were assessed."""

from __future__ import annotations

from collections import Counter

import sqlalchemy as sa
from sqlalchemy.orm import Session

from ..activities.models import Activity, ActivityCompetence
from ..courses.models import Course
from ..courses.referentials import Material, materials
from ..frameworks.models import FrameworkItem
from ..frameworks.sheets import Group
from .models import Assessment


def worked_materials(session: Session, course: Course) -> list[Material]:
    """What tables show of a course's referentials: the main one whole, of the others what the course works.

    A class that works two digital skills beside its ten competences must not read fourteen empty columns.
    """
    main, *others = materials(session, course)
    if not others:
        return [main]
    worked = worked_items(session, course)
    return [main, *(kept for one in others if (kept := _worked_part(one, worked)).groups)]


def worked_items(session: Session, course: Course) -> set[int]:
    """The ids of the competences that a course works in its present year."""
    rows = _pairs(course, Activity.year_id.is_(None)).subquery()
    return set(session.scalars(sa.select(rows.c.item_id).distinct()))


def _worked_part(whole: Material, worked: set[int]) -> Material:
    parts = [Group(g.item, [c for c in g.competences if c.id in worked]) for g in whole.groups]
    return Material(whole.framework, [part for part in parts if part.competences])


def count_uses(session: Session, course: Course) -> Counter[int]:
    """How many activities of a course, archived ones and those of past years too, work each referential, by its id."""
    rows = _pairs(course).subquery()
    found = session.execute(
        sa.select(FrameworkItem.framework_id, sa.func.count(rows.c.activity_id.distinct()))
        .join(FrameworkItem, FrameworkItem.id == rows.c.item_id)
        .group_by(FrameworkItem.framework_id)
    )
    return Counter({row[0]: row[1] for row in found})


def _pairs(course: Course, *which: sa.ColumnElement[bool]) -> sa.CompoundSelect[tuple[int, int]]:
    """Activities and the competences they mobilise, or did when something was seen in them."""
    of_course = sa.select(Activity.id).where(Activity.course_id == course.id, *which)
    return sa.union(
        sa.select(ActivityCompetence.activity_id, ActivityCompetence.item_id).where(
            ActivityCompetence.activity_id.in_(of_course)
        ),
        sa.select(Assessment.activity_id, Assessment.item_id).where(Assessment.activity_id.in_(of_course)),
    )
