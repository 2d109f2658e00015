"""The referential: its competences, each one's page with its two sides, each linked statement's page."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from flask import redirect, render_template, request
from flask_babel import gettext as _
from flask_babel import ngettext
from markupsafe import Markup
from werkzeug.wrappers import Response

from ..activities.models import COMPLEXITIES, Activity, ActivityCompetence
from ..assessment.entries import newest_ids
from ..assessment.models import Assessment
from ..courses.models import Course
from ..courses.referentials import course_frameworks, find_named, materials, reference
from ..courses.roster import pupils_query
from ..db import db
from ..errors import NotFound
from ..frameworks.models import Framework, FrameworkItem
from ..frameworks.sheets import (
    DETAILS,
    GROUP,
    LINKED_TYPES,
    THEMES,
    children,
    competences,
    find_competence,
    find_item,
    groups,
    linked_frameworks,
    outline,
    place,
)
from ..frameworks.sides import sheet
from .guard import May, here, page, visit
from .shown import code_words, level_word, locale, long_date, short_date


@dataclass
class Worked:
    """An activity that works a competence, with what was seen in it for that competence."""

    activity: Activity
    date_text: str
    counts: list[int] = field(default_factory=lambda: [0, 0, 0, 0])
    """How many pupils at each level."""
    mine: Assessment | None = None
    """The visitor's own entry, when the visitor is a pupil."""


@page("/referential", may=May.READ)
def referential() -> str:
    """The competences of the course's referential; with `of`, a linked referential whole."""
    tabs = find_tabs()
    wanted = request.args.get("of", tabs.own[0].slug)
    shown = next((one for one in tabs.all if one.slug == wanted), None)
    if shown is None:
        raise NotFound(f"« {wanted} » is not linked to this course's referentials")
    # One that the course chose and another leads to is read whole: its criteria and its knowledge are there.
    if shown in tabs.linked and shown is not tabs.own[0]:
        return render_template(
            "referential_tree.html",
            tabs=tabs,
            shown=shown,
            branches=outline(db.session, shown.id),
            titles=type_titles(),
            fr=official(shown),
        )
    found = groups(db.session, shown.id)
    return render_template(
        "referential.html",
        framework=shown,
        tabs=tabs,
        groups=found,
        group_name=group_name,
        source_date=source_date(shown),
        subcompetences=children(
            db.session, [c for group in found for c in group.competences], "subcompetence"
        ),
        fr=official(shown),
    )


@page("/referential/<code>", may=May.READ)
def competence(code: str) -> str:
    """One competence: what it is, where this course works it, what it becomes in the linked referentials."""
    course = visit().course
    parts = materials(db.session, course)
    item = find_named(db.session, parts, code)
    framework = item.framework
    ruler_groups = [group.competences for part in parts for group in part.groups]
    worked = _worked(item) if visit().may(May.ASSESS) or visit().may(May.LEARN) else []
    theme = request.args.get("theme", "")
    theme = theme if theme in THEMES else ""
    return render_template(
        "competence.html",
        framework=framework,
        sheet=sheet(db.session, item),
        theme=theme,
        ruler_groups=ruler_groups,
        replacement=_replacement(item),
        competence_href=lambda other: _competence_href(other, theme),
        around=_around(item, [one for group in ruler_groups for one in group]),
        worked=worked,
        worked_text=_worked_text(worked),
        pupils_known=_pupils_known(course) if visit().may(May.ASSESS) else 0,
        level_word=level_word,
        code_words=code_words(),
        **sheet_words(framework),
    )


@page("/statements/<uuid:identifier>", may=May.READ)
def statement(identifier: UUID) -> str | Response:
    """A statement of a linked referential, and the competences of this course that prepare it."""
    own = course_frameworks(db.session, visit().course)
    item = find_item(db.session, str(identifier))
    framework = next((one for one in own if item.framework in linked_frameworks(db.session, one.id)), None)
    if item.framework in own and (framework is None or item.framework is own[0]):
        elsewhere = _page_of_own(item)
        if elsewhere:
            return redirect(elsewhere)
        framework = item.framework
    if framework is None:
        raise NotFound("this statement is of no referential linked to this course's")
    row = next((type_ for type_, detail in DETAILS.items() if detail == item.type), item.type)
    return render_template(
        "statement.html",
        framework=framework,
        item=item,
        place=place(db.session, item, framework.id),
        row=row if row in LINKED_TYPES else None,
        theme=theme_of().get(row),
        replacement=_replacement(item),
        word=type_words()[item.type],
        titles=type_titles(),
        fr=official(item.framework),
    )


@dataclass(frozen=True)
class Tabs:
    """The referentials that this course's pages lead to."""

    own: list[Framework]
    """The course's, its main one first."""
    linked: list[Framework]
    """Those that the course's lead to."""
    general: Framework | None
    """The first of the course's that leads to another: the general view is its."""

    @property
    def all(self) -> list[Framework]:
        return list(dict.fromkeys([*self.own, *self.linked]))


def find_tabs() -> Tabs:
    """The referentials of this course's pages. Raises `NotFound` when none of the course's is loaded."""
    own = course_frameworks(db.session, visit().course)
    sides = {one: linked_frameworks(db.session, one.id) for one in own}
    linked = [side for found in sides.values() for side in found]
    return Tabs(own, linked, next((one for one in own if sides[one]), None))


def own_tab(framework: Framework) -> str | None:
    """How the address of the referential's page names one of the course's own; the main one needs no name."""
    return framework.slug if framework.slug != visit().course.framework_slug else None


def _competence_href(item: FrameworkItem, theme: str = "") -> str:
    return here("competence", code=reference(visit().course, item), theme=theme or None)


def _around(
    item: FrameworkItem, ten: list[FrameworkItem]
) -> tuple[FrameworkItem | None, FrameworkItem | None]:
    """The competences before and after one in the course; none for a retired one."""
    ids = [one.id for one in ten]
    if item.id not in ids:
        return None, None
    at = ids.index(item.id)
    return (ten[at - 1] if at else None, ten[at + 1] if at + 1 < len(ten) else None)


def _page_of_own(item: FrameworkItem) -> str:
    """Where an item of one of the course's own referentials is read: on its competence's page.

    Nowhere else (empty) for one that is retired, unless it is a competence whose code no other has taken.
    """
    framework = item.framework
    if item.retired:
        alone = item.type == "competence" and find_competence(db.session, framework.id, item.code) is item
        return _competence_href(item) if alone and item.code else ""
    while item.parent is not None and item.type != "competence":
        item = item.parent
    if item.type == "competence" and item in competences(db.session, framework.id):
        return _competence_href(item)
    return here("referential", of=own_tab(framework))


def _replacement(item: FrameworkItem) -> FrameworkItem | None:
    """What took the place of a retired item, where this course can read it."""
    if not item.replaced_by:
        return None
    readable = [framework.id for framework in find_tabs().all]
    return db.session.scalars(
        sa.select(FrameworkItem).where(
            FrameworkItem.uuid == item.replaced_by, FrameworkItem.framework_id.in_(readable)
        )
    ).first()


# ----- in this course -----


def _worked(item: FrameworkItem) -> list[Worked]:
    """The activities of the course that work a competence, newest work first.

    An archived one is there only when something was seen in it, which still counts.
    """
    course = visit().course
    rows = db.session.scalars(
        sa.select(Activity)
        .join(ActivityCompetence, ActivityCompetence.activity_id == Activity.id)
        .where(Activity.course_id == course.id, ActivityCompetence.item_id == item.id)
        .order_by(Activity.starts_on.desc(), Activity.id.desc())
    )
    found = {activity.id: Worked(activity, short_date(activity.starts_on)) for activity in rows}
    for entry in _entries(item, list(found)):
        worked = found[entry.activity_id]
        if visit().may(May.LEARN):
            worked.mine = entry
        elif entry.level:
            worked.counts[entry.level - 1] += 1
    return [w for w in found.values() if w.activity.archived_at is None or any(w.counts) or w.mine]


def _entries(item: FrameworkItem, activity_ids: list[int]) -> list[Assessment]:
    """What counts in the grids of some activities for a competence: a pupil's own entries, or those of the class."""
    course = visit().course
    whose: sa.ColumnElement[bool] = Assessment.person_id == visit().person.id
    if not visit().may(May.LEARN):
        known = pupils_query(course.id).subquery()
        whose = Assessment.person_id.in_(sa.select(known.c.person_id))
    newest = newest_ids(Assessment.activity_id.in_(activity_ids), Assessment.item_id == item.id, whose)
    return [
        row for row in db.session.scalars(sa.select(Assessment).where(Assessment.id.in_(newest))) if row.value
    ]


def _worked_text(worked: list[Worked]) -> str:
    """« 6 situations : 2 simples, 3 variées, 1 complexe »."""
    words: dict[int, Callable[[int], str]] = {
        1: lambda n: ngettext("%(num)d simple", "%(num)d simples", n),
        2: lambda n: ngettext("%(num)d variée", "%(num)d variées", n),
        3: lambda n: ngettext("%(num)d complexe", "%(num)d complexes", n),
    }
    counts = {c: sum(1 for one in worked if one.activity.complexity == c) for c in COMPLEXITIES}
    each = ", ".join(words[c](n) for c, n in counts.items() if n)
    whole = ngettext("%(num)d situation", "%(num)d situations", len(worked))
    return _("%(whole)s : %(each)s", whole=whole, each=each) if each else ""


def _pupils_known(course: Course) -> int:
    known = pupils_query(course.id).subquery()
    return db.session.scalar(sa.select(sa.func.count()).select_from(known)) or 0


# ----- words -----


def source_date(framework: Framework) -> str:
    """The date of the official text in words; empty when the file gives none."""
    try:
        return long_date(date.fromisoformat(framework.source.get("date", "")))
    except ValueError:
        return ""


def sheet_words(framework: Framework) -> dict[str, Any]:
    """What the pages that show the sides of competences say them with."""
    return {
        "titles": type_titles(),
        "theme_titles": theme_titles(),
        "theme_of": theme_of(),
        "guide": framework.guide,
        "fr": official(framework),
        "parts_text": parts_text,
        "group_name": group_name,
        "absent_text": lambda side, type_: _guide_text(framework, "absent", side=side, type=type_),
    }


def _guide_text(framework: Framework, key: str, **wanted: str) -> str:
    """The text of a list of the guide's for one place of the pages; empty when it says nothing of it."""
    for line in framework.guide.get(key, []):
        if all(line.get(name) == value for name, value in wanted.items()):
            return str(line.get("text", ""))
    return ""


def official(framework: Framework) -> Markup:
    """The `lang` attribute of official text, for pages in another language."""
    if framework.language == locale():
        return Markup("")
    return Markup(' lang="{}"').format(framework.language)


def group_name(group: FrameworkItem) -> str:
    """« Groupe 1 »: the Seconde's groups have bare numbers, MA's and MCV's carry their word."""
    return group.code if not group.code.isdigit() else _("Groupe %(code)s", code=group.code)


def parts_text(parts: list[FrameworkItem]) -> str:
    """« Bloc 1 », « Groupes 1 et 4B ». These words are the referential's own: they are not translated."""
    codes = [part.code for part in parts]
    words = {code.rpartition(" ")[0] for code in codes}
    if len(codes) > 1 and len(words) == 1 and words != {""}:
        numbers = [code.rpartition(" ")[2] for code in codes]
        return f"{words.pop()}s {', '.join(numbers[:-1])} et {numbers[-1]}"
    return ", ".join(codes)


def theme_of() -> dict[str, str]:
    """The sheet that each type is on."""
    return {type_: theme for theme, types in THEMES.items() for type_ in types}


def theme_titles() -> dict[str, str]:
    """The names of the source's three sheets."""
    return {"skills": _("Compétences"), "knowledge": _("Savoirs"), "evaluation": _("Évaluation")}


def type_titles() -> dict[str, str]:
    """The titles of the rows, by type of what is in them."""
    return {
        "competence": _("Compétences"),
        "subcompetence": _("Sous-compétences"),
        "criterion": _("Critères d’évaluation"),
        "behaviour": _("Comportements professionnels"),
        "knowledge": _("Savoirs associés et limites"),
        "knowledge_limit": _("Limites de savoir"),
        "resource": _("Ressources"),
        "relation": _("Relations"),
        "expected_result": _("Résultats attendus"),
    }


def type_words() -> dict[str, str]:
    """What one statement of each type is called."""
    return {
        GROUP: _("Bloc ou groupe de compétences"),
        "competence": _("Compétence"),
        "subcompetence": _("Sous-compétence"),
        "criterion": _("Critère d’évaluation"),
        "behaviour": _("Comportement professionnel"),
        "knowledge": _("Savoir associé"),
        "knowledge_limit": _("Limite de savoir"),
        "resource": _("Ressource"),
        "relation": _("Relation"),
        "expected_result": _("Résultat attendu"),
    }
