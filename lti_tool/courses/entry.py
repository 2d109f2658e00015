"""From a launch to a session: the course, the person, the link are found or made, and a session is opened."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy.orm import Session, joinedload

from ..config import Config
from ..db import insert_missing, table_of
from ..errors import LaunchRefused, Refusal
from ..lti.claims import Launch
from ..lti.launch import digest, new_secret
from ..lti.models import Deployment
from .models import Course, Enrolment, LaunchSession, Person, ResourceLink, Role
from .roles import role_of

LOCALES = ("fr", "en")
SEEN_EVERY = timedelta(days=1)

# One question for all that a launch may find, made once: most launches are those of people who came before.
KNOWN = (
    sa.select(Course, Person, Enrolment, ResourceLink)
    .select_from(Deployment)
    .outerjoin(
        Course, sa.and_(Course.deployment_id == Deployment.id, Course.context_id == sa.bindparam("context"))
    )
    .outerjoin(
        Person, sa.and_(Person.platform_id == Deployment.platform_id, Person.sub == sa.bindparam("sub"))
    )
    .outerjoin(Enrolment, sa.and_(Enrolment.course_id == Course.id, Enrolment.person_id == Person.id))
    .outerjoin(
        ResourceLink,
        sa.and_(ResourceLink.course_id == Course.id, ResourceLink.link_id == sa.bindparam("link")),
    )
    .where(Deployment.id == sa.bindparam("deployment"))
)
OPENED = sa.insert(table_of(LaunchSession))
CAME = (
    sa.update(table_of(Enrolment))
    .where(table_of(Enrolment).c.id == sa.bindparam("wanted"))
    .values({name: sa.bindparam(name) for name in ("role", "launched_as", "launched_at", "active")})
)


def enter(
    session: Session, launch: Launch, browser_secret: str, now: datetime, config: Config
) -> tuple[str, Opened]:
    """Open the session of a launch, in the caller's transaction: its secret `sid`, and whose it is.

    Raises `LaunchRefused`, before anything is written, when the launch names neither a course nor a link.
    """
    if not launch.context_id:
        raise LaunchRefused(Refusal.NO_COURSE, "context")
    known = _known(session, launch)
    course = _course(session, launch, known, config)
    person = _person(session, launch, known)
    see_person(person, now)
    link = _link(session, course, launch, known)
    # Somebody unnamed reads the referential, whatever their roles say, and is in no class.
    role = role_of(launch.roles) if launch.sub else Role.OBSERVER
    if launch.sub:
        _enrol(session, known.enrolment or _new_enrolment(session, course.id, person.id), role, now)
    sid = new_secret()
    row = {
        "sid_hash": digest(sid),
        "browser_hash": digest(browser_secret),
        "deployment_id": launch.deployment_id,
        "course_id": course.id,
        "person_id": person.id,
        "resource_link_id": link.id if link else None,
        "role": role,
        "locale": supported_locale(launch.locale),
        "return_url": launch.return_url,
        "custom": launch.custom | ({"for_user": launch.for_user} if launch.for_user else {}),
        "deep_linking": asdict(launch.deep_linking) if launch.deep_linking else None,
        "created_at": now,
        "used_at": now,
        "expires_at": now + timedelta(seconds=config.lti.session_lifetime_s),
    }
    session.execute(OPENED, row)
    return sid, Opened(course, role)


class FoundSession(NamedTuple):
    """A session that is open, and how its person is in its course now: None for who never was in its class."""

    session: LaunchSession
    enrolment: Enrolment | None


WITH_ENROLMENT = (
    sa.select(LaunchSession, Enrolment)
    .outerjoin(
        Enrolment,
        sa.and_(
            Enrolment.course_id == LaunchSession.course_id, Enrolment.person_id == LaunchSession.person_id
        ),
    )
    .options(
        joinedload(LaunchSession.course).joinedload(Course.platform),
        joinedload(LaunchSession.person),
        joinedload(LaunchSession.resource_link),
        joinedload(LaunchSession.deployment),
    )
)
"""In one question: every page asks it."""


def find_session(
    session: Session, sid: str, browser_secret: str, now: datetime, config: Config
) -> FoundSession | None:
    """The open session of this path and this browser, or None: unknown, ended, idle, or shut out.

    A session that ended is lent the newest open one of the same person, course and browser: somebody who launches
    again in another tab can then save what a page still holds.
    """
    mine = WITH_ENROLMENT.where(LaunchSession.browser_hash == digest(browser_secret))
    row = session.execute(mine.where(LaunchSession.sid_hash == digest(sid))).first()
    if row is not None and not _is_open(row[0], now, config):
        again = mine.where(
            LaunchSession.person_id == row[0].person_id,
            LaunchSession.course_id == row[0].course_id,
            LaunchSession.id > row[0].id,
        )
        row = session.execute(again.order_by(LaunchSession.id.desc()).limit(1)).first()
    if row is None or not _is_open(row[0], now, config):
        return None
    return FoundSession(*row)


def last_use(session: Session, sid: str, browser_secret: str) -> datetime | None:
    """When the session of this path and this browser was last used, open or not; None for one that is not theirs."""
    return session.scalar(
        sa.select(LaunchSession.used_at).where(
            LaunchSession.sid_hash == digest(sid), LaunchSession.browser_hash == digest(browser_secret)
        )
    )


def _is_open(found: LaunchSession, now: datetime, config: Config) -> bool:
    if found.expires_at <= now or found.used_at + timedelta(seconds=config.lti.session_idle_s) <= now:
        return False
    platform = found.course.platform
    named = bool(found.person.sub) or platform.anonymous
    return platform.enabled and found.deployment.enabled and named


def supported_locale(wanted: str) -> str:
    """Our language for a platform's locale (`fr_ca` and `fr-CA` are French); French when unknown."""
    language = wanted.replace("_", "-").partition("-")[0].lower()
    return language if language in LOCALES else LOCALES[0]


class Opened(NamedTuple):
    """Whose session a launch opened."""

    course: Course
    role: Role


class Known(NamedTuple):
    """What there is already of a launch; None for what it is the first to tell of."""

    course: Course | None
    person: Person | None
    enrolment: Enrolment | None
    link: ResourceLink | None


def _known(session: Session, launch: Launch) -> Known:
    wanted = {
        "deployment": launch.deployment_id,
        "context": launch.context_id,
        "sub": launch.sub,
        "link": launch.link_id,
    }
    return Known(*session.execute(KNOWN, wanted).one())


def _course(session: Session, launch: Launch, known: Known, config: Config) -> Course:
    course = known.course or course_of(
        session, launch.platform_id, launch.deployment_id, launch.context_id, config
    )
    # A link without the service does not take it away from the course: Moodle leaves claims out here and there.
    _tell(
        course,
        title=launch.context_title or course.title,
        label=launch.context_label or course.label,
        awaits_launch=course.awaits_launch and not launch.lineitems_url,
        lineitems_url=launch.lineitems_url or course.lineitems_url,
        ags_scopes=list(launch.ags_scopes) or course.ags_scopes,
        memberships_url=launch.memberships_url or course.memberships_url,
    )
    return course


def course_of(
    session: Session, platform_id: int, deployment_id: int, context_id: str, config: Config
) -> Course:
    """The course of a platform's context, made when there is none."""
    key = {"deployment_id": deployment_id, "context_id": context_id}
    query = sa.select(Course).filter_by(**key)
    course = session.scalars(query).first()
    if course is None:
        insert_missing(
            session,
            Course,
            **key,
            platform_id=platform_id,
            framework_slugs=list(config.default_referentials),
            ags_scopes=[],
        )
        course = session.scalars(query).one()
    return course


def _tell(row: Course | Person | ResourceLink, **values: Any) -> None:
    """Change what differs: a row that is told nothing new is not looked at when the transaction ends."""
    for name, value in values.items():
        if getattr(row, name) != value:
            setattr(row, name, value)


def _person(session: Session, launch: Launch, known: Known) -> Person:
    key = {"platform_id": launch.platform_id, "sub": launch.sub}
    person = known.person
    if person is None:
        insert_missing(session, Person, **key)
        person = session.scalars(sa.select(Person).filter_by(**key)).one()
    name_person(person, launch.given_name, launch.family_name, launch.name)
    return person


def name_person(person: Person, given_name: str, family_name: str, name: str) -> None:
    """Keep the names a platform shares; a message without names takes none away."""
    if given_name or family_name or name:
        _tell(person, given_name=given_name, family_name=family_name, name=name)


def see_person(person: Person, now: datetime) -> None:
    """Note that a person was seen; once a day is enough, and spares the launches a write."""
    if person.seen_at is None or person.seen_at + SEEN_EVERY <= now:
        person.seen_at = now


def _enrol(session: Session, enrolment: Enrolment, role: Role, now: datetime) -> None:
    kept = enrolment.role if enrolment.in_roster else role
    values = {"wanted": enrolment.id, "role": kept, "launched_as": role, "launched_at": now, "active": True}
    session.execute(CAME, values)


def enrolment_of(session: Session, course_id: int, person_id: int) -> Enrolment:
    """The enrolment of a person in a course, made when there is none, with the next number of the course."""
    query = sa.select(Enrolment).filter_by(course_id=course_id, person_id=person_id)
    return session.scalars(query).first() or _new_enrolment(session, course_id, person_id)


def _new_enrolment(session: Session, course_id: int, person_id: int) -> Enrolment:
    # Two first launches at once must not share a number: a teacher would assess the wrong « Élève 7 ».
    session.execute(sa.select(Course.id).where(Course.id == course_id).with_for_update(key_share=True))
    last = session.scalar(sa.select(sa.func.max(Enrolment.number)).where(Enrolment.course_id == course_id))
    insert_missing(
        session,
        Enrolment,
        course_id=course_id,
        person_id=person_id,
        role=Role.OBSERVER,
        number=(last or 0) + 1,
    )
    return session.scalars(sa.select(Enrolment).filter_by(course_id=course_id, person_id=person_id)).one()


def _link(session: Session, course: Course, launch: Launch, known: Known) -> ResourceLink | None:
    if not launch.link_id:
        return None
    key = {"course_id": course.id, "link_id": launch.link_id}
    link = known.link
    if link is None:
        insert_missing(session, ResourceLink, **key)
        link = session.scalars(sa.select(ResourceLink).filter_by(**key)).one()
    _tell(link, title=launch.link_title, lineitem_url=launch.lineitem_url)
    return link
