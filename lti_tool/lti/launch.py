"""From a login to a launch: a state and a nonce bound to one browser, consumed once, before anything else."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

import jwt
import sqlalchemy as sa
from pylti1p3.exception import LtiException
from sqlalchemy.orm import Session

from ..config import Config
from ..db import table_of
from ..errors import LaunchRefused, Refusal
from . import library
from .claims import LONGEST_ID, LONGEST_URL, LTI, Launch, clean, is_web_address, read_claims, way_back
from .keysets import KeySets
from .models import Deployment, Login, Platform
from .senders import sender, senders_of

LAUNCH_PATH = "/lti/launch"
LOGIN_PARAMETERS = (
    "iss",
    "login_hint",
    "target_link_uri",
    "client_id",
    "lti_deployment_id",
    "lti_message_hint",
)
LONGEST_TOKEN = 64 * 1024
VERSION = "1.3.0"

# Statements of every launch are made once: building one costs as much as running it.
# They name the table and its columns: the model's own attributes would make SQLAlchemy look after objects.
_LOGIN = table_of(Login)
BEGUN = sa.insert(_LOGIN)
CONSUMED = (
    sa.delete(_LOGIN)
    .where(_LOGIN.c.state_hash == sa.bindparam("hash"))
    .returning(_LOGIN.c.platform_id, _LOGIN.c.nonce_hash, _LOGIN.c.browser_hash, _LOGIN.c.expires_at)
)


@dataclass(frozen=True)
class ConsumedLogin:
    """What a login said that is no more."""

    platform: Platform
    nonce_hash: str
    browser_hash: str


def digest(value: str) -> str:
    """What is stored of a secret."""
    return hashlib.sha256(value.encode()).hexdigest()


def new_secret() -> str:
    """256 random bits, fit for an address or a cookie."""
    return secrets.token_urlsafe(32)


def check_login(session: Session, parameters: Mapping[str, str], config: Config) -> Platform:
    """The platform a login comes from. Raises `LaunchRefused` unless every parameter is right."""
    for name in ("iss", "login_hint", "target_link_uri"):
        if not parameters.get(name):
            raise LaunchRefused(Refusal.MISSING_PARAMETER, name)
    if any(len(value) > LONGEST_URL or clean(value) != value for value in parameters.values()):
        raise LaunchRefused(Refusal.MISSING_PARAMETER, "too long, or not a text")
    if not is_ours(parameters["target_link_uri"], config):
        raise LaunchRefused(Refusal.UNKNOWN_TARGET, "target_link_uri")
    platform = _platform(session, parameters["iss"], parameters.get("client_id", ""))
    wanted = parameters.get("lti_deployment_id", "")
    if wanted and not any(d.deployment_id == wanted and d.enabled for d in platform.deployments):
        raise LaunchRefused(Refusal.UNKNOWN_DEPLOYMENT, "lti_deployment_id", platform.id)
    return platform


def begin_login(
    session: Session,
    platform: Platform,
    parameters: Mapping[str, str],
    browser_secret: str,
    now: datetime,
    config: Config,
) -> str:
    """Write the login's row; the platform's authorisation address to go to."""
    state, nonce = new_secret(), new_secret()
    request = library.Login(dict(parameters), platform, state, nonce)
    url, sent_state = request.authorisation_url(config.base_url + LAUNCH_PATH)
    row = {
        "state_hash": digest(sent_state),
        "nonce_hash": digest(nonce),
        "browser_hash": digest(browser_secret),
        "platform_id": platform.id,
        "target_link_uri": parameters["target_link_uri"],
        "expires_at": now + timedelta(seconds=config.lti.login_lifetime_s),
    }
    session.execute(BEGUN, row)
    return url


def consume_login(session: Session, state: str, now: datetime) -> ConsumedLogin:
    """The login of that state, taken away for ever: the caller commits that, whatever becomes of the launch.

    Raises `LaunchRefused` for a state that is unknown, used or expired.
    """
    # Two launches with the same state at the same moment: the row is deleted once.
    row = session.execute(CONSUMED, {"hash": digest(state)}).one_or_none()
    if row is None:
        raise LaunchRefused(Refusal.UNKNOWN_LOGIN, "state")
    if row.expires_at < now:
        raise LaunchRefused(Refusal.UNKNOWN_LOGIN, "expired")
    return ConsumedLogin(sender(session, row.platform_id), row.nonce_hash, row.browser_hash)


def verify_launch(
    login: ConsumedLogin,
    parameters: Mapping[str, str],
    browser_secret: str,
    keysets: KeySets,
    now: datetime,
    config: Config,
    before_asking: Callable[[], None],
) -> Launch:
    """The launch that answers a consumed login.

    `before_asking` is called before the platform is asked for its keys: no transaction may be open while it answers.
    Raises `LaunchRefused` for anything that is not exactly as it must be.
    """
    platform = login.platform
    if not hmac.compare_digest(login.browser_hash, digest(browser_secret)):
        raise LaunchRefused(Refusal.OTHER_BROWSER, "cookie")
    if not platform.enabled:
        raise LaunchRefused(Refusal.PLATFORM_DISABLED, "platform")
    if parameters.get("error"):
        raise LaunchRefused(Refusal.PLATFORM_SAID_NO, "error")
    message = _message(login, parameters, keysets, config, before_asking)
    try:
        claims = _verified_claims(message)
        _check_beyond_library(claims, platform, now, config)
        return read_claims(claims, platform.id, _deployment(platform, claims).id)
    except LaunchRefused as error:
        error.return_url, error.locale = way_back(message.signed_claims)
        raise


def is_ours(url: str, config: Config) -> bool:
    """Whether a target link is one of the tool's; its query is free."""
    path = url.partition("#")[0].partition("?")[0].rstrip("/")
    return path in (config.base_url, config.base_url + LAUNCH_PATH)


def _platform(session: Session, issuer: str, client_id: str) -> Platform:
    found = senders_of(session, issuer)
    if client_id:
        found = [platform for platform in found if platform.client_id == client_id]
    if len(found) > 1:
        # Without a client id, the one that is not shut out: the others were replaced.
        found = [platform for platform in found if platform.enabled] or found
    if len(found) != 1:
        raise LaunchRefused(Refusal.UNKNOWN_PLATFORM, "iss" if not found else "client_id missing")
    if not found[0].enabled:
        raise LaunchRefused(Refusal.PLATFORM_DISABLED, "platform", found[0].id)
    return found[0]


def _message(
    login: ConsumedLogin,
    parameters: Mapping[str, str],
    keysets: KeySets,
    config: Config,
    before_asking: Callable[[], None],
) -> library.Message:
    id_token = parameters.get("id_token", "")
    if not id_token or len(id_token) > LONGEST_TOKEN:
        raise LaunchRefused(Refusal.BAD_TOKEN, "id_token")

    def nonce_is_right(nonce: str) -> bool:
        return hmac.compare_digest(login.nonce_hash, digest(nonce))

    return library.Message(
        {"state": parameters["state"], "id_token": id_token},
        login.platform,
        keysets,
        config.lti.clock_leeway_s,
        nonce_is_right,
        before_asking,
    )


def _verified_claims(message: library.Message) -> dict[str, object]:
    try:
        claims: dict[str, object] = dict(message.validate().get_launch_data())
    except LaunchRefused:
        raise
    except (jwt.ExpiredSignatureError, jwt.ImmatureSignatureError) as error:
        raise LaunchRefused(Refusal.EXPIRED, type(error).__name__) from error
    except (jwt.InvalidSignatureError, jwt.InvalidAlgorithmError) as error:
        raise LaunchRefused(Refusal.BAD_SIGNATURE, type(error).__name__) from error
    except jwt.MissingRequiredClaimError as error:
        reason = Refusal.NO_PERSON if error.claim == "sub" else Refusal.BAD_TOKEN
        raise LaunchRefused(reason, error.claim) from error
    except (jwt.PyJWTError, LtiException) as error:
        raise LaunchRefused(Refusal.BAD_TOKEN, type(error).__name__) from error
    except (AttributeError, KeyError, TypeError, ValueError, RecursionError) as error:
        # The library trips over claims of the wrong JSON type.
        raise LaunchRefused(Refusal.BAD_MESSAGE, type(error).__name__) from error
    return claims


def _check_beyond_library(
    claims: dict[str, object], platform: Platform, now: datetime, config: Config
) -> None:
    """What the library accepts and we do not (measured: docs/decisions/0003-pylti1p3.md)."""
    audience, authorised = claims["aud"], claims.get("azp")
    if isinstance(audience, list) and len(audience) > 1 and authorised is None:
        raise LaunchRefused(Refusal.BAD_TOKEN, "azp missing")
    if authorised is not None and authorised != platform.client_id:
        raise LaunchRefused(Refusal.BAD_TOKEN, "azp")
    issued, expires = claims["iat"], claims["exp"]
    if not isinstance(issued, int | float) or not isinstance(expires, int | float):
        raise LaunchRefused(Refusal.BAD_TOKEN, "iat")
    if now.timestamp() - issued > config.lti.token_lifetime_s:
        raise LaunchRefused(Refusal.EXPIRED, "iat")
    if claims.get(LTI + "version") != VERSION:
        raise LaunchRefused(Refusal.BAD_MESSAGE, "version")
    target = claims.get(LTI + "target_link_uri")
    if not isinstance(target, str) or not is_web_address(target) or not is_ours(target, config):
        raise LaunchRefused(Refusal.UNKNOWN_TARGET, "target_link_uri")


def _deployment(platform: Platform, claims: dict[str, object]) -> Deployment:
    wanted = claims.get(LTI + "deployment_id")
    if isinstance(wanted, str) and 0 < len(wanted) <= LONGEST_ID:
        for deployment in platform.deployments:
            if deployment.deployment_id == wanted and deployment.enabled:
                return deployment
    raise LaunchRefused(Refusal.UNKNOWN_DEPLOYMENT, "deployment_id")
