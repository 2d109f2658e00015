"""What the activity form remarks on. It never blocks."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

import sqlalchemy as sa
from flask_babel import gettext as _
from flask_babel import ngettext
from sqlalchemy.orm import Session

from ..courses.models import Course
from ..frameworks.models import FrameworkItem
from ..frameworks.sheets import Group
from .editing import Draft
from .models import SIMPLE, Activity, ActivityCompetence

OFTEN = 2


@dataclass(frozen=True)
class Nudge:
    """A remark: what it is about, and a sentence."""

    title: str
    sentence: str


def nudges(
    session: Session, course: Course, groups: list[Group], draft: Draft, activity: Activity | None = None
) -> list[Nudge]:
    """The remarks on a draft: one group only, worked often already, never worked."""
    if not draft.competences:
        return []
    worked = _worked(session, course, activity)
    return [
        *_unticked(draft, activity),
        *_one_group(groups, draft),
        *_often(worked, draft),
        *_never(groups, worked, draft),
    ]


def _worked(session: Session, course: Course, activity: Activity | None) -> Counter[tuple[str, int]]:
    """How many other activities of the course work each competence, by (code, complexity)."""
    query = (
        sa.select(FrameworkItem.code, Activity.complexity, sa.func.count())
        .join(ActivityCompetence, ActivityCompetence.item_id == FrameworkItem.id)
        .join(Activity, Activity.id == ActivityCompetence.activity_id)
        .where(Activity.course_id == course.id, Activity.archived_at.is_(None))
        .group_by(FrameworkItem.code, Activity.complexity)
    )
    if activity is not None and activity.id:
        query = query.where(Activity.id != activity.id)
    return Counter({(code, complexity): count for code, complexity, count in session.execute(query)})


def _unticked(draft: Draft, activity: Activity | None) -> list[Nudge]:
    """What the activity mobilised when it was last saved, and is no longer ticked."""
    if activity is None:
        return []
    return [
        Nudge(
            _("%(code)s n’est plus cochée", code=link.item.code),
            _(
                "Elle quitte la grille. Les niveaux déjà saisis restent et comptent\u202f; la recocher les remontre."
            ),
        )
        for link in activity.competences
        if link.item.code not in draft.competences
    ]


def _one_group(groups: list[Group], draft: Draft) -> list[Nudge]:
    mobilised = [g for g in groups if any(c.code in draft.competences for c in g.competences)]
    if len(mobilised) != 1 or len(groups) < 2:
        return []
    return [
        Nudge(
            _("Un seul groupe"),
            _(
                "Toutes les compétences viennent du groupe %(code)s, est-ce voulu\u202f?",
                code=mobilised[0].item.code,
            ),
        )
    ]


def _often(worked: Counter[tuple[str, int]], draft: Draft) -> list[Nudge]:
    found = []
    for code in draft.competences:
        simple = worked[code, SIMPLE]
        if simple < OFTEN:
            continue
        times = ngettext(
            "%(code)s déjà travaillée %(num)s fois en situation simple",
            "%(code)s déjà travaillée %(num)s fois en situation simple",
            simple,
            code=code,
        )
        if draft.complexity == str(SIMPLE):
            sentence = _("%(times)s\u202f; une situation variée la ferait monter.", times=times)
        else:
            sentence = _("%(times)s\u202f; celle-ci la fait monter.", times=times)
        found.append(Nudge(_("%(code)s, un tour de plus", code=code), sentence))
    return found


def _never(groups: list[Group], worked: Counter[tuple[str, int]], draft: Draft) -> list[Nudge]:
    done = {code for code, _complexity in worked} | set(draft.competences)
    never = [c.code for g in groups for c in g.competences if c.code not in done]
    if not never or not worked:
        return []
    listed = ", ".join(never)
    return [
        Nudge(
            _("Jamais travaillées"),
            ngettext(
                "%(listed)s ne l’a pas encore été dans ce cours.",
                "%(listed)s ne l’ont pas encore été dans ce cours.",
                len(never),
                listed=listed,
            ),
        )
    ]
