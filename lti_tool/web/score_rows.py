"""The scores of a course, line by line, in words: where each is, why, and what to do."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any, NamedTuple

from flask_babel import gettext as _
from flask_babel import ngettext

from ..courses.people import sort_key
from ..gradebook.models import ColumnOf, DeliveryState, OwnColumn, Pair, ScoreDelivery
from ..gradebook.scores import can_send
from .deliveries import (
    SHOWN_STATE,
    Said,
    explain,
    explain_code,
    explain_unpublished,
    number,
    score_words,
)
from .scorebook import Book, Heading, column_key, left_over
from .shown import moment_words

MOST_CODES = 3
WHOLE_COLUMN = 0
"""Nobody's id: that of the line of a deleted column."""


@dataclass(frozen=True)
class Line:
    """Where a score is, without a word: a page counts hundreds, and says a hundred at most (`row_of`)."""

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


@dataclass(frozen=True)
class Row:
    """A line in words: of « À régler », or of a filter."""

    who: str
    item: Heading
    state: str
    said: Said
    level: int | None = None
    entry_code: str = ""
    sent: str = ""
    """Exactly what was sent, with the comment and the moment that went with it."""
    comment: str = ""
    stamped: str = ""
    worth: str = ""
    """What it is worth now, where that is something else; with the comment that would go with it."""
    worth_comment: str = ""
    delivery_id: int = 0
    actions: tuple[str, ...] = ()
    held: str = ""
    """What the LMS holds, when it is something else."""


@dataclass
class Column:
    """A line of « Les colonnes »."""

    item: Heading
    key: str
    counts: Counter[str] = field(default_factory=Counter)
    last: datetime | None = None
    gone: bool = False
    off: bool = False


@dataclass
class Refusal:
    """The scores refused for one reason, that may be sent again together."""

    reason: str
    said: Said
    count: int = 0


# ----- where each score is -----


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


# ----- and in words -----


def row_of(book: Book, line: Line) -> Row:
    """A line in words. Of one that may be acted upon, what it is worth was read (`scorebook.read_values`)."""
    pair, current = line.pair, line.delivery
    common: dict[str, Any] = {
        "who": line.who,
        "item": book.items[pair[1]],
        "state": line.state,
        "actions": line.actions,
    }
    if pair[0] == WHOLE_COLUMN:
        return Row(**common, said=_whole_column(book, pair[1]))
    if line.state == "to_publish":
        return _unpublished(book, pair, common)
    if current is None:
        return Row(**common, said=_nothing(book, line), entry_code=line.entry_code)
    if line.left_over:
        return Row(**common, **_sent(current), said=_left_over(book, current))
    said = explain(current, book.course.platform.name, book.paused_until)
    if pair[0] in book.leavers and current.state is DeliveryState.SENT:
        said = Said(f"{said.why} {_left()}", _("La note envoyée avant reste dans le carnet."))
    exact, value = (current.score, current.maximum), book.values.get(pair)
    now = value if line.actions and value is not None and (value.score, value.maximum) != exact else None
    return Row(
        **common,
        **_sent(current),
        said=said,
        worth=score_words(now) if now else "",
        worth_comment=now.comment if now else "",
        held=number(current.lms_score) if current.lms_score is not None else "",
    )


def _sent(delivery: ScoreDelivery) -> dict[str, Any]:
    """Exactly what a delivery carries."""
    return {
        "level": delivery.level,
        "sent": score_words(delivery),
        "comment": delivery.comment,
        "stamped": moment_words(delivery.timestamp),
        "delivery_id": delivery.id,
    }


def _left_over(book: Book, held: ScoreDelivery) -> Said:
    if book.is_off(held.column):
        return Said(
            _("Cette compétence n’est plus envoyée : la note déjà envoyée reste dans le carnet."),
            _("Rien à faire. Pour l’envoyer de nouveau, la cocher dans les réglages du cours."),
        )
    why = _("Une note a été envoyée, mais il ne reste plus assez d’observations pour la justifier.")
    if held.state is not DeliveryState.SENT:
        why = _("Une note est peut-être arrivée dans le carnet, mais il ne reste plus assez d’observations.")
    return Said(why, _("Spirale ne vide jamais une note d’elle-même."))


def _unpublished(book: Book, pair: Pair, common: dict[str, Any]) -> Row:
    """What « Publier » would send."""
    value, held, current = book.values[pair], book.held.get(pair), book.current.get(pair)
    said = explain_unpublished(held)
    if current is not None and current.state is DeliveryState.REFUSED:
        said = Said(explain(current, book.course.platform.name, book.paused_until).why, said.todo)
    return Row(
        **common,
        said=said,
        level=value.level,
        sent=score_words(held) if held is not None else "",
        worth=score_words(value),
        worth_comment=value.comment,
    )


def _whole_column(book: Book, column: ColumnOf) -> Said:
    """A column deleted in the LMS."""
    return Said(
        _("La colonne a été supprimée du carnet de notes."),
        ngettext(
            "Spirale peut la recréer : sa note repartira.",
            "Spirale peut la recréer : ses %(num)s notes repartiront.",
            sum(pair[1] == column and _comes_back(book, pair) for pair in book.valued),
        ),
    )


def _comes_back(book: Book, pair: Pair) -> bool:
    """Whether a score leaves again for a column that is made again."""
    current = book.current.get(pair)
    if current is None or pair[0] in book.leavers:
        return False
    return current.score is not None and current.state is not DeliveryState.STOPPED


def _nothing(book: Book, line: Line) -> Said:
    person_id, column = line.pair
    if person_id in book.leavers:
        return Said(_left(), _("S’il revient, relire la liste dans les réglages du cours."))
    if book.is_off(column):
        return Said(
            _("Cette compétence n’est pas parmi celles qui sont envoyées."),
            _("Rien à faire. Pour l’envoyer, la cocher dans les réglages du cours."),
        )
    if line.entry_code:
        return explain_code(line.entry_code)
    if line.pair not in book.valued:
        return Said(_("Pas encore assez d’observations pour envoyer une note."), _("Rien à faire."))
    if not isinstance(column, OwnColumn) and not can_send(book.course):
        return Said(_("Pas de colonne où l’envoyer\u00a0: le niveau reste dans Spirale."), _("Rien à faire."))
    return Said(
        _("Une note existe ici, mais rien n’a été envoyé."),
        _("Elle partira à la prochaine évaluation, ou en enregistrant les réglages du cours."),
    )


def _left() -> str:
    return _("Cet élève n’est plus dans la liste de la classe : rien n’est envoyé pour lui.")


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


def refusals_of(book: Book, lines: Iterable[Line]) -> list[Refusal]:
    """The refused scores that may be sent again, by reason, the most frequent first."""
    found: dict[str, Refusal] = {}
    for line in sent_again_together(lines):
        if line.delivery is not None:
            if line.reason not in found:
                said = explain(line.delivery, book.course.platform.name, book.paused_until)
                found[line.reason] = Refusal(line.reason, said)
            found[line.reason].count += 1
    return sorted(found.values(), key=lambda refusal: -refusal.count)


class Glance(NamedTuple):
    """All that a cell of the table of everybody shows: there are a few dozen kinds, and each is made once."""

    state: str = "nothing"
    score: Decimal | None = None
    entry_code: str = ""


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
