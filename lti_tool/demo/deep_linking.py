"""Deep linking: what the tool sends back is checked, then becomes activities of the course."""

from typing import Any
from urllib.parse import urlsplit

from flask import Blueprint, flash, render_template, request
from flask.typing import ResponseReturnValue
from sqlalchemy import select
from sqlalchemy.orm import Session

from lti_tool.demo import browser
from lti_tool.demo.activities import Column, NewActivity, add_activity
from lti_tool.demo.keys import ToolTokenRefused, check_issuer_and_dates, seconds
from lti_tool.demo.messages import LTI, LTI_DL
from lti_tool.demo.platform import seen_before, the_platform
from lti_tool.demo.tables import Course, Launch
from lti_tool.demo.texts import text
from lti_tool.demo.token import tool_of
from lti_tool.demo.tools import Tool

deep_linking = Blueprint("deep_linking", __name__)

TITLE_LENGTH = 255


@deep_linking.post("/lti/deep-link-return")
def come_back() -> ResponseReturnValue:
    """Make the chosen activities; an empty list is a cancellation."""
    if browser.needs_repost(request):
        return browser.repost()
    platform = the_platform()
    try:
        signed = request.form.get("JWT", "")
        tool = tool_of(signed)
        claims = platform.keys_at(tool.jwks_url).claims(signed)
        items = [new_activity(item, tool) for item in _checked_items(claims, tool)]
        with platform.database.writing() as session:
            launch = _pending_launch(session, tool)
            _spend_nonce(session, claims)
            launch.return_key = None
            for item in items:
                add_activity(session, launch.course_id, item)
            course = session.get_one(Course, launch.course_id)
    except ToolTokenRefused as refused:
        return browser.invalid_request(refused.reason, 400)
    return _result_page(course, len(items), claims)


def new_activity(item: object, tool: Tool) -> NewActivity:
    """The activity a content item asks for; ``lineItem.label`` is dropped, as Moodle does.

    Raises ToolTokenRefused, which is stricter than Moodle: it would store a broken activity.
    """
    if not isinstance(item, dict) or item.get("type") != "ltiResourceLink":
        raise _refused("only ltiResourceLink is accepted")
    title, summary, url = (item.get(name, "") for name in ("title", "text", "url"))
    if not all(isinstance(value, str) for value in (title, summary, url)) or len(title) > TITLE_LENGTH:
        raise _refused(f"title, text and url are strings, title of {TITLE_LENGTH} characters at most")
    if url and _origin(url) != tool.origin:
        raise _refused(f"url {url!r} is not an address of the tool")
    column = _column(item.get("lineItem"), tool)
    return NewActivity(title or tool.name, summary, url, _custom(item.get("custom", {})), column, tool.id)


def _checked_items(claims: dict[str, Any], tool: Tool) -> list[object]:
    """The content items once every other claim of the response holds."""
    platform = the_platform()
    check_issuer_and_dates(claims, tool.client_id, {platform.settings.base_url}, platform.now())
    expected = {
        LTI + "message_type": "LtiDeepLinkingResponse",
        LTI + "version": "1.3.0",
        LTI + "deployment_id": tool.deployment_id,
    }
    for name, value in expected.items():
        if claims.get(name) != value:
            raise _refused(f"{name} must be {value!r}")
    if not isinstance(claims.get("nonce"), str) or not claims["nonce"]:
        raise _refused("nonce is missing")
    if LTI_DL + "data" in claims:
        raise _refused("data is echoed although none was sent")
    items = claims.get(LTI_DL + "content_items", [])
    if not isinstance(items, list):
        raise _refused("content_items must be a list")
    return items


def _pending_launch(session: Session, tool: Tool) -> Launch:
    """The deep linking launch of the return address: the same person, and not returned yet."""
    key, person_id = request.args.get("key", ""), browser.entered_person_id()
    launch = session.scalar(select(Launch).where(Launch.return_key == key))
    if launch is None or not launch.spent or (launch.person_id, launch.tool_id) != (person_id, tool.id):
        raise _refused("the return address has served, or is somebody else's")
    if request.args.get("course") != str(launch.course_id):
        raise _refused("the return address has been changed")
    return launch


def _spend_nonce(session: Session, claims: dict[str, Any]) -> None:
    if seen_before(session, "nonce", claims["nonce"], int(seconds(claims, "exp")) + 1):
        raise _refused("this nonce has been used")


def _custom(custom: object) -> dict[str, str]:
    """Custom parameters: strings on one line (Moodle would split a newline into another parameter)."""
    if not isinstance(custom, dict):
        raise _refused("custom must be an object")
    for key, value in custom.items():
        if not isinstance(value, str) or any(mark in value for mark in "\r\n"):
            raise _refused(f"custom.{key} must be a string on one line")
        if not key.strip() or any(mark in key for mark in "\r\n="):
            raise _refused(f"custom parameter {key!r} has no usable name")
    return dict(custom)


def _column(line_item: object, tool: Tool) -> Column | None:
    """The gradebook column of an item, None when it asks for none. Default maximum: 100 (Moodle)."""
    if line_item is None:
        return None
    if not isinstance(line_item, dict):
        raise _refused("lineItem must be an object")
    maximum = line_item.get("scoreMaximum", 100)
    if isinstance(maximum, bool) or not isinstance(maximum, int | float) or maximum <= 0:
        raise _refused("lineItem.scoreMaximum must be a positive number")
    resource_id, tag = line_item.get("resourceId", ""), line_item.get("tag", "")
    if not isinstance(resource_id, str) or not isinstance(tag, str):
        raise _refused("lineItem.resourceId and tag are strings")
    return Column(
        float(maximum), resource_id, tag, _submission_review(line_item.get("submissionReview"), tool)
    )


def _submission_review(review: object, tool: Tool) -> dict[str, Any] | None:
    """``url`` and ``custom`` are kept; reviewableStatus and label are dropped (Moodle)."""
    if review is None:
        return None
    if not isinstance(review, dict):
        raise _refused("submissionReview must be an object")
    url = review.get("url", "")
    if url and (not isinstance(url, str) or _origin(url) != tool.origin):
        raise _refused("submissionReview.url is not an address of the tool")
    return {"url": url, "custom": _custom(review.get("custom", {}))}


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


def _refused(reason: str) -> ToolTokenRefused:
    return ToolTokenRefused("invalid_request", reason)


def _result_page(course: Course, count: int, claims: dict[str, Any]) -> ResponseReturnValue:
    """What was added and what the tool says; a script then leaves the frame for the course."""
    sentence = ("Rien n'a été ajouté.", "1 activité ajoutée.", "{} activités ajoutées.")[min(count, 2)]
    messages = [("success" if count else "info", text(sentence).format(count))]
    for name, kind in (("errormsg", "error"), ("msg", "success")):
        if isinstance(claims.get(LTI_DL + name), str):
            messages.append((kind, claims[LTI_DL + name]))
    for kind, message in messages:
        flash(message, kind)
    return render_template("demo/deep_link_return.html", course=course, messages=messages)
