"""Links to the tool in a course: made, found, duplicated, deleted, copied with their course."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from lti_tool.demo.gradebook import coupled_item, line_items
from lti_tool.demo.tables import FIRST_TOOL, LINK_ID_OFFSET, Activity, Course, Enrolment, LineItem


@dataclass(frozen=True)
class Column:
    """The gradebook column that comes with a graded activity."""

    score_maximum: float = 100.0
    resource_id: str = ""
    tag: str = ""
    submission_review: dict[str, Any] | None = None


@dataclass(frozen=True)
class NewActivity:
    """A link to be made; without ``column`` it is not graded."""

    title: str
    text: str = ""
    url: str = ""
    custom: Mapping[str, str] = field(default_factory=dict)
    column: Column | None = None
    tool_id: int = FIRST_TOOL


def add_activity(session: Session, course_id: int, new: NewActivity) -> Activity:
    """A link, and its coupled line item whose label is the title (a deep link's label is dropped)."""
    activity = Activity(
        course_id=course_id,
        title=new.title,
        text=new.text,
        url=new.url,
        custom=dict(new.custom),
        tool_id=new.tool_id,
    )
    session.add(activity)
    session.flush()
    if new.column is not None:
        session.add(
            LineItem(
                course_id=course_id,
                label=new.title,
                score_maximum=new.column.score_maximum,
                resource_id=new.column.resource_id,
                tag=new.column.tag,
                tool_id=new.tool_id,
                activity_id=activity.id,
                coupled=True,
                submission_review=new.column.submission_review,
            )
        )
        session.flush()
    return activity


def activities(session: Session, course_id: int) -> list[Activity]:
    """The course's links, oldest first."""
    return list(
        session.scalars(select(Activity).where(Activity.course_id == course_id).order_by(Activity.id))
    )


def activity_of_link(session: Session, course_id: int, link_id: str) -> Activity | None:
    """The activity whose launches carry that ``resource_link.id``, in that course."""
    activity = session.get(Activity, int(link_id) - LINK_ID_OFFSET) if link_id.isdecimal() else None
    return activity if activity is not None and activity.course_id == course_id else None


def duplicate_activity(session: Session, activity: Activity) -> Activity:
    """A copy under a new link id: same custom, url, resourceId and tag, new line item (Moodle)."""
    return add_activity(session, activity.course_id, _copy_of(session, activity, f"{activity.title} (copie)"))


def delete_activity(session: Session, activity: Activity) -> None:
    """Remove the link and its coupled column; standalone items attached to it stay, dangling (Moodle)."""
    item = coupled_item(session, activity)
    if item is not None:
        session.delete(item)
    session.delete(activity)


def copy_course(session: Session, course: Course, label: str, title: str) -> Course:
    """A restored backup with its people, without grades: new ids, custom verbatim, columns remapped."""
    history = ",".join(part for part in (str(course.id), course.history) if part)
    copy = Course(label=label, title=title, history=history)
    session.add(copy)
    session.flush()
    for row in session.scalars(select(Enrolment).where(Enrolment.course_id == course.id)).all():
        session.add(
            Enrolment(course_id=copy.id, person_id=row.person_id, role=row.role, suspended=row.suspended)
        )
    new_ids = {
        activity.id: add_activity(session, copy.id, _copy_of(session, activity, activity.title)).id
        for activity in activities(session, course.id)
    }
    for item in line_items(session, course.id):
        if not item.coupled:
            session.add(_standalone_copy(item, copy.id, new_ids))
    session.flush()
    return copy


def _copy_of(session: Session, activity: Activity, title: str) -> NewActivity:
    item = coupled_item(session, activity)
    column = Column(item.score_maximum, item.resource_id, item.tag, item.submission_review) if item else None
    return NewActivity(title, activity.text, activity.url, activity.custom, column, activity.tool_id)


def _standalone_copy(item: LineItem, course_id: int, new_ids: Mapping[int, int]) -> LineItem:
    return LineItem(
        course_id=course_id,
        label=item.label,
        score_maximum=item.score_maximum,
        resource_id=item.resource_id,
        tag=item.tag,
        tool_id=item.tool_id,
        activity_id=None if item.activity_id is None else new_ids.get(item.activity_id),
        submission_review=item.submission_review,
    )
