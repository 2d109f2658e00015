"""What would change in the gradebook, cell by cell, before it does; and « Publier », which sends what was seen."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

import sqlalchemy as sa
from sqlalchemy.orm import Session

from ..assessment.entries import Observation
from ..courses.models import Course, Enrolment, Role
from ..courses.roster import pupils_query
from .cells import Cell, Step, forget_past_year, is_of_a_past_year, new_delivery, next_step, read_all_cells
from .models import (
    OPEN,
    ColumnOf,
    DeliveryState,
    GradebookSettings,
    Mode,
    OwnColumn,
    Pair,
    ScoreDelivery,
)
from .scores import can_send, hold_course, read_worths
from .worths import Worth, settings_of


class Change(StrEnum):
    """What sending would do to a cell."""

    NEW = "new"
    CHANGED = "changed"
    UNCHANGED = "unchanged"
    CONFLICT = "conflict"
    """A new value, where the LMS was found to hold something put there by hand: decided cell by cell, never here."""
    BACK = "back"
    """Nothing is sent any more: what waits is taken back."""


SENT_BY = (Change.NEW, Change.CHANGED)


@dataclass(frozen=True)
class Line:
    """A cell of a plan."""

    pair: Pair
    change: Change
    value: Worth | None
    cell: Cell

    @property
    def sent(self) -> ScoreDelivery | None:
        """The last that the LMS took."""
        return self.cell.sent


@dataclass
class Plan:
    """What sending everything would do. Nothing is written."""

    lines: list[Line] = field(default_factory=list)
    values: dict[Pair, Worth] = field(default_factory=dict)
    """What everything is worth, of those who left too."""
    left: set[int] = field(default_factory=set)
    """People with something to send who are not in the course any more: nothing is."""
    too_few: set[Pair] = field(default_factory=set)
    """Cells with observations, but fewer than the course's minimum."""
    cells: dict[Pair, Cell] = field(default_factory=dict)
    """What was written for all cells of the course."""

    @property
    def counts(self) -> Counter[Change]:
        return Counter(line.change for line in self.lines)

    @property
    def to_send(self) -> list[Line]:
        return [line for line in self.lines if line.change in SENT_BY]


def plan_scores(
    session: Session,
    course: Course,
    settings: GradebookSettings | None = None,
    *,
    dropping: bool = False,
    hold: bool = False,
    found: list[Observation] | None = None,
) -> Plan:
    """What sending everything would do, now or with other `settings`.

    `dropping`: as if what waits had been taken back. `hold` keeps the cells until the commit. `found`: the turns of the
    course, where they were read already.
    """
    settings = settings or settings_of(session, course.id)
    pupils = set(session.scalars(pupils_query(course.id).with_only_columns(Enrolment.person_id)))
    sent_columns = can_send(course)
    worths = read_worths(session, course, settings=settings, found=found)
    everything = worths.values
    values = {
        pair: value for pair, value in everything.items() if sent_columns or isinstance(pair[1], OwnColumn)
    }
    cells = read_all_cells(session, course.id, hold=hold)
    left = _leavers(session, course, {p for p, _c in values} - pupils)
    plan = Plan(values=everything, left=left, cells=cells)
    if sent_columns:
        plan.too_few = {pair for pair in worths.too_few if pair[0] in pupils}
    opened = [pair for pair, cell in cells.items() if cell.current and cell.current.state in OPEN]
    for pair in dict.fromkeys((*values, *opened)):
        if pair[0] not in pupils:
            continue
        cell, value = cells.get(pair) or Cell(), values.get(pair)
        if is_of_a_past_year(cell, course.year_began_at, value):
            continue
        forget_past_year(cell, course.year_began_at)
        if dropping and cell.current is not None and cell.current.state is DeliveryState.WAITING:
            cell.current = cell.before
        change = _change(cell, value)
        if change is not None:
            plan.lines.append(Line(pair, change, value, cell))
    return plan


def _change(cell: Cell, value: Worth | None) -> Change | None:
    step, current, sent = next_step(cell, value), cell.current, cell.sent
    if step is Step.WRITE:
        if current is not None and current.state in (DeliveryState.CHANGED, DeliveryState.KEPT):
            return Change.CONFLICT
        return Change.NEW if sent is None or sent.score is None else Change.CHANGED
    if value is not None:
        return Change.UNCHANGED
    return Change.BACK if step is Step.TAKE_BACK else None


def _leavers(session: Session, course: Course, people: set[int]) -> set[int]:
    """Who of these people was a pupil: those who turned out to teach were never to be graded."""
    staff = sa.select(Enrolment.person_id).where(
        Enrolment.course_id == course.id, Enrolment.launched_as.in_((Role.TEACHER, Role.ASSESSOR))
    )
    return people - set(session.scalars(staff))


# ----- « Publier » -----


def fingerprint(value: Worth) -> str:
    """A short mark of exactly what is sent, so that a page can say what was seen."""
    exact = f"{value.score}|{value.maximum}|{value.comment}"
    return hashlib.sha256(exact.encode()).hexdigest()[:12]


Seen = Mapping[ColumnOf, Mapping[int, str]]
"""What a teacher saw before publishing: by column and person, the fingerprint of the value."""


@dataclass
class Published:
    """What became of what a teacher confirmed."""

    written: list[ScoreDelivery] = field(default_factory=list)
    already: int = 0
    """On their way or arrived: published by a colleague meanwhile, or by the same button pressed twice."""
    skipped: int = 0
    """Not what was seen: changed since, or come since. They stay to be published."""


def publish(session: Session, course: Course, seen: Seen, now: datetime) -> Published:
    """Write the deliveries of what was seen, in the columns that were chosen, and of nothing else."""
    hold_course(session, course.id)
    done = Published()
    if settings_of(session, course.id).mode != Mode.PUBLISH:
        return done
    asked = {(person, column): mark for column, people in seen.items() for person, mark in people.items()}
    for line in plan_scores(session, course, hold=True).lines:
        if line.pair[1] not in seen:
            continue
        mark = asked.pop(line.pair, None)
        same = line.value is not None and mark == fingerprint(line.value)
        if line.change in SENT_BY and line.value is not None and same:
            done.written.append(new_delivery(course.id, line.pair, line.cell, line.value, now))
        elif line.change in SENT_BY or (mark is not None and not same):
            done.skipped += 1
        elif mark is not None:
            done.already += 1
    done.skipped += len(asked)  # what was seen, and is worth nothing any more
    session.flush()  # what was replaced gives up its place before the new ones take it
    session.add_all(done.written)
    session.flush()
    return done
