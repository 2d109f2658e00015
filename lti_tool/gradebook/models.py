"""Settings of a course's gradebook, its columns, and scores on their way."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.hybrid import hybrid_property
from sqlalchemy.orm import Mapped, mapped_column, relationship

from ..courses.models import Course, Person, ResourceLink
from ..db import Base, UtcDateTime, WithId, utcnow
from ..frameworks.models import FrameworkItem
from ..lti.models import Platform


class Mode(StrEnum):
    """When a course sends scores."""

    AUTOMATIC = "automatic"
    """With the assessment."""
    PUBLISH = "publish"
    """When a teacher says so, having seen what changes."""
    NOTHING = "nothing"


class Conversion(StrEnum):
    """As what a level is sent."""

    POINTS = "points"
    """The scale's own points, out of 4."""
    TABLE = "table"
    """The course's points for each level, out of `table_maximum`."""
    COMPLEXITY = "complexity"
    """The course's points for each level at each complexity, out of `table_maximum`."""


TABLE = {"1": 5, "2": 9, "3": 14, "4": 19}
COMPLEXITY_TABLE = {
    "1": {"1": 4, "2": 8, "3": 12, "4": 15},
    "2": {"1": 5, "2": 9, "3": 14, "4": 17},
    "3": {"1": 6, "2": 11, "3": 16, "4": 20},
}


class GradebookSettings(Base):
    """What a course sends, when, and as what."""

    __tablename__ = "gradebook_settings"
    __table_args__ = (sa.CheckConstraint("minimum >= 1", name="minimum"),)

    course_id: Mapped[int] = mapped_column(sa.ForeignKey("course.id"), primary_key=True)
    mode: Mapped[str] = mapped_column(sa.String(16), default=Mode.AUTOMATIC)
    conversion: Mapped[str] = mapped_column(sa.String(16), default=Conversion.POINTS)
    table: Mapped[dict[str, Any]] = mapped_column(default=lambda: dict(TABLE))
    complexity_table: Mapped[dict[str, Any]] = mapped_column(default=lambda: dict(COMPLEXITY_TABLE))
    """By complexity, then level."""
    table_maximum: Mapped[int] = mapped_column(default=20)
    minimum: Mapped[int] = mapped_column(default=1)
    """Observations before anything is sent."""
    competences: Mapped[list[int] | None] = mapped_column(sa.JSON(none_as_null=True), default=None)
    """The only ones that are sent, by `item_id`; None for all, those to come too."""

    course: Mapped[Course] = relationship()

    @hybrid_property
    def sending(self) -> bool:
        """Whether scores leave at all: by themselves, or once published."""
        return self.mode != Mode.NOTHING

    def sends(self, column: ColumnOf) -> bool:
        """Whether the scores of a column are among those that are sent. A link's own column is asked for elsewhere."""
        return self.competences is None or isinstance(column, OwnColumn) or column in self.competences


class LineItem(WithId, Base):
    """A column of the LMS's gradebook: one competence of one course."""

    __tablename__ = "line_item"
    __table_args__ = (sa.UniqueConstraint("course_id", "item_id"),)

    course_id: Mapped[int] = mapped_column(sa.ForeignKey("course.id"))
    item_id: Mapped[int] = mapped_column(sa.ForeignKey("framework_item.id"))
    url: Mapped[str] = mapped_column(sa.Text, default="")
    """Its address in the LMS; empty until it was found or made."""
    label: Mapped[str] = mapped_column(sa.String(255), default="")
    """The name we wanted for it last: when the competence is named otherwise, the column is renamed, once."""
    maximum: Mapped[int] = mapped_column(default=0)
    gone: Mapped[bool] = mapped_column(default=False)
    """Deleted in the LMS: made again only when a teacher says so."""
    lost: Mapped[bool] = mapped_column(default=False)
    """The LMS no longer knew its address: it is looked up again once before it is said to be gone."""
    busy_until: Mapped[datetime | None] = mapped_column(default=None)
    """While one worker looks for it or makes it, no other does."""
    renewed_at: Mapped[datetime | None] = mapped_column(default=None)
    """When a teacher had it made again: what was sent before went to a column that is no more."""

    course: Mapped[Course] = relationship()
    item: Mapped[FrameworkItem] = relationship()


@dataclass(frozen=True)
class OwnColumn:
    """The column that came with a link of the course: an activity's own, beside those of its competences."""

    link_id: int


ColumnOf = int | OwnColumn
"""Which column: a competence's, by its `item_id`, or the one that came with a link."""
Pair = tuple[int, ColumnOf]
"""A person and a column: a cell of the gradebook."""


class DeliveryState(StrEnum):
    """Where a score is. `WAITING` and `SENDING` are open; the others are ends."""

    WAITING = "waiting"
    SENDING = "sending"
    SENT = "sent"
    REFUSED = "refused"
    CHANGED = "changed"
    """The LMS holds another value, put there by hand: shown, not fought over."""
    KEPT = "kept"
    """As `CHANGED`, and a teacher chose to keep the LMS's value."""
    STOPPED = "stopped"
    """It was refused, and a teacher wants nothing more sent there until they say so."""
    REPLACED = "replaced"
    """A newer score took its place before it left."""


OPEN = (DeliveryState.WAITING, DeliveryState.SENDING)
UNCLEAR = ("no_answer", "failed", "later", "interrupted")
"""Reasons of a try without a clear answer: the LMS may hold its score all the same."""
WITHDRAWN = "withdrawn"
"""Reason of a delivery under way whose observations were withdrawn: it is not tried a second time."""


class ScoreDelivery(WithId, Base):
    """A score on its way to the gradebook: written in the transaction of the assessment, kept for ever after."""

    __tablename__ = "score_delivery"
    __table_args__ = (
        sa.CheckConstraint("(item_id IS NULL) <> (link_id IS NULL)", name="column"),
        sa.Index(
            "uq_score_delivery_waiting",
            "course_id",
            "item_id",
            "person_id",
            unique=True,
            sqlite_where=sa.text("state = 'waiting'"),
            postgresql_where=sa.text("state = 'waiting'"),
        ),
        sa.Index(
            "uq_score_delivery_sending",
            "course_id",
            "item_id",
            "person_id",
            unique=True,
            sqlite_where=sa.text("state = 'sending'"),
            postgresql_where=sa.text("state = 'sending'"),
        ),
        sa.Index(
            "uq_score_delivery_own_waiting",
            "link_id",
            "person_id",
            unique=True,
            sqlite_where=sa.text("state = 'waiting' AND link_id IS NOT NULL"),
            postgresql_where=sa.text("state = 'waiting' AND link_id IS NOT NULL"),
        ),
        sa.Index(
            "uq_score_delivery_own_sending",
            "link_id",
            "person_id",
            unique=True,
            sqlite_where=sa.text("state = 'sending' AND link_id IS NOT NULL"),
            postgresql_where=sa.text("state = 'sending' AND link_id IS NOT NULL"),
        ),
        sa.Index("ix_score_delivery_own_cell", "link_id", "person_id", "id"),
        sa.Index("ix_score_delivery_due", "state", "not_before"),
        sa.Index("ix_score_delivery_cell", "course_id", "item_id", "person_id", "id"),
    )

    course_id: Mapped[int] = mapped_column(sa.ForeignKey("course.id"))
    item_id: Mapped[int | None] = mapped_column(sa.ForeignKey("framework_item.id"), default=None)
    """Of a competence's column."""
    link_id: Mapped[int | None] = mapped_column(sa.ForeignKey("resource_link.id"), default=None)
    """Of the column that came with a link."""
    person_id: Mapped[int] = mapped_column(sa.ForeignKey("person.id"), index=True)
    score: Mapped[Decimal | None] = mapped_column(sa.Numeric(6, 2))
    """Points given; None clears the grade."""
    maximum: Mapped[int]
    level: Mapped[int | None]
    comment: Mapped[str] = mapped_column(sa.Text)
    timestamp: Mapped[datetime] = mapped_column(UtcDateTime)
    """Pinned when the score is written; the same at each try."""
    state: Mapped[DeliveryState] = mapped_column(
        sa.Enum(DeliveryState, native_enum=False, length=16, values_callable=lambda e: [s.value for s in e]),
        default=DeliveryState.WAITING,
    )
    reason: Mapped[str] = mapped_column(sa.String(32), default="")
    """Why it waits, was refused or is changed: a word that `web.deliveries` has a sentence for."""
    status: Mapped[int] = mapped_column(default=0)
    """HTTP status of the last answer."""
    lms_score: Mapped[Decimal | None] = mapped_column(sa.Numeric(8, 2), default=None)
    """What the LMS was found to hold, when it is something else."""
    forced: Mapped[bool] = mapped_column(default=False)
    """A teacher chose to send it over what was changed by hand in the LMS."""
    tries: Mapped[int] = mapped_column(default=0)
    perhaps_taken: Mapped[bool] = mapped_column(default=False)
    """One of its tries had no clear answer, whatever the later ones said: the LMS may hold its score all the same."""
    not_before: Mapped[datetime] = mapped_column(default=utcnow)
    leased_until: Mapped[datetime | None] = mapped_column(default=None)
    created_at: Mapped[datetime] = mapped_column(default=utcnow)
    done_at: Mapped[datetime | None] = mapped_column(default=None)

    course: Mapped[Course] = relationship()
    item: Mapped[FrameworkItem | None] = relationship()
    link: Mapped[ResourceLink | None] = relationship()
    person: Mapped[Person] = relationship()

    @property
    def column(self) -> ColumnOf:
        return self.item_id if self.link_id is None else OwnColumn(self.link_id)  # type: ignore[return-value]

    @property
    def pair(self) -> Pair:
        return self.person_id, self.column


def in_column(of: type[ScoreDelivery], column: ColumnOf) -> sa.ColumnElement[bool]:
    """Whether a delivery goes to a column."""
    return of.link_id == column.link_id if isinstance(column, OwnColumn) else of.item_id == column


class PlatformPause(Base):
    """A platform that said « later », or does not answer: nothing is sent to it before then."""

    __tablename__ = "platform_pause"

    platform_id: Mapped[int] = mapped_column(sa.ForeignKey("platform.id"), primary_key=True)
    until: Mapped[datetime]
    reason: Mapped[str] = mapped_column(sa.String(32))
    tries: Mapped[int] = mapped_column(default=1)
    """Times in a row without a proper answer: each wait is longer than the one before."""

    platform: Mapped[Platform] = relationship()
