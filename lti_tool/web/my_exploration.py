"""« Mon exploration » : accueil, commerce, vente, and what each competence becomes in the Bacs they lead to."""

from __future__ import annotations

from dataclasses import dataclass

from flask import render_template
from flask_babel import gettext as _

from ..activities.models import SPECIALITIES, Activity
from ..assessment.entries import Observation
from ..db import db
from ..frameworks.becoming import becomings
from ..frameworks.guide import guide_of
from ..frameworks.models import FrameworkItem
from .guard import May, page, visit
from .my_activities import Work, works_of
from .reasons import both, day_words
from .referential_words import official
from .shown import locale, short_date, speciality_words, today
from .spirals import read_sheet


@dataclass(frozen=True)
class Explored:
    """A speciality: the situations in which something was seen, newest first, and by competence how many."""

    speciality: str
    situations: list[Activity]
    times: dict[int, int]
    missing: list[str]
    """The codes of the competences never worked in it."""

    @property
    def competences(self) -> int:
        return len(self.times)


@page("/me/exploration", may=May.LEARN)
def my_exploration() -> str:
    """What I explored, what is left, and where each competence leads."""
    course, person_id = visit().course, visit().person.id
    sheet = read_sheet(course, person_id)
    explored = explore(sheet.main, sheet.found)
    framework = sheet.parts[0].framework
    return render_template(
        "my_exploration.html",
        explored=explored,
        unexplored=unexplored(explored),
        coming=_coming(works_of(course, person_id, [])),
        competences=sheet.main,
        becomings=becomings(db.session, [item.id for item in sheet.main]),
        framework=framework,
        fr=official(framework),
        guide=guide_of(framework, locale()),
        speciality_words=speciality_words(),
        short_date=short_date,
        day_words=day_words,
    )


def explore(items: list[FrameworkItem], found: list[Observation]) -> list[Explored]:
    """What was worked in each speciality, and which of these competences never were."""
    known, explored = {item.id for item in items}, []
    for speciality in SPECIALITIES:
        seen = [o for o in found if speciality in o.activity.specialities]
        situations = {o.activity.id: o.activity for o in seen}
        times = {item.id: sum(o.item_id == item.id for o in seen) for item in items}
        explored.append(
            Explored(
                speciality=speciality,
                situations=sorted(situations.values(), key=lambda a: (a.starts_on, a.id), reverse=True),
                times={item: count for item, count in times.items() if count and item in known},
                missing=[item.code for item in items if not times[item.id]],
            )
        )
    return explored


def unexplored(explored: list[Explored]) -> list[str]:
    """What is left to explore, in sentences."""
    words = speciality_words()
    sentences = [
        _(
            "En %(speciality)s, rien encore pour %(codes)s.",
            speciality=words[one.speciality],
            codes=both(one.missing),
        )
        for one in explored
        if one.situations and one.missing
    ]
    untouched = [words[one.speciality] for one in explored if not one.situations]
    if untouched:
        sentences.append(_("Tout reste à explorer en %(specialities)s.", specialities=both(untouched)))
    return sentences


def _coming(current: list[Work]) -> dict[str, Activity]:
    """The next activity of each speciality."""
    ahead = sorted(
        (work for work in current if not work.done and work.last_day >= today()),
        key=lambda work: (work.activity.starts_on, work.activity.id),
        reverse=True,
    )
    return {speciality: work.activity for work in ahead for speciality in work.activity.specialities}
