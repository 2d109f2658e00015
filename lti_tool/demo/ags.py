"""Assignment and Grade Services, with the manners of Moodle 4.5 (gradebookservices)."""

import re
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from html import escape
from typing import Any

from flask import Response, request
from sqlalchemy import select
from sqlalchemy.orm import Session

from lti_tool.demo import scopes
from lti_tool.demo.activities import activity_of_link
from lti_tool.demo.addresses import lineitem_url, lineitems_url
from lti_tool.demo.ent import person_behind
from lti_tool.demo.gradebook import (
    LineItemLocked,
    Score,
    ScoreTooOld,
    change_maximum,
    line_items,
    record_score,
)
from lti_tool.demo.platform import the_platform
from lti_tool.demo.services import (
    ANY_METHOD,
    ServiceError,
    demand_course,
    demand_scope,
    json_response,
    negotiate,
    page_bounds,
    posted_json,
    service,
)
from lti_tool.demo.tables import Enrolment, Grade, LineItem

ags = service("ags")

CONTAINER_TYPE = "application/vnd.ims.lis.v2.lineitemcontainer+json"
LINEITEM_TYPE = "application/vnd.ims.lis.v2.lineitem+json"
RESULTS_TYPE = "application/vnd.ims.lis.v2.resultcontainer+json"
SCORE_TYPE = "application/vnd.ims.lis.v1.score+json"
LABEL_LENGTH = 255
SITE_ZONE = timezone(timedelta(hours=1))
"""Results are dated in the zone of the site, not in UTC."""
MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d([.]\d{1,9})?(Z|[+-]\d\d:?\d\d)")

Json = dict[str, Any]


@ags.route("/lti/courses/<int:course_id>/lineitems", methods=ANY_METHOD)
def lineitems(course_id: int) -> Response:
    """List or create line items."""
    handlers: dict[str, Callable[[Session, int, int], Response]] = {"GET": _list_items, "POST": _create_item}
    media_type = negotiate(CONTAINER_TYPE, LINEITEM_TYPE)
    if request.method not in handlers:
        raise ServiceError(405)
    listed = media_type in ("", CONTAINER_TYPE)
    if listed != (request.method == "GET"):  # a GET with */* or a list of types ends here
        raise ServiceError(400, "No context or unsupported content type")
    with the_platform().database.writing() as session:
        readonly = (scopes.LINEITEM_READONLY,) if request.method == "GET" else ()
        tool_id = demand_scope(session, scopes.LINEITEM, *readonly)
        demand_course(session, course_id)
        return handlers[request.method](session, course_id, tool_id)


@ags.route("/lti/courses/<int:course_id>/lineitems/<int:item_id>/lineitem", methods=ANY_METHOD)
def lineitem(course_id: int, item_id: int) -> Response:
    """Read, replace or delete one line item."""
    handlers = {"GET": _read_item, "PUT": _replace_item, "DELETE": _delete_item}
    negotiate(LINEITEM_TYPE)
    if request.method not in handlers:
        raise ServiceError(405)
    with the_platform().database.writing() as session:
        readonly = (scopes.LINEITEM_READONLY,) if request.method == "GET" else ()
        demand_scope(session, scopes.LINEITEM, *readonly)
        return handlers[request.method](session, _demand_item(session, course_id, item_id))


@ags.route("/lti/courses/<int:course_id>/lineitems/<int:item_id>/lineitem/scores", methods=ANY_METHOD)
def scores(course_id: int, item_id: int) -> Response:
    """Take one score: 200 without body, 409 when the stored grade is as recent."""
    negotiate(SCORE_TYPE)
    if request.method != "POST":
        raise ServiceError(405)
    platform = the_platform()
    with platform.database.writing() as session:
        demand_scope(session, scopes.SCORE)
        item = _demand_item(session, course_id, item_id)
        score = _posted_score(session, course_id)
        try:
            record_score(session, item, score, platform.now())
        except ScoreTooOld as error:
            reason = "Refusing score with an earlier timestamp for item {} and user {}"
            raise ServiceError(409, reason.format(item_id, score.person_id), body="[]") from error
        except LineItemLocked as error:
            raise ServiceError(500, "The line item is locked") from error
    return Response(status=200)


@ags.route("/lti/courses/<int:course_id>/lineitems/<int:item_id>/lineitem/results", methods=ANY_METHOD)
def results(course_id: int, item_id: int) -> Response:
    """The grades as the gradebook shows them, overrides included; never-graded people are absent."""
    negotiate(RESULTS_TYPE)
    if request.method != "GET":
        raise ServiceError(405)
    with the_platform().database.reading() as session:
        demand_scope(session, scopes.RESULT_READONLY)
        item = _demand_item(session, course_id, item_id)
        if "limit" in request.args:  # Moodle: call to a member function out() on null in results.php
            raise ServiceError(404, body="<!doctype html><title>Error</title><h1>Exception</h1>", html=True)
        wanted = request.args.get("user_id", "")
        rows = [_result(item, grade) for grade in sorted(item.grades, key=lambda grade: grade.person_id)
                if wanted in ("", str(grade.person_id))]  # fmt: skip
    return json_response(rows, RESULTS_TYPE)


def _list_items(session: Session, course_id: int, tool_id: int) -> Response:
    """The tool's items that match every filter exactly; paged only when ``limit`` is given."""
    filters = {name: request.args[name] for name in
               ("resource_id", "tag", "resource_link_id", "lti_link_id") if request.args.get(name)}  # fmt: skip
    items = [
        item
        for item in line_items(session, course_id)
        if item.tool_id == tool_id and _selected(item, filters)
    ]
    limit, start = page_bounds()
    shown = items[start : start + limit] if limit else items[start:]
    response = json_response([_item_json(item) for item in shown], CONTAINER_TYPE)
    if limit and start + limit < len(items):
        following = lineitems_url(course_id, tool_id, **filters, limit=limit, **{"from": start + limit})
        # Moodle's header is malformed: escaped ampersands, typographic quotes (UTF-8 bytes on the wire).
        link = f"<{following.replace('&', '&amp;')}>; rel=“next”"
        response.headers["Link"] = link.encode().decode("latin-1")
    return response


def _selected(item: LineItem, filters: dict[str, str]) -> bool:
    values = {"resource_id": item.resource_id, "tag": item.tag}
    values |= {"resource_link_id": item.link_id or "", "lti_link_id": item.link_id or ""}
    return all(values[name] == wanted for name, wanted in filters.items())


def _create_item(session: Session, course_id: int, tool_id: int) -> Response:
    """201 with what was posted and the new id; dates and gradesReleased are echoed and dropped."""
    body = posted_json()
    item = LineItem(course_id=course_id, tool_id=tool_id, coupled=False)
    _fill(session, item, body)
    item.score_maximum = float(body["scoreMaximum"])
    session.add(item)
    session.flush()
    return json_response({**body, **_item_json(item)}, LINEITEM_TYPE, 201)


def _read_item(_session: Session, item: LineItem) -> Response:
    return json_response(_item_json(item), LINEITEM_TYPE)


def _replace_item(session: Session, item: LineItem) -> Response:
    """A full replacement: what is missing is erased, and grades follow a new maximum."""
    body = posted_json()
    _fill(session, item, body)
    change_maximum(item, float(body["scoreMaximum"]))
    return json_response(_item_json(item), LINEITEM_TYPE)


def _delete_item(session: Session, item: LineItem) -> Response:
    """204, also for the column of an activity, with all its grades; the activity stays."""
    session.delete(item)
    return Response(status=204)


def _fill(session: Session, item: LineItem, body: Json) -> None:
    """Check a posted line item and copy all but its maximum. 400, 403 (foreign link), 502 (long label)."""
    texts = {name: body.get(name) or "" for name in ("label", "resourceId", "tag", "resourceLinkId")}
    if not all(isinstance(value, str) for value in texts.values()):
        raise ServiceError(400, "label, resourceId, tag and resourceLinkId are strings")
    if not texts["label"].strip() or not _is_number(body.get("scoreMaximum")):
        raise ServiceError(400, "label and scoreMaximum are required")
    if float(body["scoreMaximum"]) < 0:
        raise ServiceError(400, "scoreMaximum is negative")
    if len(texts["label"]) > LABEL_LENGTH:
        raise _bad_gateway()
    if texts["resourceLinkId"] or not item.coupled:
        item.activity_id = _attached_activity(session, item.course_id, texts["resourceLinkId"])
    item.label, item.resource_id, item.tag = texts["label"], texts["resourceId"], texts["tag"]
    review = body.get("submissionReview")
    item.submission_review = review if isinstance(review, dict) else None


def _attached_activity(session: Session, course_id: int, link_id: str) -> int | None:
    """The activity behind a resource link id; 403 when the tool has no such activity in the course."""
    if not link_id:
        return None
    activity = activity_of_link(session, course_id, link_id)
    if activity is None:
        raise ServiceError(403, f"Invalid resourceLinkId {link_id}")
    return activity.id


def _posted_score(session: Session, course_id: int) -> Score:
    """The posted score, checked; 400, or 502 for a userId that is no number (a database error in Moodle)."""
    body = posted_json()
    given, maximum, moment = body.get("scoreGiven"), body.get("scoreMaximum"), body.get("timestamp")
    wrong = (
        any(not isinstance(body.get(name), str) or not body[name] for name in
            ("userId", "timestamp", "activityProgress", "gradingProgress")),
        not isinstance(moment, str) or not MOMENT.fullmatch(moment),
        given is not None and (not _is_number(given) or maximum is None),
        maximum is not None and not _is_number(maximum),
        not isinstance(body.get("comment", ""), str),
    )  # fmt: skip
    if any(wrong):
        raise _incorrect_score()
    person_id = _person_id(session, course_id, body["userId"])
    if person_id is None or not _is_pupil(session, course_id, person_id):
        raise _incorrect_score()
    return Score(
        person_id=person_id,
        given=float(given) if given is not None and body["gradingProgress"] == "FullyGraded" else None,
        maximum=float(maximum or 0),
        comment=body.get("comment", ""),
        at=_seconds(str(moment)),
    )


def _seconds(moment: str) -> int:
    """Whole seconds of an ISO 8601 moment; the fraction does not count. 400 for a date that cannot be."""
    try:
        return int(datetime.fromisoformat(re.sub(r"[.]\d+", "", moment)).timestamp())
    except ValueError as error:
        raise _incorrect_score() from error


def _person_id(session: Session, course_id: int, sub: str) -> int | None:
    """Our number of a person; None for an identifier an ENT never gave. Moodle's must be a number: else 502."""
    if the_platform().settings.profile.plain:
        return person_behind(session, course_id, sub)
    if not sub.isdecimal():
        raise _bad_gateway()
    return int(sub)


def _is_pupil(session: Session, course_id: int, person_id: int) -> bool:
    """Only pupils of the course can be graded; suspended ones still can."""
    query = select(Enrolment).where(Enrolment.course_id == course_id, Enrolment.person_id == person_id)
    enrolment = session.scalar(query)
    return enrolment is not None and enrolment.role == "pupil"


def _item_json(item: LineItem) -> Json:
    body: Json = {
        "id": lineitem_url(item),
        "label": item.label,
        "scoreMaximum": _plain_number(item.score_maximum),
        "resourceId": item.resource_id,
        "tag": item.tag,
    }
    if item.link_id is not None:
        body |= {"resourceLinkId": item.link_id, "ltiLinkId": item.link_id}
    if item.submission_review is not None:
        body["submissionReview"] = item.submission_review
    return body


def _result(item: LineItem, grade: Grade) -> Json:
    """A cleared grade keeps only its id and userId."""
    user_id = str(grade.person_id)
    row: Json = {"id": lineitem_url(item, "/results", user_id=user_id), "userId": user_id}
    if grade.value is None:
        return row
    row |= {
        "resultScore": _plain_number(grade.value),
        "resultMaximum": _plain_number(item.score_maximum),
        "scoreOf": lineitem_url(item),
    }
    if grade.feedback:
        row["comment"] = f"<p>{escape(grade.feedback)}</p>" if grade.by_teacher else grade.feedback
    if grade.modified is not None:
        row["timestamp"] = datetime.fromtimestamp(grade.modified, SITE_ZONE).isoformat()
    return row


def _demand_item(session: Session, course_id: int, item_id: int) -> LineItem:
    """The line item of that course; 404 when there is none."""
    demand_course(session, course_id)
    item = session.get(LineItem, item_id)
    if item is None or item.course_id != course_id:
        raise ServiceError(404, f"Not Found: Lineitem {item_id} doesn't exist")
    return item


def _is_number(value: object) -> bool:
    """A JSON number, or a string that holds one: PHP's ``is_numeric``."""
    if isinstance(value, str):
        return bool(re.fullmatch(r"-?(\d+[.]?\d*|[.]\d+)([eE][+-]?\d+)?", value.strip(), re.ASCII))
    return isinstance(value, int | float) and not isinstance(value, bool)


def _plain_number(value: float) -> int | float:
    """Without ``.0``, as PHP writes it."""
    return int(value) if value == int(value) else value


def _incorrect_score() -> ServiceError:
    return ServiceError(400, "Incorrect score received" + request.get_data(as_text=True))


def _bad_gateway() -> ServiceError:
    """A database error of Moodle: a status line PHP-FPM cannot send, which nginx turns into 502."""
    return ServiceError(502, body="<html><body><h1>502 Bad Gateway</h1></body></html>", html=True)
