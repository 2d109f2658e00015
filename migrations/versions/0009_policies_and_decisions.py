"""The policy of a course, and positions retained by teachers."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "decision",
        sa.Column("course_id", sa.Integer(), nullable=False),
        sa.Column("person_id", sa.Integer(), nullable=False),
        sa.Column("item_id", sa.Integer(), nullable=False),
        sa.Column("level", sa.Integer(), nullable=True),
        sa.Column("complexity", sa.Integer(), nullable=True),
        sa.Column("reason", sa.String(length=500), nullable=False),
        sa.Column("proposed_level", sa.Integer(), nullable=True),
        sa.Column("proposed_complexity", sa.Integer(), nullable=True),
        sa.Column("seen_entry_id", sa.Integer(), nullable=False),
        sa.Column("decider_id", sa.Integer(), nullable=True),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("id", sa.Integer(), nullable=False),
        sa.CheckConstraint("level IS NULL OR level BETWEEN 1 AND 4", name=op.f("ck_decision_level")),
        sa.CheckConstraint(
            "complexity IS NULL OR complexity BETWEEN 1 AND 3", name=op.f("ck_decision_complexity")
        ),
        sa.CheckConstraint(
            "(level IS NULL) = (complexity IS NULL)", name=op.f("ck_decision_level_at_complexity")
        ),
        sa.CheckConstraint("level IS NULL OR reason <> ''", name=op.f("ck_decision_reason")),
        sa.ForeignKeyConstraint(["course_id"], ["course.id"], name=op.f("fk_decision_course_id")),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_decision_person_id")),
        sa.ForeignKeyConstraint(["item_id"], ["framework_item.id"], name=op.f("fk_decision_item_id")),
        sa.ForeignKeyConstraint(["decider_id"], ["person.id"], name=op.f("fk_decision_decider_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_decision")),
    )
    op.create_index("ix_decision_cell", "decision", ["course_id", "person_id", "item_id", "id"])
    op.create_index("ix_decision_person_id", "decision", ["person_id"])
    op.create_index("ix_decision_decider_id", "decision", ["decider_id"])
    op.create_table(
        "policy_settings",
        sa.Column("course_id", sa.Integer(), nullable=False),
        sa.Column("policy", sa.String(length=16), nullable=False),
        sa.Column("minimum", sa.Integer(), nullable=False),
        sa.Column("times", sa.Integer(), nullable=False),
        sa.Column("weight", sa.Integer(), nullable=False),
        sa.CheckConstraint("minimum >= 1", name=op.f("ck_policy_settings_minimum")),
        sa.CheckConstraint("times >= 1", name=op.f("ck_policy_settings_times")),
        sa.CheckConstraint("weight BETWEEN 1 AND 99", name=op.f("ck_policy_settings_weight")),
        sa.ForeignKeyConstraint(["course_id"], ["course.id"], name=op.f("fk_policy_settings_course_id")),
        sa.PrimaryKeyConstraint("course_id", name=op.f("pk_policy_settings")),
    )


def downgrade() -> None:
    op.drop_table("policy_settings")
    op.drop_index("ix_decision_decider_id", "decision")
    op.drop_index("ix_decision_person_id", "decision")
    op.drop_index("ix_decision_cell", "decision")
    op.drop_table("decision")
