"""Where a pupil stands in a competence, in words: proposed and why, retained by whom and why."""

from __future__ import annotations

from dataclasses import dataclass

from ..assessment.models import Decision
from ..assessment.overview import Mastery
from ..assessment.words import in_situation
from ..courses.people import staff_name
from ..frameworks.models import FrameworkItem
from .policy_words import policy_name
from .reasons import Reason, day_words, explain
from .shown import local_day


@dataclass(frozen=True)
class Retained:
    """A standing decision, in words."""

    answer: str
    """« 3 en situation variée »."""
    reason: str
    day: str
    by: str
    """Its teacher, for colleagues; empty once they were erased."""
    then: str
    """What was proposed when it was decided."""


@dataclass(frozen=True)
class Standing:
    """Where a pupil stands in a competence, as `_decision.html` shows it and lets a teacher decide."""

    person_id: int
    item: FrameworkItem
    mastery: Mastery
    reason: Reason
    """Why the proposed position is proposed."""
    policy: str
    retained: Retained | None
    back: str
    """What brings back where the teacher was: `sheet` or `overview`, then `?` and what was in the address."""


def standing(person_id: int, item: FrameworkItem, mastery: Mastery, back: str) -> Standing:
    """What a page shows of a position: retained, proposed, and the way to decide."""
    return Standing(
        person_id=person_id,
        item=item,
        mastery=mastery,
        reason=explain(mastery.proposed, mastery.policy),
        policy=policy_name(mastery.policy),
        retained=_words(mastery.decision) if mastery.decision else None,
        back=back,
    )


def position_words(level: int, complexity: int) -> str:
    """« 3 en situation variée »."""
    return f"{level} {in_situation()[complexity]}"


def _words(decision: Decision) -> Retained:
    assert decision.level is not None
    assert decision.complexity is not None
    return Retained(
        answer=position_words(decision.level, decision.complexity),
        reason=decision.reason,
        day=day_words(local_day(decision.decided_at)),
        by=staff_name(decision.decider) if decision.decider else "",
        then=position_words(decision.proposed_level or 0, decision.proposed_complexity or 1),
    )
