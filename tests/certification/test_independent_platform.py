"""A platform and readers without any code of ours: what they sign is accepted, what we sign they verify.

The platform is `lti1p3platform`, served over HTTP; the readers are PyJWT, jwcrypto and joserfc.
"""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import jwt
import pytest
import sqlalchemy as sa
from cryptography.hazmat.primitives import serialization
from flask import Flask
from flask.testing import FlaskClient
from joserfc import jwk as joserfc_jwk
from joserfc import jwt as joserfc_jwt
from jwcrypto.jwk import JWKSet
from jwcrypto.jwt import JWT
from lti1p3platform.exceptions import LtiException
from lti1p3platform.ltiplatform import LTI1P3PlatformConfAbstract
from lti1p3platform.membership import Context
from lti1p3platform.message_launch import LTIAdvantageMessageLaunchAbstract
from lti1p3platform.oidc_login import OIDCLoginAbstract
from lti1p3platform.registration import Registration
from lti1p3platform.request import Request as PlatformRequest
from lti1p3platform.score import UpdateScoreStatus
from lti1p3platform.service_connector import AssignmentsGradesService, NamesRoleProvisioningService
from werkzeug.serving import make_server
from werkzeug.test import TestResponse
from werkzeug.wrappers import Request, Response

from lti_tool.courses.models import Course, Enrolment, LaunchSession, Person, Role
from lti_tool.courses.roster import refresh_roster
from lti_tool.db import db
from lti_tool.lti.ags import Column, Score, create_column, find_column, read_results, send_score
from lti_tool.lti.models import Platform
from lti_tool.lti.services import Service, service_of
from tests import factories
from tests.lti.platform_of_tests import BASE, MEMBERSHIP, browser, new_key

ISSUER, CLIENT = "https://independent.example.org", "independent-client"
DL = "https://purl.imsglobal.org/spec/lti-dl/claim/"


class Conf(LTI1P3PlatformConfAbstract):
    """The registration of the tool in the platform."""

    def init_platform_config(self, **kwargs: Any) -> None:
        self._registration = kwargs["registration"]

    def get_registration_by_params(self, **_kwargs: Any) -> Registration:
        assert self._registration is not None
        return self._registration


class PlainRequest(PlatformRequest):
    """A request as the platform's classes read it."""

    def build_metadata(self, request: Any) -> Any:
        return request


class Login(OIDCLoginAbstract):
    def set_lti_message_hint(self, **kwargs: Any) -> None:
        self._lti_message_hint = kwargs["hint"]

    def get_redirect(self, url: str) -> str:
        return url


class Launch(LTIAdvantageMessageLaunchAbstract):
    def render_launch_form(self, launch_data: dict[str, Any], **_kwargs: Any) -> dict[str, Any]:
        return launch_data


class Grades(AssignmentsGradesService):
    """Line items and scores in memory, behind the platform's own checks of tokens and methods."""

    def __init__(self, request: Any, conf: Conf, base: str, items: dict[str, Any], scores: list[Any]) -> None:
        super().__init__(request, conf, f"{base}/lineitems")
        self._base, self._items, self._scores = base, items, scores

    def find_lineitems(self, **filters: Any) -> Any:
        wanted = {"resourceId": filters.get("resource_id"), "tag": filters.get("tag")}
        kept = [i for i in self._items.values() if all(not v or i.get(k) == v for k, v in wanted.items())]
        return {"content": kept, "has_next": False}

    def find_lineitem(self, line_item_id: str) -> Any:
        return self._items[line_item_id]

    def create_lineitem(self, creation_data: Any) -> Any:
        number = str(len(self._items) + 1)
        self._items[number] = {**creation_data, "id": f"{self._base}/lineitems/{number}"}
        return self._items[number]

    def update_lineitem(self, update_data: Any) -> Any:
        return update_data

    def delete_lineitem(self, line_item_id: str) -> None:
        del self._items[line_item_id]

    def update_score(self, line_item_id: str, score: Any) -> Any:
        self._scores.append((line_item_id, score))
        return UpdateScoreStatus.SUCCESS

    def get_results(self, line_item_id: str, **_more: Any) -> Any:
        found = [
            {"userId": s["userId"], "resultScore": s["scoreGiven"], "resultMaximum": s["scoreMaximum"]}
            for item, s in self._scores
            if item == line_item_id
        ]
        return {"content": found, "has_next": False}


class Roster(NamesRoleProvisioningService):
    def get_context_by_id(self) -> Any:
        return Context("c1", "2MRC1", "Seconde MRC 1")

    def get_member_data_page(self, **_more: Any) -> Any:
        members = [
            {"user_id": "t1", "name": "Claire Morel", "roles": [MEMBERSHIP + "Instructor"]},
            {"user_id": "p1", "name": "Adam Benali", "roles": [MEMBERSHIP + "Learner"]},
        ]
        return {"content": members, "has_next": False}


@dataclass
class Independent:
    """The platform over HTTP, and a browser between it and the tool."""

    app: Flask
    client: FlaskClient
    conf: Conf
    url: str = ""
    items: dict[str, Any] = field(default_factory=dict)
    scores: list[Any] = field(default_factory=list)
    assertions: list[str] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)

    def serve(self, environ: Any, start_response: Any) -> Any:
        request = Request(environ)
        try:
            response = self._answer(request)
        except (LtiException, jwt.PyJWTError) as error:
            self.refused.append(repr(error))
            response = Response(repr(error), 400)
        return response(environ, start_response)

    def _answer(self, request: Request) -> Response:
        if request.path == "/jwks":
            return _json(self.conf.get_jwks())
        if request.path == "/token":
            self.assertions.append(request.form["client_assertion"])
            return _json(self.conf.get_access_token(request.form.to_dict()))
        plain = PlainRequest(
            {
                "method": request.method,
                "form_data": {},
                "get_data": request.args.to_dict(),
                "headers": request.headers,
                "content_type": request.content_type,
                "path": request.path,
                "json": request.get_json(force=True) if request.data else None,
            }
        )
        if request.path == "/members":
            roster = Roster(plain, self.conf, f"{self.url}/members")
            return _service(roster.handle_resp(roster.handle_get_members))
        grades = Grades(plain, self.conf, self.url, self.items, self.scores)
        return _service(self._graded(grades, request))

    def _graded(self, grades: Grades, request: Request) -> Any:
        _empty, _lineitems, *rest = request.path.split("/")
        if not rest:
            made = grades.handle_create_lineitem if request.method == "POST" else grades.handle_get_lineitems
            return grades.handle_resp(made)
        handler = grades.handle_update_score if rest[1] == "scores" else grades.handle_get_results
        return grades.handle_resp(handler, line_item_id=rest[0])

    def launch(
        self, *, deep_linking: bool = False, data: Any = "opaque", roles: tuple[str, ...] = ("Instructor",)
    ) -> TestResponse:
        """The platform's own login and launch, through the tool."""
        login = Login(None, self.conf)
        login.set_lti_message_hint(hint="hint")
        parameters = dict(parse_qsl(urlsplit(login.initiate_login("t1")).query))
        answer = self.client.get("/lti/login", query_string=parameters)
        if answer.headers["Location"].startswith("/lti/login"):
            answer = self.client.get(answer.headers["Location"])
        asked = dict(parse_qsl(urlsplit(answer.headers["Location"]).query))
        message = Launch(PlainRequest({"get_data": asked, "form_data": {}}), self.conf)
        message.set_user_data("t1", [MEMBERSHIP + role for role in roles], full_name="Claire Morel")
        message.set_resource_link_claim("link-1", title="Spirale")
        message.set_launch_presentation_claim("iframe")
        message.set_launch_context_claim("c1", context_title="Seconde MRC 1", context_label="2MRC1")
        message.set_ags(f"{self.url}/lineitems")
        message.set_nrps(f"{self.url}/members")
        if deep_linking:
            message.set_dl(f"{ISSUER}/return", extra_data=data)
        form = message.lti_launch()
        assert form.pop("launch_url") == f"{BASE}/lti/launch"
        return self.client.post("/lti/launch", data=form)


def _json(body: Any, status: int = 200, kind: str = "application/json") -> Response:
    return Response(json.dumps(body), status, content_type=kind)


def _service(answer: Any) -> Response:
    result = answer.result
    if isinstance(result, dict) and "content" in result:
        result = result["content"]
    return _json(result, answer.code, answer.media_type)


@pytest.fixture(scope="module")
def independent_key() -> Any:
    return new_key()


@pytest.fixture
def platform(app: Flask, independent_key: Any) -> Iterator[Independent]:
    private = independent_key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()
    public = independent_key.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    registration = (
        Registration()
        .set_iss(ISSUER)
        .set_client_id(CLIENT)
        .set_deployment_id("1")
        .set_oidc_login_url(f"{BASE}/lti/login")
        .set_launch_url(f"{BASE}/lti/launch")
        .set_deeplink_launch_url(f"{BASE}/lti/launch")
        .set_platform_private_key(private)
        .set_platform_public_key(public.decode())
        .set_tool_key_set(app.test_client().get("/lti/jwks").get_json())
    )
    made = Independent(app, browser(app), Conf(registration=registration))
    server = make_server("127.0.0.1", 0, made.serve, threaded=True)
    made.url = f"http://127.0.0.1:{server.server_port}"
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    with app.app_context():
        factories.platform(
            issuer=ISSUER,
            client_id=CLIENT,
            auth_login_url=f"{ISSUER}/auth",
            auth_token_url=f"{made.url}/token",
            jwks_url=f"{made.url}/jwks",
        )
        db.session.commit()
        db.session.close()
    yield made
    server.shutdown()
    server.server_close()


def service(platform: Independent) -> Service:
    with platform.app.app_context():
        row = db.session.scalars(sa.select(Platform)).one()
        found = service_of(
            db.session,
            row,
            platform.app.extensions["spirale_tokens"],
            platform.app.extensions["spirale_config"],
        )
        db.session.commit()
        return found


def deep_linking_response(platform: Independent) -> str:
    """The JWT that the picker sends back after two boxes were ticked."""
    launched = platform.launch(deep_linking=True)
    page = platform.client.get(launched.headers["Location"], follow_redirects=True)
    assert page.request.path.endswith("/picker"), page.text
    token = re.search(r'name="csrf" value="([^"]+)"', page.text)
    assert token
    form = {"csrf": token[1], "item": ["page:me", "competence:1A"], "action": "add"}
    response = re.search(
        r'name="JWT" value="([^"]+)"', platform.client.post(page.request.path, data=form).text
    )
    assert response
    return response[1]


# ----- the platform -----


@pytest.mark.parametrize(("word", "role"), [("Instructor", Role.TEACHER), ("Learner", Role.LEARNER)])
def test_it_launches_us(platform: Independent, word: str, role: Role) -> None:
    answer = platform.launch(roles=(word,))
    assert answer.status_code == 303, answer.text
    assert platform.client.get(answer.headers["Location"], follow_redirects=True).status_code == 200
    with platform.app.app_context():
        session = db.session.scalars(sa.select(LaunchSession)).one()
        person = db.session.scalars(sa.select(Person).where(Person.sub == "t1")).one()
        course = db.session.scalars(sa.select(Course)).one()
    assert session.role is role
    assert (person.name, course.context_id, course.label) == ("Claire Morel", "c1", "2MRC1")


def test_it_takes_our_deep_linking_response(platform: Independent) -> None:
    response = deep_linking_response(platform)
    items = platform.conf.validate_deeplinking_resp({"JWT": response})
    assert [item["type"] for item in items] == ["ltiResourceLink", "ltiResourceLink"]
    forged = response[:-6] + ("AAAAAA" if not response.endswith("AAAAAA") else "BBBBBB")
    with pytest.raises(jwt.InvalidSignatureError):
        platform.conf.validate_deeplinking_resp({"JWT": forged})


def test_its_deep_linking_data_that_is_no_text_is_refused(platform: Independent) -> None:
    """Its types offer an object; the specification says an opaque text (LTI-DL 2.0 §4.4.1)."""
    refused = platform.launch(deep_linking=True, data={"opaque": 1})
    assert refused.status_code == 403
    assert "Ouverture refusée" in refused.text


def test_it_gives_us_tokens_and_its_roster(platform: Independent) -> None:
    platform.launch()
    with platform.app.app_context():
        course_id = db.session.scalars(sa.select(Course.id)).one()
        refresh_roster(
            course_id,
            platform.app.extensions["spirale_tokens"],
            platform.app.extensions["spirale_config"],
        )
        rows = db.session.execute(
            sa.select(Person.sub, Enrolment.role).join(Enrolment).order_by(Person.sub)
        ).all()
        assert db.session.get_one(Course, course_id).roster_problem == ""
    assert [tuple(row) for row in rows] == [("p1", Role.LEARNER), ("t1", Role.TEACHER)]
    assert platform.refused == []


def test_it_takes_our_columns_and_scores(platform: Independent) -> None:
    asked, base = service(platform), platform.url
    assert find_column(asked, f"{base}/lineitems", "r", "1A") is None
    made = create_column(asked, f"{base}/lineitems", Column("", "1A Accueillir", 4, "r", "1A"))
    assert made.url == f"{base}/lineitems/1"
    again = find_column(asked, f"{base}/lineitems", "r", "1A")
    assert again is not None
    assert again.url == made.url
    moment = datetime(2026, 11, 26, 10, tzinfo=UTC)
    send_score(asked, made.url, Score("p1", Decimal("3"), 4, "Maîtrise satisfaisante", moment))
    ((item, score),) = platform.scores
    assert (item, score["userId"], score["scoreGiven"], score["scoreMaximum"]) == ("1", "p1", 3, 4)
    assert read_results(asked, made.url)["p1"].score == Decimal("3")
    assert platform.refused == []


# ----- independent readers -----


def client_assertion(platform: Independent) -> str:
    """A client assertion, as the platform received it."""
    find_column(service(platform), f"{platform.url}/lineitems", "r", "1A")
    return platform.assertions[-1]


def read_with(reader: str, token: str, document: dict[str, Any], audience: str) -> dict[str, Any]:
    """The claims of a token of ours, as a library reads and verifies them with our key set."""
    if reader == "pyjwt":
        kid = jwt.get_unverified_header(token)["kid"]
        return jwt.decode(token, jwt.PyJWKSet.from_dict(document)[kid], ["RS256"], audience=audience)
    if reader == "jwcrypto":
        checked = JWT(jwt=token, key=JWKSet.from_json(json.dumps(document)), algs=["RS256"])
        return dict(json.loads(checked.claims))
    keys = joserfc_jwk.KeySet.import_key_set(document)  # type: ignore[arg-type]
    return dict(joserfc_jwt.decode(token, keys, algorithms=["RS256"]).claims)


@pytest.mark.parametrize("reader", ["pyjwt", "jwcrypto", "joserfc"])
def test_readers_load_our_key_set_and_verify_what_we_sign(platform: Independent, reader: str) -> None:
    document = platform.app.test_client().get("/lti/jwks").get_json()
    audience = f"{platform.url}/token"
    claims = read_with(reader, client_assertion(platform), document, audience)
    assert (claims["iss"], claims["sub"], claims["aud"]) == (CLIENT, CLIENT, audience)
    assert claims["exp"] - claims["iat"] <= 300
    assert claims["jti"]
    response = read_with(reader, deep_linking_response(platform), document, ISSUER)
    assert (response["iss"], len(response[DL + "content_items"])) == (CLIENT, 2)
