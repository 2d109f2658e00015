"""Claims of any type, size and script: a launch opens, or is refused; it never crashes."""

from __future__ import annotations

import json
from typing import Any

import jwt
import pytest
from flask import Flask
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lti_tool.courses.models import LaunchSession
from lti_tool.db import db
from tests.lti.platform_of_tests import GONE, Lms

SOME = settings(
    max_examples=60,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
LTI = "https://purl.imsglobal.org/spec/lti/claim/"
DEEP_LINKING = "https://purl.imsglobal.org/spec/lti-dl/claim/deep_linking_settings"
AGS = "https://purl.imsglobal.org/spec/lti-ags/claim/endpoint"
NRPS = "https://purl.imsglobal.org/spec/lti-nrps/claim/namesroleservice"

texts = st.one_of(
    st.text(max_size=40),
    st.sampled_from(
        [
            "",
            "\x00",
            "a\x00b",
            "\ud800",
            "é" * 300,
            "x" * 5000,
            "$Context.id",
            "https://[",
            "http://\u202e.example",
            "javascript:alert(1)",
            "LtiResourceLinkRequest",
            "LtiDeepLinkingRequest",
            "LtiSubmissionReviewRequest",
            "ltiResourceLink",
            "https://lms.example.org/x",
            "Instructor",
            "competence:1A",
            "1.3.0",
        ]
    ),
)
leaves = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.sampled_from([10**40, -1, 2**31, 2**63, 1e308, float("inf"), float("nan")]),
    texts,
)
NAMES = [
    "id", "title", "label", "type", "locale", "return_url", "scope", "lineitem", "lineitems",
    "context_memberships_url", "user_id", "spirale_activity", "spirale_page", "accept_types", "accept_multiple",
    "deep_link_return_url", "data", "document_target",
]  # fmt: skip
values = st.recursive(
    leaves,
    lambda inner: st.one_of(
        st.lists(inner, max_size=4),
        st.dictionaries(st.one_of(st.sampled_from(NAMES), texts), inner, max_size=5),
    ),
    max_leaves=12,
)
CLAIMS = [
    "iss", "aud", "azp", "sub", "iat", "exp", "nbf", "nonce", "given_name", "family_name", "name", "email",
    *(LTI + name for name in (
        "message_type", "version", "deployment_id", "target_link_uri", "roles", "context", "resource_link",
        "launch_presentation", "custom", "for_user", "lis", "ext", "role_scope_mentor", "tool_platform",
    )),
    DEEP_LINKING, AGS, NRPS,
]  # fmt: skip


@pytest.fixture
def app(app_on_postgres: Flask) -> Flask:
    return app_on_postgres


def launch(lms: Lms, changed: dict[str, Any]) -> None:
    """Launch with some claims replaced; follow it when it is taken."""
    lms.begin()
    claims = {**lms.claims(), **changed}
    claims = {name: value for name, value in claims.items() if value is not GONE}
    try:
        # As a hostile platform would send it: half of a surrogate pair travels escaped.
        body = json.dumps(claims).encode()
    except ValueError:
        return
    answer = lms.launch(signed(lms, body))
    assert answer.status_code == 303 or 400 <= answer.status_code < 500, (answer.status_code, changed)
    if answer.status_code == 303:
        page = lms.client.get(answer.headers["Location"], follow_redirects=True)
        assert page.status_code < 500, (page.status_code, changed)


def signed(lms: Lms, body: bytes) -> str:
    """A JWT of these very bytes."""
    return jwt.api_jws.encode(body, lms.server.keys["one"], algorithm="RS256", headers={"kid": "one"})


PLACES = [
    *(
        (name,)
        for name in ("sub", "name", "given_name", "nonce", "azp", LTI + "deployment_id", LTI + "roles")
    ),
    *((LTI + "context", name) for name in ("id", "title", "label")),
    *((LTI + "resource_link", name) for name in ("id", "title")),
    *((LTI + "launch_presentation", name) for name in ("locale", "return_url")),
    *((LTI + "custom", name) for name in ("spirale_activity", "spirale_page", "spirale_\x00")),
    *((AGS, name) for name in ("lineitem", "lineitems", "scope")),
    (NRPS, "context_memberships_url"),
]
"""Where a value of the platform's is stored or shown."""


@pytest.mark.parametrize(
    "odd",
    ["\x00", "a\ud800", "é" * 300, 10**40, [None], {"a": 1}],
    ids=["nul", "surrogate", "long", "huge", "list", "object"],
)
def test_what_no_database_stores_is_refused_or_cleaned_wherever_it_comes(lms: Lms, odd: Any) -> None:
    for claim, *inside in PLACES:
        whole = lms.claims().get(claim)
        kept = whole if isinstance(whole, dict) else {}
        launch(lms, {claim: {"id": "1", **kept, inside[0]: odd} if inside else odd})
        launch(lms, {claim: {"id": "1", **kept, inside[0]: [odd]} if inside else [odd]})


@SOME
@given(st.dictionaries(st.sampled_from(CLAIMS), st.one_of(values, st.just(GONE)), max_size=4))
def test_a_launch_with_claims_of_any_kind_is_taken_or_refused(lms: Lms, changed: dict[str, Any]) -> None:
    launch(lms, changed)


@SOME
@given(
    claim=st.sampled_from(
        [LTI + "context", LTI + "resource_link", LTI + "launch_presentation", LTI + "custom", AGS, NRPS]
    ),
    inside=st.dictionaries(st.sampled_from(NAMES), values, max_size=6),
)
def test_a_claim_with_anything_inside_is_taken_or_refused(
    lms: Lms, claim: str, inside: dict[str, Any]
) -> None:
    launch(lms, {claim: inside})


@SOME
@given(st.dictionaries(st.sampled_from(NAMES), values, max_size=6))
def test_deep_linking_settings_of_any_kind_are_taken_or_refused(lms: Lms, inside: dict[str, Any]) -> None:
    good = {
        "accept_types": ["ltiResourceLink"],
        "accept_presentation_document_targets": ["iframe"],
        "deep_link_return_url": "https://lms.example.org/return",
    }
    launch(lms, {LTI + "message_type": "LtiDeepLinkingRequest", DEEP_LINKING: {**good, **inside}})


@SOME
@given(st.dictionaries(st.sampled_from(["iss", "client_id", "login_hint", "target_link_uri"]), texts))
def test_a_login_with_parameters_of_any_kind_is_taken_or_refused(lms: Lms, changed: dict[str, str]) -> None:
    encodable = {
        name: value.encode("utf-8", "replace").decode()
        for name, value in {**lms.parameters(), **changed}.items()
    }
    answer = lms.client.post("/lti/login", data=encodable)
    assert answer.status_code in (303, 400, 403), answer.status_code


@SOME
@given(st.one_of(texts, st.text(alphabet="eyJ.-_=", max_size=200)))
def test_a_token_of_any_kind_is_refused(lms: Lms, token: str) -> None:
    lms.begin()
    refused = lms.launch(token.encode("utf-8", "replace").decode())
    assert refused.status_code in (400, 403)


def test_what_is_tried_at_random_is_sometimes_taken(app: Flask, lms: Lms) -> None:
    launch(lms, {LTI + "context": {"id": "é" * 100, "title": "x" * 5000, "type": None}, "name": 7})
    with app.app_context():
        assert db.session.query(LaunchSession).count() == 1
