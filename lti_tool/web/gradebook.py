"""« Carnet de notes »: where each score is, why, and what to do about it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

import sqlalchemy as sa
from flask import redirect, render_template, request
from flask_babel import gettext as _
from flask_babel import ngettext
from werkzeug.wrappers import Response

from ..courses.models import Course
from ..db import db, utcnow
from ..errors import NotFound
from ..gradebook.columns import make_column_again, only_link_columns
from ..gradebook.models import (
    DeliveryState,
    GradebookSettings,
    LineItem,
    PlatformPause,
    ScoreDelivery,
    in_column,
)
from ..gradebook.own_columns import own_columns
from ..gradebook.queue import wake_worker
from ..gradebook.scores import can_send, clear_score, hold_course, send_again
from ..gradebook.worths import settings_of
from ..lti.ags import SCOPE_LINEITEM, SCOPE_SCORE
from .deliveries import STATES, explain_pause, number
from .guard import May, here, page, row_id, visit
from .scorebook import columns_of, left_over, read_book, rows_of, to_settle
from .shown import code_words, levels, moment_words

# ----- the page -----


@page("/gradebook", may=May.ASSESS)
def gradebook() -> str:
    """The states of all scores of the course."""
    course = visit().course
    settings = settings_of(db.session, course.id)
    shown = request.args.get("state", "")
    if shown not in STATES:
        shown = ""
    book = read_book(db.session, course, may_act=visit().may(May.TEACH))
    rows = rows_of(book)
    counts = Counter(row.state for row in rows)
    return render_template(
        "gradebook.html",
        settings=settings,
        conversion=conversion_words(settings),
        course=course,
        missing=missing_rights(course),
        link_columns=only_link_columns(db.session, course),
        own=bool(own_columns(db.session, course)),
        pause=_pause(course, counts["waiting"]),
        counts=counts,
        labels=_labels(counts),
        shown=shown,
        rows=[row for row in rows if row.state == shown] if shown else to_settle(book, rows),
        columns=columns_of(book, rows),
        refused=sum(row.state == "refused" and "again" in row.actions for row in rows),
        waiting=counts["waiting"],
        empty=not book.worked,
        moment_words=moment_words,
        words={choice.value: choice.label for choice in levels()},
        codes=code_words(),
        may_teach=visit().may(May.TEACH),
    )


def conversion_words(settings: GradebookSettings) -> str:
    """« sur 20 : niveau 1 → 5, 2 → 9, 3 → 14, 4 → 19 »."""
    if settings.conversion != "table":
        return _("en points de l’échelle, sur 4")
    table = ", ".join(f"{level} → {number(settings.table[level])}" for level in "1234")
    return _("sur %(maximum)s : %(table)s", maximum=settings.table_maximum, table=table)


def missing_rights(course: Course) -> list[str]:
    """What the platform must allow before anything can be sent; empty when it does."""
    if can_send(course):
        return []
    if not course.lineitems_url:
        return [_("l’accès au carnet de notes du cours")]
    words = {SCOPE_LINEITEM: _("créer des colonnes"), SCOPE_SCORE: _("envoyer des notes")}
    return [word for scope, word in words.items() if scope not in course.ags_scopes]


def _pause(course: Course, waiting: int) -> dict[str, object] | None:
    pause = db.session.get(PlatformPause, course.platform_id)
    if pause is None or not waiting:
        return None
    until = moment_words(pause.until) if pause.until > utcnow() else ""
    return {"said": explain_pause(pause, course.platform.name), "until": until}


def _labels(counts: Counter[str]) -> dict[str, str]:
    return {
        "sent": ngettext("envoyée", "envoyées", counts["sent"]),
        "waiting": _("en attente"),
        "refused": ngettext("refusée", "refusées", counts["refused"]),
        "changed": ngettext("modifiée dans le carnet", "modifiées dans le carnet", counts["changed"]),
        "nothing": _("sans note"),
    }


# ----- what a teacher decides -----


@page("/gradebook/again", may=May.TEACH, methods=("POST",))
def gradebook_again() -> Response:
    """Send a refused score again, or all of them."""
    course = visit().course
    hold_course(db.session, course.id)
    if request.form.get("all"):
        query = sa.select(ScoreDelivery).filter_by(course_id=course.id, state=DeliveryState.REFUSED)
        gone = sa.and_(ScoreDelivery.reason == "column_gone", ScoreDelivery.link_id.is_(None))
        refused = list(db.session.scalars(query.where(~gone)))
    else:
        refused = _asked(DeliveryState.REFUSED)
    return _send(course, refused)


@page("/gradebook/force", may=May.TEACH, methods=("POST",))
def gradebook_force() -> Response:
    """Send our score over what was changed by hand in the LMS."""
    course = visit().course
    hold_course(db.session, course.id)
    return _send(course, _asked(DeliveryState.CHANGED, DeliveryState.KEPT), forced=True)


@page("/gradebook/keep", may=May.TEACH, methods=("POST",))
def gradebook_keep() -> Response:
    """Keep what was changed by hand in the LMS."""
    hold_course(db.session, visit().course.id)
    for delivery in _asked(DeliveryState.CHANGED):
        delivery.state = DeliveryState.KEPT
    db.session.commit()
    return _back()


@page("/gradebook/column", may=May.TEACH, methods=("POST",))
def gradebook_column() -> Response:
    """Make a column again that was deleted in the LMS, with its scores."""
    course = visit().course
    item_id = request.form.get("item", type=row_id)
    gone = sa.select(LineItem.gone).filter_by(course_id=course.id, item_id=item_id)
    if item_id is None or db.session.scalar(gone) is None:
        raise NotFound
    hold_course(db.session, course.id)
    if db.session.scalar(gone):
        make_column_again(db.session, course, item_id, utcnow())
    db.session.commit()
    wake_worker()
    return _back()


@page("/gradebook/clear", may=May.TEACH, methods=("POST",))
def gradebook_clear() -> Response:
    """Empty a grade in the LMS whose observations were withdrawn."""
    course = visit().course
    settings = settings_of(db.session, course.id)
    hold_course(db.session, course.id)
    delivery = _found(request.form.get("delivery", type=row_id))
    pair = delivery.pair
    # The page may be old: what is worth something again is not emptied.
    if settings.sending and left_over(read_book(db.session, course, may_act=True), pair) is not None:
        clear_score(db.session, course, *pair, utcnow())
    db.session.commit()
    wake_worker()
    return _back()


def _asked(*states: DeliveryState) -> list[ScoreDelivery]:
    """The delivery the form names; none when the page was old, and it is no longer the last word in that state."""
    delivery = _found(request.form.get("delivery", type=row_id))
    newest = sa.select(sa.func.max(ScoreDelivery.id)).where(
        ScoreDelivery.course_id == delivery.course_id,
        ScoreDelivery.person_id == delivery.person_id,
        in_column(ScoreDelivery, delivery.column),
        ScoreDelivery.state != DeliveryState.REPLACED,
    )
    db.session.refresh(delivery)
    return [delivery] if delivery.id == db.session.scalar(newest) and delivery.state in states else []


def _found(delivery_id: int | None) -> ScoreDelivery:
    delivery = db.session.get(ScoreDelivery, delivery_id) if delivery_id else None
    if delivery is None or delivery.course_id != visit().course.id:
        raise NotFound
    return delivery


def _send(course: Course, deliveries: Iterable[ScoreDelivery], *, forced: bool = False) -> Response:
    send_again(db.session, course, [d.pair for d in deliveries], utcnow(), forced=forced)
    db.session.commit()
    wake_worker()
    return _back()


def _back() -> Response:
    state = request.form.get("state", "")
    return redirect(here("gradebook", **({"state": state} if state in STATES else {})), 303)
