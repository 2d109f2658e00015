"""Registering platforms, and the addresses an LMS needs to know of us."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any
from urllib.parse import urlsplit

import sqlalchemy as sa
from sqlalchemy.orm import Session, selectinload

from ..config import Config
from ..errors import BadInput, NotFound
from .claims import LONGEST_ID, LONGEST_URL, is_web_address
from .launch import LAUNCH_PATH
from .models import MOST_CONNECTIONS, Deployment, Platform
from .presets import GREATEST_CONNECTIONS, find_preset, plain_host, presets

HOST = re.compile(r"[a-z0-9.-]+|[0-9a-f:]+")
LOGIN_PATH = "/lti/login"
JWKS_PATH = "/lti/jwks"


@dataclass(frozen=True)
class ToolAddresses:
    """What an administrator pastes in the LMS."""

    launch: str
    login: str
    jwks: str
    redirect: str
    deep_linking: str


def tool_addresses(config: Config) -> ToolAddresses:
    """Our addresses; launch, redirection and content selection are one."""
    launch = config.base_url + LAUNCH_PATH
    return ToolAddresses(launch, config.base_url + LOGIN_PATH, config.base_url + JWKS_PATH, launch, launch)


def add_platform(
    session: Session,
    *,
    name: str,
    issuer: str,
    client_id: str,
    auth_login_url: str,
    auth_token_url: str,
    jwks_url: str,
    audience: str = "",
    deployment_ids: tuple[str, ...] = (),
    frame_origins: tuple[str, ...] = (),
    family: str = "",
    connections: int = MOST_CONNECTIONS,
) -> Platform:
    """Register a platform in the caller's transaction. Raises `BadInput` naming each wrong option."""
    platform = Platform(
        name=name.strip(),
        issuer=issuer,
        client_id=client_id,
        auth_login_url=auth_login_url,
        auth_token_url=auth_token_url,
        jwks_url=jwks_url,
        audience=audience,
        frame_origins=list(frame_origins),
        family=family,
        connections=connections,
    )
    problems = _problems(platform)
    if not deployment_ids or any(not d or len(d) > LONGEST_ID for d in deployment_ids):
        problems["--deployment-id"] = "at least one is needed"
    known = sa.select(Platform.id).where(Platform.issuer == issuer, Platform.client_id == client_id)
    if not problems and session.scalar(known) is not None:
        problems["--client-id"] = f"this issuer and client id are already platform {session.scalar(known)}"
    if problems:
        raise BadInput(problems)
    platform.frame_origins = _origins(frame_origins)
    platform.deployments = [Deployment(deployment_id=d) for d in dict.fromkeys(deployment_ids)]
    session.add(platform)
    session.flush()
    return platform


def add_from_preset(
    session: Session,
    preset: str,
    host: str,
    given: Mapping[str, str],
    *,
    name: str,
    client_id: str,
    deployment_ids: tuple[str, ...],
    frame_origins: tuple[str, ...] = (),
) -> Platform:
    """Register a platform that a preset fills from its host; an address that is `given` wins. Raises `BadInput`."""
    known = find_preset(preset)
    filled = asdict(known.addresses(host)) | dict(given)
    filled["frame_origins"] = (*filled["frame_origins"], *frame_origins)
    return add_platform(
        session,
        name=name or (f"{known.title} ({plain_host(host)})" if host else ""),
        client_id=client_id,
        deployment_ids=deployment_ids,
        family="" if preset == "generic" else known.family,
        connections=known.connections,
        **filled,
    )


def change_platform(session: Session, platform_id: int, **changes: Any) -> Platform:
    """Change what is stored of a platform (columns by name), effective at once.

    Raises `NotFound`, or `BadInput` naming each wrong option; the caller then rolls back.
    """
    platform = find_platform(session, platform_id)
    for name, value in changes.items():
        setattr(platform, name, value)
    if problems := _problems(platform):
        raise BadInput(problems)
    platform.frame_origins = _origins(platform.frame_origins)
    return platform


def _problems(platform: Platform) -> dict[str, str]:
    """What is wrong with what is about to be stored, by option."""
    problems = {}
    for option, value in (
        ("--auth-login-url", platform.auth_login_url),
        ("--auth-token-url", platform.auth_token_url),
        ("--jwks-url", platform.jwks_url),
    ):
        if not value:
            problems[option] = "is needed, or a --preset and --host that fill it"
        elif not is_web_address(value):
            problems[option] = f"« {value} » is not an http or https address"
    for option, value in (
        ("--name", platform.name),
        ("--issuer", platform.issuer),
        ("--client-id", platform.client_id),
    ):
        if not value.strip() or len(value) > LONGEST_ID:
            problems[option] = f"needs 1 to {LONGEST_ID} characters"
    if len(platform.audience) > LONGEST_URL:
        problems["--audience"] = f"needs {LONGEST_URL} characters at most"
    for origin in platform.frame_origins:
        if origin_of(origin) != origin.rstrip("/").lower():
            problems["--frame-origin"] = f"« {origin} » is not an origin, such as https://ent.example.org"
    if platform.family and platform.family not in presets():
        problems["--family"] = f"« {platform.family} » is not one of {', '.join(presets())}"
    if not 1 <= platform.connections <= GREATEST_CONNECTIONS:
        problems["--connections"] = f"needs 1 to {GREATEST_CONNECTIONS}"
    return problems


def _origins(typed: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(origin_of(origin) for origin in typed))


def find_platform(session: Session, platform_id: int) -> Platform:
    """The platform of that number. Raises `NotFound`."""
    platform = session.get(Platform, platform_id)
    if platform is None:
        raise NotFound(f"there is no platform {platform_id}; « spirale platform list » shows them")
    return platform


def learn_family(session: Session, platform_id: int, family: str) -> None:
    """Keep what a launch says of its LMS, unless an administrator said something."""
    unknown = sa.update(Platform).where(Platform.id == platform_id, Platform.family == "")
    session.execute(unknown.values(family=family))


def list_platforms(session: Session) -> list[Platform]:
    """All platforms, oldest first."""
    return list(
        session.scalars(sa.select(Platform).order_by(Platform.id).options(selectinload(Platform.deployments)))
    )


def set_enabled(session: Session, platform_id: int, enabled: bool) -> Platform:
    """Let a platform in, or keep it out: open sessions too. Raises `NotFound`."""
    platform = find_platform(session, platform_id)
    platform.enabled = enabled
    return platform


def add_deployment(session: Session, platform_id: int, deployment_id: str) -> Platform:
    """Let a deployment of a platform in, or in again. Raises `NotFound` or `BadInput`."""
    platform = find_platform(session, platform_id)
    if not 0 < len(deployment_id) <= LONGEST_ID:
        raise BadInput({"DEPLOYMENT_ID": f"needs 1 to {LONGEST_ID} characters"})
    known = next((d for d in platform.deployments if d.deployment_id == deployment_id), None)
    if known is None:
        platform.deployments.append(Deployment(deployment_id=deployment_id))
    else:
        known.enabled = True
    return platform


def set_deployment_enabled(session: Session, platform_id: int, deployment_id: str, enabled: bool) -> Platform:
    """Let one deployment in, or keep it out: open sessions too. Raises `NotFound`."""
    platform = find_platform(session, platform_id)
    for deployment in platform.deployments:
        if deployment.deployment_id == deployment_id:
            deployment.enabled = enabled
            return platform
    known = ", ".join(d.deployment_id for d in platform.deployments) or "none"
    raise NotFound(f"platform {platform_id} has no deployment « {deployment_id} »; it has: {known}")


def frame_origins(platform: Platform, *more: str) -> list[str]:
    """The origins that may show the tool in a frame: the platform's own, those added by an administrator, `more`."""
    urls = [platform.issuer, platform.auth_login_url, *more]
    found = []
    for url in urls:
        found.append(origin_of(url))
    return sorted({*filter(None, found), *platform.frame_origins})


def origin_of(url: str) -> str:
    """The origin of an address, fit for a header; empty when it has none that is."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        return ""
    if parts.scheme not in ("http", "https") or not HOST.fullmatch(host):
        return ""
    shown = f"[{host}]" if ":" in host else host
    return f"{parts.scheme}://{shown}" + (f":{port}" if port else "")
