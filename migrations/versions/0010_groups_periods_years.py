"""Groups, periods and years of a course, its scale; activities for a group, in an order, without a date yet."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

REFERRED = {"group_id": "course_group", "year_id": "school_year"}
"""New columns of an activity, and what they refer to."""


def upgrade() -> None:
    moment = sa.DateTime(timezone=True)
    op.create_table(
        "course_group",
        sa.Column("course_id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["course_id"], ["course.id"], name=op.f("fk_course_group_course_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_course_group")),
    )
    op.create_index("ix_course_group_course_id", "course_group", ["course_id"])
    op.create_table(
        "course_group_member",
        sa.Column("group_id", sa.Integer(), nullable=False),
        sa.Column("person_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["group_id"], ["course_group.id"], name=op.f("fk_course_group_member_group_id")
        ),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_course_group_member_person_id")),
        sa.PrimaryKeyConstraint("group_id", "person_id", name=op.f("pk_course_group_member")),
    )
    op.create_index("ix_course_group_member_person_id", "course_group_member", ["person_id"])
    op.create_table(
        "course_period",
        sa.Column("course_id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("starts_on", sa.Date(), nullable=False),
        sa.Column("ends_on", sa.Date(), nullable=False),
        sa.Column("id", sa.Integer(), nullable=False),
        sa.CheckConstraint("ends_on >= starts_on", name=op.f("ck_course_period_ends_after_it_starts")),
        sa.ForeignKeyConstraint(["course_id"], ["course.id"], name=op.f("fk_course_period_course_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_course_period")),
    )
    op.create_index("ix_course_period_course_id", "course_period", ["course_id"])
    op.create_table(
        "school_year",
        sa.Column("course_id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("closed_at", moment, nullable=False),
        sa.Column("closed_by_id", sa.Integer(), nullable=True),
        sa.Column("id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["closed_by_id"], ["person.id"], name=op.f("fk_school_year_closed_by_id")),
        sa.ForeignKeyConstraint(["course_id"], ["course.id"], name=op.f("fk_school_year_course_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_school_year")),
    )
    op.create_index("ix_school_year_course_id", "school_year", ["course_id"])
    op.add_column("course", sa.Column("scale", sa.String(32), server_default="lsl-pro", nullable=False))
    op.add_column("course", sa.Column("welcomed", sa.Boolean(), server_default=sa.false(), nullable=False))
    op.add_column("course", sa.Column("year_began_at", moment, nullable=True))
    op.add_column("activity", sa.Column("undated", sa.Boolean(), server_default=sa.false(), nullable=False))
    op.add_column("activity", sa.Column("position", sa.Integer(), server_default="0", nullable=False))
    for column, table in REFERRED.items():
        # Both databases read this. Alembic would make the table anew on SQLite, with all that refers to it.
        op.execute(
            f"ALTER TABLE activity ADD COLUMN {column} INTEGER "
            f"CONSTRAINT fk_activity_{column} REFERENCES {table} (id)"
        )
        op.create_index(f"ix_activity_{column}", "activity", [column])


def downgrade() -> None:
    """Groups, periods and the bounds of the years are forgotten here; what was assessed stays, as of one year."""
    for column in REFERRED:
        op.drop_index(f"ix_activity_{column}", "activity")
        op.drop_column("activity", column)
    for column in ("position", "undated"):
        op.drop_column("activity", column)
    for column in ("year_began_at", "welcomed", "scale"):
        op.drop_column("course", column)
    for table in ("school_year", "course_period", "course_group_member", "course_group"):
        op.drop_table(table)
