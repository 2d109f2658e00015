"""Names and Role Provisioning Services 2.0: who is in a course.

Source: https://www.imsglobal.org/spec/lti-nrps/v2p0
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ..errors import PlatformRefused
from .claims import LONGEST_ID, clean, context_roles
from .services import Service

SCOPE = "https://purl.imsglobal.org/spec/lti-nrps/scope/contextmembership.readonly"
CONTAINER = "application/vnd.ims.lti-nrps.v2.membershipcontainer+json"


@dataclass(frozen=True)
class Member:
    """Somebody of the roster; names are empty when the platform does not share them."""

    sub: str
    roles: frozenset[str]
    given_name: str
    family_name: str
    name: str


def read_roster(service: Service, memberships_url: str) -> list[Member]:
    """Every active member. Raises `PlatformDelayed` or `PlatformRefused`.

    No role filter is asked for: Moodle drops it from its next page, and ignores roles it does not know.
    """
    members: dict[str, Member] = {}
    for page in service.pages(memberships_url, (SCOPE,), CONTAINER):
        listed = page.get("members") if isinstance(page, dict) else None
        if not isinstance(listed, list):
            raise PlatformRefused("the roster is not a list")
        for row in listed:
            member = _member(row)
            if member is not None:
                members[member.sub] = member
    return list(members.values())


def _member(row: Any) -> Member | None:
    if not isinstance(row, dict) or row.get("status", "Active") != "Active":
        return None
    sub = str(row.get("user_id") or "")
    if not sub or len(sub) > LONGEST_ID or clean(sub) != sub:
        return None
    roles = row.get("roles")
    return Member(
        sub=sub,
        roles=context_roles([r for r in roles if isinstance(r, str)] if isinstance(roles, list) else []),
        given_name=_name(row, "given_name"),
        family_name=_name(row, "family_name"),
        name=_name(row, "name"),
    )


def _name(row: dict[str, Any], key: str) -> str:
    value = row.get(key)
    return clean(value).strip()[:LONGEST_ID] if isinstance(value, str) else ""
