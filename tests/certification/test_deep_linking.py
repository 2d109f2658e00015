"""1EdTech's certification, deep linking: the request opens the picker, the answer is what the specification asks."""

from __future__ import annotations

import html
import re
import time
from typing import Any

import jwt
import pytest
from flask import Flask
from werkzeug.test import TestResponse

from tests.lti.platform_of_tests import BASE, GONE, MEMBERSHIP, Lms, assert_refused

LTI = "https://purl.imsglobal.org/spec/lti/claim/"
DL = "https://purl.imsglobal.org/spec/lti-dl/claim/"
RETURN_URL = "https://lms.example.org/deep-link-return?course=2&key=abc"


def ask(lms: Lms, roles: tuple[str, ...] = (MEMBERSHIP + "Instructor",), **settings: Any) -> TestResponse:
    """Launch a deep-linking request; `settings` change what the platform accepts."""
    asked = {
        "accept_types": ["ltiResourceLink"],
        "accept_presentation_document_targets": ["iframe", "window"],
        "accept_multiple": True,
        "deep_link_return_url": RETURN_URL,
        **settings,
    }
    return lms.whole_launch(
        message_type="LtiDeepLinkingRequest",
        resource_link=GONE,
        roles=list(roles),
        **{DL + "deep_linking_settings": {k: v for k, v in asked.items() if v is not GONE}},
    )


def picker(lms: Lms, launched: TestResponse) -> TestResponse:
    page = lms.client.get(launched.headers["Location"], follow_redirects=True)
    assert page.status_code == 200
    assert page.request.path.endswith("/picker")
    return page


def answer(lms: Lms, page: TestResponse, *items: str, action: str = "add") -> TestResponse:
    """Send the picker's form."""
    token = re.search(r'name="csrf" value="([^"]+)"', page.text)
    assert token
    form = {"csrf": token[1], "item": list(items), "action": action}
    return lms.client.post(page.request.path, data=form)


def sent_back(lms: Lms, page: TestResponse) -> dict[str, Any]:
    """The claims of the answer's JWT, posted by a form to the return address; verified with our published keys."""
    form = re.search(r'<form method="post" action="([^"]+)"', page.text)
    token = re.search(r'name="JWT" value="([^"]+)"', page.text)
    assert form
    assert token
    assert html.unescape(form[1]) == RETURN_URL
    header = jwt.get_unverified_header(token[1])
    keys = {key["kid"]: key for key in lms.client.get("/lti/jwks").get_json()["keys"]}
    assert header["alg"] == "RS256"
    return jwt.decode(
        token[1],
        jwt.PyJWK(keys[header["kid"]]),
        algorithms=["RS256"],
        audience=lms.issuer,
        issuer=lms.client_id,
        options={"require": ["iss", "aud", "exp", "iat", "nonce"]},
    )


def claims(lms: Lms, *items: str, action: str = "add", **settings: Any) -> dict[str, Any]:
    return sent_back(lms, answer(lms, picker(lms, ask(lms, **settings)), *items, action=action))


def test_deep_linking_request_opens_the_picker(lms: Lms) -> None:
    assert "Ma spirale" in picker(lms, ask(lms)).text


def test_deep_linking_response_is_signed_and_posted_by_a_form(lms: Lms) -> None:
    sent = claims(lms, "page:me")
    now = time.time()
    assert now - 30 < sent["iat"] <= now + 1
    assert now < sent["exp"] <= now + 3600
    assert len(sent["nonce"]) >= 16
    assert sent[LTI + "deployment_id"] == "1"
    assert sent[LTI + "message_type"] == "LtiDeepLinkingResponse"
    assert sent[LTI + "version"] == "1.3.0"


def test_deep_linking_response_content_items(lms: Lms) -> None:
    items = claims(lms, "page:me", "competence:1A")[DL + "content_items"]
    assert [item["type"] for item in items] == ["ltiResourceLink", "ltiResourceLink"]
    assert {item["url"] for item in items} == {f"{BASE}/lti/launch"}
    for item in items:
        assert all(isinstance(value, str) and "\n" not in value for value in item["custom"].values())


@pytest.mark.parametrize("data", ["csrftoken:c7fbba78-7b75-46e3-9201-11e6d5f36f53", "a & <b> é « »", ""])
def test_data_is_echoed_when_sent(lms: Lms, data: str) -> None:
    assert claims(lms, "page:me", data=data)[DL + "data"] == data
    assert claims(lms, action="cancel", data=data)[DL + "data"] == data


def test_data_is_absent_when_not_sent(lms: Lms) -> None:
    assert DL + "data" not in claims(lms, "page:me")


def test_cancelling_answers_with_an_empty_list(lms: Lms) -> None:
    assert claims(lms, action="cancel")[DL + "content_items"] == []


@pytest.mark.parametrize("return_url", [GONE, "", "javascript:alert(1)", "/relative", 7])
def test_a_request_without_a_return_address_is_refused(app: Flask, lms: Lms, return_url: Any) -> None:
    assert_refused(ask(lms, deep_link_return_url=return_url), "Que faire", app)


def test_accept_multiple_false_takes_one_item(lms: Lms) -> None:
    page = picker(lms, ask(lms, accept_multiple=False))
    assert 'type="checkbox" name="item"' not in page.text
    two = answer(lms, page, "page:me", "page:overview")
    assert two.status_code == 422
    assert "JWT" not in two.text
    assert len(sent_back(lms, answer(lms, page, "page:me"))[DL + "content_items"]) == 1


@pytest.mark.parametrize("types", [["file", "html"], [], GONE, None])
def test_types_not_accepted_are_refused(lms: Lms, types: Any) -> None:
    launched = ask(lms, accept_types=types)
    page = lms.client.get(launched.headers["Location"], follow_redirects=True)

    assert "La plateforme n’accepte pas ici de lien vers un outil" in page.text
    assert 'name="item"' not in page.text
    claims = sent_back(lms, answer(lms, page, action="cancel"))
    assert claims[DL + "content_items"] == []
    assert "n’accepte pas ici de lien" in claims[DL + "errormsg"]


def test_types_that_are_no_list_are_refused(app: Flask, lms: Lms) -> None:
    assert_refused(ask(lms, accept_types="ltiResourceLink"), "Que faire", app)


def test_a_learner_is_not_offered_the_picker(lms: Lms) -> None:
    launched = ask(lms, roles=(MEMBERSHIP + "Learner",))
    page = lms.client.get(launched.headers["Location"], follow_redirects=True)
    assert page.status_code == 403
    assert "Cette page est réservée" in page.text
