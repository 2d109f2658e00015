"""Absolute addresses that the platform gives to the tool."""

from urllib.parse import urlencode

from lti_tool.demo.platform import the_platform
from lti_tool.demo.tables import FIRST_TOOL, LineItem


def course_service_url(course_id: int, service: str) -> str:
    """Root of a course's service: ``lineitems`` or ``memberships``."""
    return f"{the_platform().settings.base_url}/lti/courses/{course_id}/{service}"


def lineitems_url(course_id: int, tool_id: int = FIRST_TOOL, **query: str | int) -> str:
    """A tool's line items in a course; Moodle calls the tool's id ``type_id``."""
    return f"{course_service_url(course_id, 'lineitems')}?{urlencode({'type_id': tool_id, **query})}"


def lineitem_url(item: LineItem, segment: str = "", **query: str | int) -> str:
    """One line item; ``segment`` ("/scores", "/results") goes before the query."""
    root = course_service_url(item.course_id, "lineitems")
    return f"{root}/{item.id}/lineitem{segment}?{urlencode({'type_id': item.tool_id, **query})}"


def memberships_url(course_id: int, **query: str | int) -> str:
    """The course's roster."""
    root = course_service_url(course_id, "memberships")
    return f"{root}?{urlencode(query)}" if query else root
