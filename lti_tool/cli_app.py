"""The application, as the commands open it."""

from __future__ import annotations

from flask import Flask

from . import create_app
from .config import Config, load_config
from .db import require_current_schema


def open_app(*, current_schema: bool = True) -> tuple[Flask, Config]:
    """The application and its settings; refuses a database at another schema, with the advice."""
    config = load_config()
    app = create_app(config)
    if current_schema:
        with app.app_context():
            require_current_schema()
    return app, config
