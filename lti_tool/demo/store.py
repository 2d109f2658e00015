"""A test's hand on the demo LMS: read its state and act in it, from any process, through its file.

with DemoStore(path) as store:
    store.grade(MRC1.id, "C1", by_name("Adam Benali").sub).value
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from lti_tool.demo import activities as links
from lti_tool.demo import gradebook
from lti_tool.demo.activities import NewActivity
from lti_tool.demo.database import Database
from lti_tool.demo.people import SCHOOL, Role, School, login_of
from lti_tool.demo.settings import utcnow
from lti_tool.demo.states import (
    ActivityState,
    CallState,
    GradeState,
    LineItemState,
    MemberState,
    activity_state,
    grade_state,
    item_state,
)
from lti_tool.demo.tables import (
    AccessToken,
    Activity,
    Course,
    Enrolment,
    Fault,
    LineItem,
    Person,
    ServiceCall,
)

Row = TypeVar("Row")


class DemoStore:
    """The state of one demo LMS. A column is named by its tag, else its label, else its id.

    Methods raise LookupError when the course, column, activity or person does not exist, or when a tag or
    label names several columns.
    """

    def __init__(
        self, database: Path, clock: Callable[[], datetime] = utcnow, school: School = SCHOOL
    ) -> None:
        self._database = Database(database, school)
        self._database.prepare()
        self._clock = clock

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close this process's connections."""
        self._database.close()

    def reset(self) -> None:
        """Everything as after the first start; the platform's keys stay."""
        self._database.reset()

    # Reading

    def line_items(self, course_id: int) -> list[LineItemState]:
        """The course's columns, oldest first."""
        with self._database.reading() as session:
            return [item_state(item) for item in gradebook.line_items(session, course_id)]

    def line_item(self, course_id: int, column: str | int) -> LineItemState:
        """One column."""
        with self._column(course_id, column) as (_, item):
            return item_state(item)

    def grades(self, course_id: int, column: str | int) -> dict[str, GradeState]:
        """The cells of a column that ever held something, by person."""
        with self._column(course_id, column) as (_, item):
            return {str(grade.person_id): grade_state(grade) for grade in item.grades}

    def grade(self, course_id: int, column: str | int, sub: str) -> GradeState | None:
        """One cell; None when it never held anything."""
        return self.grades(course_id, column).get(sub)

    def activities(self, course_id: int) -> list[ActivityState]:
        """The course's links to the tool, oldest first."""
        with self._database.reading() as session:
            return [activity_state(session, row) for row in links.activities(session, course_id)]

    def members(self, course_id: int) -> list[MemberState]:
        """Everybody in the course, suspended people too, by id."""
        query = select(Enrolment).where(Enrolment.course_id == course_id).order_by(Enrolment.person_id)
        with self._database.reading() as session:
            return [
                MemberState(row.person.sub, row.person.name, row.role, row.suspended)
                for row in session.scalars(query)
            ]

    def calls(self, path_contains: str = "", method: str = "") -> list[CallState]:
        """The tool's service requests so far, oldest first."""
        with self._database.reading() as session:
            rows = session.scalars(select(ServiceCall).order_by(ServiceCall.id))
            return [
                CallState(datetime.fromtimestamp(row.at, UTC), row.method, row.path, row.body, row.status)
                for row in rows
                if path_contains in row.path and method in ("", row.method)
            ]

    # Acting as the teacher or the administrator

    def set_grade_by_hand(
        self, course_id: int, column: str | int, sub: str, value: float | None, feedback: str = ""
    ) -> None:
        """What the teacher types in the gradebook, on the column's scale: an override if it is coupled."""
        with self._column(course_id, column) as (session, item):
            gradebook.set_by_hand(session, item, int(sub), value, feedback, self._now())

    def remove_override(self, course_id: int, column: str | int, sub: str) -> None:
        """Give the cell back to the tool."""
        with self._column(course_id, column) as (session, item):
            gradebook.remove_override(session, item, int(sub), self._now())

    def lock(self, course_id: int, column: str | int, locked: bool = True) -> None:
        """Lock or unlock a column."""
        with self._column(course_id, column) as (_, item):
            item.locked = locked

    def delete_line_item(self, course_id: int, column: str | int) -> None:
        """Delete a column and its grades."""
        with self._column(course_id, column) as (session, item):
            session.delete(item)

    def add_activity(self, course_id: int, new: NewActivity) -> ActivityState:
        """A new link to the tool, graded when ``new.column`` is given."""
        with self._database.writing() as session:
            return activity_state(session, links.add_activity(session, course_id, new))

    def duplicate_activity(self, activity_id: int) -> ActivityState:
        """A copy in the same course: same custom, resourceId and tag, another link."""
        with self._database.writing() as session:
            copy = links.duplicate_activity(session, _get(session, Activity, activity_id))
            return activity_state(session, copy)

    def delete_activity(self, activity_id: int) -> None:
        """Delete the link and its coupled column."""
        with self._database.writing() as session:
            links.delete_activity(session, _get(session, Activity, activity_id))

    def copy_course(self, course_id: int, label: str, title: str) -> int:
        """Restore the course's backup as a new course, without grades; its id."""
        with self._database.writing() as session:
            return links.copy_course(session, _get(session, Course, course_id), label, title).id

    def add_course(self, label: str, title: str) -> int:
        """An empty course (no activity, so no NRPS claim in its launches); its id."""
        with self._database.writing() as session:
            course = Course(label=label, title=title)
            session.add(course)
            session.flush()
            return course.id

    def add_person(self, given_name: str, family_name: str) -> str:
        """Somebody new, in no course yet; the ``sub``."""
        with self._database.writing() as session:
            username = login_of(given_name, family_name)
            person = Person(given_name=given_name, family_name=family_name, username=username)
            session.add(person)
            session.flush()
            return person.sub

    def enrol(self, course_id: int, sub: str, role: Role = "pupil") -> None:
        """Put somebody in a course, or change what he is there."""
        with self._database.writing() as session:
            session.merge(Enrolment(course_id=course_id, person_id=int(sub), role=role, suspended=False))

    def suspend(self, course_id: int, sub: str, suspended: bool = True) -> None:
        """Suspend somebody in a course: absent from NRPS, still gradable."""
        with self._database.writing() as session:
            _get(session, Enrolment, (course_id, int(sub))).suspended = suspended

    def unenrol(self, course_id: int, sub: str) -> None:
        """Take somebody out of a course."""
        with self._database.writing() as session:
            session.delete(_get(session, Enrolment, (course_id, int(sub))))

    # Acting as a platform in trouble

    def revoke_tokens(self) -> None:
        """Every access token given so far is refused from now on (401)."""
        with self._database.writing() as session:
            session.execute(delete(AccessToken))

    def plan_fault(
        self,
        path_contains: str,
        *,
        status: int = 503,
        method: str = "",
        retry_after: str = "",
        delay_s: float = 0.0,
        times: int = 1,
    ) -> None:
        """The next ``times`` AGS or NRPS requests on that path answer ``status`` and do nothing.

        ``status=0``: they only wait ``delay_s``, then go on.
        """
        self._plan(path_contains, status, method, retry_after, delay_s, times, after=False)

    def lose_answers(self, path_contains: str, *, method: str = "", times: int = 1) -> None:
        """The next ``times`` requests on that path are carried out, and their answer becomes a 502."""
        self._plan(path_contains, 502, method, "", 0.0, times, after=True)

    def clear_faults(self) -> None:
        """Forget the planned faults that have not come."""
        with self._database.writing() as session:
            session.execute(delete(Fault))

    def _plan(
        self, path: str, status: int, method: str, retry_after: str, delay_s: float, times: int, after: bool
    ) -> None:
        with self._database.writing() as session:
            session.add(
                Fault(
                    method=method,
                    path_contains=path,
                    status=status,
                    retry_after=retry_after,
                    delay_s=delay_s,
                    after=after,
                    remaining=times,
                )
            )

    def _now(self) -> int:
        return int(self._clock().timestamp())

    @contextmanager
    def _column(self, course_id: int, column: str | int) -> Iterator[tuple[Session, LineItem]]:
        """The column by tag, label or id, in a transaction."""
        with self._database.writing() as session:
            items = gradebook.line_items(session, course_id)
            for name in ("tag", "label", "id"):
                found = [item for item in items if getattr(item, name) == column]
                if len(found) == 1:
                    yield session, found[0]
                    return
                if found:
                    raise LookupError(f"Course {course_id} has {len(found)} columns {column!r}: give an id")
            raise LookupError(f"Course {course_id} has no column {column!r}")


def _get(session: Session, table: type[Row], key: Any) -> Row:
    row = session.get(table, key)
    if row is None:
        raise LookupError(f"No {table.__name__.lower()} {key}")
    return row
