"""The ENT over real HTTP: what it says to a tool, what it refuses, and its pages."""

import re
import uuid
from dataclasses import replace

import pytest

from lti_tool.demo import ENT, LMS, DemoStore, close_demo_app, create_demo_app
from lti_tool.demo.ent import opaque_sub
from lti_tool.demo.ent_people import CLASS_A, CLASS_B, NADIA_ROUSSEL, SCHOOL
from lti_tool.demo.people import MRC1

from .played_tool import (
    AGS,
    CONTAINER,
    EVERY_SCOPE,
    LTI,
    MEMBERS,
    NRPS,
    SCOPE_SCORE,
    Browser,
    Tool,
    serving,
)

AWA = SCHOOL.by_name("Awa Traoré")
IRIS = SCHOOL.by_name("Iris Lacroix")
LAUNCH = "/courses/2/activities/1/launch?target=window"


@pytest.fixture(scope="module")
def ent_settings(settings, tmp_path_factory):
    return replace(settings, profile=ENT, database=tmp_path_factory.mktemp("ent") / "ent.sqlite")


@pytest.fixture(scope="module")
def running_ent(ent_settings):
    with serving(lambda address: create_demo_app(replace(ent_settings, base_url=address))) as server:
        yield f"http://127.0.0.1:{server.server_port}"
        close_demo_app(server.app)


@pytest.fixture
def ent_store(ent_settings, running_ent, clock):
    """Everything as after the first start."""
    with DemoStore(ent_settings.database, clock, SCHOOL) as store:
        store.reset()
        yield store


@pytest.fixture
def ent_url(running_ent, ent_store):
    return running_ent


@pytest.fixture
def tool(ent_url, settings, clock, store):
    played = Tool(ent_url, settings.tool_url, clock, ENT.client_id)
    yield played
    played.close()


@pytest.fixture
def enter(ent_url):
    opened = []

    def enter_as(person):
        opened.append(Browser(ent_url, person.sub))
        return opened[-1]

    yield enter_as
    for browser in opened:
        browser.close()


def test_an_ents_launch_says_who_by_an_opaque_identifier_where_and_nothing_else(enter, tool, ent_url):
    claims = tool.launch(enter(AWA), LAUNCH)

    assert claims["iss"] == ent_url
    assert claims["aud"] == ENT.client_id != LMS.client_id
    assert claims["sub"] == opaque_sub(int(AWA.sub)) == str(uuid.UUID(claims["sub"]))
    assert claims[LTI + "roles"] == ["Learner"]
    assert claims[LTI + "context"]["id"] == str(CLASS_A.id) == str(MRC1.id)
    assert claims[LTI + "resource_link"] == {"id": "101", "title": "Spirale"}
    assert claims[LTI + "launch_presentation"] == {
        "locale": "fr",
        "document_target": "window",
        "return_url": f"{ent_url}/courses/2/return?activity=1&target=window",
    }
    said = {name.rpartition("/")[2] for name in claims if name.startswith(LTI)}
    assert said == {
        *("version", "message_type", "deployment_id", "target_link_uri"),
        *("context", "resource_link", "roles", "launch_presentation", "tool_platform"),
    }
    assert {name for name in claims if "/" not in name} == {"iss", "aud", "sub", "iat", "exp", "nonce"}
    assert not {"Awa", "Traoré"} & set(str(claims).split())


def test_of_grades_it_offers_the_column_of_the_link_alone(enter, tool, ent_url):
    teacher = tool.launch(enter(NADIA_ROUSSEL), LAUNCH)

    assert teacher[LTI + "roles"] == ["Instructor"]
    assert NRPS not in teacher
    assert teacher[AGS] == {
        "scope": [SCOPE_SCORE],
        "lineitem": f"{ent_url}/lti/courses/2/lineitems/1/lineitem?type_id=1",
    }


def test_a_tool_gets_the_score_scope_and_no_other(tool):
    granted = tool.ask_token(tool.sign(tool.assertion_claims()), *EVERY_SCOPE)
    refused = tool.ask_token(tool.sign(tool.assertion_claims()), *(set(EVERY_SCOPE) - {SCOPE_SCORE}))

    assert granted.json()["scope"] == SCOPE_SCORE
    assert (refused.status_code, refused.json()["error"]) == (400, "invalid_scope")
    assert tool.lineitems().status_code == 401
    assert tool.create().status_code == 401
    roster = tool.call("GET", "/lti/courses/2/memberships", headers={"Accept": MEMBERS})
    assert roster.status_code == 401
    assert CONTAINER not in roster.text


def test_a_score_arrives_under_the_opaque_identifier_and_shows_on_the_page_of_grades(enter, tool, ent_store):
    column = tool.launch(enter(AWA), LAUNCH)[AGS]["lineitem"]

    assert tool.score(column, opaque_sub(int(AWA.sub)), 3, comment="maîtrisée").status_code == 200

    assert ent_store.grade(CLASS_A.id, "Spirale", AWA.sub).value == 75
    page = enter(NADIA_ROUSSEL).get("/courses/2/gradebook").text
    assert "maîtrisée" in page
    assert re.search(r"75<span class=\"over\">/100", page)
    assert "/review/" not in page


@pytest.mark.parametrize(
    "sub", [AWA.sub, str(uuid.UUID(int=1)), opaque_sub(int(IRIS.sub)), opaque_sub(int(NADIA_ROUSSEL.sub))]
)
def test_a_score_for_a_number_a_stranger_another_class_or_a_teacher_is_refused(enter, tool, sub):
    column = tool.launch(enter(AWA), LAUNCH)[AGS]["lineitem"]

    assert tool.score(column, sub, 3).status_code == 400


@pytest.mark.parametrize(
    "path",
    ["/courses/2/activities/1", "/courses/2/choose", "/courses/2/choose/launch", "/courses/2/activities/1/review/6"],
)  # fmt: skip
def test_it_frames_nothing_and_offers_no_choice_and_no_review(enter, path):
    assert enter(NADIA_ROUSSEL).get(path).status_code == 404


@pytest.mark.parametrize("path", ["/admin/tools", "/admin/tools/add?url=http://a", "/openid-configuration"])
def test_it_has_no_administration_and_no_tool_registers_itself(enter, tool, ent_url, path):
    nadia = enter(NADIA_ROUSSEL)

    assert nadia.get(path).status_code == 404
    assert tool.http.post(f"{ent_url}/lti/registration", json={}, timeout=5).status_code == 404
    assert nadia.post("/lti/deep-link-return", data={"JWT": "a.b.c"}).status_code == 404
    nadia.post("/leave")
    assert "/admin/tools" not in nadia.get("/").text


def test_the_portal_shows_the_services_of_each_class_in_forms_that_open_a_window(enter):
    teacher, pupil = enter(NADIA_ROUSSEL).get("/").text, enter(IRIS).get("/").text

    forms = re.findall(r'<form method="post" action="([^"]*)" target="_blank" rel="noopener">', teacher)
    assert forms == ["/courses/2/activities/1/launch", "/courses/3/activities/2/launch"]
    assert "Bonjour Mme Roussel" in teacher
    assert "Bonjour Iris" in pupil
    assert (CLASS_A.title in pupil, CLASS_B.title in pupil) == (False, True)
    assert ("Notes de la classe" in teacher, "Notes de la classe" in pupil) == (True, False)
    assert ("Ajouter un service" in teacher, "Ajouter un service" in pupil) == (True, False)


def test_a_tile_posts_the_login_initiation_for_a_window(enter, settings, ent_url):
    answer = enter(IRIS).post("/courses/3/activities/2/launch", data={"target": "window"})

    assert f'action="{settings.tool_url}/lti/login" data-auto-submit' in answer.text
    assert f'name="client_id" value="{ENT.client_id}"' in answer.text
    assert f'name="iss" value="{ent_url}"' in answer.text
    assert enter(AWA).post("/courses/3/activities/2/launch").status_code == 403


def test_a_service_that_a_teacher_adds_comes_with_its_column(enter, tool):
    added = enter(NADIA_ROUSSEL).post("/courses/3/add", data={"title": "Jeu de rôle"})

    assert "Jeu de rôle" in added.text
    claims = tool.launch(enter(IRIS), "/courses/3/activities/3/launch")
    assert claims[LTI + "resource_link"] == {"id": "103", "title": "Jeu de rôle"}
    assert claims[AGS]["lineitem"].endswith("/lineitems/3/lineitem?type_id=1")


def test_both_platforms_keep_their_cookies_apart_on_one_host(ent_url, demo_url):
    both = Browser(demo_url, "6")
    both.post(f"{ent_url}/enter", data={"person": IRIS.sub})

    assert both.get("/courses/2").status_code == 200
    assert "Bonjour Iris" in both.get(f"{ent_url}/").text
    assert {cookie.name for cookie in both.http.cookies} == {"demo_lms", "demo_ent"}
    both.close()


def test_their_keys_are_their_own(ent_url, demo_url, tool):
    kids = [
        tool.http.get(f"{url}/lti/jwks", timeout=5).json()["keys"][0]["kid"] for url in (ent_url, demo_url)
    ]
    assert kids[0] != kids[1]
