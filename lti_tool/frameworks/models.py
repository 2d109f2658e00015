"""A referential, its items and the links between items, in CASE's words.

Source of the model: 1EdTech CASE 1.1 (CFDocument, CFItem, CFAssociation).
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from ..db import Base, WithId


class Framework(WithId, Base):
    """A referential (a CASE CFDocument)."""

    __tablename__ = "framework"

    uuid: Mapped[str] = mapped_column(sa.String(36), unique=True)
    slug: Mapped[str] = mapped_column(sa.String(64), unique=True)
    title: Mapped[str] = mapped_column(sa.Text)
    short_title: Mapped[str] = mapped_column(sa.String(64))
    language: Mapped[str] = mapped_column(sa.String(16))
    version: Mapped[str] = mapped_column(sa.String(64))
    position: Mapped[int] = mapped_column(default=0)
    source: Mapped[dict[str, Any]]
    """Where its text comes from: title, publisher, date…"""
    guide: Mapped[dict[str, Any]] = mapped_column(default=dict)
    """What explains it, in our own words: bases, logics, vocabulary."""
    checksum: Mapped[str] = mapped_column(sa.String(64))
    """SHA-256 of the data it was loaded from: the same data is not loaded twice."""

    items: Mapped[list[FrameworkItem]] = relationship(
        back_populates="framework", order_by="FrameworkItem.position"
    )


class FrameworkItem(WithId, Base):
    """A group, a competence or a statement (a CASE CFItem)."""

    __tablename__ = "framework_item"
    __table_args__ = (sa.Index("ix_framework_item_framework_type", "framework_id", "type"),)

    uuid: Mapped[str] = mapped_column(sa.String(36), unique=True)
    framework_id: Mapped[int] = mapped_column(sa.ForeignKey("framework.id"))
    parent_id: Mapped[int | None] = mapped_column(sa.ForeignKey("framework_item.id"), index=True)
    position: Mapped[int]
    """Order in the whole referential, depth first."""
    type: Mapped[str] = mapped_column(sa.String(32))
    code: Mapped[str] = mapped_column(sa.String(16), default="")
    """The code a reader knows: 1A, 4B.3, « Bloc 1 »; empty for plain statements."""
    label: Mapped[str] = mapped_column(sa.String(255), default="")
    """A short name where the referential gives one; empty otherwise."""
    statement: Mapped[str] = mapped_column(sa.Text)
    notes: Mapped[list[str]] = mapped_column(default=list)
    also_under: Mapped[list[str]] = mapped_column(default=list)
    """Codes of the other parts (bloc, groupe) the same statement belongs to."""
    pairing_unknown: Mapped[bool] = mapped_column(default=False)
    """A limit that the source does not let us attach to one knowledge."""
    retired: Mapped[bool] = mapped_column(default=False)
    replaced_by: Mapped[str | None] = mapped_column(sa.String(36), default=None)
    """The identifier of what took a retired item's place, in this referential or in one that may not be here."""

    framework: Mapped[Framework] = relationship(back_populates="items")
    parent: Mapped[FrameworkItem | None] = relationship(remote_side="FrameworkItem.id")


class ItemAssociation(WithId, Base):
    """A link from an item of one referential to an item of another (a CASE CFAssociation)."""

    __tablename__ = "item_association"
    __table_args__ = (sa.UniqueConstraint("origin_id", "destination_id", "type"),)

    uuid: Mapped[str] = mapped_column(sa.String(36), unique=True)
    framework_id: Mapped[int] = mapped_column(sa.ForeignKey("framework.id"), index=True)
    """The referential that holds the link."""
    origin_id: Mapped[int] = mapped_column(sa.ForeignKey("framework_item.id"))
    destination_id: Mapped[int] = mapped_column(sa.ForeignKey("framework_item.id"), index=True)
    type: Mapped[str] = mapped_column(sa.String(32), default="isRelatedTo")
    grouping: Mapped[str] = mapped_column(sa.String(64), default="")
    position: Mapped[int]
    note: Mapped[str] = mapped_column(sa.Text, default="")

    origin: Mapped[FrameworkItem] = relationship(foreign_keys=[origin_id])
    destination: Mapped[FrameworkItem] = relationship(foreign_keys=[destination_id])


class SeeAlso(WithId, Base):
    """« Voir aussi les savoirs liés à la compétence 1A »: from one competence to another, for one side and type."""

    __tablename__ = "see_also"
    __table_args__ = (sa.UniqueConstraint("origin_id", "side", "type", "position"),)

    origin_id: Mapped[int] = mapped_column(sa.ForeignKey("framework_item.id"))
    side: Mapped[str] = mapped_column(sa.String(64))
    """Slug of the linked referential (ma, mcv), empty for the competence itself."""
    type: Mapped[str] = mapped_column(sa.String(32))
    destination_id: Mapped[int | None] = mapped_column(sa.ForeignKey("framework_item.id"))
    """None: a remark of the source that leads nowhere else."""
    position: Mapped[int]
    text: Mapped[str] = mapped_column(sa.Text)

    destination: Mapped[FrameworkItem | None] = relationship(foreign_keys=[destination_id])
