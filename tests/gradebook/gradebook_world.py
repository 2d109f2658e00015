"""What tests of delivery do and look at: a teacher types levels, the worker runs, the LMS holds grades."""

from __future__ import annotations

import itertools
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

import sqlalchemy as sa

from lti_tool.activities.models import Activity
from lti_tool.assessment.entries import NewEntry, record
from lti_tool.courses.models import Course, Person
from lti_tool.db import begin_write, db, utcnow
from lti_tool.demo.people import MRC1, by_name
from lti_tool.demo.states import GradeState
from lti_tool.gradebook.columns import make_column_again
from lti_tool.gradebook.models import DeliveryState, GradebookSettings, ScoreDelivery
from lti_tool.gradebook.publishing import Plan, fingerprint, plan_scores, publish
from lti_tool.gradebook.scores import clear_score, queue_all, queue_scores, send_again
from lti_tool.gradebook.settings import Effect, change_settings, preview_settings, wanted_now
from lti_tool.gradebook.worths import settings_of
from tests import factories
from tests.all_states import AllStates
from tests.platform import DemoWorld

ADAM, AICHA, CHLOE, ZOE = "Adam Benali", "Aïcha Diop", "Chloé Martin", "Zoé Lambert"


@dataclass(frozen=True)
class Shown:
    """A delivery, as tests compare it."""

    state: str
    score: Decimal | None
    reason: str
    tries: int
    status: int
    lms_score: Decimal | None


class Gradebook:
    """The course « 2MRC1 » of the demo LMS, open in the tool."""

    def __init__(self, world: DemoWorld) -> None:
        self.world = world
        self.course_id = world.open_course()
        self._days = itertools.count()
        with self.writing():
            self.activity_id = self._new_activity()

    @contextmanager
    def writing(self) -> Iterator[Course]:
        """A write transaction of the application; committed at the end."""
        with self.world.app.test_request_context():
            begin_write()
            try:
                yield db.session.get_one(Course, self.course_id)
                db.session.commit()
            finally:
                db.session.close()

    def _new_activity(self) -> int:
        day = date(2026, 9, 7) + timedelta(days=next(self._days))
        course = db.session.get_one(Course, self.course_id)
        return factories.activity(course, "1A", "1B", "1C", starts_on=day).id

    # A teacher

    def type(self, *entries: tuple[str, str, int | str], again: bool = False) -> None:
        """Type levels or codes: (who, which competence, what), in the same activity, or in a new one (`again`)."""
        with self.writing() as course:
            if again:
                self.activity_id = self._new_activity()
            activity = db.session.get_one(Activity, self.activity_id)
            teacher = self.world.person_id("Claire Morel")
            typed = [
                NewEntry(
                    str(uuid.uuid4()), self.world.person_id(who), factories.competence(code).id, str(value)
                )
                for who, code, value in entries
            ]
            _written, refused = record(db.session, activity, teacher, typed)
            assert not refused
            queue_scores(db.session, course, [(e.person_id, e.item_id) for e in typed], utcnow())

    def set(self, **values: object) -> None:
        """Change the course's gradebook settings, as the settings page does."""
        with self.writing() as course:
            settings = settings_of(db.session, course.id)
            for name, value in values.items():
                setattr(settings, name, value)
            db.session.add(settings)
            db.session.flush()
            queue_all(db.session, course, utcnow())

    def preview(self, **wanted: Any) -> Effect:
        """What the settings page says that a change would do."""
        with self.world.app.test_request_context():
            course = db.session.get_one(Course, self.course_id)
            effect = preview_settings(db.session, course, replace(wanted_now(db.session, course), **wanted))
            db.session.close()
            return effect

    def change(self, **wanted: Any) -> int:
        """Change the settings as their page does: how many deliveries were written."""
        with self.writing() as course:
            after = replace(wanted_now(db.session, course), **wanted)
            return len(change_settings(db.session, course, after, utcnow()))

    def whole_plan(self) -> Plan:
        """What publishing would do."""
        with self.world.app.test_request_context():
            plan = plan_scores(db.session, db.session.get_one(Course, self.course_id))
            db.session.close()
            return plan

    def plan(self) -> dict[str, int]:
        """What publishing would do, counted."""
        return {change.value: count for change, count in self.whole_plan().counts.items()}

    def read_roster(self) -> None:
        """Read the class list again."""
        self.world.open_course()

    def harder(self) -> None:
        """What is typed from now on is of another activity, in a varied situation."""
        with self.writing():
            self.activity_id = self._new_activity()
            db.session.get_one(Activity, self.activity_id).complexity = 2

    def see(self, *codes: str) -> dict[Any, dict[int, str]]:
        """What a teacher sees in the preview of « Publier », in these columns (all of them without codes)."""
        with self.world.app.test_request_context():
            course = db.session.get_one(Course, self.course_id)
            chosen = {factories.competence(code).id for code in codes}
            seen: dict[Any, dict[int, str]] = {}
            for line in plan_scores(db.session, course).to_send:
                if line.value and (not chosen or line.pair[1] in chosen):
                    seen.setdefault(line.pair[1], {})[line.pair[0]] = fingerprint(line.value)
            db.session.close()
            return seen

    def publish(self, seen: dict[Any, dict[int, str]]) -> tuple[int, int, int]:
        """Confirm what was seen: how many left, were on their way already, and were not what was seen."""
        with self.writing() as course:
            done = publish(db.session, course, seen, utcnow())
            return len(done.written), done.already, done.skipped

    def connections(self, most: int) -> None:
        """Change how many requests the platform takes at once, as an administrator does."""
        with self.writing() as course:
            course.platform.connections = most

    def send_again(self, who: str, code: str, *, forced: bool = False) -> None:
        with self.writing() as course:
            pair = (self.world.person_id(who), factories.competence(code).id)
            send_again(db.session, course, [pair], utcnow(), forced=forced)

    def keep(self, who: str, code: str) -> None:
        with self.writing():
            self._newest(who, code).state = DeliveryState.KEPT

    def clear(self, who: str, code: str) -> None:
        with self.writing() as course:
            person, item = self.world.person_id(who), factories.competence(code).id
            clear_score(db.session, course, person, item, utcnow())

    def make_column_again(self, code: str) -> None:
        with self.writing() as course:
            make_column_again(db.session, course, factories.competence(code).id, utcnow())

    def in_all_states(self) -> int:
        """Put a score in every state; the delivery of one whose observations are gone."""
        with self.writing() as course:
            teacher = db.session.get_one(Person, self.world.person_id("Claire Morel"))
            AllStates(course, teacher).fill()
            sent = sa.select(sa.func.max(ScoreDelivery.id)).filter_by(
                item_id=factories.competence("3C").id, state=DeliveryState.SENT
            )
            return db.session.scalar(sent) or 0

    # The worker

    def deliver(self) -> float | None:
        return self.world.deliver()

    # What there is

    def grade(self, who: str, code: str) -> GradeState | None:
        """What the LMS's gradebook holds; None also while it has no such column."""
        if code not in {column.tag for column in self.world.store.line_items(MRC1.id)}:
            return None
        return self.world.store.grade(MRC1.id, code, by_name(who).sub)

    def value(self, who: str, code: str) -> float | None:
        grade = self.grade(who, code)
        return grade.value if grade else None

    def set_by_hand(self, who: str, code: str, value: float | None) -> None:
        """A teacher types in the LMS's gradebook."""
        self.world.store.set_grade_by_hand(MRC1.id, code, by_name(who).sub, value)

    def shown(self, who: str, code: str) -> Shown:
        """The newest delivery of a cell that nothing replaced."""
        return self.history(who, code)[-1]

    def history(self, who: str, code: str, *, replaced: bool = False) -> list[Shown]:
        """The deliveries of a cell, oldest first."""
        with self.world.app.app_context():
            rows = [
                Shown(r.state.value, r.score, r.reason, r.tries, r.status, r.lms_score)
                for r in self.rows(who, code)
                if replaced or r.state is not DeliveryState.REPLACED
            ]
            db.session.close()
            return rows

    def rows(self, who: str, code: str) -> list[ScoreDelivery]:
        """The rows of a cell, oldest first. Needs a context."""
        return list(
            db.session.scalars(
                sa.select(ScoreDelivery)
                .filter_by(person_id=self.world.person_id(who), item_id=factories.competence(code).id)
                .order_by(ScoreDelivery.id)
            )
        )

    def _newest(self, who: str, code: str) -> ScoreDelivery:
        return next(r for r in reversed(self.rows(who, code)) if r.state is not DeliveryState.REPLACED)

    def states(self) -> dict[str, int]:
        """How many deliveries are in each state."""
        with self.world.app.app_context():
            found = dict(
                db.session.execute(
                    sa.select(ScoreDelivery.state, sa.func.count()).group_by(ScoreDelivery.state)
                ).all()
            )
            db.session.close()
            return {state.value: count for state, count in found.items()}

    def posts(self, path: str = "/scores") -> int:
        """How many scores the LMS was sent (or, with another path, columns)."""
        return self.world.faults.asked(path, "POST")

    def sent_scores(self) -> list[str]:
        """The bodies of the scores the LMS took, oldest first."""
        return [call.body for call in self.world.store.calls("/scores", "POST") if call.status == 200]

    def settings(self) -> GradebookSettings:
        with self.world.app.app_context():
            return settings_of(db.session, self.course_id)

    def pause(self) -> tuple[str, datetime] | None:
        """Why and until when the platform is left alone."""
        from lti_tool.gradebook.models import PlatformPause  # noqa: PLC0415

        with self.world.app.app_context():
            found = db.session.get(PlatformPause, self.world.platform_id)
            db.session.close()
            return (found.reason, found.until) if found else None
