"""The groups of a course, and who is in them. Every change is in the caller's transaction."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

import sqlalchemy as sa
from flask_babel import gettext as _
from sqlalchemy.orm import Session

from ..errors import BadInput, NotFound
from .models import Course, CourseGroup, Enrolment, GroupMember
from .people import sort_key
from .roster import pupils_query

LONGEST_NAME = 64


def groups_of(session: Session, course_id: int) -> list[CourseGroup]:
    """The groups of a course, in order."""
    query = sa.select(CourseGroup).where(CourseGroup.course_id == course_id)
    return list(session.scalars(query.order_by(CourseGroup.position, CourseGroup.id)))


def find_group(session: Session, course: Course, group_id: int) -> CourseGroup:
    """The group of this course. Raises `NotFound`, also for another course's."""
    found = session.scalars(sa.select(CourseGroup).filter_by(id=group_id, course_id=course.id)).first()
    if found is None:
        raise NotFound("there is no such group in this course")
    return found


def members(session: Session, course_id: int) -> dict[int, set[int]]:
    """Who is in each group of a course, by the group's number: its present pupils only."""
    present = pupils_query(course_id).with_only_columns(Enrolment.person_id)
    rows = session.execute(
        sa.select(GroupMember.group_id, GroupMember.person_id)
        .join(CourseGroup, CourseGroup.id == GroupMember.group_id)
        .where(CourseGroup.course_id == course_id, GroupMember.person_id.in_(present))
    )
    found: dict[int, set[int]] = defaultdict(set)
    for group_id, person_id in rows:
        found[group_id].add(person_id)
    return found


def groups_with(session: Session, course_id: int, person_id: int) -> set[int]:
    """The numbers of the groups that somebody is in."""
    return set(
        session.scalars(
            sa.select(GroupMember.group_id)
            .join(CourseGroup, CourseGroup.id == GroupMember.group_id)
            .where(CourseGroup.course_id == course_id, GroupMember.person_id == person_id)
        )
    )


def save_group(
    session: Session,
    course: Course,
    name: str,
    people: Iterable[int],
    group: CourseGroup | None = None,
) -> CourseGroup:
    """Make or change a group. Raises `BadInput` for its name.

    Its members become these people, of the pupils of the course. Those of the group who have left stay in it: the
    page did not show them.
    """
    others = [one for one in groups_of(session, course.id) if group is None or one.id != group.id]
    name = " ".join(name.split())
    _check(name, others)
    if group is None:
        position = max((one.position for one in others), default=0) + 1
        group = CourseGroup(course_id=course.id, position=position)
        session.add(group)
    group.name = name
    session.flush()
    present = set(session.scalars(pupils_query(course.id).with_only_columns(Enrolment.person_id)))
    wanted = set(people) & present
    inside = set(session.scalars(sa.select(GroupMember.person_id).where(GroupMember.group_id == group.id)))
    out = (inside & present) - wanted
    session.execute(
        sa.delete(GroupMember).where(GroupMember.group_id == group.id, GroupMember.person_id.in_(out))
    )
    session.add_all(GroupMember(group_id=group.id, person_id=one) for one in sorted(wanted - inside))
    session.flush()
    return group


def delete_group(session: Session, group: CourseGroup) -> None:
    """Delete a group that no activity is for. Its pupils and their results stay."""
    session.execute(sa.delete(GroupMember).where(GroupMember.group_id == group.id))
    session.delete(group)
    session.flush()


def _check(name: str, others: list[CourseGroup]) -> None:
    if not name:
        raise BadInput({"name": _("Un nom est nécessaire\u00a0: «\u00a0Groupe A\u00a0», par exemple.")})
    if len(name) > LONGEST_NAME:
        raise BadInput({"name": _("Ce nom dépasse %(n)s caractères\u00a0: le raccourcir.", n=LONGEST_NAME)})
    if any(sort_key(one.name) == sort_key(name) for one in others):
        raise BadInput({"name": _("Un autre groupe porte déjà ce nom\u00a0: en changer.")})
