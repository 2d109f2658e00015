"""What pupils say and ask: rows, on both databases."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa
from flask import Flask

from lti_tool.activities.models import Activity
from lti_tool.administration.person import export_person
from lti_tool.administration.replacing import replace_platform
from lti_tool.administration.retention import erase_people
from lti_tool.assessment.entries import observations
from lti_tool.assessment.models import Assessment, ObservationRequest, SelfPosition
from lti_tool.assessment.observation_requests import Asked, ask, close, open_requests, requests_of, withdraw
from lti_tool.assessment.self_positions import (
    LONGEST_EVIDENCE,
    SelfDraft,
    add_self_position,
    host_of,
    newest_by_item,
    self_positions,
)
from lti_tool.courses.models import Course, Person, Role
from lti_tool.db import begin_write, db
from lti_tool.errors import BadInput, NotFound
from lti_tool.lti.models import Deployment
from tests import factories

NOW = datetime(2027, 3, 19, 10, tzinfo=UTC)
GOOD = SelfDraft(level="3", complexity="2", evidence="J’ai reformulé deux fois.")


class World:
    """A course, a teacher, two pupils, one activity in 1A and 1C."""

    def __init__(self) -> None:
        begin_write()
        self.course: Course = factories.course()
        self.teacher = factories.enrolled(self.course, "Claire", "Morel", Role.TEACHER)
        self.adam = factories.enrolled(self.course, "Adam", "Benali")
        self.zoe = factories.enrolled(self.course, "Zoé", "Lambert")
        self.activity: Activity = factories.activity(self.course, "1A", "1C", complexity=3)
        self.item = factories.competence("1A")
        db.session.flush()

    def say(self, draft: SelfDraft = GOOD, activity: Activity | None = None, **more: object) -> SelfPosition:
        who: Person = more.get("who", self.adam)  # type: ignore[assignment]
        return add_self_position(db.session, self.course.id, who.id, self.item, activity, draft, NOW)

    def asked(self, person: Person | None = None) -> Asked:
        return requests_of(db.session, self.course.id, (person or self.adam).id)[self.item.id]

    def assess(self, value: str | int, at: datetime) -> Assessment:
        made = Assessment(
            key=f"{next(factories._numbers)}",
            activity_id=self.activity.id,
            item_id=self.item.id,
            person_id=self.adam.id,
            assessor_id=self.teacher.id,
            level=value if isinstance(value, int) else None,
            code=value if isinstance(value, str) and value else None,
            comment="",
            created_at=at,
        )
        db.session.add(made)
        db.session.flush()
        return made


@pytest.fixture
def world(any_app: Flask) -> World:
    return World()


# ----- what is said -----


def test_each_word_is_added_and_the_newest_counts(in_app: Flask) -> None:
    world = World()
    first = world.say()
    second = world.say(SelfDraft(level="2", complexity="1", evidence="Trop vite."))
    found = self_positions(db.session, world.course.id, world.adam.id)
    assert [one.id for one in found] == [second.id, first.id]
    assert newest_by_item(found)[world.item.id].level == 2
    assert self_positions(db.session, world.course.id, world.zoe.id) == []


def test_the_same_thing_sent_twice_is_said_once(in_app: Flask) -> None:
    world = World()
    assert world.say().id == world.say().id
    assert db.session.scalar(sa.select(sa.func.count(SelfPosition.id))) == 1


def test_about_an_activity_the_complexity_is_the_activitys(in_app: Flask) -> None:
    world = World()
    said = world.say(SelfDraft(level="4", complexity="1", evidence="Au stand."), world.activity)
    assert (said.complexity, said.activity_id) == (3, world.activity.id)


def test_it_is_never_an_observation(in_app: Flask) -> None:
    world = World()
    world.say(activity=world.activity)
    assert observations(db.session, world.course.id) == []
    assert db.session.scalar(sa.select(sa.func.count(Assessment.id))) == 0


REFUSED = [
    ({"level": ""}, "level"),
    ({"level": "5"}, "level"),
    ({"level": "²"}, "level"),
    ({"complexity": ""}, "complexity"),
    ({"complexity": "4"}, "complexity"),
    ({"evidence": ""}, "evidence"),
    ({"evidence": "x" * (LONGEST_EVIDENCE + 1)}, "evidence"),
    ({"link": "javascript:alert(1)"}, "link"),
    ({"link": "ftp://example.org/x"}, "link"),
    ({"link": "data:text/html,x"}, "link"),
    ({"link": "https://example.org/ a"}, "link"),
    ({"link": "https://lycee.example.org@evil.example"}, "link"),
    ({"link": "//example.org"}, "link"),
    ({"link": "https://[x"}, "link"),
]
"""What was typed wrong in an otherwise good form, and the field that says so."""


def test_what_is_wrong_is_said_by_field_and_nothing_is_written(in_app: Flask) -> None:
    world = World()
    for wrong, field in REFUSED:
        with pytest.raises(BadInput) as refused:
            world.say(SelfDraft(**{"level": "3", "complexity": "2", "evidence": "Fait.", **wrong}))
        assert set(refused.value.problems) == {field}, wrong
    assert db.session.scalar(sa.select(sa.func.count(SelfPosition.id))) == 0


def test_a_link_alone_is_enough_and_its_host_is_known(in_app: Flask) -> None:
    world = World()
    for link, host in (
        ("https://nuage.example.org/photo?id=1", "nuage.example.org"),
        ("http://127.0.0.1:8000/x", "127.0.0.1"),
    ):
        said = world.say(SelfDraft(level="3", complexity="2", link=link))
        assert (said.link, said.evidence, host_of(said.link)) == (link, "", host)


def test_what_was_said_cannot_be_changed_even_by_hand(world: World) -> None:
    said = world.say()
    db.session.commit()
    for column in ("level", "complexity", "evidence", "link", "activity_id", "created_at"):
        begin_write()
        change = sa.text(f"UPDATE self_position SET {column} = {column} WHERE id = :id")  # noqa: S608 - fixed words
        with pytest.raises(sa.exc.DBAPIError, match="only added"):
            db.session.execute(change, {"id": said.id})
        db.session.rollback()


# ----- what is asked -----


def test_a_request_is_open_until_a_teacher_closes_it_with_a_word(in_app: Flask) -> None:
    world = World()
    ask(db.session, world.course.id, world.adam.id, world.item.id, NOW)
    assert world.asked().open
    later = NOW + timedelta(hours=1)
    close(db.session, world.course.id, world.adam.id, world.item.id, world.teacher.id, " Vendredi. ", later)
    closed = world.asked()
    assert not closed.open
    row = closed.request
    assert (row.closed_at, row.closed_by_id, row.answer) == (later, world.teacher.id, "Vendredi.")
    close(db.session, world.course.id, world.adam.id, world.item.id, world.teacher.id, "Encore", later)
    assert world.asked().request.answer == "Vendredi.", "a closed one stays as it is"


def test_asking_twice_is_one_request_with_its_first_date_and_again_after_an_answer_is_a_new_one(
    world: World,
) -> None:
    for moment in (NOW, NOW + timedelta(days=1)):
        ask(db.session, world.course.id, world.adam.id, world.item.id, moment)
    assert world.asked().request.asked_at == NOW
    withdraw(db.session, world.course.id, world.adam.id, world.item.id, NOW + timedelta(days=2))
    assert (world.asked().open, world.asked().request.closed_by_id) == (False, None)
    again = NOW + timedelta(days=3)
    ask(db.session, world.course.id, world.adam.id, world.item.id, again)
    row = world.asked().request
    assert (world.asked().open, row.asked_at, row.closed_at, row.answer) == (True, again, None, "")
    assert db.session.scalar(sa.select(sa.func.count(ObservationRequest.id))) == 1


def test_a_level_typed_afterwards_closes_it_by_itself(world: World) -> None:
    world.assess(2, NOW - timedelta(seconds=1))
    ask(db.session, world.course.id, world.adam.id, world.item.id, NOW)
    assert world.asked().open, "what was seen before is no answer"
    world.assess("ABS", NOW + timedelta(hours=1))
    assert world.asked().open, "a code is no answer"
    world.assess(3, NOW + timedelta(hours=2))
    assert (world.asked().open, world.asked().assessed) == (False, True)
    assert open_requests(db.session, world.course.id, [world.adam.id]) == []
    world.assess("", NOW + timedelta(hours=3))
    assert world.asked().open, "the level was a mistake, withdrawn since"


def test_only_a_level_of_that_pupil_competence_and_course_answers(in_app: Flask) -> None:
    world = World()
    ask(db.session, world.course.id, world.adam.id, world.item.id, NOW)
    factories.assessment(world.activity, "1C", world.adam, 3, world.teacher)
    factories.assessment(world.activity, "1A", world.zoe, 3, world.teacher)
    other = factories.course(world.course.platform)
    factories.assessment(factories.activity(other, "1A"), "1A", world.adam, 3, world.teacher)
    assert world.asked().open


def test_open_requests_are_those_of_the_named_pupils_the_oldest_first(in_app: Flask) -> None:
    world = World()
    ask(db.session, world.course.id, world.zoe.id, world.item.id, NOW + timedelta(hours=1))
    ask(db.session, world.course.id, world.adam.id, world.item.id, NOW)
    both = [world.adam.id, world.zoe.id]
    found = open_requests(db.session, world.course.id, both)
    assert [(one.person_id, one.item.code) for one in found] == [(world.adam.id, "1A"), (world.zoe.id, "1A")]
    assert [one.person_id for one in open_requests(db.session, world.course.id, both[1:])] == [world.zoe.id]


def test_what_was_never_asked_cannot_be_closed_nor_answered_at_length(in_app: Flask) -> None:
    world = World()
    with pytest.raises(NotFound):
        close(db.session, world.course.id, world.adam.id, world.item.id, world.teacher.id, "", NOW)
    ask(db.session, world.course.id, world.adam.id, world.item.id, NOW)
    with pytest.raises(BadInput):
        close(db.session, world.course.id, world.adam.id, world.item.id, world.teacher.id, "x" * 501, NOW)
    assert world.asked().open


# ----- whose it is -----


def test_it_is_exported_and_erased_with_the_pupil_and_what_a_teacher_closed_stays_the_pupils(
    world: World,
) -> None:
    world.say()
    world.say(who=world.zoe)
    for person in (world.adam, world.zoe):
        ask(db.session, world.course.id, person.id, world.item.id, NOW)
    close(db.session, world.course.id, world.zoe.id, world.item.id, world.teacher.id, "Lundi", NOW)
    db.session.commit()
    begin_write()

    mine = export_person(db.session, world.adam)
    (said,) = mine["self_position (person_id)"]
    assert (said["level"], said["evidence"], said["item"]) == (3, GOOD.evidence, "1A")
    assert mine["observation_request (person_id)"][0]["item"] == "1A"
    teachers = export_person(db.session, world.teacher)
    assert teachers["others' requests closed"] == 1
    assert "Lundi" not in str(teachers)

    erase_people(db.session, [world.adam.id])
    db.session.flush()
    assert list(db.session.scalars(sa.select(SelfPosition.person_id))) == [world.zoe.id]
    assert list(db.session.scalars(sa.select(ObservationRequest.person_id))) == [world.zoe.id]
    erase_people(db.session, [world.teacher.id])
    row = world.asked(world.zoe).request
    assert (row.answer, row.closed_by_id, row.closed_at) == ("Lundi", None, NOW)


def test_it_follows_when_two_registrations_become_one(world: World) -> None:
    """The pupil said and asked in both; the newer registration's request takes the place of the old one's."""
    old = world.course.platform
    new = factories.platform(issuer=old.issuer, deployments=[Deployment(deployment_id="1")])
    twin = factories.course(new, context_id=world.course.context_id)
    same = factories.enrolled(twin, "Adam", "Benali")
    same.sub = world.adam.sub
    world.say()
    ask(db.session, world.course.id, world.adam.id, world.item.id, NOW)
    add_self_position(db.session, twin.id, same.id, world.item, None, SelfDraft("4", "3", "Au forum."), NOW)
    ask(db.session, twin.id, same.id, world.item.id, NOW + timedelta(days=1))
    old.earlier_years = True
    db.session.commit()
    begin_write()

    replace_platform(db.session, old.id, new.id)
    db.session.commit()

    found = self_positions(db.session, world.course.id, world.adam.id)
    assert [(one.level, one.complexity) for one in found] == [(4, 3), (3, 2)]
    assert world.asked().request.asked_at == NOW + timedelta(days=1)
    assert db.session.scalar(sa.select(sa.func.count(ObservationRequest.id))) == 1
    assert new.earlier_years, "what was allowed for this LMS still is"
