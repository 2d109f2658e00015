"""Administrators and what they did; when platforms and people were last seen."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    moment = sa.DateTime(timezone=True)
    op.create_table(
        "administrator",
        sa.Column("login", sa.String(length=64), nullable=False),
        sa.Column("password_hash", sa.Text(), nullable=False),
        sa.Column("created_at", moment, nullable=False),
        sa.Column("disabled_at", moment, nullable=True),
        sa.Column("id", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_administrator")),
        sa.UniqueConstraint("login", name=op.f("uq_administrator_login")),
    )
    op.create_table(
        "admin_session",
        sa.Column("secret_hash", sa.String(length=64), nullable=False),
        sa.Column("administrator_id", sa.Integer(), nullable=False),
        sa.Column("created_at", moment, nullable=False),
        sa.Column("used_at", moment, nullable=False),
        sa.Column("expires_at", moment, nullable=False),
        sa.Column("id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["administrator_id"], ["administrator.id"], name=op.f("fk_admin_session_administrator_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_admin_session")),
        sa.UniqueConstraint("secret_hash", name=op.f("uq_admin_session_secret_hash")),
    )
    op.create_index("ix_admin_session_administrator_id", "admin_session", ["administrator_id"])
    op.create_index("ix_admin_session_expires_at", "admin_session", ["expires_at"])
    op.create_table(
        "admin_login_failure",
        sa.Column("key_hash", sa.String(length=64), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.Column("last_at", moment, nullable=False),
        sa.Column("id", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_admin_login_failure")),
        sa.UniqueConstraint("key_hash", name=op.f("uq_admin_login_failure_key_hash")),
    )
    op.create_index("ix_admin_login_failure_last_at", "admin_login_failure", ["last_at"])
    op.create_table(
        "admin_event",
        sa.Column("at", moment, nullable=False),
        sa.Column("administrator_id", sa.Integer(), nullable=True),
        sa.Column("what", sa.String(length=64), nullable=False),
        sa.Column("about", sa.String(length=255), nullable=False),
        sa.Column("id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["administrator_id"], ["administrator.id"], name=op.f("fk_admin_event_administrator_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_admin_event")),
    )
    op.create_index("ix_admin_event_at", "admin_event", ["at"])
    op.create_table(
        "worker_trace",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("seen_at", moment, nullable=False),
        sa.Column("erased_at", moment, nullable=True),
        sa.Column("erased_people", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_worker_trace")),
    )
    op.create_table(
        "launch_refusal",
        sa.Column("platform_id", sa.Integer(), nullable=False),
        sa.Column("reason", sa.String(length=32), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.Column("last_at", moment, nullable=False),
        sa.Column("id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["platform_id"], ["platform.id"], name=op.f("fk_launch_refusal_platform_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_launch_refusal")),
        sa.UniqueConstraint(
            "platform_id", "reason", "day", name=op.f("uq_launch_refusal_platform_id_reason_day")
        ),
    )
    op.create_index("ix_launch_refusal_day", "launch_refusal", ["day"])
    op.add_column("platform", sa.Column("launched_at", moment, nullable=True))
    op.add_column("person", sa.Column("seen_at", moment, nullable=True))
    _work_out_who_was_seen_when()
    op.create_index("ix_person_seen_at", "person", ["seen_at"])


def _work_out_who_was_seen_when() -> None:
    """The latest of: they were first known, they launched, a roster named them."""
    op.execute("UPDATE person SET seen_at = created_at")
    for moment, more in (("launched_at", ""), ("roster_read_at", "AND in_roster")):
        seen = (
            f"SELECT MAX({moment}) FROM enrolment JOIN course ON course.id = enrolment.course_id "  # noqa: S608 - two fixed words
            f"WHERE enrolment.person_id = person.id {more}"
        )
        op.execute(f"UPDATE person SET seen_at = ({seen}) WHERE ({seen}) > person.seen_at")  # noqa: S608 - as above
    op.execute(
        "UPDATE platform SET launched_at = (SELECT MAX(launched_at) FROM enrolment "
        "JOIN course ON course.id = enrolment.course_id WHERE course.platform_id = platform.id)"
    )


def downgrade() -> None:
    op.drop_index("ix_person_seen_at", "person")
    op.drop_column("person", "seen_at")
    op.drop_column("platform", "launched_at")
    for table in (
        "launch_refusal",
        "worker_trace",
        "admin_event",
        "admin_login_failure",
        "admin_session",
        "administrator",
    ):
        op.drop_table(table)
