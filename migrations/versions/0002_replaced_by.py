"""What took the place of a retired item."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("framework_item", sa.Column("replaced_by", sa.String(length=36), nullable=True))


def downgrade() -> None:
    op.drop_column("framework_item", "replaced_by")
