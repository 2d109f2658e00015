"""Absolute addresses that the platform gives to the tool."""

from urllib.parse import urlencode

from lti_tool.demo.platform import the_platform
from lti_tool.demo.tables import LineItem

TYPE_ID = "1"
"""Moodle's id of the registered tool, in the query of every gradebook address."""


def course_service_url(course_id: int, service: str) -> str:
    """Root of a course's service: ``lineitems`` or ``memberships``."""
    return f"{the_platform().settings.base_url}/lti/courses/{course_id}/{service}"


def lineitems_url(course_id: int, **query: str | int) -> str:
    """The course's line items."""
    return f"{course_service_url(course_id, 'lineitems')}?{urlencode({'type_id': TYPE_ID, **query})}"


def lineitem_url(item: LineItem, segment: str = "", **query: str | int) -> str:
    """One line item; ``segment`` ("/scores", "/results") goes before the query."""
    root = course_service_url(item.course_id, "lineitems")
    return f"{root}/{item.id}/lineitem{segment}?{urlencode({'type_id': TYPE_ID, **query})}"


def memberships_url(course_id: int, **query: str | int) -> str:
    """The course's roster."""
    root = course_service_url(course_id, "memberships")
    return f"{root}?{urlencode(query)}" if query else root
