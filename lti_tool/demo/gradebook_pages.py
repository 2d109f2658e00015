"""« Carnet de notes »: pupils and columns; the teacher edits a cell, locks or deletes a column."""

from flask import Blueprint, abort, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import select
from sqlalchemy.orm import Session

from lti_tool.demo.gradebook import line_items, remove_override, set_by_hand
from lti_tool.demo.nrps import by_family_name
from lti_tool.demo.pages import my_enrolment
from lti_tool.demo.platform import the_platform
from lti_tool.demo.tables import Enrolment, Grade, LineItem

gradebook_pages = Blueprint("gradebook", __name__)

CELL = "/courses/<int:course_id>/gradebook/<int:item_id>/<int:person_id>"


@gradebook_pages.get("/courses/<int:course_id>/gradebook")
def show(course_id: int) -> str:
    """The table; a pupil sees his own line only. Suspended pupils keep theirs."""
    with the_platform().database.reading() as db:
        me = my_enrolment(db, course_id)
        items = line_items(db, course_id)
        cells = {(grade.line_item_id, grade.person_id): grade for item in items for grade in item.grades}
        pupils = [me] if me.role == "pupil" else _pupils(db, course_id)
        return render_template(
            "demo/gradebook.html", me=me, course=me.course, items=items, cells=cells, pupils=pupils
        )


@gradebook_pages.route(CELL, methods=["GET", "POST"])
def cell(course_id: int, item_id: int, person_id: int) -> ResponseReturnValue:
    """One grade written by hand: an override when the column came with an activity."""
    platform = the_platform()
    with platform.database.writing() as db:
        me, item = _teacher_and_item(db, course_id, item_id)
        pupil = db.get(Enrolment, (course_id, person_id))
        if pupil is None or pupil.role != "pupil":
            abort(404)
        grade = db.get(Grade, (item_id, person_id))
        if request.method == "POST" and item.locked:
            abort(403)
        if request.method == "GET":
            return render_template(
                "demo/cell.html", me=me, course=me.course, item=item, pupil=pupil, grade=grade
            )
        if "remove_override" in request.form:
            remove_override(db, item, person_id, platform.now())
        else:
            feedback = request.form.get("feedback", "").strip()
            set_by_hand(db, item, person_id, _typed_value(), feedback, platform.now())
    return redirect(url_for("gradebook.show", course_id=course_id), 303)


@gradebook_pages.post("/courses/<int:course_id>/gradebook/<int:item_id>/lock")
def lock(course_id: int, item_id: int) -> ResponseReturnValue:
    """Lock or unlock the column."""
    with the_platform().database.writing() as db:
        _, item = _teacher_and_item(db, course_id, item_id)
        item.locked = not item.locked
    return redirect(url_for("gradebook.show", course_id=course_id), 303)


@gradebook_pages.post("/courses/<int:course_id>/gradebook/<int:item_id>/delete")
def delete(course_id: int, item_id: int) -> ResponseReturnValue:
    """Delete the column and its grades; its activity stays."""
    with the_platform().database.writing() as db:
        _, item = _teacher_and_item(db, course_id, item_id)
        db.delete(item)
    return redirect(url_for("gradebook.show", course_id=course_id), 303)


def _teacher_and_item(db: Session, course_id: int, item_id: int) -> tuple[Enrolment, LineItem]:
    me = my_enrolment(db, course_id, "teacher")
    item = db.get(LineItem, item_id)
    if item is None or item.course_id != course_id:
        abort(404)
    return me, item


def _pupils(db: Session, course_id: int) -> list[Enrolment]:
    query = select(Enrolment).where(Enrolment.course_id == course_id, Enrolment.role == "pupil")
    return sorted(db.scalars(query), key=lambda row: by_family_name(row.person))


def _typed_value() -> float | None:
    """The value of the form, comma or point; None when empty. 400 for anything else."""
    typed = request.form.get("value", "").strip().replace(",", ".")
    try:
        value = float(typed) if typed else None
    except ValueError:
        abort(400)
    if value is not None and not 0 <= value < 1e9:
        abort(400)
    return value
