"""« Retenir un autre positionnement »: a teacher's own word on one pupil and one competence, and taking it back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import parse_qsl, urlencode

from flask import redirect, render_template, request
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from ..activities.models import COMPLEXITIES
from ..assessment.decisions import LONGEST_REASON, NewDecision, decide, rule_of
from ..assessment.entries import observations
from ..assessment.overview import Mastery, by_pair
from ..assessment.scales import LEVELS
from ..courses.models import Course
from ..courses.people import Pupil
from ..courses.referentials import reference
from ..db import db, utcnow
from ..errors import NotFound
from ..frameworks.models import FrameworkItem
from ..gradebook.queue import wake_worker
from ..gradebook.scores import hold_course, queue_scores
from .guard import May, here, page, row_id, visit
from .pupil import find_pupil
from .shown import Choice, complexity_words, level_word, levels, scale
from .standings import Standing, standing


@dataclass
class Draft:
    """The form: what counts now, or what was typed."""

    level: str = ""
    complexity: str = ""
    reason: str = ""
    problems: dict[str, str] = field(default_factory=dict)


@page("/pupils/<id:person_id>/decision", may=May.TEACH, methods=("GET", "POST"))
def decision(person_id: int) -> str | Response | tuple[str, int]:
    """The form of a decision; sent back, it is kept and what it changes in the gradebook is sent.

    Teachers alone: a decision stands over what everybody observed, an assessor observes.
    """
    course = visit().course
    pupil, leaf = find_pupil(course, person_id)
    if leaf.left:
        raise NotFound("nothing is decided about somebody who left")
    if request.method == "GET":
        item, mastery = _find(course, person_id, request.args)
        return _show(
            pupil, standing(person_id, item, mastery, request.args.get("back", "sheet")), _now(mastery)
        )
    hold_course(db.session, course.id)
    item, mastery = _find(course, person_id, request.form)
    shown = standing(person_id, item, mastery, request.form.get("back", "sheet"))
    act, draft = request.form.get("act", "retain"), _typed(request.form)
    if act == "withdraw":
        draft = Draft()
    elif act == "confirm" and mastery.decision:
        draft = _now(mastery)
    if _overtaken(mastery):
        if _is_mine_again(draft, mastery):
            return redirect(_way_back(shown), 303)
        return _show(pupil, shown, draft, overtaken=True), 409
    if act != "withdraw":
        draft.problems = _problems(draft)
        if draft.problems:
            return _show(pupil, shown, draft), 422
    if act != "withdraw" or mastery.decision:
        _keep(course, shown, draft)
    return redirect(_way_back(shown), 303)


def _find(course: Course, person_id: int, args: Mapping[str, str]) -> tuple[FrameworkItem, Mastery]:
    """The competence that a form or an address names, and where the pupil stands. Raises `NotFound`."""
    try:
        item_id = row_id(args.get("item", ""))
    except ValueError as error:
        raise NotFound("no competence is named") from error
    found = observations(db.session, course.id, person_ids=[person_id], item_ids=[item_id])
    rule = rule_of(db.session, course.id, target=scale().target, person_ids=[person_id], item_ids=[item_id])
    mastery = by_pair(found, rule).get((person_id, item_id))
    if mastery is None:
        raise NotFound("nothing was observed there")
    return db.session.get_one(FrameworkItem, item_id), mastery


def _typed(form: Mapping[str, str]) -> Draft:
    return Draft(
        form.get("level", "")[:4], form.get("complexity", "")[:4], " ".join(form.get("reason", "").split())
    )


def _now(mastery: Mastery) -> Draft:
    """The form filled with what counts now."""
    position = mastery.position
    reason = mastery.decision.reason if mastery.decision else ""
    return Draft(str(position.level), str(position.complexity), reason)


def _problems(draft: Draft) -> dict[str, str]:
    problems = {}
    if draft.level not in {str(level) for level in LEVELS}:
        problems["level"] = _("Choisir un niveau de 1 à 4.")
    if draft.complexity not in {str(complexity) for complexity in COMPLEXITIES}:
        problems["complexity"] = _("Choisir la complexité\u00a0: un niveau vaut toujours dans une situation.")
    if not draft.reason:
        problems["reason"] = _("Dire pourquoi en une phrase\u00a0: l’élève la lira.")
    elif len(draft.reason) > LONGEST_REASON:
        problems["reason"] = _("Au plus %(longest)s caractères\u00a0: raccourcir.", longest=LONGEST_REASON)
    return problems


def _overtaken(mastery: Mastery) -> bool:
    """Whether somebody decided since the page was shown."""
    standing_id = mastery.decision.id if mastery.decision else 0
    return request.form.get("after", "") != str(standing_id)


def _is_mine_again(draft: Draft, mastery: Mastery) -> bool:
    """Whether a form that was sent twice comes again."""
    kept = mastery.decision
    if kept is None:
        return not draft.level
    same = (str(kept.level), str(kept.complexity), kept.reason) == (
        draft.level,
        draft.complexity,
        draft.reason,
    )
    return same and kept.decider_id == visit().person.id


def _keep(course: Course, shown: Standing, draft: Draft) -> None:
    mastery, seen = shown.mastery, request.form.get("seen", "")
    newest = mastery.seen_entry_id
    new = NewDecision(
        shown.person_id,
        shown.item.id,
        int(draft.level) if draft.level else None,
        int(draft.complexity) if draft.level else None,
        draft.reason,
        min(newest, row_id(seen)) if seen.isascii() and seen.isdigit() and len(seen) < 10 else newest,
    )
    decide(db.session, course.id, visit().person.id, new, mastery.proposed, utcnow())
    written = queue_scores(db.session, course, [(shown.person_id, shown.item.id)], utcnow())
    db.session.commit()
    if written:
        wake_worker()


def _way_back(shown: Standing) -> str:
    """Where the teacher was, at the same pupil and competence."""
    code = reference(visit().course, shown.item)
    place, _mark, query = shown.back.partition("?")
    kept = [pair for pair in parse_qsl(query) if pair[0] not in ("pupil", "competence")]
    if place != "overview":
        sheet = here("pupil_sheet", person_id=shown.person_id)
        return f"{sheet}?{urlencode([*kept, ('competence', code)])}#spirale"
    opened = urlencode([*kept, ("pupil", str(shown.person_id)), ("competence", code)])
    return f"{here('overview')}?{opened}#p{shown.person_id}"


def _show(pupil: Pupil, shown: Standing, draft: Draft, *, overtaken: bool = False) -> str:
    return render_template(
        "decision.html",
        pupil=pupil,
        shown=shown,
        draft=draft,
        overtaken=overtaken,
        way_back=_way_back(shown),
        **choices(),
    )


def choices() -> dict[str, object]:
    """What the form offers."""
    return {
        "levels": levels(),
        "complexities": [Choice(c, complexity_words()[c]) for c in COMPLEXITIES],
        "level_word": level_word,
        "longest_reason": LONGEST_REASON,
    }
