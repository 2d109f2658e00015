"""« Réglages du cours »: what goes to the gradebook, as what, the referentials, and the class list."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation

from flask import redirect, render_template, request
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from ..assessment.decisions import policy_of
from ..courses.labels import count_nameless
from ..courses.models import Course
from ..courses.people import pupils
from ..courses.roster import take_news
from ..db import db, insert_missing, utcnow
from ..gradebook.columns import only_link_columns
from ..gradebook.models import GradebookSettings
from ..gradebook.own_columns import own_columns
from ..gradebook.queue import wake_worker
from ..gradebook.scores import can_send, hold_course, queue_all, withdraw_waiting
from ..gradebook.worths import settings_of
from .class_list import read_with_patience
from .deliveries import number
from .gradebook import missing_rights
from .guard import May, here, page, row_id, visit
from .policy_words import policy_name
from .referential_choice import Choice, offers, stored_choice, typed_choice
from .referential_words import official
from .shown import levels, moment_words

MINIMUMS = (1, 2, 3, 4, 5)
LEVELS = ("1", "2", "3", "4")
CONVERSIONS = ("points", "table")


@dataclass
class Draft:
    """The form as it is shown: what is stored, or what was typed."""

    sending: bool
    conversion: str
    table: dict[str, str]
    minimum: str
    problems: dict[str, str] = field(default_factory=dict)

    def numbers(self) -> dict[str, int | float]:
        """The table as it is stored; only when nothing is wrong with it."""
        values = {level: _points(self.table[level]) for level in LEVELS}
        return {level: int(v) if v == int(v) else float(v) for level, v in values.items() if v is not None}


@page("/settings", may=May.TEACH, methods=("GET", "POST"))
def gradebook_settings() -> str | Response | tuple[str, int]:
    """The settings of this course; sent back, they are kept, and what they change is sent."""
    if request.method == "POST":
        return _save(_typed(request.form))
    return _show(_stored())


def _stored() -> Draft:
    settings = settings_of(db.session, visit().course.id)
    table = {level: number(settings.table[level]) for level in LEVELS}
    return Draft(settings.sending, settings.conversion, table, str(settings.minimum))


def _save(draft: Draft) -> Response | tuple[str, int]:
    course = visit().course
    if draft.problems:
        return _show(draft), 422
    hold_course(db.session, course.id)
    insert_missing(db.session, GradebookSettings, course_id=course.id)
    settings = settings_of(db.session, course.id)
    settings.sending, settings.conversion = draft.sending, draft.conversion
    settings.minimum = int(draft.minimum)
    if not _table_problems(draft.table):
        settings.table = draft.numbers()
    db.session.flush()
    written = _apply(course, settings)
    db.session.commit()
    if written:
        wake_worker()
    return redirect(here("gradebook_settings", saved=written), 303)


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


def _apply(course: Course, settings: GradebookSettings) -> int:
    """Write what the settings change in the gradebook: how many scores will be sent."""
    if settings.sending:
        return len(queue_all(db.session, course, utcnow()))
    withdraw_waiting(db.session, course, utcnow())
    return 0


def _show(draft: Draft, choice: Choice | None = None) -> str:
    course = visit().course
    return render_template(
        "settings.html",
        course=course,
        draft=draft,
        problems=draft.problems,
        choice=choice or stored_choice(course),
        offers=offers(course),
        official=official,
        chosen=bool(request.args.get("chosen")),
        words=levels(),
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


# ----- what was typed -----


def _typed(form: Mapping[str, str]) -> Draft:
    """The form, with a sentence for each field that is wrong."""
    draft = Draft(
        sending=form.get("sending") == "1",
        conversion=form.get("conversion", ""),
        table={level: form.get(f"level_{level}", "").strip()[:20] for level in LEVELS},
        minimum=form.get("minimum", "").strip()[:20],
    )
    if draft.conversion not in CONVERSIONS:
        draft.problems["conversion"] = _("Choisir les points de l’échelle, ou une note sur 20.")
    # The table of a course that sends the scale's points is kept when it is right, and no bother when it is not.
    if draft.conversion == "table":
        draft.problems |= _table_problems(draft.table)
    if draft.minimum not in {str(minimum) for minimum in MINIMUMS}:
        draft.problems["minimum"] = _("Choisir un nombre d’observations de 1 à 5.")
    return draft


def _table_problems(table: dict[str, str]) -> dict[str, str]:
    problems, highest = {}, Decimal(0)
    for level in LEVELS:
        points = _points(table[level])
        if points is None:
            problems[f"level_{level}"] = _(
                "Taper un nombre de 0 à 20, au demi-point près : 14 ou 14,5 par exemple."
            )
        elif points < highest:
            problems[f"level_{level}"] = _(
                "Le niveau %(level)s vaut moins que le niveau précédent (%(points)s) : taper au moins autant.",
                level=level,
                points=number(highest),
            )
        else:
            highest = points
    return problems


def _points(typed: str) -> Decimal | None:
    """A number of 0 to 20, whole or half, with a comma or a dot; None for anything else."""
    text = typed.replace(",", ".")
    if not text.isascii() or not text.replace(".", "", 1).isdigit():
        return None
    try:
        value = Decimal(text)
    except InvalidOperation:
        return None
    return value if 0 <= value <= 20 and value * 2 == int(value * 2) else None
