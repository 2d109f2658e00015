"""The first launch of a course by a teacher: three steps, each of which may be passed. Shown once per course."""

from __future__ import annotations

from dataclasses import replace

import sqlalchemy as sa
from flask import redirect, render_template, request
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from ..activities.links import CUSTOM_PAGE
from ..activities.models import Activity
from ..assessment.scales import offered_scales
from ..courses.models import Course
from ..courses.people import count_pupils
from ..courses.referentials import course_frameworks
from ..db import begin_write, db, utcnow
from ..frameworks.guide import guide_of
from ..gradebook.models import Conversion, Mode
from ..gradebook.scores import can_send, hold_course
from ..gradebook.settings import change_settings, wanted_now
from ..gradebook.worths import settings_of
from .guard import May, Visit, here, page, visit
from .referential_choice import offers, stored_choice, typed_choice
from .referential_words import official
from .shown import locale, scale_words

CONVERSIONS = (Conversion.POINTS, Conversion.TABLE)


def leads_to_first_steps(current: Visit) -> bool:
    """Whether this launch is the first of a teacher in a course where nothing was made. True once per course.

    It is remembered before anything is shown: whoever leaves the steps half-way, or comes after, is not sent back.
    """
    course = current.course
    # Where a link stands for a course, each new tile would ask the three questions again.
    asked = course.welcomed or course.is_link or CUSTOM_PAGE in current.session.custom
    if asked or not current.may(May.TEACH):
        return False
    made = db.session.scalar(sa.select(Activity.id).where(Activity.course_id == course.id).limit(1))
    begin_write()
    first = sa.update(Course).where(Course.id == course.id, Course.welcomed.is_(False)).values(welcomed=True)
    shown = db.session.execute(first.execution_options(synchronize_session=False)).rowcount  # type: ignore[attr-defined]
    db.session.commit()
    return bool(shown) and made is None


@page("/start", may=May.TEACH)
def first_steps() -> str:
    """One of the three steps."""
    return _show(request.args.get("step", ""))


@page("/start", may=May.TEACH, methods=("POST",))
def keep_first_step() -> Response | tuple[str, int]:
    """Keep what a step chose, and go on to the next."""
    course = visit().course
    hold_course(db.session, course.id)
    if request.form.get("step") == "2":
        _keep_gradebook(course)
        following = 3
    else:
        choice = typed_choice(request.form, [], offers(course))
        scale = request.form.get("scale", "")
        if choice.problem or scale not in offered_scales():
            return _show("1", choice.problem or _("Choisir une échelle dans la liste.")), 422
        course.framework_slugs, course.scale = choice.slugs, scale
        following = 2
    db.session.commit()
    return redirect(here("first_steps", step=following), 303)


def _keep_gradebook(course: Course) -> None:
    """What goes to the gradebook, and when; a course where nothing was assessed sends nothing now."""
    wanted = wanted_now(db.session, course)
    if request.form.get("mode") in set(Mode):
        wanted = replace(wanted, mode=request.form["mode"])
    if request.form.get("conversion") in CONVERSIONS:
        wanted = replace(wanted, conversion=request.form["conversion"])
    change_settings(db.session, course, wanted, utcnow())


def _show(step: str, problem: str = "") -> str:
    course = visit().course
    number = int(step) if step in ("1", "2", "3") else 1
    return render_template(
        "first_steps.html",
        course=course,
        step=number,
        known=count_pupils(db.session, course.id),
        problem=problem,
        choice=stored_choice(course),
        offers=[offer for offer in offers(course) if not offer.obstacle] if number == 1 else [],
        official=official,
        scales={slug: scale_words(slug) for slug in offered_scales()},
        settings=settings_of(db.session, course.id),
        can_send=can_send(course),
        guide=guide_of(course_frameworks(db.session, course)[0], locale()),
    )
