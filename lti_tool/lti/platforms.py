"""Registering platforms, and the addresses an LMS needs to know of us."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import urlsplit

import sqlalchemy as sa
from sqlalchemy.orm import Session, selectinload

from ..config import Config
from ..errors import BadInput, NotFound
from .claims import LONGEST_ID, is_web_address
from .launch import LAUNCH_PATH
from .models import Deployment, Platform

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
) -> Platform:
    """Register a platform in the caller's transaction. Raises `BadInput` naming each wrong option."""
    problems = {}
    for option, value in (
        ("--auth-login-url", auth_login_url),
        ("--auth-token-url", auth_token_url),
        ("--jwks-url", jwks_url),
    ):
        if not is_web_address(value):
            problems[option] = f"« {value} » is not an http or https address"
    for option, value in (("--name", name), ("--issuer", issuer), ("--client-id", client_id)):
        if not value.strip() or len(value) > LONGEST_ID:
            problems[option] = f"needs 1 to {LONGEST_ID} characters"
    if not deployment_ids or any(not d or len(d) > LONGEST_ID for d in deployment_ids):
        problems["--deployment-id"] = "at least one is needed"
    known = sa.select(Platform.id).where(Platform.issuer == issuer, Platform.client_id == client_id)
    if not problems and session.scalar(known) is not None:
        problems["--client-id"] = f"this issuer and client id are already platform {session.scalar(known)}"
    if problems:
        raise BadInput(problems)
    platform = Platform(
        name=name.strip(),
        issuer=issuer,
        client_id=client_id,
        auth_login_url=auth_login_url,
        auth_token_url=auth_token_url,
        jwks_url=jwks_url,
        audience=audience,
        deployments=[Deployment(deployment_id=d) for d in dict.fromkeys(deployment_ids)],
    )
    session.add(platform)
    session.flush()
    return platform


def list_platforms(session: Session) -> list[Platform]:
    """All platforms, oldest first."""
    return list(
        session.scalars(sa.select(Platform).order_by(Platform.id).options(selectinload(Platform.deployments)))
    )


def set_enabled(session: Session, platform_id: int, enabled: bool) -> Platform:
    """Let a platform in, or keep it out: open sessions too. Raises `NotFound`."""
    platform = session.get(Platform, platform_id)
    if platform is None:
        raise NotFound(f"there is no platform {platform_id}; « spirale platform list » shows them")
    platform.enabled = enabled
    return platform


def add_deployment(session: Session, platform_id: int, deployment_id: str) -> Platform:
    """Let a deployment of a platform in, or in again. Raises `NotFound` or `BadInput`."""
    platform = session.get(Platform, platform_id)
    if platform is None:
        raise NotFound(f"there is no platform {platform_id}; « spirale platform list » shows them")
    if not 0 < len(deployment_id) <= LONGEST_ID:
        raise BadInput({"DEPLOYMENT_ID": f"needs 1 to {LONGEST_ID} characters"})
    known = next((d for d in platform.deployments if d.deployment_id == deployment_id), None)
    if known is None:
        platform.deployments.append(Deployment(deployment_id=deployment_id))
    else:
        known.enabled = True
    return platform


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
