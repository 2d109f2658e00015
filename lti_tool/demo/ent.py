"""What an ENT says to a tool, and what it leaves out."""

import uuid
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from lti_tool.demo.scopes import SCORE
from lti_tool.demo.tables import Enrolment

LTI = "https://purl.imsglobal.org/spec/lti/claim/"
AGS_CLAIM = "https://purl.imsglobal.org/spec/lti-ags/claim/endpoint"
KEPT = (
    *("iss", "aud", "iat", "exp", "nonce"),
    *(LTI + name for name in ("version", "message_type", "deployment_id", "target_link_uri")),
    *(LTI + name for name in ("context", "launch_presentation", "tool_platform")),
)
PEOPLE = uuid.UUID("6d1f6a0e-53c8-4b55-9f0e-2f6b0c1d9a77")
NOT_OFFERED = frozenset(
    {
        *("pages.activity", "pages.choose", "pages.choose_launch", "pages.review", "pages.review_launch"),
        *("administration.show", "administration.add", "administration.start", "administration.activate"),
        *("registering.openid_configuration", "registering.register", "deep_linking.come_back"),
    }
)
"""Of the LMS, what an ENT has not: it frames nothing, knows neither deep linking nor submission review, and no tool
registers itself."""


def opaque_sub(person_id: int) -> str:
    """The identifier by which tools know a person: it says nothing, and stays the same."""
    return str(uuid.uuid5(PEOPLE, str(person_id)))


def person_behind(session: Session, course_id: int, sub: str) -> int | None:
    """The person of a course whom tools know by ``sub``."""
    known = session.scalars(select(Enrolment.person_id).where(Enrolment.course_id == course_id))
    return next((person_id for person_id in known if opaque_sub(person_id) == sub), None)


def plain_claims(claims: dict[str, Any], person_id: int) -> dict[str, Any]:
    """Of Moodle's claims, those an ENT sends: no name, no roster, no parameter, and of grades the link's own column."""
    kept = {name: claims[name] for name in KEPT}
    kept["sub"] = opaque_sub(person_id)
    kept[LTI + "roles"] = [role.rpartition("#")[2] for role in claims[LTI + "roles"]]
    link = claims[LTI + "resource_link"]
    kept[LTI + "resource_link"] = {"id": link["id"], "title": link["title"]}
    column = claims.get(AGS_CLAIM, {}).get("lineitem")
    if column:
        kept[AGS_CLAIM] = {"scope": [SCORE], "lineitem": column}
    return kept
