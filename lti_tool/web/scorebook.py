"""The scores of a course, line by line: read in a handful of queries, then put in words."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from flask_babel import gettext as _
from flask_babel import ngettext
from sqlalchemy.orm import Session, joinedload

from ..activities.models import Activity
from ..assessment.entries import newest_ids
from ..assessment.models import Assessment
from ..assessment.worked import worked_materials
from ..courses.models import Course, Enrolment, ResourceLink, Role
from ..courses.people import full_name, pupils, sort_key
from ..frameworks.models import FrameworkItem
from ..gradebook.models import (
    OPEN,
    PERHAPS_TAKEN,
    ColumnOf,
    DeliveryState,
    LineItem,
    OwnColumn,
    Pair,
    ScoreDelivery,
)
from ..gradebook.own_columns import own_columns
from ..gradebook.scores import can_send, current_values
from ..gradebook.worths import Worth, settings_of
from .deliveries import SHOWN_STATE, Said, explain, explain_code, number, score_words

MOST_CODES = 3


@dataclass(frozen=True)
class OwnHeading:
    """What a column is called that came with the link of an activity."""

    label: str
    code: str = ""


Heading = FrameworkItem | OwnHeading


@dataclass(frozen=True)
class Row:
    """A line of « À régler » or of a filter."""

    who: str
    item: Heading
    state: str
    said: Said
    level: int | None = None
    entry_code: str = ""
    sent: str = ""
    comment: str = ""
    pair: Pair | None = None
    delivery_id: int = 0
    actions: tuple[str, ...] = ()
    held: str = ""
    """What the LMS holds, when it is something else."""


@dataclass
class Column:
    """A line of « Les colonnes »."""

    item: Heading
    counts: Counter[str] = field(default_factory=Counter)
    last: datetime | None = None
    gone: bool = False


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
    values: dict[Pair, Worth]
    codes: dict[Pair, str]
    """The newest entry of a pair, where it is a code."""
    worked: set[ColumnOf]
    """The columns of what was assessed at least once."""
    gone: set[ColumnOf]
    """Those of competences whose column was deleted."""
    can_act: bool
    """Whether the reader decides about scores, and the course sends them."""

    def may_send(self, column: ColumnOf) -> bool:
        """Whether what a teacher sends from here to a column would leave."""
        return self.can_act and (isinstance(column, OwnColumn) or can_send(self.course))


def read_book(session: Session, course: Course, *, may_act: bool) -> Book:
    """The scores of a course; `may_act`: the reader may decide about them."""
    settings = settings_of(session, course.id)
    items: dict[ColumnOf, Heading] = {
        item.id: item for part in worked_materials(session, course) for item in part.competences
    }
    items |= _own_headings(session, course)
    # A non-editing teacher looks like a pupil until they come (docs/platforms.md): what was tried for them is over.
    staff = sa.select(Enrolment.person_id).where(
        Enrolment.course_id == course.id, Enrolment.launched_as.in_((Role.TEACHER, Role.ASSESSOR))
    )
    mine = sa.and_(ScoreDelivery.course_id == course.id, ScoreDelivery.person_id.not_in(staff))
    taken = sa.or_(ScoreDelivery.state == DeliveryState.SENT, ScoreDelivery.reason.in_(PERHAPS_TAKEN))
    current = _newest(session, mine, ScoreDelivery.state != DeliveryState.REPLACED)
    held = _newest(session, mine, taken)
    codes, worked = _codes(session, course)
    values = current_values(session, course)
    listed = pupils(session, course.id)
    gone = session.scalars(sa.select(LineItem.item_id).filter_by(course_id=course.id, gone=True))
    return Book(
        course=course,
        items=items,
        names={**_names(session, course), **{pupil.person_id: pupil.name for pupil in listed}},
        pupils=[pupil.person_id for pupil in listed],
        current=current,
        held=held,
        values=values,
        codes=codes,
        worked=worked | {column for _person, column in (*current, *held, *values)},
        gone=set(gone),
        can_act=settings.sending and may_act,
    )


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


def _newest(session: Session, *conditions: sa.ColumnElement[bool]) -> dict[Pair, ScoreDelivery]:
    """The newest delivery of each pair among those that meet conditions."""
    ids = (
        sa.select(sa.func.max(ScoreDelivery.id))
        .where(*conditions)
        .group_by(ScoreDelivery.person_id, ScoreDelivery.item_id, ScoreDelivery.link_id)
    )
    rows = session.scalars(sa.select(ScoreDelivery).where(ScoreDelivery.id.in_(ids)))
    return {row.pair: row for row in rows}


def _names(session: Session, course: Course) -> dict[int, str]:
    """Everybody's name, those who left too."""
    rows = session.scalars(
        sa.select(Enrolment).where(Enrolment.course_id == course.id).options(joinedload(Enrolment.person))
    )
    return {row.person_id: full_name(row) for row in rows}


def _codes(session: Session, course: Course) -> tuple[dict[Pair, str], set[ColumnOf]]:
    """The newest entry of each pair where it is a code, and the competences that were assessed."""
    of_course = sa.select(Activity.id).where(Activity.course_id == course.id)
    rows = session.execute(
        sa.select(Assessment.person_id, Assessment.item_id, Assessment.code, Assessment.level)
        .join(Activity, Activity.id == Assessment.activity_id)
        .where(Assessment.id.in_(newest_ids(Assessment.activity_id.in_(of_course))))
        .order_by(Activity.starts_on, Assessment.id)
    )
    codes: dict[Pair, str] = {}
    worked: set[ColumnOf] = set()
    for person_id, item_id, code, level in rows:
        if not code and not level:
            continue
        worked.add(item_id)
        codes[person_id, item_id] = code or ""
    return {pair: code for pair, code in codes.items() if code}, worked


# ----- the lines -----


def rows_of(book: Book) -> list[Row]:
    """Every line there is, by pupil then competence."""
    pairs = {
        *book.current,
        *book.held,
        *((person_id, item) for person_id in book.pupils for item in book.worked),
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
    if current is None or (current.score is None and current.state is DeliveryState.SENT and value is None):
        return _nothing(book, pair, common)
    state = SHOWN_STATE[current.state]
    return Row(
        **common,
        state=state,
        said=explain(current, book.course.platform.name),
        level=current.level,
        sent=score_words(current),
        comment=current.comment,
        delivery_id=current.id,
        actions=_actions(book, pair, current),
        held=number(current.lms_score) if current.lms_score is not None else "",
    )


def left_over(book: Book, pair: Pair) -> ScoreDelivery | None:
    """The score that the LMS holds, or may hold, of a pair that is worth nothing any more."""
    held, current = book.held.get(pair), book.current.get(pair)
    if pair in book.values or held is None or held.score is None:
        return None
    decided = current is not None and (current.state in OPEN or current.state is DeliveryState.KEPT)
    return None if decided else held


def _left_over_row(book: Book, held: ScoreDelivery, common: dict[str, Any]) -> Row:
    why = _("Une note a été envoyée, mais il ne reste plus assez d’observations pour la justifier.")
    if held.state is not DeliveryState.SENT:
        why = _("Une note est peut-être arrivée dans le carnet, mais il ne reste plus assez d’observations.")
    return Row(
        **common,
        state="sent",
        said=Said(why, _("Spirale ne vide jamais une note d’elle-même.")),
        level=held.level,
        sent=score_words(held),
        comment=held.comment,
        delivery_id=held.id,
        actions=("clear",) if book.may_send(held.column) else (),
    )


def _nothing(book: Book, pair: Pair, common: dict[str, Any]) -> Row:
    code = book.codes.get(pair, "")
    if code:
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
                    sum(pair[1] == item_id for pair in book.values),
                ),
            ),
            pair=(0, item_id),
            actions=("column",) if book.may_send(item_id) else (),
        )
        for item_id, item in book.items.items()
        if item_id in book.gone
    ]
    news = [row for row in rows if _is_news(book, row)]
    codes = [row for row in news if row.state == "nothing" and row.entry_code and not row.actions]
    wanting = [row for row in news if row not in codes]
    # A class with many absents must not hide what waits for a decision: the filter shows them all.
    return found + wanting + (codes if len(codes) <= MOST_CODES else [])


def _is_news(book: Book, row: Row) -> bool:
    assert row.pair is not None
    current = book.current.get(row.pair)
    if row.state == "refused":
        return not (current and current.reason == "column_gone" and row.pair[1] in book.gone)
    if row.state == "changed":
        return current is not None and current.state is DeliveryState.CHANGED
    return "clear" in row.actions or bool(row.entry_code) or left_over(book, row.pair) is not None


def columns_of(book: Book, rows: list[Row]) -> list[Column]:
    columns = {item_id: Column(item, gone=item_id in book.gone) for item_id, item in book.items.items()}
    for row in rows:
        assert row.pair is not None
        columns[row.pair[1]].counts[row.state] += 1
    for (_person_id, item_id), delivery in book.held.items():
        column = columns.get(item_id)
        if column and delivery.state is DeliveryState.SENT and delivery.done_at:
            column.last = max(column.last or delivery.done_at, delivery.done_at)
    return list(columns.values())
