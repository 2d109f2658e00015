"""Entries of the grid, append-only: they are never changed, the newest counts. Comments kept for reuse."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from ..activities.models import Activity
from ..courses.models import Person
from ..db import Base, WithId, utcnow
from ..frameworks.models import FrameworkItem

CODES = ("ABS", "DISP", "NE", "NF", "NR")
"""Absent, dispensé, non évalué, non fait, non rendu: they count for nothing."""


class Assessment(WithId, Base):
    """One entry: one competence of one pupil in one activity.

    A level 1–4, or a code, or neither (the cell was emptied), a comment, what was observed. An undo is an entry too.
    """

    __tablename__ = "assessment"
    __table_args__ = (
        sa.CheckConstraint("level IS NULL OR level BETWEEN 1 AND 4", name="level"),
        sa.CheckConstraint("code IS NULL OR code IN ('ABS', 'DISP', 'NE', 'NF', 'NR')", name="code"),
        sa.CheckConstraint("level IS NULL OR code IS NULL", name="level_or_code"),
        sa.Index("ix_assessment_cell", "activity_id", "person_id", "item_id", "id"),
        sa.Index("ix_assessment_turns", "person_id", "item_id", "activity_id", "id"),
    )

    key: Mapped[str] = mapped_column(sa.String(36), unique=True)
    """Made by the page that typed it: the same entry sent twice is stored once."""
    activity_id: Mapped[int] = mapped_column(sa.ForeignKey("activity.id"))
    item_id: Mapped[int] = mapped_column(sa.ForeignKey("framework_item.id"))
    person_id: Mapped[int] = mapped_column(sa.ForeignKey("person.id"))
    assessor_id: Mapped[int] = mapped_column(sa.ForeignKey("person.id"), index=True)
    level: Mapped[int | None]
    code: Mapped[str | None] = mapped_column(sa.String(4))
    comment: Mapped[str] = mapped_column(sa.Text, default="")
    observed: Mapped[list[int]] = mapped_column(default=list)
    """The items that were to be observed and were seen, by id, in order."""
    created_at: Mapped[datetime] = mapped_column(default=utcnow)

    activity: Mapped[Activity] = relationship()
    item: Mapped[FrameworkItem] = relationship()
    person: Mapped[Person] = relationship(foreign_keys=[person_id])
    assessor: Mapped[Person] = relationship(foreign_keys=[assessor_id])

    @property
    def value(self) -> str:
        """What the cell shows: ``"1"``–``"4"``, a code, or nothing."""
        return str(self.level) if self.level else (self.code or "")


class SavedComment(WithId, Base):
    """A comment that somebody who assesses keeps for reuse, in all their courses of the platform."""

    __tablename__ = "saved_comment"
    __table_args__ = (sa.UniqueConstraint("person_id", "text"),)

    person_id: Mapped[int] = mapped_column(sa.ForeignKey("person.id"))
    text: Mapped[str] = mapped_column(sa.String(300))
    created_at: Mapped[datetime] = mapped_column(default=utcnow)
