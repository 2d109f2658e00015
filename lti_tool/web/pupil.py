"""One pupil's pages: « Mes compétences », « À faire », and the same sheet for their teachers."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date

import sqlalchemy as sa
from flask import render_template, request
from flask_babel import format_date
from flask_babel import gettext as _
from sqlalchemy.orm import joinedload, selectinload

from ..activities.editing import list_activities
from ..activities.models import SPECIALITIES, Activity, ActivityCompetence, ObservedItem
from ..assessment.decisions import rule_of
from ..assessment.entries import Observation, newest_ids, observations
from ..assessment.models import Assessment
from ..assessment.overview import Mastery, by_pair
from ..assessment.worked import worked_materials
from ..courses.models import Course, Enrolment, Role
from ..courses.people import Pupil, full_name, pupils
from ..courses.referentials import Material, course_competences, named, reference
from ..db import db
from ..errors import NotFound
from ..frameworks.guide import guide_of
from ..frameworks.models import Framework, FrameworkItem
from ..frameworks.sheets import linked_frameworks, retired_among
from ..reports.spiral import Picture, draw_spiral
from ..reports.spiral import Turn as DrawnTurn
from .guard import May, here, page, visit
from .reasons import Reason, both, describe_turns, explain, in_situation
from .shown import code_words, level_word, locale, scale, short_date, speciality_words, today


@dataclass(frozen=True)
class Line:
    """A competence in the list, with what is known of it."""

    item: FrameworkItem
    mastery: Mastery | None


@dataclass(frozen=True)
class Part:
    """A referential of the course, and the lines of its competences."""

    framework: Framework
    lines: list[Line]


@dataclass(frozen=True)
class Spiral:
    """The chosen competence: its turns newest first, its picture, and the sentence that says why."""

    item: FrameworkItem
    mastery: Mastery
    reason: Reason
    picture: Picture
    picture_name: str
    observed: dict[int, list[FrameworkItem]]
    """What was observed, by activity."""


@dataclass(frozen=True)
class Explored:
    """A speciality: how many situations, how many competences, and the codes of those never worked in it."""

    speciality: str
    situations: int
    competences: int
    missing: list[str]


@dataclass(frozen=True)
class Leaf:
    """A teacher's way through the class: who comes before, who comes after, and whether this one has left."""

    left: bool = False
    before: Pupil | None = None
    after: Pupil | None = None


@dataclass(frozen=True)
class Result:
    """A competence of an activity, and what was seen: a level, a code or nothing yet."""

    item: FrameworkItem
    level: int | None = None
    code: str = ""
    comment: str = ""


@dataclass(frozen=True)
class Work:
    """An activity as its pupil sees it."""

    activity: Activity
    when: list[str]
    results: list[Result] = field(default_factory=list)

    @property
    def done(self) -> bool:
        """Whether something was said of it; a code says something too."""
        return any(result.level or result.code or result.comment for result in self.results)


@page("/me", may=May.LEARN)
def my_spiral() -> str:
    """« Mes compétences »: a pupil's own positions, and the spiral of one of them."""
    return _sheet(visit().person.id)


@page("/pupils/<id:person_id>", may=May.ASSESS)
def pupil_sheet(person_id: int) -> str:
    """The same sheet for a teacher, with the way to the next pupil. `NotFound` for who is not of this course."""
    pupil, leaf = find_pupil(visit().course, person_id)
    return _sheet(person_id, pupil, leaf)


@page("/me/activities", may=May.LEARN)
def to_do() -> str:
    """« À faire »: what is to come, what waits for a result, and what is done with its results."""
    course, person_id = visit().course, visit().person.id
    results = _results(course, person_id)
    current = [_work(activity, results) for activity in list_activities(db.session, course)]
    archived = [_work(activity, results) for activity in list_activities(db.session, course, archived=True)]
    open_ = [work for work in current if not work.done]
    coming = [work for work in open_ if _last_day(work.activity) >= today()]
    done = sorted(
        (work for work in [*current, *archived] if work.done),
        key=lambda work: (work.activity.starts_on, work.activity.id),
        reverse=True,
    )
    return render_template(
        "to_do.html",
        coming=sorted(coming, key=lambda work: (work.activity.starts_on, work.activity.id)),
        waiting=[work for work in open_ if _last_day(work.activity) < today()],
        done=done,
        level_word=level_word,
        code_words=code_words(),
        speciality_words=speciality_words(),
    )


def _sheet(person_id: int, pupil: Pupil | None = None, leaf: Leaf | None = None) -> str:
    """The page of a pupil: their own without `pupil`, else as a teacher reads it."""
    course = visit().course
    parts = worked_materials(db.session, course)
    found = observations(db.session, course.id, person_ids=[person_id])
    rule = rule_of(db.session, course.id, target=scale().target, person_ids=[person_id])
    masteries = {item_id: mastery for (_id, item_id), mastery in by_pair(found, rule).items()}
    kept = {part.framework: _with_retired(part, masteries) for part in parts}
    items = [item for own in kept.values() for item in own]
    explored = _explored(parts[0].competences, found)
    chosen = _chosen(items, masteries)
    mastery = masteries.get(chosen.id) if chosen else None
    return render_template(
        "pupil.html",
        course=course,
        pupil=pupil,
        leaf=leaf or Leaf(),
        parts=[
            Part(framework, [Line(item, masteries.get(item.id)) for item in own])
            for framework, own in kept.items()
        ],
        chosen=chosen,
        leads_on=bool(chosen and linked_frameworks(db.session, chosen.framework_id)),
        spiral=_spiral(chosen, mastery) if chosen and mastery else None,
        next_turn=_next_turn(course, chosen, person_id) if chosen else None,
        explored=explored,
        unexplored=_unexplored(explored),
        address=lambda item: _address(item, pupil),
        turn_address=lambda activity: here("grid" if pupil else "activity", activity_id=activity.id),
        level_word=level_word,
        speciality_words=speciality_words(),
        short_date=short_date,
        situations=in_situation(),
        guide=guide_of(parts[0].framework, locale()),
    )


def _with_retired(part: Material, masteries: dict[int, Mastery]) -> list[FrameworkItem]:
    """The competences of a referential, then those no longer in force in which something was seen."""
    return [*part.competences, *retired_among(db.session, part.framework.id, masteries)]


def _address(item: FrameworkItem, pupil: Pupil | None) -> str:
    """The same page, at another competence."""
    code = reference(visit().course, item)
    if pupil:
        return here("pupil_sheet", person_id=pupil.person_id, competence=code, _anchor="spirale")
    return here("my_spiral", competence=code, _anchor="spirale")


def _chosen(items: list[FrameworkItem], masteries: dict[int, Mastery]) -> FrameworkItem | None:
    """The competence of the address, else the most recently worked, else the first. `NotFound` for an unknown one."""
    text = request.args.get("competence", "")
    if text:
        found = named(items, text) or named(course_competences(db.session, visit().course), text)
        if found is None:
            raise NotFound(f"there is no competence « {text} » in this course")
        return found
    worked = [item for item in items if item.id in masteries]
    if not worked:
        return items[0] if items else None
    return max(worked, key=lambda item: _freshness(masteries[item.id]))


def _freshness(mastery: Mastery) -> tuple[date, int]:
    """The day of the latest turn; of those of one day, the longer spiral says more."""
    return mastery.turns[0].activity.starts_on, len(mastery.turns)


def _spiral(item: FrameworkItem, mastery: Mastery) -> Spiral:
    oldest_first = mastery.turns[::-1]
    turns = [
        DrawnTurn(
            level=o.level,
            complexity=o.activity.complexity,
            date_text=short_date(o.activity.starts_on),
            specialities=o.activity.specialities,
            href=f"#tour-{o.activity.id}",
        )
        for o in oldest_first
    ]
    return Spiral(
        item=item,
        mastery=mastery,
        reason=explain(mastery.proposed, mastery.policy),
        picture=draw_spiral(turns),
        picture_name=describe_turns(oldest_first),
        observed=_observed([o.activity.id for o in mastery.turns], item.id),
    )


def _observed(activity_ids: list[int], item_id: int) -> dict[int, list[FrameworkItem]]:
    """What teachers ticked to observe for one competence, by activity."""
    links = db.session.scalars(
        sa.select(ActivityCompetence)
        .where(ActivityCompetence.activity_id.in_(activity_ids), ActivityCompetence.item_id == item_id)
        .options(selectinload(ActivityCompetence.observed).joinedload(ObservedItem.item))
    )
    return {link.activity_id: [observed.item for observed in link.observed] for link in links}


def _next_turn(course: Course, item: FrameworkItem, person_id: int) -> Activity | None:
    """The next activity that mobilises a competence and has nothing to show yet for this pupil."""
    answered = sa.select(Assessment.activity_id).where(
        Assessment.person_id == person_id, Assessment.item_id == item.id
    )
    return db.session.scalars(
        sa.select(Activity)
        .join(ActivityCompetence, ActivityCompetence.activity_id == Activity.id)
        .where(
            Activity.course_id == course.id,
            Activity.archived_at.is_(None),
            Activity.starts_on >= today(),
            ActivityCompetence.item_id == item.id,
            Activity.id.not_in(answered),
        )
        .order_by(Activity.starts_on, Activity.id)
        .limit(1)
    ).first()


def _explored(items: list[FrameworkItem], found: list[Observation]) -> list[Explored]:
    """Accueil, commerce, vente: what was worked in each, and which of the main referential's competences never were."""
    explored = []
    for speciality in SPECIALITIES:
        seen = [o for o in found if speciality in o.activity.specialities]
        worked = {o.item_id for o in seen}
        explored.append(
            Explored(
                speciality=speciality,
                situations=len({o.activity.id for o in seen}),
                competences=sum(item.id in worked for item in items),
                missing=[item.code for item in items if item.id not in worked],
            )
        )
    return explored


def _unexplored(explored: list[Explored]) -> list[str]:
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


def find_pupil(course: Course, person_id: int) -> tuple[Pupil, Leaf]:
    """A pupil of this course, or somebody who was one and has results here. Raises `NotFound`."""
    known = pupils(db.session, course.id)
    place = next((i for i, pupil in enumerate(known) if pupil.person_id == person_id), None)
    if place is not None:
        before, after = known[:place], known[place + 1 :]
        return known[place], Leaf(before=before[-1] if before else None, after=after[0] if after else None)
    enrolment = db.session.scalars(
        sa.select(Enrolment)
        .where(
            Enrolment.course_id == course.id,
            Enrolment.person_id == person_id,
            Enrolment.role == Role.LEARNER,
            Enrolment.active.is_(False),
        )
        .options(joinedload(Enrolment.person))
    ).first()
    if enrolment is None or not _results(course, person_id):
        raise NotFound("there is no such pupil in this course")
    return Pupil(person_id, full_name(enrolment), full_name(enrolment)), Leaf(left=True)


def _results(course: Course, person_id: int) -> dict[tuple[int, int], Assessment]:
    """The newest entries of one pupil in a course, by (activity, competence)."""
    of_course = sa.select(Activity.id).where(Activity.course_id == course.id)
    ids = newest_ids(Assessment.person_id == person_id, Assessment.activity_id.in_(of_course))
    rows = db.session.scalars(sa.select(Assessment).where(Assessment.id.in_(ids)))
    return {(row.activity_id, row.item_id): row for row in rows}


def _work(activity: Activity, results: dict[tuple[int, int], Assessment]) -> Work:
    shown = []
    for link in activity.competences:
        entry = results.get((activity.id, link.item_id))
        shown.append(
            Result(link.item, entry.level, entry.code or "", entry.comment) if entry else Result(link.item)
        )
    return Work(activity, _when(activity), shown)


def _last_day(activity: Activity) -> date:
    return activity.ends_on or activity.starts_on


def _when(activity: Activity) -> list[str]:
    """The day of the work on two short lines, « jeudi », « 25 mars », or the two ends of its period."""
    if activity.ends_on and activity.ends_on != activity.starts_on:
        return [
            _("du %(day)s", day=short_date(activity.starts_on)),
            _("au %(day)s", day=short_date(activity.ends_on)),
        ]
    weekday = str(format_date(activity.starts_on, "EEEE"))
    return [weekday if locale() == "fr" else weekday.capitalize(), short_date(activity.starts_on)]
