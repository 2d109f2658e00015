"""The class at a glance: what turns add up to, pupil by pupil and competence by competence."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from ..activities.models import Activity
from ..courses.people import Pupil
from .decisions import CourseRule, retained_position
from .entries import Observation
from .mastery import Position, Turn
from .models import Decision
from .policies import Policy, propose_by
from .scales import LEVELS


@dataclass(frozen=True)
class Mastery:
    """One competence of one pupil: the position that counts and the turns it comes from, newest first."""

    position: Position
    """What a teacher retained, else what is proposed."""
    turns: tuple[Observation, ...]
    proposed: Position
    policy: Policy
    """The policy that proposed it."""
    decision: Decision | None = None
    """The teacher's, where there is one."""

    @property
    def retained(self) -> bool:
        return self.decision is not None

    @property
    def seen_entry_id(self) -> int:
        """The newest entry among those that make its turns."""
        return max(turn.entry_id for turn in self.turns)

    @property
    def to_review(self) -> bool:
        """Whether a turn was entered, or entered again, after the teacher decided."""
        return self.decision is not None and self.seen_entry_id > self.decision.seen_entry_id


@dataclass(frozen=True)
class Filter:
    """Which turns count, and which positions are shown; the default is everything."""

    since: date | None = None
    until: date | None = None
    """The last day, included."""
    speciality: str = ""
    complexity: int = 0
    purpose: str = ""
    group_id: int = 0
    """Only the pupils of that group are listed; every position stays."""
    provisional: bool = False
    to_review: bool = False
    """Only provisional positions, only those to review, or both kinds: they hide the others, and change none."""

    @property
    def narrows(self) -> bool:
        """Whether some turns are left out, so that positions may differ from those of the whole year."""
        return bool(self.since or self.until or self.speciality or self.complexity or self.purpose)

    @property
    def hides(self) -> bool:
        """Whether some positions are hidden."""
        return self.provisional or self.to_review

    def keeps(self, observation: Observation) -> bool:
        activity = observation.activity
        return (
            (self.since is None or activity.starts_on >= self.since)
            and (self.until is None or activity.starts_on <= self.until)
            and (not self.speciality or self.speciality in activity.specialities)
            and (not self.complexity or activity.complexity == self.complexity)
            and (not self.purpose or activity.purpose == self.purpose)
        )

    def shows(self, mastery: Mastery) -> bool:
        return (
            not self.hides
            or (self.provisional and mastery.position.provisional)
            or (self.to_review and mastery.to_review)
        )


@dataclass(frozen=True)
class Order:
    """How the rows follow one another: by name, or by the level shown in a competence."""

    item_id: int | None = None
    descending: bool = False


@dataclass(frozen=True)
class Row:
    """A pupil, and one cell per competence: None where never worked."""

    pupil: Pupil
    cells: list[Mastery | None]

    def by(self, columns: Iterable[Any]) -> Iterable[tuple[Any, Mastery | None]]:
        """Its cells, each with its column."""
        return zip(columns, self.cells, strict=True)


@dataclass(frozen=True)
class Overview:
    """The table of a class. `counts[i]` says how many shown positions of competence i are at levels 1, 2, 3, 4."""

    rows: list[Row]
    counts: list[list[int]]
    situations: int
    """How many activities gave at least one of the turns that count."""
    to_review: int
    """How many of all positions are to review, whatever is shown."""


def overview(
    pupils: Iterable[Pupil],
    item_ids: list[int],
    found: Iterable[Observation],
    wanted: Filter | None = None,
    *,
    rule: CourseRule,
    order: Order | None = None,
) -> Overview:
    """The table of pupils × competences. `pupils` come by name, those of the wanted group only.

    Where positions are hidden, pupils who have none left to show are left out.

    A filter that narrows asks what some of the turns say: what teachers retained, of all of them, is not applied.
    """
    wanted = wanted or Filter()
    if wanted.narrows:
        rule = replace(rule, decisions={})
    people = list(pupils)
    ids, columns = {pupil.person_id for pupil in people}, set(item_ids)
    kept = [o for o in found if o.person_id in ids and o.item_id in columns and wanted.keeps(o)]
    masteries = by_pair(kept, rule)
    rows = [
        Row(pupil, [masteries.get((pupil.person_id, item_id)) for item_id in item_ids]) for pupil in people
    ]
    if wanted.hides:
        rows = [row for row in rows if any(cell and wanted.shows(cell) for cell in row.cells)]
    counts = [
        _count([row.cells[i] for row in rows if row.cells[i] is not None], wanted)
        for i in range(len(item_ids))
    ]
    to_review = sum(mastery.to_review for mastery in masteries.values())
    return Overview(
        _ordered(rows, item_ids, order or Order(), wanted),
        counts,
        len({o.activity.id for o in kept}),
        to_review,
    )


def _ordered(rows: list[Row], item_ids: list[int], order: Order, wanted: Filter) -> list[Row]:
    """The rows in order. Whoever shows no level in the competence comes last, both ways; equals stay by name."""
    if order.item_id not in item_ids:
        return rows[::-1] if order.descending else rows
    column = item_ids.index(order.item_id)

    def cell(row: Row) -> Mastery | None:
        found = row.cells[column]
        return found if found is not None and wanted.shows(found) else None

    def step(row: Row) -> tuple[int, int]:
        found = cell(row)
        return (found.position.level, found.position.complexity) if found else (0, 0)

    seen = [row for row in rows if cell(row) is not None]
    return [*sorted(seen, key=step, reverse=order.descending), *(row for row in rows if cell(row) is None)]


def by_pair(found: Iterable[Observation], rule: CourseRule) -> dict[tuple[int, int], Mastery]:
    """The position that counts, by (person, competence), where something was observed.

    `rule` is the course's (`decisions.rule_of`): the position is the one a teacher retained, else the proposed one.
    """
    groups: dict[tuple[int, int], list[Observation]] = {}
    for observation in found:
        groups.setdefault((observation.person_id, observation.item_id), []).append(observation)
    # Thousands of observations, of some dozens of situations at four levels: each kind of turn is made once.
    # By the activity itself: its number is asked of the session each time, tens of thousands of times.
    turn_of: dict[tuple[Activity, int], Turn] = {}
    age_of: dict[Activity, tuple[date, int, int]] = {}
    masteries = {}
    for pair, seen in groups.items():
        for o in seen:
            if (o.activity, o.level) not in turn_of:
                turn_of[o.activity, o.level], age_of[o.activity] = o.turn, _age(o)
        proposed = propose_by(rule.policy, [turn_of[o.activity, o.level] for o in seen], target=rule.target)
        if proposed is not None:
            decision = rule.decisions.get(pair)
            position = retained_position(decision) if decision else proposed
            turns = tuple(sorted(seen, key=lambda o: age_of[o.activity], reverse=True))
            masteries[pair] = Mastery(position, turns, proposed, rule.policy, decision)
    return masteries


def months(found: Iterable[Observation]) -> list[date]:
    """The months in which something was worked, oldest first, each as its first day."""
    activities = {observation.activity for observation in found}
    return sorted({activity.starts_on.replace(day=1) for activity in activities})


def _age(observation: Observation) -> tuple[date, int, int]:
    activity = observation.activity
    return activity.starts_on, activity.complexity, activity.id


def _count(cells: list[Mastery | None], wanted: Filter) -> list[int]:
    levels = [cell.position.level for cell in cells if cell is not None and wanted.shows(cell)]
    return [levels.count(level) for level in LEVELS]
