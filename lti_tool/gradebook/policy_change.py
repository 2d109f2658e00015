"""Changing the policy of a course: what it would change, and then changing it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from ..assessment.decisions import policy_of, rule_of
from ..assessment.entries import observations
from ..assessment.mastery import Position
from ..assessment.models import PolicySettings
from ..assessment.overview import by_pair
from ..assessment.policies import Policy
from ..assessment.scales import scale_of
from ..courses.models import Course, Enrolment
from ..courses.roster import pupils_query
from ..db import insert_missing
from .models import ScoreDelivery
from .scores import hold_course, queue_all, worths_of
from .worths import settings_of


@dataclass(frozen=True)
class Change:
    """A position that would be another: a level or a complexity that differs."""

    person_id: int
    item_id: int
    before: Position
    after: Position


@dataclass(frozen=True)
class PolicyPreview:
    """What a policy would change for the pupils of a course. What teachers retained stays."""

    changes: list[Change]
    grades: int
    """Scores of competences whose value or comment would differ."""
    retained: int
    """Positions that stay because a teacher retained them."""


def preview_policy(session: Session, course: Course, policy: Policy) -> PolicyPreview:
    """What would change if a course took this policy. Nothing is written."""
    people = set(session.scalars(pupils_query(course.id).with_only_columns(Enrolment.person_id)))
    found = observations(session, course.id, person_ids=people, dated_only=True)
    scale = scale_of(course)
    rule = rule_of(session, course.id, target=scale.target, person_ids=people)
    before, after = by_pair(found, rule), by_pair(found, replace(rule, policy=policy))
    changes = [
        Change(*pair, mastery.position, after[pair].position)
        for pair, mastery in before.items()
        if _place(mastery.position) != _place(after[pair].position)
    ]
    # An activity's own column holds the mean of what was seen there, whatever the policy.
    settings = settings_of(session, course.id)
    worth, would_be = (worths_of(masteries, settings, scale).values for masteries in (before, after))
    grades = sum(would_be[pair] != value for pair, value in worth.items())
    return PolicyPreview(changes, grades, sum(mastery.retained for mastery in before.values()))


def change_policy(session: Session, course: Course, policy: Policy, now: datetime) -> list[ScoreDelivery]:
    """Give a course a policy, and write the scores that it changes, in the caller's write transaction."""
    hold_course(session, course.id)
    insert_missing(session, PolicySettings, course_id=course.id)
    session.execute(
        sa.update(PolicySettings)
        .where(PolicySettings.course_id == course.id)
        .values(policy=policy.name, minimum=policy.minimum, times=policy.times, weight=policy.weight)
    )
    assert policy_of(session, course.id) == policy
    return queue_all(session, course, now)


def _place(position: Position) -> tuple[int, int]:
    return position.level, position.complexity
