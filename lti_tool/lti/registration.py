"""1EdTech LTI Dynamic Registration 1.0: read what a platform says of itself, ask it to take us, write both down."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any
from urllib.parse import SplitResult, unquote, urlsplit

import sqlalchemy as sa
from sqlalchemy.orm import Session

from ..config import Config
from ..errors import NotRegistered, PlatformDelayed, PlatformError, PlatformRefused, RegistrationRefused
from . import ags, nrps
from .claims import DEEP_LINKING_REQUEST, LONGEST_ID, RESOURCE_LINK_REQUEST, clean
from .http import ask
from .models import Deployment, Platform
from .outside import DEFAULT_PORTS, PRIVATE, AddressRefused, Outside
from .platforms import origin_of, tool_addresses

TOOL_CONFIGURATION = "https://purl.imsglobal.org/spec/lti-tool-configuration"
PLATFORM_CONFIGURATION = "https://purl.imsglobal.org/spec/lti-platform-configuration"
SUBMISSION_REVIEW_REQUEST = "LtiSubmissionReviewRequest"
SCOPES = (*ags.SCOPES, nrps.SCOPE)
CLAIMS = ("iss", "sub", "name", "given_name", "family_name")
"""What we ask to know of people: their names. Never the e-mail; Moodle shares exactly what is listed."""
CUSTOM = {"spirale_history": "$Context.id.history"}
"""Which courses a course was copied from, where the platform knows it."""


@dataclass(frozen=True)
class PlatformSays:
    """What a platform's `openid_configuration` says of it, checked."""

    issuer: str
    auth_login_url: str
    auth_token_url: str
    jwks_url: str
    registration_url: str
    audience: str
    scopes: tuple[str, ...]
    """Of those we want, the ones it offers."""


@dataclass(frozen=True)
class Accepted:
    """What a platform answered: we are known to it under this client id."""

    client_id: str
    deployment_id: str
    """Empty: it did not say, and an administrator has to."""


@dataclass(frozen=True)
class Written:
    """The platform's row, and whether it was there before."""

    platform: Platform
    known: bool


def check_address(url: str, outside: Outside) -> str:
    """The origin of an `openid_configuration` that may be asked: its name was resolved, and is acceptable.

    Raises `RegistrationRefused`.
    """
    try:
        outside.resolve(url)
    except AddressRefused as error:
        raise _not_allowed(error) from error
    except PlatformDelayed as error:
        raise RegistrationRefused(NotRegistered.NO_ANSWER, error.what) from error
    origin = origin_of(url)
    if not origin:
        raise RegistrationRefused(NotRegistered.BAD_ADDRESS, "host")
    return origin


def read_configuration(url: str, outside: Outside, timeout_s: float) -> PlatformSays:
    """Ask a platform what it is. Raises `RegistrationRefused`."""
    try:
        said = ask(
            "GET", url, timeout_s=timeout_s, headers={"Accept": "application/json"}, outside=outside
        ).json()
    except AddressRefused as error:
        raise _not_allowed(error) from error
    except PlatformError as error:
        if 200 <= error.status < 300:
            raise RegistrationRefused(NotRegistered.BAD_CONFIGURATION, error.what) from error
        raise RegistrationRefused(NotRegistered.NO_ANSWER, str(error)) from error
    return _checked(said, url, outside)


def register(platform: PlatformSays, registration_token: str, outside: Outside, config: Config) -> Accepted:
    """Ask a platform to register us. Raises `RegistrationRefused`; `ANSWER_LOST` when it may have done so."""
    headers = {"Content-Type": "application/json", "Accept": "application/json"}
    if registration_token:
        headers["Authorization"] = f"Bearer {registration_token}"
    body = json.dumps(registration_request(config, platform.scopes)).encode()
    try:
        answer = ask(
            "POST",
            platform.registration_url,
            timeout_s=config.lti.http_timeout_s,
            headers=headers,
            data=body,
            outside=outside,
        )
        return _accepted(answer.json())
    except AddressRefused as error:
        raise _not_allowed(error) from error
    except PlatformRefused as error:
        raise _refused(error) from error
    except PlatformDelayed as error:
        raise RegistrationRefused(NotRegistered.ANSWER_LOST, str(error), error.said) from error


def registration_request(config: Config, scopes: tuple[str, ...]) -> dict[str, Any]:
    """What we ask to be registered as (§3.5 of the specification; RFC 7591)."""
    ours = tool_addresses(config)
    return {
        "application_type": "web",
        "client_name": "Spirale",
        "client_name#fr": "Spirale",
        "response_types": ["id_token"],
        "grant_types": ["implicit", "client_credentials"],
        "initiate_login_uri": ours.login,
        "redirect_uris": [ours.redirect],
        "jwks_uri": ours.jwks,
        "token_endpoint_auth_method": "private_key_jwt",
        "logo_uri": f"{config.base_url}/static/icon.svg",
        "scope": " ".join(scopes),
        TOOL_CONFIGURATION: {
            "domain": urlsplit(config.base_url).netloc,
            "description": "Competences inside the course: what pupils learn, assessed, and sent to the gradebook.",
            "description#fr": "Les compétences dans le cours\u00a0: travaillées, évaluées, notées au carnet.",
            "target_link_uri": ours.launch,
            "claims": list(CLAIMS),
            "custom_parameters": CUSTOM,
            "messages": [
                {"type": RESOURCE_LINK_REQUEST, "target_link_uri": ours.launch},
                {
                    "type": DEEP_LINKING_REQUEST,
                    "target_link_uri": ours.deep_linking,
                    "label": "Choose in Spirale",
                    "label#fr": "Choisir dans Spirale",
                    "placements": ["ContentArea"],
                },
                {"type": SUBMISSION_REVIEW_REQUEST, "target_link_uri": ours.launch},
            ],
        },
    }


def write_platform(session: Session, says: PlatformSays, accepted: Accepted, name: str) -> Written:
    """The platform as it is from now on, in the caller's transaction.

    One that is known (issuer, client id) keeps its name, its state and its courses: an LMS that updates the tool
    keeps the client id.
    """
    platform = session.scalars(
        sa.select(Platform).where(Platform.issuer == says.issuer, Platform.client_id == accepted.client_id)
    ).first()
    known = platform is not None
    if platform is None:
        shown = (name or urlsplit(says.issuer).netloc)[:LONGEST_ID]
        platform = Platform(name=shown, issuer=says.issuer, client_id=accepted.client_id)
        session.add(platform)
    platform.auth_login_url, platform.auth_token_url = says.auth_login_url, says.auth_token_url
    platform.jwks_url, platform.audience = says.jwks_url, says.audience
    wanted = accepted.deployment_id
    if wanted and all(one.deployment_id != wanted for one in platform.deployments):
        platform.deployments.append(Deployment(deployment_id=wanted))
    session.flush()
    return Written(platform, known)


def _checked(said: Any, url: str, outside: Outside) -> PlatformSays:
    if not isinstance(said, dict) or not isinstance(said.get(PLATFORM_CONFIGURATION), dict):
        raise RegistrationRefused(NotRegistered.BAD_CONFIGURATION, "not a platform's configuration")
    issuer = _text(said, "issuer", LONGEST_ID)
    if not _is_at_home(issuer, url):
        raise RegistrationRefused(NotRegistered.OTHER_ISSUER, "issuer")
    endpoints = ("authorization_endpoint", "token_endpoint", "jwks_uri", "registration_endpoint")
    login, token, jwks, registration = (_endpoint(said, name, outside) for name in endpoints)
    _require(said, "id_token_signing_alg_values_supported", "RS256", needed=True)
    _require(said, "token_endpoint_auth_methods_supported", "private_key_jwt")
    _require(said, "token_endpoint_auth_signing_alg_values_supported", "RS256")
    offered = said.get("scopes_supported")
    return PlatformSays(
        issuer=issuer,
        auth_login_url=login,
        auth_token_url=token,
        jwks_url=jwks,
        registration_url=registration,
        audience=_text(said, "authorization_server") if said.get("authorization_server") else "",
        scopes=tuple(scope for scope in SCOPES if not isinstance(offered, list) or scope in offered),
    )


def _is_at_home(issuer: str, url: str) -> bool:
    """Whether the one who serves this configuration may speak for the issuer: same origin, at or below its path.

    So a platform cannot register, or bring up to date, in another one's name.
    """
    try:
        theirs, ours = urlsplit(issuer), urlsplit(url)
        same = [(p.scheme, p.hostname, _port(p)) for p in (theirs, ours)]
    except (ValueError, KeyError):
        return False
    below = ours.path.startswith(theirs.path.rstrip("/") + "/")
    plain = _is_plain(theirs.path) and _is_plain(ours.path)
    return same[0] == same[1] and below and plain and not theirs.query and not theirs.fragment


def _is_plain(path: str) -> bool:
    """Whether a path leads where it seems to: a client or a server would resolve « /a/../b », however it is encoded."""
    said = path
    while (again := unquote(said)) != said:
        said = again
    return said.count("/") == path.count("/") and "\\" not in said and not {".", ".."} & set(said.split("/"))


def _port(parts: SplitResult) -> int:
    return parts.port or DEFAULT_PORTS[parts.scheme]


def _endpoint(said: dict[str, Any], name: str, outside: Outside) -> str:
    """An address that we, or people, will go to later: the same rules as for the one that is asked now."""
    url = _text(said, name)
    try:
        outside.resolve(url)
    except PlatformError as error:
        if isinstance(error, AddressRefused) and error.what == PRIVATE:
            raise _not_allowed(error) from error
        raise RegistrationRefused(NotRegistered.BAD_CONFIGURATION, f"{name}: {error.what}") from error
    return url


def _text(said: dict[str, Any], name: str, longest: int = 2000) -> str:
    value = said.get(name)
    if not isinstance(value, str) or not 0 < len(value) <= longest or clean(value) != value:
        raise RegistrationRefused(NotRegistered.BAD_CONFIGURATION, name)
    return value


def _require(said: dict[str, Any], name: str, value: str, *, needed: bool = False) -> None:
    """Refuse a platform that says it cannot do `value`; silence counts as no only where it is `needed`."""
    listed = said.get(name)
    if (listed is None and not needed) or (isinstance(listed, list) and value in listed):
        return
    raise RegistrationRefused(NotRegistered.MISSING_FEATURE, f"{name} {value}")


def _accepted(said: Any) -> Accepted:
    client_id = said.get("client_id") if isinstance(said, dict) else None
    tool = said.get(TOOL_CONFIGURATION) if isinstance(said, dict) else None
    deployment = tool.get("deployment_id") if isinstance(tool, dict) else None
    if isinstance(deployment, int) and not isinstance(deployment, bool):
        deployment = str(deployment)
    if not _is_id(client_id) or (deployment is not None and deployment != "" and not _is_id(deployment)):
        raise PlatformDelayed("no client id", 200)
    return Accepted(str(client_id), str(deployment or ""))


def _is_id(value: Any) -> bool:
    return isinstance(value, str) and 0 < len(value) <= LONGEST_ID and clean(value) == value


def _not_allowed(error: AddressRefused) -> RegistrationRefused:
    reason = NotRegistered.PRIVATE_ADDRESS if error.what == PRIVATE else NotRegistered.BAD_ADDRESS
    return RegistrationRefused(reason, error.what)


def _refused(error: PlatformRefused) -> RegistrationRefused:
    if error.status == 401:
        return RegistrationRefused(NotRegistered.TOKEN_SPENT, str(error), error.said)
    if 200 <= error.status < 300:
        return RegistrationRefused(NotRegistered.ANSWER_LOST, error.what)  # too large: accepted, unreadable
    return RegistrationRefused(NotRegistered.PLATFORM_REFUSED, str(error), error.said)
