"""What the activity form remarks on. It never blocks."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

import sqlalchemy as sa
from flask_babel import gettext as _
from flask_babel import ngettext
from sqlalchemy.orm import Session

from ..courses.models import Course
from ..courses.referentials import Material, named, spoken_code
from ..frameworks.models import FrameworkItem
from .editing import Draft
from .models import SIMPLE, Activity, ActivityCompetence

OFTEN = 2


@dataclass(frozen=True)
class Nudge:
    """A remark: what it is about, and a sentence."""

    title: str
    sentence: str


def nudges(
    session: Session, course: Course, parts: list[Material], draft: Draft, activity: Activity | None = None
) -> list[Nudge]:
    """The remarks on a draft: one group only, worked often already, never worked."""
    if not draft.competences:
        return []
    worked = _worked(session, course, activity)
    known = [item for part in parts for item in part.competences]
    ticked = [item for text in draft.competences if (item := named(known, text))]
    return [
        *_unticked(course, ticked, activity),
        *_one_group(parts, ticked),
        *_often(course, worked, ticked, draft.complexity),
        *_never(course, parts, worked, ticked),
    ]


def _worked(session: Session, course: Course, activity: Activity | None) -> Counter[tuple[int, int]]:
    """How many other activities of the course work each competence, by (competence, complexity)."""
    query = (
        sa.select(ActivityCompetence.item_id, Activity.complexity, sa.func.count())
        .join(Activity, Activity.id == ActivityCompetence.activity_id)
        .where(Activity.course_id == course.id, Activity.archived_at.is_(None))
        .group_by(ActivityCompetence.item_id, Activity.complexity)
    )
    if activity is not None and activity.id:
        query = query.where(Activity.id != activity.id)
    return Counter({(item_id, complexity): count for item_id, complexity, count in session.execute(query)})


def _unticked(course: Course, ticked: list[FrameworkItem], activity: Activity | None) -> list[Nudge]:
    """What the activity mobilised when it was last saved, and is no longer ticked."""
    if activity is None:
        return []
    return [
        Nudge(
            _("%(code)s n’est plus cochée", code=spoken_code(course, link.item)),
            _(
                "Elle quitte la grille. Les niveaux déjà saisis restent et comptent\u202f; la recocher les remontre."
            ),
        )
        for link in activity.competences
        if link.item not in ticked
    ]


def _one_group(parts: list[Material], ticked: list[FrameworkItem]) -> list[Nudge]:
    groups = [group for part in parts for group in part.groups]
    mobilised = [g for g in groups if any(c in ticked for c in g.competences)]
    if len(mobilised) != 1 or len(groups) < 2:
        return []
    code = mobilised[0].item.code
    if code.isdigit():
        sentence = _("Toutes les compétences viennent du groupe %(code)s, est-ce voulu\u202f?", code=code)
    else:
        sentence = _(
            "Toutes les compétences viennent de «\u00a0%(code)s\u00a0», est-ce voulu\u202f?", code=code
        )
    return [Nudge(_("Un seul groupe"), sentence)]


def _often(
    course: Course, worked: Counter[tuple[int, int]], ticked: list[FrameworkItem], complexity: str
) -> list[Nudge]:
    found = []
    for item in ticked:
        simple = worked[item.id, SIMPLE]
        if simple < OFTEN:
            continue
        code = spoken_code(course, item)
        times = ngettext(
            "%(code)s déjà travaillée %(num)s fois en situation simple",
            "%(code)s déjà travaillée %(num)s fois en situation simple",
            simple,
            code=code,
        )
        if complexity == str(SIMPLE):
            sentence = _("%(times)s\u202f; une situation variée la ferait monter.", times=times)
        else:
            sentence = _("%(times)s\u202f; celle-ci la fait monter.", times=times)
        found.append(Nudge(_("%(code)s, un tour de plus", code=code), sentence))
    return found


def _never(
    course: Course, parts: list[Material], worked: Counter[tuple[int, int]], ticked: list[FrameworkItem]
) -> list[Nudge]:
    """What was never worked, of the referentials that the course has begun to work."""
    done = {item_id for item_id, _complexity in worked}
    begun = [part for part in parts if any(c.id in done for c in part.competences)]
    left = [c for part in begun for c in part.competences if c.id not in done and c not in ticked]
    if not left:
        return []
    listed = ", ".join(spoken_code(course, item) for item in left)
    return [
        Nudge(
            _("Jamais travaillées"),
            ngettext(
                "%(listed)s ne l’a pas encore été dans ce cours.",
                "%(listed)s ne l’ont pas encore été dans ce cours.",
                len(left),
                listed=listed,
            ),
        )
    ]
