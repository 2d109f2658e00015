"""Tables of the demo LMS, in a SQLite file of its own. Moments are whole seconds since 1970, UTC."""

from typing import Any

from sqlalchemy import JSON, ForeignKey, String
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship

FIRST_TOOL = 1
"""The tool of the settings; those that register themselves come after it."""
LINK_ID_OFFSET = 100
"""A resource link id is not the number in the page's address (in Moodle: instance and course-module id)."""


class Base(DeclarativeBase):
    """Metadata of the demo alone; the tool's tables are elsewhere."""


class Secret(Base):
    """What the LMS makes once and keeps: its private key, the key of its cookies."""

    __tablename__ = "secret"
    name: Mapped[str] = mapped_column(primary_key=True)
    value: Mapped[str]


class Person(Base):
    """Somebody of the school; ``id`` is the ``sub`` of launches."""

    __tablename__ = "person"
    __table_args__ = {"sqlite_autoincrement": True}
    id: Mapped[int] = mapped_column(primary_key=True)
    given_name: Mapped[str]
    family_name: Mapped[str]
    honorific: Mapped[str] = mapped_column(default="")
    username: Mapped[str]
    sourced_id: Mapped[str] = mapped_column(default="")

    @property
    def sub(self) -> str:
        """The id as LTI wants it: a string."""
        return str(self.id)

    @property
    def name(self) -> str:
        """Given name then family name."""
        return f"{self.given_name} {self.family_name}"


class Course(Base):
    """A course. ``history`` is the chain of course ids it was copied from, nearest first, comma between."""

    __tablename__ = "course"
    __table_args__ = {"sqlite_autoincrement": True}
    id: Mapped[int] = mapped_column(primary_key=True)
    label: Mapped[str]
    title: Mapped[str]
    sourced_id: Mapped[str] = mapped_column(default="")
    history: Mapped[str] = mapped_column(default="")


class Enrolment(Base):
    """A person in a course, as teacher, assistant (non-editing teacher) or pupil."""

    __tablename__ = "enrolment"
    course_id: Mapped[int] = mapped_column(ForeignKey("course.id"), primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"), primary_key=True)
    role: Mapped[str]
    suspended: Mapped[bool] = mapped_column(default=False)
    person: Mapped[Person] = relationship(lazy="joined")
    course: Mapped[Course] = relationship(lazy="joined")


class RegisteredTool(Base):
    """A tool that registered itself; the one of the settings has no row."""

    __tablename__ = "tool"
    id: Mapped[int] = mapped_column(primary_key=True)
    client_id: Mapped[str] = mapped_column(unique=True)
    name: Mapped[str]
    login_url: Mapped[str]
    redirect_urls: Mapped[list[str]] = mapped_column(JSON)
    target_url: Mapped[str]
    selection_url: Mapped[str]
    jwks_url: Mapped[str]
    names: Mapped[bool]
    scopes: Mapped[list[str]] = mapped_column(JSON)
    custom: Mapped[dict[str, str]] = mapped_column(JSON)
    active: Mapped[bool] = mapped_column(default=False)
    """The administrator has activated it: teachers may add it."""


class Activity(Base):
    """A link to the tool in a course."""

    __tablename__ = "activity"
    __table_args__ = {"sqlite_autoincrement": True}
    id: Mapped[int] = mapped_column(primary_key=True)
    course_id: Mapped[int] = mapped_column(ForeignKey("course.id"), index=True)
    title: Mapped[str] = mapped_column(String(255))
    text: Mapped[str] = mapped_column(default="")
    url: Mapped[str] = mapped_column(default="")
    """Target link; empty: the tool's default."""
    tool_id: Mapped[int] = mapped_column(server_default="1", default=FIRST_TOOL)
    custom: Mapped[dict[str, str]] = mapped_column(JSON, default=dict)

    @property
    def link_id(self) -> str:
        """The ``resource_link.id`` of its launches."""
        return str(self.id + LINK_ID_OFFSET)


class LineItem(Base):
    """A column of the gradebook. ``coupled``: it came with its activity; else made by the tool (AGS).

    ``activity_id`` may dangle: deleting an activity keeps the standalone items attached to it (Moodle).
    """

    __tablename__ = "line_item"
    __table_args__ = {"sqlite_autoincrement": True}
    id: Mapped[int] = mapped_column(primary_key=True)
    course_id: Mapped[int] = mapped_column(ForeignKey("course.id"), index=True)
    label: Mapped[str] = mapped_column(String(255))
    score_maximum: Mapped[float]
    resource_id: Mapped[str] = mapped_column(default="")
    tag: Mapped[str] = mapped_column(default="")
    tool_id: Mapped[int] = mapped_column(server_default="1", default=FIRST_TOOL)
    activity_id: Mapped[int | None]
    coupled: Mapped[bool] = mapped_column(default=False)
    locked: Mapped[bool] = mapped_column(default=False)
    submission_review: Mapped[dict[str, Any] | None] = mapped_column(JSON)
    grades: Mapped[list["Grade"]] = relationship(cascade="all, delete-orphan", back_populates="line_item")

    @property
    def link_id(self) -> str | None:
        """``resource_link.id`` of the activity it is attached to, if any."""
        return None if self.activity_id is None else str(self.activity_id + LINK_ID_OFFSET)


class Grade(Base):
    """One cell. ``raw`` is what the tool sent, ``value`` what people see; they differ when overridden."""

    __tablename__ = "grade"
    line_item_id: Mapped[int] = mapped_column(ForeignKey("line_item.id"), primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"), primary_key=True)
    value: Mapped[float | None]
    raw: Mapped[float | None]
    feedback: Mapped[str] = mapped_column(default="")
    by_teacher: Mapped[bool] = mapped_column(default=False)
    """The feedback was written by the teacher: results give it as HTML."""
    overridden: Mapped[bool] = mapped_column(default=False)
    modified: Mapped[int | None]
    """Moodle's ``timemodified``; None after the clear of a coupled item."""
    line_item: Mapped[LineItem] = relationship(back_populates="grades")


class Launch(Base):
    """One message to the tool, from the click to the id_token; spent by the authorisation."""

    __tablename__ = "launch"
    id: Mapped[str] = mapped_column(primary_key=True)
    message_type: Mapped[str]
    person_id: Mapped[int]
    course_id: Mapped[int]
    tool_id: Mapped[int] = mapped_column(server_default="1", default=FIRST_TOOL)
    activity_id: Mapped[int | None]
    for_person_id: Mapped[int | None]
    document_target: Mapped[str] = mapped_column(default="iframe")
    locale: Mapped[str] = mapped_column(default="fr")
    made_at: Mapped[int]
    spent: Mapped[bool] = mapped_column(default=False)
    return_key: Mapped[str | None] = mapped_column(unique=True)
    """Deep linking: secret of the return address; None once the tool has come back."""


class AccessToken(Base):
    """An access token given to the tool; only its SHA-256 is kept."""

    __tablename__ = "access_token"
    hash: Mapped[str] = mapped_column(primary_key=True)
    tool_id: Mapped[int] = mapped_column(server_default="1", default=FIRST_TOOL)
    scopes: Mapped[str]
    expires_at: Mapped[int]


class SeenOnce(Base):
    """A ``jti`` or a nonce of the tool: refused the second time, until it has expired anyway."""

    __tablename__ = "seen_once"
    kind: Mapped[str] = mapped_column(primary_key=True)
    value: Mapped[str] = mapped_column(primary_key=True)
    expires_at: Mapped[int]


class ServiceCall(Base):
    """A request of the tool to AGS or NRPS and the status it got: tests count them."""

    __tablename__ = "service_call"
    id: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[int]
    method: Mapped[str]
    path: Mapped[str]
    body: Mapped[str]
    status: Mapped[int]


class Fault(Base):
    """A failure a test has planned for the coming service calls."""

    __tablename__ = "fault"
    id: Mapped[int] = mapped_column(primary_key=True)
    method: Mapped[str]
    path_contains: Mapped[str]
    status: Mapped[int]
    retry_after: Mapped[str]
    delay_s: Mapped[float]
    after: Mapped[bool]
    """True: the request is carried out, then its answer is lost."""
    remaining: Mapped[int]
