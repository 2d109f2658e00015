"""Entries of the grid and decisions, append-only: the newest counts. Comments kept for reuse, a course's policy."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from ..activities.models import Activity
from ..courses.models import Course, Person
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


class SelfPosition(WithId, Base):
    """Where a pupil says they stand in a competence, and what shows it. Only added; the newest is their word.

    It stands beside the teacher's entries and never among them: no position, no score is made of it.
    """

    __tablename__ = "self_position"
    __table_args__ = (
        sa.CheckConstraint("level BETWEEN 1 AND 4", name="level"),
        sa.CheckConstraint("complexity BETWEEN 1 AND 3", name="complexity"),
        sa.Index("ix_self_position_pupil", "person_id", "course_id", "item_id", "id"),
    )

    course_id: Mapped[int] = mapped_column(sa.ForeignKey("course.id"), index=True)
    person_id: Mapped[int] = mapped_column(sa.ForeignKey("person.id"))
    item_id: Mapped[int] = mapped_column(sa.ForeignKey("framework_item.id"))
    activity_id: Mapped[int | None] = mapped_column(sa.ForeignKey("activity.id"), index=True)
    """The work it is about; None for the competence as a whole."""
    level: Mapped[int]
    complexity: Mapped[int]
    evidence: Mapped[str] = mapped_column(sa.Text, default="")
    link: Mapped[str] = mapped_column(sa.Text, default="")
    created_at: Mapped[datetime] = mapped_column(default=utcnow)

    item: Mapped[FrameworkItem] = relationship()
    activity: Mapped[Activity | None] = relationship()


class ObservationRequest(WithId, Base):
    """A pupil asks to be observed in a competence. One row for each: asking again opens the same one.

    It is open until a teacher closes it, or until a level newer than it is seen in the competence
    (`assessment.observation_requests`).
    """

    __tablename__ = "observation_request"
    __table_args__ = (sa.UniqueConstraint("course_id", "person_id", "item_id"),)

    course_id: Mapped[int] = mapped_column(sa.ForeignKey("course.id"))
    person_id: Mapped[int] = mapped_column(sa.ForeignKey("person.id"), index=True)
    item_id: Mapped[int] = mapped_column(sa.ForeignKey("framework_item.id"))
    asked_at: Mapped[datetime] = mapped_column(default=utcnow)
    closed_at: Mapped[datetime | None] = mapped_column(default=None)
    closed_by_id: Mapped[int | None] = mapped_column(sa.ForeignKey("person.id"), index=True)
    """The teacher who closed it; None while it is open, and when the pupil withdrew it."""
    answer: Mapped[str] = mapped_column(sa.Text, default="")
    """What the teacher said in closing it."""

    item: Mapped[FrameworkItem] = relationship()


class Decision(WithId, Base):
    """A position retained by a teacher for one pupil and one competence of a course; without a level, taken back."""

    __tablename__ = "decision"
    __table_args__ = (
        sa.CheckConstraint("level IS NULL OR level BETWEEN 1 AND 4", name="level"),
        sa.CheckConstraint("complexity IS NULL OR complexity BETWEEN 1 AND 3", name="complexity"),
        sa.CheckConstraint("(level IS NULL) = (complexity IS NULL)", name="level_at_complexity"),
        sa.CheckConstraint("level IS NULL OR reason <> ''", name="reason"),
        sa.Index("ix_decision_cell", "course_id", "person_id", "item_id", "id"),
    )

    course_id: Mapped[int] = mapped_column(sa.ForeignKey("course.id"))
    person_id: Mapped[int] = mapped_column(sa.ForeignKey("person.id"), index=True)
    item_id: Mapped[int] = mapped_column(sa.ForeignKey("framework_item.id"))
    level: Mapped[int | None]
    complexity: Mapped[int | None]
    reason: Mapped[str] = mapped_column(sa.String(500), default="")
    proposed_level: Mapped[int | None]
    """What was proposed when it was decided, here and below."""
    proposed_complexity: Mapped[int | None]
    seen_entry_id: Mapped[int] = mapped_column(default=0)
    """The newest entry, of those that made turns, that the page showed: newer ones ask for another look."""
    decider_id: Mapped[int | None] = mapped_column(sa.ForeignKey("person.id"), index=True, default=None)
    """Who decided; None once they were erased."""
    decided_at: Mapped[datetime] = mapped_column(default=utcnow)

    course: Mapped[Course] = relationship()
    item: Mapped[FrameworkItem] = relationship()
    person: Mapped[Person] = relationship(foreign_keys=[person_id])
    decider: Mapped[Person | None] = relationship(foreign_keys=[decider_id])


class PolicySettings(Base):
    """How positions are proposed in a course (`policies.Policy`)."""

    __tablename__ = "policy_settings"
    __table_args__ = (
        sa.CheckConstraint("minimum >= 1", name="minimum"),
        sa.CheckConstraint("times >= 1", name="times"),
        sa.CheckConstraint("weight BETWEEN 1 AND 99", name="weight"),
    )

    course_id: Mapped[int] = mapped_column(sa.ForeignKey("course.id"), primary_key=True)
    policy: Mapped[str] = mapped_column(sa.String(16), default="spirale")
    minimum: Mapped[int] = mapped_column(default=2)
    times: Mapped[int] = mapped_column(default=2)
    weight: Mapped[int] = mapped_column(default=65)

    course: Mapped[Course] = relationship()
