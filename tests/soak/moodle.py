"""The gradebook behind a platform in trouble, with Moodle's rules, and the journal of what was done to it.

Plain values, no HTTP and none of the tool's code: what the tool is judged by must not share its mistakes.
"""

from __future__ import annotations

import json
import re
import secrets
import threading
import time
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any

import jwt

LINEITEM = "application/vnd.ims.lis.v2.lineitem+json"
LINEITEMS = "application/vnd.ims.lis.v2.lineitemcontainer+json"
SCORE = "application/vnd.ims.lis.v1.score+json"
RESULTS = "application/vnd.ims.lis.v2.resultcontainer+json"
SCOPE = "https://purl.imsglobal.org/spec/lti-ags/scope/"
SCOPES = {f"{SCOPE}lineitem", f"{SCOPE}result.readonly", f"{SCOPE}score"}
MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d([.]\d{1,9})?Z")
TOKEN_LIVES_S = 75
"""The tool gives a token up in its last minute: a new one every quarter of a minute."""


class Refused(Exception):
    """An answer that says no."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.status = status


@dataclass
class Known:
    """What the platform was set up with."""

    client_id: str
    keys: dict[str, Any]
    """The tool's key set."""
    pupils: dict[str, list[str]]
    """By course: who may be graded there."""


@dataclass
class Grade:
    score: float | None
    maximum: float
    comment: str
    timestamp: str
    second: int


@dataclass
class Line:
    """One line of the journal: a request about a score, and what it did."""

    at: float
    course: str
    column: int
    tag: str
    sub: str
    timestamp: str
    score: float | None
    maximum: float | None
    comment: str
    applied: bool
    status: int


@dataclass
class Moodle:
    """Columns and grades. Every method answers (status, media type, body), or raises `Refused`."""

    known: Known
    url: str = ""
    columns: dict[int, dict[str, Any]] = field(default_factory=dict)
    grades: dict[tuple[int, str], Grade] = field(default_factory=dict)
    journal: list[Line] = field(default_factory=list)
    refusals: list[str] = field(default_factory=list)
    """Why a request was wrong in itself: a correct tool causes none."""
    _tokens: dict[str, tuple[str, set[str], float]] = field(default_factory=dict)
    _spent: set[str] = field(default_factory=set)
    _lock: threading.RLock = field(default_factory=threading.RLock)

    # Tokens

    def token(self, course: str, form: dict[str, str]) -> Any:
        """RFC 7523, as strict as the certification asks. Each course is a platform of its own, with its own tokens."""
        self._pupils(course)
        wanted = set(form.get("scope", "").split())
        if form.get("grant_type") != "client_credentials" or not wanted or not wanted <= SCOPES:
            raise self._wrong(400, "invalid_request")
        signed = form.get("client_assertion", "")
        try:
            kid = jwt.get_unverified_header(signed)["kid"]
            key = next(jwk for jwk in self.known.keys["keys"] if jwk["kid"] == kid)
            claims = jwt.decode(
                signed,
                jwt.PyJWK(key).key,
                algorithms=["RS256"],
                audience=f"{self.url}/{course}/token",
                issuer=self.known.client_id,
                options={"require": ["iss", "sub", "aud", "iat", "exp", "jti"]},
            )
        except (jwt.PyJWTError, KeyError, StopIteration) as error:
            raise self._wrong(400, f"invalid_client: {error!r}") from error
        value = secrets.token_hex(16)
        with self._lock:
            if claims["sub"] != self.known.client_id or claims["jti"] in self._spent:
                raise self._wrong(400, "invalid_client: sub or jti")
            self._spent.add(claims["jti"])
            self._tokens[value] = course, wanted, time.monotonic() + TOKEN_LIVES_S
        return {
            "access_token": value,
            "token_type": "Bearer",
            "expires_in": TOKEN_LIVES_S,
            "scope": " ".join(sorted(wanted)),
        }

    def demand(self, course: str, bearer: str, scope: str) -> None:
        with self._lock:
            of, scopes, until = self._tokens.get(bearer, ("", set(), 0.0))
        if of != course or SCOPE + scope not in scopes or time.monotonic() > until:
            raise Refused(401, "no such token")

    # Columns

    def list_columns(self, course: str, filters: dict[str, str]) -> Any:
        self._pupils(course)
        names = {"resource_id": "resourceId", "tag": "tag"}
        with self._lock:
            return [
                self._shown(number)
                for number, column in self.columns.items()
                if column["course"] == course
                and all(column[names[name]] == value for name, value in filters.items() if name in names)
            ]

    def make_column(self, course: str, body: bytes) -> Any:
        self._pupils(course)
        column = self._column(body)
        with self._lock:
            number = len(self.columns) + 1
            self.columns[number] = {"course": course, **column}
            return self._shown(number)

    def change_column(self, course: str, number: int, body: bytes) -> Any:
        self._existing(course, number)
        with self._lock:
            self.columns[number].update(self._column(body))
            return self._shown(number)

    # Scores

    def take_score(self, course: str, number: int, body: bytes) -> None:
        """Apply a score; 409 unless it is later, in whole seconds, than what is held."""
        column, pupils = self._existing(course, number), self._pupils(course)
        given = self._json(body)
        moment = given.get("timestamp")
        if not isinstance(moment, str) or not MOMENT.fullmatch(moment):
            raise self._wrong(400, f"timestamp {moment!r}")
        if given.get("userId") not in pupils:
            raise self._wrong(400, "userId")
        if (given.get("activityProgress"), given.get("gradingProgress")) != ("Completed", "FullyGraded"):
            raise self._wrong(400, "progress")
        if "scoreGiven" in given and not isinstance(given.get("scoreMaximum"), int | float):
            raise self._wrong(400, "scoreMaximum")
        second = int(datetime.fromisoformat(re.sub(r"[.]\d+", "", moment)).timestamp())
        with self._lock:
            held = self.grades.get((number, given["userId"]))
            applied = held is None or second > held.second
            self.journal.append(
                Line(
                    at=time.time(),
                    course=course,
                    column=number,
                    tag=column["tag"],
                    sub=given["userId"],
                    timestamp=moment,
                    score=given.get("scoreGiven"),
                    maximum=given.get("scoreMaximum"),
                    comment=given.get("comment", ""),
                    applied=applied,
                    status=200 if applied else 409,
                )
            )
            if not applied:
                raise Refused(409, "Refusing score with an earlier timestamp")
            self.grades[number, given["userId"]] = Grade(
                given.get("scoreGiven"),
                float(given.get("scoreMaximum") or 0),
                given.get("comment", ""),
                moment,
                second,
            )

    def results(self, course: str, number: int, sub: str) -> Any:
        column = self._existing(course, number)
        with self._lock:
            return [
                {
                    "id": f"{self._address(course, number)}/results?user_id={who}",
                    "userId": who,
                    "resultScore": grade.score * column["scoreMaximum"] / grade.maximum,
                    "resultMaximum": column["scoreMaximum"],
                    "comment": grade.comment,
                }
                for (of, who), grade in self.grades.items()
                if of == number and sub in ("", who) and grade.score is not None
            ]

    def report(self) -> dict[str, Any]:
        """Everything, for the judge."""
        with self._lock:
            return {
                "columns": {str(number): column for number, column in self.columns.items()},
                "grades": [
                    {"column": number, "sub": sub, **asdict(grade)}
                    for (number, sub), grade in self.grades.items()
                ],
                "journal": [asdict(line) for line in self.journal],
                "refusals": list(self.refusals),
            }

    def _wrong(self, status: int, reason: str) -> Refused:
        self.refusals.append(f"{status} {reason}")
        return Refused(status, reason)

    def _pupils(self, course: str) -> list[str]:
        if course not in self.known.pupils:
            raise self._wrong(404, f"course {course}")
        return self.known.pupils[course]

    def _existing(self, course: str, number: int) -> dict[str, Any]:
        column = self.columns.get(number)
        if column is None or column["course"] != course:
            raise self._wrong(404, f"column {number} of course {course}")
        return column

    def _column(self, body: bytes) -> dict[str, Any]:
        given = self._json(body)
        texts = {name: given.get(name) for name in ("label", "resourceId", "tag")}
        if not all(isinstance(text, str) and 0 < len(text) <= 255 for text in texts.values()):
            raise self._wrong(400, f"column {texts}")
        if not isinstance(given.get("scoreMaximum"), int):
            raise self._wrong(400, "scoreMaximum")
        return {**texts, "scoreMaximum": given["scoreMaximum"]}

    def _json(self, body: bytes) -> dict[str, Any]:
        try:
            given = json.loads(body)
        except ValueError as error:
            raise self._wrong(400, "not JSON") from error
        if not isinstance(given, dict):
            raise self._wrong(400, "not an object")
        return given

    def _address(self, course: str, number: int) -> str:
        return f"{self.url}/{course}/lineitems/{number}/lineitem"

    def _shown(self, number: int) -> dict[str, Any]:
        column = self.columns[number]
        shown = {name: column[name] for name in ("label", "resourceId", "tag", "scoreMaximum")}
        return {"id": f"{self._address(column['course'], number)}?type_id=1", **shown}
