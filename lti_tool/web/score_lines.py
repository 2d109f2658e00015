"""The scores of a course, line by line: where each is, and what may be done about it. In words: `score_rows`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import NamedTuple

from flask_babel import gettext as _

from ..courses.people import sort_key
from ..gradebook.models import ColumnOf, DeliveryState, OwnColumn, Pair, ScoreDelivery
from .deliveries import SHOWN_STATE
from .scorebook import Book, Heading, column_key, left_over

MOST_CODES = 3
WHOLE_COLUMN = 0
"""Nobody's id: that of the line of a deleted column."""


@dataclass(frozen=True)
class Line:
    """Where a score is, without a word: a page counts hundreds, and says a hundred at most (`score_rows.row_of`)."""

    pair: Pair
    who: str
    state: str
    score: Decimal | None = None
    """What the LMS holds, or is to hold."""
    entry_code: str = ""
    actions: tuple[str, ...] = ()
    reason: str = ""
    delivery: ScoreDelivery | None = None
    """What was sent, or is on its way; None where nothing is, or all is still to be published."""
    left_over: bool = False
    """Whether it is worth nothing any more."""


@dataclass
class Column:
    """A line of « Les colonnes »."""

    item: Heading
    key: str
    counts: Counter[str] = field(default_factory=Counter)
    last: datetime | None = None
    gone: bool = False
    off: bool = False


class Glance(NamedTuple):
    """All that a cell of the table of everybody shows: there are a few dozen kinds, and each is made once."""

    state: str = "nothing"
    score: Decimal | None = None
    entry_code: str = ""


def lines_of(book: Book) -> list[Line]:
    """Every line there is, by pupil then competence."""
    pairs = {
        *book.current,
        *book.held,
        *((person_id, item) for person_id in book.pupils for item in book.worked),
        *(pair for pair in book.valued if pair[0] in book.leavers),
    }
    people = sorted({pair[0] for pair in pairs}, key=lambda person: sort_key(book.names.get(person, "")))
    row = {person: place for place, person in enumerate(people)}
    place = {item_id: place for place, item_id in enumerate(book.items)}
    known = [pair for pair in pairs if pair[1] in place]
    return [line_of(book, pair) for pair in sorted(known, key=lambda p: (row[p[0]], place[p[1]]))]


def line_of(book: Book, pair: Pair) -> Line:
    """Where the score of a pupil in a column is."""
    current, who = book.current.get(pair), book.names.get(pair[0], "?")
    held = left_over(book, pair)
    if held is not None:
        clear = ("clear",) if book.may_send(held.column) else ()
        return Line(pair, who, "sent", held.score, actions=clear, delivery=held, left_over=True)
    if pair in book.to_publish:
        return Line(pair, who, "to_publish", book.values[pair].score)
    nothing = current is not None and current.score is None and current.state is DeliveryState.SENT
    if current is None or (nothing and pair not in book.valued):
        silent = book.is_off(pair[1]) and pair[0] not in book.leavers
        return Line(pair, who, "nothing", entry_code="" if silent else book.codes.get(pair, ""))
    return Line(
        pair,
        who,
        SHOWN_STATE[current.state],
        current.score if current.lms_score is None else current.lms_score,
        actions=_actions(book, pair, current),
        reason=current.reason,
        delivery=current,
    )


def _actions(book: Book, pair: Pair, current: ScoreDelivery) -> tuple[str, ...]:
    if not book.may_send(pair[1]) or pair not in book.valued:
        return ()
    again = () if pair[0] in book.leavers else ("again",)  # nothing leaves for them
    if current.state is DeliveryState.REFUSED:
        own = isinstance(pair[1], OwnColumn)
        return ("column",) if current.reason == "column_gone" and not own else (*again, "stop")
    if current.state is DeliveryState.STOPPED:
        return again
    if current.state is DeliveryState.CHANGED:
        return ("keep", "force")
    return ("force",) if current.state is DeliveryState.KEPT else ()


# ----- what a page does with them -----


def to_settle(book: Book, lines: Iterable[Line]) -> list[Line]:
    """What waits for a decision, then the codes when they are few: those of a deleted column as one line."""
    found = [
        Line(
            (WHOLE_COLUMN, item_id),
            _("Toute la colonne"),
            "refused",
            actions=("column",) if book.may_send(item_id) else (),
        )
        for item_id in book.items
        if item_id in book.gone and not book.is_off(item_id)
    ]
    news = [line for line in lines if _is_news(book, line)]
    codes = [line for line in news if _is_code(line)]
    wanting = [line for line in news if not _is_code(line)]
    # A class with many absents must not hide what waits for a decision: the filter shows them all.
    return found + wanting + (codes if len(codes) <= MOST_CODES else [])


def _is_code(line: Line) -> bool:
    return line.state == "nothing" and bool(line.entry_code)


def _is_news(book: Book, line: Line) -> bool:
    current = book.current.get(line.pair)
    if line.state == "to_publish" or book.is_off(line.pair[1]):
        return False
    if line.state == "refused":
        return not (current and current.reason == "column_gone" and line.pair[1] in book.gone)
    if line.state == "changed":
        return line.pair in book.conflicts or (current is not None and current.state is DeliveryState.CHANGED)
    return line.left_over or bool(line.entry_code)


def columns_of(book: Book, lines: Iterable[Line]) -> list[Column]:
    """Where the scores of each column are, and when it last took one."""
    columns = {
        item_id: Column(item, column_key(item_id), gone=item_id in book.gone, off=book.is_off(item_id))
        for item_id, item in book.items.items()
    }
    for line in lines:
        columns[line.pair[1]].counts[line.state] += 1
    for (_person_id, item_id), delivery in book.held.items():
        column: Column | None = columns.get(item_id)
        if column and delivery.state is DeliveryState.SENT and delivery.done_at:
            column.last = max(column.last or delivery.done_at, delivery.done_at)
    return list(columns.values())


def sent_again_together(lines: Iterable[Line]) -> list[Line]:
    """The refused scores that may be sent again with others: as many as the page's buttons say."""
    return [line for line in lines if line.state == "refused" and "again" in line.actions]


def table_of(book: Book, lines: Iterable[Line]) -> tuple[list[ColumnOf], list[tuple[str, list[Glance]]]]:
    """The worked columns, and pupil by pupil the cell of each: the gradebook at a glance."""
    cells: dict[int, dict[ColumnOf, Glance]] = {}
    for line in lines:
        glance = Glance(line.state, line.score, line.entry_code)
        cells.setdefault(line.pair[0], {})[line.pair[1]] = glance
    columns, nothing = [column for column in book.items if column in book.worked], Glance()
    return columns, [
        (book.names.get(person_id, "?"), [of.get(column, nothing) for column in columns])
        for person_id, of in cells.items()
    ]
