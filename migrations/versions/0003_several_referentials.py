"""A course uses one or several referentials, in order."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

course = sa.table(
    "course",
    sa.column("id", sa.Integer),
    sa.column("framework_slug", sa.String),
    sa.column("framework_slugs", sa.JSON),
)


def upgrade() -> None:
    op.add_column(
        "course", sa.Column("framework_slugs", sa.JSON(), server_default='["mrc-seconde"]', nullable=False)
    )
    connection = op.get_bind()
    for row in connection.execute(sa.select(course.c.id, course.c.framework_slug)).all():
        change = sa.update(course).where(course.c.id == row.id)
        connection.execute(change.values(framework_slugs=[row.framework_slug]))
    op.drop_column("course", "framework_slug")


def downgrade() -> None:
    """Each course keeps its main referential only."""
    op.add_column(
        "course",
        sa.Column("framework_slug", sa.String(length=64), server_default="mrc-seconde", nullable=False),
    )
    connection = op.get_bind()
    for row in connection.execute(sa.select(course.c.id, course.c.framework_slugs)).all():
        change = sa.update(course).where(course.c.id == row.id)
        connection.execute(change.values(framework_slug=row.framework_slugs[0]))
    op.drop_column("course", "framework_slugs")
