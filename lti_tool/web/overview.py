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
from ..assessment.decisions import rule_of
from ..assessment.entries import Observation, observations
from ..assessment.overview import Filter, Mastery, Row, months
from ..assessment.overview import overview as look_over
from ..assessment.worked import worked_materials
from ..courses.models import Course
from ..courses.people import pupils
from ..courses.referentials import Material, named, reference
from ..db import db
from ..frameworks.models import FrameworkItem
from .guard import May, here, page, row_id, visit
from .reasons import Reason, explain
from .shown import Choice, complexity_words, level_word, levels, scale, short_date, speciality_words


@dataclass(frozen=True)
class Opened:
    """The cell whose « pourquoi » is open, and its sentence."""

    person_id: int
    item: FrameworkItem
    mastery: Mastery
    reason: Reason


@page("/overview", may=May.ASSESS)
def overview() -> str:
    """The class: pupils × competences, one cell opened when the address names it."""
    course = visit().course
    parts = worked_materials(db.session, course)
    items = [item for part in parts for item in part.competences]
    people = pupils(db.session, course.id)
    found = observations(db.session, course.id, person_ids=[pupil.person_id for pupil in people])
    wanted = _filter()
    rule = rule_of(db.session, course.id, target=scale().target)
    table = look_over(people, [item.id for item in items], found, wanted, rule=rule)
    return render_template(
        "overview.html",
        course=course,
        known=len(people),
        items=items,
        starts=_starts(parts),
        beside=beside_text(course, parts),
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
        opened=_opened(table.rows, items),
        link=_link,
        main_id=parts[0].framework.id,
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


def _starts(parts: list[Material]) -> set[int]:
    """The competences that open a group, the first one left out: a rule stands before them."""
    groups = [group for part in parts for group in part.groups]
    return {group.competences[0].id for group in groups[1:] if group.competences}


def beside_text(course: Course, parts: list[Material]) -> str:
    """What a table leaves out of the referentials beside the main one; empty with a single one."""
    if len(course.framework_slugs) < 2:
        return ""
    return _(
        "De %(main)s, toutes les compétences sont là\u202f; des autres référentiels du cours, celles qu’une activité "
        "mobilise.",
        main=parts[0].framework.short_title,
    )


def _opened(rows: list[Row], items: list[FrameworkItem]) -> Opened | None:
    """The cell that the address names; None when it names none, or one where there is nothing to say."""
    person_id, item = request.args.get("pupil", type=row_id), named(items, request.args.get("competence", ""))
    row = next((row for row in rows if row.pupil.person_id == person_id), None)
    mastery = row.cells[items.index(item)] if row and item else None
    if row is None or item is None or mastery is None:
        return None
    return Opened(row.pupil.person_id, item, mastery, explain(mastery.proposed, mastery.policy))


def _link(person_id: int, item: FrameworkItem | None = None) -> str:
    """This page with the same filters and that cell opened; without one, all closed. It comes back to the row."""
    kept: dict[str, Any] = {
        name: request.args[name]
        for name in ("since", "until", "speciality", "complexity", "provisional")
        if request.args.get(name)
    }
    if item:
        kept |= {"pupil": person_id, "competence": reference(visit().course, item)}
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
