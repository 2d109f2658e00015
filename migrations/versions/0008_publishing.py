"""When scores leave, which ones, and points by level and complexity: what a teacher decides of grades."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

TABLE = (
    '{"1": {"1": 4, "2": 8, "3": 12, "4": 15}, "2": {"1": 5, "2": 9, "3": 14, "4": 17}, '
    '"3": {"1": 6, "2": 11, "3": 16, "4": 20}}'
)


def upgrade() -> None:
    op.add_column(
        "gradebook_settings",
        sa.Column("mode", sa.String(length=16), server_default="automatic", nullable=False),
    )
    op.execute("UPDATE gradebook_settings SET mode = 'nothing' WHERE NOT sending")
    op.drop_column("gradebook_settings", "sending")
    op.add_column(
        "gradebook_settings",
        sa.Column("complexity_table", sa.JSON(), server_default=TABLE, nullable=False),
    )
    op.add_column("gradebook_settings", sa.Column("competences", sa.JSON(), nullable=True))


def downgrade() -> None:
    """What was sent on « Publier » only is not sent by itself: it is sent no more."""
    op.add_column(
        "gradebook_settings", sa.Column("sending", sa.Boolean(), server_default=sa.true(), nullable=False)
    )
    op.execute("UPDATE gradebook_settings SET sending = (mode = 'automatic')")
    op.execute("UPDATE gradebook_settings SET conversion = 'table' WHERE conversion = 'complexity'")
    for name in ("competences", "complexity_table", "mode"):
        op.drop_column("gradebook_settings", name)
