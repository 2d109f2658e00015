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
from .models import COMPLEXITIES, SIMPLE, SPECIALITIES, VARIED, Activity, ActivityCompetence

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
        *_often(course, worked.times, ticked, draft.complexity),
        *_unexplored(course, worked, ticked, draft.specialities),
        *_never(course, parts, worked.times, ticked),
    ]


@dataclass
class Worked:
    """What the other activities of the course work."""

    times: Counter[tuple[int, int]]
    """How many of them, by (competence, complexity)."""
    specialities: dict[int, set[str]]
    """What they explore, by competence."""

    def count(self, item: FrameworkItem) -> int:
        return sum(self.times[item.id, complexity] for complexity in COMPLEXITIES)


def _worked(session: Session, course: Course, activity: Activity | None) -> Worked:
    query = (
        sa.select(ActivityCompetence.item_id, Activity.complexity, Activity.specialities)
        .join(Activity, Activity.id == ActivityCompetence.activity_id)
        .where(Activity.course_id == course.id, Activity.year_id.is_(None), Activity.archived_at.is_(None))
    )
    if activity is not None and activity.id:
        query = query.where(Activity.id != activity.id)
    found = Worked(Counter(), {})
    for item_id, complexity, specialities in session.execute(query):
        found.times[item_id, complexity] += 1
        found.specialities.setdefault(item_id, set()).update(specialities)
    return found


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
    """What was worked often at one complexity, and what the next one would do. Said of the highest such complexity."""
    found = []
    for item in ticked:
        often = [c for c in (SIMPLE, VARIED) if worked[item.id, c] >= OFTEN]
        if not often:
            continue
        top = often[-1]
        words = {"code": spoken_code(course, item)}
        if top == SIMPLE:
            times = ngettext(
                "%(code)s déjà travaillée %(num)s fois en situation simple",
                "%(code)s déjà travaillée %(num)s fois en situation simple",
                worked[item.id, top],
                **words,
            )
        else:
            times = ngettext(
                "%(code)s déjà travaillée %(num)s fois en situation variée",
                "%(code)s déjà travaillée %(num)s fois en situation variée",
                worked[item.id, top],
                **words,
            )
        if complexity not in {str(c) for c in COMPLEXITIES if c <= top}:
            sentence = _("%(times)s\u202f; celle-ci la fait monter.", times=times)
        elif top == SIMPLE:
            sentence = _("%(times)s\u202f; une situation variée la ferait monter.", times=times)
        else:
            sentence = _("%(times)s\u202f; une situation complexe la ferait monter.", times=times)
        found.append(Nudge(_("%(code)s, un tour de plus", **words), sentence))
    return found


def _unexplored(
    course: Course, worked: Worked, ticked: list[FrameworkItem], specialities: list[str]
) -> list[Nudge]:
    """What was worked often and never in some speciality, which this one does not explore either; said once for all."""
    missing: dict[tuple[str, ...], list[str]] = {}
    for item in ticked:
        left = tuple(s for s in SPECIALITIES if s not in worked.specialities.get(item.id, set()))
        if left and worked.count(item) >= OFTEN and not set(left) & set(specialities):
            missing.setdefault(left, []).append(spoken_code(course, item))
    words = {"A": _("accueil"), "C": _("commerce"), "V": _("vente")}
    return [
        Nudge(
            _("Spécialité à explorer"),
            _(
                "%(codes)s\u00a0: jamais en %(specialities)s, et cette situation non plus.",
                codes=", ".join(codes),
                specialities=_(" ni en ").join(words[s] for s in left),
            ),
        )
        for left, codes in missing.items()
    ]


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
