"""« Mes activités » : what is expected of a pupil, and what was seen once it is done."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date

import sqlalchemy as sa
from flask import render_template
from flask_babel import format_date
from flask_babel import gettext as _

from ..activities.editing import list_activities
from ..activities.models import Activity
from ..assessment.entries import newest_ids
from ..assessment.models import Assessment, SelfPosition
from ..assessment.self_positions import self_positions
from ..courses.groups import groups_with
from ..courses.models import Course
from ..db import db
from ..frameworks.models import FrameworkItem
from .guard import May, page, visit
from .shown import code_words, level_word, locale, short_date, speciality_words, today
from .spirals import observed_in


@dataclass(frozen=True)
class Result:
    """A competence of an activity, and what was seen: a level, a code or nothing yet."""

    item: FrameworkItem
    level: int | None = None
    code: str = ""
    comment: str = ""
    mine: SelfPosition | None = None
    """What the pupil said of it."""


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

    @property
    def last_day(self) -> date:
        return self.activity.ends_on or self.activity.starts_on


@page("/me/activities", may=May.LEARN)
def my_activities() -> str:
    """What is to come, what waits for a result, and what is done with its results."""
    course, person_id = visit().course, visit().person.id
    said = self_positions(db.session, course.id, person_id)
    current = works_of(course, person_id, said)
    archived = works_of(course, person_id, said, archived=True)
    open_ = [work for work in current if not work.done]
    coming = [work for work in open_ if work.last_day >= today()]
    done = sorted(
        (work for work in [*current, *archived] if work.done),
        key=lambda work: (work.activity.starts_on, work.activity.id),
        reverse=True,
    )
    return render_template(
        "my_activities.html",
        coming=sorted(coming, key=lambda work: (work.activity.starts_on, work.activity.id)),
        waiting=[work for work in open_ if work.last_day < today()],
        done=done,
        observed=observed_in([work.activity.id for work in coming]),
        level_word=level_word,
        code_words=code_words(),
        speciality_words=speciality_words(),
    )


def works_of(
    course: Course, person_id: int, said: list[SelfPosition], *, archived: bool = False
) -> list[Work]:
    """The activities of a course, or those put away, with what was seen of a pupil in each and what they said."""
    results = results_of(course, person_id)
    mine: dict[tuple[int, int], SelfPosition] = {}
    for one in said:
        if one.activity_id is not None:
            mine.setdefault((one.activity_id, one.item_id), one)
    groups = groups_with(db.session, course.id, person_id)
    works = [
        _work(activity, results, mine)
        for activity in list_activities(db.session, course, archived=archived)
        if activity.year_id is None
    ]
    return [work for work in works if work.done or _is_expected(work.activity, groups)]


def _is_expected(activity: Activity, groups: set[int]) -> bool:
    """Whether an activity is asked of a pupil who is in these groups."""
    return not activity.undated and (activity.group_id is None or activity.group_id in groups)


def results_of(course: Course, person_id: int) -> dict[tuple[int, int], Assessment]:
    """The newest entries of one pupil in a course, by (activity, competence)."""
    of_course = sa.select(Activity.id).where(Activity.course_id == course.id)
    ids = newest_ids(Assessment.person_id == person_id, Assessment.activity_id.in_(of_course))
    rows = db.session.scalars(sa.select(Assessment).where(Assessment.id.in_(ids)))
    return {(row.activity_id, row.item_id): row for row in rows}


def _work(
    activity: Activity,
    results: dict[tuple[int, int], Assessment],
    said: dict[tuple[int, int], SelfPosition],
) -> Work:
    shown = []
    for link in activity.competences:
        entry, mine = results.get((activity.id, link.item_id)), said.get((activity.id, link.item_id))
        shown.append(
            Result(link.item, entry.level, entry.code or "", entry.comment, mine)
            if entry
            else Result(link.item, mine=mine)
        )
    return Work(activity, _when(activity), shown)


def _when(activity: Activity) -> list[str]:
    """The day of the work on two short lines, « jeudi », « 25 mars », or the two ends of its period."""
    if activity.ends_on and activity.ends_on != activity.starts_on:
        return [
            _("du %(day)s", day=short_date(activity.starts_on)),
            _("au %(day)s", day=short_date(activity.ends_on)),
        ]
    weekday = str(format_date(activity.starts_on, "EEEE"))
    return [weekday if locale() == "fr" else weekday.capitalize(), short_date(activity.starts_on)]
