"""The log of what administrators did."""

from __future__ import annotations

from enum import StrEnum

import sqlalchemy as sa
from sqlalchemy.orm import Session, joinedload

from ..lti.models import Platform
from .models import AdminEvent, Administrator


class Done(StrEnum):
    """What may be done. `web.admin.events` has the words for each."""

    SIGNED_IN = "signed_in"
    SIGNED_OUT = "signed_out"
    ADMIN_CREATED = "admin_created"
    ADMIN_DISABLED = "admin_disabled"
    PASSWORD_CHANGED = "password_changed"  # noqa: S105 - a word, not a secret
    INVITED = "invited"
    INVITE_REVOKED = "invite_revoked"
    PLATFORM_ADDED = "platform_added"
    PLATFORM_CHANGED = "platform_changed"
    PLATFORM_ENABLED = "platform_enabled"
    PLATFORM_DISABLED = "platform_disabled"
    PLATFORM_REPLACED = "platform_replaced"
    PLATFORM_REMOVED = "platform_removed"
    DEPLOYMENT_ADDED = "deployment_added"
    DEPLOYMENT_ENABLED = "deployment_enabled"
    DEPLOYMENT_DISABLED = "deployment_disabled"
    EARLIER_YEARS_ALLOWED = "earlier_years_allowed"
    EARLIER_YEARS_STOPPED = "earlier_years_stopped"
    KEY_ROTATED = "key_rotated"
    KEY_REPLACED = "key_replaced"
    PERSON_EXPORTED = "person_exported"
    PERSON_ERASED = "person_erased"


def log_event(session: Session, by: Administrator | None, what: Done, **rows: int) -> None:
    """Note what was done, in the caller's transaction, with the numbers of the rows it was about."""
    about = ", ".join(f"{kind} {number}" for kind, number in rows.items())
    session.add(AdminEvent(administrator_id=by.id if by else None, what=what.value, about=about))


def log_earlier_years(session: Session, by: Administrator | None, platform: Platform, before: bool) -> None:
    """Note that teachers of a platform may now see their pupils' earlier years, or no longer; nothing if unchanged."""
    if platform.earlier_years != before:
        done = Done.EARLIER_YEARS_ALLOWED if platform.earlier_years else Done.EARLIER_YEARS_STOPPED
        log_event(session, by, done, platform=platform.id)


def list_events(session: Session, before: int | None, at_most: int) -> list[AdminEvent]:
    """The newest events, or the newest of those older than the event `before`."""
    query = sa.select(AdminEvent).options(joinedload(AdminEvent.administrator))
    if before is not None:
        query = query.where(AdminEvent.id < before)
    return list(session.scalars(query.order_by(AdminEvent.id.desc()).limit(at_most)))
