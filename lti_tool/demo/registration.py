"""Dynamic registration, as Moodle 4.5 does it (mod/lti/openid-registration.php) and stricter: all is checked.

A tool that comes without a token, or with one that served, hears 401; a wrong request 400 with one word in plain
text; a token that is none 404 with a page.
"""

import re
import secrets
from typing import Any
from urllib.parse import urlsplit

from flask import Blueprint, Response, jsonify, request
from flask.typing import ResponseReturnValue
from sqlalchemy import delete
from sqlalchemy.orm import Session

from lti_tool.demo.keys import ALGORITHM, ToolTokenRefused
from lti_tool.demo.launches import DEEP_LINKING, RESOURCE_LINK, SUBMISSION_REVIEW
from lti_tool.demo.platform import seen_before, the_platform
from lti_tool.demo.scopes import SCOPES
from lti_tool.demo.tables import RegisteredTool, SeenOnce
from lti_tool.demo.tools import next_tool_id

registering = Blueprint("registering", __name__)

TOOL = "https://purl.imsglobal.org/spec/lti-tool-configuration"
PLATFORM = "https://purl.imsglobal.org/spec/lti-platform-configuration"
CLAIMS = ("sub", "iss", "name", "given_name", "family_name", "email")
MESSAGES = (RESOURCE_LINK, DEEP_LINKING, SUBMISSION_REVIEW)
NAMES = {"name", "given_name", "family_name"}
PERMISSION_LIFETIME_S = 3600
KNOWN_FIELDS = {
    "application_type", "response_types", "grant_types", "initiate_login_uri", "redirect_uris", "client_name",
    "client_uri", "logo_uri", "tos_uri", "policy_uri", "contacts", "jwks_uri", "token_endpoint_auth_method", "scope",
    TOOL,
}  # fmt: skip

Json = dict[str, Any]


class NotAsked(Exception):
    """The registration is refused: a status, and one word for the tool."""

    def __init__(self, word: str, status: int = 400) -> None:
        super().__init__(word)
        self.word, self.status = word, status


@registering.errorhandler(NotAsked)
def _plain(error: NotAsked) -> Response:
    html = error.status == 404
    return Response(f"<!doctype html><title>{error.word}</title>" if html else error.word, error.status)


@registering.get("/openid-configuration")
def openid_configuration() -> ResponseReturnValue:
    """What a tool must know to register."""
    base = the_platform().settings.base_url
    return jsonify(
        {
            "issuer": base,
            "authorization_endpoint": f"{base}/lti/auth",
            "token_endpoint": f"{base}/lti/token",
            "token_endpoint_auth_methods_supported": ["private_key_jwt"],
            "token_endpoint_auth_signing_alg_values_supported": [ALGORITHM],
            "jwks_uri": f"{base}/lti/jwks",
            "registration_endpoint": f"{base}/lti/registration",
            "scopes_supported": ["openid", *SCOPES],
            "response_types_supported": ["id_token"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": [ALGORITHM],
            "claims_supported": CLAIMS,
            PLATFORM: {
                "product_family_code": "spirale-demo",
                "version": "1",
                "messages_supported": [{"type": kind} for kind in MESSAGES],
                "variables": ["Context.id", "Context.id.history", "ResourceLink.id"],
            },
        }
    )


def new_permission(update: int | None = None) -> str:
    """A one-time registration token: for a new tool, or to update one."""
    platform = the_platform()
    now = platform.now()
    who = (
        {"sub": secrets.token_hex(8), "scope": "reg"}
        if update is None
        else {"sub": str(update), "scope": "reg-update"}
    )
    return platform.key.sign(
        {**who, "jti": secrets.token_hex(8), "iat": now, "exp": now + PERMISSION_LIFETIME_S}
    )


@registering.post("/lti/registration")
def register() -> ResponseReturnValue:
    """Take a tool, or its new description; the administrator has to activate it."""
    permission = _permission()
    tool = _requested()
    # Before anything is written: the tool is asked for its keys, and must be able to answer meanwhile.
    try:
        the_platform().keys_at(tool["jwks_uri"]).demand_a_key()
    except ToolTokenRefused as error:
        raise NotAsked("invalid_jwks_uri") from error
    with the_platform().database.writing() as session:
        _spend(session, permission)
        row = _row(session, permission)
        row.name, row.login_url, row.redirect_urls = (
            tool["client_name"],
            tool["initiate_login_uri"],
            tool["redirect_uris"],
        )
        row.jwks_url, row.scopes = tool["jwks_uri"], tool["scope"].split()
        about = tool[TOOL]
        row.target_url, row.custom = about["target_link_uri"], about.get("custom_parameters", {})
        row.names = bool(NAMES.intersection(about["claims"]))
        chosen = [message for message in about["messages"] if message["type"] == DEEP_LINKING]
        row.selection_url = chosen[0]["target_link_uri"] if chosen else ""
        answer = {**tool, "client_id": row.client_id, TOOL: {**about, "deployment_id": str(row.id)}}
    return jsonify(answer)  # 200, as Moodle: the specification leaves 200 or 201


def _permission() -> Json:
    """The claims of the bearer token."""
    scheme, _, value = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not value:
        raise NotAsked("missing_registration_token", 401)
    platform = the_platform()
    try:
        claims = platform.key.own_claims(value)
    except ToolTokenRefused as error:
        raise NotAsked("invalid_registration_token", 404) from error
    if claims.get("scope") not in ("reg", "reg-update") or claims.get("exp", 0) <= platform.now():
        raise NotAsked("invalid_registration_token", 401)
    with platform.database.reading() as session:
        if session.get(SeenOnce, ("registration", claims["jti"])) is not None:
            raise NotAsked("token_already_used", 401)
    return claims


def _spend(session: Session, permission: Json) -> None:
    now = the_platform().now()
    session.execute(delete(SeenOnce).where(SeenOnce.expires_at <= now))
    if seen_before(session, "registration", permission["jti"], permission["exp"] + 1):
        raise NotAsked("token_already_used", 401)


def _row(session: Session, permission: Json) -> RegisteredTool:
    """The tool to fill: an update keeps its id, its client id and its state."""
    if permission["scope"] == "reg-update":
        row = session.get(RegisteredTool, int(permission["sub"]))
        if row is None:
            raise NotAsked("unknown_tool", 404)
        return row
    row = RegisteredTool(id=next_tool_id(session), client_id=permission["sub"])
    session.add(row)
    return row


def _requested() -> Json:
    """The request, every part of it right. Raises `NotAsked` with the word of the first that is not."""
    asked = request.get_json(silent=True) if request.mimetype == "application/json" else None
    if not isinstance(asked, dict):
        raise NotAsked("invalid_client_metadata")
    tool = asked.get(TOOL)
    domain = tool.get("domain") if isinstance(tool, dict) else None
    if not isinstance(tool, dict) or not isinstance(domain, str) or not domain:
        raise NotAsked("missing_domain")
    name = asked.get("client_name")
    checks = (
        ({key.partition("#")[0] for key in asked} <= KNOWN_FIELDS, "invalid_client_metadata"),
        (asked.get("application_type") == "web", "invalid_application_type"),
        (asked.get("response_types") == ["id_token"], "invalid_response_types"),
        (_is_set(asked.get("grant_types"), {"implicit", "client_credentials"}), "invalid_grant_types"),
        (isinstance(name, str) and 0 < len(name) <= 255, "missing required attribute client_name"),
        (_at(asked.get("initiate_login_uri"), domain), "missing required attribute initiate_login_uri"),
        (_at(asked.get("jwks_uri"), domain), "missing required attribute jwks_uri"),
        (_all_at(asked.get("redirect_uris"), domain), "invalid_redirect_uris"),
        (asked.get("token_endpoint_auth_method") == "private_key_jwt", "invalid_token_endpoint_auth_method"),
        (_is_scope(asked.get("scope")), "invalid_scope"),
        (_at(tool.get("target_link_uri"), domain), "domain_targetlinkuri_mismatch"),
        (_is_part(tool.get("claims"), CLAIMS), "invalid_claims"),
        (_are_messages(tool.get("messages"), domain), "invalid_messages"),
        (_is_custom(tool.get("custom_parameters", {})), "invalid_custom_parameters"),
    )
    for right, word in checks:
        if not right:
            raise NotAsked(word)
    return asked


def _at(url: object, domain: str) -> bool:
    """An address of that domain (host and port), without query or fragment."""
    if not isinstance(url, str) or not re.fullmatch(r"https?://[!-~]+", url):
        return False
    parts = urlsplit(url)
    return parts.netloc == domain and not parts.query and not parts.fragment


def _all_at(urls: object, domain: str) -> bool:
    return isinstance(urls, list) and bool(urls) and all(_at(url, domain) for url in urls)


def _is_set(listed: object, wanted: set[str]) -> bool:
    return _is_part(listed, tuple(wanted)) and len(listed) == len(wanted)  # type: ignore[arg-type]


def _is_part(listed: object, known: tuple[str, ...]) -> bool:
    """A list, not empty, of known words, none twice."""
    if not isinstance(listed, list) or not listed or not all(isinstance(one, str) for one in listed):
        return False
    return set(listed) <= set(known) and len(set(listed)) == len(listed)


def _is_scope(scope: object) -> bool:
    return isinstance(scope, str) and _is_part(scope.split(" "), SCOPES)


def _are_messages(messages: object, domain: str) -> bool:
    if not isinstance(messages, list) or not all(isinstance(one, dict) for one in messages):
        return False
    kinds = [one.get("type") for one in messages]
    return _is_part(kinds, MESSAGES) and all(_at(one.get("target_link_uri"), domain) for one in messages)


def _is_custom(custom: object) -> bool:
    """Strings on one line: Moodle keeps ``key=value`` lines."""
    return isinstance(custom, dict) and all(
        isinstance(value, str) and not re.search(r"[\r\n]", value) and re.fullmatch(r"[^\s=]+", key)
        for key, value in custom.items()
    )
