"""Who is not seen for a year is erased, and so is whoever asks: rows are counted before and after."""

from __future__ import annotations

from datetime import timedelta

import sqlalchemy as sa
from flask import Flask

from lti_tool.activities.models import Activity
from lti_tool.administration import retention
from lti_tool.administration.models import AdminEvent, WorkerTrace
from lti_tool.administration.retention import (
    count_forgotten,
    erase_forgotten,
    erase_people,
    keep_house,
    stored_people,
)
from lti_tool.assessment.models import Assessment
from lti_tool.courses.entry import SEEN_EVERY, see_person
from lti_tool.courses.models import Course, Enrolment, GroupMember, LaunchSession, Person, Role
from lti_tool.courses.roster import keep_roster
from lti_tool.db import begin_write, db, utcnow
from lti_tool.errors import Refusal
from lti_tool.gradebook.models import DeliveryState, LineItem, ScoreDelivery
from lti_tool.gradebook.worker import sweep
from lti_tool.lti.models import LaunchRefusal, Platform
from lti_tool.lti.nrps import Member
from lti_tool.lti.refused import KEPT, NOTED_EVERY, count_refusal, note_launch
from tests import factories

YEAR = timedelta(days=360)
TICK = timedelta(seconds=1)


class Class:
    """A course with a teacher and two pupils; each pupil has an entry, a score and a session."""

    def __init__(self, app: Flask) -> None:
        begin_write()
        self.course = factories.course()
        self.teacher = factories.enrolled(self.course, "Claire", "Morel", Role.TEACHER)
        self.adam = factories.enrolled(self.course, "Adam", "Benali")
        self.zoe = factories.enrolled(self.course, "Zoé", "Lambert")
        activity = factories.activity(self.course, "1A", created_by_id=self.teacher.id)
        item = factories.competence("1A").id
        db.session.add(LineItem(course_id=self.course.id, item_id=item, maximum=4))
        factories.group(self.course, "A", self.adam, self.zoe)
        for pupil in (self.adam, self.zoe):
            factories.assessment(activity, "1A", pupil, 3, self.teacher)
            db.session.add(
                ScoreDelivery(
                    course_id=self.course.id,
                    item_id=item,
                    person_id=pupil.id,
                    maximum=4,
                    comment="",
                    timestamp=utcnow(),
                    state=DeliveryState.SENT,
                )
            )
        db.session.commit()
        for person in (self.adam, self.zoe, self.teacher):
            factories.open_session(app, self.course, person)
        db.session.rollback()

    def last_seen(self, *people: Person, ago: timedelta) -> None:
        begin_write()
        ids = [person.id for person in people]
        db.session.execute(sa.update(Person).where(Person.id.in_(ids)).values(seen_at=utcnow() - ago))
        db.session.commit()


def rows() -> dict[str, int]:
    models = (
        Person,
        GroupMember,
        Enrolment,
        Assessment,
        ScoreDelivery,
        LaunchSession,
        Course,
        Activity,
        LineItem,
    )
    return {
        model.__tablename__: db.session.scalar(sa.select(sa.func.count()).select_from(model)) or 0
        for model in models
    }


def test_a_pupil_is_erased_with_all_that_is_theirs_and_nothing_of_another(any_app: Flask) -> None:
    of = Class(any_app)
    assert rows() == {
        "person": 3,
        "course_group_member": 2,
        "enrolment": 3,
        "assessment": 2,
        "score_delivery": 2,
        "launch_session": 3,
        "course": 1,
        "activity": 1,
        "line_item": 1,
    }
    db.session.rollback()
    begin_write()
    gone = erase_people(db.session, [of.adam.id])
    db.session.commit()
    assert (gone.people, gone.entries) == (1, 1)
    assert rows() == {
        "person": 2,
        "course_group_member": 1,
        "enrolment": 2,
        "assessment": 1,
        "score_delivery": 1,
        "launch_session": 2,
        "course": 1,
        "activity": 1,
        "line_item": 1,
    }
    assert db.session.scalars(sa.select(Assessment.person_id)).all() == [of.zoe.id]
    assert stored_people(db.session) == {"people": 2, "entries": 1, "scores": 1}


def test_a_teacher_who_is_erased_leaves_the_pupils_their_results_without_a_name(any_app: Flask) -> None:
    of = Class(any_app)
    begin_write()
    erase_people(db.session, [of.teacher.id])
    db.session.commit()
    found = rows()
    assert (found["assessment"], found["activity"], found["enrolment"], found["launch_session"]) == (
        2,
        1,
        2,
        2,
    )
    author = db.session.get_one(Person, of.teacher.id)
    assert (author.given_name, author.family_name, author.name) == ("", "", "")
    assert author.sub.startswith("erased:")
    assert author.seen_at is None
    assert db.session.scalars(sa.select(Activity.created_by_id)).all() == [None]
    assert set(db.session.scalars(sa.select(Assessment.assessor_id))) == {of.teacher.id}
    db.session.rollback()
    begin_write()
    erase_people(db.session, [of.adam.id, of.zoe.id, of.teacher.id])
    db.session.commit()
    assert rows()["person"] == 0, "when their entries go, the nameless row goes too"


def test_people_not_seen_for_the_settings_months_are_erased_and_those_seen_a_second_later_stay(
    any_app: Flask,
) -> None:
    of, config = Class(any_app), any_app.extensions["spirale_config"]
    now = utcnow()
    of.last_seen(of.adam, ago=YEAR + TICK)
    of.last_seen(of.zoe, of.teacher, ago=YEAR - timedelta(minutes=1))
    assert count_forgotten(db.session, config, now) == 1
    db.session.rollback()

    keep_house(config, now)

    assert set(db.session.scalars(sa.select(Person.id))) == {of.zoe.id, of.teacher.id}
    trace = db.session.get_one(WorkerTrace, 1)
    assert (trace.seen_at, trace.erased_at, trace.erased_people) == (now, now, 1)
    assert count_forgotten(db.session, config, now) == 0


def test_people_are_erased_in_batches_and_the_day_is_summed(any_app: Flask) -> None:
    of, config = Class(any_app), any_app.extensions["spirale_config"]
    of.last_seen(of.adam, of.zoe, of.teacher, ago=2 * YEAR)
    retention_batch, retention.BATCH = retention.BATCH, 2
    try:
        now = utcnow()
        keep_house(config, now)
        # The teacher goes first, and stays without a name until the last entry they made is gone.
        assert rows()["person"] == 2
        db.session.rollback()
        keep_house(config, now)
    finally:
        retention.BATCH = retention_batch
    assert rows()["person"] == 0
    assert db.session.get_one(WorkerTrace, 1).erased_people == 3
    db.session.rollback()
    assert erase_forgotten(config, now).people == 0


def test_a_launch_and_a_class_list_count_as_being_seen_once_a_day(any_app: Flask) -> None:
    of = Class(any_app)
    now = utcnow()
    of.last_seen(of.adam, of.zoe, ago=YEAR)
    adam = db.session.get_one(Person, of.adam.id, populate_existing=True)
    see_person(adam, now)
    assert adam.seen_at == now
    see_person(adam, now + SEEN_EVERY - TICK)
    assert adam.seen_at == now
    see_person(adam, now + SEEN_EVERY)
    assert adam.seen_at == now + SEEN_EVERY
    course = db.session.get_one(Course, of.course.id)
    keep_roster(db.session, course, [Member(of.zoe.sub, frozenset(), "Zoé", "Lambert", "")], now)
    assert db.session.get_one(Person, of.zoe.id).seen_at == now
    db.session.rollback()


def test_refusals_are_counted_by_reason_and_day_and_swept(any_app: Flask) -> None:
    begin_write()
    one, two = factories.platform(), factories.platform()
    now = utcnow()
    for platform, reason, at in (
        (one, Refusal.EXPIRED, now),
        (one, Refusal.EXPIRED, now),
        (one, Refusal.BAD_SIGNATURE, now),
        (one, Refusal.EXPIRED, now - KEPT - timedelta(days=1)),
        (two, Refusal.EXPIRED, now - KEPT),
    ):
        count_refusal(db.session, platform.id, reason, at)
    db.session.commit()
    counted = sa.select(LaunchRefusal.platform_id, LaunchRefusal.reason, LaunchRefusal.count)
    assert sorted(tuple(row) for row in db.session.execute(counted)) == [
        (one.id, "bad_signature", 1),
        (one.id, "expired", 1),
        (one.id, "expired", 2),
        (two.id, "expired", 1),
    ]
    db.session.rollback()
    keep_house(any_app.extensions["spirale_config"], now)
    assert sorted(tuple(row) for row in db.session.execute(counted)) == [
        (one.id, "bad_signature", 1),
        (one.id, "expired", 2),
        (two.id, "expired", 1),
    ]


def test_a_platforms_last_launch_is_noted_at_most_once_a_minute(any_app: Flask) -> None:
    begin_write()
    platform = factories.platform()
    now = utcnow()
    for later, noted in (
        (timedelta(), now),
        (NOTED_EVERY - TICK, now),
        (NOTED_EVERY, now + NOTED_EVERY),
    ):
        note_launch(db.session, platform, now + later)
        db.session.refresh(platform)
        assert platform.launched_at == noted
    assert isinstance(platform, Platform)


def test_the_log_is_kept_for_the_settings_months(any_app: Flask) -> None:
    config, now = any_app.extensions["spirale_config"], utcnow()
    begin_write()
    for ago in (config.retention.log + TICK, config.retention.log - timedelta(minutes=1)):
        db.session.add(AdminEvent(at=now - ago, administrator_id=None, what="invited"))
    db.session.commit()
    keep_house(config, now)
    assert db.session.scalar(sa.select(sa.func.count()).select_from(AdminEvent)) == 1


def test_the_workers_sweep_keeps_house(any_app: Flask) -> None:
    sweep(any_app)
    assert utcnow() - db.session.get_one(WorkerTrace, 1).seen_at < timedelta(seconds=20)
