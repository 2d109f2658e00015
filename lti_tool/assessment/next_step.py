"""What comes next for a pupil, chosen from where they stand. Pure: no database, no clock; words are the page's.

In this order: work that is near; saying where one stands after work just done; work that is further; a competence to
confirm, then one to take to a harder situation, then one never worked; a speciality never explored. It proposes, and
judges nothing: a level below the target and a provisional one are the same step, one more turn.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

from .mastery import COMPLEXITIES

NEAR = timedelta(days=14)
"""Work that begins within so many days comes before everything else."""
FRESH = timedelta(days=30)
"""Work older than that is no longer asked about."""


class Step(StrEnum):
    """What a next step is about."""

    WORK = "work"
    SAY = "say"
    MORE = "more"
    HARDER = "harder"
    FIRST = "first"
    EXPLORE = "explore"
    GO_ON = "go_on"


@dataclass(frozen=True)
class Standing:
    """Where a pupil stands in a competence they worked."""

    reached: bool
    """Whether the level is the target or better."""
    complexity: int
    provisional: bool
    worked_on: date


@dataclass(frozen=True)
class Work:
    """An activity: its days, its complexity, and the competences it mobilises, in order."""

    activity_id: int
    starts_on: date
    ends_on: date
    complexity: int
    competences: tuple[int, ...]


@dataclass(frozen=True)
class NextStep:
    """The step; what it is about is 0 or empty where it says nothing of it."""

    step: Step
    competence: int = 0
    complexity: int = 0
    activity_id: int = 0
    speciality: str = ""


def choose_step(
    competences: Sequence[int],
    standings: Mapping[int, Standing],
    coming: Sequence[Work],
    unsaid: Sequence[Work],
    unexplored: Sequence[str],
    today: date,
) -> NextStep:
    """The next step of a pupil.

    `competences` in the order of the course; `coming`: work to do; `unsaid`: work done with, of each, the competences
    in which the pupil has said nothing of themselves since.
    """
    ahead = sorted(
        (w for w in coming if w.ends_on >= today and w.competences),
        key=lambda w: (w.starts_on, w.activity_id),
    )
    near = [work for work in ahead if work.starts_on <= today + NEAR]
    if near:
        return _of_work(near[0], standings)
    fresh = [w for w in unsaid if w.competences and today - FRESH <= w.ends_on <= today]
    if fresh:
        last = max(fresh, key=lambda w: (w.ends_on, w.activity_id))
        return NextStep(Step.SAY, last.competences[0], last.complexity, last.activity_id)
    if ahead:
        return _of_work(ahead[0], standings)
    return _of_standing(competences, standings, unexplored)


def _of_work(work: Work, standings: Mapping[int, Standing]) -> NextStep:
    """The competence that the work takes furthest: one never worked, else one it makes climb, else its first."""

    def gain(item: int) -> int:
        known = standings.get(item)
        if known is None:
            return 3
        climbs = known.reached and work.complexity > known.complexity
        return 2 if climbs else int(known.provisional or not known.reached)

    best = max(work.competences, key=gain)  # the first of those that gain as much
    return NextStep(Step.WORK, best, work.complexity, work.activity_id)


def _of_standing(
    competences: Sequence[int], standings: Mapping[int, Standing], unexplored: Sequence[str]
) -> NextStep:
    known = [(item, standings[item]) for item in competences if item in standings]
    unsure = [(item, s) for item, s in known if s.provisional or not s.reached]
    if unsure:
        item, standing = min(unsure, key=lambda pair: pair[1].worked_on)
        return NextStep(Step.MORE, item, standing.complexity)
    climbing = [(item, s) for item, s in known if s.complexity < max(COMPLEXITIES)]
    if climbing:
        item, standing = min(climbing, key=lambda pair: (pair[1].complexity, pair[1].worked_on))
        return NextStep(Step.HARDER, item, standing.complexity + 1)
    never = [item for item in competences if item not in standings]
    if never:
        return NextStep(Step.FIRST, never[0])
    if unexplored:
        return NextStep(Step.EXPLORE, speciality=unexplored[0])
    return NextStep(Step.GO_ON)
