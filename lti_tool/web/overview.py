"""« Bilan de la classe »: where each pupil stands in each competence, and why."""

from __future__ import annotations

from calendar import monthrange
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

import sqlalchemy as sa
from flask import render_template, request
from flask_babel import format_date
from flask_babel import gettext as _

from ..activities.models import COMPLEXITIES, SPECIALITIES, Activity
from ..assessment.entries import Observation, observations
from ..assessment.overview import Filter, Mastery, Row, months
from ..assessment.overview import overview as look_over
from ..courses.models import Course
from ..courses.people import pupils
from ..db import db
from ..frameworks.sheets import Group, find_framework, groups
from .guard import May, here, page, row_id, visit
from .reasons import Reason, explain
from .shown import Choice, complexity_words, level_word, levels, scale, short_date, speciality_words


@dataclass(frozen=True)
class Opened:
    """The cell whose « pourquoi » is open, and its sentence."""

    person_id: int
    code: str
    mastery: Mastery
    reason: Reason


@page("/overview", may=May.ASSESS)
def overview() -> str:
    """The class: pupils × competences, one cell opened when the address names it."""
    course = visit().course
    parts = groups(db.session, find_framework(db.session, course.framework_slug).id)
    items = [item for part in parts for item in part.competences]
    people = pupils(db.session, course.id)
    found = observations(db.session, course.id, person_ids=[pupil.person_id for pupil in people])
    wanted = _filter()
    table = look_over(people, [item.id for item in items], found, wanted, target=scale().target)
    return render_template(
        "overview.html",
        course=course,
        known=len(people),
        items=items,
        starts=_starts(parts),
        table=table,
        wanted=wanted,
        since=_month(wanted.since),
        until=_month(wanted.until),
        month_choices=[Choice(_month(day), format_date(day, "MMMM y")) for day in _offered(found, wanted)],
        specialities=[Choice(s, speciality_words()[s]) for s in SPECIALITIES],
        complexities=[Choice(c, complexity_words()[c]) for c in COMPLEXITIES],
        filtered=wanted != Filter(),
        assessed=bool(found),
        has_activities=bool(found) or _has_activities(course),
        no_pupils=_no_pupils(course),
        roster_note=_roster_note(course),
        opened=_opened(table.rows, [item.code for item in items]),
        link=_link,
        levels=levels(),
        level_word=level_word,
        short_date=short_date,
    )


def _filter() -> Filter:
    """The filters of the address; what is not one of their values is left out."""
    wanted = Filter(
        since=_first_day(request.args.get("since", "")),
        until=_last_day(_first_day(request.args.get("until", ""))),
        speciality=next((s for s in SPECIALITIES if s == request.args.get("speciality")), ""),
        complexity=next((c for c in COMPLEXITIES if str(c) == request.args.get("complexity")), 0),
        provisional=request.args.get("provisional") == "1",
    )
    if wanted.since and wanted.until and wanted.since > wanted.until:
        # The two ends were chosen the wrong way round: what is between them is what is meant.
        return replace(wanted, since=wanted.until.replace(day=1), until=_last_day(wanted.since))
    return wanted


def _first_day(typed: str) -> date | None:
    """The first day of « 2026-09 »."""
    try:
        return date.fromisoformat(f"{typed}-01")
    except ValueError:
        return None


def _last_day(first: date | None) -> date | None:
    return first and first.replace(day=monthrange(first.year, first.month)[1])


def _month(day: date | None) -> str:
    return f"{day:%Y-%m}" if day else ""


def _offered(found: list[Observation], wanted: Filter) -> list[date]:
    """The months to choose from: those with work, and those chosen, so that a form never loses its own value."""
    chosen = {day.replace(day=1) for day in (wanted.since, wanted.until) if day}
    return sorted({*months(found), *chosen})


def _starts(parts: list[Group]) -> set[str]:
    """The codes that open a group, the first one left out: a rule stands before them."""
    return {part.competences[0].code for part in parts[1:] if part.competences}


def _opened(rows: list[Row], codes: list[str]) -> Opened | None:
    """The cell that the address names; None when it names none, or one where there is nothing to say."""
    person_id, code = request.args.get("pupil", type=row_id), request.args.get("competence", "")
    row = next((row for row in rows if row.pupil.person_id == person_id), None)
    mastery = row.cells[codes.index(code)] if row and code in codes else None
    if row is None or mastery is None:
        return None
    return Opened(row.pupil.person_id, code, mastery, explain(mastery.position))


def _link(person_id: int, code: str = "") -> str:
    """This page with the same filters and that cell opened; without a code, all closed. It comes back to the row."""
    kept: dict[str, Any] = {
        name: request.args[name]
        for name in ("since", "until", "speciality", "complexity", "provisional")
        if request.args.get(name)
    }
    if code:
        kept |= {"pupil": person_id, "competence": code}
    return here("overview", **kept, _anchor=f"p{person_id}")


def _has_activities(course: Course) -> bool:
    query = sa.select(Activity.id).where(Activity.course_id == course.id, Activity.archived_at.is_(None))
    return db.session.scalar(query.limit(1)) is not None


def _no_pupils(course: Course) -> str:
    """Why nobody is known yet, and what to do."""
    if course.roster_problem or not course.memberships_url:
        return _(
            "Chaque élève apparaît ici dès sa première ouverture de Spirale dans le cours\u00a0: "
            "leur demander de l’ouvrir une fois."
        )
    return _(
        "La liste de la classe ne contient encore aucun élève\u00a0: les inscrire dans le cours de la plateforme, "
        "puis rouvrir Spirale depuis ce cours."
    )


def _roster_note(course: Course) -> str:
    """Why the class list may be incomplete; empty when it was read."""
    if course.roster_problem == "delayed":
        return _(
            "La plateforme n’a pas donné la liste de la classe la dernière fois\u00a0: elle lui sera demandée de "
            "nouveau à la prochaine ouverture de Spirale depuis le cours."
        )
    if course.roster_problem:
        return _(
            "La plateforme refuse de donner la liste de la classe\u00a0: demander à son administration d’autoriser "
            "le partage des noms et des rôles pour Spirale."
        )
    if not course.memberships_url:
        return _("La plateforme ne donne pas la liste de la classe à Spirale.")
    return ""
