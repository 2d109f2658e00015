"""What a teacher decides of single scores: send again, keep, send over, make a column again, empty."""

from __future__ import annotations

from collections.abc import Collection

import sqlalchemy as sa
from flask import redirect, render_template, request
from werkzeug.wrappers import Response

from ..courses.models import Course
from ..db import db, utcnow
from ..errors import NotFound
from ..gradebook.cells import read_cells
from ..gradebook.columns import make_column_again
from ..gradebook.models import DeliveryState, LineItem, Pair, ScoreDelivery
from ..gradebook.queue import wake_worker
from ..gradebook.scores import clear_score, hold_course, send_again
from ..gradebook.worths import settings_of
from .gradebook import filters_in
from .guard import May, here, page, row_id, visit
from .score_lines import line_of, lines_of, sent_again_together
from .score_rows import row_of
from .scorebook import left_over, read_book


@page("/gradebook/again", may=May.TEACH, methods=("POST",))
def gradebook_again() -> Response:
    """Send a refused score again, all those of a reason that the page shows, or all of them."""
    course = visit().course
    hold_course(db.session, course.id)
    if not request.form.get("all"):
        asked = _asked(DeliveryState.REFUSED, DeliveryState.STOPPED)
        return _send(course, [delivery.pair for delivery in asked], stopped=True)
    # Those that the page counts on its buttons: not what was refused once, and came to another end since.
    book = read_book(db.session, course, may_act=True)
    refused = sent_again_together(lines_of(book))
    if reason := request.form.get("reason"):
        shown = filters_in(request.form.to_dict()).narrow(refused)
        refused = [line for line in shown if line.reason == reason]
    return _send(course, [line.pair for line in refused])


@page("/gradebook/stop", may=May.TEACH, methods=("POST",))
def gradebook_stop() -> Response:
    """Send nothing more of a refused score: to somebody whom the LMS does not grade, say."""
    return _end(DeliveryState.REFUSED, DeliveryState.STOPPED)


@page("/gradebook/force", may=May.TEACH, methods=("POST",))
def gradebook_force() -> Response:
    """Send our score over what was changed by hand in the LMS."""
    course = visit().course
    hold_course(db.session, course.id)
    asked = _asked(DeliveryState.CHANGED, DeliveryState.KEPT)
    return _send(course, [delivery.pair for delivery in asked], forced=True)


@page("/gradebook/keep", may=May.TEACH, methods=("POST",))
def gradebook_keep() -> Response:
    """Keep what was changed by hand in the LMS."""
    return _end(DeliveryState.CHANGED, DeliveryState.KEPT)


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


@page("/gradebook/clear", may=May.TEACH)
def ask_clear() -> Response | str:
    """Say what emptying a grade does, before it is done."""
    course = visit().course
    delivery = _found(request.args.get("delivery", type=row_id))
    book = read_book(db.session, course, may_act=True)
    held = left_over(book, delivery.pair)
    if held is None or not book.may_send(delivery.column):
        return redirect(here("gradebook"), 303)  # the page that led here was old
    row = row_of(book, line_of(book, delivery.pair))
    return render_template(
        "clear_score.html", row=row, course=course, filters=filters_in(request.args.to_dict())
    )


@page("/gradebook/clear", may=May.TEACH, methods=("POST",))
def gradebook_clear() -> Response:
    """Empty a grade in the LMS whose observations were withdrawn, or whose competence is sent no more."""
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
    cells = read_cells(db.session, delivery.course_id, [delivery.pair])
    current = cells[delivery.pair].current
    return [delivery] if delivery is current and delivery.state in states else []


def _found(delivery_id: int | None) -> ScoreDelivery:
    delivery = db.session.get(ScoreDelivery, delivery_id) if delivery_id else None
    if delivery is None or delivery.course_id != visit().course.id:
        raise NotFound
    return delivery


def _end(before: DeliveryState, after: DeliveryState) -> Response:
    """What the teacher decides without anything being sent."""
    hold_course(db.session, visit().course.id)
    for delivery in _asked(before):
        delivery.state = after
    db.session.commit()
    return _back()


def _send(
    course: Course, pairs: Collection[Pair], *, forced: bool = False, stopped: bool = False
) -> Response:
    send_again(db.session, course, pairs, utcnow(), forced=forced, stopped=stopped)
    db.session.commit()
    wake_worker()
    return _back()


def _back() -> Response:
    return redirect(filters_in(request.form.to_dict()).address(), 303)
