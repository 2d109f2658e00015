"""What was observed of each entry of the grid; the comments that an assessor keeps for reuse."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("assessment", sa.Column("observed", sa.JSON(), nullable=False, server_default="[]"))
    op.create_table(
        "saved_comment",
        sa.Column("person_id", sa.Integer(), nullable=False),
        sa.Column("text", sa.String(length=300), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_saved_comment_person_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_saved_comment")),
        sa.UniqueConstraint("person_id", "text", name=op.f("uq_saved_comment_person_id_text")),
    )


def downgrade() -> None:
    op.drop_table("saved_comment")
    op.drop_column("assessment", "observed")
