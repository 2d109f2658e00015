"""A class at work, written at once: so many pupils, so many situations, and what was seen in them."""

from __future__ import annotations

import random
import uuid
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import sqlalchemy as sa

from lti_tool.activities.models import Activity, ActivityCompetence, ActivityLink
from lti_tool.assessment.models import CODES, Assessment
from lti_tool.courses.models import Course, Enrolment, Person, ResourceLink, Role
from lti_tool.db import db, utcnow
from lti_tool.frameworks.models import Framework, FrameworkItem
from lti_tool.lti.models import Platform
from tests import factories

GIVEN = (
    "Adam",
    "Aïcha",
    "Amina",
    "Baptiste",
    "Camille",
    "Chloé",
    "Dylan",
    "Élif",
    "Enzo",
    "Fatou",
    "Inès",
    "Jules",
)
FAMILY = ("Benali", "Diop", "Martin", "Lambert", "Nguyen", "Rousseau", "Silva", "Traoré", "Vasseur", "Yilmaz")
FIRST_DAY = date(2026, 9, 7)
COMMENT = "Bonnes questions ouvertes, penser à reformuler avant de proposer une solution."
SITUATION = (
    "Le client a comparé deux produits en ligne et vient en magasin pour des explications et une livraison."
)


@dataclass
class Class:
    """A course with people and work in it; `sub` numbers are those the platform gives."""

    course: Course
    teacher: Person
    pupils: list[Person]
    activities: list[Activity]
    link: ResourceLink
    """The link of the course that opens its first activity."""
    group_id: int
    """One of its groups."""


def make_class(on: Platform, pupils: int, activities: int, *, seed: int = 1, slugs: Any = None) -> Class:
    """A class whose every pupil was seen in five competences of each situation, one cell in ten twice.

    Everything is drawn from `seed`, so that two runs measure the same thing. Committed by the caller.
    """
    chance = random.Random(seed)
    course = factories.course(on, framework_slugs=slugs or ["mrc-seconde"])
    items = list(
        db.session.scalars(
            sa.select(FrameworkItem)
            .join(Framework)
            .where(Framework.slug.in_(course.framework_slugs), FrameworkItem.type == "competence")
            .order_by(Framework.position, FrameworkItem.position)
        )
    )[:14]
    teacher = factories.enrolled(course, "Claire", "Morel", Role.TEACHER)
    people = _people(course, pupils)
    made = [_activity(course, teacher, items, number, chance) for number in range(activities)]
    db.session.add_all(made)
    db.session.flush()
    rows = [row for activity in made for row in _seen(activity, people, teacher, chance)]
    db.session.execute(sa.insert(Assessment), rows)
    groups = [
        factories.group(course, f"Groupe {number + 1}", *people[number::4])
        for number in range(1 + pupils // 10)
    ]
    for number in range(1 + activities // 6):
        first = FIRST_DAY + timedelta(days=60 * number)
        factories.period(course, f"Trimestre {number + 1}", first, first + timedelta(days=59))
    link = ResourceLink(course_id=course.id, link_id=f"link-{course.id}", title="Spirale")
    db.session.add(link)
    db.session.flush()
    db.session.add(ActivityLink(resource_link_id=link.id, activity_id=made[0].id))
    db.session.flush()
    return Class(course, teacher, people, made, link, groups[0].id)


def _people(course: Course, count: int) -> list[Person]:
    people = [
        Person(
            platform_id=course.platform_id,
            sub=f"{course.id}-{n}",
            given_name=GIVEN[n % len(GIVEN)],
            family_name=f"{FAMILY[n % len(FAMILY)]} {n}",
            name="",
        )
        for n in range(count)
    ]
    db.session.add_all(people)
    db.session.flush()
    db.session.add_all(
        Enrolment(course_id=course.id, person_id=person.id, role=Role.LEARNER, number=n + 2)
        for n, person in enumerate(people)
    )
    db.session.flush()
    return people


def _activity(
    course: Course, teacher: Person, items: list[FrameworkItem], number: int, chance: random.Random
) -> Activity:
    return Activity(
        uuid=str(uuid.UUID(int=chance.getrandbits(128))),
        course_id=course.id,
        title=f"Vente à un client qui a parcouru l’offre en ligne, séance {number + 1}",
        situation=SITUATION,
        starts_on=FIRST_DAY + timedelta(days=9 * number),
        complexity=1 + chance.randrange(3) * (number > 2),
        specialities=chance.sample(["A", "C", "V"], chance.choice((1, 1, 2))),
        created_by_id=teacher.id,
        # The first competences rotate so that three situations work them all.
        competences=[
            ActivityCompetence(item=items[(5 * number + n) % len(items)]) for n in range(min(5, len(items)))
        ],
    )


def _seen(
    activity: Activity, people: list[Person], teacher: Person, chance: random.Random
) -> list[dict[str, Any]]:
    rows = []
    for person in people:
        for link in activity.competences:
            for _time in range(2 if chance.random() < 0.1 else 1):
                code = chance.choice(CODES) if chance.random() < 0.05 else None
                rows.append(
                    {
                        "key": str(uuid.UUID(int=chance.getrandbits(128))),
                        "activity_id": activity.id,
                        "item_id": link.item_id,
                        "person_id": person.id,
                        "assessor_id": teacher.id,
                        "level": None if code else chance.choice((1, 2, 2, 3, 3, 3, 4)),
                        "code": code,
                        "comment": COMMENT if chance.random() < 0.2 else "",
                        "created_at": utcnow(),
                    }
                )
    return rows
