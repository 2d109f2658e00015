"""Spirale: a competence referential inside the course, assessment, and grades that flow back (LTI 1.3 Advantage)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .version import __version__ as __version__

if TYPE_CHECKING:
    from flask import Flask

    from .config import Config


def create_app(config: Config | None = None) -> Flask:
    """The application, for `wsgi.py` and for gunicorn's ``lti_tool:create_app()``."""
    from .web.application import build  # noqa: PLC0415 - the package itself imports nothing

    return build(config)
