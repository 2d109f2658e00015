"""Bringing a database up to date: its schema, the shipped referentials, our key."""

from __future__ import annotations

from alembic import command as alembic

from .config import Config
from .db import alembic_config, begin_write, db, schema_versions
from .frameworks.loading import load_referentials, read_all, shipped_referentials
from .lti.keys import ensure_key


def upgrade_database(config: Config, revision: str = "head") -> None:
    """Run the migrations; at the newest schema, load the shipped referentials and make our key.

    Needs an application context, and commits.
    """
    alembic.upgrade(alembic_config(), revision)
    current, head = schema_versions()
    if current == head:
        begin_write()
        load_referentials(db.session, read_all(shipped_referentials()))
        ensure_key(db.session, config.secret_key)
        db.session.commit()
