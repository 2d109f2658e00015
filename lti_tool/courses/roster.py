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
from .entry import name_person, see_person
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

    Commits. No transaction is open while the platform answers. What changed is kept for the next page of a teacher
    (`take_news`), except at the first reading, when everybody arrives.
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
    first = course.roster_read_at is None
    change = None if problem else keep_roster(db.session, course, members, utcnow())
    if change and not first:
        course.roster_arrived += change.arrived
        course.roster_left += change.left
    db.session.commit()
    return change


def take_news(course: Course) -> RosterChange | None:
    """What readings of the class list changed since a teacher was last told; once. None when nothing did.

    In a transaction of its own, so that a page that only reads can ask.
    """
    news = RosterChange(course.roster_arrived, course.roster_left)
    if not news.arrived and not news.left:
        return None
    told = (
        sa.update(Course)
        .where(
            Course.id == course.id,
            Course.roster_arrived == news.arrived,
            Course.roster_left == news.left,
        )
        .values(roster_arrived=0, roster_left=0)
    )
    with db.engine.begin() as connection:
        return news if connection.execute(told).rowcount else None


def keep_roster(session: Session, course: Course, members: list[Member], now: datetime) -> RosterChange:
    """Make the enrolments agree with a roster: who came, who left.

    Results of those who left stay; their open sessions end. Somebody whom no roster ever named (an administrator on a
    visit) keeps theirs: the platform let them in.
    """
    before = {e.person_id for e in _pupils_of(session, course)}
    people = _people(session, course.platform_id, members)
    enrolments = _enrolments(session, course, [people[member.sub].id for member in members])
    present = set()
    for member in members:
        person = people[member.sub]
        name_person(person, member.given_name, member.family_name, member.name)
        see_person(person, now)
        enrolment = enrolments[person.id]
        enrolment.role, enrolment.in_roster, enrolment.active = role_of(member.roles), True, True
        present.add(person.id)
    gone = []
    for person_id, enrolment in enrolments.items():
        if person_id not in present:
            if enrolment.in_roster:
                gone.append(person_id)
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


def _enrolments(session: Session, course: Course, person_ids: list[int]) -> dict[int, Enrolment]:
    """Everybody's enrolment by person, made for these people where there is none, with the course's next numbers."""
    # As `enrolment_of`, for a whole class: two at once must not share a number.
    session.execute(sa.select(Course.id).where(Course.id == course.id).with_for_update(key_share=True))
    query = sa.select(Enrolment).where(Enrolment.course_id == course.id)
    known = {enrolment.person_id: enrolment for enrolment in session.scalars(query)}
    number = max((enrolment.number for enrolment in known.values()), default=0)
    for person_id in person_ids:
        if person_id not in known:
            number += 1
            known[person_id] = Enrolment(
                course_id=course.id, person_id=person_id, role=Role.OBSERVER, number=number, launched_as=""
            )
            session.add(known[person_id])
    return known


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
