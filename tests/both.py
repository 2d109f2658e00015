"""An application on each database, for what must hold on both."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask

from lti_tool import create_app
from lti_tool.db import db
from tests.conftest import make_config


@pytest.fixture(params=["sqlite", "postgresql"])
def any_app(request: pytest.FixtureRequest, tmp_path: Path, migrated: Path) -> Iterator[Flask]:
    """An application with the real referential, in its context."""
    more = {}
    if request.param == "sqlite":
        shutil.copy(migrated, tmp_path / "spirale.db")
    else:
        server = request.getfixturevalue("postgres")
        template = request.getfixturevalue("migrated_postgres")
        more["SPIRALE_DATABASE_URL"] = server.new_database(template=template)
    app = create_app(make_config(tmp_path, **more))
    app.testing = False
    with app.app_context():
        yield app
        db.session.close()
        db.engine.dispose()
    app.extensions["spirale_queue"].storage.close()
