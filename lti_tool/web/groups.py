"""« Groupes »: the groups of the class, and who is in each."""

from __future__ import annotations

from dataclasses import dataclass, field

import sqlalchemy as sa
from flask import redirect, render_template, request
from werkzeug.wrappers import Response

from ..activities.models import Activity
from ..activities.people import forget_group
from ..courses.groups import delete_group, find_group, groups_of, members, save_group
from ..courses.models import CourseGroup
from ..courses.people import pupils
from ..db import db
from ..errors import BadInput
from ..gradebook.scores import hold_course
from .guard import May, here, page, row_id, visit


@dataclass
class Draft:
    """The form of a group: what is stored, or what was typed."""

    name: str = ""
    ticked: set[int] = field(default_factory=set)
    problems: dict[str, str] = field(default_factory=dict)


@page("/groups", may=May.TEACH)
def groups() -> str:
    """The groups of the course, with their pupils and what is for them."""
    course = visit().course
    known = pupils(db.session, course.id)
    inside = members(db.session, course.id)
    grouped = {person_id for people in inside.values() for person_id in people}
    return render_template(
        "groups.html",
        course=course,
        groups=groups_of(db.session, course.id),
        names={key: [p.name for p in known if p.person_id in people] for key, people in inside.items()},
        activities=_activities_of(course.id),
        known=known,
        alone=[pupil.name for pupil in known if pupil.person_id not in grouped],
        saved=request.args.get("saved", type=row_id),
        deleted=bool(request.args.get("deleted")),
    )


@page("/groups/new", may=May.TEACH)
def new_group() -> str:
    """An empty form; with `rest`, the pupils who are in no group yet are ticked."""
    course = visit().course
    draft = Draft()
    if request.args.get("rest"):
        grouped = {person for people in members(db.session, course.id).values() for person in people}
        draft.ticked = {p.person_id for p in pupils(db.session, course.id)} - grouped
    return _form(draft)


@page("/groups/new", may=May.TEACH, methods=("POST",))
def create_group() -> Response | tuple[str, int]:
    """Make a group."""
    return _save(None)


@page("/groups/<id:group_id>", may=May.TEACH)
def edit_group(group_id: int) -> str:
    """The form of a group."""
    course = visit().course
    group = find_group(db.session, course, group_id)
    return _form(Draft(group.name, members(db.session, course.id).get(group.id, set())), group)


@page("/groups/<id:group_id>", may=May.TEACH, methods=("POST",))
def change_group(group_id: int) -> Response | tuple[str, int]:
    """Change a group. Who is moved out of it keeps what was seen of them."""
    return _save(find_group(db.session, visit().course, group_id))


@page("/groups/<id:group_id>/delete", may=May.TEACH, methods=("POST",))
def remove_group(group_id: int) -> Response | tuple[str, int]:
    """Delete a group, unless an activity is for it: it would be everybody's all at once."""
    course = visit().course
    hold_course(db.session, course.id)
    group = find_group(db.session, course, group_id)
    if _activities_of(course.id).get(group.id):
        return edit_group(group_id), 422
    forget_group(db.session, group.id)
    delete_group(db.session, group)
    db.session.commit()
    return redirect(here("groups", deleted=1), 303)


def _save(group: CourseGroup | None) -> Response | tuple[str, int]:
    course = visit().course
    ticked = set(request.form.getlist("pupils", type=row_id))
    draft = Draft(request.form.get("name", "").replace("\x00", ""), ticked)
    hold_course(db.session, course.id)
    try:
        saved = save_group(db.session, course, draft.name, ticked, group)
    except BadInput as error:
        draft.problems = error.problems
        return _form(draft, group), 422
    db.session.commit()
    return redirect(here("groups", saved=saved.id), 303)


def _form(draft: Draft, group: CourseGroup | None = None) -> str:
    course = visit().course
    own = group.id if group else 0
    named = {one.id: one.name for one in groups_of(db.session, course.id)}
    inside = members(db.session, course.id)
    known = pupils(db.session, course.id)
    others = {
        pupil.person_id: [
            name for key, name in named.items() if key != own and pupil.person_id in inside.get(key, set())
        ]
        for pupil in known
    }
    return render_template(
        "group.html",
        group=group,
        draft=draft,
        known=known,
        others=others,
        any_alone=group is None and bool(named) and not all(others.values()),
        activities=_activities_of(course.id).get(own, []),
    )


def _activities_of(course_id: int) -> dict[int, list[Activity]]:
    """The activities of the present year that are for a group, by its number."""
    rows = db.session.scalars(
        sa.select(Activity)
        .where(Activity.course_id == course_id, Activity.group_id.is_not(None), Activity.year_id.is_(None))
        .order_by(Activity.starts_on, Activity.id)
    )
    found: dict[int, list[Activity]] = {}
    for row in rows:
        found.setdefault(row.group_id or 0, []).append(row)
    return found
