"""« Règle de positionnement »: the policy of a course, and what another one would change before it is taken."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass

import sqlalchemy as sa
from flask import redirect, render_template, request
from flask_babel import gettext as _
from sqlalchemy.orm import joinedload
from werkzeug.wrappers import Response

from ..assessment.decisions import policy_of
from ..assessment.mastery import Position
from ..assessment.policies import MINIMUMS, POLICIES, TIMES_CHOICES, WEIGHTS, Policy
from ..courses.people import Pupil, pupils
from ..courses.referentials import place, reference
from ..db import db, utcnow
from ..frameworks.models import FrameworkItem
from ..gradebook.models import Mode
from ..gradebook.policy_change import PolicyPreview, change_policy, preview_policy
from ..gradebook.queue import wake_worker
from ..gradebook.scores import hold_course
from ..gradebook.worths import settings_of
from .guard import May, here, page, row_id, visit
from .policy_trial import EXAMPLE, Trial, try_policy
from .policy_words import policy_name, policy_words
from .shown import level_word, scale, short_date


@dataclass(frozen=True)
class ShownChange:
    """A position that would change, with whose it is."""

    pupil: Pupil
    item: FrameworkItem
    reference: str
    """What names the competence in an address of this course."""
    before: Position
    after: Position


@page("/settings/policy", may=May.TEACH, methods=("GET", "POST"))
def course_policy() -> str | Response | tuple[str, int]:
    """The policies with their formulas and an example; one that was chosen, with what it would change.

    Sent back, it is taken, unless what it changes is no longer what the page showed.
    """
    course = visit().course
    if request.method == "POST":
        return _take()
    now = policy_of(db.session, course.id)
    if "policy" not in request.args:
        return _show(now)
    chosen = _typed(request.args, now)
    if chosen is None:
        return _show(now, problem=_("Choisir une règle et ses réglages dans les listes.")), 422
    return _show(chosen, preview_policy(db.session, course, chosen))


def _take() -> str | Response | tuple[str, int]:
    course = visit().course
    hold_course(db.session, course.id)
    now = policy_of(db.session, course.id)
    chosen = _typed(request.form, now)
    if chosen is None:
        return _show(now, problem=_("Choisir une règle et ses réglages dans les listes.")), 422
    preview = preview_policy(db.session, course, chosen)
    if request.form.get("shown") != fingerprint(now, preview):
        return _show(chosen, preview, moved=True), 409
    written = change_policy(db.session, course, chosen, utcnow())
    db.session.commit()
    if written:
        wake_worker()
    return redirect(here("course_policy", sent=len(written)), 303)


def fingerprint(now: Policy, preview: PolicyPreview) -> str:
    """A short mark of what a teacher was shown: the rule of the moment, what would change, and how many grades."""
    changes = sorted(
        (c.person_id, c.item_id, c.before.level, c.before.complexity, c.after.level, c.after.complexity)
        for c in preview.changes
    )
    return hashlib.sha256(repr((now, changes, preview.grades)).encode()).hexdigest()[:12]


def _typed(form: Mapping[str, str], now: Policy) -> Policy | None:
    """The policy of a form; a parameter that it does not name stays. None for what no list offers."""
    name = form.get("policy", "")
    minimum = form.get("minimum", str(now.minimum))
    times, weight = form.get("times", str(now.times)), form.get("weight", str(now.weight))
    offered = ((minimum, MINIMUMS), (times, TIMES_CHOICES), (weight, WEIGHTS))
    if name not in POLICIES or any(
        typed not in {str(value) for value in values} for typed, values in offered
    ):
        return None
    return Policy(name, int(minimum), int(times), int(weight))


def _show(
    chosen: Policy, preview: PolicyPreview | None = None, *, problem: str = "", moved: bool = False
) -> str:
    course = visit().course
    now, settings = policy_of(db.session, course.id), settings_of(db.session, course.id)
    return render_template(
        "policy.html",
        course=course,
        now=now,
        now_name=policy_name(now),
        chosen=chosen,
        chosen_name=policy_name(chosen),
        preview=preview,
        changes=_changes(preview) if preview else [],
        shown=fingerprint(now, preview) if preview else "",
        sending=settings.sending,
        publishing=settings.mode == Mode.PUBLISH,
        problem=problem,
        moved=moved,
        sent=request.args.get("sent", type=row_id),
        words=policy_words(),
        examples=_examples(chosen),
        example=EXAMPLE,
        minimums=MINIMUMS,
        times_choices=TIMES_CHOICES,
        weights=WEIGHTS,
        level_word=level_word,
        target=scale().target,
        short_date=short_date,
    )


def _examples(chosen: Policy) -> dict[str, Trial]:
    """The same turns under each policy, with the parameters of the form."""
    kinds = [Policy(name, chosen.minimum, chosen.times, chosen.weight) for name in POLICIES]
    return {kind.name: try_policy(kind, list(EXAMPLE)) for kind in kinds}


def _changes(preview: PolicyPreview) -> list[ShownChange]:
    """The changes in the order of the class and of the competences."""
    course = visit().course
    known = pupils(db.session, course.id)
    rank = {pupil.person_id: n for n, pupil in enumerate(known)}
    wanted = FrameworkItem.id.in_({change.item_id for change in preview.changes})
    query = sa.select(FrameworkItem).where(wanted).options(joinedload(FrameworkItem.framework))
    items = {item.id: item for item in db.session.scalars(query)}
    places = {item.id: place(course, item) for item in items.values()}
    references = {item.id: reference(course, item) for item in items.values()}
    ordered = sorted(preview.changes, key=lambda change: (rank[change.person_id], places[change.item_id]))
    return [
        ShownChange(
            known[rank[change.person_id]],
            items[change.item_id],
            references[change.item_id],
            change.before,
            change.after,
        )
        for change in ordered
    ]
