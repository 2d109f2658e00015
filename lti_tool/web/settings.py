"""« Réglages du cours »: what goes to the gradebook, as what, the referentials, and the class list."""

from __future__ import annotations

import hashlib

from flask import redirect, render_template, request
from flask_babel import gettext as _
from werkzeug.exceptions import BadRequest
from werkzeug.wrappers import Response

from ..assessment.decisions import policy_of
from ..assessment.scales import offered_scales
from ..assessment.words import in_situation
from ..courses.labels import count_nameless
from ..courses.models import Course
from ..courses.people import pupils
from ..courses.roster import take_news
from ..db import db, utcnow
from ..gradebook.columns import only_link_columns
from ..gradebook.own_columns import own_columns
from ..gradebook.queue import wake_worker
from ..gradebook.scores import can_send, hold_course, queue_all
from ..gradebook.settings import Effect, Wanted, change_settings, preview_settings, wanted_now
from ..gradebook.worths import settings_of
from .class_list import read_with_patience
from .gradebook import missing_rights
from .guard import May, here, page, row_id, visit
from .policy_words import policy_name
from .referential_choice import Choice, offers, stored_choice, typed_choice
from .referential_words import official
from .settings_form import MINIMUMS, Draft, offered_competences, stored_draft, typed_draft
from .shown import levels, moment_words, scale_words


@page("/settings", may=May.TEACH, methods=("GET", "POST"))
def gradebook_settings() -> str | Response | tuple[str, int]:
    """The settings of this course; sent back, they are kept, and what they change is sent.

    What would move grades is said first, and kept once that very change is confirmed.
    """
    if request.method == "POST":
        return _save(typed_draft(visit().course, request.form))
    return _show(_stored())


def _stored() -> Draft:
    return stored_draft(settings_of(db.session, visit().course.id))


def _save(draft: Draft) -> Response | str | tuple[str, int]:
    course = visit().course
    if draft.problems:
        return _show(draft), 422
    hold_course(db.session, course.id)
    wanted = draft.wanted(wanted_now(db.session, course))
    effect = preview_settings(db.session, course, wanted)
    mark = _mark(wanted, effect)
    # Also when grades moved between what was said and the confirmation: it is said again.
    if effect.moves and request.form.get("seen") != mark:
        return _show(draft, effect=effect, mark=mark)
    written = change_settings(db.session, course, wanted, utcnow())
    db.session.commit()
    if written:
        wake_worker()
    return redirect(here("gradebook_settings", saved=len(written)), 303)


def _mark(wanted: Wanted, effect: Effect) -> str:
    """What a teacher confirms: these settings, with these consequences."""
    return hashlib.sha256(f"{wanted}{effect}".encode()).hexdigest()[:16]


@page("/settings/referentials", may=May.TEACH, methods=("POST",))
def choose_referentials() -> Response | tuple[str, int]:
    """Keep the referentials of the course. Nothing that was assessed changes."""
    course = visit().course
    hold_course(db.session, course.id)
    choice = typed_choice(request.form, request.form.getlist("referentials"), offers(course))
    if choice.problem:
        return _show(_stored(), choice), 422
    course.framework_slugs = choice.slugs
    db.session.commit()
    return redirect(here("gradebook_settings", chosen=1, _anchor="referentials"), 303)


@page("/settings/scale", may=May.TEACH, methods=("POST",))
def choose_scale() -> Response:
    """Keep the words of the levels. What was assessed stays; the comments in the gradebook follow."""
    course = visit().course
    hold_course(db.session, course.id)
    chosen = request.form.get("scale", "")
    if chosen not in offered_scales():
        raise BadRequest
    course.scale = chosen
    written = queue_all(db.session, course, utcnow())
    db.session.commit()
    if written:
        wake_worker()
    return redirect(here("gradebook_settings", scaled=1, _anchor="scale"), 303)


@page("/settings/roster", may=May.TEACH, methods=("POST",))
def read_roster_again() -> Response:
    """Read the class list now."""
    course_id = visit().course.id
    # No transaction is open while the platform answers.
    db.session.commit()
    over, change = read_with_patience(course_id)
    if not over:
        return redirect(here("gradebook_settings", reading=1) + "#roster", 303)
    take_news(db.session.get_one(Course, course_id, populate_existing=True))  # it is said here
    if change is None:
        return redirect(here("gradebook_settings") + "#roster", 303)
    changes = {"arrived": change.arrived, "left": change.left}
    return redirect(here("gradebook_settings", **changes) + "#roster", 303)


def _show(draft: Draft, choice: Choice | None = None, effect: Effect | None = None, mark: str = "") -> str:
    course = visit().course
    return render_template(
        "settings.html",
        course=course,
        draft=draft,
        problems=draft.problems,
        effect=effect,
        mark=mark,
        mode=settings_of(db.session, course.id).mode,
        parts=offered_competences(course),
        choice=choice or stored_choice(course),
        offers=offers(course),
        official=official,
        scales={slug: scale_words(slug) for slug in offered_scales()},
        scaled=bool(request.args.get("scaled")),
        chosen=bool(request.args.get("chosen")),
        words=levels(),
        complexities=in_situation(),
        minimums=MINIMUMS,
        missing=missing_rights(course),
        can_send=can_send(course),
        link_columns=only_link_columns(db.session, course),
        policy=policy_name(policy_of(db.session, course.id)),
        own=bool(own_columns(db.session, course)),
        nameless=count_nameless(db.session, course.id),
        known=len(pupils(db.session, course.id)),
        read_at=moment_words(course.roster_read_at) if course.roster_read_at else "",
        roster_problem=_roster_problem(course),
        saved=request.args.get("saved", type=row_id),
        reading=bool(request.args.get("reading")),
        arrived=request.args.get("arrived", type=row_id),
        left=request.args.get("left", type=row_id),
    )


def _roster_problem(course: Course) -> str:
    words = {
        "delayed": _(
            "%(platform)s n’a pas donné la liste à la dernière lecture. Réessayer dans quelques minutes.",
            platform=course.platform.name,
        ),
        "refused": _(
            "%(platform)s refuse de donner la liste. Demander à l’administrateur d’autoriser le service "
            "«\u00a0noms et rôles\u00a0» pour Spirale.",
            platform=course.platform.name,
        ),
    }
    if not course.roster_problem:
        return ""
    return words.get(course.roster_problem, words["delayed"])
