"""Accounts of administrators: made, disabled and given a password on the server's command line only."""

from __future__ import annotations

import re
from datetime import datetime
from functools import lru_cache

import sqlalchemy as sa
from sqlalchemy.orm import Session
from werkzeug.security import check_password_hash, generate_password_hash

from ..errors import BadInput, NotFound
from .events import Done, log_event
from .models import Administrator, AdminSession

LOGIN = re.compile(r"[a-z0-9][a-z0-9._@-]{1,63}")
SHORTEST_PASSWORD = 12
LONGEST_PASSWORD = 1024
METHOD = "scrypt:32768:8:1"


def create_administrator(session: Session, login: str, password: str) -> Administrator:
    """A new account, in the caller's transaction. Raises `BadInput`."""
    problems = {}
    if not LOGIN.fullmatch(login):
        problems["LOGIN"] = "needs 2 to 64 lower-case letters, digits, dots, dashes, underscores or @"
    elif session.scalar(sa.select(Administrator.id).where(Administrator.login == login)) is not None:
        problems["LOGIN"] = f"« {login} » exists; « spirale admin password {login} » changes its password"
    problems |= _password_problems(login, password)
    if problems:
        raise BadInput(problems)
    made = Administrator(login=login, password_hash=_hashed(password))
    session.add(made)
    session.flush()
    log_event(session, None, Done.ADMIN_CREATED, administrator=made.id)
    return made


def list_administrators(session: Session) -> list[Administrator]:
    """All accounts, oldest first."""
    return list(session.scalars(sa.select(Administrator).order_by(Administrator.id)))


def disable_administrator(session: Session, login: str, now: datetime) -> Administrator:
    """Close an account, and its open sessions. Raises `NotFound`."""
    found = find_administrator(session, login)
    found.disabled_at = found.disabled_at or now
    end_sessions_of(session, found)
    log_event(session, None, Done.ADMIN_DISABLED, administrator=found.id)
    return found


def change_password(session: Session, login: str, password: str) -> Administrator:
    """Give an account a password: its open sessions end, and a disabled one is open again.

    Raises `NotFound` or `BadInput`.
    """
    found = find_administrator(session, login)
    if problems := _password_problems(login, password):
        raise BadInput(problems)
    found.password_hash, found.disabled_at = _hashed(password), None
    end_sessions_of(session, found)
    log_event(session, None, Done.PASSWORD_CHANGED, administrator=found.id)
    return found


def find_administrator(session: Session, login: str) -> Administrator:
    """The account of that login. Raises `NotFound`."""
    found = session.scalars(sa.select(Administrator).where(Administrator.login == login)).first()
    if found is None:
        raise NotFound(f"there is no administrator « {login} »; « spirale admin list » shows them")
    return found


def end_sessions_of(session: Session, administrator: Administrator) -> None:
    """Nobody is signed in under this account any more."""
    session.execute(sa.delete(AdminSession).where(AdminSession.administrator_id == administrator.id))


def password_is_right(administrator: Administrator | None, password: str) -> bool:
    """Whether an open account has that password; as slow when there is no account as when there is one."""
    stored = administrator.password_hash if administrator else _nobodys_hash()
    right = check_password_hash(stored, password[:LONGEST_PASSWORD]) and len(password) <= LONGEST_PASSWORD
    return right and administrator is not None and administrator.disabled_at is None


def _password_problems(login: str, password: str) -> dict[str, str]:
    if not SHORTEST_PASSWORD <= len(password) <= LONGEST_PASSWORD:
        return {"password": f"needs {SHORTEST_PASSWORD} to {LONGEST_PASSWORD} characters"}
    if login.casefold() in password.casefold() and len(password) < len(login) + SHORTEST_PASSWORD:
        return {"password": "must not be the login, or little more than it"}
    if len(set(password)) < 5:
        return {"password": "repeats too few characters"}
    return {}


def _hashed(password: str) -> str:
    return generate_password_hash(password, method=METHOD)


@lru_cache(maxsize=1)
def _nobodys_hash() -> str:
    return _hashed("nobody has this password")
