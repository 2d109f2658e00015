"""The three addresses an LMS knows: login, launch, and our keys."""

from __future__ import annotations

from urllib.parse import urlencode

from flask import (
    Blueprint,
    current_app,
    g,
    jsonify,
    make_response,
    redirect,
    render_template,
    request,
    url_for,
)
from werkzeug.wrappers import Response

from ..config import Config
from ..courses.entry import Opened, enter
from ..db import begin_write, db, utcnow
from ..errors import LaunchRefused, Refusal
from ..lti.claims import Launch
from ..lti.keys import ensure_key, public_keys
from ..lti.launch import (
    LOGIN_PARAMETERS,
    ConsumedLogin,
    begin_login,
    check_login,
    consume_login,
    new_secret,
    verify_launch,
)
from ..lti.platforms import learn_family
from ..lti.refused import count_refusal, note_launch
from .class_list import bring_up_to_date
from .guard import browser_secret, cookie_name
from .refusals import launch_refusal

door = Blueprint("door", __name__, url_prefix="/lti")

PROBED = "spirale_probed"
COOKIE_DAYS = 90


def _config() -> Config:
    config: Config = current_app.extensions["spirale_config"]
    return config


@door.route("/login", methods=["GET", "POST"])
def login() -> Response:
    """A platform announces somebody; send them back to it with a state and a nonce of ours.

    The browser must prove at the launch that it is the one of the login, and a platform's launch cannot be asked
    for twice: so the cookie is tried before. A browser that brings none is sent once through this very address; if
    it still brings none, it is offered a new window, with the parameters unspent.
    """
    parameters = {name: request.values[name] for name in LOGIN_PARAMETERS if request.values.get(name)}
    secret = browser_secret()
    if secret:
        begin_write()
    platform = check_login(db.session, parameters, _config())
    if not secret and PROBED not in request.values:
        again = redirect(f"{url_for('door.login')}?{urlencode({**parameters, PROBED: '1'})}", 303)
        return _with_cookie(again, new_secret())
    if not secret:
        return make_response(render_template("new_window.html", parameters=parameters, nav=[]))
    url = begin_login(db.session, platform, parameters, secret, utcnow(), _config())
    db.session.commit()
    return _with_cookie(redirect(url, 303), secret)


@door.post("/launch")
def launch() -> Response:
    """A platform's answer: consume the login, verify the token, open a session."""
    state = request.form.get("state", "")
    if not state:
        raise LaunchRefused(Refusal.MISSING_PARAMETER, "state")
    begin_write()
    login_row = consume_login(db.session, state, utcnow())
    platform = login_row.platform
    g.platform_id = platform.id
    try:
        accepted = _verified(login_row)
        sid, opened = _enter(accepted)
    except LaunchRefused:
        db.session.commit()  # the login is used up all the same
        raise
    note_launch(db.session, platform, utcnow())
    if accepted.family and not platform.family:
        learn_family(db.session, platform.id, accepted.family)
    db.session.commit()
    bring_up_to_date(opened)
    return redirect(url_for("pages.home", sid=sid), 303)


def _verified(login_row: ConsumedLogin) -> Launch:
    """The launch that the platform sent, with a transaction open to write what it brings.

    It is the one that consumed the login, unless the platform had to be asked for its keys in between.
    """
    keysets = current_app.extensions["spirale_keysets"]
    accepted = verify_launch(
        login_row, request.form, browser_secret(), keysets, utcnow(), _config(), db.session.commit
    )
    if not db.session.in_transaction():
        begin_write()
    return accepted


def _enter(accepted: Launch) -> tuple[str, Opened]:
    """Open the session of a launch; what it refuses is told to the platform that sent it."""
    try:
        return enter(db.session, accepted, browser_secret(), utcnow(), _config())
    except LaunchRefused as error:
        error.return_url, error.locale = accepted.return_url, accepted.locale
        raise


@door.errorhandler(LaunchRefused)
def on_launch_refused(error: LaunchRefused) -> Response:
    """Count the refusal for the platform's administrator, where its platform is known, and say it."""
    platform_id = error.platform_id or g.get("platform_id")
    if platform_id is not None:
        begin_write()
        count_refusal(db.session, platform_id, error.reason, utcnow())
        db.session.commit()
    return launch_refusal(error)


@door.get("/launch")
def launch_alone() -> Response:
    """Somebody opened the launch address by itself."""
    raise LaunchRefused(Refusal.MISSING_PARAMETER, "opened alone")


@door.get("/jwks")
def jwks() -> Response:
    """Our public keys; the first request of all makes the first one."""
    keys = public_keys(db.session, _config().secret_key)
    if not keys["keys"]:
        begin_write()
        ensure_key(db.session, _config().secret_key)
        keys = public_keys(db.session, _config().secret_key)
        db.session.commit()
    response = jsonify(keys)
    response.headers["Cache-Control"] = "public, max-age=300"
    response.add_etag()
    return response.make_conditional(request)


def _with_cookie(response: Response, secret: str) -> Response:
    """The browser's secret: third-party in the LMS's frame, hence partitioned (docs/platforms.md)."""
    response.set_cookie(
        cookie_name(_config()),
        secret,
        max_age=COOKIE_DAYS * 86_400,
        secure=True,
        httponly=True,
        samesite="None",
        partitioned=True,
    )
    response.headers["Cache-Control"] = "no-store"
    return response
