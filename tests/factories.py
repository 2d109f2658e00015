"""Rows for tests, made the way the application makes them. Each needs an application context; none commits."""

from __future__ import annotations

import itertools
import uuid
from datetime import date, timedelta
from typing import Any

import sqlalchemy as sa
from flask import Flask, g

from lti_tool.activities.models import Activity, ActivityCompetence
from lti_tool.assessment.models import Assessment, Decision
from lti_tool.courses.models import (
    Course,
    CourseGroup,
    CoursePeriod,
    Enrolment,
    GroupMember,
    LaunchSession,
    PeriodKind,
    Person,
    Role,
)
from lti_tool.db import begin_write, db, utcnow
from lti_tool.frameworks.models import Framework, FrameworkItem
from lti_tool.gradebook.models import GradebookSettings
from lti_tool.lti.ags import SCOPES
from lti_tool.lti.launch import digest, new_secret
from lti_tool.lti.models import Deployment, Platform
from lti_tool.web.guard import csrf_token

_numbers = itertools.count(1)


def platform(**values: Any) -> Platform:
    number = next(_numbers)
    made = Platform(
        **{
            "name": f"LMS {number}",
            "issuer": f"https://lms{number}.example.org",
            "client_id": f"client-{number}",
            "auth_login_url": f"https://lms{number}.example.org/auth",
            "auth_token_url": f"https://lms{number}.example.org/token",
            "jwks_url": f"https://lms{number}.example.org/jwks",
            "audience": "",
            "deployments": [Deployment(deployment_id="1")],
            **values,
        }
    )
    db.session.add(made)
    db.session.flush()
    return made


def course(on: Platform | None = None, **values: Any) -> Course:
    on = on or platform()
    number = next(_numbers)
    made = Course(
        **{
            "platform_id": on.id,
            "deployment_id": on.deployments[0].id,
            "context_id": f"course-{number}",
            "title": "Seconde MRC 1",
            "label": "2MRC1",
            "lineitems_url": f"{on.issuer}/lineitems",
            "ags_scopes": list(SCOPES),
            **values,
        }
    )
    db.session.add(made)
    db.session.flush()
    return made


def enrolled(into: Course, given: str, family: str, role: Role = Role.LEARNER, **values: Any) -> Person:
    person = Person(
        platform_id=into.platform_id,
        sub=str(next(_numbers)),
        given_name=given,
        family_name=family,
        name=f"{given} {family}".strip(),
    )
    db.session.add(person)
    db.session.flush()
    number = (
        db.session.scalar(sa.select(sa.func.max(Enrolment.number)).where(Enrolment.course_id == into.id)) or 0
    )
    db.session.add(
        Enrolment(
            **{"course_id": into.id, "person_id": person.id, "role": role, "number": number + 1, **values}
        )
    )
    db.session.flush()
    return person


def group(of: Course, name: str, *people: Person) -> CourseGroup:
    made = CourseGroup(course_id=of.id, name=name, position=next(_numbers))
    db.session.add(made)
    db.session.flush()
    db.session.add_all(GroupMember(group_id=made.id, person_id=person.id) for person in people)
    db.session.flush()
    return made


def period(
    of: Course, name: str, starts_on: date, ends_on: date, kind: PeriodKind = PeriodKind.TERM
) -> CoursePeriod:
    made = CoursePeriod(course_id=of.id, name=name, starts_on=starts_on, ends_on=ends_on, kind=kind)
    db.session.add(made)
    db.session.flush()
    return made


def competence(code: str, slug: str = "mrc-seconde") -> FrameworkItem:
    """A competence of the real Seconde, or of another referential."""
    return db.session.scalars(
        sa.select(FrameworkItem)
        .join(Framework)
        .where(Framework.slug == slug, FrameworkItem.type == "competence", FrameworkItem.code == code)
    ).one()


def activity(into: Course, *codes: str, **values: Any) -> Activity:
    made = Activity(
        **{
            "uuid": str(uuid.uuid4()),
            "course_id": into.id,
            "title": "Accueil d’un visiteur au lycée",
            "starts_on": date(2026, 10, 8),
            "complexity": 1,
            "specialities": ["A"],
            **values,
        }
    )
    made.competences = [ActivityCompetence(item=competence(code)) for code in codes or ("1A", "1C")]
    db.session.add(made)
    db.session.flush()
    return made


def assessment(
    of: Activity, code: str, person: Person, value: str | int, by: Person, comment: str = "", **more: Any
) -> Assessment:
    """An entry of the grid: a level (int) or a code (str)."""
    made = Assessment(
        key=str(uuid.uuid4()),
        activity_id=of.id,
        item_id=competence(code).id,
        person_id=person.id,
        assessor_id=by.id,
        level=value if isinstance(value, int) else None,
        code=value if isinstance(value, str) and value else None,
        comment=comment,
        **more,
    )
    db.session.add(made)
    db.session.flush()
    return made


def decision(
    of: Course, code: str, about: Person, level: int | None, decider: Person, **values: Any
) -> Decision:
    made = Decision(
        **{
            "course_id": of.id,
            "item_id": competence(code).id,
            "person_id": about.id,
            "level": level,
            "complexity": 1 if level else None,
            "reason": "Vu en salon." if level else "",
            "decider_id": decider.id,
            **values,
        }
    )
    db.session.add(made)
    db.session.flush()
    return made


def gradebook_settings(of: Course, **values: Any) -> GradebookSettings:
    made = GradebookSettings(course_id=of.id, **values)
    db.session.add(made)
    db.session.flush()
    return made


def open_session(
    app: Flask, in_course: Course, person: Person, *, role: Role | None = None, **values: Any
) -> tuple[str, str, str]:
    """A committed session: its `sid`, its browser's secret, the token of its forms."""
    sid, browser = new_secret(), new_secret()
    now = utcnow()
    with app.test_request_context():
        begin_write()
        enrolment = db.session.scalars(
            sa.select(Enrolment).filter_by(course_id=in_course.id, person_id=person.id)
        ).first()
        deployment = db.session.scalars(
            sa.select(Deployment).where(Deployment.platform_id == in_course.platform_id)
        ).first()
        assert deployment is not None
        session = LaunchSession(
            **{
                "sid_hash": digest(sid),
                "browser_hash": digest(browser),
                "deployment_id": deployment.id,
                "course_id": in_course.id,
                "person_id": person.id,
                "role": role or (enrolment.role if enrolment else Role.OBSERVER),
                "locale": "fr",
                "created_at": now,
                "used_at": now,
                "expires_at": now + timedelta(hours=8),
                **values,
            }
        )
        db.session.add(session)
        db.session.commit()
        g.visit = type("V", (), {"sid": sid})
        token = csrf_token()
        db.session.close()
    return sid, browser, token
