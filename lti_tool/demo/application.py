"""The Flask app of the demo LMS."""

import os

from flask import Flask, Response, g

from lti_tool.demo.administration import administration
from lti_tool.demo.ags import ags
from lti_tool.demo.auth import auth
from lti_tool.demo.browser import language
from lti_tool.demo.database import Database
from lti_tool.demo.deep_linking import deep_linking
from lti_tool.demo.gradebook_pages import gradebook_pages
from lti_tool.demo.keys import PlatformKey
from lti_tool.demo.nrps import nrps
from lti_tool.demo.pages import pages
from lti_tool.demo.platform import EXTENSION, Platform, the_platform
from lti_tool.demo.registration import registering
from lti_tool.demo.seed import COOKIE_KEY, PRIVATE_KEY
from lti_tool.demo.settings import DemoSettings
from lti_tool.demo.tables import Secret
from lti_tool.demo.texts import number, text
from lti_tool.demo.token import token


def create_demo_app(settings: DemoSettings) -> Flask:
    """The demo LMS, ready to serve; its database is made when missing.

    Raises ValueError under ``SPIRALE_CONFIG=production``: anybody may enter the demo as anybody.
    """
    if os.environ.get("SPIRALE_CONFIG") == "production":
        raise ValueError(
            "The demo LMS does not run in production (SPIRALE_CONFIG=production): "
            "anybody may enter it as a teacher, without a password."
        )
    database = Database(settings.database, settings.profile.school)
    database.prepare()
    with database.reading() as session:
        private_key, cookie_key = (session.get_one(Secret, name).value for name in (PRIVATE_KEY, COOKIE_KEY))
    app = Flask(__name__, static_url_path="/demo-static")
    app.config.update(
        SECRET_KEY=cookie_key,
        SESSION_COOKIE_NAME=f"demo_{settings.profile.key}",  # two platforms on one host: cookies know no port
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_COOKIE_SECURE=settings.base_url.startswith("https://"),
        MAX_CONTENT_LENGTH=2_000_000,
    )
    app.extensions[EXTENSION] = Platform(settings, database, PlatformKey(private_key))
    for blueprint in (
        auth,
        token,
        ags,
        nrps,
        deep_linking,
        pages,
        gradebook_pages,
        administration,
        registering,
    ):
        app.register_blueprint(blueprint)
    app.jinja_env.globals.update(t=text, language=language, settings=settings, tool_origin=_tool_origin)
    app.jinja_env.filters["number"] = number
    app.after_request(_protect)
    return app


def close_demo_app(app: Flask) -> None:
    """Close the app's database connections."""
    app.extensions[EXTENSION].database.close()


def _tool_origin() -> str:
    """The origin of the tool that this page is about."""
    return str(g.get("tool_origin", the_platform().settings.tool_url))


def _protect(response: Response) -> Response:
    """Pages are ours, frame one tool only, and are never cached."""
    tool = _tool_origin()
    response.headers.setdefault("Cache-Control", "no-store")
    response.headers["X-Content-Type-Options"] = "nosniff"
    # The frame first shows our own page that posts to the tool; forms go to the tool and back to us.
    response.headers["Content-Security-Policy"] = (
        f"default-src 'self'; frame-src 'self' {tool}; form-action 'self' {tool}; "
        "frame-ancestors 'self'; object-src 'none'; base-uri 'none'"
    )
    return response
