"""From observations to scores: what is sent for a pupil and a competence, written with the assessment."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

import sqlalchemy as sa
from flask_babel import format_date, get_locale, ngettext
from flask_babel import gettext as _
from sqlalchemy.orm import Session

from ..assessment.entries import Observation, last_day, observations
from ..assessment.mastery import Position, propose
from ..assessment.scales import DEFAULT_SCALE, Scale, find_scale
from ..courses.models import Course
from ..lti.ags import SCOPE_LINEITEM, SCOPE_SCORE
from .models import DeliveryState, GradebookSettings, ScoreDelivery

POINTS_MAXIMUM = 4
BETWEEN_SCORES = timedelta(seconds=1)
"""Moodle compares whole seconds and refuses an equal one (moodle.md §4)."""


@dataclass(frozen=True)
class Worth:
    """What a position is worth in the gradebook of a course."""

    score: Decimal
    maximum: int
    level: int
    comment: str


def settings_of(session: Session, course_id: int) -> GradebookSettings:
    """The gradebook settings of a course; the defaults, not yet stored, when nobody changed them."""
    found = session.get(GradebookSettings, course_id)
    return found or GradebookSettings(
        course_id=course_id,
        sending=True,
        conversion="points",
        table={"1": 5, "2": 9, "3": 14, "4": 19},
        table_maximum=20,
        minimum=1,
    )


def can_send(course: Course) -> bool:
    """Whether the platform lets us keep a column per competence in this course."""
    return bool(course.lineitems_url) and {SCOPE_LINEITEM, SCOPE_SCORE} <= set(course.ags_scopes)


def column_maximum(settings: GradebookSettings) -> int:
    """The maximum of the course's columns."""
    return settings.table_maximum if settings.conversion == "table" else POINTS_MAXIMUM


def worth(position: Position, found: list[Observation], settings: GradebookSettings, scale: Scale) -> Worth:
    """The score of a position, by the course's conversion, with the comment that says what a number cannot."""
    level = position.grade
    if settings.conversion == "table":
        score = Decimal(str(settings.table[str(level)]))
    else:
        score = Decimal(level)
    return Worth(score, column_maximum(settings), level, _comment(position, found, scale))


def queue_scores(
    session: Session, course: Course, pairs: Iterable[tuple[int, int]], now: datetime
) -> list[ScoreDelivery]:
    """Write the deliveries that changed (person, competence) pairs call for, in the transaction of the change.

    Nothing is written where the score is what was last sent or is on its way.
    """
    wanted = list(dict.fromkeys(pairs))
    settings = settings_of(session, course.id)
    if not wanted or not settings.sending or not can_send(course):
        return []
    found = _by_pair(session, course.id, wanted)
    scale = find_scale(DEFAULT_SCALE)
    written = []
    for person_id, item_id in wanted:
        seen = found.get((person_id, item_id), [])
        position = propose((o.turn for o in seen), target=scale.target)
        enough = position is not None and len(seen) >= settings.minimum
        value = worth(position, seen, settings, scale) if position and enough else None
        delivery = _replace(session, course.id, person_id, item_id, value, now)
        if delivery is not None:
            written.append(delivery)
    return written


def queue_all(session: Session, course: Course, now: datetime) -> list[ScoreDelivery]:
    """Write the deliveries of a whole course: after its conversion changed, or sending was switched on."""
    pairs = {(o.person_id, o.item_id) for o in observations(session, course.id)}
    return queue_scores(session, course, sorted(pairs), now)


def clear_score(
    session: Session, course: Course, person_id: int, item_id: int, now: datetime
) -> ScoreDelivery:
    """Write the delivery that empties a grade: asked for by a teacher, never by itself."""
    last = last_delivery(session, course.id, person_id, item_id)
    maximum = last.maximum if last else POINTS_MAXIMUM
    return _write(session, course.id, person_id, item_id, None, maximum, None, "", now, last, forced=True)


def send_again(
    session: Session, delivery: ScoreDelivery, now: datetime, *, forced: bool = False
) -> ScoreDelivery:
    """Write a new delivery with what an ended one carried; `forced` sends it over a change made in the LMS."""
    last = last_delivery(session, delivery.course_id, delivery.person_id, delivery.item_id)
    return _write(
        session,
        delivery.course_id,
        delivery.person_id,
        delivery.item_id,
        delivery.score,
        delivery.maximum,
        delivery.level,
        delivery.comment,
        now,
        last,
        forced=forced,
    )


def last_delivery(session: Session, course_id: int, person_id: int, item_id: int) -> ScoreDelivery | None:
    """The newest delivery of a pair, those a newer one replaced left out."""
    return session.scalars(
        sa.select(ScoreDelivery)
        .where(
            ScoreDelivery.course_id == course_id,
            ScoreDelivery.person_id == person_id,
            ScoreDelivery.item_id == item_id,
            ScoreDelivery.state != DeliveryState.REPLACED,
        )
        .order_by(ScoreDelivery.id.desc())
        .limit(1)
    ).first()


def _by_pair(
    session: Session, course_id: int, pairs: list[tuple[int, int]]
) -> dict[tuple[int, int], list[Observation]]:
    found: dict[tuple[int, int], list[Observation]] = {}
    people, items = {p for p, _i in pairs}, {i for _p, i in pairs}
    for observation in observations(session, course_id, person_ids=people, item_ids=items):
        found.setdefault((observation.person_id, observation.item_id), []).append(observation)
    return found


def _replace(
    session: Session, course_id: int, person_id: int, item_id: int, value: Worth | None, now: datetime
) -> ScoreDelivery | None:
    last = last_delivery(session, course_id, person_id, item_id)
    if value is None:
        # Nothing is left to send. A score that has not left stays here; one that was sent is cleared by a teacher.
        if last is not None and last.state is DeliveryState.WAITING:
            last.state, last.done_at = DeliveryState.REPLACED, now
        return None
    unchanged = last is not None and (last.score, last.maximum, last.comment) == (
        value.score,
        value.maximum,
        value.comment,
    )
    if unchanged:
        return None
    return _write(
        session,
        course_id,
        person_id,
        item_id,
        value.score,
        value.maximum,
        value.level,
        value.comment,
        now,
        last,
    )


def _write(
    session: Session,
    course_id: int,
    person_id: int,
    item_id: int,
    score: Decimal | None,
    maximum: int,
    level: int | None,
    comment: str,
    now: datetime,
    last: ScoreDelivery | None,
    *,
    forced: bool = False,
) -> ScoreDelivery:
    """Write one delivery; it takes the place of one that still waits. Its timestamp is pinned here."""
    timestamp = now
    if last is not None:
        # A cleared grade is stamped by the LMS's own clock, when it took the clear.
        after = max(last.timestamp, last.done_at) if last.score is None and last.done_at else last.timestamp
        timestamp = max(now, after + BETWEEN_SCORES)
        if last.state is DeliveryState.WAITING:
            last.state, last.done_at = DeliveryState.REPLACED, now
            session.flush()
    delivery = ScoreDelivery(
        course_id=course_id,
        person_id=person_id,
        item_id=item_id,
        score=score,
        maximum=maximum,
        level=level,
        comment=comment,
        timestamp=timestamp.replace(microsecond=timestamp.microsecond // 1000 * 1000),
        state=DeliveryState.WAITING,
        forced=forced,
        not_before=now,
    )
    session.add(delivery)
    session.flush()
    return delivery


def complexity_words() -> dict[int, str]:
    """« en situation … », by complexity."""
    return {1: _("en situation simple"), 2: _("en situation variée"), 3: _("en situation complexe")}


def _comment(position: Position, found: list[Observation], scale: Scale) -> str:
    """« maîtrisée en situation variée ; bien maîtrisée en situation simple ; 6 situations, la dernière le 19 mars »."""
    locale, words = str(get_locale() or "fr"), complexity_words()
    parts = [
        f"{scale.word(level, locale)} {words[complexity]}"
        for complexity, level in sorted(position.levels.items(), reverse=True)
        if complexity <= position.complexity
    ]
    count = ngettext("%(num)d situation", "%(num)d situations", len(found))
    parts.append(
        _("%(count)s, la dernière le %(day)s", count=count, day=format_date(last_day(found), "d MMMM"))
    )
    if position.provisional:
        parts.append(_("provisoire"))
    return " ; ".join(parts)
