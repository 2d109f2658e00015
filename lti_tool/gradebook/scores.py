"""From observations to scores: what is sent for a pupil and a competence, written with the assessment."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session

from ..assessment.decisions import rule_of
from ..assessment.entries import observations
from ..assessment.overview import by_pair
from ..assessment.scales import scale_of
from ..courses.models import Course, Enrolment
from ..courses.roster import pupils_query
from ..lti.ags import SCOPE_LINEITEM, SCOPE_SCORE
from .models import OPEN, PERHAPS_TAKEN, WITHDRAWN, ColumnOf, DeliveryState, OwnColumn, Pair, ScoreDelivery
from .own_columns import own_columns, own_values
from .worths import POINTS_MAXIMUM, Worth, settings_of, worth

BETWEEN_SCORES = timedelta(seconds=1)
"""Moodle compares whole seconds and refuses an equal one (docs/platforms.md)."""


def can_send(course: Course) -> bool:
    """Whether the platform lets us keep a column per competence in this course."""
    return bool(course.lineitems_url) and {SCOPE_LINEITEM, SCOPE_SCORE} <= set(course.ags_scopes)


def queue_scores(
    session: Session, course: Course, pairs: Iterable[tuple[int, int]], now: datetime
) -> list[ScoreDelivery]:
    """Write the deliveries that changed (person, competence) pairs call for, in the transaction of the change.

    Those of activities' own columns are written with them. Nothing is written where the score is what was last sent
    or is on its way, or for somebody who left.
    """
    hold_course(session, course.id)
    if not settings_of(session, course.id).sending:
        return []
    pupils = set(session.scalars(pupils_query(course.id).with_only_columns(Enrolment.person_id)))
    asked = [pair for pair in dict.fromkeys(pairs) if pair[0] in pupils]
    people = list(dict.fromkeys(person_id for person_id, _item in asked))
    own: list[Pair] = [(person_id, column) for column in own_columns(session, course) for person_id in people]
    competences: list[Pair] = list(asked) if can_send(course) else []
    return _queue(session, course, competences + own, now)


def queue_own_column(session: Session, course: Course, link_id: int, now: datetime) -> list[ScoreDelivery]:
    """Write the scores of a link's column: the platform has just said where it is, or a teacher what goes there.

    What still waits for a column that gets nothing any more is taken back.
    """
    hold_course(session, course.id)
    column = OwnColumn(link_id)
    if not settings_of(session, course.id).sending:
        return []
    pupils = session.scalars(pupils_query(course.id).with_only_columns(Enrolment.person_id))
    return _queue(session, course, [(person_id, column) for person_id in pupils], now)


def _queue(session: Session, course: Course, wanted: list[Pair], now: datetime) -> list[ScoreDelivery]:
    if not wanted:
        return []
    values = current_values(session, course, wanted)
    cells = _cells(session, course.id, wanted)
    written = []
    for pair in wanted:
        value = values.get(pair)
        if _leaves_something(cells[pair], value, now):
            assert value is not None
            written.append(_new_delivery(course.id, pair, cells[pair], value, now))
    session.flush()  # what was replaced gives up its place before the new ones take it
    session.add_all(written)
    session.flush()
    return written


def queue_all(session: Session, course: Course, now: datetime) -> list[ScoreDelivery]:
    """Write the deliveries of a whole course: after its conversion changed, or sending was switched on."""
    pairs = {(o.person_id, o.item_id) for o in observations(session, course.id)}
    waiting = session.execute(
        sa.select(ScoreDelivery.person_id, ScoreDelivery.item_id).where(
            ScoreDelivery.course_id == course.id,
            ScoreDelivery.item_id.is_not(None),
            ScoreDelivery.state.in_(OPEN),
        )
    )
    return queue_scores(session, course, sorted(pairs | {(p, i) for p, i in waiting if i is not None}), now)


def withdraw_waiting(session: Session, course: Course, now: datetime) -> None:
    """Take back every score that has not left: sending was switched off."""
    hold_course(session, course.id)
    session.execute(
        sa.update(ScoreDelivery)
        .where(ScoreDelivery.course_id == course.id, ScoreDelivery.state == DeliveryState.WAITING)
        .values(state=DeliveryState.REPLACED, done_at=now)
    )
    session.execute(
        sa.update(ScoreDelivery)
        .where(ScoreDelivery.course_id == course.id, ScoreDelivery.state == DeliveryState.SENDING)
        .values(reason=WITHDRAWN)
    )


def clear_score(
    session: Session, course: Course, person_id: int, column: ColumnOf, now: datetime
) -> ScoreDelivery:
    """Write the delivery that empties a grade: asked for by a teacher, never by itself."""
    hold_course(session, course.id)
    cell = _cells(session, course.id, [(person_id, column)])[person_id, column]
    maximum = cell.newest.maximum if cell.newest else POINTS_MAXIMUM
    return _write(
        session, course.id, (person_id, column), cell, Worth(None, maximum, None, ""), now, forced=True
    )


def send_again(
    session: Session, course: Course, pairs: Iterable[Pair], now: datetime, *, forced: bool = False
) -> list[ScoreDelivery]:
    """Write new deliveries for pairs whose last one has ended; `forced` sends them over a change made by hand.

    What is sent is what they are worth now. A pair that is worth nothing any more, or has something open, is left
    alone.
    """
    hold_course(session, course.id)
    allowed = can_send(course)
    pairs = [pair for pair in dict.fromkeys(pairs) if allowed or isinstance(pair[1], OwnColumn)]
    if not pairs or not settings_of(session, course.id).sending:
        return []
    values = current_values(session, course, pairs)
    cells = _cells(session, course.id, pairs)
    written = []
    for pair in pairs:
        current = cells[pair].current
        if pair in values and current is not None and current.state not in OPEN:
            written.append(_new_delivery(course.id, pair, cells[pair], values[pair], now, forced=forced))
    session.add_all(written)
    session.flush()
    return written


def hold_course(session: Session, course_id: int) -> None:
    """Wait for whoever else writes grades of this course, and make later ones wait until the commit.

    Without it two teachers who assess the same pupil at once would each miss the other's entry (PostgreSQL; SQLite
    has one writer anyway).
    """
    query = sa.select(Course.id).where(Course.id == course_id).with_for_update(key_share=True)
    session.execute(query)


def current_values(
    session: Session, course: Course, pairs: Iterable[Pair] | None = None
) -> dict[Pair, Worth]:
    """What each cell is worth now: the position that counts there; those with too few observations are absent."""
    settings, scale = settings_of(session, course.id), scale_of(course)
    people = items = None
    own = own_columns(session, course)
    if pairs is not None:
        pairs = list(pairs)
        people, items = {p for p, _c in pairs}, {c for _p, c in pairs if not isinstance(c, OwnColumn)}
        asked = {c for _p, c in pairs}
        own = {column: link for column, link in own.items() if column in asked}
    found = observations(session, course.id, person_ids=people, item_ids=items)
    rule = rule_of(session, course.id, target=scale.target, person_ids=people, item_ids=items)
    values = own_values(session, course, own, settings, scale, people)
    for pair, mastery in by_pair(found, rule).items():
        if len(mastery.turns) >= settings.minimum:
            values[pair] = worth(mastery, settings, scale)
    return values


# ----- what is known of a cell of the gradebook -----


@dataclass
class Cell:
    """The deliveries that matter for one person and one column."""

    newest: ScoreDelivery | None = None
    """Of any state: the next one is stamped after it."""
    current: ScoreDelivery | None = None
    """The last word: the newest that nothing replaced."""
    before: ScoreDelivery | None = None
    """The newest that left, or ended otherwise: the last word if what waits is taken back."""


def _cells(session: Session, course_id: int, pairs: list[Pair]) -> dict[Pair, Cell]:
    """The cells of these pairs, their deliveries held until the commit (in the order the worker holds them)."""
    people = {person_id for person_id, _column in pairs}
    links = {column.link_id for _person, column in pairs if isinstance(column, OwnColumn)}
    items = {column for _person, column in pairs if not isinstance(column, OwnColumn)}
    mine = (
        ScoreDelivery.course_id == course_id,
        ScoreDelivery.person_id.in_(people),
        sa.or_(ScoreDelivery.item_id.in_(items), ScoreDelivery.link_id.in_(links)),
    )
    conditions = (
        (),
        (ScoreDelivery.state != DeliveryState.REPLACED,),
        (ScoreDelivery.state.not_in((DeliveryState.REPLACED, DeliveryState.WAITING)),),
    )
    ids = sa.union(
        *(
            sa.select(sa.func.max(ScoreDelivery.id))
            .where(*mine, *more)
            .group_by(ScoreDelivery.person_id, ScoreDelivery.item_id, ScoreDelivery.link_id)
            for more in conditions
        )
    )
    rows = session.scalars(
        sa.select(ScoreDelivery)
        .where(ScoreDelivery.id.in_(ids))
        .order_by(ScoreDelivery.id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    cells = {pair: Cell() for pair in pairs}
    for row in rows:
        cell = cells.get(row.pair)
        if cell is None:
            continue
        cell.newest = row
        if row.state is not DeliveryState.REPLACED:
            cell.current = row
            if row.state is not DeliveryState.WAITING:
                cell.before = row
    return cells


def _leaves_something(cell: Cell, value: Worth | None, now: datetime) -> bool:
    """Whether a new delivery is called for. What waits in vain is taken back here."""
    current = cell.current
    if current is None:
        return value is not None
    if value is None:
        # Nothing is left to send. A score that has not left stays here; one that was sent is cleared by a teacher.
        _take_back(current, now)
        return False
    if _carries(current, value):
        if current.state is DeliveryState.SENDING and current.reason == WITHDRAWN:
            current.reason = ""
        return False
    same_level = current.level == value.level and value.level is not None
    if current.state is DeliveryState.KEPT and same_level:
        return False  # the teacher chose the LMS's value over this very level
    untried = current.state is DeliveryState.WAITING and current.reason not in PERHAPS_TAKEN
    if untried and cell.before and cell.before.state is DeliveryState.SENT and _carries(cell.before, value):
        _take_back(current, now)
        return False
    return True


def _take_back(delivery: ScoreDelivery, now: datetime) -> None:
    if delivery.state is DeliveryState.WAITING:
        delivery.state, delivery.done_at = DeliveryState.REPLACED, now
    elif delivery.state is DeliveryState.SENDING:
        delivery.reason = WITHDRAWN


def _carries(delivery: ScoreDelivery, value: Worth) -> bool:
    carried = (delivery.score, delivery.maximum, delivery.comment)
    return carried == (value.score, value.maximum, value.comment)


def _write(
    session: Session,
    course_id: int,
    pair: Pair,
    cell: Cell,
    value: Worth,
    now: datetime,
    *,
    forced: bool = False,
) -> ScoreDelivery:
    delivery = _new_delivery(course_id, pair, cell, value, now, forced=forced)
    session.flush()
    session.add(delivery)
    session.flush()
    return delivery


def _new_delivery(
    course_id: int, pair: Pair, cell: Cell, value: Worth, now: datetime, *, forced: bool = False
) -> ScoreDelivery:
    """A delivery that takes the place of one that still waits. Its timestamp is pinned here."""
    if cell.current is not None and cell.current.state is DeliveryState.WAITING:
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
