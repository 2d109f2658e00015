"""The referentials for other tools: the read-only REST interface of 1EdTech CASE 1.1. Public, like the data.

Every object answers at the `uri` that packages give it. Answers may be kept: their tag follows from the version and
from what the database holds, so that « unchanged » costs one small query.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable

from flask import Blueprint, Response, current_app, request
from sqlalchemy.orm import Session

from ..assessment.rubrics import find_rubric_part, stored_package
from ..config import Config
from ..db import db
from ..errors import BadInput, NotFound, SpiraleError
from ..frameworks import case_lookup
from ..frameworks.case_objects import ROOT, Json
from ..version import __version__
from .case_status import is_case, status_info

case_api = Blueprint("case", __name__, url_prefix=ROOT)

KEPT_FOR_S = 3600
"""How long an answer may be used without asking: a referential changes once a year."""
DEFAULT_LIMIT = 100
UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
UNSUPPORTED = {
    "sort": "invalid_sort_field",
    "orderBy": "invalid_sort_field",
    "filter": "invalid_selection_field",
    "fields": "invalid_selection_field",
}
"""The parameters of the specification that are not offered, and the code that says so."""


class NotAnIdentifier(SpiraleError):
    """The address holds something else than a UUID."""


# ----- the addresses -----

Find = Callable[[Session, str, str], Json]


def _rubric_part(kind: str) -> Find:
    return lambda session, base_url, identifier: find_rubric_part(session, base_url, kind, identifier)


FINDS: dict[str, Find] = {
    "CFDocuments": case_lookup.find_document,
    "CFPackages": stored_package,
    "CFItems": case_lookup.find_item,
    "CFItemAssociations": case_lookup.find_item_associations,
    "CFAssociations": case_lookup.find_association,
    "CFItemTypes": lambda _session, base_url, identifier: case_lookup.find_item_types(base_url, identifier),
    "CFAssociationGroupings": case_lookup.find_grouping,
    "CFRubrics": _rubric_part("CFRubrics"),
    # Not operations of the specification, but these objects have a `uri` too, and it must lead to them.
    "CFRubricCriteria": _rubric_part("CFRubricCriteria"),
    "CFRubricCriterionLevels": _rubric_part("CFRubricCriterionLevels"),
}


def _one(find: Find) -> Callable[[str], Response]:
    def one(identifier: str) -> Response:
        if not UUID.fullmatch(identifier):
            raise NotAnIdentifier
        return _answer(lambda: find(db.session, _base_url(), identifier.lower()))

    return one


# A doubled slash is another address: redirecting would answer with a page.
for _kind, _find in FINDS.items():
    case_api.add_url_rule(f"/{_kind}/<identifier>", _kind, _one(_find), merge_slashes=False)


@case_api.get("/CFDocuments", merge_slashes=False)
def documents() -> Response:
    """The CFDocuments, a page at a time."""
    limit, offset = _page_asked()
    total = case_lookup.count_documents(db.session)
    if offset >= total:  # the specification has no empty set
        raise NotFound(f"there are {total} CFDocuments, none from offset {offset}")
    response = _answer(lambda: case_lookup.some_documents(db.session, _base_url(), limit, offset))
    response.headers["X-Total-Count"] = str(total)
    response.headers["Link"] = _links(limit, offset, total)
    return response


def _page_asked() -> tuple[int, int]:
    """The limit and the offset. Raises `BadInput` with every parameter that is wrong or not offered."""
    problems = {name: "is not offered here" for name in UNSUPPORTED if name in request.args}
    numbers = {}
    for name, default, least in (("limit", DEFAULT_LIMIT, 1), ("offset", 0, 0)):
        text = request.args.get(name, str(default))
        if not re.fullmatch(r"[0-9]{1,9}", text) or int(text) < least:
            problems[name] = f"must be a whole number from {least} to 999999999"
        else:
            numbers[name] = int(text)
    if problems:
        raise BadInput(problems)
    return numbers["limit"], numbers["offset"]


def _links(limit: int, offset: int, total: int) -> str:
    """The addresses of the first, previous, next and last pages, those there are."""
    offsets = {"first": 0, "prev": max(0, offset - limit), "next": offset + limit}
    offsets["last"] = (total - 1) // limit * limit
    if offset == 0:
        del offsets["prev"]
    if offset + limit >= total:
        del offsets["next"]
    address = f"{_base_url()}{ROOT}/CFDocuments"
    return ", ".join(
        f'<{address}?limit={limit}&offset={start}>; rel="{rel}"' for rel, start in offsets.items()
    )


# ----- the answers -----


def _answer(make: Callable[[], Json]) -> Response:
    """The object, or « unchanged » before making it when the client has it already."""
    tag = _tag()
    held = request.if_none_match
    if held.contains_weak(tag) and not held.star_tag:
        response = Response(status=304)
    else:
        response = Response(json.dumps(make(), ensure_ascii=False).encode(), mimetype="application/json")
    response.set_etag(tag)
    response.headers["Cache-Control"] = f"public, max-age={KEPT_FOR_S}"
    response.make_conditional(request)
    return response


def _tag() -> str:
    """Changes with the code, the addresses and the data; each address has its own, so only who got it has it."""
    state = case_lookup.stored_state(db.session)
    said = "\n".join([__version__, _base_url(), request.full_path, state])
    return hashlib.sha256(said.encode()).hexdigest()[:32]


def _base_url() -> str:
    config: Config = current_app.extensions["spirale_config"]
    return config.base_url


@case_api.errorhandler(NotAnIdentifier)
def on_not_an_identifier(_error: NotAnIdentifier) -> Response:
    return status_info(404, "An identifier is a UUID: 8-4-4-4-12 digits.", {"sourcedId": "invalid_uuid"})


@case_api.errorhandler(NotFound)
def on_not_found(error: NotFound) -> Response:
    name = "offset" if request.endpoint == "case.documents" else "sourcedId"
    return status_info(404, str(error), {name: "unknownobject"})


@case_api.errorhandler(BadInput)
def on_bad_input(error: BadInput) -> Response:
    sentences = "; ".join(f"{name} {what}" for name, what in error.problems.items())
    codes = {name: UNSUPPORTED.get(name, "invalid_selection_field") for name in error.problems}
    return status_info(400, sentences, codes)


def open_to_scripts(response: Response) -> Response:
    """Let pages of any site read the interface, its errors too; there is nothing to frame or to run in it."""
    if is_case():
        response.headers["Content-Security-Policy"] = "default-src 'none'; frame-ancestors 'none'"
        response.headers["Access-Control-Allow-Origin"] = "*"
        response.headers["Access-Control-Expose-Headers"] = "X-Total-Count, Link, ETag"
        if request.method == "OPTIONS":
            response.headers["Access-Control-Allow-Methods"] = "GET, HEAD, OPTIONS"
            response.headers["Access-Control-Allow-Headers"] = "Accept, Content-Type, If-None-Match"
            response.headers["Access-Control-Max-Age"] = "86400"
    return response
