"""Courses, people, who is in which course and in which of its groups, links in a course, and sessions."""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from ..db import Base, WithId, utcnow
from ..lti.claims import LINK_AS_COURSE
from ..lti.models import Deployment, Platform


class Role(StrEnum):
    """What a person is in one course."""

    TEACHER = "teacher"
    ASSESSOR = "assessor"
    """Assesses without changing the set-up (Moodle's non-editing teacher)."""
    LEARNER = "learner"
    OBSERVER = "observer"
    """Anyone else the platform lets in: reads the referential, sees nobody."""


class Course(WithId, Base):
    """An LTI context: one course of one deployment. Two deployments of a platform may name different courses alike."""

    __tablename__ = "course"
    __table_args__ = (sa.UniqueConstraint("deployment_id", "context_id"),)

    platform_id: Mapped[int] = mapped_column(sa.ForeignKey("platform.id"), index=True)
    deployment_id: Mapped[int] = mapped_column(sa.ForeignKey("deployment.id"))
    context_id: Mapped[str] = mapped_column(sa.String(255))
    title: Mapped[str] = mapped_column(sa.String(255), default="")
    label: Mapped[str] = mapped_column(sa.String(255), default="")
    framework_slugs: Mapped[list[str]] = mapped_column(default=lambda: ["mrc-seconde"])
    """The referentials its competences come from, in order: the first is its main one."""
    lineitems_url: Mapped[str] = mapped_column(sa.Text, default="")
    """Where columns are listed and made; empty when the platform offers no AGS here."""
    ags_scopes: Mapped[list[str]] = mapped_column(default=list)
    memberships_url: Mapped[str] = mapped_column(sa.Text, default="")
    roster_read_at: Mapped[datetime | None] = mapped_column(default=None)
    roster_problem: Mapped[str] = mapped_column(sa.String(64), default="")
    """Why the last reading of the roster failed: `delayed`, `refused` or empty."""
    awaits_launch: Mapped[bool] = mapped_column(default=False, server_default=sa.false())
    """It came from another registration of the tool: the addresses above are that one's until a launch gives new
    ones, and nothing is sent before."""
    roster_arrived: Mapped[int] = mapped_column(default=0)
    roster_left: Mapped[int] = mapped_column(default=0)
    """What readings in the background changed and no teacher was told yet."""
    scale: Mapped[str] = mapped_column(sa.String(32), default="lsl-pro", server_default="lsl-pro")
    """The words of its levels: a file of `configs/scales`."""
    welcomed: Mapped[bool] = mapped_column(default=False, server_default=sa.false())
    """Whether a teacher was led through the first three steps, or passed them: never twice."""
    year_began_at: Mapped[datetime | None] = mapped_column(default=None)
    """When its present school year was opened (« Nouvelle année »); None for its first one."""
    created_at: Mapped[datetime] = mapped_column(default=utcnow)

    platform: Mapped[Platform] = relationship()
    deployment: Mapped[Deployment] = relationship()

    @property
    def name(self) -> str:
        return self.label or self.title

    @property
    def is_link(self) -> bool:
        """Whether a link stands for the course, on a platform that announces none."""
        return self.context_id.startswith(LINK_AS_COURSE)

    @property
    def framework_slug(self) -> str:
        """The main referential: its competences are named by their bare code."""
        return self.framework_slugs[0]


class Person(WithId, Base):
    """Somebody a platform told us about. No e-mail, no login: the opaque id, and the name when shared."""

    __tablename__ = "person"
    __table_args__ = (sa.UniqueConstraint("platform_id", "sub"),)

    platform_id: Mapped[int] = mapped_column(sa.ForeignKey("platform.id"))
    sub: Mapped[str] = mapped_column(sa.String(255))
    given_name: Mapped[str] = mapped_column(sa.String(255), default="")
    family_name: Mapped[str] = mapped_column(sa.String(255), default="")
    name: Mapped[str] = mapped_column(sa.String(255), default="")
    created_at: Mapped[datetime] = mapped_column(default=utcnow)
    seen_at: Mapped[datetime | None] = mapped_column(default=utcnow, index=True)
    """Their last launch or roster, to the day: who is not seen for long is erased (`administration.retention`)."""


class Enrolment(WithId, Base):
    """A person in a course."""

    __tablename__ = "enrolment"
    __table_args__ = (
        sa.UniqueConstraint("course_id", "person_id"),
        sa.UniqueConstraint("course_id", "number"),
    )

    course_id: Mapped[int] = mapped_column(sa.ForeignKey("course.id"))
    person_id: Mapped[int] = mapped_column(sa.ForeignKey("person.id"), index=True)
    role: Mapped[Role] = mapped_column(
        sa.Enum(Role, native_enum=False, length=16, values_callable=lambda e: [r.value for r in e])
    )
    number: Mapped[int]
    """« Élève 7 »: their number in the course, for platforms that share no names."""
    active: Mapped[bool] = mapped_column(default=True)
    """False for those who left; their results stay."""
    in_roster: Mapped[bool] = mapped_column(default=False)
    """Whether the last roster names them; `role` is then the roster's word, else their launch's."""
    launched_as: Mapped[str] = mapped_column(sa.String(16), default="")
    """The role of their last launch; empty when they never came."""
    label: Mapped[str] = mapped_column(sa.String(64), default="")
    """What a teacher typed for someone whose name the platform does not share."""
    launched_at: Mapped[datetime | None] = mapped_column(default=None)

    course: Mapped[Course] = relationship()
    person: Mapped[Person] = relationship()


class SchoolYear(WithId, Base):
    """A year of a course that is over: its activities and what was seen in them can be read, and count no more."""

    __tablename__ = "school_year"

    course_id: Mapped[int] = mapped_column(sa.ForeignKey("course.id"), index=True)
    name: Mapped[str] = mapped_column(sa.String(64))
    """« 2025-2026 »."""
    closed_at: Mapped[datetime]
    closed_by_id: Mapped[int | None] = mapped_column(sa.ForeignKey("person.id"), default=None)

    course: Mapped[Course] = relationship()


class CourseGroup(WithId, Base):
    """Some of the pupils of a course. A pupil may be in several."""

    __tablename__ = "course_group"

    course_id: Mapped[int] = mapped_column(sa.ForeignKey("course.id"), index=True)
    name: Mapped[str] = mapped_column(sa.String(64))
    position: Mapped[int] = mapped_column(default=0)

    course: Mapped[Course] = relationship()


class GroupMember(Base):
    """A pupil in a group. They stay in it when they leave the course, and are back in it if they return."""

    __tablename__ = "course_group_member"

    group_id: Mapped[int] = mapped_column(sa.ForeignKey("course_group.id"), primary_key=True)
    person_id: Mapped[int] = mapped_column(sa.ForeignKey("person.id"), primary_key=True, index=True)

    group: Mapped[CourseGroup] = relationship()
    person: Mapped[Person] = relationship()


class PeriodKind(StrEnum):
    """What a period of a course is: a part of the year, or weeks in a company within it."""

    TERM = "term"
    PFMP = "pfmp"


class CoursePeriod(WithId, Base):
    """A part of the school year that a course calls by a name: a term, a PFMP."""

    __tablename__ = "course_period"
    __table_args__ = (sa.CheckConstraint("ends_on >= starts_on", name="ends_after_it_starts"),)

    course_id: Mapped[int] = mapped_column(sa.ForeignKey("course.id"), index=True)
    name: Mapped[str] = mapped_column(sa.String(64))
    kind: Mapped[PeriodKind] = mapped_column(
        sa.Enum(PeriodKind, native_enum=False, length=16, values_callable=lambda e: [k.value for k in e])
    )
    starts_on: Mapped[date]
    ends_on: Mapped[date]

    course: Mapped[Course] = relationship()


class ResourceLink(WithId, Base):
    """A link to the tool in a course."""

    __tablename__ = "resource_link"
    __table_args__ = (sa.UniqueConstraint("course_id", "link_id"),)

    course_id: Mapped[int] = mapped_column(sa.ForeignKey("course.id"))
    link_id: Mapped[str] = mapped_column(sa.String(255))
    title: Mapped[str] = mapped_column(sa.String(255), default="")
    lineitem_url: Mapped[str] = mapped_column(sa.Text, default="")

    course: Mapped[Course] = relationship()


class LaunchSession(WithId, Base):
    """What one launch opened: who, in which course, as what. Found by the hash of the path's `sid` only."""

    __tablename__ = "launch_session"

    sid_hash: Mapped[str] = mapped_column(sa.String(64), unique=True)
    browser_hash: Mapped[str] = mapped_column(sa.String(64), default="")
    deployment_id: Mapped[int] = mapped_column(sa.ForeignKey("deployment.id"))
    course_id: Mapped[int] = mapped_column(sa.ForeignKey("course.id"))
    person_id: Mapped[int] = mapped_column(sa.ForeignKey("person.id"))
    resource_link_id: Mapped[int | None] = mapped_column(sa.ForeignKey("resource_link.id"))
    role: Mapped[Role] = mapped_column(
        sa.Enum(Role, native_enum=False, length=16, values_callable=lambda e: [r.value for r in e])
    )
    locale: Mapped[str] = mapped_column(sa.String(16))
    return_url: Mapped[str] = mapped_column(sa.Text, default="")
    custom: Mapped[dict[str, Any]] = mapped_column(default=dict)
    """Only our own custom parameters of the link (`spirale_…`)."""
    deep_linking: Mapped[dict[str, Any] | None] = mapped_column(sa.JSON, default=None)
    """Settings of the deep-linking request that opened it; None for other launches."""
    created_at: Mapped[datetime]
    used_at: Mapped[datetime]
    expires_at: Mapped[datetime] = mapped_column(index=True)
    """The end whatever happens; idle time ends it sooner."""

    deployment: Mapped[Deployment] = relationship()
    course: Mapped[Course] = relationship()
    person: Mapped[Person] = relationship()
    resource_link: Mapped[ResourceLink | None] = relationship()
