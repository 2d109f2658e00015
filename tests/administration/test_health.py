"""How platforms and courses fare, counted in the database: on both kinds."""

from __future__ import annotations

from datetime import datetime, timedelta

from flask import Flask

from lti_tool.administration.health import (
    REFUSALS_SHOWN,
    WORKER_SILENT_AFTER,
    courses_health,
    platforms_health,
    worker_is_silent,
)
from lti_tool.administration.models import WorkerTrace
from lti_tool.courses.models import Course, Person, Role
from lti_tool.db import begin_write, db, utcnow
from lti_tool.errors import Refusal
from lti_tool.gradebook.models import DeliveryState, PlatformPause, ScoreDelivery
from lti_tool.lti.refused import count_refusal
from tests import factories

HOUR = timedelta(hours=1)


def score(
    of: Course, pupil: Person, code: str, state: DeliveryState, at: datetime, done: datetime | None = None
) -> None:
    db.session.add(
        ScoreDelivery(
            course_id=of.id,
            item_id=factories.competence(code).id,
            person_id=pupil.id,
            maximum=4,
            comment="",
            timestamp=at,
            state=state,
            created_at=at,
            done_at=done,
        )
    )
    db.session.flush()


def test_scores_are_counted_by_platform_and_by_course_and_a_refusal_sent_again_since_is_none(
    any_app: Flask,
) -> None:
    now = utcnow()
    begin_write()
    one, two = factories.platform(), factories.platform()
    first, second = factories.course(one), factories.course(one)
    elsewhere = factories.course(two)
    adam, zoe = factories.enrolled(first, "Adam", "B"), factories.enrolled(first, "Zoé", "L")
    factories.enrolled(first, "Claire", "M", Role.TEACHER, launched_at=now - 2 * HOUR)
    factories.enrolled(first, "Left", "X", active=False)
    lea = factories.enrolled(second, "Léa", "P", launched_at=now - HOUR)
    factories.activity(first, "1A")
    score(first, adam, "1A", DeliveryState.REFUSED, now - 5 * HOUR)
    score(first, adam, "1A", DeliveryState.SENT, now - 4 * HOUR, now - 4 * HOUR)
    score(first, zoe, "1A", DeliveryState.REFUSED, now - 3 * HOUR)
    score(first, zoe, "1B", DeliveryState.WAITING, now - 2 * HOUR)
    score(second, lea, "1A", DeliveryState.SENDING, now - 6 * HOUR)
    score(second, lea, "1B", DeliveryState.SENT, now - HOUR, now - HOUR)
    db.session.add(PlatformPause(platform_id=one.id, until=now + HOUR, reason="later"))
    db.session.add(PlatformPause(platform_id=two.id, until=now - HOUR, reason="later"))
    db.session.commit()

    health = {platform.id: fares for platform, fares in platforms_health(db.session, now)}
    mine, other = health[one.id], health[two.id]
    assert (mine.courses, mine.waiting, mine.refused) == (2, 2, 1)
    assert (mine.oldest_waiting, mine.last_sent) == (now - 6 * HOUR, now - HOUR)
    assert mine.pause is not None
    assert (
        other.courses,
        other.waiting,
        other.refused,
        other.oldest_waiting,
        other.last_sent,
        other.pause,
    ) == (
        1,
        0,
        0,
        None,
        None,
        None,
    )

    found = courses_health(db.session, one.id)
    assert [course.id for course, _fares in found] == [second.id, first.id], "those opened last come first"
    there, here = found[0][1], found[1][1]
    assert (here.pupils, here.activities, here.waiting, here.refused) == (2, 1, 1, 1)
    assert (here.last_launch, here.last_sent) == (now - 2 * HOUR, now - 4 * HOUR)
    assert (there.pupils, there.activities, there.waiting, there.refused) == (1, 0, 1, 0)
    assert [course.id for course, _fares in courses_health(db.session, two.id)] == [elsewhere.id]


def test_refusals_of_the_last_days_are_shown_the_newest_first(any_app: Flask) -> None:
    now = utcnow()
    begin_write()
    platform = factories.platform()
    for reason, ago in (
        (Refusal.EXPIRED, timedelta()),
        (Refusal.BAD_SIGNATURE, -HOUR),
        (Refusal.NO_COURSE, REFUSALS_SHOWN),
        (Refusal.NO_PERSON, REFUSALS_SHOWN + timedelta(days=1)),
    ):
        count_refusal(db.session, platform.id, reason, now - ago)
    db.session.commit()
    ((_platform, health),) = platforms_health(db.session, now)
    assert [refusal.reason for refusal in health.refusals] == ["bad_signature", "expired", "no_course"]


def test_a_worker_is_silent_when_it_never_ran_or_has_not_come_by_for_five_minutes() -> None:
    now = utcnow()
    assert worker_is_silent(None, now)
    assert not worker_is_silent(WorkerTrace(seen_at=now - WORKER_SILENT_AFTER), now)
    assert worker_is_silent(WorkerTrace(seen_at=now - WORKER_SILENT_AFTER - timedelta(seconds=1)), now)
