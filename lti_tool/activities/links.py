"""Which activity a link of the course opens."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.orm import Session

from ..courses.models import Course, ResourceLink
from ..db import insert_missing
from .models import Activity, ActivityLink

CUSTOM_ACTIVITY = "spirale_activity"
"""Custom parameter of our deep links: the activity's identifier."""
CUSTOM_PAGE = "spirale_page"
"""Custom parameter of our other deep links: `overview`, `me` or `competence:1C`."""


def activity_of_link(session: Session, link: ResourceLink) -> Activity | None:
    """The activity a link opens, chosen by a teacher or by deep linking; None when it opens the course."""
    return session.scalars(
        sa.select(Activity)
        .join(ActivityLink, ActivityLink.activity_id == Activity.id)
        .where(ActivityLink.resource_link_id == link.id, Activity.course_id == link.course_id)
    ).first()


def link_activity(session: Session, link: ResourceLink, activity: Activity) -> None:
    """Make a link open an activity of its own course, in the caller's transaction."""
    found = session.scalars(sa.select(ActivityLink).where(ActivityLink.resource_link_id == link.id)).first()
    if found is None:
        insert_missing(session, ActivityLink, resource_link_id=link.id, activity_id=activity.id)
    else:
        found.activity_id = activity.id


def unlink_activity(session: Session, link: ResourceLink) -> None:
    """Make a link open the course again."""
    session.execute(sa.delete(ActivityLink).where(ActivityLink.resource_link_id == link.id))


def follow_custom(
    session: Session, course: Course, link: ResourceLink, custom: dict[str, str]
) -> Activity | None:
    """Attach a deep link to its activity at its first launch.

    None when the parameter names no activity of this course: a restored course launches with the parameter of the
    course it was copied from, and must never open another class's data (docs/platforms.md).
    """
    wanted = custom.get(CUSTOM_ACTIVITY, "")
    activity = session.scalars(
        sa.select(Activity).where(Activity.uuid == wanted, Activity.course_id == course.id)
    ).first()
    if activity is not None:
        link_activity(session, link, activity)
    return activity
