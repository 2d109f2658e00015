"""The lines of the scores of a course in words: why each is where it is, and what to do."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from flask_babel import gettext as _
from flask_babel import ngettext

from ..gradebook.models import ColumnOf, DeliveryState, OwnColumn, Pair, ScoreDelivery
from ..gradebook.scores import can_send
from .deliveries import Said, explain, explain_code, explain_unpublished, number, score_words
from .score_lines import WHOLE_COLUMN, Line, sent_again_together
from .scorebook import Book, Heading
from .shown import moment_words


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
class Refusal:
    """The scores refused for one reason, that may be sent again together."""

    reason: str
    said: Said
    count: int = 0


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
    said = _explained(book, current)
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


def _explained(book: Book, delivery: ScoreDelivery) -> Said:
    return explain(delivery, book.course.platform.name, book.paused_until)


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
        said = Said(_explained(book, current).why, said.todo)
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


def refusals_of(book: Book, lines: Iterable[Line]) -> list[Refusal]:
    """The refused scores that may be sent again, by reason, the most frequent first."""
    found: dict[str, Refusal] = {}
    for line in sent_again_together(lines):
        if line.delivery is not None:
            if line.reason not in found:
                said = _explained(book, line.delivery)
                found[line.reason] = Refusal(line.reason, said)
            found[line.reason].count += 1
    return sorted(found.values(), key=lambda refusal: -refusal.count)
