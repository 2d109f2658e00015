"""What AGS and NRPS share over HTTP: media types, bearer tokens, errors, planned faults, the log of calls.

Source: Moodle 4.5, mod/lti/services.php and mod/lti/classes/local/ltiservice/response.php.
"""

import json
import time
from typing import Any

from flask import Blueprint, Response, g, make_response, request
from sqlalchemy import select
from sqlalchemy.orm import Session
from werkzeug.http import HTTP_STATUS_CODES

from lti_tool.demo.platform import the_platform
from lti_tool.demo.tables import Course, Fault, ServiceCall
from lti_tool.demo.token import grant_of

ANY_METHOD = ["GET", "POST", "PUT", "DELETE", "PATCH"]
LOST_ANSWER = Response("<h1>502 Bad Gateway</h1>", 502, content_type="text/html")


class ServiceError(Exception):
    """A refusal: its status, its reason for the status line, and a body instead of Moodle's JSON."""

    def __init__(self, status: int, reason: str = "", body: str = "", html: bool = False) -> None:
        super().__init__(status, reason)
        self.status = status
        self.reason = reason or HTTP_STATUS_CODES[status]
        self.body = body
        self.html = html


def service(name: str) -> Blueprint:
    """A blueprint whose routes answer errors as Moodle's services do."""
    blueprint = Blueprint(name, __name__)
    blueprint.before_request(_fail_as_planned)
    blueprint.after_request(_lose_answer_as_planned)
    blueprint.after_request(_log_call)
    blueprint.register_error_handler(ServiceError, _error_response)
    return blueprint


def negotiate(*formats: str) -> str:
    """The media type that counts: Accept of a GET, Content-Type of a POST or PUT. 400 for any other.

    An Accept with ``*/*`` in it passes here; the resource may still refuse it.
    """
    if request.method == "GET":
        accept = request.headers.get("Accept", "")
        if accept and "*/*" not in accept and accept not in formats:
            raise ServiceError(400, f"No handler found for {request.path} {accept}")
        return accept
    content_type = request.headers.get("Content-Type", "").split(";")[0].strip()
    if request.method in ("POST", "PUT") and content_type not in formats:
        raise ServiceError(400, f"No handler found for {request.path} {content_type}")
    return content_type


def demand_scope(session: Session, *scopes: str) -> int:
    """The id of the tool that asks; 401 unless its token carries one of ``scopes`` and the request is its own."""
    scheme, _, value = request.headers.get("Authorization", "").partition(" ")
    tool_id, granted = grant_of(session, value if scheme.lower() == "bearer" else "", the_platform().now())
    if not granted.intersection(scopes) or request.args.get("type_id", str(tool_id)) != str(tool_id):
        raise ServiceError(401)
    return tool_id


def demand_course(session: Session, course_id: int) -> Course:
    """The course; 404 when there is none."""
    course = session.get(Course, course_id)
    if course is None:
        raise ServiceError(404, f"Not Found: Course {course_id} doesn't exist")
    return course


def posted_json() -> dict[str, Any]:
    """The request's JSON object; 400 for anything else, NaN included."""
    try:
        body = json.loads(request.get_data(), parse_constant=_refuse_constant)
    except ValueError as error:
        raise ServiceError(400, "Not JSON") from error
    if not isinstance(body, dict):
        raise ServiceError(400, "Not a JSON object")
    return body


def json_response(body: Any, media_type: str, status: int = 200) -> Response:
    """``body`` as ``media_type``."""
    return Response(json.dumps(body, ensure_ascii=False), status, content_type=f"{media_type};charset=UTF-8")


def page_bounds() -> tuple[int, int]:
    """``limit`` (0: none) and ``from`` of the query; anything that is no natural number counts as 0."""
    return tuple(int(value) if (value := request.args.get(name, "")).isdecimal() else 0
                 for name in ("limit", "from"))  # type: ignore[return-value]  # fmt: skip


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")


def _error_response(error: ServiceError) -> Response:
    """Moodle's JSON, with the reason in the status line too."""
    body, media_type = error.body, "text/html" if error.html else "application/json"
    if not body:
        about = {"method": request.method, "url": request.full_path.rstrip("?")}
        about |= {"accept": request.headers["Accept"]} if "Accept" in request.headers else {}
        about |= {"contentType": request.mimetype} if request.mimetype else {}
        body = json.dumps({"status": error.status, "reason": error.reason, "request": about}, indent=4)
    response = Response(body, content_type=f"{media_type};charset=UTF-8")
    response.status = f"{error.status} {_one_line(error.reason)}"
    return response


def _one_line(reason: str) -> str:
    """A reason fit for a status line: printable ASCII, 150 characters."""
    return "".join(letter if " " <= letter <= "~" else "?" for letter in reason)[:150]


def _fail_as_planned() -> Response | None:
    with the_platform().database.writing() as session:
        planned = session.scalars(select(Fault).where(Fault.remaining > 0).order_by(Fault.id))
        fault = next((fault for fault in planned if _matches(fault)), None)
        if fault is None:
            return None
        fault.remaining -= 1
    time.sleep(fault.delay_s)  # outside of the transaction: the other requests go on
    if fault.after or not fault.status:
        g.lose_answer = fault.after
        return None
    response = make_response("", fault.status)
    if fault.retry_after:
        response.headers["Retry-After"] = fault.retry_after
    return response


def _matches(fault: Fault) -> bool:
    return fault.method in ("", request.method) and fault.path_contains in request.full_path


def _lose_answer_as_planned(response: Response) -> Response:
    return make_response(LOST_ANSWER.get_data(), 502) if g.get("lose_answer") else response


def _log_call(response: Response) -> Response:
    """Runs before _lose_answer_as_planned (Flask goes backwards): the log holds the true status."""
    platform = the_platform()
    with platform.database.writing() as session:
        session.add(
            ServiceCall(
                at=platform.now(),
                method=request.method,
                path=request.full_path.rstrip("?"),
                body=request.get_data(as_text=True),
                status=response.status_code,
            )
        )
    return response
