"""A course whose scores are in every state there is: for the pictures, and for what must hold of all of them."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from lti_tool import create_app
from lti_tool.activities.models import Activity
from lti_tool.config import load_config
from lti_tool.courses.models import Course, Enrolment, Person, Role
from lti_tool.courses.people import pupils
from lti_tool.db import begin_write, db, utcnow
from lti_tool.gradebook.models import DeliveryState, LineItem, PlatformPause, ScoreDelivery
from lti_tool.gradebook.scores import current_values
from tests import factories

CODES = ("1A", "1B", "1C", "2B", "3C")
LEVELS = (3, 2, 4, 3, 2, 3)
"""By pupil, in the order of the class; a fifth of them changes in the second activity."""


@dataclass
class AllStates:
    """The course under construction. Needs a request's context and a write transaction."""

    course: Course
    teacher: Person
    people: list[Person] = field(init=False)
    began: datetime = field(default_factory=lambda: utcnow() - timedelta(hours=3))

    def __post_init__(self) -> None:
        listed = pupils(db.session, self.course.id)
        assert len(listed) >= 6, "six pupils show every state"
        self.people = [db.session.get_one(Person, pupil.person_id) for pupil in listed][:6]

    def fill(self) -> None:
        """Assess the class, and put each score in its state. The platform is left alone, so nothing moves."""
        factories.gradebook_settings(self.course, mode="publish", minimum=1)
        first = factories.activity(self.course, *CODES, starts_on=date(2026, 10, 8))
        for code in CODES:
            for person, level in zip(self.people, LEVELS, strict=True):
                self._type(first, code, person, level)
        left = self._one_who_left()
        self._type(first, "1A", left, 3)
        anais, bilal, clemence, joel, lina, sacha = self.people
        for person in (*self.people, left):
            self._deliver("1A", person)
        self._deliver("1A", anais, DeliveryState.CHANGED, lms_score=Decimal("3.5"), reason="changed_by_hand")
        self._deliver("1A", bilal, DeliveryState.KEPT, lms_score=Decimal(3), reason="changed_by_hand")
        for person in self.people:
            self._deliver("1B", person)
        self._deliver("1B", joel, DeliveryState.WAITING, reason="later", tries=2)
        self._deliver("1B", lina, DeliveryState.WAITING)
        for person in self.people:
            self._deliver("2B", person, DeliveryState.REFUSED, reason="column_gone", status=404)
        item = factories.competence("2B")
        db.session.add(LineItem(course_id=self.course.id, item_id=item.id, maximum=4, gone=True))
        for person in (anais, sacha):
            self._deliver("3C", person)
        for person in (joel, lina):
            self._deliver("3C", person, DeliveryState.REFUSED, reason="not_gradable", status=400)
        self._deliver("3C", clemence, DeliveryState.REFUSED, reason="failed", status=500, tries=8)
        self._type(first, "3C", bilal, "NR")
        self._type(first, "3C", sacha, "")  # sent, and withdrawn since
        self._type(first, "1C", sacha, "ABS")
        second = factories.activity(
            self.course, "1B", title="Conseil par téléphone", starts_on=date(2026, 11, 5), complexity=2
        )
        for person, level in ((anais, 4), (clemence, 3)):
            self._type(second, "1B", person, level)
        pause = utcnow() + timedelta(minutes=8)
        db.session.add(
            PlatformPause(platform_id=self.course.platform_id, until=pause, reason="later", tries=2)
        )

    def _one_who_left(self) -> Person:
        left = Person(
            platform_id=self.course.platform_id, sub="left", given_name="Théo", family_name="Marchand"
        )
        db.session.add(left)
        db.session.flush()
        db.session.add(
            Enrolment(course_id=self.course.id, person_id=left.id, role=Role.LEARNER, active=False, number=99)
        )
        db.session.flush()
        return left

    def _type(self, activity: Activity, code: str, person: Person, value: int | str) -> None:
        factories.assessment(activity, code, person, value, self.teacher)

    def _deliver(
        self, code: str, person: Person, state: DeliveryState = DeliveryState.SENT, **values: Any
    ) -> None:
        """A delivery of what a cell is worth now, that ended a minute after the one before."""
        item = factories.competence(code)
        worth = current_values(db.session, self.course, [(person.id, item.id)])[person.id, item.id]
        self.began += timedelta(minutes=1)
        waits = state is DeliveryState.WAITING
        db.session.add(
            ScoreDelivery(
                **{
                    "course_id": self.course.id,
                    "item_id": item.id,
                    "person_id": person.id,
                    "score": worth.score,
                    "maximum": worth.maximum,
                    "level": worth.level,
                    "comment": worth.comment,
                    "timestamp": self.began,
                    "created_at": self.began,
                    "state": state,
                    "not_before": utcnow() + timedelta(minutes=8),
                    "done_at": None if waits else self.began + timedelta(seconds=2),
                    **values,
                }
            )
        )
        db.session.flush()


def fill_course(folder: Path, context_id: str) -> None:
    """Fill a course of a running demo, known by its first launch, in a thread of its own.

    Whoever drives a browser has an event loop in theirs, where an application's context cannot end.
    """
    with ThreadPoolExecutor(1) as pool:
        pool.submit(_fill_course, folder, context_id).result()


def _fill_course(folder: Path, context_id: str) -> None:
    app = create_app(load_config({"SPIRALE_DATA_DIR": str(folder), "SPIRALE_SECRET_KEY": "0" * 64}))
    with app.test_request_context():
        begin_write()
        course = db.session.scalars(sa.select(Course).filter_by(context_id=context_id)).one()
        teaches = sa.select(Enrolment.person_id).filter_by(course_id=course.id, role=Role.TEACHER)
        teacher = sa.select(Person).where(Person.id.in_(teaches)).order_by(Person.id).limit(1)
        AllStates(course, db.session.scalars(teacher).one()).fill()
        db.session.commit()
        db.session.close()
        db.engine.dispose()
    app.extensions["spirale_queue"].storage.close()
