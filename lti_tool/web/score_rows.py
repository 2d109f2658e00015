"""The scores of a course, line by line, in words: where each is, why, and what to do."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

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


@dataclass(frozen=True)
class Row:
    """A line of « À régler », of a filter, or a cell of the table of all."""

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
    pair: Pair | None = None
    delivery_id: int = 0
    actions: tuple[str, ...] = ()
    held: str = ""
    """What the LMS holds, when it is something else."""
    reason: str = ""

    @property
    def figure(self) -> str:
        """The points alone: what the LMS holds, or is to hold."""
        return self.held or (self.worth if self.state == "to_publish" else self.sent).partition("\u00a0")[0]


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


def rows_of(book: Book) -> list[Row]:
    """Every line there is, by pupil then competence."""
    pairs = {
        *book.current,
        *book.held,
        *((person_id, item) for person_id in book.pupils for item in book.worked),
        *(pair for pair in book.values if pair[0] in book.leavers),
    }
    order = {item_id: place for place, item_id in enumerate(book.items)}
    rows = []
    for pair in sorted(pairs, key=lambda p: (sort_key(book.names.get(p[0], "")), order.get(p[1], 99))):
        if pair[1] in book.items:
            rows.append(_row(book, pair))
    return rows


def _row(book: Book, pair: Pair) -> Row:
    current, value = book.current.get(pair), book.values.get(pair)
    common: dict[str, Any] = {
        "who": book.names.get(pair[0], "?"),
        "item": book.items[pair[1]],
        "pair": pair,
    }
    held = left_over(book, pair)
    if held is not None:
        return _left_over_row(book, held, common)
    if pair in book.to_publish:
        return _unpublished(book, pair, common)
    if current is None or (current.score is None and current.state is DeliveryState.SENT and value is None):
        return _nothing(book, pair, common)
    said = explain(current, book.course.platform.name)
    if pair[0] in book.leavers and current.state is DeliveryState.SENT:
        said = Said(f"{said.why} {_left()}", _("La note envoyée avant reste dans le carnet."))
    actions = _actions(book, pair, current)
    exact = (current.score, current.maximum)
    now = value if actions and value is not None and (value.score, value.maximum) != exact else None
    return Row(
        **common,
        **_sent(current),
        state=SHOWN_STATE[current.state],
        said=said,
        worth=score_words(now) if now else "",
        worth_comment=now.comment if now else "",
        actions=actions,
        held=number(current.lms_score) if current.lms_score is not None else "",
        reason=current.reason,
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


def _left_over_row(book: Book, held: ScoreDelivery, common: dict[str, Any]) -> Row:
    why = _("Une note a été envoyée, mais il ne reste plus assez d’observations pour la justifier.")
    if held.state is not DeliveryState.SENT:
        why = _("Une note est peut-être arrivée dans le carnet, mais il ne reste plus assez d’observations.")
    said = Said(why, _("Spirale ne vide jamais une note d’elle-même."))
    if book.is_off(held.column):
        said = Said(
            _("Cette compétence n’est plus envoyée : la note déjà envoyée reste dans le carnet."),
            _("Rien à faire. Pour l’envoyer de nouveau, la cocher dans les réglages du cours."),
        )
    return Row(
        **common,
        **_sent(held),
        state="sent",
        said=said,
        actions=("clear",) if book.may_send(held.column) else (),
    )


def _unpublished(book: Book, pair: Pair, common: dict[str, Any]) -> Row:
    """What « Publier » would send."""
    value, held, current = book.values[pair], book.held.get(pair), book.current.get(pair)
    said = explain_unpublished(held)
    if current is not None and current.state is DeliveryState.REFUSED:
        said = Said(explain(current, book.course.platform.name).why, said.todo)
    return Row(
        **common,
        state="to_publish",
        said=said,
        level=value.level,
        sent=score_words(held) if held is not None else "",
        worth=score_words(value),
        worth_comment=value.comment,
    )


def _nothing(book: Book, pair: Pair, common: dict[str, Any]) -> Row:
    code = book.codes.get(pair, "")
    if pair[0] in book.leavers:
        said = Said(_left(), _("S’il revient, relire la liste dans les réglages du cours."))
    elif book.is_off(pair[1]):
        said = Said(
            _("Cette compétence n’est pas parmi celles qui sont envoyées."),
            _("Rien à faire. Pour l’envoyer, la cocher dans les réglages du cours."),
        )
        code = ""
    elif code:
        said = explain_code(code)
    elif pair in book.values and not isinstance(pair[1], OwnColumn) and not can_send(book.course):
        said = Said(_("Pas de colonne où l’envoyer\u00a0: le niveau reste dans Spirale."), _("Rien à faire."))
    elif pair in book.values:
        said = Said(
            _("Une note existe ici, mais rien n’a été envoyé."),
            _("Elle partira à la prochaine évaluation, ou en enregistrant les réglages du cours."),
        )
    else:
        said = Said(_("Pas encore assez d’observations pour envoyer une note."), _("Rien à faire."))
    return Row(**common, state="nothing", said=said, entry_code=code)


def _left() -> str:
    return _("Cet élève n’est plus dans la liste de la classe : rien n’est envoyé pour lui.")


def _actions(book: Book, pair: Pair, current: ScoreDelivery) -> tuple[str, ...]:
    if not book.may_send(pair[1]) or pair not in book.values:
        return ()
    if current.state is DeliveryState.REFUSED:
        own = isinstance(pair[1], OwnColumn)
        return ("column",) if current.reason == "column_gone" and not own else ("again",)
    if current.state is DeliveryState.CHANGED:
        return ("keep", "force")
    return ("force",) if current.state is DeliveryState.KEPT else ()


def to_settle(book: Book, rows: list[Row]) -> list[Row]:
    """What waits for a decision, then the codes when they are few: those of a deleted column as one line."""
    found = [
        Row(
            who=_("Toute la colonne"),
            item=item,
            state="refused",
            said=Said(
                _("La colonne a été supprimée du carnet de notes."),
                ngettext(
                    "Spirale peut la recréer : sa note repartira.",
                    "Spirale peut la recréer : ses %(num)s notes repartiront.",
                    sum(pair[1] == item_id and pair in book.current for pair in book.values),
                ),
            ),
            pair=(0, item_id),
            actions=("column",) if book.may_send(item_id) else (),
        )
        for item_id, item in book.items.items()
        if item_id in book.gone and not book.is_off(item_id)
    ]
    news = [row for row in rows if _is_news(book, row)]
    codes = [row for row in news if row.state == "nothing" and row.entry_code and not row.actions]
    wanting = [row for row in news if row not in codes]
    # A class with many absents must not hide what waits for a decision: the filter shows them all.
    return found + wanting + (codes if len(codes) <= MOST_CODES else [])


def _is_news(book: Book, row: Row) -> bool:
    assert row.pair is not None
    current = book.current.get(row.pair)
    if row.state == "to_publish" or book.is_off(row.pair[1]):
        return False
    if row.state == "refused":
        return not (current and current.reason == "column_gone" and row.pair[1] in book.gone)
    if row.state == "changed":
        return row.pair in book.conflicts or (current is not None and current.state is DeliveryState.CHANGED)
    return "clear" in row.actions or bool(row.entry_code) or left_over(book, row.pair) is not None


def columns_of(book: Book, rows: Iterable[Row]) -> list[Column]:
    """Where the scores of each column are, and when it last took one."""
    columns = {
        item_id: Column(item, column_key(item_id), gone=item_id in book.gone, off=book.is_off(item_id))
        for item_id, item in book.items.items()
    }
    for row in rows:
        assert row.pair is not None
        columns[row.pair[1]].counts[row.state] += 1
    for (_person_id, item_id), delivery in book.held.items():
        column: Column | None = columns.get(item_id)
        if column and delivery.state is DeliveryState.SENT and delivery.done_at:
            column.last = max(column.last or delivery.done_at, delivery.done_at)
    return list(columns.values())


def refusals_of(rows: Iterable[Row]) -> list[Refusal]:
    """The refused scores that may be sent again, by reason, the most frequent first."""
    found: dict[str, Refusal] = {}
    for row in rows:
        if row.state == "refused" and "again" in row.actions:
            found.setdefault(row.reason, Refusal(row.reason, row.said)).count += 1
    return sorted(found.values(), key=lambda refusal: -refusal.count)


def table_of(book: Book, rows: Iterable[Row]) -> tuple[list[ColumnOf], list[tuple[str, dict[ColumnOf, Row]]]]:
    """The worked columns, and pupil by pupil the line of each: the gradebook at a glance."""
    lines: dict[int, dict[ColumnOf, Row]] = {}
    for row in rows:
        assert row.pair is not None
        lines.setdefault(row.pair[0], {})[row.pair[1]] = row
    columns = [column for column in book.items if column in book.worked]
    return columns, [(book.names.get(person_id, "?"), cells) for person_id, cells in lines.items()]
