"""Dynamic registration over real HTTP: as Moodle does it, and everything of the request checked."""

from __future__ import annotations

import sqlite3
from copy import deepcopy
from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import jwt
import pytest

from lti_tool.demo import DemoSettings, DemoStore, close_demo_app, create_demo_app
from lti_tool.demo.people import CLAIRE_MOREL

from .played_tool import EVERY_SCOPE, LTI, Browser, hidden_fields

TOOL = "https://purl.imsglobal.org/spec/lti-tool-configuration"
GONE = object()


@pytest.fixture
def admin(enter) -> Browser:
    return enter(CLAIRE_MOREL.sub)


def started(admin: Browser, url: str, **more: str) -> dict[str, str]:
    """The parameters with which the tool's registration page is opened."""
    answer = admin.get("/admin/tools/start", params={"url": url, **more}, allow_redirects=False)
    assert answer.status_code == 302, answer.text
    assert answer.headers["Location"].startswith(url)
    return {name: values[0] for name, values in parse_qs(urlsplit(answer.headers["Location"]).query).items()}


def request_of(tool, **changed):
    """A right registration request; a change to GONE leaves the field out, one with a dot is the tool's part."""
    base = tool.tool_url
    made = {
        "application_type": "web",
        "client_name": "Autre Spirale",
        "client_name#en": "Other Spirale",
        "response_types": ["id_token"],
        "grant_types": ["implicit", "client_credentials"],
        "initiate_login_uri": f"{base}/lti/login",
        "redirect_uris": [f"{base}/lti/launch"],
        "jwks_uri": f"{base}/lti/jwks",
        "token_endpoint_auth_method": "private_key_jwt",
        "scope": " ".join(EVERY_SCOPE),
        TOOL: {
            "domain": urlsplit(base).netloc,
            "target_link_uri": f"{base}/lti/launch",
            "claims": ["iss", "sub", "name"],
            "custom_parameters": {"spirale_history": "$Context.id.history"},
            "messages": [
                {"type": "LtiResourceLinkRequest", "target_link_uri": f"{base}/lti/launch"},
                {"type": "LtiDeepLinkingRequest", "target_link_uri": f"{base}/lti/launch"},
            ],
        },
    }
    made = deepcopy(made)
    for name, value in changed.items():
        part, key = (made[TOOL], name[3:]) if name.startswith("in_") else (made, name)
        part[key] = value
        if value is GONE:
            del part[key]
    return made


def register(tool, permission, **changed):
    headers = {"Authorization": f"Bearer {permission}"} if permission else {}
    url = f"{tool.base_url}/lti/registration"
    return tool.http.post(url, json=request_of(tool, **changed), headers=headers, timeout=10)


def permission_of(admin, tool, **more) -> str:
    return started(admin, f"{tool.tool_url}/register?a=1", **more)["registration_token"]


def test_the_tools_page_is_opened_with_where_to_look_and_a_permission(admin, tool, demo_url):
    given = started(admin, f"{tool.tool_url}/register?a=1")

    assert given["a"] == "1"
    assert given["openid_configuration"] == f"{demo_url}/openid-configuration"
    said = tool.http.get(given["openid_configuration"], timeout=10).json()
    assert said["issuer"] == demo_url
    assert said["registration_endpoint"] == f"{demo_url}/lti/registration"
    assert said["id_token_signing_alg_values_supported"] == ["RS256"]


def test_a_registered_tool_waits_to_be_activated_then_teachers_may_add_it(admin, tool, store):
    answer = register(tool, permission_of(admin, tool))

    assert answer.status_code == 200, answer.text
    body = answer.json()
    assert body[TOOL]["deployment_id"] == "2"
    assert "en attente" in admin.get("/admin/tools").text
    assert "Autre Spirale" not in admin.get("/courses/2/add").text
    admin.post("/admin/tools/2/activate")
    assert "Autre Spirale" in admin.get("/courses/2/add").text
    admin.post("/courses/2/add", data={"title": "Par l'autre", "tool": "2"})
    launched = admin.login_initiation(f"/courses/2/activities/{store.activities(2)[-1].id}/launch")
    assert (launched["client_id"], launched["lti_deployment_id"]) == (body["client_id"], "2")


def test_its_launches_are_its_own_with_its_names_scopes_and_custom(admin, tool, store, demo_url):
    only = EVERY_SCOPE[2]
    body = register(tool, permission_of(admin, tool), scope=only, in_claims=["iss", "sub"]).json()
    admin.post("/courses/2/add", data={"title": "x", "tool": "2"})
    path = f"/courses/2/activities/{store.activities(2)[-1].id}/launch"
    request = tool.authentication_request(admin.login_initiation(path), client_id=body["client_id"])
    page = admin.get("/lti/auth", params=request)

    claims = jwt.decode(hidden_fields(page.text)["id_token"], options={"verify_signature": False})

    assert claims["aud"] == body["client_id"]
    assert claims[LTI + "deployment_id"] == "2"
    assert "name" not in claims
    assert claims[LTI + "custom"]["spirale_history"] == ""
    endpoint = claims["https://purl.imsglobal.org/spec/lti-ags/claim/endpoint"]
    assert endpoint["scope"] == [only]
    assert endpoint["lineitems"] == f"{demo_url}/lti/courses/2/lineitems?type_id=2"
    assert "https://purl.imsglobal.org/spec/lti-nrps/claim/namesroleservice" not in claims


def test_a_launch_answers_to_the_client_it_was_started_for(admin, tool, store):
    register(tool, permission_of(admin, tool))
    admin.post("/courses/2/add", data={"title": "x", "tool": "2"})
    path = f"/courses/2/activities/{store.activities(2)[-1].id}/launch"

    page = admin.get("/lti/auth", params=tool.authentication_request(admin.login_initiation(path)))

    assert hidden_fields(page.text)["error"] == "unauthorized_client"


def test_each_tool_sees_its_own_columns(admin, tool):
    mine = tool.create(label="À moi").json()
    client = register(tool, permission_of(admin, tool)).json()["client_id"]
    claims = tool.assertion_claims(iss=client, sub=client)
    token = tool.ask_token(tool.sign(claims)).json()["access_token"]
    url, media = "/lti/courses/2/lineitems", "application/vnd.ims.lis.v2.lineitemcontainer+json"

    theirs = tool.call("GET", f"{url}?type_id=2", token=token, headers={"Accept": media})
    foreign = tool.call("GET", f"{url}?type_id=1", token=token, headers={"Accept": media})

    assert theirs.json() == []
    assert foreign.status_code == 401
    assert [item["id"] for item in tool.lineitems().json()] == [mine["id"]]


def test_a_permission_serves_once_and_for_an_hour(admin, tool, clock):
    permission = permission_of(admin, tool)
    assert register(tool, permission, scope="").status_code == 400  # a wrong request does not spend it
    assert register(tool, permission).status_code == 200
    again = register(tool, permission)
    assert (again.status_code, again.text) == (401, "token_already_used")
    late = permission_of(admin, tool)
    clock.now += timedelta(hours=1)
    assert register(tool, late).status_code == 401


def test_without_a_permission_nothing_is_registered(admin, tool):
    assert (register(tool, "").status_code, register(tool, "").text) == (401, "missing_registration_token")
    assert register(tool, "garbage").status_code == 404
    forged = tool.sign({"sub": "x", "scope": "reg", "jti": "1", "exp": tool.clock.epoch + 60})
    assert register(tool, forged).status_code == 404
    assert "outil 2" not in admin.get("/admin/tools").text


def test_an_update_keeps_the_client_the_deployment_and_the_state(admin, tool):
    first = register(tool, permission_of(admin, tool)).json()
    admin.post("/admin/tools/2/activate")

    choice = admin.get("/admin/tools/add", params={"url": f"{tool.tool_url}/register"}).text
    assert "update=2" in choice
    again = register(tool, permission_of(admin, tool, update="2"), client_name="Renommée").json()

    assert (again["client_id"], again[TOOL]["deployment_id"]) == (first["client_id"], "2")
    listed = admin.get("/admin/tools").text
    assert "Renommée" in listed
    assert "outil 3" not in listed
    assert listed.count("actif") == 2
    assert register(tool, permission_of(admin, tool, update="9")).status_code == 404


@pytest.mark.parametrize(
    ("changed", "word"),
    [
        ({"application_type": "native"}, "invalid_application_type"),
        ({"response_types": ["id_token", "code"]}, "invalid_response_types"),
        ({"grant_types": ["implicit"]}, "invalid_grant_types"),
        ({"grant_types": [{}]}, "invalid_grant_types"),
        ({"client_name": ""}, "missing required attribute client_name"),
        ({"initiate_login_uri": "https://other.example.org/login"}, "missing required attribute initiate_login_uri"),
        ({"jwks_uri": GONE}, "missing required attribute jwks_uri"),
        ({"redirect_uris": []}, "invalid_redirect_uris"),
        ({"redirect_uris": ["javascript:alert(1)"]}, "invalid_redirect_uris"),
        ({"token_endpoint_auth_method": "none"}, "invalid_token_endpoint_auth_method"),
        ({"scope": "openid"}, "invalid_scope"),
        ({"scope": f"{EVERY_SCOPE[0]} {EVERY_SCOPE[0]}"}, "invalid_scope"),
        ({"surprise": 1}, "invalid_client_metadata"),
        ({"in_domain": GONE}, "missing_domain"),
        ({"in_domain": "elsewhere.example.org"}, "missing required attribute initiate_login_uri"),
        ({"in_target_link_uri": "https://elsewhere.example.org/"}, "domain_targetlinkuri_mismatch"),
        ({"in_claims": ["iss", "phone"]}, "invalid_claims"),
        ({"in_claims": []}, "invalid_claims"),
        ({"in_messages": [{"type": "LtiOther"}]}, "invalid_messages"),
        ({"in_messages": []}, "invalid_messages"),
        ({"in_custom_parameters": {"a": "b\nc"}}, "invalid_custom_parameters"),
        ({"in_custom_parameters": {"a": 1}}, "invalid_custom_parameters"),
        ({"in_custom_parameters": {"a=b": "c"}}, "invalid_custom_parameters"),
    ],
)  # fmt: skip
def test_what_is_not_right_is_refused_in_one_word(admin, tool, changed, word):
    answer = register(tool, permission_of(admin, tool), **changed)

    assert (answer.status_code, answer.text) == (400, word)
    assert "outil 2" not in admin.get("/admin/tools").text


def test_a_tool_whose_keys_cannot_be_read_is_refused(admin, tool, published_keys):
    published_keys.broken = True
    answer = register(tool, permission_of(admin, tool))
    assert (answer.status_code, answer.text) == (400, "invalid_jwks_uri")


@pytest.mark.parametrize(
    "url", ["", "javascript:alert(1)", "https://a;script-src/", "https://é/", "//x", "https://a b/"]
)
def test_only_a_web_address_can_be_pasted(admin, url):
    for path in ("/admin/tools/add", "/admin/tools/start"):
        assert admin.get(path, params={"url": url}).status_code == 400


def test_the_frame_shows_the_tool_that_was_pasted_and_no_other(admin):
    answer = admin.get("/admin/tools/add", params={"url": "https://tool.example.org/register"})

    assert "frame-src 'self' https://tool.example.org;" in answer.headers["Content-Security-Policy"]
    assert 'id="contentframe"' in answer.text


def test_a_file_of_an_earlier_version_is_brought_up_to_date(tmp_path):
    file = tmp_path / "demo.sqlite"
    close_demo_app(create_demo_app(DemoSettings("http://127.0.0.1:1", "http://localhost:1", file)))
    with sqlite3.connect(file) as connection:
        connection.execute("DROP TABLE tool")
        for table in ("activity", "line_item", "launch", "access_token"):
            connection.execute(f"ALTER TABLE {table} DROP COLUMN tool_id")
    close_demo_app(create_demo_app(DemoSettings("http://127.0.0.1:1", "http://localhost:1", file)))
    with DemoStore(file) as store:
        assert [activity.title for activity in store.activities(2)] == ["Spirale"]
    with sqlite3.connect(file) as connection:
        assert connection.execute("SELECT DISTINCT tool_id FROM activity").fetchall() == [(1,)]
