"""A delivery keeps that one of its tries had no clear answer, whatever the later ones said."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "score_delivery",
        sa.Column("perhaps_taken", sa.Boolean(), nullable=False, server_default=sa.false()),
    )
    # Of older ones only the last reason is known: what was tried at all may have arrived.
    delivery = sa.table(
        "score_delivery",
        sa.column("perhaps_taken", sa.Boolean()),
        sa.column("reason", sa.String()),
        sa.column("tries", sa.Integer()),
        sa.column("state", sa.String()),
    )
    unclear = delivery.c.reason.in_(("no_answer", "failed", "later", "interrupted"))
    op.execute(
        sa.update(delivery)
        .where(delivery.c.state != "sent", sa.or_(unclear, delivery.c.tries > 0))
        .values(perhaps_taken=sa.true())
    )


def downgrade() -> None:
    op.drop_column("score_delivery", "perhaps_taken")
