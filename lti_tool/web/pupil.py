"""« Fiche élève » : one pupil's sheet as their teachers read it, and what teachers answer there."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlencode

import sqlalchemy as sa
from flask import redirect, render_template, request
from sqlalchemy.orm import joinedload
from werkzeug.wrappers import Response

from ..activities.models import Activity
from ..assessment.earlier import earlier_years
from ..assessment.models import Assessment
from ..assessment.observation_requests import LONGEST_ANSWER, close, requests_of
from ..assessment.self_positions import host_of, newest_by_item, self_positions
from ..courses.groups import members
from ..courses.models import Course, Enrolment, Role
from ..courses.people import Pupil, full_name, pupils
from ..courses.referentials import reference
from ..db import db, utcnow
from ..errors import BadInput, NotFound
from ..frameworks.models import FrameworkItem
from ..frameworks.sheets import linked_frameworks
from .guard import May, here, page, row_id, visit
from .my_activities import results_of
from .my_exploration import explore, unexplored
from .reasons import day_words, explain, in_situation
from .shown import code_words, level_word, local_day, short_date, speciality_words, today
from .spirals import chosen_competence, next_turn, read_sheet, spiral_of
from .standings import standing

KEPT = ("group",)
"""What the address says of the class list, kept on the way through it."""


@dataclass(frozen=True)
class Leaf:
    """A teacher's way through the class: who comes before, who comes after, and whether this one has left."""

    left: bool = False
    before: Pupil | None = None
    after: Pupil | None = None


@dataclass(frozen=True)
class Remark:
    """What a teacher wrote to the pupil about one competence of an activity."""

    activity: Activity
    item: FrameworkItem
    entry: Assessment


@page("/pupils/<id:person_id>", may=May.ASSESS)
def pupil_sheet(person_id: int) -> str:
    """One pupil, with the way to the next. `NotFound` for who is not of this course."""
    return _show(person_id)


@page("/pupils/<id:person_id>/requests", may=May.ASSESS, methods=("POST",))
def answer_request(person_id: int) -> Response | tuple[str, int]:
    """Close what a pupil asked, with or without a word. Assessing the competence answers it by itself."""
    course = visit().course
    find_pupil(course, person_id)
    item = chosen_competence(read_sheet(course, person_id))
    if item is None or not request.form.get("competence"):
        raise NotFound("the form names no competence")
    answer = request.form.get("answer", "")
    try:
        close(db.session, course.id, person_id, item.id, visit().person.id, answer, utcnow())
    except BadInput as error:
        return _show(person_id, answer, error.problems), 422
    db.session.commit()
    return redirect(_address(person_id, item, "demande"), 303)


def _show(person_id: int, answer: str = "", problems: dict[str, str] | None = None) -> str:
    course = visit().course
    pupil, leaf = find_pupil(course, person_id, request.args.get("group", type=row_id))
    sheet = read_sheet(course, person_id)
    chosen = chosen_competence(sheet)
    spiral = spiral_of(sheet, chosen)
    kept = {name: request.args[name] for name in KEPT if request.args.get(name)}
    said = self_positions(db.session, course.id, person_id)
    asked = requests_of(db.session, course.id, person_id)
    explored = explore(sheet.main, sheet.found)
    return render_template(
        "pupil.html",
        course=course,
        pupil=pupil,
        leaf=leaf,
        kept=kept,
        parts=sheet.parts,
        chosen=chosen,
        spiral=spiral,
        stands=standing(person_id, spiral.item, spiral.mastery, f"sheet?{urlencode(kept)}")
        if spiral
        else None,
        reasons={
            item: explain(mastery.proposed, mastery.policy) for item, mastery in sheet.masteries.items()
        },
        next_turn=next_turn(course, chosen, person_id),
        said=newest_by_item(said),
        history=[one for one in said if chosen and one.item_id == chosen.id],
        asked=asked,
        answer=answer,
        problems=problems or {},
        longest=LONGEST_ANSWER,
        remarks=_remarks(course, person_id),
        earlier=earlier_years(db.session, course, person_id, today()),
        explored=explored,
        unexplored=unexplored(explored),
        leads_on=bool(chosen and linked_frameworks(db.session, chosen.framework_id)),
        address=lambda item: _address(person_id, item, "spirale"),
        turn_address=lambda activity: here("grid", activity_id=activity.id),
        level_word=level_word,
        code_words=code_words(),
        speciality_words=speciality_words(),
        short_date=short_date,
        day_of=local_day,
        day_words=day_words,
        situations=in_situation(),
        host_of=host_of,
    )


def _address(person_id: int, item: FrameworkItem, anchor: str) -> str:
    """The same page, at another competence."""
    kept = {name: request.args[name] for name in KEPT if request.args.get(name)}
    code = reference(visit().course, item)
    return here("pupil_sheet", person_id=person_id, competence=code, **kept, _anchor=anchor)


def _remarks(course: Course, person_id: int) -> list[Remark]:
    """Every comment on a pupil's work of this year, newest work first."""
    kept = {pair: entry for pair, entry in results_of(course, person_id).items() if entry.comment}
    if not kept:
        return []
    ids = {activity_id for activity_id, _item in kept}
    present = sa.select(Activity).where(Activity.id.in_(ids), Activity.year_id.is_(None))
    activities = {one.id: one for one in db.session.scalars(present)}
    items = {
        one.id: one
        for one in db.session.scalars(
            sa.select(FrameworkItem)
            .where(FrameworkItem.id.in_({item for _activity, item in kept}))
            .options(joinedload(FrameworkItem.framework))
        )
    }
    found = [Remark(activities[a], items[i], entry) for (a, i), entry in kept.items() if a in activities]
    return sorted(found, key=lambda r: (-r.activity.starts_on.toordinal(), -r.activity.id, r.item.position))


def find_pupil(course: Course, person_id: int, group_id: int | None = None) -> tuple[Pupil, Leaf]:
    """A pupil of this course, or somebody who was one and has results here. Raises `NotFound`.

    Before and after them come the pupils of the group, where they are in it, else those of the class.
    """
    known = pupils(db.session, course.id)
    inside = members(db.session, course.id).get(group_id, set()) if group_id else set()
    if person_id in inside:
        known = [pupil for pupil in known if pupil.person_id in inside]
    place = next((i for i, pupil in enumerate(known) if pupil.person_id == person_id), None)
    if place is not None:
        before, after = known[:place], known[place + 1 :]
        return known[place], Leaf(before=before[-1] if before else None, after=after[0] if after else None)
    enrolment = db.session.scalars(
        sa.select(Enrolment)
        .where(
            Enrolment.course_id == course.id,
            Enrolment.person_id == person_id,
            Enrolment.role == Role.LEARNER,
            Enrolment.active.is_(False),
        )
        .options(joinedload(Enrolment.person))
    ).first()
    if enrolment is None or not results_of(course, person_id):
        raise NotFound("there is no such pupil in this course")
    return Pupil(person_id, full_name(enrolment), full_name(enrolment)), Leaf(left=True)
