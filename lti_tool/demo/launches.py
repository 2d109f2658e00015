"""A launch: made when somebody opens the frame, spent once by the authorisation endpoint."""

import json
import secrets

from sqlalchemy import delete
from sqlalchemy.orm import Session

from lti_tool.demo.tables import FIRST_TOOL, Activity, Enrolment, Launch

RESOURCE_LINK = "LtiResourceLinkRequest"
DEEP_LINKING = "LtiDeepLinkingRequest"
SUBMISSION_REVIEW = "LtiSubmissionReviewRequest"
LIFETIME_S = 600


def start_launch(
    session: Session,
    enrolment: Enrolment,
    message_type: str,
    now: int,
    activity: Activity | None = None,
    for_person_id: int | None = None,
    document_target: str = "iframe",
    locale: str = "fr",
    tool_id: int = FIRST_TOOL,
) -> Launch:
    """A launch of ``enrolment``'s person, not spent yet; old ones are forgotten."""
    session.execute(delete(Launch).where(Launch.made_at < now - 24 * 3600))
    launch = Launch(
        id=f"ltilaunch{activity.link_id if activity else ''}_{secrets.token_hex(8)}",
        message_type=message_type,
        person_id=enrolment.person_id,
        course_id=enrolment.course_id,
        tool_id=activity.tool_id if activity else tool_id,
        activity_id=activity.id if activity else None,
        for_person_id=for_person_id,
        document_target=document_target,
        locale=locale,
        made_at=now,
        return_key=secrets.token_urlsafe(24) if message_type == DEEP_LINKING else None,
    )
    session.add(launch)
    return launch


def message_hint(launch: Launch) -> str:
    """``lti_message_hint`` as Moodle writes it: JSON with the page's number and the launch's id."""
    hint: dict[str, int | str] = {} if launch.activity_id is None else {"cmid": launch.activity_id}
    return json.dumps({**hint, "launchid": launch.id}, separators=(",", ":"))


def spend_launch(session: Session, hint: str, person_id: int, now: int) -> Launch | None:
    """The launch of the hint, spent from now on; None when unknown, spent, too old or somebody else's."""
    launch = session.get(Launch, _launch_id(hint))
    if launch is None or launch.spent or launch.person_id != person_id or launch.made_at < now - LIFETIME_S:
        return None
    launch.spent = True
    return launch


def _launch_id(hint: str) -> str:
    try:
        return str(json.loads(hint)["launchid"])
    except (ValueError, TypeError, KeyError):
        return ""
