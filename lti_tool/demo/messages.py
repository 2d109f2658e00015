"""The id_token: the claims of the three messages, as Moodle 4.5 writes them; an ENT keeps few of them."""

from typing import Any
from urllib.parse import urlencode

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from lti_tool.demo import launches
from lti_tool.demo.addresses import lineitem_url, lineitems_url, memberships_url
from lti_tool.demo.ent import plain_claims
from lti_tool.demo.gradebook import coupled_item
from lti_tool.demo.platform import Platform
from lti_tool.demo.scopes import AGS_SCOPES, MEMBERSHIP_READONLY
from lti_tool.demo.tables import Activity, Course, Enrolment, Launch, LineItem, Person
from lti_tool.demo.tools import Tool
from lti_tool.demo.variables import custom_claim, variables

LTI = "https://purl.imsglobal.org/spec/lti/claim/"
LTI_DL = "https://purl.imsglobal.org/spec/lti-dl/claim/"
AGS_CLAIM = "https://purl.imsglobal.org/spec/lti-ags/claim/endpoint"
NRPS_CLAIM = "https://purl.imsglobal.org/spec/lti-nrps/claim/namesroleservice"
MEMBERSHIP = "http://purl.imsglobal.org/vocab/lis/v2/membership#"
LIFETIME_S = 60

Claims = dict[str, Any]


def id_token_claims(session: Session, platform: Platform, tool: Tool, launch: Launch, nonce: str) -> Claims:
    """Everything the id_token of ``launch`` says. Raises LookupError when its activity or person has gone."""
    enrolment = session.get(Enrolment, (launch.course_id, launch.person_id))
    activity = session.get(Activity, launch.activity_id) if launch.activity_id else None
    if enrolment is None or (launch.activity_id and activity is None):
        raise LookupError("The launch's activity or enrolment has gone")
    claims = {
        **_envelope(platform, tool, launch, nonce),
        **_who(enrolment, tool.names),
        **_where(enrolment.course, enrolment.person),
        **_presentation(platform, launch),
        **_services(session, tool, enrolment.course, activity),
    }
    item = coupled_item(session, activity) if activity else None
    claims[LTI + "target_link_uri"] = (activity and activity.url) or tool.target_url
    custom = dict(activity.custom) if activity else {}
    if activity:
        claims[LTI + "resource_link"] = _resource_link(activity)
    if launch.message_type == launches.SUBMISSION_REVIEW:
        review = (item.submission_review if item else None) or {}
        claims[LTI + "for_user"] = {"user_id": str(launch.for_person_id)}
        claims[LTI + "target_link_uri"] = review.get("url") or claims[LTI + "target_link_uri"]
        custom.update(review.get("custom") or {})
    if launch.message_type == launches.DEEP_LINKING:
        claims[LTI + "target_link_uri"] = tool.selection_url
        claims[LTI_DL + "deep_linking_settings"] = _deep_linking_settings(platform, tool, launch)
    role = ",".join(claims[LTI + "roles"])
    known = variables(enrolment.person, enrolment.course, activity, item, tool.names, role)
    claims[LTI + "custom"] = custom_claim(custom, tool.custom, known)
    if NRPS_CLAIM in claims:
        claims[LTI + "custom"]["context_memberships_url"] = memberships_url(launch.course_id)
    return plain_claims(claims, launch.person_id) if platform.settings.profile.plain else claims


def launch_role(role: str) -> str:
    """Short role in launches: a non-editing teacher is an Instructor here, and a Learner in the roster."""
    return "Learner" if role == "pupil" else "Instructor"


def has_activity(session: Session, course_id: int, tool_id: int) -> bool:
    """Whether the tool is used in the course; until then Moodle gives no roster."""
    used = select(func.count()).where(Activity.course_id == course_id, Activity.tool_id == tool_id)
    return bool(session.scalar(used))


def _envelope(platform: Platform, tool: Tool, launch: Launch, nonce: str) -> Claims:
    now = platform.now()
    return {
        "iss": platform.settings.base_url,
        "aud": tool.client_id,
        "sub": str(launch.person_id),
        "iat": now,
        "exp": now + LIFETIME_S,
        "nonce": nonce,
        LTI + "version": "1.3.0",
        LTI + "message_type": launch.message_type,
        LTI + "deployment_id": tool.deployment_id,
    }


def _who(enrolment: Enrolment, names: bool) -> Claims:
    person = enrolment.person
    claims: Claims = {LTI + "roles": [MEMBERSHIP + launch_role(enrolment.role)]}
    ext = {"lms": "moodle-2"}
    if names:
        claims |= {
            "given_name": person.given_name,
            "family_name": person.family_name,
            "name": person.name,
        }
        ext["user_username"] = person.username
    return {**claims, LTI + "ext": ext}


def _where(course: Course, person: Person) -> Claims:
    return {
        LTI + "context": {
            "id": str(course.id),
            "label": course.label,
            "title": course.title,
            "type": ["CourseSection"],
        },
        LTI + "lis": {
            "person_sourcedid": person.sourced_id,
            "course_section_sourcedid": course.sourced_id,
        },
    }


def _resource_link(activity: Activity) -> Claims:
    return {"id": activity.link_id, "title": activity.title, "description": activity.text}


def _presentation(platform: Platform, launch: Launch) -> Claims:
    presentation = {"locale": launch.locale, "document_target": launch.document_target}
    if launch.activity_id:
        query = urlencode({"activity": launch.activity_id, "target": launch.document_target})
        presentation["return_url"] = f"{platform.settings.base_url}/courses/{launch.course_id}/return?{query}"
    return {
        LTI + "launch_presentation": presentation,
        LTI + "tool_platform": {
            "product_family_code": "spirale-demo",
            "version": "1",
            "guid": platform.guid,
            "name": platform.settings.name,
            "description": platform.settings.name,
        },
    }


def _services(session: Session, tool: Tool, course: Course, activity: Activity | None) -> Claims:
    endpoint: Claims = {
        "scope": [scope for scope in AGS_SCOPES if scope in tool.scopes],
        "lineitems": lineitems_url(course.id, tool.id),
    }
    item = coupled_item(session, activity) if activity else None
    if item is not None and _attached(session, item) == 1:  # Moodle: with a second item, no lineitem
        endpoint["lineitem"] = lineitem_url(item)
    claims: Claims = {AGS_CLAIM: endpoint} if endpoint["scope"] else {}
    if MEMBERSHIP_READONLY in tool.scopes and has_activity(session, course.id, tool.id):
        claims[NRPS_CLAIM] = {
            "context_memberships_url": memberships_url(course.id),
            "service_versions": ["1.0", "2.0"],
        }
    return claims


def _attached(session: Session, item: LineItem) -> int:
    query = select(func.count()).where(LineItem.activity_id == item.activity_id)
    return session.scalar(query) or 0


def _deep_linking_settings(platform: Platform, tool: Tool, launch: Launch) -> Claims:
    """Neither ``data`` nor ``accept_lineitem``: Moodle sends none."""
    query = urlencode({"course": launch.course_id, "key": launch.return_key})
    return {
        "accept_types": ["ltiResourceLink"],
        "accept_presentation_document_targets": ["frame", "iframe", "window"],
        "accept_copy_advice": False,
        "accept_multiple": True,
        "accept_unsigned": False,
        "auto_create": False,
        "can_confirm": False,
        "deep_link_return_url": f"{platform.settings.base_url}/lti/deep-link-return?{query}",
        "title": tool.name,
        "text": "",
    }
