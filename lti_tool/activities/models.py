"""Activities, what they mobilise, what is observed in them, and the link that opens each."""

from __future__ import annotations

from datetime import date, datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from ..courses.models import Course, CourseGroup, Person, ResourceLink
from ..db import Base, WithId, utcnow
from ..frameworks.models import FrameworkItem

SIMPLE, VARIED, COMPLEX = 1, 2, 3
COMPLEXITIES = (SIMPLE, VARIED, COMPLEX)
SPECIALITIES = ("A", "C", "V")
"""Accueil, commerce, vente."""
SETTINGS = ("simulated", "real")
PURPOSES = ("formative", "certificative")


class Activity(WithId, Base):
    """A professional situation, real or simulated, and the competences it mobilises."""

    __tablename__ = "activity"
    __table_args__ = (
        sa.CheckConstraint("complexity BETWEEN 1 AND 3", name="complexity"),
        sa.CheckConstraint("ends_on IS NULL OR ends_on >= starts_on", name="period"),
    )

    uuid: Mapped[str] = mapped_column(sa.String(36), unique=True)
    course_id: Mapped[int] = mapped_column(sa.ForeignKey("course.id"), index=True)
    title: Mapped[str] = mapped_column(sa.String(255))
    situation: Mapped[str] = mapped_column(sa.Text, default="")
    work_url: Mapped[str] = mapped_column(sa.Text, default="")
    starts_on: Mapped[date]
    """The date of the work: the one that counts."""
    ends_on: Mapped[date | None] = mapped_column(default=None)
    setting: Mapped[str] = mapped_column(sa.String(16), default="simulated")
    purpose: Mapped[str] = mapped_column(sa.String(16), default="formative")
    complexity: Mapped[int] = mapped_column(default=SIMPLE)
    specialities: Mapped[list[str]] = mapped_column(default=list)
    undated: Mapped[bool] = mapped_column(default=False, server_default=sa.false())
    """Its date is still to be set: `starts_on` is only the day it was copied. Nothing can be assessed before."""
    group_id: Mapped[int | None] = mapped_column(sa.ForeignKey("course_group.id"), default=None, index=True)
    """Whom it is for; None for the whole class."""
    position: Mapped[int] = mapped_column(default=0, server_default="0")
    """Its place in the list where a teacher put them in order; 0, first, for those nobody placed."""
    year_id: Mapped[int | None] = mapped_column(sa.ForeignKey("school_year.id"), default=None, index=True)
    """The year that is over which it belongs to; None for the present one."""
    archived_at: Mapped[datetime | None] = mapped_column(default=None)
    copied_from: Mapped[str | None] = mapped_column(sa.String(36), default=None)
    """The activity of another course that it was copied from: links restored with a course still name that one."""
    created_by_id: Mapped[int | None] = mapped_column(sa.ForeignKey("person.id"))
    created_at: Mapped[datetime] = mapped_column(default=utcnow)
    updated_at: Mapped[datetime] = mapped_column(default=utcnow)
    version: Mapped[int] = mapped_column(default=1)
    """Counts the edits, so that two teachers never overwrite each other unknowingly."""

    course: Mapped[Course] = relationship()
    group: Mapped[CourseGroup | None] = relationship()
    created_by: Mapped[Person | None] = relationship()
    competences: Mapped[list[ActivityCompetence]] = relationship(
        back_populates="activity", cascade="all, delete-orphan"
    )

    @property
    def is_closed(self) -> bool:
        """Whether nothing can be assessed in it: put away, of a year that is over, or without a date yet."""
        return self.archived_at is not None or self.year_id is not None or self.undated


class ActivityCompetence(WithId, Base):
    """A competence that an activity mobilises."""

    __tablename__ = "activity_competence"
    __table_args__ = (sa.UniqueConstraint("activity_id", "item_id"),)

    activity_id: Mapped[int] = mapped_column(sa.ForeignKey("activity.id"))
    item_id: Mapped[int] = mapped_column(sa.ForeignKey("framework_item.id"), index=True)

    activity: Mapped[Activity] = relationship(back_populates="competences")
    item: Mapped[FrameworkItem] = relationship()
    observed: Mapped[list[ObservedItem]] = relationship(
        back_populates="competence", cascade="all, delete-orphan", order_by="ObservedItem.id"
    )


class ObservedItem(WithId, Base):
    """A sub-competence or a criterion that the teacher observes for one competence of an activity."""

    __tablename__ = "observed_item"
    __table_args__ = (sa.UniqueConstraint("activity_competence_id", "item_id"),)

    activity_competence_id: Mapped[int] = mapped_column(sa.ForeignKey("activity_competence.id"))
    item_id: Mapped[int] = mapped_column(sa.ForeignKey("framework_item.id"))

    competence: Mapped[ActivityCompetence] = relationship(back_populates="observed")
    item: Mapped[FrameworkItem] = relationship()


class ActivityLink(WithId, Base):
    """The link of the course that opens an activity."""

    __tablename__ = "activity_link"

    resource_link_id: Mapped[int] = mapped_column(sa.ForeignKey("resource_link.id"), unique=True)
    activity_id: Mapped[int] = mapped_column(sa.ForeignKey("activity.id"), index=True)

    graded: Mapped[bool] = mapped_column(default=False)
    """Whether the column that came with the link was asked for: it then gets the mean of the activity's levels."""

    resource_link: Mapped[ResourceLink] = relationship()
    activity: Mapped[Activity] = relationship()
