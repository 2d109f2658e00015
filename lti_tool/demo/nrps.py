"""Names and Role Provisioning Services, with the manners of Moodle 4.5 (memberships)."""

import unicodedata
from typing import Any

from flask import Response, request
from sqlalchemy import select
from sqlalchemy.orm import Session

from lti_tool.demo import scopes
from lti_tool.demo.activities import activity_of_link
from lti_tool.demo.addresses import memberships_url
from lti_tool.demo.messages import LTI, MEMBERSHIP
from lti_tool.demo.platform import the_platform
from lti_tool.demo.services import (
    ANY_METHOD,
    ServiceError,
    demand_course,
    demand_scope,
    json_response,
    negotiate,
    page_bounds,
    service,
)
from lti_tool.demo.tables import Enrolment, Person
from lti_tool.demo.tools import tool_by_id

nrps = service("nrps")

MEMBERS_TYPE = "application/vnd.ims.lti-nrps.v2.membershipcontainer+json"
BASIC_OUTCOME = "https://purl.imsglobal.org/spec/lti-bo/claim/basicoutcome"
SHORT_ROLES = {"Learner": "Learner", "Instructor": "Instructor",
               MEMBERSHIP + "Learner": "Learner", MEMBERSHIP + "Instructor": "Instructor"}  # fmt: skip


@nrps.route("/lti/courses/<int:course_id>/memberships", methods=ANY_METHOD)
def memberships(course_id: int) -> Response:
    """The people of the course by family name; suspended ones are absent. No e-mail."""
    negotiate(MEMBERS_TYPE)
    if request.method != "GET":
        raise ServiceError(405)
    link_id = request.args.get("rlid", "")
    with the_platform().database.reading() as session:
        tool_id = demand_scope(session, scopes.MEMBERSHIP_READONLY)
        names = tool_by_id(session, the_platform().settings, tool_id).names
        course = demand_course(session, course_id)
        if link_id and activity_of_link(session, course_id, link_id) is None:
            raise ServiceError(404, f"Not Found: resource link {link_id}")
        people = _present_people(session, course_id, SHORT_ROLES.get(request.args.get("role", "")))
        limit, start = page_bounds()
        shown = people[start : start + limit] if limit else people[start:]
        body = {
            "id": memberships_url(course_id),
            "context": {"id": str(course.id), "label": course.label, "title": course.title},
            "members": [_member(enrolment, link_id, names) for enrolment in shown],
        }
    response = json_response(body, MEMBERS_TYPE)
    if limit and start + limit < len(people):
        kept = {"rlid": link_id} if link_id else {}  # and role is dropped, as in Moodle
        following = memberships_url(course_id, limit=limit, **{"from": start + limit}, **kept)
        response.headers["Link"] = f'<{following}>; rel="next"'
    return response


def roster_role(role: str) -> str:
    """Short role in the roster: a non-editing teacher is a "Learner" here, and an Instructor in launches."""
    return "Instructor" if role == "teacher" else "Learner"


def by_family_name(person: Person) -> tuple[str, str]:
    """Sort key in French order: accents and case count for nothing."""
    return _folded(person.family_name), _folded(person.given_name)


def _folded(name: str) -> str:
    letters = unicodedata.normalize("NFKD", name.replace("ı", "i"))
    return "".join(letter for letter in letters if not unicodedata.combining(letter)).casefold()


def _present_people(session: Session, course_id: int, role: str | None) -> list[Enrolment]:
    """Enrolled and not suspended; ``role`` None keeps everybody (an unknown role is ignored)."""
    query = select(Enrolment).where(Enrolment.course_id == course_id, Enrolment.suspended.is_(False))
    kept = [row for row in session.scalars(query) if role in (None, roster_role(row.role))]
    return sorted(kept, key=lambda row: by_family_name(row.person))


def _member(enrolment: Enrolment, link_id: str, names: bool) -> dict[str, Any]:
    person = enrolment.person
    member: dict[str, Any] = {
        "status": "Active",
        "roles": [roster_role(enrolment.role)],
        "user_id": person.sub,
        "lis_person_sourcedid": person.sourced_id,
    }
    if names:
        member |= {
            "name": person.name,
            "given_name": person.given_name,
            "family_name": person.family_name,
            "ext_user_username": person.username,
        }
    if link_id:
        message_type = {LTI + "message_type": "LtiResourceLinkRequest"}
        member["message"] = [
            {**message_type, BASIC_OUTCOME: {"lis_result_sourcedid": f"{link_id}:{person.sub}"}}
        ]
    return member
