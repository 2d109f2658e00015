"""« Les noms des élèves »: where the platform shares none, a teacher types what to call each pupil."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from flask import redirect, render_template, request
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from ..courses.labels import (
    LONGEST_LABEL,
    Nameless,
    count_nameless,
    keep_labels,
    nameless_pupils,
    number_of,
    taken_names,
)
from ..courses.people import count_pupils
from ..db import db
from .guard import May, here, page, row_id, visit
from .shown import moment_words


@dataclass
class Draft:
    """The form: what is stored, or what was typed, by person; and what is wrong with it."""

    labels: dict[int, str]
    problems: dict[int, str] = field(default_factory=dict)


@page("/pupils/labels", may=May.TEACH)
def pupil_labels() -> str:
    """Every pupil without a name, with a field for each."""
    known = nameless_pupils(db.session, visit().course.id)
    return _show(known, Draft({one.person_id: one.label for one in known}))


@page("/pupils/labels", may=May.TEACH, methods=("POST",))
def keep_pupil_labels() -> Response | tuple[str, int]:
    """Keep what was typed, where it differs from what the page showed: a colleague may have typed the others."""
    course = visit().course
    known = nameless_pupils(db.session, course.id)
    draft = _typed(known, request.form)
    stored = {one.person_id: one.label for one in known}
    changed = {
        person_id: label
        for person_id, label in draft.labels.items()
        if label != request.form.get(f"was_{person_id}", stored[person_id]).strip()
    }
    draft.problems = _problems(changed)
    if draft.problems:
        return _show(known, draft), 422
    keep_labels(db.session, course.id, changed)
    db.session.commit()
    return redirect(here("pupil_labels", saved=len(changed)), 303)


def nameless_count() -> int:
    """For any page of the course: how many of its pupils have no name, and are still a number."""
    return count_nameless(db.session, visit().course.id, unlabelled=True)


def is_nameless(person_id: int) -> bool:
    """Whether somebody is a pupil of the course without a name."""
    return number_of(db.session, visit().course.id, person_id) is not None


def my_number() -> int | None:
    """The visitor's own number, so that a teacher can be told it; None for who has a name."""
    return number_of(db.session, visit().course.id, visit().person.id)


def _typed(known: list[Nameless], form: Mapping[str, str]) -> Draft:
    """What the form holds, with a colleague's label where it holds nothing of a pupil."""
    return Draft({o.person_id: " ".join(form.get(f"label_{o.person_id}", o.label).split()) for o in known})


def _problems(changed: dict[int, str]) -> dict[int, str]:
    problems = {
        person_id: _("Au plus %(longest)s caractères\u00a0: raccourcir.", longest=LONGEST_LABEL)
        for person_id, label in changed.items()
        if len(label) > LONGEST_LABEL
    }
    taken = taken_names(db.session, visit().course.id, changed)
    words = _("Un autre élève porte déjà ce nom\u00a0: ajouter une lettre.")
    return {**dict.fromkeys(taken, words), **problems}


def _show(known: list[Nameless], draft: Draft) -> str:
    course = visit().course
    return render_template(
        "labels.html",
        course=course,
        known=known,
        draft=draft,
        stored={one.person_id: one.label for one in known},
        seen={one.person_id: moment_words(one.seen_at) if one.seen_at else "" for one in known},
        longest=LONGEST_LABEL,
        any_pupil=count_pupils(db.session, course.id) > 0,
        saved=request.args.get("saved", type=row_id),
    )
