"""What is known of a platform, keys that take turns, courses that await a launch."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for column in (
        sa.Column("family", sa.String(length=32), nullable=False, server_default=""),
        sa.Column("connections", sa.Integer(), nullable=False, server_default="4"),
        sa.Column("anonymous", sa.Boolean(), nullable=False, server_default=sa.false()),
    ):
        op.add_column("platform", column)
    op.add_column(
        "course", sa.Column("awaits_launch", sa.Boolean(), nullable=False, server_default=sa.false())
    )
    # Without them each person that is deleted costs a reading of the whole table.
    op.create_index("ix_assessment_assessor_id", "assessment", ["assessor_id"])
    op.create_index("ix_score_delivery_person_id", "score_delivery", ["person_id"])
    op.add_column("tool_key", sa.Column("number", sa.Integer(), nullable=True))
    op.add_column("tool_key", sa.Column("signs_at", sa.DateTime(timezone=True), nullable=True))
    op.execute("UPDATE tool_key SET number = id, signs_at = created_at")
    with op.batch_alter_table("tool_key", schema=None) as batch_op:
        batch_op.alter_column("number", existing_type=sa.Integer(), nullable=False)
        batch_op.alter_column("signs_at", existing_type=sa.DateTime(timezone=True), nullable=False)
        batch_op.create_unique_constraint(batch_op.f("uq_tool_key_number"), ["number"])


def downgrade() -> None:
    with op.batch_alter_table("tool_key", schema=None) as batch_op:
        batch_op.drop_constraint(batch_op.f("uq_tool_key_number"), type_="unique")
        batch_op.drop_column("signs_at")
        batch_op.drop_column("number")
    op.drop_index("ix_score_delivery_person_id", "score_delivery")
    op.drop_index("ix_assessment_assessor_id", "assessment")
    op.drop_column("course", "awaits_launch")
    for name in ("anonymous", "connections", "family"):
        op.drop_column("platform", name)
