"""The cells of a gradebook: what was last written for a person and a column, and what a value calls for next."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum

import sqlalchemy as sa
from sqlalchemy.orm import Session

from .models import OPEN, WITHDRAWN, DeliveryState, OwnColumn, Pair, ScoreDelivery
from .worths import Worth

BETWEEN_SCORES = timedelta(seconds=1)
"""Moodle compares whole seconds and refuses an equal one (docs/platforms.md)."""


KINDS: tuple[tuple[sa.ColumnElement[bool], ...], ...] = (
    (),
    (ScoreDelivery.state != DeliveryState.REPLACED,),
    (ScoreDelivery.state.not_in((DeliveryState.REPLACED, DeliveryState.WAITING)),),
)
"""What `newest`, `current` and `before` are the newest of."""


@dataclass
class Cell:
    """The deliveries that matter for one person and one column."""

    newest: ScoreDelivery | None = None
    """Of any state: the next one is stamped after it."""
    current: ScoreDelivery | None = None
    """The last word: the newest that nothing replaced."""
    before: ScoreDelivery | None = None
    """The newest that left, or ended otherwise: the last word if what waits is taken back."""
    sent: ScoreDelivery | None = None
    """The newest that the LMS took. Like `taken`, of a whole course's cells only."""
    taken: ScoreDelivery | None = None
    """The newest that it took, or may have taken."""


class Step(Enum):
    """What a value calls for in its cell."""

    NONE = "none"
    WRITE = "write"
    """A new delivery."""
    TAKE_BACK = "take back"
    """What has not left, in vain."""
    RESUME = "resume"
    """What is on its way was withdrawn, and is wanted again."""


def read_cells(session: Session, course_id: int, pairs: list[Pair], *, hold: bool = True) -> dict[Pair, Cell]:
    """The cells of these pairs; `hold` keeps their deliveries until the commit, in the order the worker does."""
    people = {person_id for person_id, _column in pairs}
    links = {column.link_id for _person, column in pairs if isinstance(column, OwnColumn)}
    items = {column for _person, column in pairs if not isinstance(column, OwnColumn)}
    mine = (
        ScoreDelivery.course_id == course_id,
        ScoreDelivery.person_id.in_(people),
        sa.or_(ScoreDelivery.item_id.in_(items), ScoreDelivery.link_id.in_(links)),
    )
    ids = sa.union(*(newest_ids(*mine, *more) for more in KINDS))
    query = sa.select(ScoreDelivery).where(ScoreDelivery.id.in_(ids)).order_by(ScoreDelivery.id)
    rows = session.scalars(
        (query.with_for_update() if hold else query).execution_options(populate_existing=True)
    )
    cells = {pair: Cell() for pair in pairs}
    for row in rows:
        cell = cells.get(row.pair)
        if cell is not None:
            _note(cell, row)
    return cells


def read_all_cells(session: Session, course_id: int, *, hold: bool = False) -> dict[Pair, Cell]:
    """Every cell of a course that something was ever written for, in one query: a page of the course needs them all,
    and asks for each delivery once though it is the last word, the last sent and the newest at the same time.
    """
    mine = ScoreDelivery.course_id == course_id
    taken = sa.or_(ScoreDelivery.state == DeliveryState.SENT, ScoreDelivery.perhaps_taken)
    conditions = (*KINDS, (ScoreDelivery.state == DeliveryState.SENT,), (taken,))
    ids = sa.union(*(newest_ids(mine, *more) for more in conditions))
    query = sa.select(ScoreDelivery).where(ScoreDelivery.id.in_(ids)).order_by(ScoreDelivery.id)
    rows = session.scalars(
        (query.with_for_update() if hold else query).execution_options(populate_existing=True)
    )
    cells: dict[Pair, Cell] = {}
    for row in rows:
        pair = row.pair
        if (cell := cells.get(pair)) is None:
            cell = cells[pair] = Cell()
        _note(cell, row)
    return cells


def _note(cell: Cell, row: ScoreDelivery) -> None:
    """Put a delivery where it belongs in its cell; they come oldest first."""
    cell.newest, state = row, row.state
    if state is not DeliveryState.REPLACED:
        cell.current = row
        if state is not DeliveryState.WAITING:
            cell.before = row
    if state is DeliveryState.SENT:
        cell.sent = cell.taken = row
    elif row.perhaps_taken:
        cell.taken = row


def newest_ids(*conditions: sa.ColumnElement[bool]) -> sa.Select[int]:
    """The ids of the newest delivery of each cell among those that meet conditions."""
    newest = sa.select(sa.func.max(ScoreDelivery.id)).where(*conditions)
    return newest.group_by(ScoreDelivery.person_id, ScoreDelivery.item_id, ScoreDelivery.link_id)


def is_of_a_past_year(cell: Cell, began: datetime | None, value: Worth | None) -> bool:
    """Whether a cell holds only what was sent in a year that is over, and has nothing of the present one.

    That is left as it is, neither sent again nor taken back.
    """
    return value is None and cell.current is not None and _is_past(cell.current, began)


def forget_past_year(cell: Cell, began: datetime | None) -> None:
    """Leave out of a cell what ended in a year that is over: what the LMS took then no longer counts.

    A reset course emptied it. What is still open can be replaced, and stays.
    """
    if cell.before is not None and _is_past(cell.before, began):
        cell.before = None
    if cell.sent is not None and _is_past(cell.sent, began):
        cell.sent = None
    if cell.current is not None and cell.current.state not in OPEN and _is_past(cell.current, began):
        cell.current = None


def _is_past(delivery: ScoreDelivery, began: datetime | None) -> bool:
    return began is not None and delivery.created_at < began


def next_step(cell: Cell, value: Worth | None) -> Step:
    """What a value calls for in its cell. Nothing is changed here."""
    current = cell.current
    if current is None:
        return Step.NONE if value is None else Step.WRITE
    if value is None:
        # Nothing is left to send. A score that has not left stays here; one that was sent is cleared by a teacher, and
        # what a teacher clears is cleared, unless a level comes.
        return Step.TAKE_BACK if current.state in OPEN and current.score is not None else Step.NONE
    if current.state is DeliveryState.STOPPED:
        return Step.NONE  # whatever it is worth by now: a teacher says when it is sent again
    if _carries(current, value):
        withdrawn = current.state is DeliveryState.SENDING and current.reason == WITHDRAWN
        return Step.RESUME if withdrawn else Step.NONE
    same_level = current.level == value.level and value.level is not None
    if current.state is DeliveryState.KEPT and same_level:
        return Step.NONE  # the teacher chose the LMS's value over this very level
    untried = current.state is DeliveryState.WAITING and not current.perhaps_taken
    if untried and cell.before and cell.before.state is DeliveryState.SENT and _carries(cell.before, value):
        return Step.TAKE_BACK
    return Step.WRITE


def take_back(cell: Cell, now: datetime) -> None:
    """Keep what has not left from leaving; what is under way is not tried a second time."""
    delivery = cell.current
    if delivery is not None and delivery.state is DeliveryState.WAITING:
        delivery.state, delivery.done_at = DeliveryState.REPLACED, now
    elif delivery is not None and delivery.state is DeliveryState.SENDING:
        delivery.reason = WITHDRAWN


def _carries(delivery: ScoreDelivery, value: Worth) -> bool:
    carried = (delivery.score, delivery.maximum, delivery.comment)
    return carried == (value.score, value.maximum, value.comment)


def new_delivery(
    course_id: int, pair: Pair, cell: Cell, value: Worth, now: datetime, *, forced: bool = False
) -> ScoreDelivery:
    """A delivery that takes the place of one that still waits. Its timestamp is pinned here.

    To be added once what it replaces was flushed: the two never wait at once.
    """
    if cell.current is not None and cell.current.state is DeliveryState.WAITING:
        # Who chose to send over what was typed by hand chose it for what comes in its place too. To empty a grade is
        # another choice.
        forced |= cell.current.forced and cell.current.score is not None
        cell.current.state, cell.current.done_at = DeliveryState.REPLACED, now
    timestamp = _stamp(cell, now)
    person_id, column = pair
    return ScoreDelivery(
        course_id=course_id,
        person_id=person_id,
        item_id=None if isinstance(column, OwnColumn) else column,
        link_id=column.link_id if isinstance(column, OwnColumn) else None,
        score=value.score,
        maximum=value.maximum,
        level=value.level,
        comment=value.comment,
        timestamp=timestamp.replace(microsecond=timestamp.microsecond // 1000 * 1000),
        state=DeliveryState.WAITING,
        forced=forced,
        not_before=now,
        created_at=now,
    )


def _stamp(cell: Cell, now: datetime) -> datetime:
    """Now, or a second after the cell's newest delivery; after a clear, a second after the LMS took it."""
    if cell.newest is None:
        return now
    after = cell.newest.timestamp
    if cell.before and cell.before.score is None and cell.before.done_at:
        after = max(after, cell.before.done_at)
    return max(now, after + BETWEEN_SCORES)
