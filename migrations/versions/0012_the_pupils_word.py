"""What pupils say of themselves, what they ask, and whether a platform lets teachers see earlier years."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

SAID = "level, complexity, evidence, link, activity_id, created_at"
"""What a pupil said is never changed; to whom it belongs follows when two registrations become one."""


def upgrade() -> None:
    moment = sa.DateTime(timezone=True)
    op.create_table(
        "self_position",
        sa.Column("course_id", sa.Integer(), nullable=False),
        sa.Column("person_id", sa.Integer(), nullable=False),
        sa.Column("item_id", sa.Integer(), nullable=False),
        sa.Column("activity_id", sa.Integer(), nullable=True),
        sa.Column("level", sa.Integer(), nullable=False),
        sa.Column("complexity", sa.Integer(), nullable=False),
        sa.Column("evidence", sa.Text(), nullable=False),
        sa.Column("link", sa.Text(), nullable=False),
        sa.Column("created_at", moment, nullable=False),
        sa.Column("id", sa.Integer(), nullable=False),
        sa.CheckConstraint("level BETWEEN 1 AND 4", name=op.f("ck_self_position_level")),
        sa.CheckConstraint("complexity BETWEEN 1 AND 3", name=op.f("ck_self_position_complexity")),
        sa.ForeignKeyConstraint(["course_id"], ["course.id"], name=op.f("fk_self_position_course_id")),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_self_position_person_id")),
        sa.ForeignKeyConstraint(["item_id"], ["framework_item.id"], name=op.f("fk_self_position_item_id")),
        sa.ForeignKeyConstraint(["activity_id"], ["activity.id"], name=op.f("fk_self_position_activity_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_self_position")),
    )
    op.create_index("ix_self_position_pupil", "self_position", ["person_id", "course_id", "item_id", "id"])
    op.create_index("ix_self_position_course_id", "self_position", ["course_id"])
    op.create_index("ix_self_position_activity_id", "self_position", ["activity_id"])
    _forbid_changes()
    op.create_table(
        "observation_request",
        sa.Column("course_id", sa.Integer(), nullable=False),
        sa.Column("person_id", sa.Integer(), nullable=False),
        sa.Column("item_id", sa.Integer(), nullable=False),
        sa.Column("asked_at", moment, nullable=False),
        sa.Column("closed_at", moment, nullable=True),
        sa.Column("closed_by_id", sa.Integer(), nullable=True),
        sa.Column("answer", sa.Text(), nullable=False),
        sa.Column("id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["course_id"], ["course.id"], name=op.f("fk_observation_request_course_id")),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_observation_request_person_id")),
        sa.ForeignKeyConstraint(
            ["item_id"], ["framework_item.id"], name=op.f("fk_observation_request_item_id")
        ),
        sa.ForeignKeyConstraint(
            ["closed_by_id"], ["person.id"], name=op.f("fk_observation_request_closed_by_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_observation_request")),
        sa.UniqueConstraint(
            "course_id",
            "person_id",
            "item_id",
            name=op.f("uq_observation_request_course_id_person_id_item_id"),
        ),
    )
    op.create_index("ix_observation_request_person_id", "observation_request", ["person_id"])
    op.create_index("ix_observation_request_closed_by_id", "observation_request", ["closed_by_id"])
    op.add_column(
        "platform", sa.Column("earlier_years", sa.Boolean(), nullable=False, server_default=sa.false())
    )


def _forbid_changes() -> None:
    if op.get_bind().dialect.name == "sqlite":
        op.execute(
            f"CREATE TRIGGER self_position_append_only BEFORE UPDATE OF {SAID} ON self_position "
            "BEGIN SELECT RAISE(ABORT, 'self-positions are only added'); END"
        )
        return
    op.execute(
        "CREATE FUNCTION self_position_append_only() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN RAISE EXCEPTION 'self-positions are only added'; END $$"
    )
    op.execute(
        f"CREATE TRIGGER self_position_append_only BEFORE UPDATE OF {SAID} ON self_position "
        "FOR EACH ROW EXECUTE FUNCTION self_position_append_only()"
    )


def downgrade() -> None:
    op.drop_column("platform", "earlier_years")
    op.drop_table("observation_request")
    op.drop_table("self_position")
    if op.get_bind().dialect.name == "postgresql":
        op.execute("DROP FUNCTION self_position_append_only()")
