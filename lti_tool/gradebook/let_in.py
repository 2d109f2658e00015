"""Whether a platform, or a course of it, may still be sent to: asked again while a round is under way."""

from __future__ import annotations

import sqlalchemy as sa

from ..courses.models import Course
from ..db import db
from ..lti.models import Deployment, Platform


def is_let_in(engine: sa.Engine, platform_id: int) -> bool:
    """Whether a platform is still let in; asked by any thread, beside the session."""
    with engine.connect() as connection:
        enabled = sa.select(Platform.enabled).where(Platform.id == platform_id)
        return bool(connection.scalar(enabled))


def may_send(course_id: int) -> bool:
    """Whether a course's deployment is still let in, and its addresses are its own. Leaves no transaction open."""
    sends = (
        sa.select(sa.and_(Deployment.enabled, ~Course.awaits_launch))
        .select_from(Course)
        .join(Deployment, Deployment.id == Course.deployment_id)
        .where(Course.id == course_id)
    )
    found = db.session.scalar(sends)
    db.session.commit()
    return bool(found)
