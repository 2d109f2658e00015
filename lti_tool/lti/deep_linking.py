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

DL = "https://purl.imsglobal.org/spec/lti-dl/claim/"
LONGEST_TITLE = 255


@dataclass(frozen=True)
class LinkColumn:
    """A gradebook column to come with a link."""

    maximum: int
    resource_id: str
    tag: str


@dataclass(frozen=True)
class ContentItem:
    """A link to add to the course. Custom values are plain texts on one line: Moodle splits at a line's end."""

    title: str
    text: str
    url: str
    custom: dict[str, str] = field(default_factory=dict)
    column: LinkColumn | None = None


def answer(
    platform: Platform,
    deployment_id: str,
    data: str | None,
    items: list[ContentItem],
    kid: str,
    key: RSAPrivateKey,
    *,
    message: str = "",
    problem: str = "",
) -> str:
    """The signed JWT to post back; an empty list means « nothing chosen ».

    The platform may show `message`, or a `problem`, to the person.
    """
    said = {DL + name: text for name, text in (("msg", message), ("errormsg", problem)) if text}
    response = DeepLinkAnswer(platform, deployment_id, {"data": data}, said, kid, key)
    return response.get_response_jwt([_resource(item) for item in items])


class _Resource(DeepLinkResource):
    """A resource that also carries its text and its column as we write them, which the library leaves out."""

    text = ""
    line_item: dict[str, Any] | None = None

    def to_dict(self) -> dict[str, Any]:
        more = {"text": self.text, "lineItem": self.line_item}
        return super().to_dict() | {name: value for name, value in more.items() if value}


def _resource(item: ContentItem) -> DeepLinkResource:
    resource = _Resource()
    resource.text = item.text
    custom = {key: " ".join(value.split()) for key, value in item.custom.items()}
    resource.set_title(item.title[:LONGEST_TITLE]).set_url(item.url).set_custom_params(custom)
    if item.column is not None:
        resource.line_item = {
            "label": item.title[:LONGEST_TITLE],
            "scoreMaximum": item.column.maximum,
            "resourceId": item.column.resource_id,
            "tag": item.column.tag,
            # A review is launched where the link is, and says for whom (Moodle drops everything else).
            "submissionReview": {"url": item.url, "custom": custom},
        }
    return resource
