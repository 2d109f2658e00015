"""Signing in to the administrator's pages: failures are counted in the database, sessions are rows.

The web's own limiter counts in the memory of one process, so that each worker would give its own tries.
"""

from __future__ import annotations

import hashlib
import hmac
import ipaddress
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session, joinedload

from ..config import Config
from ..db import insert_missing
from ..lti.launch import digest, new_secret
from .accounts import password_is_right
from .models import Administrator, AdminLoginFailure, AdminSession

IDLE = timedelta(minutes=30)
LIFETIME = timedelta(hours=8)
LOCKED_FOR = timedelta(minutes=15)
LOCKED_AFTER = 5
"""Failures under one login."""
ADDRESS_LOCKED_AFTER = 20
"""Failures from one network address: a whole school may share it."""
FORGOTTEN_AFTER = timedelta(hours=24)


def admit_try(session: Session, login: str, address: str, now: datetime, config: Config) -> timedelta | None:
    """Count one more try before its password is looked at, in the caller's transaction; None when it may be.

    Else how long to wait: nothing is counted then. The transaction must be one that holds the write lock, so that
    of a hundred tries at once one is admitted.
    """
    # The address first: one that is locked writes no row for each login it makes up.
    counted = [
        (_key(config, "address", network_of(address)), ADDRESS_LOCKED_AFTER),
        (_key(config, "login", login.casefold()), LOCKED_AFTER),
    ]
    rows = []
    for key, most in counted:
        row = _row(session, key, now)
        if row.last_at + FORGOTTEN_AFTER <= now or (row.count >= most and row.last_at + LOCKED_FOR <= now):
            row.count = 0
        wait = _wait(row, most, now)
        if wait > timedelta():
            return wait
        rows.append(row)
    for row in rows:
        row.count, row.last_at = row.count + 1, now
    return None


def network_of(address: str) -> str:
    """What counts as one address: in IPv6 a subscriber has a whole /64."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return address
    if isinstance(parsed, ipaddress.IPv6Address) and parsed.ipv4_mapped is None:
        return str(ipaddress.ip_network((parsed, 64), strict=False))
    return address


def administrator_of(session: Session, login: str, password: str) -> Administrator | None:
    """Whose login and password these are; None when either is wrong, and both look the same from outside.

    The try was admitted before. It takes some 60 ms: no write lock is to be held meanwhile.
    """
    known = session.scalars(sa.select(Administrator).where(Administrator.login == login.casefold())).first()
    return known if password_is_right(known, password) else None


def open_admin_session(
    session: Session, administrator: Administrator, address: str, now: datetime, config: Config
) -> str:
    """The secret of a new session, in the caller's transaction; the failures before it are forgotten."""
    for key in (_key(config, "login", administrator.login), _key(config, "address", network_of(address))):
        session.execute(sa.delete(AdminLoginFailure).where(AdminLoginFailure.key_hash == key))
    secret = new_secret()
    session.add(
        AdminSession(
            secret_hash=digest(secret),
            administrator_id=administrator.id,
            created_at=now,
            used_at=now,
            expires_at=now + LIFETIME,
        )
    )
    return secret


def find_admin_session(session: Session, secret: str, now: datetime) -> AdminSession | None:
    """The open session of that secret, or None: unknown, ended, idle, or of a closed account."""
    found = session.scalars(
        sa.select(AdminSession)
        .where(AdminSession.secret_hash == digest(secret))
        .options(joinedload(AdminSession.administrator))
    ).first()
    if found is None or found.expires_at <= now or found.used_at + IDLE <= now:
        return None
    return None if found.administrator.disabled_at else found


def sign_out(session: Session, secret: str) -> None:
    """The session of that secret is no more."""
    session.execute(sa.delete(AdminSession).where(AdminSession.secret_hash == digest(secret)))


def forget_ended(session: Session, now: datetime) -> None:
    """Delete sessions that ended, and failures nobody counts any more."""
    ended = sa.or_(AdminSession.expires_at <= now, AdminSession.used_at <= now - IDLE)
    session.execute(sa.delete(AdminSession).where(ended))
    old = AdminLoginFailure.last_at <= now - FORGOTTEN_AFTER
    session.execute(sa.delete(AdminLoginFailure).where(old))


def _wait(row: AdminLoginFailure, most: int, now: datetime) -> timedelta:
    """How long until the next try: 1, 2, 4 and 8 seconds, then a quarter of an hour."""
    if row.count == 0:
        return timedelta()
    if row.count >= most:
        return row.last_at + LOCKED_FOR - now
    steps = row.count - 1 - (most - LOCKED_AFTER)
    return row.last_at + timedelta(seconds=2**steps) - now if steps >= 0 else timedelta()


def _row(session: Session, key: str, now: datetime) -> AdminLoginFailure:
    insert_missing(session, AdminLoginFailure, key_hash=key, count=0, last_at=now)
    query = sa.select(AdminLoginFailure).where(AdminLoginFailure.key_hash == key)
    return session.scalars(query.with_for_update().execution_options(populate_existing=True)).one()


def _key(config: Config, kind: str, value: str) -> str:
    return hmac.new(config.secret_key.encode(), f"{kind} {value}".encode(), hashlib.sha256).hexdigest()
