"""Building the application."""

from __future__ import annotations

import logging
import sys
from functools import partial
from typing import Any

import structlog
from flask import Flask, Request, Response, g, request
from flask.sessions import SessionInterface
from flask_babel import Babel
from werkzeug.exceptions import BadRequest
from werkzeug.middleware.proxy_fix import ProxyFix
from werkzeug.routing import IntegerConverter, Map

from ..config import Config, load_config
from ..courses.referentials import reference
from ..db import init_db
from ..gradebook.worker import init_worker
from ..lti.keysets import KeySets
from ..lti.platforms import frame_origins
from ..lti.tokens import Tokens
from . import (  # noqa: F401
    activities,
    door,
    gradebook,
    grid,
    health,
    home,
    one_pupil,
    overview,
    picker,
    pupil,
    referential,
    settings,
)
from .case_api import case_api, open_to_scripts
from .counting import Counting
from .guard import LARGEST_ID, May, csrf_token, here, pages
from .refusals import init_refusals
from .shown import locale

LARGEST_REQUEST = 2 * 1024 * 1024


def build(config: Config | None = None) -> Flask:
    """The application with these settings, or those of the environment. Raises `ConfigError`."""
    config = config or load_config()
    init_logging()
    app = Flask("lti_tool", static_folder="static", template_folder="templates")
    app.config.update(
        SECRET_KEY=config.secret_key,
        MAX_CONTENT_LENGTH=LARGEST_REQUEST,
        MAX_FORM_MEMORY_SIZE=LARGEST_REQUEST,
        BABEL_DEFAULT_LOCALE="fr",
        BABEL_DEFAULT_TIMEZONE=str(config.timezone),
        SEND_FILE_MAX_AGE_DEFAULT=86_400,
        PREFERRED_URL_SCHEME="https" if config.https else "http",
    )
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    app.extensions["spirale_config"] = config
    app.extensions["spirale_keysets"] = KeySets(
        timeout_s=config.lti.http_timeout_s,
        lifetime_s=config.lti.keys_lifetime_s,
        cooldown_s=config.lti.keys_cooldown_s,
    )
    app.extensions["spirale_tokens"] = Tokens()
    if config.trusted_proxies:
        app.wsgi_app = ProxyFix(  # type: ignore[method-assign]
            app.wsgi_app, x_for=config.trusted_proxies, x_proto=config.trusted_proxies, x_host=0
        )
    app.url_map.converters["id"] = RowId
    app.session_interface = NoSession()
    init_db(app, config)
    init_worker(app, config)
    Babel(app, locale_selector=_wanted_locale)
    app.extensions["spirale_counting"] = Counting(config.logins_per_minute)
    app.register_blueprint(door.door)
    app.add_url_rule("/", "root", door.launch_alone)
    app.register_blueprint(health.health)
    app.register_blueprint(case_api)
    app.register_blueprint(pages)
    init_refusals(app)
    app.before_request(_readable)
    app.context_processor(_for_templates)
    # The last one registered runs first.
    app.after_request(open_to_scripts)
    app.after_request(_headers)
    return app


def init_logging() -> None:
    """One JSON line per event on standard error; the addresses of pages, which carry a secret, are never logged."""
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.JSONRenderer(),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=_Stderr,
        cache_logger_on_first_use=False,
    )
    logging.getLogger("werkzeug").setLevel(logging.WARNING)


class _Stderr:
    """Writes lines on whatever standard error is at that moment."""

    def __init__(self, *_args: object) -> None:
        pass

    def msg(self, line: str) -> None:
        sys.stderr.write(f"{line}\n")
        sys.stderr.flush()

    info = warning = error = msg


class NoSession(SessionInterface):
    """Flask's own session, read at each request, is not used: nothing is looked up from a cookie."""

    def open_session(self, _app: Flask, _request: Request) -> None:
        return None


class RowId(IntegerConverter):
    """A row's number in an address; what no database could hold is not found."""

    def __init__(self, url_map: Map) -> None:
        super().__init__(url_map, min=1, max=LARGEST_ID)


def _readable() -> None:
    """Refuse NUL characters, which PostgreSQL cannot store, wherever text comes in."""
    values = [request.path, *request.args.values(), *request.form.values()]
    if any("\x00" in value for value in values):
        raise BadRequest


def _wanted_locale() -> str:
    if "locale" in g:
        return str(g.locale)
    return request.accept_languages.best_match(["fr", "en"], default="fr") if request else "fr"


def _for_templates() -> dict[str, Any]:
    values: dict[str, Any] = {"locale": locale(), "May": May}
    if "visit" in g:
        values |= {"here": here, "csrf": csrf_token(), "visit": g.visit, "nav": home.navigation()}
        values["ref"] = partial(reference, g.visit.course)
    return values


def _headers(response: Response) -> Response:
    """A strict policy for every page; who may frame it depends on the session."""
    if "visit" in g:
        session = g.visit.session
        ancestors = " ".join(frame_origins(g.visit.course.platform, session.return_url))
        posts_to = frame_origins(g.visit.course.platform, (session.deep_linking or {}).get("return_url", ""))
        forms = " ".join(["'self'", *posts_to]) if session.deep_linking else "'self'"
    else:
        # Before a session there is nothing to click on: a refusal must be readable in whatever frame it is in.
        ancestors, forms = "http: https:", "'self' http: https:"
    response.headers["Content-Security-Policy"] = (
        "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self'; "
        f"base-uri 'none'; form-action {forms}; frame-ancestors {ancestors}"
    )
    response.headers["Referrer-Policy"] = "no-referrer"
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Permissions-Policy"] = "camera=(), microphone=(), geolocation=(), payment=()"
    if request.is_secure:
        response.headers["Strict-Transport-Security"] = "max-age=31536000"
    return response
