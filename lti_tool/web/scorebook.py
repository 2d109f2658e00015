"""What is known of the scores of a course, read in a handful of queries."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import TypeGuard

import sqlalchemy as sa
from sqlalchemy.orm import Session, joinedload

from ..activities.models import Activity
from ..assessment.entries import EntryRow, newest_entries, observations_of
from ..assessment.models import Assessment
from ..assessment.worked import worked_materials
from ..courses.models import Course, Enrolment, ResourceLink, Role
from ..courses.people import full_name, pupils
from ..db import utcnow
from ..frameworks.models import FrameworkItem
from ..gradebook.cells import read_all_cells
from ..gradebook.models import (
    OPEN,
    ColumnOf,
    DeliveryState,
    GradebookSettings,
    LineItem,
    Mode,
    OwnColumn,
    Pair,
    PlatformPause,
    ScoreDelivery,
)
from ..gradebook.own_columns import own_columns, own_pairs
from ..gradebook.publishing import Change, Plan, plan_scores
from ..gradebook.scores import can_send, current_values
from ..gradebook.worths import Worth, settings_of
from .guard import row_id


@dataclass(frozen=True)
class OwnHeading:
    """What a column is called that came with the link of an activity."""

    label: str
    code: str = ""


Heading = FrameworkItem | OwnHeading


@dataclass
class Book:
    """What is known of the scores of a course, read in a handful of queries."""

    course: Course
    items: dict[ColumnOf, Heading]
    names: dict[int, str]
    pupils: list[int]
    current: dict[Pair, ScoreDelivery]
    held: dict[Pair, ScoreDelivery]
    """The newest delivery of a pair that the LMS took, or may have taken."""
    valued: set[Pair]
    """What is worth something now."""
    values: dict[Pair, Worth]
    """What it is worth: of all in a course that sends on « Publier », elsewhere of what was asked (`read_values`)."""
    codes: dict[Pair, str]
    """The newest entry of a pair, where it is a code."""
    worked: set[ColumnOf]
    """The columns of what was assessed at least once."""
    gone: set[ColumnOf]
    """Those of competences whose column was deleted."""
    settings: GradebookSettings
    can_act: bool
    """Whether the reader decides about scores, and the course sends them."""
    pause: PlatformPause | None
    """Why nothing leaves, or left a moment ago, for the whole platform."""
    leavers: set[int]
    """Who was a pupil and is not any more, with something to send: nothing is."""
    to_publish: set[Pair]
    """In a course that sends on « Publier »: what it would send."""
    conflicts: set[Pair]
    """There: what it would not, since the LMS was found to hold something put there by hand."""

    def may_send(self, column: ColumnOf) -> bool:
        """Whether what a teacher sends from here to a column would leave."""
        return self.can_act and (isinstance(column, OwnColumn) or can_send(self.course))

    @property
    def paused_until(self) -> datetime | None:
        """Before it nothing leaves for the platform, which asked for it or does not answer."""
        return self.pause.until if self.pause is not None and self.pause.until > utcnow() else None

    def is_off(self, column: ColumnOf) -> bool:
        """Whether a competence is not among those that are sent."""
        return not self.settings.sends(column)


def read_book(session: Session, course: Course, *, may_act: bool) -> Book:
    """The scores of a course; `may_act`: the reader may decide about them."""
    settings = settings_of(session, course.id)
    items = column_names(session, course)
    # A non-editing teacher looks like a pupil until they come (docs/platforms.md): what was tried for them is over.
    staff = sa.select(Enrolment.person_id).where(
        Enrolment.course_id == course.id, Enrolment.launched_as.in_((Role.TEACHER, Role.ASSESSOR))
    )
    teaching = set(session.scalars(staff))
    seen = _read_seen(session, course)
    if settings.mode == Mode.PUBLISH:
        plan = plan_scores(
            session, course, settings, found=observations_of(session, seen.rows, dated_only=True)
        )
        valued = set(plan.values)
    else:
        plan = Plan(cells=read_all_cells(session, course.id))
        own = own_pairs(session, own_columns(session, course))
        valued = own | {p for p, n in seen.turns.items() if n >= settings.minimum and settings.sends(p[1])}
    cells = [(pair, cell) for pair, cell in plan.cells.items() if pair[0] not in teaching]
    began = course.year_began_at
    current = {pair: cell.current for pair, cell in cells if _is_of_now(cell.current, began)}
    held = {pair: cell.taken for pair, cell in cells if _is_of_now(cell.taken, began)}
    listed = pupils(session, course.id)
    gone = session.scalars(sa.select(LineItem.item_id).filter_by(course_id=course.id, gone=True))
    return Book(
        course=course,
        items=items,
        names={**_whole_names(session, course), **{pupil.person_id: pupil.name for pupil in listed}},
        pupils=[pupil.person_id for pupil in listed],
        current=current,
        held=held,
        valued=valued,
        values=plan.values,
        codes=seen.codes,
        worked=seen.worked | {column for _person, column in (*current, *held, *valued)},
        gone=set(gone),
        settings=settings,
        can_act=settings.sending and may_act,
        pause=session.get(PlatformPause, course.platform_id),
        leavers={p for p, _c in valued} - {pupil.person_id for pupil in listed} - teaching,
        to_publish={line.pair for line in plan.to_send},
        conflicts={line.pair for line in plan.lines if line.change is Change.CONFLICT},
    )


def read_values(session: Session, book: Book, pairs: Iterable[Pair]) -> None:
    """Add what some pairs are worth: a page of scores says it of a few, and no page of all."""
    wanted = [pair for pair in pairs if pair in book.valued and pair not in book.values]
    if wanted:
        book.values.update(current_values(session, book.course, wanted, book.settings))


def column_names(session: Session, course: Course) -> dict[ColumnOf, Heading]:
    """The columns there are or may be, in order, and what they are called."""
    items: dict[ColumnOf, Heading] = {
        item.id: item for part in worked_materials(session, course) for item in part.competences
    }
    return items | _own_headings(session, course)


def everybodys_names(session: Session, course: Course) -> dict[int, str]:
    """The names of pupils in short, and those of people who left."""
    short = {pupil.person_id: pupil.name for pupil in pupils(session, course.id)}
    return {**_whole_names(session, course), **short}


def _own_headings(session: Session, course: Course) -> dict[ColumnOf, Heading]:
    """The names of activities' own columns: those that may be written to, and those that once were."""
    once = sa.select(ScoreDelivery.link_id).where(
        ScoreDelivery.course_id == course.id, ScoreDelivery.link_id.is_not(None)
    )
    lost = session.scalars(sa.select(ResourceLink).where(ResourceLink.id.in_(once)).order_by(ResourceLink.id))
    named: dict[ColumnOf, Heading] = {OwnColumn(link.id): OwnHeading(link.title) for link in lost}
    return named | {
        column: OwnHeading(link.activity.title) for column, link in own_columns(session, course).items()
    }


def _whole_names(session: Session, course: Course) -> dict[int, str]:
    """Everybody's name, those who left too."""
    rows = session.scalars(
        sa.select(Enrolment).where(Enrolment.course_id == course.id).options(joinedload(Enrolment.person))
    )
    return {row.person_id: full_name(row) for row in rows}


def _is_of_now(delivery: ScoreDelivery | None, began: datetime | None) -> TypeGuard[ScoreDelivery]:
    """Whether there is a delivery, and of the present year of its course."""
    return delivery is not None and (began is None or delivery.created_at >= began)


@dataclass(frozen=True)
class _Seen:
    """What this year's entries of a course say to its gradebook."""

    rows: Sequence[EntryRow]
    codes: dict[Pair, str]
    """The newest entry of each pair, where it is a code."""
    worked: set[ColumnOf]
    """The competences that were assessed."""
    turns: Counter[Pair]
    """How many levels each pair was seen at: the turns that `current_values` counts."""


def _read_seen(session: Session, course: Course) -> _Seen:
    ours = sa.and_(Activity.course_id == course.id, Activity.year_id.is_(None))
    days = {
        row.id: row.starts_on
        for row in session.execute(sa.select(Activity.id, Activity.starts_on).where(ours))
    }
    rows = newest_entries(session, Assessment.activity_id.in_(sa.select(Activity.id).where(ours)))
    newest: dict[Pair, tuple[date, int, str]] = {}
    turns: Counter[Pair] = Counter()
    for entry_id, activity_id, person_id, item_id, level, code, _comment in rows:
        if (not code and not level) or activity_id not in days:
            continue  # emptied; or of an activity that came between the two questions
        pair, last = (person_id, item_id), (days[activity_id], entry_id, code or "")
        if pair not in newest or newest[pair] < last:
            newest[pair] = last
        turns[pair] += bool(level)
    codes = {pair: code for pair, (_day, _entry, code) in newest.items() if code}
    return _Seen(rows, codes, {item_id for _person, item_id in newest}, turns)


def left_over(book: Book, pair: Pair) -> ScoreDelivery | None:
    """The score that the LMS holds, or may hold, of a pair that is worth nothing any more."""
    held, current = book.held.get(pair), book.current.get(pair)
    if pair in book.valued or held is None or held.score is None:
        return None
    decided = current is not None and (current.state in OPEN or current.state is DeliveryState.KEPT)
    return None if decided else held


# ----- naming a column in an address or a form -----


def column_key(column: ColumnOf) -> str:
    """`12` for a competence's column, `l3` for the one that came with a link."""
    return f"l{column.link_id}" if isinstance(column, OwnColumn) else str(column)


def parse_column(key: str) -> ColumnOf | None:
    """The column that a key names; None for what is none."""
    try:
        number = row_id(key.removeprefix("l"))
    except ValueError:
        return None
    return OwnColumn(number) if key.startswith("l") else number
