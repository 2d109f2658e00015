"""Access tokens: the tool proves who it is with a signed assertion (RFC 7523) and gets an opaque token.

Errors are Moodle's: always HTTP 400 with ``{"error": …}``; success has Moodle's content type, text/html.
"""

import hashlib
import json
import secrets
from typing import Any

from flask import Blueprint, Response, request
from sqlalchemy import delete
from sqlalchemy.orm import Session

from lti_tool.demo.browser import single_values
from lti_tool.demo.keys import ToolTokenRefused, check_issuer_and_dates, issuer_of, seconds
from lti_tool.demo.platform import seen_before, the_platform
from lti_tool.demo.tables import AccessToken, SeenOnce
from lti_tool.demo.tools import Tool, tool_by_client

token = Blueprint("token", __name__)

ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
TOKEN_LIFETIME_S = 3600
ASSERTION_LIFETIME_S = 300
FORM = "application/x-www-form-urlencoded"


@token.route("/lti/token", methods=["GET", "POST"])
def give_token() -> Response:
    """An access token for the scopes asked and permitted; a partial grant is silent."""
    try:
        given = _request_parameters()
        tool = tool_of(given["client_assertion"])
        claims = the_platform().keys_at(tool.jwks_url).claims(given["client_assertion"])
        scopes = [scope for scope in tool.scopes if scope in given["scope"].split()]
        if not scopes:
            raise ToolTokenRefused("invalid_scope", "None of these scopes is offered")
        value = _token_against(tool, claims, scopes)
    except ToolTokenRefused as refused:
        return _json({"error": refused.error, "error_description": refused.reason}, 400, "application/json")
    body = {
        "access_token": value,
        "token_type": "Bearer",
        "expires_in": TOKEN_LIFETIME_S,
        "scope": " ".join(scopes),
    }
    return _json(body, 200, "text/html; charset=utf-8")


def grant_of(session: Session, value: str, now: int) -> tuple[int, set[str]]:
    """The tool of a token and its scopes; no tool (0) and none when it is unknown or has expired."""
    row = session.get(AccessToken, _hash(value))
    if row is None or row.expires_at <= now:
        return 0, set()
    return row.tool_id, set(row.scopes.split())


def tool_of(signed: str) -> Tool:
    """The tool that a JWT says it comes from; its signature is still to be checked. Raises ToolTokenRefused."""
    platform = the_platform()
    with platform.database.reading() as session:
        try:
            return tool_by_client(session, platform.settings, issuer_of(signed))
        except LookupError as error:
            raise ToolTokenRefused("invalid_client", "iss is not the client_id") from error


def _request_parameters() -> dict[str, str]:
    """The form, each parameter once and right, the assertion still to be read."""
    given = single_values(request)
    if request.method != "POST" or request.mimetype != FORM or given is None:
        raise ToolTokenRefused("invalid_request", f"Must be a POST of {FORM}, each parameter once")
    missing = {"grant_type", "client_assertion_type", "client_assertion", "scope"} - {
        name for name, value in given.items() if value
    }
    if missing:
        raise ToolTokenRefused("invalid_request", f"Missing {', '.join(sorted(missing))}")
    if given["grant_type"] != "client_credentials":
        raise ToolTokenRefused("unsupported_grant_type", "Only client_credentials")
    if given["client_assertion_type"] != ASSERTION_TYPE:
        raise ToolTokenRefused("invalid_request", f"client_assertion_type must be {ASSERTION_TYPE}")
    return given


def _token_against(tool: Tool, claims: dict[str, Any], scopes: list[str]) -> str:
    """A new token once the assertion's claims hold and its jti is spent."""
    platform = the_platform()
    now = platform.now()
    check_issuer_and_dates(claims, tool.client_id, {platform.settings.token_url}, now)
    if claims.get("sub") != tool.client_id:
        raise ToolTokenRefused("invalid_client", "sub is not the client_id")
    expires = seconds(claims, "exp")
    if expires - seconds(claims, "iat") > ASSERTION_LIFETIME_S:
        raise ToolTokenRefused("invalid_client", f"Lives more than {ASSERTION_LIFETIME_S} s")
    if not isinstance(claims.get("jti"), str) or not claims["jti"]:
        raise ToolTokenRefused("invalid_client", "No jti")
    value = secrets.token_hex(16)
    with platform.database.writing() as session:
        session.execute(delete(SeenOnce).where(SeenOnce.expires_at <= now))
        session.execute(delete(AccessToken).where(AccessToken.expires_at <= now))
        if seen_before(session, "jti", claims["jti"], int(expires) + 1):
            raise ToolTokenRefused("invalid_client", "This jti has been used")
        expires_at = now + TOKEN_LIFETIME_S
        session.add(
            AccessToken(hash=_hash(value), tool_id=tool.id, scopes=" ".join(scopes), expires_at=expires_at)
        )
    return value


def _hash(value: str) -> str:
    return hashlib.sha256(value.encode()).hexdigest()


def _json(body: dict[str, Any], status: int, content_type: str) -> Response:
    response = Response(json.dumps(body), status, content_type=content_type)
    response.headers["Cache-Control"] = "no-store"
    return response
