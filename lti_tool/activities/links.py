"""Which activity a link of the course opens, and what a deep link carries to say so."""

from __future__ import annotations

import hashlib
import hmac

import sqlalchemy as sa
from sqlalchemy.orm import Session

from ..courses.models import Course, ResourceLink
from ..db import insert_missing
from .models import Activity, ActivityLink

CUSTOM_ACTIVITY = "spirale_activity"
"""Custom parameter of our deep links: the activity's identifier."""
CUSTOM_SIGNATURE = "spirale_signature"
"""Proof that the link was made here: the identifier alone is seen by other tools, as a column's `resourceId`."""
CUSTOM_HISTORY = "spirale_history"
"""The courses that this one was copied from, nearest first, where the platform knows (`$Context.id.history`)."""
CUSTOM_COLUMN = "spirale_column"
"""Present when a teacher asked for a column of the activity's own."""
CUSTOM_PAGE = "spirale_page"
"""Custom parameter of our other deep links: `overview`, `me` or `competence:1C`."""


def activity_of_link(session: Session, link: ResourceLink) -> Activity | None:
    """The activity a link opens, chosen by a teacher or by deep linking; None when it opens the course."""
    return session.scalars(
        sa.select(Activity)
        .join(ActivityLink, ActivityLink.activity_id == Activity.id)
        .where(ActivityLink.resource_link_id == link.id, Activity.course_id == link.course_id)
    ).first()


def deep_link_custom(activity: Activity, issuer: str, secret_key: str, *, column: bool) -> dict[str, str]:
    """The custom parameters of a deep link to an activity."""
    custom = {
        CUSTOM_ACTIVITY: activity.uuid,
        CUSTOM_SIGNATURE: sign(activity.uuid, issuer, secret_key),
        CUSTOM_HISTORY: "$Context.id.history",
    }
    return custom | ({CUSTOM_COLUMN: "1"} if column else {})


def sign(identifier: str, issuer: str, secret_key: str) -> str:
    """What only this server can write beside an activity's identifier, for one LMS."""
    message = f"activity {issuer} {identifier}".encode()
    return hmac.new(secret_key.encode(), message, hashlib.sha256).hexdigest()[:32]


def link_activity(
    session: Session, link: ResourceLink, activity: Activity, *, graded: bool | None = None
) -> None:
    """Make a link open an activity of its own course, in the caller's transaction.

    `graded`: whether its column gets the activity's grades; None leaves that as it is.
    """
    found = session.scalars(sa.select(ActivityLink).where(ActivityLink.resource_link_id == link.id)).first()
    if found is None:
        insert_missing(
            session,
            ActivityLink,
            resource_link_id=link.id,
            activity_id=activity.id,
            graded=bool(graded),
        )
        return
    found.activity_id = activity.id
    if graded is not None:
        found.graded = graded


def is_graded(session: Session, link: ResourceLink) -> bool:
    """Whether the column that came with a link gets the grades of its activity."""
    query = sa.select(ActivityLink.graded).where(ActivityLink.resource_link_id == link.id)
    return bool(link.lineitem_url and session.scalar(query))


def unlink_activity(session: Session, link: ResourceLink) -> None:
    """Make a link open the course again."""
    session.execute(sa.delete(ActivityLink).where(ActivityLink.resource_link_id == link.id))


def follow_custom(
    session: Session, course: Course, link: ResourceLink, custom: dict[str, str]
) -> Activity | None:
    """Attach a deep link to its activity at its first launch.

    None when the parameter names no activity of this course, nor one that was copied into it: a restored course
    launches with the parameter of the course it was copied from, and must never open another class's data
    (docs/platforms.md, `copies`).
    """
    wanted = custom.get(CUSTOM_ACTIVITY, "")
    activity = session.scalars(
        sa.select(Activity)
        .where(
            sa.or_(Activity.uuid == wanted, Activity.copied_from == wanted), Activity.course_id == course.id
        )
        .order_by(Activity.id)
    ).first()
    if activity is not None:
        link_activity(session, link, activity, graded=CUSTOM_COLUMN in custom)
    return activity
