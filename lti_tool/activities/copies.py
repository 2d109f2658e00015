"""An activity of a course that was copied or restored: found in the course it came from, and copied without results.

What is copied is what a teacher wrote, never what was seen of a class. It leaves a course only for another course of
the same deployment of the same LMS, and only when that LMS says that the course was copied from it, or when the link
carries our own signature: whoever could read the link's settings could read the activity (docs/decisions/0016).
"""

from __future__ import annotations

import hmac
import uuid
from datetime import date, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session, joinedload, selectinload

from ..courses.models import Course, Enrolment, Role
from .links import CUSTOM_ACTIVITY, CUSTOM_HISTORY, CUSTOM_SIGNATURE, sign
from .models import Activity, ActivityCompetence, ObservedItem


def find_source(session: Session, course: Course, custom: dict[str, str], secret_key: str) -> Activity | None:
    """The activity of another course that a link names, if this course may have a copy of it.

    The nearest course of the history comes first: a copy of a copy may have been improved on the way.
    """
    wanted = custom.get(CUSTOM_ACTIVITY, "")
    if not wanted:
        return None
    candidates = session.scalars(
        sa.select(Activity)
        .join(Course, Course.id == Activity.course_id)
        .where(
            Course.deployment_id == course.deployment_id,
            Course.id != course.id,
            sa.or_(Activity.uuid == wanted, Activity.copied_from == wanted),
        )
        .order_by(Activity.id)
        .options(
            joinedload(Activity.course).joinedload(Course.platform),
            selectinload(Activity.competences).joinedload(ActivityCompetence.item),
            selectinload(Activity.competences)
            .selectinload(ActivityCompetence.observed)
            .joinedload(ObservedItem.item),
        )
    ).all()
    by_context = {activity.course.context_id: activity for activity in reversed(candidates)}
    for context_id in custom.get(CUSTOM_HISTORY, "").split(","):
        if context_id.strip() in by_context:
            return by_context[context_id.strip()]
    signature = sign(wanted, course.platform.issuer, secret_key)
    if hmac.compare_digest(custom.get(CUSTOM_SIGNATURE, "").encode(), signature.encode()):
        return next((activity for activity in candidates if activity.uuid == wanted), None)
    return None


def taught_by(session: Session, course: Course, person_id: int) -> bool:
    """Whether somebody came to a course as one of its teachers: they may be told its name."""
    query = sa.select(Enrolment.id).where(
        Enrolment.course_id == course.id,
        Enrolment.person_id == person_id,
        Enrolment.launched_as.in_((Role.TEACHER, Role.ASSESSOR)),
        Enrolment.active.is_(True),
    )
    return session.scalar(query) is not None


def copy_activity(
    session: Session, source: Activity, into: Course, wanted: str, person_id: int, day: date, now: datetime
) -> Activity:
    """A copy of an activity in another course, dated `day`, in the caller's transaction.

    The course takes up the referentials that it misses: as when it was copied, its activities work them.
    """
    slugs = [link.item.framework.slug for link in source.competences]
    into.framework_slugs = list(dict.fromkeys([*into.framework_slugs, *slugs]))
    copy = prepared_copy(
        source,
        uuid=str(uuid.uuid4()),
        course_id=into.id,
        starts_on=day,
        copied_from=wanted,
        created_by_id=person_id,
        created_at=now,
        updated_at=now,
    )
    session.add(copy)
    session.flush()
    return copy


def prepared_copy(source: Activity, **values: Any) -> Activity:
    """A copy of what a teacher prepared: the situation, the competences, what is observed. `values` say the rest."""
    copy = Activity(
        title=source.title,
        situation=source.situation,
        work_url=source.work_url,
        setting=source.setting,
        purpose=source.purpose,
        complexity=source.complexity,
        specialities=list(source.specialities),
        **values,
    )
    copy.competences = [
        ActivityCompetence(
            item=link.item, observed=[ObservedItem(item=observed.item) for observed in link.observed]
        )
        for link in source.competences
    ]
    return copy
