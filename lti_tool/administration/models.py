"""Administrators, their sessions, logins that failed, what was done, and when the worker last came by."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from ..db import Base, WithId, utcnow


class Administrator(WithId, Base):
    """Somebody who may open the administrator's pages. Made on the command line, never by a page; never deleted."""

    __tablename__ = "administrator"

    login: Mapped[str] = mapped_column(sa.String(64), unique=True)
    password_hash: Mapped[str] = mapped_column(sa.Text)
    created_at: Mapped[datetime] = mapped_column(default=utcnow)
    disabled_at: Mapped[datetime | None] = mapped_column(default=None)


class AdminSession(WithId, Base):
    """An open session of an administrator. Found by the hash of the cookie's secret only."""

    __tablename__ = "admin_session"

    secret_hash: Mapped[str] = mapped_column(sa.String(64), unique=True)
    administrator_id: Mapped[int] = mapped_column(sa.ForeignKey("administrator.id"), index=True)
    created_at: Mapped[datetime]
    used_at: Mapped[datetime]
    expires_at: Mapped[datetime] = mapped_column(index=True)
    """The end whatever happens; idle time ends it sooner."""

    administrator: Mapped[Administrator] = relationship()


class AdminLoginFailure(WithId, Base):
    """Logins that failed, for one login or from one network address. Neither is stored: only a keyed hash."""

    __tablename__ = "admin_login_failure"

    key_hash: Mapped[str] = mapped_column(sa.String(64), unique=True)
    count: Mapped[int] = mapped_column(default=0)
    last_at: Mapped[datetime] = mapped_column(index=True)


class AdminEvent(WithId, Base):
    """What an administrator did, and when: numbers of rows, never a name."""

    __tablename__ = "admin_event"

    at: Mapped[datetime] = mapped_column(default=utcnow, index=True)
    administrator_id: Mapped[int | None] = mapped_column(sa.ForeignKey("administrator.id"))
    """None: on the command line of the server."""
    what: Mapped[str] = mapped_column(sa.String(64))
    """A word that `web.admin.events` has a sentence for."""
    about: Mapped[str] = mapped_column(sa.String(255), default="")
    """The rows it was about: « platform 3 ». They may be gone since."""

    administrator: Mapped[Administrator | None] = relationship()


class WorkerTrace(Base):
    """When the worker last swept, and what it last erased. One row."""

    __tablename__ = "worker_trace"

    id: Mapped[int] = mapped_column(primary_key=True, default=1)
    seen_at: Mapped[datetime]
    erased_at: Mapped[datetime | None] = mapped_column(default=None)
    """When people were last erased because nobody had seen them for long."""
    erased_people: Mapped[int] = mapped_column(default=0)
    """How many, that day."""
