"""« Je me positionne » : what a pupil says of themselves, beside what was seen, and asking to be observed."""

from __future__ import annotations

from flask import redirect, render_template, request
from werkzeug.wrappers import Response

from ..activities.editing import find_activity
from ..activities.models import Activity
from ..assessment.observation_requests import ask, requests_of, withdraw
from ..assessment.self_positions import (
    LONGEST_EVIDENCE,
    SelfDraft,
    add_self_position,
    host_of,
    newest_by_item,
    self_positions,
)
from ..courses.referentials import course_competences, reference
from ..db import db, utcnow
from ..errors import BadInput, NotFound
from ..frameworks.models import FrameworkItem
from .guard import May, here, page, row_id, visit
from .reasons import day_words, in_situation
from .shown import Choice, complexity_words, level_word, levels, local_day, short_date
from .spirals import asked_competence, read_sheet


@page("/me/positions", may=May.LEARN)
def my_positions() -> str:
    """Each competence, what I say and what was seen; one of them opens its form."""
    return _show(SelfDraft())


@page("/me/positions", may=May.LEARN, methods=("POST",))
def say_my_position() -> Response | tuple[str, int]:
    """Add what I say of one competence."""
    item, draft = _competence(), SelfDraft.from_form(request.form)
    about = _activity(item)
    try:
        add_self_position(db.session, visit().course.id, visit().person.id, item, about, draft, utcnow())
    except BadInput as error:
        return _show(draft, error.problems), 422
    db.session.commit()
    name = reference(visit().course, item)
    return redirect(here("my_positions", competence=name, saved=1, _anchor="competence"), 303)


@page("/me/requests", may=May.LEARN, methods=("POST",))
def ask_to_be_observed() -> Response:
    """Ask to be observed in a competence, or no longer ask."""
    item = _competence()
    change = withdraw if request.form.get("withdraw") else ask
    change(db.session, visit().course.id, visit().person.id, item.id, utcnow())
    db.session.commit()
    name = reference(visit().course, item)
    return redirect(here("my_positions", competence=name, _anchor="demande"), 303)


def _competence() -> FrameworkItem:
    """The competence of a form. Raises `NotFound` for none."""
    item = asked_competence(course_competences(db.session, visit().course))
    if item is None:
        raise NotFound("the form names no competence")
    return item


def _activity(item: FrameworkItem | None) -> Activity | None:
    """The activity that the address or the form names: one of the course that mobilises the competence."""
    asked = request.values.get("activity", type=row_id)
    if not asked or item is None:
        return None
    found = find_activity(db.session, visit().course, asked)
    if all(link.item_id != item.id for link in found.competences):
        raise NotFound("this activity does not mobilise that competence")
    return found


def _show(draft: SelfDraft, problems: dict[str, str] | None = None) -> str:
    course, person_id = visit().course, visit().person.id
    sheet = read_sheet(course, person_id)
    chosen = asked_competence(sheet.items)
    said = self_positions(db.session, course.id, person_id)
    return render_template(
        "my_positions.html",
        parts=sheet.parts,
        chosen=chosen,
        about=_activity(chosen),
        mastery=sheet.masteries.get(chosen.id) if chosen else None,
        said=newest_by_item(said),
        history=[one for one in said if chosen and one.item_id == chosen.id],
        asked=requests_of(db.session, course.id, person_id),
        draft=draft,
        problems=problems or {},
        saved=bool(request.args.get("saved")),
        address=lambda item: here("my_positions", competence=reference(course, item), _anchor="competence"),
        levels=levels(),
        level_word=level_word,
        complexities=[Choice(value, word) for value, word in complexity_words().items()],
        situations=in_situation(),
        short_date=short_date,
        day_of=local_day,
        day_words=day_words,
        host_of=host_of,
        longest=LONGEST_EVIDENCE,
    )
