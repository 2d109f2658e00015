"""The class list: read from the platform, compared with what is known; nobody is erased."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session

from ..config import Config
from ..db import begin_write, db, insert_missing, utcnow
from ..errors import PlatformDelayed, PlatformRefused
from ..lti.nrps import Member, read_roster
from ..lti.services import service_of
from ..lti.tokens import Tokens
from .entry import enrolment_of, name_person
from .models import Course, Enrolment, LaunchSession, Person, Role
from .roles import role_of


@dataclass(frozen=True)
class RosterChange:
    """What a new reading changed: how many pupils came, how many left."""

    arrived: int
    left: int


def is_stale(course: Course, now: datetime, config: Config) -> bool:
    """Whether the class list is worth reading again."""
    if not course.memberships_url:
        return False
    read_at = course.roster_read_at
    return read_at is None or read_at + timedelta(seconds=config.roster_refresh_after_s) < now


def refresh_roster(course_id: int, tokens: Tokens, config: Config) -> RosterChange | None:
    """Read the roster of a course and keep it; None when the platform did not give it (the course says why).

    Commits. No transaction is open while the platform answers.
    """
    course = db.session.get_one(Course, course_id)
    url = course.memberships_url
    if not url:
        return None
    service = service_of(db.session, course.platform, tokens, config)
    db.session.commit()
    problem, members = "", []
    try:
        members = read_roster(service, url)
    except PlatformDelayed:
        problem = "delayed"
    except PlatformRefused:
        problem = "refused"
    begin_write()
    course = db.session.get_one(Course, course_id, populate_existing=True)
    course.roster_problem = problem
    change = None if problem else keep_roster(db.session, course, members, utcnow())
    db.session.commit()
    return change


def keep_roster(session: Session, course: Course, members: list[Member], now: datetime) -> RosterChange:
    """Make the enrolments agree with a roster: who came, who left.

    Results of those who left stay; their open sessions end. Somebody whom no roster ever named (an administrator on a
    visit) keeps theirs: the platform let them in.
    """
    before = {e.person_id for e in _pupils_of(session, course)}
    people = _people(session, course.platform_id, members)
    present = set()
    for member in members:
        person = people[member.sub]
        name_person(person, member.given_name, member.family_name, member.name)
        enrolment = enrolment_of(session, course.id, person.id)
        enrolment.role, enrolment.in_roster, enrolment.active = role_of(member.roles), True, True
        present.add(person.id)
    gone = []
    for enrolment in session.scalars(sa.select(Enrolment).where(Enrolment.course_id == course.id)):
        if enrolment.person_id not in present:
            if enrolment.in_roster:
                gone.append(enrolment.person_id)
            enrolment.in_roster, enrolment.active = False, False
    _end_sessions(session, course, gone, now)
    course.roster_read_at = now
    session.flush()
    after = {e.person_id for e in _pupils_of(session, course)}
    return RosterChange(arrived=len(after - before), left=len(before - after))


def _end_sessions(session: Session, course: Course, person_ids: list[int], now: datetime) -> None:
    """End what these people have open in a course. A new launch is the platform's word, and opens again."""
    if person_ids:
        theirs = LaunchSession.course_id == course.id, LaunchSession.person_id.in_(person_ids)
        session.execute(
            sa.update(LaunchSession).where(*theirs, LaunchSession.expires_at > now).values(expires_at=now)
        )


def _people(session: Session, platform_id: int, members: list[Member]) -> dict[str, Person]:
    subs = [member.sub for member in members]
    query = sa.select(Person).where(Person.platform_id == platform_id, Person.sub.in_(subs))
    known = {person.sub: person for person in session.scalars(query)}
    for sub in subs:
        if sub not in known:
            insert_missing(session, Person, platform_id=platform_id, sub=sub)
    return {person.sub: person for person in session.scalars(query)}


def _pupils_of(session: Session, course: Course) -> list[Enrolment]:
    return list(session.scalars(pupils_query(course.id)))


def pupils_query(course_id: int) -> sa.Select[Enrolment]:
    """Who is assessed in a course: learners who are there, and who never came as anything else.

    Moodle's non-editing teacher is a Learner in the roster; scores for such a person are refused.
    """
    return sa.select(Enrolment).where(
        Enrolment.course_id == course_id,
        Enrolment.role == Role.LEARNER,
        Enrolment.active.is_(True),
        Enrolment.launched_as.in_(("", Role.LEARNER)),
    )
