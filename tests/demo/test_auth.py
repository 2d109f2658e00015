"""The authorisation endpoint: each parameter is checked, a launch serves once."""

import pytest

from lti_tool.demo.people import CLAIRE_MOREL, KARIM_DIALLO, by_name

from .played_tool import hidden_fields

LAUNCH = "/courses/2/activities/1/launch"


@pytest.fixture
def teacher(enter):
    return enter(CLAIRE_MOREL.sub)


def test_a_login_initiation_has_exactly_the_parameters_of_moodle(teacher, tool, demo_url):
    login = teacher.login_initiation(LAUNCH)

    hint = login.pop("lti_message_hint")
    assert hint.startswith('{"cmid":1,"launchid":"ltilaunch101_')
    assert login == {
        "iss": demo_url,
        "target_link_uri": f"{tool.tool_url}/lti/launch",
        "login_hint": "3",
        "client_id": "spirale-demo",
        "lti_deployment_id": "1",
    }


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_right_request_by_get_or_post_gets_an_id_token_and_its_state(teacher, tool, method):
    request = tool.authentication_request(teacher.login_initiation(LAUNCH))

    answer = (
        teacher.get("/lti/auth", params=request)
        if method == "GET"
        else teacher.post("/lti/auth", data=request)
    )

    fields = hidden_fields(answer.text)
    assert set(fields) == {"id_token", "state"}
    assert fields["state"] == "a-state"
    assert f'action="{tool.tool_url}/lti/launch"' in answer.text
    assert tool.claims_of(fields["id_token"])["nonce"] == "a-nonce"


def test_prompt_may_be_absent(teacher, tool):
    request = tool.authentication_request(teacher.login_initiation(LAUNCH), prompt=None)

    assert "id_token" in hidden_fields(teacher.get("/lti/auth", params=request).text)


@pytest.mark.parametrize(
    ("parameter", "value", "error"),
    [
        ("scope", None, "invalid_request"),
        ("scope", "openid email", "invalid_scope"),
        ("response_type", None, "invalid_request"),
        ("response_type", "code", "unsupported_response_type"),
        ("response_mode", None, "invalid_request"),
        ("response_mode", "query", "invalid_request"),
        ("prompt", "login", "invalid_request"),
        ("nonce", None, "invalid_request"),
        ("nonce", "", "invalid_request"),
        ("state", None, "invalid_request"),
        ("client_id", None, "invalid_request"),
        ("client_id", "somebody-else", "unauthorized_client"),
        ("login_hint", None, "invalid_request"),
        ("login_hint", KARIM_DIALLO.sub, "access_denied"),
    ],
)
def test_a_wrong_parameter_is_told_to_the_tool_by_form_post(teacher, tool, parameter, value, error):
    request = tool.authentication_request(teacher.login_initiation(LAUNCH), **{parameter: value})

    answer = teacher.get("/lti/auth", params=request)

    fields = hidden_fields(answer.text)
    assert fields["error"] == error
    assert fields["error_description"]
    assert fields.get("state") == request.get("state")
    assert "id_token" not in fields


@pytest.mark.parametrize("ending", ["/", "?x=1", "/../launch", None])
def test_a_redirect_uri_that_is_not_identical_gets_the_platforms_own_page(teacher, tool, ending):
    redirect_uri = None if ending is None else f"{tool.tool_url}/lti/launch{ending}"
    request = tool.authentication_request(teacher.login_initiation(LAUNCH), redirect_uri=redirect_uri)

    answer = teacher.get("/lti/auth", params=request)

    assert answer.status_code == 404
    assert "Invalid request" in answer.text
    assert "<form" not in answer.text


@pytest.mark.parametrize("hint", [None, "", "5", "{}", '{"launchid":"ltilaunch101_0"}', "[1]", "null"])
def test_a_launch_id_that_the_platform_does_not_hold_is_an_invalid_request(teacher, tool, hint):
    request = tool.authentication_request(teacher.login_initiation(LAUNCH), lti_message_hint=hint)

    answer = teacher.get("/lti/auth", params=request)

    assert answer.status_code == 404
    assert "Invalid request" in answer.text


def test_a_launch_id_serves_once(teacher, tool):
    request = tool.authentication_request(teacher.login_initiation(LAUNCH))

    first, second = (teacher.get("/lti/auth", params=request) for _ in range(2))

    assert "id_token" in hidden_fields(first.text)
    assert second.status_code == 404
    assert "Invalid request" in second.text


def test_a_launch_id_is_spent_by_a_refused_request_too(teacher, tool):
    login = teacher.login_initiation(LAUNCH)
    teacher.get("/lti/auth", params=tool.authentication_request(login, nonce=None))

    assert teacher.get("/lti/auth", params=tool.authentication_request(login)).status_code == 404


def test_a_launch_id_expires_after_ten_minutes(teacher, tool, clock):
    at_the_limit, too_late = (teacher.login_initiation(LAUNCH) for _ in range(2))
    clock.pass_seconds(600)
    assert teacher.get("/lti/auth", params=tool.authentication_request(at_the_limit)).status_code == 200
    clock.pass_seconds(1)
    assert teacher.get("/lti/auth", params=tool.authentication_request(too_late)).status_code == 404


def test_a_launch_id_of_somebody_else_is_an_invalid_request(teacher, enter, tool):
    pupil = enter(by_name("Adam Benali").sub)
    request = tool.authentication_request(teacher.login_initiation(LAUNCH))

    assert pupil.get("/lti/auth", params=request).status_code == 404


def test_a_parameter_given_twice_is_an_invalid_request(teacher, tool):
    request = tool.authentication_request(teacher.login_initiation(LAUNCH))

    answer = teacher.get("/lti/auth", params=[*request.items(), ("nonce", "another")])

    assert answer.status_code == 404


def test_a_request_without_the_platforms_cookie_is_sent_again_from_its_own_page(teacher, enter, tool):
    request = tool.authentication_request(teacher.login_initiation(LAUNCH))

    page = enter(None).get("/lti/auth", params=request)
    fields = hidden_fields(page.text)
    assert fields == {**request, "repost": "1"}
    assert 'action="/lti/auth"' in page.text

    assert "id_token" in hidden_fields(teacher.post("/lti/auth", data=fields).text)


def test_nobody_entered_gets_no_token(teacher, enter, tool):
    request = tool.authentication_request(teacher.login_initiation(LAUNCH))

    answer = enter(None).post("/lti/auth", data={**request, "repost": "1"})

    assert answer.status_code == 403
    assert "id_token" not in answer.text


def test_a_pupil_unenrolled_between_click_and_launch_gets_no_token(enter, tool, store):
    pupil = enter("6")
    request = tool.authentication_request(pupil.login_initiation(LAUNCH))
    store.unenrol(2, "6")

    assert pupil.get("/lti/auth", params=request).status_code == 404


def test_the_platforms_key_set_has_one_public_rs256_key(tool, demo_url):
    (key,) = tool.http.get(f"{demo_url}/lti/jwks", timeout=5).json()["keys"]

    assert set(key) == {"kty", "alg", "use", "kid", "n", "e"}
    assert (key["kty"], key["alg"], key["use"]) == ("RSA", "RS256", "sig")
