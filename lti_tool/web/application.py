"""Building the application."""

from __future__ import annotations

from functools import partial
from typing import Any

from flask import Flask, Request, Response, current_app, g, request
from flask.sessions import SessionInterface
from flask_babel import Babel
from werkzeug.exceptions import BadRequest
from werkzeug.routing import IntegerConverter, Map

from ..administration.retention import keep_house
from ..config import Config, load_config
from ..courses.referentials import reference
from ..db import init_db
from ..gradebook.worker import init_worker
from ..lti.keysets import KeySets
from ..lti.platforms import frame_origins
from ..lti.tokens import Tokens
from . import (  # noqa: F401
    activities,
    activity_list,
    class_list,
    coverage,
    decisions,
    door,
    first_steps,
    gradebook,
    grid,
    grid_comment,
    groups,
    health,
    home,
    labels,
    link_choice,
    my_activities,
    my_exploration,
    my_positions,
    my_spiral,
    new_year,
    one_pupil,
    overview,
    periods,
    picker,
    policy,
    policy_trial,
    publishing,
    pupil,
    referential,
    referential_whole,
    registration,
    saved_comments,
    score_decisions,
    search,
    settings,
    styleguide,
)
from .admin import admin
from .case_api import case_api, open_to_scripts
from .compressing import init_compressing
from .counting import init_counting
from .guard import LARGEST_ID, May, csrf_token, here, pages
from .logs import init_logging
from .proxies import init_proxies
from .referential_words import own_tab
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
    init_proxies(app, config)
    app.url_map.converters["id"] = RowId
    app.session_interface = NoSession()
    init_db(app, config)
    init_worker(app, config, keep_house)
    Babel(app, locale_selector=_wanted_locale)
    init_counting(app, config.logins_per_minute)
    app.register_blueprint(door.door)
    app.register_blueprint(registration.registration)
    app.add_url_rule("/", "root", door.launch_alone)
    app.register_blueprint(health.health)
    app.register_blueprint(case_api)
    app.register_blueprint(pages)
    app.register_blueprint(admin)
    if not config.production:
        app.register_blueprint(styleguide.styleguide)
    init_refusals(app)
    app.before_request(_readable)
    app.context_processor(_for_templates)
    # The last one registered runs first.
    init_compressing(app)
    app.after_request(open_to_scripts)
    app.after_request(_headers)
    return app


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
        values["roster_news"] = class_list.news
        values["ref"] = partial(reference, g.visit.course)
        values["own_tab"] = own_tab
        values |= {
            "my_number": labels.my_number,
            "nameless_count": labels.nameless_count,
            "is_nameless": labels.is_nameless,
        }
    return values


def _headers(response: Response) -> Response:
    """A strict policy for every page; who may frame it depends on the session."""
    if "visit" in g:
        session = g.visit.session
        ancestors = " ".join(frame_origins(g.visit.course.platform, session.return_url))
        posts_to = frame_origins(g.visit.course.platform, (session.deep_linking or {}).get("return_url", ""))
        forms = " ".join(["'self'", *posts_to]) if session.deep_linking else "'self'"
    elif request.path == "/admin" or request.path.startswith("/admin/"):
        ancestors, forms = "'none'", "'self'"
        response.headers["X-Frame-Options"] = "DENY"
        response.headers["Cache-Control"] = "no-store"
    elif "framed_by" in g and response.status_code == 200:
        ancestors, forms = g.framed_by, "'self'"
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
    # What says nothing else is kept nowhere: a refusal, an answer to a script, a probe of health.
    response.headers.setdefault("Cache-Control", "no-store")
    if request.is_secure or current_app.extensions["spirale_config"].https:
        response.headers["Strict-Transport-Security"] = "max-age=31536000"
    return response
