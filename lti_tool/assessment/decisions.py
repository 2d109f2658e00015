"""What teachers decided: positions retained in place of proposed ones, and the policy of a course.

Decisions are only added: the newest of a pupil and a competence counts, and one without a level takes back those
before it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import sqlalchemy as sa
from sqlalchemy.orm import Session, joinedload

from .mastery import TARGET, Position
from .models import Decision, PolicySettings
from .policies import Policy


@dataclass(frozen=True)
class CourseRule:
    """How positions are worked out in a course: its policy, its scale's target, and what its teachers retained."""

    policy: Policy = field(default_factory=Policy)
    decisions: Mapping[tuple[int, int], Decision] = field(default_factory=dict)
    """The standing decisions, by (person, competence)."""
    target: int = TARGET


def policy_of(session: Session, course_id: int) -> Policy:
    """The policy of a course: *spirale* when nobody chose."""
    found = session.get(PolicySettings, course_id, populate_existing=True)
    if found is None:
        return Policy()
    return Policy(found.policy, found.minimum, found.times, found.weight)


def rule_of(
    session: Session,
    course_id: int,
    *,
    target: int,
    person_ids: Iterable[int] | None = None,
    item_ids: Iterable[int] | None = None,
) -> CourseRule:
    """The rule of a course, with the decisions about these people and competences: all of them by default."""
    decisions = standing_decisions(session, course_id, person_ids=person_ids, item_ids=item_ids)
    return CourseRule(policy_of(session, course_id), decisions, target)


def standing_decisions(
    session: Session,
    course_id: int,
    *,
    person_ids: Iterable[int] | None = None,
    item_ids: Iterable[int] | None = None,
) -> dict[tuple[int, int], Decision]:
    """The newest decision of each (person, competence), where it was not taken back."""
    conditions = [Decision.course_id == course_id]
    if person_ids is not None:
        conditions.append(Decision.person_id.in_(list(person_ids)))
    if item_ids is not None:
        conditions.append(Decision.item_id.in_(list(item_ids)))
    newest = (
        sa.select(sa.func.max(Decision.id)).where(*conditions).group_by(Decision.person_id, Decision.item_id)
    )
    rows = session.scalars(
        sa.select(Decision)
        .where(Decision.id.in_(newest), Decision.level.is_not(None))
        .options(joinedload(Decision.decider))
    )
    return {(row.person_id, row.item_id): row for row in rows}


def retained_position(decision: Decision) -> Position:
    """The position that a teacher retained: nothing but its level at its complexity, and never provisional."""
    assert decision.level is not None
    assert decision.complexity is not None
    level, complexity = decision.level, decision.complexity
    return Position(level, complexity, provisional=False, levels={complexity: level}, counted=(), ignored=())
