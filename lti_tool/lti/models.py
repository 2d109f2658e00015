"""Platforms, deployments, refused launches, invitations, our keys, and logins on their way."""

from __future__ import annotations

from datetime import date, datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from ..db import Base, WithId, utcnow

MOST_CONNECTIONS = 4
"""To one platform at once, unless it is told otherwise: beyond it a Moodle gains nothing (docs/platforms.md)."""


class Platform(WithId, Base):
    """An LMS that may launch the tool: an issuer and the client id it gave us."""

    __tablename__ = "platform"
    __table_args__ = (sa.UniqueConstraint("issuer", "client_id"),)

    name: Mapped[str] = mapped_column(sa.String(255))
    issuer: Mapped[str] = mapped_column(sa.String(255))
    client_id: Mapped[str] = mapped_column(sa.String(255))
    auth_login_url: Mapped[str] = mapped_column(sa.Text)
    auth_token_url: Mapped[str] = mapped_column(sa.Text)
    jwks_url: Mapped[str] = mapped_column(sa.Text)
    audience: Mapped[str] = mapped_column(sa.Text, default="")
    """Audience of our client assertion; empty: the token address (Brightspace wants another one)."""
    enabled: Mapped[bool] = mapped_column(default=True)
    frame_origins: Mapped[list[str]] = mapped_column(default=list)
    """Origins, beside its own, that may frame the tool."""
    family: Mapped[str] = mapped_column(sa.String(32), default="", server_default="")
    """Which LMS it is: the name of a file of `configs/platforms`; empty until a launch says so."""
    connections: Mapped[int] = mapped_column(default=MOST_CONNECTIONS, server_default=str(MOST_CONNECTIONS))
    """Requests it takes at once."""
    anonymous: Mapped[bool] = mapped_column(default=False, server_default=sa.false())
    """Whether somebody it does not name (no `sub`) may read the referential."""
    earlier_years: Mapped[bool] = mapped_column(default=False, server_default=sa.false())
    """Whether the teachers of a course may see what its pupils did in other courses in earlier school years."""
    created_at: Mapped[datetime] = mapped_column(default=utcnow)
    launched_at: Mapped[datetime | None] = mapped_column(default=None)
    """Its last launch, to the minute."""

    deployments: Mapped[list[Deployment]] = relationship(back_populates="platform", order_by="Deployment.id")


class Deployment(WithId, Base):
    """One deployment of the tool in a platform."""

    __tablename__ = "deployment"
    __table_args__ = (sa.UniqueConstraint("platform_id", "deployment_id"),)

    platform_id: Mapped[int] = mapped_column(sa.ForeignKey("platform.id"))
    deployment_id: Mapped[str] = mapped_column(sa.String(255))
    enabled: Mapped[bool] = mapped_column(default=True)

    platform: Mapped[Platform] = relationship(back_populates="deployments")


class LaunchRefusal(WithId, Base):
    """How often a platform's launches were refused for one reason, on one day (UTC)."""

    __tablename__ = "launch_refusal"
    __table_args__ = (sa.UniqueConstraint("platform_id", "reason", "day"),)

    platform_id: Mapped[int] = mapped_column(sa.ForeignKey("platform.id"))
    reason: Mapped[str] = mapped_column(sa.String(32))
    day: Mapped[date] = mapped_column(index=True)
    count: Mapped[int] = mapped_column(default=0)
    last_at: Mapped[datetime]


class Invite(WithId, Base):
    """A one-time address at which a platform may register itself. Only the hash of its secret is kept."""

    __tablename__ = "invite"

    token_hash: Mapped[str] = mapped_column(sa.String(64), unique=True)
    name: Mapped[str] = mapped_column(sa.String(255), default="")
    """What to call the platform; empty: its host."""
    private_host: Mapped[str] = mapped_column(sa.String(255), default="")
    """The one host that may be on a private address, and speak http."""
    created_at: Mapped[datetime] = mapped_column(default=utcnow)
    expires_at: Mapped[datetime]
    revoked_at: Mapped[datetime | None] = mapped_column(default=None)
    held_until: Mapped[datetime | None] = mapped_column(default=None)
    """A registration is on its way, and has until then."""
    used_at: Mapped[datetime | None] = mapped_column(default=None)
    platform_id: Mapped[int | None] = mapped_column(sa.ForeignKey("platform.id"), default=None)
    """The platform it made, or brought up to date."""


class ToolKey(WithId, Base):
    """One of our RS256 keys: published, then signing, then published only, then retired."""

    __tablename__ = "tool_key"

    number: Mapped[int] = mapped_column(unique=True)
    """1, 2, 3…: of two processes that make the next key at once, one does."""
    kid: Mapped[str] = mapped_column(sa.String(64), unique=True)
    private_pem: Mapped[str] = mapped_column(sa.Text)
    """Encrypted with the secret key; empty once retired."""
    created_at: Mapped[datetime] = mapped_column(default=utcnow)
    signs_at: Mapped[datetime] = mapped_column(default=utcnow)
    """When it takes over from the one before."""
    retired_at: Mapped[datetime | None] = mapped_column(default=None)
    """When it left our key set, and its private part was erased."""


class Login(WithId, Base):
    """A login that has not become a launch yet. Only hashes are kept; the row is consumed once."""

    __tablename__ = "login"

    state_hash: Mapped[str] = mapped_column(sa.String(64), unique=True)
    nonce_hash: Mapped[str] = mapped_column(sa.String(64))
    browser_hash: Mapped[str] = mapped_column(sa.String(64))
    platform_id: Mapped[int] = mapped_column(sa.ForeignKey("platform.id"))
    target_link_uri: Mapped[str] = mapped_column(sa.Text)
    expires_at: Mapped[datetime] = mapped_column(index=True)

    platform: Mapped[Platform] = relationship()
