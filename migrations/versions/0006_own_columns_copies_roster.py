"""An activity's own column, activities copied from another course, and what a reading of the class list changed."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

OWN = {"waiting": "uq_score_delivery_own_waiting", "sending": "uq_score_delivery_own_sending"}


def upgrade() -> None:
    op.add_column("activity", sa.Column("copied_from", sa.String(length=36), nullable=True))
    op.add_column(
        "activity_link", sa.Column("graded", sa.Boolean(), server_default=sa.false(), nullable=False)
    )
    for name in ("roster_arrived", "roster_left"):
        op.add_column("course", sa.Column(name, sa.Integer(), server_default="0", nullable=False))
    with op.batch_alter_table("score_delivery") as batch_op:
        batch_op.alter_column("item_id", existing_type=sa.Integer(), nullable=True)
        batch_op.add_column(sa.Column("link_id", sa.Integer(), nullable=True))
        batch_op.create_foreign_key(op.f("fk_score_delivery_link_id"), "resource_link", ["link_id"], ["id"])
        batch_op.create_check_constraint(
            op.f("ck_score_delivery_column"), "(item_id IS NULL) <> (link_id IS NULL)"
        )
    op.create_index("ix_score_delivery_own_cell", "score_delivery", ["link_id", "person_id", "id"])
    for state, name in OWN.items():
        where = sa.text(f"state = '{state}' AND link_id IS NOT NULL")
        op.create_index(
            name,
            "score_delivery",
            ["link_id", "person_id"],
            unique=True,
            sqlite_where=where,
            postgresql_where=where,
        )


def downgrade() -> None:
    """The scores of activities' own columns are forgotten here; those that arrived stay in the LMS."""
    op.execute("DELETE FROM score_delivery WHERE link_id IS NOT NULL")
    for name in (*OWN.values(), "ix_score_delivery_own_cell"):
        op.drop_index(name, table_name="score_delivery")
    with op.batch_alter_table("score_delivery") as batch_op:
        batch_op.drop_constraint(op.f("ck_score_delivery_column"), type_="check")
        batch_op.drop_constraint(op.f("fk_score_delivery_link_id"), type_="foreignkey")
        batch_op.drop_column("link_id")
        batch_op.alter_column("item_id", existing_type=sa.Integer(), nullable=False)
    for name in ("roster_left", "roster_arrived"):
        op.drop_column("course", name)
    op.drop_column("activity_link", "graded")
    op.drop_column("activity", "copied_from")
