"""A course that was copied: its links launch with what they carried in the other course, and offer a copy."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
import sqlalchemy as sa
from flask import Flask
from werkzeug.test import TestResponse

from lti_tool.activities.links import (
    CUSTOM_ACTIVITY,
    CUSTOM_COLUMN,
    CUSTOM_HISTORY,
    CUSTOM_SIGNATURE,
    deep_link_custom,
    sign,
)
from lti_tool.activities.models import Activity, ActivityLink
from lti_tool.assessment.models import Assessment
from lti_tool.courses.models import Course, Enrolment, Person, ResourceLink, Role
from lti_tool.db import db
from lti_tool.frameworks.models import Framework, FrameworkItem
from lti_tool.lti.models import Deployment
from tests import factories
from tests.conftest import SECRET, School, Visitor

from .reading import words

TITLE = "Accueil d’un visiteur au lycée"


@dataclass
class Copied:
    """The school's course, restored from « 2MRC9 », another course of the same platform, with one of its links."""

    school: School
    source: int
    uuid: str
    link: int
    issuer: str

    def come(self, who: str = "teacher", *, link: int | None = None, **custom: str) -> Visitor:
        carried = {CUSTOM_ACTIVITY: self.uuid, **custom}
        return self.school.visit(who, resource_link_id=link or self.link, custom=carried)

    @property
    def signed(self) -> dict[str, str]:
        return {CUSTOM_SIGNATURE: sign(self.uuid, self.issuer, SECRET)}


def new_link(course: Course, number: str = "12") -> ResourceLink:
    link = ResourceLink(course_id=course.id, link_id=number, title="Accueil")
    db.session.add(link)
    db.session.flush()
    return link


@pytest.fixture
def copied(school: School) -> Copied:
    with school.app.app_context():
        here = db.session.merge(school.course)
        there = factories.course(here.platform, context_id="77", label="2MRC9")
        made = factories.activity(
            there, "1A", "1C", situation="Un visiteur attend.", complexity=2, specialities=["A", "V"]
        )
        pupil = factories.enrolled(there, "Inès", "Autre")
        factories.assessment(made, "1A", pupil, 4, pupil, "un secret de l’autre classe")
        link = new_link(here)
        db.session.commit()
        found = Copied(school, made.id, made.uuid, link.id, here.platform.issuer)
        db.session.close()
    return found


def activities_of(school: School) -> list[Activity]:
    query = sa.select(Activity).filter_by(course_id=school.course.id).order_by(Activity.id)
    return list(db.session.scalars(query))


def assert_nothing_of_the_other_class(page: TestResponse) -> None:
    for secret in (TITLE, "2MRC9", "Inès", "un secret", "Un visiteur"):
        assert secret not in page.text


def test_a_restored_link_offers_a_copy_which_one_click_makes(copied: Copied) -> None:
    teacher = copied.come(**{CUSTOM_HISTORY: "77"})
    assert teacher.get("/").headers["Location"].endswith("/link")
    page = teacher.get("/link")
    assert f"Il y ouvrait « {TITLE} » (1A 1C)." in words(page)
    assert "Inès" not in page.text

    answer = teacher.post("/link/copy")

    with copied.school.app.app_context():
        (made,) = activities_of(copied.school)
        assert answer.headers["Location"].endswith(f"/activities/{made.id}/edit?copied=1")
        assert (made.title, made.situation, made.complexity) == (TITLE, "Un visiteur attend.", 2)
        assert (made.specialities, made.copied_from) == (["A", "V"], copied.uuid)
        assert [link.item.code for link in made.competences] == ["1A", "1C"]
        assert made.uuid != copied.uuid
        assert made.ends_on is None
        link = db.session.scalars(sa.select(ActivityLink)).one()
        assert (link.resource_link_id, link.activity_id, link.graded) == (copied.link, made.id, False)
        assert db.session.scalar(sa.select(sa.func.count(Assessment.id))) == 1, "results stay where they are"
        number = made.id
    assert "L’activité est copiée, et ce lien l’ouvre." in words(
        teacher.get(f"/activities/{number}/edit?copied=1")
    )
    assert teacher.get("/").headers["Location"].endswith(f"/activities/{number}/grid")
    pupil = copied.come("Adam")
    assert pupil.get("/").headers["Location"].endswith(f"/activities/{number}")


def test_two_presses_and_two_links_make_one_copy(copied: Copied) -> None:
    with copied.school.app.app_context():
        second = new_link(db.session.merge(copied.school.course), "13").id
        db.session.commit()
    teacher = copied.come(**{CUSTOM_HISTORY: "77"})
    answers = [teacher.post("/link/copy") for _press in range(2)]
    other = copied.come(link=second)

    assert answers[0].headers["Location"] == answers[1].headers["Location"]
    with copied.school.app.app_context():
        (made,) = activities_of(copied.school)
        number = made.id
    assert other.get("/").headers["Location"].endswith(f"/activities/{number}/grid")


def test_the_column_that_the_link_came_with_goes_on_with_the_copy(copied: Copied) -> None:
    copied.come(**{CUSTOM_HISTORY: "77", CUSTOM_COLUMN: "1"}).post("/link/copy")

    with copied.school.app.app_context():
        assert db.session.scalars(sa.select(ActivityLink.graded)).all() == [True]


@pytest.mark.parametrize("asked", [True, False])
def test_it_goes_on_as_well_with_another_activity_that_is_chosen(copied: Copied, asked: bool) -> None:
    with copied.school.app.app_context():
        other = factories.activity(db.session.merge(copied.school.course)).id
        db.session.commit()

    copied.come(**({CUSTOM_COLUMN: "1"} if asked else {})).post("/link", {"activity": str(other)})

    with copied.school.app.app_context():
        link = db.session.scalars(sa.select(ActivityLink)).one()
        assert (link.activity_id, link.graded) == (other, asked)


@pytest.mark.parametrize(
    ("launched_as", "active", "said"),
    [
        (Role.TEACHER, True, "Ce lien vient du cours « 2MRC9 »."),
        (Role.ASSESSOR, True, "Ce lien vient du cours « 2MRC9 »."),
        (Role.LEARNER, True, "Ce lien vient d’un autre cours."),
        (Role.TEACHER, False, "Ce lien vient d’un autre cours."),
        (None, True, "Ce lien vient d’un autre cours."),
    ],
)
def test_the_other_course_is_only_named_to_its_teachers(
    copied: Copied, launched_as: Role | None, active: bool, said: str
) -> None:
    if launched_as:
        with copied.school.app.app_context():
            there = db.session.get_one(Activity, copied.source).course_id
            person = copied.school.people["teacher"].id
            db.session.add(
                Enrolment(
                    course_id=there,
                    person_id=person,
                    role=launched_as,
                    number=99,
                    launched_as=launched_as,
                    active=active,
                )
            )
            db.session.commit()

    assert said in words(copied.come(**{CUSTOM_HISTORY: "77"}).get("/link"))


@pytest.mark.parametrize(
    ("custom", "offered"),
    [
        ({CUSTOM_HISTORY: "77"}, True),
        ({CUSTOM_HISTORY: "5, 77"}, True),
        ({CUSTOM_HISTORY: "5,8"}, False),
        ({CUSTOM_HISTORY: ""}, False),
        ({}, False),
        ({CUSTOM_SIGNATURE: "right"}, True),
        ({CUSTOM_SIGNATURE: "of another activity"}, False),
        ({CUSTOM_SIGNATURE: "of another platform"}, False),
        ({CUSTOM_SIGNATURE: "é"}, False),
    ],
)
def test_only_a_history_or_our_signature_lets_an_activity_leave_its_course(
    copied: Copied, custom: dict[str, str], offered: bool
) -> None:
    known = {
        "right": sign(copied.uuid, copied.issuer, SECRET),
        "of another activity": sign("0" * 36, copied.issuer, SECRET),
        "of another platform": sign(copied.uuid, "https://other.example.org", SECRET),
    }
    teacher = copied.come(**{name: known.get(value, value) for name, value in custom.items()})

    page, answer = teacher.get("/link"), teacher.post("/link/copy")

    assert ("Copier l’activité dans ce cours" in page.text) is offered
    assert answer.status_code == (303 if offered else 404)
    with copied.school.app.app_context():
        assert len(activities_of(copied.school)) == offered
    if not offered:
        assert_nothing_of_the_other_class(page)


@pytest.mark.parametrize(
    "where", ["another platform", "another client of the same issuer", "another deployment"]
)
def test_no_activity_crosses_from_one_tenant_to_another(copied: Copied, where: str) -> None:
    """With everything else right: the history names the course, and the signature is ours."""
    with copied.school.app.app_context():
        source = db.session.get_one(Activity, copied.source).course
        if where == "another deployment":
            deployment = Deployment(platform_id=source.platform_id, deployment_id="2")
            db.session.add(deployment)
            db.session.flush()
            source.deployment_id = deployment.id
        else:
            same = {"issuer": copied.issuer} if where.startswith("another client") else {}
            other = factories.platform(**same)
            source.platform_id, source.deployment_id = other.id, other.deployments[0].id
        db.session.commit()
    teacher = copied.come(**{CUSTOM_HISTORY: "77"}, **copied.signed)

    page = teacher.get("/link")

    assert "Copier l’activité" not in page.text
    assert_nothing_of_the_other_class(page)
    assert teacher.post("/link/copy").status_code == 404


@pytest.mark.parametrize("who", ["assessor", "Adam", "observer"])
def test_only_a_teacher_copies(copied: Copied, who: str) -> None:
    visitor = copied.come(who, **{CUSTOM_HISTORY: "77"})
    home = {"assessor": "/activities", "Adam": "/me", "observer": "/referential"}

    assert visitor.get("/").headers["Location"].endswith(home[who])
    assert visitor.post("/link/copy").status_code == 403
    with copied.school.app.app_context():
        assert activities_of(copied.school) == []


def test_a_copy_of_a_copy_comes_from_the_nearest_course(copied: Copied) -> None:
    with copied.school.app.app_context():
        here = db.session.merge(copied.school.course)
        between = factories.course(here.platform, context_id="78")
        factories.activity(between, "2B", title="Améliorée", copied_from=copied.uuid)
        db.session.commit()

    page = copied.come(**{CUSTOM_HISTORY: "78,77"}, **copied.signed).get("/link")
    first = copied.come(**{CUSTOM_HISTORY: "77"}).get("/link")

    assert "Améliorée" in words(page)
    assert TITLE in words(first)


def test_a_course_takes_up_the_referentials_of_what_is_copied(copied: Copied) -> None:
    with copied.school.app.app_context():
        source = db.session.get_one(Activity, copied.source)
        mcv = sa.select(FrameworkItem).join(Framework).where(Framework.slug == "mcv")
        source.competences[0].item = db.session.scalars(mcv.order_by(FrameworkItem.id)).first()
        db.session.commit()

    copied.come(**{CUSTOM_HISTORY: "77"}).post("/link/copy")

    with copied.school.app.app_context():
        course = db.session.get_one(Course, copied.school.course.id)
        assert course.framework_slugs == ["mrc-seconde", "mcv"]


def test_a_deep_link_carries_what_a_copy_will_need(in_app: Flask) -> None:
    activity = Activity(uuid="u")

    custom = deep_link_custom(activity, "https://lms.example.org", SECRET, column=True)

    assert custom == {
        CUSTOM_ACTIVITY: "u",
        CUSTOM_SIGNATURE: sign("u", "https://lms.example.org", SECRET),
        CUSTOM_HISTORY: "$Context.id.history",
        CUSTOM_COLUMN: "1",
    }
    assert CUSTOM_COLUMN not in deep_link_custom(activity, "https://lms.example.org", SECRET, column=False)


def test_nobody_else_is_in_the_copied_course(copied: Copied) -> None:
    copied.come(**{CUSTOM_HISTORY: "77"}).post("/link/copy")

    with copied.school.app.app_context():
        names = db.session.scalars(
            sa.select(Person.given_name)
            .join(Enrolment, Enrolment.person_id == Person.id)
            .where(Enrolment.course_id == copied.school.course.id)
        ).all()
        assert "Inès" not in names
