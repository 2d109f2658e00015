"""Custom parameters: substitution variables and Moodle's habits (4.5, mod/lti/locallib.php)."""

import re
from collections.abc import Mapping

from lti_tool.demo.addresses import lineitem_url, lineitems_url, memberships_url
from lti_tool.demo.tables import FIRST_TOOL, Activity, Course, LineItem, Person


def variables(
    person: Person, course: Course, activity: Activity | None, item: LineItem | None, names: bool, role: str
) -> dict[str, str | None]:
    """Every variable this platform knows, without its ``$``. None where the value is withheld or unknown.

    ``$User.username`` is given even when names are not: Moodle leaks it too.
    """
    return {
        "Context.id": str(course.id),
        "Context.label": course.label,
        "Context.title": course.title,
        "Context.sourcedId": course.sourced_id,
        "Context.id.history": course.history,
        "CourseSection.label": course.label,
        "CourseSection.title": course.title,
        "CourseSection.sourcedId": course.sourced_id,
        "ResourceLink.id": activity.link_id if activity else None,
        "ResourceLink.title": activity.title if activity else None,
        "ResourceLink.description": activity.text if activity else None,
        "User.id": person.sub,
        "User.username": person.username,
        "Person.name.full": person.name if names else None,
        "Person.name.given": person.given_name if names else None,
        "Person.name.family": person.family_name if names else None,
        "Person.sourcedId": person.sourced_id,
        "Membership.role": role,
        "Moodle.Person.userGroupIds": "",
        "LineItems.url": lineitems_url(course.id, activity.tool_id if activity else FIRST_TOOL),
        "LineItem.url": lineitem_url(item) if item else "",
        "Scores.url": lineitem_url(item, "/scores") if item else "",
        "Results.url": lineitem_url(item, "/results") if item else "",
        "ToolProxyBinding.memberships.url": memberships_url(course.id),
    }


def custom_claim(
    activity: Mapping[str, str], registration: Mapping[str, str], known: Mapping[str, str | None]
) -> dict[str, str | None]:
    """The ``custom`` claim: the registration wins on a clash, keys not all-lower-case come twice."""
    claim: dict[str, str | None] = {}
    for key, value in {**activity, **registration}.items():
        claim[key] = claim[plain_key(key)] = substituted(value, known)
    return claim


def substituted(value: str, known: Mapping[str, str | None]) -> str | None:
    """The variable's value when the whole of ``value`` is a known variable; else ``value`` literally."""
    return known[value[1:]] if value.startswith("$") and value[1:] in known else value


def plain_key(key: str) -> str:
    """``Casse.Mixte`` → ``casse_mixte``, the second name of a key in LTI 1.1 manner."""
    return re.sub(r"[^a-z0-9]", "_", key.lower())
