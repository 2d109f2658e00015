"""An activity's own column: the one that came with its link, where a teacher asked for it when adding the link.

Its value is the mean of the levels seen in that activity. The column is the link's: it is never made, renamed or
rescaled from here.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from decimal import ROUND_HALF_UP, Decimal

import sqlalchemy as sa
from sqlalchemy.orm import Session, contains_eager

from ..activities.models import Activity, ActivityCompetence, ActivityLink
from ..assessment.entries import newest_ids
from ..assessment.models import Assessment
from ..assessment.scales import Scale
from ..courses.models import Course, ResourceLink
from ..courses.referentials import place
from ..frameworks.models import FrameworkItem
from ..lti.ags import SCOPE_SCORE
from .comments import activity_comment
from .models import GradebookSettings, OwnColumn, Pair
from .worths import Worth, column_maximum, points

CENTS = Decimal("0.01")


def own_columns(
    session: Session, course: Course, activity_id: int | None = None
) -> dict[OwnColumn, ActivityLink]:
    """The columns of links that a course may write to, in the order of the activities' dates; or one activity's.

    A platform that gives nothing but the address of a link's column is enough.
    """
    if SCOPE_SCORE not in course.ags_scopes:
        return {}
    query = (
        sa.select(ActivityLink)
        .join(ResourceLink, ResourceLink.id == ActivityLink.resource_link_id)
        .join(Activity, Activity.id == ActivityLink.activity_id)
        .where(
            ResourceLink.course_id == course.id,
            Activity.course_id == course.id,
            Activity.year_id.is_(None),
            ActivityLink.graded.is_(True),
            ResourceLink.lineitem_url != "",
        )
        .options(contains_eager(ActivityLink.activity))
        .order_by(Activity.starts_on, ActivityLink.id)
    )
    if activity_id is not None:
        query = query.where(Activity.id == activity_id)
    return {OwnColumn(link.resource_link_id): link for link in session.scalars(query)}


def own_values(
    session: Session,
    course: Course,
    columns: dict[OwnColumn, ActivityLink],
    settings: GradebookSettings,
    scale: Scale,
    people: Collection[int] | None = None,
) -> dict[Pair, Worth]:
    """What each cell of these columns is worth; who has no level in an activity, only codes or nothing, is absent."""
    seen = _levels(session, course, {link.activity_id for link in columns.values()}, people)
    return {
        (person_id, column): _mean(levels, link.activity, settings, scale)
        for column, link in columns.items()
        for person_id, levels in seen[link.activity_id].items()
    }


def own_pairs(session: Session, columns: dict[OwnColumn, ActivityLink]) -> set[Pair]:
    """The cells of these columns that are worth something: those of `own_values`, without what they are worth."""
    if not columns:
        return set()
    query = _newest_levels({link.activity_id for link in columns.values()}, None)
    seen = session.execute(query.with_only_columns(Assessment.activity_id, Assessment.person_id).distinct())
    people: dict[int, list[int]] = defaultdict(list)
    for activity_id, person_id in seen:
        people[activity_id].append(person_id)
    return {(person, column) for column, link in columns.items() for person in people[link.activity_id]}


def _mean(
    levels: list[tuple[FrameworkItem, int]], activity: Activity, settings: GradebookSettings, scale: Scale
) -> Worth:
    total = sum((points(level, activity.complexity, settings) for _item, level in levels), Decimal(0))
    spoken = [(item.code, level) for item, level in levels]
    return Worth(
        (total / len(levels)).quantize(CENTS, ROUND_HALF_UP),
        column_maximum(settings),
        None,
        activity_comment(spoken, activity.complexity, scale),
    )


def _levels(
    session: Session, course: Course, activity_ids: set[int], people: Collection[int] | None
) -> dict[int, dict[int, list[tuple[FrameworkItem, int]]]]:
    """The levels seen in activities, by activity then person, in the order of the competences."""
    seen: dict[int, dict[int, list[tuple[FrameworkItem, int]]]] = defaultdict(lambda: defaultdict(list))
    if not activity_ids:
        return seen
    rows = session.execute(_newest_levels(activity_ids, people)).all()
    for activity_id, person_id, level, item in sorted(rows, key=lambda row: place(course, row[3])):
        seen[activity_id][person_id].append((item, level or 0))
    return seen


def _newest_levels(
    activity_ids: set[int], people: Collection[int] | None
) -> sa.Select[int, int, int | None, FrameworkItem]:
    of_people = [] if people is None else [Assessment.person_id.in_(people)]
    newest = newest_ids(Assessment.activity_id.in_(activity_ids), *of_people)
    return (
        sa.select(Assessment.activity_id, Assessment.person_id, Assessment.level, FrameworkItem)
        .join(FrameworkItem, FrameworkItem.id == Assessment.item_id)
        # What the activity no longer mobilises is not seen in it any more.
        .join(
            ActivityCompetence,
            sa.and_(
                ActivityCompetence.activity_id == Assessment.activity_id,
                ActivityCompetence.item_id == Assessment.item_id,
            ),
        )
        .where(Assessment.id.in_(newest), Assessment.level.is_not(None))
    )
