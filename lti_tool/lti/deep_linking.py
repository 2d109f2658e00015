"""Deep Linking 2.0: the answer that puts links in a course.

Source: https://www.imsglobal.org/spec/lti-dl/v2p0 ; what Moodle keeps and drops: docs/platforms.md.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from pylti1p3.deep_link_resource import DeepLinkResource

from .library import DeepLinkAnswer
from .models import Platform

LONGEST_TITLE = 255


@dataclass(frozen=True)
class ContentItem:
    """A link to add to the course. Custom values are plain texts on one line: Moodle splits at a line's end."""

    title: str
    text: str
    url: str
    custom: dict[str, str] = field(default_factory=dict)


def answer(
    platform: Platform,
    deployment_id: str,
    data: str | None,
    items: list[ContentItem],
    kid: str,
    key: RSAPrivateKey,
) -> str:
    """The signed JWT to post back; an empty list means « nothing chosen »."""
    message = DeepLinkAnswer(platform, deployment_id, {"data": data}, kid, key)
    return message.get_response_jwt([_resource(item) for item in items])


class _Resource(DeepLinkResource):
    """A resource that also carries its text, which the library leaves out."""

    text = ""

    def to_dict(self) -> dict[str, Any]:
        return super().to_dict() | ({"text": self.text} if self.text else {})


def _resource(item: ContentItem) -> DeepLinkResource:
    resource = _Resource()
    resource.text = item.text
    custom = {key: " ".join(value.split()) for key, value in item.custom.items()}
    resource.set_title(item.title[:LONGEST_TITLE]).set_url(item.url).set_custom_params(custom)
    return resource
