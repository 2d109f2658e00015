"""What the pages about one pupil share: their competences, the spiral of one of them, why it is what it is."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import sqlalchemy as sa
from flask import request
from sqlalchemy.orm import selectinload

from ..activities.models import Activity, ActivityCompetence, ObservedItem
from ..assessment.decisions import rule_of
from ..assessment.entries import Observation, observations
from ..assessment.models import Assessment
from ..assessment.overview import Mastery, by_pair
from ..assessment.worked import worked_materials
from ..courses.models import Course, GroupMember
from ..courses.referentials import Material, course_competences, named
from ..db import db
from ..errors import NotFound
from ..frameworks.models import Framework, FrameworkItem
from ..frameworks.sheets import retired_among
from ..reports.spiral import Picture, draw_spiral
from ..reports.spiral import Turn as DrawnTurn
from .guard import visit
from .reasons import Reason, describe_turns, explain
from .shown import scale, short_date, today


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
class Sheet:
    """All that was seen of a pupil in a course. `main`: the competences in force of its main referential."""

    parts: list[Part]
    main: list[FrameworkItem]
    found: list[Observation]
    masteries: dict[int, Mastery]

    @property
    def items(self) -> list[FrameworkItem]:
        return [line.item for part in self.parts for line in part.lines]


@dataclass(frozen=True)
class Spiral:
    """The chosen competence: its turns newest first, its picture, and the sentence that says why."""

    item: FrameworkItem
    mastery: Mastery
    reason: Reason
    picture: Picture
    picture_name: str
    observed: dict[tuple[int, int], list[FrameworkItem]]
    """What was observed, by activity and competence."""


def read_sheet(course: Course, person_id: int) -> Sheet:
    """What was seen of a pupil in a course, and what it adds up to."""
    materials = worked_materials(db.session, course)
    found = observations(db.session, course.id, person_ids=[person_id])
    rule = rule_of(db.session, course.id, target=scale().target, person_ids=[person_id])
    masteries = {item: mastery for (_id, item), mastery in by_pair(found, rule).items()}
    parts = [
        Part(
            one.framework,
            [Line(item, masteries.get(item.id)) for item in _with_retired(one, masteries)],
        )
        for one in materials
    ]
    return Sheet(parts, materials[0].competences, found, masteries)


def _with_retired(part: Material, masteries: dict[int, Mastery]) -> list[FrameworkItem]:
    """The competences of a referential, then those no longer in force in which something was seen."""
    return [*part.competences, *retired_among(db.session, part.framework.id, masteries)]


def asked_competence(items: list[FrameworkItem]) -> FrameworkItem | None:
    """The competence that the address or the form names, None when it names none. `NotFound` for an unknown one."""
    text = request.values.get("competence", "")
    if not text:
        return None
    found = named(items, text) or named(course_competences(db.session, visit().course), text)
    if found is None:
        raise NotFound(f"there is no competence « {text} » in this course")
    return found


def chosen_competence(sheet: Sheet) -> FrameworkItem | None:
    """The competence of the address, else the most recently worked, else the first."""
    asked, items = asked_competence(sheet.items), sheet.items
    if asked is not None:
        return asked
    worked = [item for item in items if item.id in sheet.masteries]
    if not worked:
        return items[0] if items else None
    return max(worked, key=lambda item: _freshness(sheet.masteries[item.id]))


def _freshness(mastery: Mastery) -> tuple[date, int]:
    """The day of the latest turn; of those of one day, the longer spiral says more."""
    return mastery.turns[0].activity.starts_on, len(mastery.turns)


def spiral_of(sheet: Sheet, item: FrameworkItem | None) -> Spiral | None:
    """The spiral of a competence; None where nothing was seen of it."""
    mastery = sheet.masteries.get(item.id) if item else None
    if item is None or mastery is None:
        return None
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
        observed=observed_in([o.activity.id for o in mastery.turns]),
    )


def observed_in(activity_ids: list[int]) -> dict[tuple[int, int], list[FrameworkItem]]:
    """What teachers ticked to observe, by activity and competence."""
    links = db.session.scalars(
        sa.select(ActivityCompetence)
        .where(ActivityCompetence.activity_id.in_(activity_ids))
        .options(selectinload(ActivityCompetence.observed).joinedload(ObservedItem.item))
    )
    return {(link.activity_id, link.item_id): [o.item for o in link.observed] for link in links}


def next_turn(course: Course, item: FrameworkItem | None, person_id: int) -> Activity | None:
    """The next activity that mobilises a competence and has nothing to show yet for this pupil."""
    if item is None:
        return None
    answered = sa.select(Assessment.activity_id).where(
        Assessment.person_id == person_id, Assessment.item_id == item.id
    )
    return db.session.scalars(
        sa.select(Activity)
        .join(ActivityCompetence, ActivityCompetence.activity_id == Activity.id)
        .where(
            Activity.course_id == course.id,
            Activity.archived_at.is_(None),
            Activity.year_id.is_(None),
            Activity.undated.is_(False),
            Activity.starts_on >= today(),
            sa.or_(
                Activity.group_id.is_(None),
                Activity.group_id.in_(
                    sa.select(GroupMember.group_id).where(GroupMember.person_id == person_id)
                ),
            ),
            ActivityCompetence.item_id == item.id,
            Activity.id.not_in(answered),
        )
        .order_by(Activity.starts_on, Activity.id)
        .limit(1)
    ).first()
