"""Invitations: a one-time address that an administrator pastes in the LMS, so that it registers itself."""

from __future__ import annotations

import re
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session

from ..config import Config
from ..errors import BadInput, NotFound, NotRegistered, RegistrationRefused
from .claims import LONGEST_ID
from .launch import digest, new_secret
from .models import Invite

REGISTER_PATH = "/lti/register"
LIFETIME = re.compile(r"([1-9][0-9]{0,3})([mhd])")
UNITS = {"m": timedelta(minutes=1), "h": timedelta(hours=1), "d": timedelta(days=1)}
LONGEST_LIFE = timedelta(days=90)
PRIVATE_HOST = re.compile(r"[a-z0-9]([a-z0-9.-]*[a-z0-9])?|[0-9a-f:]+")


def invite_platform(
    session: Session,
    now: datetime,
    config: Config,
    *,
    name: str = "",
    expires: str = "7d",
    private_host: str = "",
) -> tuple[Invite, str]:
    """A new invitation, and its address, which cannot be shown again. Raises `BadInput` naming each wrong option."""
    problems = {}
    lifetime = LIFETIME.fullmatch(expires)
    lasts = int(lifetime[1]) * UNITS[lifetime[2]] if lifetime else timedelta()
    if not timedelta() < lasts <= LONGEST_LIFE:
        problems["--expires"] = f"« {expires} » is not a time such as 30m, 12h or 7d, of 90 days at most"
    if len(name) > LONGEST_ID:
        problems["--name"] = f"needs {LONGEST_ID} characters at most"
    host = private_host.strip().lower().strip("[]").rstrip(".")
    if private_host and (len(host) > LONGEST_ID or not PRIVATE_HOST.fullmatch(host)):
        problems["--allow-private-host"] = (
            f"« {private_host} » is not a host alone, such as moodle.lan or 10.0.0.5"
        )
    if problems:
        raise BadInput(problems)
    token = new_secret()
    invite = Invite(
        token_hash=digest(token),
        name=name.strip(),
        private_host=host,
        created_at=now,
        expires_at=now + lasts,
    )
    session.add(invite)
    session.flush()
    return invite, f"{config.base_url}{REGISTER_PATH}/{token}"


def list_invites(session: Session) -> list[Invite]:
    """All invitations, newest first."""
    return list(session.scalars(sa.select(Invite).order_by(Invite.id.desc())))


def revoke_invite(session: Session, invite_id: int, now: datetime) -> Invite:
    """Withdraw an invitation that has not served. Raises `NotFound`."""
    invite = session.get(Invite, invite_id)
    if invite is None or invite.used_at is not None:
        raise NotFound(f"there is no open invitation {invite_id}; « spirale platform invites » shows them")
    invite.revoked_at = invite.revoked_at or now
    return invite


def state_of(invite: Invite, now: datetime) -> str:
    """In one word: used, revoked, expired or open."""
    if invite.used_at is not None:
        return "used"
    if invite.revoked_at is not None:
        return "revoked"
    return "expired" if invite.expires_at <= now else "open"


def open_invite(session: Session, token: str, now: datetime) -> Invite:
    """The invitation of that address. Raises `RegistrationRefused` when it is unknown or no longer open."""
    invite = session.scalars(sa.select(Invite).where(Invite.token_hash == digest(token))).first()
    if invite is None:
        raise RegistrationRefused(NotRegistered.UNKNOWN_INVITE)
    reasons = {
        "used": NotRegistered.USED_INVITE,
        "revoked": NotRegistered.REVOKED_INVITE,
        "expired": NotRegistered.EXPIRED_INVITE,
    }
    if reason := reasons.get(state_of(invite, now)):
        raise RegistrationRefused(reason)
    return invite


def hold_invite(session: Session, invite: Invite, now: datetime, lasts: timedelta) -> datetime:
    """Keep an invitation for one registration: of two at once, one gets it; until when. The caller commits.

    Raises `RegistrationRefused` for the other one.
    """
    # Whole milliseconds: what is read back must equal what was written, whatever the database keeps.
    until = (now + lasts).replace(microsecond=now.microsecond // 1000 * 1000)
    free = sa.or_(Invite.held_until.is_(None), Invite.held_until <= now)
    held = session.execute(
        sa.update(Invite)
        .where(Invite.id == invite.id, Invite.used_at.is_(None), Invite.revoked_at.is_(None), free)
        .values(held_until=until)
        .returning(Invite.id)
    ).first()
    if held is None:
        raise RegistrationRefused(NotRegistered.BUSY_INVITE)
    return until


def use_invite(session: Session, invite_id: int, held_until: datetime, now: datetime) -> Invite:
    """Make an invitation serve, in the caller's transaction: once, and by whom it is still held.

    Raises `RegistrationRefused` when it was withdrawn meanwhile, or the hold ended and another took it.
    """
    mine = Invite.id == invite_id, Invite.held_until == held_until
    used = session.execute(
        sa.update(Invite)
        .where(*mine, Invite.used_at.is_(None), Invite.revoked_at.is_(None))
        .values(used_at=now, held_until=None)
        .returning(Invite.id)
    ).first()
    invite = session.get_one(Invite, invite_id, populate_existing=True)
    if used is None:
        withdrawn = invite.revoked_at is not None
        raise RegistrationRefused(NotRegistered.REVOKED_INVITE if withdrawn else NotRegistered.USED_INVITE)
    return invite


def release_invite(session: Session, invite_id: int, held_until: datetime) -> None:
    """Give an invitation back: the registration came to nothing, and may be tried again."""
    mine = Invite.id == invite_id, Invite.held_until == held_until
    session.execute(sa.update(Invite).where(*mine).values(held_until=None))
