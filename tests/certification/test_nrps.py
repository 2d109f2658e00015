"""1EdTech's certification, Names and Role Provisioning: the class is read with the right media type and scope."""

from __future__ import annotations

import sqlalchemy as sa

from lti_tool.courses.models import Enrolment, Person, Role
from lti_tool.db import db
from lti_tool.demo.people import MRC1, MRC1_PUPILS
from tests.certification.recording import record
from tests.platform import DemoWorld

MEMBERSHIPS = f"/lti/courses/{MRC1.id}/memberships"
CONTAINER = "application/vnd.ims.lti-nrps.v2.membershipcontainer+json"
SCOPE = "https://purl.imsglobal.org/spec/lti-nrps/scope/contextmembership.readonly"


def test_the_roster_is_asked_with_its_media_type_and_its_scope(world: DemoWorld) -> None:
    recorder = record(world)
    world.launch(world.browser("Claire Morel"))
    world.open_course()
    asked = recorder.of("GET", MEMBERSHIPS)
    assert asked
    assert {one.accept for one in asked} == {CONTAINER}
    assert {one.status for one in asked} == {200}
    assert all(one.authorization.startswith("Bearer ") for one in asked)
    token = next(one for one in recorder.of("POST", "/lti/token") if SCOPE in one.form()["scope"])
    assert token.form()["scope"] == SCOPE
    assert token.form()["grant_type"] == "client_credentials"
    assert token.form()["client_assertion_type"] == "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"


def test_members_and_their_roles_are_read(world: DemoWorld) -> None:
    course_id = world.open_course()
    with world.app.app_context():
        rows = db.session.execute(
            sa.select(Person.sub, Person.given_name, Person.family_name, Enrolment.role)
            .join(Enrolment, Enrolment.person_id == Person.id)
            .where(Enrolment.course_id == course_id, Enrolment.active)
        ).all()
    pupils = {(sub, given, family) for sub, given, family, role in rows if role is Role.LEARNER}
    assert pupils >= {(one.sub, one.given_name, one.family_name) for one in MRC1_PUPILS}
    assert ("3", "Claire", "Morel", Role.TEACHER) in [tuple(row) for row in rows]


def test_no_e_mail_is_kept(world: DemoWorld) -> None:
    world.open_course()
    with world.app.app_context():
        assert not any("mail" in name for name in Person.__table__.columns.keys())  # noqa: SIM118
        assert "@" not in repr(db.session.execute(sa.select(Person.__table__)).all())
