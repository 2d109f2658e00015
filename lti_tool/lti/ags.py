"""Assignment and Grade Services 2.0: columns, scores, results.

Source: https://www.imsglobal.org/spec/lti-ags/v2p0 ; Moodle's ways: docs/platforms.md.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from ..errors import PlatformRefused
from .claims import is_web_address
from .presets import score_fields
from .services import Service

SCOPE_LINEITEM = "https://purl.imsglobal.org/spec/lti-ags/scope/lineitem"
SCOPE_RESULT = "https://purl.imsglobal.org/spec/lti-ags/scope/result.readonly"
SCOPE_SCORE = "https://purl.imsglobal.org/spec/lti-ags/scope/score"
SCOPES = (SCOPE_LINEITEM, SCOPE_RESULT, SCOPE_SCORE)

LINEITEM = "application/vnd.ims.lis.v2.lineitem+json"
LINEITEMS = "application/vnd.ims.lis.v2.lineitemcontainer+json"
SCORE = "application/vnd.ims.lis.v1.score+json"
RESULTS = "application/vnd.ims.lis.v2.resultcontainer+json"
LONGEST_LABEL = 255
LARGEST_NUMBER = 1_000_000
"""A score or a maximum beyond it is no grade: it is read as none."""


@dataclass(frozen=True)
class Column:
    """A line item: who it is for us (`resource_id`, `tag`), and what it shows."""

    url: str
    label: str
    maximum: int
    resource_id: str
    tag: str
    given: Mapping[str, Any] = field(default_factory=dict, compare=False, repr=False)
    """Everything the LMS says of it: what is not said again when it is replaced is erased."""

    @property
    def of_link(self) -> bool:
        """Whether it came with a link of the course."""
        return bool(self.given.get("resourceLinkId"))


@dataclass(frozen=True)
class Score:
    """A grade for one person; `given` None clears it."""

    sub: str
    given: Decimal | None
    maximum: int
    comment: str
    timestamp: datetime


@dataclass(frozen=True)
class Result:
    """What the gradebook holds for one person, on the column's own scale."""

    score: Decimal | None
    maximum: Decimal | None
    comment: str


def find_column(
    service: Service, lineitems_url: str, resource_id: str, tag: str, known_url: str = ""
) -> Column | None:
    """Our column of that identity, tied to no link; None when there is none.

    A code may change with a new version of its referential, and the column's tag does not: `resource_id` alone is the
    identity. It is asked for, and looked at again here: platforms may ignore filters. Where there are several (nothing
    in a platform forbids it) the one already known is taken, else one with that tag, else the first.
    """
    url = _with_query(lineitems_url, {"resource_id": resource_id})
    columns = []
    for page in service.pages(url, (SCOPE_LINEITEM,), LINEITEMS):
        if not isinstance(page, list):
            raise PlatformRefused("the list of columns is not a list")
        columns += [
            _column(found)
            for found in page
            if isinstance(found, dict)
            and found.get("resourceId") == resource_id
            and not found.get("resourceLinkId")
        ]
    return max(columns, key=lambda column: (column.url == known_url, column.tag == tag), default=None)


def create_column(service: Service, lineitems_url: str, wanted: Column) -> Column:
    """Make a column at the level of the course. The caller has looked for one first, and holds its turn."""
    body = {
        "label": wanted.label[:LONGEST_LABEL],
        "scoreMaximum": wanted.maximum,
        "resourceId": wanted.resource_id,
        "tag": wanted.tag,
    }
    answer = service.request(
        "POST",
        lineitems_url,
        (SCOPE_LINEITEM,),
        accept=LINEITEM,
        content_type=LINEITEM,
        body=json.dumps(body).encode(),
    )
    return _column(answer.json())


def read_column(service: Service, url: str) -> Column:
    """A column as the LMS has it now."""
    return _column(service.request("GET", url, (SCOPE_LINEITEM,), accept=LINEITEM).json())


def update_column(service: Service, column: Column) -> Column:
    """Replace a column's label and maximum. Everything is sent, what the LMS said of it too: a PUT erases what it does
    not carry.

    Moodle rescales the grades a column holds when its maximum changes, keeping the percentage.
    """
    body = {
        **column.given,
        "id": column.url,
        "label": column.label[:LONGEST_LABEL],
        "scoreMaximum": column.maximum,
        "resourceId": column.resource_id,
        "tag": column.tag,
    }
    answer = service.request(
        "PUT",
        column.url,
        (SCOPE_LINEITEM,),
        accept=LINEITEM,
        content_type=LINEITEM,
        body=json.dumps(body).encode(),
    )
    return _column(answer.json()) if answer.body else column


def send_score(service: Service, column_url: str, score: Score) -> None:
    """Send one score. Raises `PlatformRefused` with status 409 when the LMS holds an equal or later one."""
    body: dict[str, Any] = {
        "userId": score.sub,
        "timestamp": _stamp(score.timestamp),
        "activityProgress": "Completed",
        # Moodle clears the grade on any other progress (docs/platforms.md).
        "gradingProgress": "FullyGraded",
        "comment": score.comment,
    }
    if score.given is not None:
        body |= {"scoreGiven": float(score.given), "scoreMaximum": score.maximum}
    body |= score_fields(service.caller.family)
    service.request(
        "POST",
        _below(column_url, "scores"),
        (SCOPE_SCORE,),
        content_type=SCORE,
        body=json.dumps(body).encode(),
    )


def read_results(service: Service, column_url: str, sub: str = "") -> dict[str, Result]:
    """What a column holds, by person; of one person when `sub` is given. No `limit`: Moodle fails on it."""
    url = _below(column_url, "results")
    if sub:
        url = _with_query(url, {"user_id": sub})
    found: dict[str, Result] = {}
    for page in service.pages(url, (SCOPE_RESULT,), RESULTS):
        if not isinstance(page, list):
            raise PlatformRefused("the results are not a list")
        for row in page:
            if isinstance(row, dict) and isinstance(row.get("userId"), str | int):
                found[str(row["userId"])] = Result(
                    _decimal(row.get("resultScore")),
                    _decimal(row.get("resultMaximum")),
                    str(row.get("comment") or ""),
                )
    return found


def _column(found: Any) -> Column:
    if not isinstance(found, dict) or not is_web_address(str(found.get("id", ""))):
        raise PlatformRefused("the column has no address")
    maximum = _decimal(found.get("scoreMaximum"))
    return Column(
        url=found["id"],
        label=str(found.get("label") or ""),
        maximum=int(maximum) if maximum is not None else 0,
        resource_id=str(found.get("resourceId") or ""),
        tag=str(found.get("tag") or ""),
        given=found,
    )


def _decimal(value: Any) -> Decimal | None:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        number = Decimal(str(value))
    except ArithmeticError:
        return None
    return number if number.is_finite() and abs(number) < LARGEST_NUMBER else None


def _stamp(moment: datetime) -> str:
    """ISO 8601 with zone and milliseconds: without a zone Moodle reads its own time."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _below(column_url: str, name: str) -> str:
    """The address under a column's: the path grows, the query stays (Moodle's is ``…/lineitem?type_id=1``)."""
    parts = urlsplit(column_url)
    return urlunsplit(parts._replace(path=f"{parts.path.rstrip('/')}/{name}"))


def _with_query(url: str, extra: dict[str, str]) -> str:
    parts = urlsplit(url)
    return urlunsplit(
        parts._replace(query=urlencode([*parse_qsl(parts.query, keep_blank_values=True), *extra.items()]))
    )
