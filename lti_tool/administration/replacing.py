"""A tool that was added again to an LMS, under a new client id: what the old registration holds follows to the new.

The rows of the old one stay what they are (a course, a person, an entry keep their numbers) and change platform.
What the new one already has of the same course or person is merged into them: its roster, its addresses and its
columns are the LMS's present ones and win; entries and activities of both stay.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import sqlalchemy as sa
from sqlalchemy.orm import Session, aliased

from ..activities.models import Activity
from ..assessment.models import Assessment
from ..courses.models import Course, LaunchSession, Person
from ..db import utcnow
from ..errors import BadInput, SpiraleError
from ..gradebook.models import OPEN, LineItem, PlatformPause, ScoreDelivery
from ..gradebook.scores import queue_all
from ..lti.models import Login, Platform
from ..lti.platforms import find_platform
from .merging import look_up_columns_again, merge_course
from .repointing import repoint

Pair = tuple[Course, Course | None]
"""A course of the old platform, and the same one where the new platform already opened it."""


@dataclass
class Replacement:
    """What follows from the old platform to the new one."""

    old: Platform
    new: Platform
    moved: list[str] = field(default_factory=list)
    """Courses that the new platform did not know, by name."""
    merged: list[str] = field(default_factory=list)
    """Courses that both had."""
    people: int = 0
    merged_people: int = 0
    activities: int = 0
    entries: int = 0
    columns: int = 0
    waiting: int = 0
    """Scores that have not left yet."""
    sessions: int = 0
    sent_again: int = 0
    """Scores written for columns of the new platform, that the old one's entries change."""


def replace_platform(
    session: Session, old_id: int, new_id: int, deployments: Mapping[str, str] | None = None
) -> Replacement:
    """Make everything of a platform follow to another one of the same LMS, in the caller's transaction.

    `deployments` says which deployment of the new one stands for one of the old, where that is not plain.
    Raises `NotFound`, `BadInput`, or `SpiraleError` when somebody came in at the same moment: nothing is changed
    then, once the caller has rolled back.
    """
    old, new = _both(session, old_id, new_id)
    try:
        return _replace(session, old, new, deployments or {})
    except (sa.exc.IntegrityError, sa.exc.OperationalError) as error:
        raise SpiraleError(
            "somebody opened Spirale from this LMS at the same moment; nothing was changed: run it again"
        ) from error


def _both(session: Session, old_id: int, new_id: int) -> tuple[Platform, Platform]:
    old, new = find_platform(session, old_id), find_platform(session, new_id)
    held = sa.select(Platform.id).where(Platform.id.in_((old_id, new_id))).order_by(Platform.id)
    session.execute(held.with_for_update())
    # Whoever is entering one of their courses ends first, and is read with the others: a newcomer who appeared
    # half-way would take the place of somebody of the same number.
    entered = sa.select(Course.id).where(Course.platform_id.in_((old_id, new_id))).order_by(Course.id)
    session.execute(entered.with_for_update())
    if old_id == new_id:
        raise BadInput({"NEW": "is the platform to replace itself"})
    if old.issuer != new.issuer:
        problem = f"is another LMS: {new.issuer}, not {old.issuer}; people would not be the same"
        raise BadInput({"NEW": problem})
    if not new.enabled:
        raise BadInput({"NEW": f"is disabled: « spirale platform enable {new_id} » first"})
    return old, new


def _replace(session: Session, old: Platform, new: Platform, deployments: Mapping[str, str]) -> Replacement:
    now = utcnow()
    pairs = _pairs(session, old, new, deployments)
    done = _counted(session, old, new, pairs)
    for course, same in pairs:
        if same is not None:
            merge_course(session, course, same, now)
    done.merged_people = _merge_people(session, old, new)
    places = _places(old, new, pairs, deployments)
    twins = {same.id: course.id for course, same in pairs if same is not None}
    repoint(session, "course", twins)
    session.execute(sa.delete(Course).where(Course.id.in_(twins)))
    for course, same in pairs:
        course.platform_id, course.deployment_id = new.id, places[course.deployment_id]
        if same is None:
            _await_launch(session, course)
    session.flush()
    session.execute(sa.update(Person).where(Person.platform_id == old.id).values(platform_id=new.id))
    repoint(session, "deployment", places)
    _shut(session, old, new)
    for course, same in pairs:
        if same is not None:
            done.sent_again += len(queue_all(session, course, now))
    session.flush()
    return done


def _pairs(session: Session, old: Platform, new: Platform, deployments: Mapping[str, str]) -> list[Pair]:
    """The courses that follow, each with its twin. Raises `BadInput` where two would become one."""
    courses = list(
        session.scalars(sa.select(Course).where(Course.platform_id == old.id).order_by(Course.id)).all()
    )
    places = _places(old, new, [(course, None) for course in courses], deployments)
    known = {
        (course.deployment_id, course.context_id): course
        for course in session.scalars(sa.select(Course).where(Course.platform_id == new.id))
    }
    taken = set()
    for course in courses:
        place = (places[course.deployment_id], course.context_id)
        if place in taken:
            raise BadInput(
                {"--deployment": f"two courses « {course.context_id} » would become one: give each its own"}
            )
        taken.add(place)
    return [(c, known.get((places[c.deployment_id], c.context_id))) for c in courses]


def _places(old: Platform, new: Platform, pairs: list[Pair], chosen: Mapping[str, str]) -> dict[int, int]:
    """For each deployment of the old platform that has courses, the one of the new that takes its place."""
    here = {d.deployment_id: d.id for d in new.deployments}
    alone = next(iter(here.values())) if len(here) == 1 else None
    used = {course.deployment_id for course, _same in pairs}
    places, problems = {}, []
    for deployment in old.deployments:
        if deployment.id not in used:
            continue
        name = deployment.deployment_id
        place = here.get(chosen[name]) if name in chosen else here.get(name, alone)
        if place is None:
            problems.append(name)
        else:
            places[deployment.id] = place
    if problems:
        choices = ", ".join(here) or "none"
        raise BadInput(
            {
                "--deployment": f"say which stands for {', '.join(problems)}, as OLD=NEW; the new ones: {choices}"
            }
        )
    return places


def _merge_people(session: Session, old: Platform, new: Platform) -> int:
    """Make one of each person that both know; the names shared last stay."""
    twin = aliased(Person)
    found = session.execute(
        sa.select(Person, twin)
        .join(twin, twin.sub == Person.sub)
        .where(Person.platform_id == old.id, twin.platform_id == new.id)
    ).all()
    for person, same in found:
        if same.given_name or same.family_name or same.name:
            person.given_name, person.family_name, person.name = same.given_name, same.family_name, same.name
        person.seen_at = max(filter(None, (person.seen_at, same.seen_at)), default=None)
    twins = {same.id: person.id for person, same in found}
    repoint(session, "person", twins)
    ids = list(twins)
    for start in range(0, len(ids), 500):
        session.execute(sa.delete(Person).where(Person.id.in_(ids[start : start + 500])))
    return len(twins)


def _await_launch(session: Session, course: Course) -> None:
    """Its services' addresses name the old registration: the next launch brings new ones, and its roster."""
    course.awaits_launch = bool(course.lineitems_url)
    course.memberships_url, course.roster_read_at, course.roster_problem = "", None, ""
    look_up_columns_again(session, course.id)


def _shut(session: Session, old: Platform, new: Platform) -> None:
    session.execute(sa.delete(PlatformPause).where(PlatformPause.platform_id == old.id))
    session.execute(sa.delete(Login).where(Login.platform_id == old.id))
    old.enabled = False
    new.frame_origins = list(dict.fromkeys([*new.frame_origins, *old.frame_origins]))
    new.family = new.family or old.family
    # What its administrator allowed for this LMS is still allowed.
    new.earlier_years = new.earlier_years or old.earlier_years


def _counted(session: Session, old: Platform, new: Platform, pairs: list[Pair]) -> Replacement:
    courses = sa.select(Course.id).where(Course.platform_id == old.id)
    activities = sa.select(Activity.id).where(Activity.course_id.in_(courses))

    def count(of: sa.ColumnElement[bool], *more: sa.ColumnElement[bool]) -> int:
        return session.scalar(sa.select(sa.func.count()).where(of, *more)) or 0

    return Replacement(
        old,
        new,
        moved=[course.name or course.context_id for course, same in pairs if same is None],
        merged=[course.name or course.context_id for course, same in pairs if same is not None],
        people=count(Person.platform_id == old.id),
        activities=count(Activity.course_id.in_(courses)),
        entries=count(Assessment.activity_id.in_(activities)),
        columns=count(LineItem.course_id.in_(courses)),
        waiting=count(ScoreDelivery.course_id.in_(courses), ScoreDelivery.state.in_(OPEN)),
        sessions=count(LaunchSession.course_id.in_(courses), LaunchSession.expires_at > utcnow()),
    )
