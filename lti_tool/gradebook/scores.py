"""From observations to scores: what is sent for a pupil and a competence, written with the assessment."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from ..assessment.decisions import rule_of
from ..assessment.entries import Observation, observations, pupils_among
from ..assessment.overview import Mastery, by_pair
from ..assessment.scales import Scale, scale_of
from ..courses.models import Course, Enrolment
from ..courses.roster import pupils_query
from ..lti.ags import SCOPE_LINEITEM, SCOPE_SCORE
from .cells import BETWEEN_SCORES as BETWEEN_SCORES
from .cells import Step, forget_past_year, is_of_a_past_year, new_delivery, next_step, read_cells, take_back
from .models import (
    OPEN,
    WITHDRAWN,
    ColumnOf,
    DeliveryState,
    GradebookSettings,
    Mode,
    OwnColumn,
    Pair,
    ScoreDelivery,
)
from .own_columns import own_columns, own_values
from .worths import POINTS_MAXIMUM, Conversions, Worth, settings_of


def can_send(course: Course) -> bool:
    """Whether the platform lets us keep a column per competence in this course."""
    return bool(course.lineitems_url) and {SCOPE_LINEITEM, SCOPE_SCORE} <= set(course.ags_scopes)


def queue_scores(
    session: Session, course: Course, pairs: Iterable[tuple[int, int]], now: datetime
) -> list[ScoreDelivery]:
    """Write the deliveries that changed (person, competence) pairs call for, in the transaction of the change.

    Those of activities' own columns are written with them. Nothing is written where the score is what was last sent
    or is on its way, or for somebody who left; nor at all in a course that sends on « Publier », where only what
    waits in vain is taken back.
    """
    hold_course(session, course.id)
    return _queue_pairs(session, course, pairs, now)


def queue_typed(
    session: Session,
    course: Course,
    activity_id: int,
    pairs: Iterable[tuple[int, int]],
    pupils: Collection[int],
    now: datetime,
) -> list[ScoreDelivery]:
    """The same for pairs that changed in one activity only, where the caller holds the course already.

    `pupils`: those of the course among the people of the pairs; nothing is written for the others.
    """
    return _queue_pairs(session, course, pairs, now, activity_id, pupils)


def _queue_pairs(
    session: Session,
    course: Course,
    pairs: Iterable[tuple[int, int]],
    now: datetime,
    activity_id: int | None = None,
    pupils: Collection[int] | None = None,
) -> list[ScoreDelivery]:
    settings = settings_of(session, course.id)
    if not settings.sending:
        return []
    asked = list(dict.fromkeys(pairs))
    if pupils is None:
        pupils = pupils_among(session, course.id, {person_id for person_id, _item in asked})
    asked = [pair for pair in asked if pair[0] in pupils]
    people = list(dict.fromkeys(person_id for person_id, _item in asked))
    columns = own_columns(session, course, activity_id)
    own: list[Pair] = [(person_id, column) for column in columns for person_id in people]
    competences: list[Pair] = list(asked) if can_send(course) else []
    return _queue(session, course, competences + own, settings, now)


def queue_own_column(session: Session, course: Course, link_id: int, now: datetime) -> list[ScoreDelivery]:
    """Write the scores of a link's column: the platform has just said where it is, or a teacher what goes there.

    What still waits for a column that gets nothing any more is taken back.
    """
    hold_course(session, course.id)
    column = OwnColumn(link_id)
    settings = settings_of(session, course.id)
    if not settings.sending:
        return []
    pupils = session.scalars(pupils_query(course.id).with_only_columns(Enrolment.person_id))
    return _queue(session, course, [(person_id, column) for person_id in pupils], settings, now)


def _queue(
    session: Session, course: Course, wanted: list[Pair], settings: GradebookSettings, now: datetime
) -> list[ScoreDelivery]:
    if not wanted:
        return []
    automatic = settings.mode == Mode.AUTOMATIC
    values = current_values(session, course, wanted, settings)
    cells = read_cells(session, course.id, wanted)
    written = []
    for pair in wanted:
        cell, value = cells[pair], values.get(pair)
        if is_of_a_past_year(cell, course.year_began_at, value):
            continue
        forget_past_year(cell, course.year_began_at)
        step = next_step(cell, value)
        if step is Step.TAKE_BACK:
            take_back(cell, now)
        elif step is Step.RESUME and automatic and cell.current:
            cell.current.reason = ""
        elif step is Step.WRITE and automatic and value:
            written.append(new_delivery(course.id, pair, cell, value, now))
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
    """Take back every score that has not left: nothing is sent any more, or once it was published."""
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
    pair = (person_id, column)
    cell = read_cells(session, course.id, [pair])[pair]
    maximum = cell.newest.maximum if cell.newest else POINTS_MAXIMUM
    delivery = new_delivery(course.id, pair, cell, Worth(None, maximum, None, ""), now, forced=True)
    session.flush()
    session.add(delivery)
    session.flush()
    return delivery


def send_again(
    session: Session,
    course: Course,
    pairs: Iterable[Pair],
    now: datetime,
    *,
    forced: bool = False,
    stopped: bool = False,
    as_written: bool = False,
) -> list[ScoreDelivery]:
    """Write new deliveries for pairs whose last one has ended; `forced` sends them over a change made by hand.

    What is sent is what they are worth now, or exactly what was written last (`as_written`). A pair that is worth
    nothing any more, or has something open, is left alone; so is one that a teacher stopped, unless `stopped`.
    """
    hold_course(session, course.id)
    allowed = can_send(course)
    pairs = [pair for pair in dict.fromkeys(pairs) if allowed or isinstance(pair[1], OwnColumn)]
    if not pairs or not settings_of(session, course.id).sending:
        return []
    values = current_values(session, course, pairs)
    cells = read_cells(session, course.id, pairs)
    written = []
    for pair in pairs:
        cell = cells[pair]
        forget_past_year(cell, course.year_began_at)
        current, value = cell.current, values.get(pair)
        if current is None or current.state in OPEN or value is None:
            continue
        if current.state is DeliveryState.STOPPED and not stopped:
            continue
        if as_written:
            if current.score is None:
                continue  # it was emptied
            value = Worth(current.score, current.maximum, current.level, current.comment)
        written.append(new_delivery(course.id, pair, cell, value, now, forced=forced))
    session.add_all(written)
    session.flush()
    return written


def hold_course(session: Session, course_id: int) -> None:
    """Wait for whoever else writes grades of this course, and make later ones wait until the commit.

    Without it two teachers who assess the same pupil at once would each miss the other's entry. SQLite has one writer
    anyway: whoever writes.
    """
    if session.get_bind().dialect.name != "sqlite":
        query = sa.select(Course.id).where(Course.id == course_id).with_for_update(key_share=True)
        session.execute(query)


def current_values(
    session: Session,
    course: Course,
    pairs: Iterable[Pair] | None = None,
    settings: GradebookSettings | None = None,
) -> dict[Pair, Worth]:
    """What each cell is worth now, or would be with other `settings`: by the position that counts there.

    Those with too few observations are absent, and those of competences that are not sent.
    """
    return read_worths(session, course, pairs, settings).values


@dataclass
class Worths:
    """What cells are worth, and which have observations but fewer than the course's minimum."""

    values: dict[Pair, Worth]
    too_few: set[Pair] = field(default_factory=set)


def read_worths(
    session: Session,
    course: Course,
    pairs: Iterable[Pair] | None = None,
    settings: GradebookSettings | None = None,
    *,
    found: list[Observation] | None = None,
) -> Worths:
    """`current_values`, and the cells that are worth nothing yet; `found` where the turns were read already."""
    settings, scale = settings or settings_of(session, course.id), scale_of(course)
    people = items = None
    if pairs is not None:
        pairs = list(pairs)
        people, items = {p for p, _c in pairs}, {c for _p, c in pairs if not isinstance(c, OwnColumn)}
        asked = {c for _p, c in pairs if isinstance(c, OwnColumn)}
        # Most courses have none, and a keystroke asks for nothing that it does not need.
        known = own_columns(session, course) if asked else {}
        own = {column: link for column, link in known.items() if column in asked}
    else:
        own = own_columns(session, course)
    if found is None:
        found = observations(session, course.id, person_ids=people, item_ids=items, dated_only=True)
    rule = rule_of(session, course.id, target=scale.target, person_ids=people, item_ids=items)
    worths = worths_of(by_pair(found, rule), settings, scale)
    worths.values |= own_values(session, course, own, settings, scale, people)
    return worths


def worths_of(
    masteries: Mapping[tuple[int, int], Mastery], settings: GradebookSettings, scale: Scale
) -> Worths:
    """What positions are worth, in the competences that are sent."""
    conversions, worths = Conversions(settings, scale), Worths({})
    for pair, mastery in masteries.items():
        if not settings.sends(pair[1]):
            continue
        if len(mastery.turns) >= settings.minimum:
            worths.values[pair] = conversions.worth(mastery)
        else:
            worths.too_few.add(pair)
    return worths
