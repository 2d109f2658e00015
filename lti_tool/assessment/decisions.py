"""What teachers decided: positions retained in place of proposed ones, and the policy of a course.

Decisions are only added: the newest of a pupil and a competence counts, and one without a level takes back those
before it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session, joinedload

from ..courses.models import Course, SchoolYear
from .mastery import TARGET, Position
from .models import Decision, PolicySettings
from .policies import Policy

LONGEST_REASON = 500


@dataclass(frozen=True)
class NewDecision:
    """What a teacher decided about one pupil and one competence; without a level, what was retained is taken back."""

    person_id: int
    item_id: int
    level: int | None
    complexity: int | None
    reason: str
    seen_entry_id: int
    """The newest entry the page showed: one that came meanwhile is still to be looked at."""


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
    year_id: int | None = None,
) -> CourseRule:
    """The rule of a course, with the decisions about these people and competences: all of them by default.

    As for `observations`, `year_id` asks for a year that is over.
    """
    decisions = standing_decisions(
        session, course_id, person_ids=person_ids, item_ids=item_ids, year_id=year_id
    )
    return CourseRule(policy_of(session, course_id), decisions, target)


def standing_decisions(
    session: Session,
    course_id: int,
    *,
    person_ids: Iterable[int] | None = None,
    item_ids: Iterable[int] | None = None,
    year_id: int | None = None,
) -> dict[tuple[int, int], Decision]:
    """The newest decision of each (person, competence), where it was not taken back.

    A school year begins without any: what was decided in the years before was about what was seen then.
    """
    conditions = [Decision.course_id == course_id, *_within_year(course_id, year_id)]
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


def _within_year(course_id: int, year_id: int | None) -> list[sa.ColumnElement[bool]]:
    """Decided in the present year of a course, or in one that is over."""
    if year_id is None:
        began_at = sa.select(Course.year_began_at).where(Course.id == course_id).scalar_subquery()
        return [sa.or_(began_at.is_(None), Decision.decided_at >= began_at)]
    closed_at = sa.select(SchoolYear.closed_at).where(SchoolYear.id == year_id).scalar_subquery()
    before = (
        sa.select(sa.func.max(SchoolYear.closed_at))
        .where(SchoolYear.course_id == course_id, SchoolYear.closed_at < closed_at)
        .scalar_subquery()
    )
    return [Decision.decided_at < closed_at, sa.or_(before.is_(None), Decision.decided_at >= before)]


def decide(
    session: Session, course_id: int, decider_id: int, new: NewDecision, proposed: Position, now: datetime
) -> Decision:
    """Add a decision, in the caller's write transaction, with what was proposed at that time.

    The caller holds the course, and has seen that no colleague decided since its page was shown.
    """
    added = Decision(
        course_id=course_id,
        person_id=new.person_id,
        item_id=new.item_id,
        level=new.level,
        complexity=new.complexity,
        reason=new.reason,
        proposed_level=proposed.level,
        proposed_complexity=proposed.complexity,
        seen_entry_id=new.seen_entry_id,
        decider_id=decider_id,
        decided_at=now,
    )
    session.add(added)
    session.flush()
    return added


def retained_position(decision: Decision) -> Position:
    """The position that a teacher retained: nothing but its level at its complexity, and never provisional."""
    assert decision.level is not None
    assert decision.complexity is not None
    level, complexity = decision.level, decision.complexity
    return Position(level, complexity, provisional=False, levels={complexity: level}, counted=(), ignored=())
