"""The referential: its competences, each one's page with its two sides, each linked statement's page."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from uuid import UUID

import sqlalchemy as sa
from flask import redirect, render_template, request
from flask_babel import gettext as _
from flask_babel import ngettext
from werkzeug.wrappers import Response

from ..activities.editing import find_activity
from ..activities.links import activity_of_link
from ..activities.models import COMPLEXITIES, Activity, ActivityCompetence
from ..assessment.entries import newest_ids
from ..assessment.models import Assessment
from ..assessment.scales import LEVELS
from ..courses.groups import groups_with
from ..courses.people import count_pupils
from ..courses.referentials import course_frameworks, find_named, materials, reference
from ..courses.roster import pupils_query
from ..db import db
from ..errors import NotFound
from ..frameworks.becoming import becomings
from ..frameworks.guide import guide_of
from ..frameworks.models import FrameworkItem
from ..frameworks.sheets import (
    DETAILS,
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
from ..frameworks.sides import Sheet, sheet
from .guard import May, here, page, visit
from .referential_words import (
    find_tabs,
    group_name,
    official,
    own_tab,
    sheet_words,
    source_date,
    theme_of,
    type_titles,
    type_words,
)
from .shown import code_words, level_word, locale, short_date, show_activity


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
    opened = _opened_activity() if shown is tabs.own[0] else None
    expected = opened.competences if opened else []
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
        opened=show_activity(opened) if opened else None,
        expected=expected,
        becomings=becomings(db.session, [link.item_id for link in expected]),
        guide=guide_of(shown, locale()),
        fr=official(shown),
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
    course = visit().course
    parts = materials(db.session, course)
    item = find_named(db.session, parts, code)
    framework = item.framework
    ruler_groups = [group.competences for part in parts for group in part.groups]
    worked = _worked(item) if visit().may(May.ASSESS) or visit().may(May.LEARN) else []
    known = count_pupils(db.session, course.id) if visit().may(May.ASSESS) else 0
    theme = request.args.get("theme", "")
    theme = theme if theme in THEMES else ""
    whole = sheet(db.session, item)
    guide = guide_of(framework, locale())
    return render_template(
        "competence.html",
        framework=framework,
        sheet=whole,
        theme=theme,
        ruler_groups=ruler_groups,
        replacement=_replacement(item),
        competence_href=lambda other: _competence_href(other, theme),
        around=_around(item, [one for group in ruler_groups for one in group]),
        worked=worked,
        worked_text=_worked_text(worked, known),
        pupils_known=known,
        level_word=level_word,
        code_words=code_words(),
        path=guide.path,
        page_words=guide.words_in(_statements(whole)),
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
        .where(
            Activity.course_id == course.id,
            Activity.year_id.is_(None),
            ActivityCompetence.item_id == item.id,
        )
        .order_by(Activity.starts_on.desc(), Activity.id.desc())
    )
    found = {activity.id: Worked(activity, short_date(activity.starts_on)) for activity in rows}
    for entry in _entries(item, list(found)):
        worked = found[entry.activity_id]
        if visit().may(May.LEARN):
            worked.mine = entry
        elif entry.level:
            worked.levels[entry.person_id] = entry.level
    asked = _asked_of_me() if visit().may(May.LEARN) else None
    return [w for w in found.values() if w.levels or w.mine or _is_shown(w.activity, asked)]


def _asked_of_me() -> set[int | None]:
    """For whom the activities are that a pupil may be asked: the whole class (None), and each of their groups."""
    return {None, *groups_with(db.session, visit().course.id, visit().person.id)}


def _is_shown(activity: Activity, asked: set[int | None] | None) -> bool:
    """Whether an activity without a result is shown: to a pupil, only what is asked of them."""
    if asked is not None and (activity.undated or activity.group_id not in asked):
        return False
    return activity.archived_at is None


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


def _statements(whole: Sheet) -> list[str]:
    """Every statement that a competence's page shows."""
    rows = [row for theme in whole.themes for row in theme.rows]
    parts = [part for row in rows for side in row.sides for part in side.parts]
    items = [whole.item, *whole.subcompetences, *(head for part in parts for head in part.items)]
    items += [one for part in parts for entry in part.entries for one in (entry.item, *entry.below)]
    return [item.statement for item in items]
