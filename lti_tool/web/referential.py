"""The referential: its competences, each one's page with its two sides, each linked statement's page."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from uuid import UUID

import sqlalchemy as sa
from flask import redirect, render_template, request
from flask_babel import gettext as _
from flask_babel import ngettext
from markupsafe import Markup
from werkzeug.wrappers import Response

from ..activities.editing import find_activity
from ..activities.links import activity_of_link
from ..activities.models import COMPLEXITIES, Activity, ActivityCompetence
from ..assessment.entries import newest_ids
from ..assessment.models import Assessment
from ..assessment.scales import LEVELS
from ..courses.people import count_pupils
from ..courses.roster import pupils_query
from ..db import db
from ..errors import NotFound
from ..frameworks.becoming import becomings
from ..frameworks.guide import guide_of
from ..frameworks.models import Framework, FrameworkItem
from ..frameworks.sheets import (
    GROUP,
    Sheet,
    children,
    competences,
    find_competence,
    find_framework,
    find_item,
    groups,
    linked_frameworks,
    outline,
    place,
    sheet,
)
from .guard import May, here, page, visit
from .shown import code_words, level_word, locale, long_date, short_date, show_activity


@dataclass
class Worked:
    """An activity that works a competence, with what was seen in it for that competence."""

    activity: Activity
    date_text: str
    levels: dict[int, int] = field(default_factory=dict)
    """The level of each pupil who has one, by person."""
    mine: Assessment | None = None
    """The visitor's own entry, when the visitor is a pupil."""

    @property
    def counts(self) -> list[int]:
        """How many pupils at each level."""
        return [sum(level == one for one in self.levels.values()) for level in LEVELS]


@page("/referential", may=May.READ)
def referential() -> str:
    """The competences of the course's referential; with `of`, a linked referential whole."""
    framework = _framework()
    linked = linked_frameworks(db.session, framework.id)
    wanted = request.args.get("of", framework.slug)
    shown = next((one for one in [framework, *linked] if one.slug == wanted), None)
    if shown is None:
        raise NotFound(f"« {wanted} » is not linked to this course's referential")
    if shown is not framework:
        return render_template(
            "referential_tree.html",
            framework=framework,
            linked=linked,
            shown=shown,
            branches=outline(db.session, shown.id),
            titles=type_titles(),
            fr=official(shown),
        )
    found = groups(db.session, framework.id)
    opened = _opened_activity()
    expected = opened.competences if opened else []
    return render_template(
        "referential.html",
        framework=framework,
        linked=linked,
        groups=found,
        group_name=group_name,
        source_date=_source_date(framework),
        subcompetences=children(
            db.session, [c for group in found for c in group.competences], "subcompetence"
        ),
        opened=show_activity(opened) if opened else None,
        expected=expected,
        becomings=becomings(db.session, [link.item_id for link in expected]),
        guide=guide_of(framework, locale()),
        fr=official(framework),
    )


def _opened_activity() -> Activity | None:
    """The activity that this session's link opens, for those who may read it; none that was put away."""
    link = visit().session.resource_link
    if link is None or not (visit().may(May.LEARN) or visit().may(May.ASSESS)):
        return None
    opened = activity_of_link(db.session, link)
    if opened is None or opened.archived_at is not None:
        return None
    return find_activity(db.session, visit().course, opened.id)


@page("/referential/<code>", may=May.READ)
def competence(code: str) -> str:
    """One competence: what it is, where this course works it, what it becomes in the linked referentials."""
    framework = _framework()
    item = find_competence(db.session, framework.id, code)
    worked = _worked(item) if visit().may(May.ASSESS) or visit().may(May.LEARN) else []
    known = count_pupils(db.session, visit().course.id) if visit().may(May.ASSESS) else 0
    whole = sheet(db.session, item)
    return render_template(
        "competence.html",
        framework=framework,
        sheet=whole,
        ruler_groups=[group.competences for group in groups(db.session, framework.id)],
        competence_href=_competence_href,
        worked=worked,
        worked_text=_worked_text(worked, known),
        pupils_known=known,
        level_word=level_word,
        code_words=code_words(),
        titles=type_titles(),
        guide=framework.guide,
        page_words=guide_of(framework, locale()).words_in(_statements(whole)),
        fr=official(framework),
        parts_text=parts_text,
        group_name=group_name,
        absent_text=lambda side, type_: _absent_text(framework, side, type_),
    )


@page("/statements/<uuid:identifier>", may=May.READ)
def statement(identifier: UUID) -> str | Response:
    """A statement of a linked referential, and the competences of this course that prepare it."""
    framework = _framework()
    item = find_item(db.session, str(identifier))
    if item.framework_id == framework.id:
        return redirect(_page_of_own(framework, item))
    if item.framework_id not in {one.id for one in linked_frameworks(db.session, framework.id)}:
        raise NotFound("this statement is of no referential linked to this course's")
    return render_template(
        "statement.html",
        framework=framework,
        item=item,
        place=place(db.session, item, framework.id),
        word=type_words()[item.type],
        titles=type_titles(),
        fr=official(item.framework),
    )


def _framework() -> Framework:
    return find_framework(db.session, visit().course.framework_slug)


def _competence_href(code: str) -> str:
    return here("competence", code=code)


def _page_of_own(framework: Framework, item: FrameworkItem) -> str:
    """Where an item of the course's own referential is read: on its competence's page."""
    while item.parent is not None and item.type != "competence":
        item = item.parent
    if item.type == "competence" and item.code in {c.code for c in competences(db.session, framework.id)}:
        return here("competence", code=item.code)
    return here("referential")


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
            worked.levels[entry.person_id] = entry.level
    return [w for w in found.values() if w.activity.archived_at is None or w.levels or w.mine]


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


def _worked_text(worked: list[Worked], known: int) -> str:
    """« 6 situations : 2 simples, 3 variées, 1 complexe · 18 élèves évalués sur 24 »."""
    words: dict[int, Callable[[int], str]] = {
        1: lambda n: ngettext("%(num)d simple", "%(num)d simples", n),
        2: lambda n: ngettext("%(num)d variée", "%(num)d variées", n),
        3: lambda n: ngettext("%(num)d complexe", "%(num)d complexes", n),
    }
    counts = {c: sum(1 for one in worked if one.activity.complexity == c) for c in COMPLEXITIES}
    each = ", ".join(words[c](n) for c, n in counts.items() if n)
    whole = ngettext("%(num)d situation", "%(num)d situations", len(worked))
    if not each:
        return ""
    text = _("%(whole)s : %(each)s", whole=whole, each=each)
    if not known:
        return text
    assessed = {person_id for one in worked for person_id in one.levels}
    pupils = ngettext(
        "%(num)d élève évalué sur %(known)d",
        "%(num)d élèves évalués sur %(known)d",
        len(assessed),
        known=known,
    )
    return f"{text} · {pupils}"


# ----- words -----


def _statements(whole: Sheet) -> list[str]:
    """Every statement that a competence's page shows."""
    parts = [part for row in whole.rows for side in row.sides for part in side.parts]
    items = [whole.item, *whole.subcompetences, *(head for part in parts for head in part.items)]
    items += [one for part in parts for entry in part.entries for one in (entry.item, *entry.below)]
    return [item.statement for item in items]


def _source_date(framework: Framework) -> str:
    """The date of the official text in words; empty when the file gives none."""
    try:
        return long_date(date.fromisoformat(framework.source.get("date", "")))
    except ValueError:
        return ""


def _absent_text(framework: Framework, side: str, type_: str) -> str:
    """What the source says of a type that one side does not have; empty when it says nothing."""
    for line in framework.guide.get("absent", []):
        if (line.get("side"), line.get("type")) == (side, type_):
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
