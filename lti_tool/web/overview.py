"""« Bilan de la classe »: where each pupil stands in each competence, and why."""

from __future__ import annotations

from dataclasses import dataclass

import sqlalchemy as sa
from flask import render_template, request
from flask_babel import gettext as _

from ..activities.models import COMPLEXITIES, PURPOSES, SPECIALITIES, Activity
from ..assessment.decisions import rule_of
from ..assessment.entries import observations
from ..assessment.models import SelfPosition
from ..assessment.overview import Mastery, Row, months
from ..assessment.overview import overview as look_over
from ..assessment.self_positions import host_of, self_positions
from ..assessment.worked import worked_materials
from ..courses.groups import members
from ..courses.models import Course
from ..courses.people import pupils
from ..courses.referentials import Material, named, reference
from ..db import db
from ..frameworks.models import FrameworkItem
from .guard import May, page, row_id, visit
from .overview_filter import Links, aria_sort, everything, month_choices, read_asked, say, sort_text
from .reasons import Reason
from .shown import (
    Choice,
    complexity_words,
    level_word,
    levels,
    local_day,
    purpose_words,
    scale,
    short_date,
    speciality_words,
)
from .standings import Standing, standing


@dataclass(frozen=True)
class Opened:
    """The cell whose « pourquoi » is open, and its sentence."""

    person_id: int
    item: FrameworkItem
    mastery: Mastery
    standing: Standing
    own: SelfPosition | None
    """What the pupil last said of themselves there."""

    @property
    def reason(self) -> Reason:
        return self.standing.reason


@dataclass(frozen=True)
class Column:
    """A competence of the table; what its cells share is worked out once."""

    item: FrameworkItem
    reference: str
    opens_group: bool
    counts: list[int]


@page("/overview", may=May.ASSESS)
def overview() -> str:
    """The class: pupils × competences, one cell opened when the address names it."""
    course = visit().course
    parts = worked_materials(db.session, course)
    items = [item for part in parts for item in part.competences]
    people = pupils(db.session, course.id)
    known = len(people)
    found = observations(db.session, course.id, person_ids=[pupil.person_id for pupil in people])
    asked = read_asked(course, items)
    wanted = asked.filter
    if wanted.group_id:
        inside = members(db.session, course.id)[wanted.group_id]
        people = [pupil for pupil in people if pupil.person_id in inside]
    rule = rule_of(db.session, course.id, target=scale().target)
    table = look_over(people, [item.id for item in items], found, wanted, rule=rule, order=asked.order)
    return render_template(
        "overview.html",
        course=course,
        known=known,
        items=items,
        columns=_columns(course, parts, table.counts),
        beside=beside_text(course, parts),
        table=table,
        wanted=wanted,
        asked=asked,
        said=say(asked),
        month_choices=month_choices(months(found), asked),
        specialities=[Choice(s, speciality_words()[s]) for s in SPECIALITIES],
        complexities=[Choice(c, complexity_words()[c]) for c in COMPLEXITIES],
        purposes=[Choice(p, purpose_words()[p]) for p in PURPOSES],
        everything=everything(asked.sort),
        aria_sort=aria_sort,
        sort_text=sort_text,
        assessed=bool(found),
        has_activities=bool(found) or _has_activities(course),
        no_pupils=_no_pupils(course),
        roster_note=_roster_note(course),
        opened=_opened(course, table.rows, items),
        links=Links(),
        marks={},
        main_id=parts[0].framework.id,
        levels=levels(),
        level_word=level_word,
        short_date=short_date,
        day_of=local_day,
        host_of=host_of,
    )


def _columns(course: Course, parts: list[Material], counts: list[list[int]]) -> list[Column]:
    """The competences in order; a rule stands before each group but the first."""
    groups = [group for part in parts for group in part.groups if group.competences]
    firsts = {group.competences[0].id for group in groups[1:]}
    items = [item for group in groups for item in group.competences]
    return [
        Column(item, reference(course, item), item.id in firsts, counts[place])
        for place, item in enumerate(items)
    ]


def beside_text(course: Course, parts: list[Material]) -> str:
    """What a table leaves out of the referentials beside the main one; empty with a single one."""
    if len(course.framework_slugs) < 2:
        return ""
    return _(
        "De %(main)s, toutes les compétences sont là\u202f; des autres référentiels du cours, celles qu’une activité "
        "mobilise.",
        main=parts[0].framework.short_title,
    )


def _opened(course: Course, rows: list[Row], items: list[FrameworkItem]) -> Opened | None:
    """The cell that the address names; None when it names none, or one where there is nothing to say."""
    person_id, item = request.args.get("pupil", type=row_id), named(items, request.args.get("competence", ""))
    row = next((row for row in rows if row.pupil.person_id == person_id), None)
    mastery = row.cells[items.index(item)] if row and item else None
    if row is None or item is None or mastery is None:
        return None
    back = f"overview?{request.query_string.decode(errors='replace')}"
    stands = standing(row.pupil.person_id, item, mastery, back)
    own = self_positions(db.session, course.id, row.pupil.person_id, item.id)[:1]
    return Opened(row.pupil.person_id, item, mastery, stands, own[0] if own else None)


def _has_activities(course: Course) -> bool:
    query = sa.select(Activity.id).where(
        Activity.course_id == course.id, Activity.year_id.is_(None), Activity.archived_at.is_(None)
    )
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
