"""What a test reads of the demo LMS: plain values, of no database session."""

from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy.orm import Session

from lti_tool.demo import gradebook
from lti_tool.demo.tables import Activity, Grade, LineItem


@dataclass(frozen=True)
class GradeState:
    """One cell. ``value`` is what people see, ``sent`` what the tool last sent, on the column's scale."""

    sub: str
    value: float | None
    sent: float | None
    feedback: str
    overridden: bool
    modified: datetime | None
    """Aware UTC, whole second; None after the clear of a coupled column."""


@dataclass(frozen=True)
class LineItemState:
    """One column; ``coupled`` when it came with its activity."""

    id: int
    label: str
    score_maximum: float
    resource_id: str
    tag: str
    resource_link_id: str | None
    coupled: bool
    locked: bool


@dataclass(frozen=True)
class ActivityState:
    """One link to the tool; ``id`` is in its page's address, ``resource_link_id`` in its launches."""

    id: int
    resource_link_id: str
    title: str
    text: str
    url: str
    custom: dict[str, str]
    graded: bool


@dataclass(frozen=True)
class MemberState:
    """One enrolment."""

    sub: str
    name: str
    role: str
    suspended: bool


@dataclass(frozen=True)
class CallState:
    """One request of the tool to AGS or NRPS, and the status it got."""

    at: datetime
    method: str
    path: str
    body: str
    status: int


def grade_state(grade: Grade) -> GradeState:
    """A cell as tests read it."""
    modified = None if grade.modified is None else datetime.fromtimestamp(grade.modified, UTC)
    sub = str(grade.person_id)
    return GradeState(sub, grade.value, grade.raw, grade.feedback, grade.overridden, modified)


def item_state(item: LineItem) -> LineItemState:
    """A column as tests read it."""
    return LineItemState(
        id=item.id,
        label=item.label,
        score_maximum=item.score_maximum,
        resource_id=item.resource_id,
        tag=item.tag,
        resource_link_id=item.link_id,
        coupled=item.coupled,
        locked=item.locked,
    )


def activity_state(session: Session, activity: Activity) -> ActivityState:
    """A link as tests read it."""
    return ActivityState(
        id=activity.id,
        resource_link_id=activity.link_id,
        title=activity.title,
        text=activity.text,
        url=activity.url,
        custom=dict(activity.custom),
        graded=gradebook.coupled_item(session, activity) is not None,
    )
