"""The token endpoint: the client assertion is verified wholly; errors are 400 JSON."""

import jwt
import pytest

from .played_tool import CONTAINER, SCOPE_LINEITEM, SCOPE_SCORE, rsa_key


def refused(answer, error):
    assert answer.status_code == 400, answer.text
    assert answer.json()["error"] == error


def test_a_right_assertion_gets_an_opaque_token_for_an_hour(tool):
    answer = tool.ask_token(tool.sign(tool.assertion_claims()), SCOPE_SCORE, SCOPE_LINEITEM)

    body = answer.json()
    assert answer.status_code == 200
    assert body["token_type"] == "Bearer"
    assert body["expires_in"] == 3600
    assert set(body["scope"].split()) == {SCOPE_SCORE, SCOPE_LINEITEM}
    assert "." not in body["access_token"]


def test_the_answer_is_json_under_moodles_content_type(tool):
    answer = tool.ask_token(tool.sign(tool.assertion_claims()))

    assert answer.headers["Content-Type"].startswith("text/html")
    assert answer.headers["Cache-Control"] == "no-store"


def test_a_partial_grant_is_silent_and_no_scope_at_all_is_refused(tool):
    partial = tool.ask_token(tool.sign(tool.assertion_claims()), SCOPE_SCORE, "https://example.org/other")
    none = tool.ask_token(tool.sign(tool.assertion_claims()), "https://example.org/other")

    assert partial.json()["scope"] == SCOPE_SCORE
    refused(none, "invalid_scope")


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"grant_type": "authorization_code"}, "unsupported_grant_type"),
        ({"grant_type": None}, "invalid_request"),
        ({"client_assertion_type": "other"}, "invalid_request"),
        ({"client_assertion_type": None}, "invalid_request"),
        ({"client_assertion": None}, "invalid_request"),
        ({"scope": None}, "invalid_request"),
        ({"scope": ""}, "invalid_request"),
        ({"client_assertion": "not.a.jwt"}, "invalid_client"),
    ],
)
def test_a_wrong_form_field_is_refused(tool, changes, error):
    refused(tool.ask_token(tool.sign(tool.assertion_claims()), **changes), error)


def test_only_a_form_post_is_taken(tool, demo_url):
    request = tool.token_request(tool.sign(tool.assertion_claims()))

    refused(tool.http.get(f"{demo_url}/lti/token", params=request, timeout=5), "invalid_request")
    refused(tool.http.post(f"{demo_url}/lti/token", params=request, timeout=5), "invalid_request")
    refused(tool.http.post(f"{demo_url}/lti/token", json=request, timeout=5), "invalid_request")


@pytest.mark.parametrize(
    "changes",
    [
        {"iss": "somebody-else"},
        {"iss": None},
        {"sub": "somebody-else"},
        {"sub": None},
        {"aud": "http://127.0.0.1:1/lti/token"},
        {"aud": None},
        {"aud": []},
        {"aud": [1]},
        {"jti": None},
        {"jti": ""},
        {"jti": 5},
        {"exp": None},
        {"exp": "tomorrow"},
        {"iat": None},
        {"iat": True},
    ],
)
def test_a_wrong_claim_of_the_assertion_is_refused(tool, changes):
    refused(tool.ask_token(tool.sign(tool.assertion_claims(**changes))), "invalid_client")


def test_aud_may_be_a_list_that_contains_the_token_address(tool, demo_url):
    assertion = tool.sign(tool.assertion_claims(aud=[f"{demo_url}/lti/token", "https://other.example"]))

    assert tool.ask_token(assertion).status_code == 200


def test_an_expired_assertion_is_refused_at_the_very_second(tool, clock):
    alive = tool.sign(tool.assertion_claims(iat=clock.epoch - 60, exp=clock.epoch + 1))
    dead = tool.sign(tool.assertion_claims(iat=clock.epoch - 60, exp=clock.epoch))

    assert tool.ask_token(alive).status_code == 200
    refused(tool.ask_token(dead), "Expired token")


def test_an_iat_in_the_future_is_refused_without_leeway(tool, clock):
    future = tool.assertion_claims(iat=clock.epoch + 1, exp=clock.epoch + 60)

    answer = tool.ask_token(tool.sign(future))

    assert answer.status_code == 400
    assert answer.json()["error"] == "Cannot handle token with iat prior to 2026-11-23T08:00:01+0000"


def test_an_assertion_lives_five_minutes_at_most(tool, clock):
    longest = tool.assertion_claims(exp=clock.epoch + 300)
    too_long = tool.assertion_claims(exp=clock.epoch + 301)

    assert tool.ask_token(tool.sign(longest)).status_code == 200
    refused(tool.ask_token(tool.sign(too_long)), "invalid_client")


def test_a_jti_serves_once(tool):
    assertion = tool.sign(tool.assertion_claims())

    assert tool.ask_token(assertion).status_code == 200
    refused(tool.ask_token(assertion), "invalid_client")


def test_an_assertion_without_kid_is_refused_in_moodles_words(tool):
    answer = tool.ask_token(tool.sign(tool.assertion_claims(), kid=None))

    refused(answer, "error/Error: kid must be provided in JWT header.")


def test_an_assertion_signed_by_another_key_is_refused(tool):
    refused(tool.ask_token(tool.sign(tool.assertion_claims(), "stranger", kid="tool-1")), "invalid_client")


@pytest.mark.parametrize("algorithm", ["RS384", "RS512", "PS256"])
def test_only_rs256_is_accepted(tool, algorithm):
    assertion = jwt.encode(tool.assertion_claims(), rsa_key("tool-1"), algorithm, headers={"kid": "tool-1"})

    refused(tool.ask_token(assertion), "invalid_client")


def test_an_unsigned_assertion_is_refused(tool):
    assertion = jwt.encode(tool.assertion_claims(), None, "none", headers={"kid": "tool-1"})

    refused(tool.ask_token(assertion), "invalid_client")


def test_the_tools_keys_are_kept_and_asked_again_once_for_an_unknown_kid(tool, published_keys):
    tool.token()
    before = published_keys.fetches
    tool.token()
    assert published_keys.fetches == before

    published_keys.names[:] = ["tool-1", "tool-2"]
    assert tool.ask_token(tool.sign(tool.assertion_claims(), "tool-2")).status_code == 200
    assert published_keys.fetches == before + 1

    refused(tool.ask_token(tool.sign(tool.assertion_claims(), "unpublished")), "invalid_client")
    assert published_keys.fetches == before + 2


def test_an_unusable_key_set_is_refused_and_the_last_good_one_kept(tool, published_keys):
    tool.token()
    published_keys.broken = True

    refused(tool.ask_token(tool.sign(tool.assertion_claims(), "unpublished")), "invalid_client")
    assert tool.ask_token(tool.sign(tool.assertion_claims())).status_code == 200


def test_a_token_is_refused_after_an_hour(tool, clock):
    token = tool.token()
    url = "/lti/courses/2/lineitems"
    clock.pass_seconds(3599)
    assert tool.call("GET", url, token=token, headers={"Accept": CONTAINER}).status_code == 200
    clock.pass_seconds(1)
    assert tool.call("GET", url, token=token, headers={"Accept": CONTAINER}).status_code == 401


def test_tokens_are_stored_hashed(tool, settings):
    token = tool.token()

    files = [settings.database, settings.database.with_name(settings.database.name + "-wal")]
    assert not any(token.encode() in file.read_bytes() for file in files)
