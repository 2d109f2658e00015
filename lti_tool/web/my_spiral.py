"""« Ma spirale » : a pupil's first page. What comes next, where they stand, and the spiral of one competence."""

from __future__ import annotations

from flask import render_template

from ..assessment.observation_requests import requests_of
from ..assessment.self_positions import newest_by_item, self_positions
from ..courses.referentials import reference
from ..db import db
from ..frameworks.guide import guide_of
from ..frameworks.sheets import linked_frameworks
from .guard import May, here, page, visit
from .my_activities import works_of
from .reasons import day_words, in_situation
from .shown import level_word, local_day, locale, short_date, speciality_words
from .spirals import chosen_competence, next_turn, read_sheet, spiral_of
from .steps import next_step_of


@page("/me", may=May.LEARN)
def my_spiral() -> str:
    """A pupil's own positions, and the spiral of one of them."""
    course, person_id = visit().course, visit().person.id
    sheet = read_sheet(course, person_id)
    chosen = chosen_competence(sheet)
    said = self_positions(db.session, course.id, person_id)
    asked = requests_of(db.session, course.id, person_id)
    return render_template(
        "my_spiral.html",
        parts=sheet.parts,
        step=next_step_of(course, sheet, works_of(course, person_id, said), said),
        chosen=chosen,
        spiral=spiral_of(sheet, chosen),
        next_turn=next_turn(course, chosen, person_id),
        mine=newest_by_item(said).get(chosen.id) if chosen else None,
        asked=asked.get(chosen.id) if chosen else None,
        leads_on=bool(chosen and linked_frameworks(db.session, chosen.framework_id)),
        address=lambda item: here("my_spiral", competence=reference(course, item), _anchor="spirale"),
        turn_address=lambda activity: here("activity", activity_id=activity.id),
        level_word=level_word,
        speciality_words=speciality_words(),
        short_date=short_date,
        day_of=local_day,
        day_words=day_words,
        situations=in_situation(),
        guide=guide_of(sheet.parts[0].framework, locale()),
    )
