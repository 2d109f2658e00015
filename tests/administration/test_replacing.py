"""A tool added again under a new client id: everything follows, nothing is lost, nothing counts twice."""

from __future__ import annotations

import threading
import time
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask

from lti_tool.activities.links import activity_of_link, link_activity
from lti_tool.activities.models import Activity, ActivityLink
from lti_tool.administration.replacing import Replacement, replace_platform
from lti_tool.administration.repointing import references
from lti_tool.assessment.decisions import policy_of, standing_decisions
from lti_tool.assessment.models import Assessment, Decision, PolicySettings
from lti_tool.assessment.policies import Policy
from lti_tool.courses.entry import find_session
from lti_tool.courses.groups import groups_of, members
from lti_tool.courses.models import Course, Enrolment, LaunchSession, Person, ResourceLink, Role
from lti_tool.db import Base, begin_write, db, utcnow
from lti_tool.errors import BadInput, NotFound
from lti_tool.gradebook.models import (
    DeliveryState,
    GradebookSettings,
    LineItem,
    PlatformPause,
    ScoreDelivery,
)
from lti_tool.gradebook.scores import current_values
from lti_tool.lti.models import Deployment, Login, Platform
from tests import factories

ISSUER = "https://lms.example.org"


class Two:
    """An LMS where the tool was added twice, and what a test does with both registrations."""

    def __init__(self) -> None:
        begin_write()
        self.old = factories.platform(
            issuer=ISSUER, client_id="old", name="Old", deployments=[Deployment(deployment_id="1")]
        )
        self.new = factories.platform(
            issuer=ISSUER, client_id="new", name="New", deployments=[Deployment(deployment_id="2")]
        )
        db.session.commit()

    def course(self, of: Platform, context: str = "7", **values: Any) -> Course:
        made = factories.course(
            of, context_id=context, lineitems_url=f"{ISSUER}/7/lineitems?type={of.client_id}", **values
        )
        made.memberships_url = f"{ISSUER}/7/members?type={of.client_id}"
        return made

    def person(self, into: Course, sub: str, role: Role = Role.LEARNER, **values: Any) -> Person:
        made = factories.enrolled(into, values.pop("given", "Adam"), "Benali", role, **values)
        made.sub = sub
        db.session.flush()
        return made

    def replace(self, **deployments: str) -> Replacement:
        db.session.commit()
        begin_write()
        done = replace_platform(db.session, self.old.id, self.new.id, deployments)
        db.session.commit()
        db.session.expire_all()
        return done


@pytest.fixture
def two(any_app: Flask) -> Two:
    return Two()


def column(of: Course, code: str, url: str = "", **values: Any) -> LineItem:
    made = LineItem(course_id=of.id, item_id=factories.competence(code).id, url=url, maximum=4, **values)
    db.session.add(made)
    db.session.flush()
    return made


def delivery(of: Course, code: str, to: Person, state: DeliveryState, **values: Any) -> ScoreDelivery:
    made = ScoreDelivery(
        **{
            "course_id": of.id,
            "item_id": factories.competence(code).id,
            "person_id": to.id,
            "score": Decimal(3),
            "maximum": 4,
            "level": 3,
            "comment": "vu",
            "timestamp": utcnow() - timedelta(days=1),
            "state": state,
            **values,
        }
    )
    db.session.add(made)
    db.session.flush()
    return made


def rows(model: type[Base]) -> int:
    return db.session.scalar(sa.select(sa.func.count()).select_from(model)) or 0


# ----- courses that only the old one had -----


def test_a_course_follows_with_its_people_results_columns_deliveries_links_and_sessions(two: Two) -> None:
    course = two.course(two.old)
    teacher, pupil = two.person(course, "u5", Role.TEACHER), two.person(course, "u6")
    activity = factories.activity(course, "1A", created_by_id=teacher.id)
    entry = factories.assessment(activity, "1A", pupil, 3, teacher)
    kept = column(course, "1A", f"{ISSUER}/column/1?type=old")
    waiting = delivery(course, "1A", pupil, DeliveryState.WAITING)
    link = ResourceLink(course_id=course.id, link_id="40")
    db.session.add(link)
    db.session.flush()
    link_activity(db.session, link, activity)
    settings = factories.gradebook_settings(course, conversion="table")

    done = two.replace()

    assert (done.moved, done.merged, done.people, done.merged_people) == (["2MRC1"], [], 2, 0)
    assert (done.activities, done.entries, done.columns, done.waiting) == (1, 1, 1, 1)
    assert (course.platform_id, course.deployment_id) == (two.new.id, two.new.deployments[0].id)
    assert {p.platform_id for p in (teacher, pupil)} == {two.new.id}
    assert (entry.person_id, entry.assessor_id, entry.level) == (pupil.id, teacher.id, 3)
    assert activity.created_by_id == teacher.id
    assert (waiting.course_id, waiting.person_id, waiting.state) == (course.id, pupil.id, "waiting")
    assert activity_of_link(db.session, link) == activity
    assert settings.conversion == "table"
    assert (kept.url, kept.lost, kept.gone) == ("", True, False)
    assert [rows(model) for model in (Course, Person, Enrolment, Assessment, ScoreDelivery)] == [
        1,
        2,
        2,
        1,
        1,
    ]


def test_nothing_is_sent_to_the_old_addresses(two: Two) -> None:
    course = two.course(two.old)
    without = two.course(two.old, "8")
    without.lineitems_url = ""
    two.replace()
    assert (course.awaits_launch, course.memberships_url, course.roster_read_at) == (True, "", None)
    assert course.lineitems_url != "", "scores typed meanwhile are written, and wait"
    assert without.awaits_launch is False


def test_the_old_one_ends_disabled_and_the_new_one_has_its_origins(two: Two) -> None:
    two.old.frame_origins, two.new.frame_origins = ["https://ent.example.org"], ["https://new.example.org"]
    two.old.family = "moodle"
    login = Login(
        state_hash="s",
        nonce_hash="n",
        browser_hash="b",
        platform_id=two.old.id,
        target_link_uri="x",
        expires_at=utcnow(),
    )
    db.session.add_all([login, PlatformPause(platform_id=two.old.id, until=utcnow(), reason="later")])
    two.replace()
    assert (two.old.enabled, two.new.enabled) == (False, True)
    assert two.new.frame_origins == ["https://new.example.org", "https://ent.example.org"]
    assert two.new.family == "moodle"
    assert (rows(Login), rows(PlatformPause)) == (0, 0)


def test_an_open_session_goes_on(two: Two, any_app: Flask) -> None:
    course = two.course(two.old)
    teacher = two.person(course, "u5", Role.TEACHER)
    db.session.commit()
    sid, browser, _csrf = factories.open_session(any_app, course, teacher)
    assert two.replace().sessions == 1
    found = find_session(db.session, sid, browser, utcnow(), any_app.extensions["spirale_config"])
    assert found is not None
    assert (found.session.course_id, found.session.person_id) == (course.id, teacher.id)
    assert found.session.deployment.platform_id == two.new.id


# ----- courses that both have -----


def test_a_course_that_both_have_is_one_with_the_entries_of_both(two: Two) -> None:
    course, same = two.course(two.old), two.course(two.new, title="Seconde MRC 1 (2027)", label="2MRC1")
    teacher, pupil = two.person(course, "u5", Role.TEACHER), two.person(course, "u6")
    teacher_again, pupil_again = two.person(same, "u5", Role.TEACHER), two.person(same, "u6", given="Adam L.")
    before = factories.assessment(factories.activity(course, "1A"), "1A", pupil, 2, teacher)
    activity = factories.activity(same, "1A", created_by_id=teacher_again.id)
    after = factories.assessment(activity, "1A", pupil_again, 4, teacher_again, comment="bien")
    keys = (before.id, before.key, after.id, after.key, after.created_at)

    done = two.replace()

    assert (done.moved, done.merged, done.merged_people) == ([], ["2MRC1"], 2)
    assert db.session.scalars(sa.select(Course)).one().id == course.id
    assert (course.title, course.platform_id) == ("Seconde MRC 1 (2027)", two.new.id)
    assert course.lineitems_url.endswith("type=new")
    assert (course.memberships_url.endswith("type=new"), course.awaits_launch) == (True, False)
    assert {p.sub: (p.id, p.given_name) for p in db.session.scalars(sa.select(Person))} == {
        "u5": (teacher.id, "Adam"),
        "u6": (pupil.id, "Adam L."),
    }
    found = list(db.session.scalars(sa.select(Assessment).order_by(Assessment.id)))
    assert [(e.person_id, e.assessor_id, e.level, e.comment) for e in found] == [
        (pupil.id, teacher.id, 2, ""),
        (pupil.id, teacher.id, 4, "bien"),
    ]
    assert (found[0].id, found[0].key, found[1].id, found[1].key, found[1].created_at) == keys
    assert {(a.course_id, a.created_by_id) for a in db.session.scalars(sa.select(Activity))} == {
        (course.id, None),
        (course.id, teacher.id),
    }


def test_an_entry_typed_after_a_replacement_has_a_number_of_its_own(two: Two) -> None:
    course, same = two.course(two.old), two.course(two.new)
    two.person(course, "u6")
    again = two.person(same, "u6")
    factories.assessment(factories.activity(same, "1A"), "1A", again, 4, again)
    two.replace()
    pupil = db.session.scalars(sa.select(Person)).one()
    activity = db.session.scalars(sa.select(Activity)).one()
    newest = factories.assessment(activity, "1A", pupil, 2, pupil)
    db.session.commit()
    assert rows(Assessment) == 2
    assert newest.id == db.session.scalar(sa.select(sa.func.max(Assessment.id)))


def test_enrolments_become_one_and_numbers_stay_apart(two: Two) -> None:
    course, same = two.course(two.old), two.course(two.new)
    long_ago, lately = utcnow() - timedelta(days=90), utcnow()
    two.person(course, "u6", number=3, label="Le grand", launched_at=long_ago, launched_as="learner")
    two.person(course, "u7", number=9, launched_at=lately, launched_as="teacher")
    two.person(same, "u8", number=1)
    two.person(
        same, "u6", Role.OBSERVER, number=2, in_roster=True, launched_at=lately, launched_as="observer"
    )
    two.person(same, "u7", number=5, active=False, label="Neuf", launched_at=long_ago, launched_as="learner")

    two.replace()

    found = db.session.execute(sa.select(Enrolment, Person.sub).join(Person).order_by(Enrolment.number))
    assert [
        (sub, e.number, e.role, e.active, e.in_roster, e.launched_as, e.label, e.course_id)
        for e, sub in found
    ] == [
        ("u6", 3, Role.OBSERVER, True, True, "observer", "Le grand", course.id),
        ("u7", 9, Role.LEARNER, False, False, "teacher", "Neuf", course.id),
        ("u8", 10, Role.LEARNER, True, False, "", "", course.id),
    ]


def test_decisions_of_both_are_kept_the_newest_counts_and_the_present_policy_stays(two: Two) -> None:
    course, same = two.course(two.old), two.course(two.new)
    adam, teacher = two.person(course, "u6"), two.person(course, "u1", Role.TEACHER)
    again, still = two.person(same, "u6"), two.person(same, "u1", Role.TEACHER)
    factories.decision(course, "1A", adam, 2, teacher)
    factories.decision(course, "1C", adam, 3, teacher)
    newest = factories.decision(same, "1A", again, 4, still)
    db.session.add(PolicySettings(course_id=course.id, policy="mean"))
    db.session.add(PolicySettings(course_id=same.id, policy="best", minimum=3))

    two.replace()

    standing = standing_decisions(db.session, course.id)
    assert {(who, found.item.code, found.level) for (who, _item), found in standing.items()} == {
        (adam.id, "1A", 4),
        (adam.id, "1C", 3),
    }
    assert newest.decider_id == teacher.id
    assert rows(Decision) == 3
    assert policy_of(db.session, course.id) == Policy("best", minimum=3)


def test_groups_of_one_name_become_one_and_their_activities_follow(two: Two) -> None:
    course, same = two.course(two.old), two.course(two.new)
    adam, lina = two.person(course, "u6"), two.person(same, "u7", number=2)
    again = two.person(same, "u6", number=1)
    ours, theirs = factories.group(course, "A", adam), factories.group(same, "A", again, lina)
    other = factories.group(same, "B", lina)
    activity = factories.activity(same, "1A", group_id=theirs.id)

    two.replace()

    assert [(one.id, one.name) for one in groups_of(db.session, course.id)] == [
        (ours.id, "A"),
        (other.id, "B"),
    ]
    assert members(db.session, course.id) == {ours.id: {adam.id, lina.id}, other.id: {lina.id}}
    assert activity.group_id == ours.id


def test_a_link_that_both_have_opens_what_was_chosen_last(two: Two) -> None:
    course, same = two.course(two.old), two.course(two.new)
    first, second = factories.activity(course, "1A"), factories.activity(same, "1A")
    for place, link_id, activity in ((course, "40", first), (course, "41", first), (same, "40", second)):
        link = ResourceLink(course_id=place.id, link_id=link_id, title=f"{link_id} {place.id}")
        db.session.add(link)
        db.session.flush()
        link_activity(db.session, link, activity)
    db.session.add(ResourceLink(course_id=same.id, link_id="42"))
    new_title = f"40 {same.id}"

    two.replace()

    found = db.session.scalars(sa.select(ResourceLink).order_by(ResourceLink.link_id)).all()
    assert [(link.link_id, link.course_id) for link in found] == [(n, course.id) for n in ("40", "41", "42")]
    opened = [activity_of_link(db.session, link) for link in found]
    assert opened == [second, first, None]
    assert found[0].title == new_title
    assert rows(ActivityLink) == 2


def test_an_activitys_own_column_goes_on_with_its_link_and_nothing_waits_twice(two: Two) -> None:
    course, same = two.course(two.old), two.course(two.new)
    pupil, again = two.person(course, "u6"), two.person(same, "u6")
    links = [ResourceLink(course_id=one.id, link_id="40") for one in (course, same)]
    db.session.add_all(links)
    db.session.flush()
    own = [
        delivery(one, "1A", who, DeliveryState.WAITING, item_id=None, link_id=link.id)
        for one, who, link in ((course, pupil, links[0]), (same, again, links[1]))
    ]

    two.replace()

    assert [(d.link_id, d.person_id, d.course_id) for d in own] == [(links[0].id, pupil.id, course.id)] * 2
    assert [(d.state, d.reason) for d in own] == [("replaced", "moved"), ("waiting", "")]


def test_the_new_columns_get_what_the_old_entries_change_and_nothing_twice(two: Two) -> None:
    course, same = two.course(two.old), two.course(two.new)
    teacher, pupil = two.person(course, "u5", Role.TEACHER), two.person(course, "u6")
    again = two.person(same, "u6")
    early, late = factories.activity(course, "1A", "1C"), factories.activity(same, "1A", complexity=1)
    factories.assessment(early, "1A", pupil, 2, teacher)
    factories.assessment(early, "1C", pupil, 3, teacher)
    factories.assessment(late, "1A", again, 4, teacher)
    column(course, "1A", f"{ISSUER}/old/1A")
    column(course, "1C", f"{ISSUER}/old/1C")
    kept = column(same, "1A", f"{ISSUER}/new/1A")
    old_sent = delivery(course, "1A", pupil, DeliveryState.SENT, reason="no_answer")
    old_waiting = delivery(course, "1A", pupil, DeliveryState.WAITING)
    other_waiting = delivery(course, "1C", pupil, DeliveryState.WAITING)
    new_waiting = delivery(same, "1A", again, DeliveryState.WAITING)

    done = two.replace()

    found = {c.item.code: (c.url, c.lost, c.course_id) for c in db.session.scalars(sa.select(LineItem))}
    assert found == {
        "1A": (f"{ISSUER}/new/1A", False, course.id),
        "1C": ("", True, course.id),
    }
    assert kept.course_id == course.id
    for given_up in (old_sent, old_waiting):
        assert (given_up.state, given_up.reason) == (DeliveryState.REPLACED, "moved")
    open_ = db.session.scalars(
        sa.select(ScoreDelivery).where(ScoreDelivery.state == DeliveryState.WAITING).order_by("item_id")
    ).all()
    value = current_values(db.session, course)[pupil.id, factories.competence("1A").id]
    assert [(d.item.code, d.person_id) for d in open_] == [("1A", pupil.id), ("1C", pupil.id)]
    assert (open_[0].score, open_[0].comment) == (value.score, value.comment)
    assert "2 situations" in open_[0].comment
    assert new_waiting.state is DeliveryState.REPLACED
    assert other_waiting.state is DeliveryState.REPLACED, "a comment that is out of date"
    assert done.sent_again == 2


def test_what_the_new_column_already_holds_is_not_sent_again(two: Two) -> None:
    course, same = two.course(two.old), two.course(two.new)
    two.person(course, "u6")
    again = two.person(same, "u6")
    factories.assessment(factories.activity(same, "1A"), "1A", again, 3, again)
    column(same, "1A", f"{ISSUER}/new/1A")
    value = current_values(db.session, same)[again.id, factories.competence("1A").id]
    delivery(same, "1A", again, DeliveryState.SENT, comment=value.comment, score=value.score)
    assert two.replace().sent_again == 0
    assert rows(ScoreDelivery) == 1


def test_settings_that_both_have_are_the_new_ones(two: Two) -> None:
    course, same = two.course(two.old), two.course(two.new)
    factories.gradebook_settings(course, minimum=2)
    factories.gradebook_settings(same, minimum=3)
    two.replace()
    found = db.session.scalars(sa.select(GradebookSettings)).one()
    assert (found.course_id, found.minimum) == (course.id, 3)


def test_where_the_new_one_names_no_columns_the_course_awaits_a_launch(two: Two) -> None:
    course, same = two.course(two.old), two.course(two.new)
    same.lineitems_url, same.ags_scopes = "", []
    two.replace()
    assert (course.awaits_launch, course.lineitems_url.endswith("type=old")) == (True, True)
    assert len(course.ags_scopes) == 3


def test_other_courses_and_people_of_the_new_one_stay_as_they_are(two: Two) -> None:
    two.person(two.course(two.old), "u6")
    own = two.course(two.new, "9")
    theirs = two.person(own, "u6")
    stranger = two.person(own, "u99", given="Zoé")
    elsewhere = factories.course()
    other = factories.enrolled(elsewhere, "Adam", "Benali")
    other.sub = "u6"
    entry = factories.assessment(factories.activity(own, "1A"), "1A", theirs, 1, stranger)
    db.session.commit()
    entry_id, stranger_id = entry.id, stranger.id

    done = two.replace()

    assert done.merged_people == 1
    found = db.session.get_one(Assessment, entry_id)
    assert (found.person.sub, found.assessor_id) == ("u6", stranger_id)
    assert found.person.platform_id == two.new.id
    assert own.platform_id == two.new.id
    assert db.session.scalar(sa.select(sa.func.count()).where(Enrolment.course_id == own.id)) == 2
    assert other.platform_id == elsewhere.platform_id
    assert other.platform_id not in (two.old.id, two.new.id)


# ----- which deployment stands for which -----


def test_a_deployment_of_the_same_name_takes_its_place(two: Two) -> None:
    two.new.deployments.append(Deployment(deployment_id="1"))
    course = two.course(two.old)
    two.replace()
    assert course.deployment_id == two.new.deployments[1].id


def test_a_deployment_that_is_not_plain_is_asked_for(two: Two) -> None:
    two.new.deployments.append(Deployment(deployment_id="3"))
    course = two.course(two.old)
    for wrong in ({}, {"1": "9"}):
        with pytest.raises(BadInput) as refused:
            two.replace(**wrong)
        assert "stands for 1, as OLD=NEW; the new ones: 2, 3" in refused.value.problems["--deployment"]
        db.session.rollback()
    two.replace(**{"1": "3"})
    assert course.deployment_id == two.new.deployments[1].id


def test_two_courses_of_the_old_one_never_become_one(two: Two) -> None:
    two.course(two.old)
    two.old.deployments.append(Deployment(deployment_id="5"))
    db.session.flush()
    two.course(two.old, deployment_id=two.old.deployments[1].id)
    with pytest.raises(BadInput, match="--deployment") as refused:
        two.replace()
    assert "two courses « 7 » would become one" in refused.value.problems["--deployment"]
    db.session.rollback()
    assert rows(Course) == 2


# ----- what is refused -----


def test_what_cannot_be_replaced_is_said(two: Two) -> None:
    stranger = factories.platform()
    db.session.commit()
    with pytest.raises(NotFound, match="platform 999"):
        replace_platform(db.session, two.old.id, 999)
    with pytest.raises(BadInput) as refused:
        replace_platform(db.session, two.old.id, two.old.id)
    assert "itself" in refused.value.problems["NEW"]
    with pytest.raises(BadInput) as refused:
        replace_platform(db.session, two.old.id, stranger.id)
    assert f"another LMS: {stranger.issuer}" in refused.value.problems["NEW"]
    two.new.enabled = False
    with pytest.raises(BadInput) as refused:
        replace_platform(db.session, two.old.id, two.new.id)
    assert "disabled" in refused.value.problems["NEW"]


def test_a_preview_that_is_rolled_back_changes_nothing(two: Two) -> None:
    course, same = two.course(two.old), two.course(two.new)
    again, pupil = two.person(same, "u6"), two.person(course, "u6")
    factories.assessment(factories.activity(same, "1A"), "1A", again, 3, again)
    db.session.commit()

    def everything() -> dict[str, list[Any]]:
        return {
            table.name: sorted(map(repr, db.session.execute(sa.select(table))))
            for table in Base.metadata.sorted_tables
        }

    before = everything()
    db.session.rollback()
    begin_write()
    assert replace_platform(db.session, two.old.id, two.new.id).merged_people == 1
    assert everything() != before
    db.session.rollback()
    assert everything() == before
    assert pupil.id != again.id


def test_replacing_twice_changes_nothing_more(two: Two) -> None:
    course = two.course(two.old)
    two.person(course, "u6")
    two.replace()
    again = two.replace()
    assert (again.moved, again.merged, again.people) == ([], [], 0)
    assert course.platform_id == two.new.id


def test_somebody_who_comes_in_at_the_same_moment_is_not_lost(two: Two, any_app: Flask) -> None:
    course, same = two.course(two.old), two.course(two.new)
    two.person(course, "u6")
    newcomer = Person(platform_id=two.new.id, sub="u7")
    db.session.add(newcomer)
    db.session.commit()
    place, who = same.id, newcomer.id
    there = threading.Event()

    def come_in() -> None:
        """A launch that began just before, and ends during the replacement."""
        with any_app.app_context():
            begin_write()
            db.session.add(Enrolment(course_id=place, person_id=who, role=Role.LEARNER, number=1))
            db.session.flush()
            there.set()
            time.sleep(0.3)
            db.session.commit()
            db.session.close()

    launch = threading.Thread(target=come_in)
    launch.start()
    assert there.wait(10)
    two.replace()
    launch.join(10)

    assert rows(Course) == 1
    found = db.session.execute(sa.select(Enrolment.course_id, Person.sub).join(Person))
    assert sorted(tuple(row) for row in found) == [(course.id, "u6"), (course.id, "u7")]


# ----- tables to come -----


def test_every_table_that_refers_to_a_platform_is_known_to_follow_or_to_stay() -> None:
    followed = {"course.platform_id", "person.platform_id"}
    dropped = {"login.platform_id", "platform_pause.platform_id"}
    stays = {"deployment.platform_id", "invite.platform_id", "launch_refusal.platform_id"}
    found = {f"{column.table.name}.{column.name}" for column in references("platform")}
    assert found - stays == followed | dropped


def test_sessions_of_both_are_of_the_same_person(two: Two, any_app: Flask) -> None:
    course, same = two.course(two.old), two.course(two.new)
    teacher, again = two.person(course, "u5", Role.TEACHER), two.person(same, "u5", Role.TEACHER)
    db.session.commit()
    factories.open_session(any_app, course, teacher)
    factories.open_session(any_app, same, again)
    two.replace()
    found = db.session.execute(
        sa.select(LaunchSession.course_id, LaunchSession.person_id, LaunchSession.deployment_id)
    )
    expected = (course.id, teacher.id, two.new.deployments[0].id)
    assert [tuple(row) for row in found] == [expected, expected]
