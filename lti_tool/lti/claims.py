"""From the claims of a verified id_token to a frozen `Launch`: every type and size checked on the way."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from ..errors import LaunchRefused, Refusal
from .presets import family_of

LTI = "https://purl.imsglobal.org/spec/lti/claim/"
DEEP_LINKING = "https://purl.imsglobal.org/spec/lti-dl/claim/deep_linking_settings"
AGS = "https://purl.imsglobal.org/spec/lti-ags/claim/endpoint"
NRPS = "https://purl.imsglobal.org/spec/lti-nrps/claim/namesroleservice"

LONGEST_ID = 255
LONGEST_URL = 2000
LINK_AS_COURSE = "link:"
"""What begins the identifier of a course that a link stands for."""
MEMBERSHIP = "http://purl.imsglobal.org/vocab/lis/v2/membership"
SUBROLE_OF_INSTRUCTOR = f"{MEMBERSHIP}/Instructor#"
RESOURCE_LINK_REQUEST = "LtiResourceLinkRequest"
DEEP_LINKING_REQUEST = "LtiDeepLinkingRequest"
SUBMISSION_REVIEW_REQUEST = "LtiSubmissionReviewRequest"
NOBODY = object()
"""The `sub` of somebody whom a platform that allows it does not name; no token can carry it."""


@dataclass(frozen=True)
class DeepLinkingSettings:
    """What the platform accepts back from the picker."""

    return_url: str
    accept_links: bool
    """Whether it takes links to the tool, which is all there is to give."""
    accept_multiple: bool
    accept_lineitem: bool
    data: str | None
    title: str
    text: str


@dataclass(frozen=True)
class Launch:
    """A launch, accepted. Empty texts mean that the platform did not say."""

    platform_id: int
    deployment_id: int
    """Our row, not the platform's word."""
    message_type: str
    sub: str
    """Empty for somebody unnamed, whom the platform's settings let read the referential."""
    given_name: str
    family_name: str
    name: str
    roles: frozenset[str]
    """Context roles only, in short words: Instructor, TeachingAssistant, Learner, Mentor…"""
    context_id: str
    context_title: str
    context_label: str
    link_id: str
    link_title: str
    lineitem_url: str
    lineitems_url: str
    ags_scopes: tuple[str, ...]
    memberships_url: str
    locale: str
    return_url: str
    custom: dict[str, str] = field(default_factory=dict)
    deep_linking: DeepLinkingSettings | None = None
    for_user: str = ""
    family: str = ""
    """Which LMS says it is, where we know it: a name of `configs/platforms`."""


def read_claims(claims: dict[str, Any], platform_id: int, deployment_row_id: int) -> Launch:
    """The launch that verified claims describe. Raises `LaunchRefused` naming the claim that is wrong."""
    message_type = _text(claims, LTI + "message_type", needed=True)
    context = _mapping(claims, LTI + "context")
    link = _mapping(claims, LTI + "resource_link")
    ags = _mapping(claims, AGS)
    presentation = _mapping(claims, LTI + "launch_presentation")
    link_id = _text(link, "id", needed=message_type == RESOURCE_LINK_REQUEST)
    return Launch(
        platform_id=platform_id,
        deployment_id=deployment_row_id,
        message_type=message_type,
        sub="" if claims.get("sub") is NOBODY else _text(claims, "sub", needed=True),
        given_name=_shown(claims, "given_name"),
        family_name=_shown(claims, "family_name"),
        name=_shown(claims, "name"),
        roles=context_roles(claims.get(LTI + "roles")),
        # A platform without courses still has links: each is then a course of its own.
        context_id=_text(context, "id") or (f"{LINK_AS_COURSE}{link_id}"[:LONGEST_ID] if link_id else ""),
        context_title=_shown(context, "title") or _shown(link, "title"),
        context_label=_shown(context, "label"),
        link_id=link_id,
        link_title=_shown(link, "title"),
        lineitem_url=_address(ags, "lineitem"),
        lineitems_url=_address(ags, "lineitems"),
        ags_scopes=tuple(_texts(ags, "scope")),
        memberships_url=_address(_mapping(claims, NRPS), "context_memberships_url"),
        locale=_text(presentation, "locale"),
        return_url=_address(presentation, "return_url"),
        custom=_custom(claims),
        deep_linking=_deep_linking(claims) if message_type == DEEP_LINKING_REQUEST else None,
        for_user=_text(
            _mapping(claims, LTI + "for_user"), "user_id", needed=message_type == SUBMISSION_REVIEW_REQUEST
        ),
        family=_family(claims),
    )


def way_back(claims: dict[str, Any]) -> tuple[str, str]:
    """The return address and the language of a message that is otherwise wrong; empty where they are wrong too."""
    presentation = claims.get(LTI + "launch_presentation")
    if not isinstance(presentation, dict):
        return "", ""
    url, locale = presentation.get("return_url"), presentation.get("locale")
    return (
        url if isinstance(url, str) and is_web_address(url) else "",
        locale if isinstance(locale, str) else "",
    )


def context_roles(roles: Any) -> frozenset[str]:
    """The context roles of a `roles` claim, in short words. Institution and system roles say nothing of a course.

    Raises `LaunchRefused` when the claim is not a list of texts.
    """
    if not isinstance(roles, list) or not all(isinstance(role, str) for role in roles):
        raise LaunchRefused(Refusal.BAD_MESSAGE, "roles")
    short = set()
    for role in roles:
        if role.startswith(SUBROLE_OF_INSTRUCTOR):
            short.add(role.removeprefix(SUBROLE_OF_INSTRUCTOR))
        elif role.startswith(f"{MEMBERSHIP}#"):
            short.add(role.removeprefix(f"{MEMBERSHIP}#"))
        elif role and "/" not in role and "#" not in role:
            short.add(role)
    return frozenset(short)


def is_web_address(value: str) -> bool:
    """An absolute http or https address of a sensible length."""
    try:
        parts = urlsplit(value)
    except ValueError:
        return False
    return (
        parts.scheme in ("http", "https")
        and bool(parts.hostname)
        and len(value) <= LONGEST_URL
        and value.isascii()
        and value.isprintable()
        and " " not in value
    )


def _deep_linking(claims: dict[str, Any]) -> DeepLinkingSettings:
    settings = _mapping(claims, DEEP_LINKING)
    return_url = _address(settings, "deep_link_return_url")
    if not return_url:
        raise LaunchRefused(Refusal.BAD_MESSAGE, "deep_link_return_url")
    data = settings.get("data")
    if data is not None and (not isinstance(data, str) or clean(data) != data):
        raise LaunchRefused(Refusal.BAD_MESSAGE, "data")
    return DeepLinkingSettings(
        return_url=return_url,
        accept_links="ltiResourceLink" in _texts(settings, "accept_types"),
        accept_multiple=settings.get("accept_multiple") in (True, "true"),
        # Moodle does not send it, and takes line items all the same.
        accept_lineitem=settings.get("accept_lineitem") in (True, "true", None),
        data=data,
        title=_shown(settings, "title"),
        text=_shown(settings, "text", longest=LONGEST_URL),
    )


def _custom(claims: dict[str, Any]) -> dict[str, str]:
    """Our own parameters only. One that still begins with `$` was not substituted: the platform does not know it."""
    custom = _mapping(claims, LTI + "custom")
    return {
        clean(key): clean(value)[:LONGEST_ID]
        for key, value in custom.items()
        if isinstance(value, str) and key.startswith("spirale_") and not value.startswith("$")
    }


def _family(claims: dict[str, Any]) -> str:
    """The LMS's own word; it opens nothing, so that a wrong one is no reason to refuse anybody."""
    described = claims.get(LTI + "tool_platform")
    code = described.get("product_family_code") if isinstance(described, dict) else None
    return family_of(code) if isinstance(code, str) else ""


def _mapping(claims: dict[str, Any], name: str) -> dict[str, Any]:
    value = claims.get(name)
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise LaunchRefused(Refusal.BAD_MESSAGE, name.rsplit("/", 1)[-1])
    return value


def _text(claims: dict[str, Any], name: str, *, needed: bool = False) -> str:
    value = claims.get(name)
    if value is None or value == "":
        if needed:
            raise LaunchRefused(Refusal.BAD_MESSAGE, name.rsplit("/", 1)[-1])
        return ""
    if not isinstance(value, str) or len(value) > LONGEST_ID or clean(value) != value:
        raise LaunchRefused(Refusal.BAD_MESSAGE, name.rsplit("/", 1)[-1])
    return value


def _shown(claims: dict[str, Any], name: str, *, longest: int = LONGEST_ID) -> str:
    """A text that is only shown: cut rather than refused (Moodle sends JSON null for some)."""
    value = claims.get(name)
    return clean(value).strip()[:longest] if isinstance(value, str) else ""


def clean(text: str) -> str:
    """A text without what no database can store: NUL, half of a surrogate pair."""
    return text.replace("\x00", "").encode("utf-8", "ignore").decode()


def _texts(claims: dict[str, Any], name: str) -> list[str]:
    value = claims.get(name)
    if value is None:
        return []
    if not isinstance(value, list) or not all(isinstance(element, str) for element in value):
        raise LaunchRefused(Refusal.BAD_MESSAGE, name)
    return value


def _address(claims: dict[str, Any], name: str) -> str:
    value = claims.get(name)
    if value is None or value == "":
        return ""
    if not isinstance(value, str) or not is_web_address(value):
        raise LaunchRefused(Refusal.BAD_MESSAGE, name)
    return value
