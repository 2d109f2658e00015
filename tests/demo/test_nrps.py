"""The roster over NRPS, as Moodle 4.5 gives it."""

import pytest

from lti_tool.demo.people import MRC1, MRC1_PUPILS, THEO_MARCHAND, by_name

from .played_tool import (
    MEMBERS,
    SCOPE_LINEITEM,
    Tool,
)

ROSTER = "/lti/courses/2/memberships"


def members(tool, **query):
    answer = tool.call("GET", ROSTER, params=query, headers={"Accept": MEMBERS})
    assert answer.status_code == 200, answer.text
    return answer.json()["members"]


def test_a_member_has_names_and_short_roles_and_no_email(tool):
    adam = next(member for member in members(tool) if member["user_id"] == "6")

    assert adam == {
        "status": "Active",
        "roles": ["Learner"],
        "user_id": "6",
        "lis_person_sourcedid": "E006",
        "name": "Adam Benali",
        "given_name": "Adam",
        "family_name": "Benali",
        "ext_user_username": "adam.benali",
    }


def test_the_container_names_its_course(tool, demo_url):
    answer = tool.call("GET", ROSTER, headers={"Accept": MEMBERS})

    assert answer.headers["Content-Type"].startswith(MEMBERS)
    assert answer.json()["id"] == demo_url + ROSTER
    assert answer.json()["context"] == {"id": "2", "label": "2MRC1", "title": "Seconde MRC 1"}


def test_without_names_a_member_has_only_his_ids(another_demo, settings, clock):
    tool = Tool(another_demo(names=False), settings.tool_url, clock)
    first = members(tool)[0]
    tool.close()

    assert set(first) == {"status", "roles", "user_id", "lis_person_sourcedid"}


def test_teachers_are_instructors_and_the_non_editing_one_a_learner(tool):
    roles = {member["name"]: member["roles"] for member in members(tool)}

    assert roles["Claire Morel"] == roles["Karim Diallo"] == ["Instructor"]
    assert roles["Yann Le Goff"] == ["Learner"]


def test_suspended_and_unenrolled_people_are_absent(tool, store):
    present = {member["user_id"] for member in members(tool)}
    assert THEO_MARCHAND.sub not in present

    store.suspend(MRC1.id, "6")
    store.unenrol(MRC1.id, "7")
    assert present - {member["user_id"] for member in members(tool)} == {"6", "7"}

    store.suspend(MRC1.id, "6", suspended=False)
    assert "6" in {member["user_id"] for member in members(tool)}


def test_people_come_by_family_name_accents_aside(tool):
    names = [member["family_name"] for member in members(tool)]

    assert names[:5] == ["André", "Benali", "Bérard", "Caron", "Chevalier"]
    assert names[-4:] == ["Thomas", "Vidal", "Weber", "Yılmaz"]
    assert len(names) == len(MRC1_PUPILS) + 3


@pytest.mark.parametrize("accept", [MEMBERS, "*/*", None])
def test_the_containers_accept_or_stars_are_taken(tool, accept):
    headers = {"Accept": accept}
    assert tool.call("GET", ROSTER, headers=headers).status_code == 200


@pytest.mark.parametrize(
    "accept", ["application/json", "application/vnd.ims.lis.v2.membershipcontainer+json"]
)
def test_another_accept_is_400(tool, accept):
    assert tool.call("GET", ROSTER, headers={"Accept": accept}).status_code == 400


def test_the_scope_is_demanded(tool):
    assert tool.call("GET", ROSTER, token=tool.token(SCOPE_LINEITEM)).status_code == 401
    assert tool.call("GET", ROSTER, token="").status_code == 401


@pytest.mark.parametrize("prefix", ["", "http://purl.imsglobal.org/vocab/lis/v2/membership#"])
def test_a_known_role_filters(tool, prefix):
    assert {m["name"] for m in members(tool, role=prefix + "Instructor")} == {"Claire Morel", "Karim Diallo"}
    assert len(members(tool, role=prefix + "Learner")) == len(MRC1_PUPILS) + 1


def test_an_unknown_role_is_ignored_and_everybody_comes(tool):
    assert len(members(tool, role="Mentor")) == len(members(tool))


def test_the_next_link_is_well_formed_and_drops_the_role(tool, demo_url):
    query = {"limit": "5", "role": "Learner", "rlid": "101"}
    page = tool.call("GET", ROSTER, params=query, headers={"Accept": MEMBERS})

    assert len(page.json()["members"]) == 5
    assert page.links["next"]["url"] == f"{demo_url}{ROSTER}?limit=5&from=5&rlid=101"


def test_pages_together_are_the_whole_roster(tool):
    url, seen = f"{ROSTER}?limit=10", []
    while url:
        page = tool.call("GET", url, headers={"Accept": MEMBERS})
        seen += [member["user_id"] for member in page.json()["members"]]
        url = page.links.get("next", {}).get("url")

    assert seen == [member["user_id"] for member in members(tool)]


def test_a_resource_link_adds_a_message_and_must_be_of_the_course(tool, store):
    assert "message" in members(tool, rlid="101")[0]
    elsewhere = store.activities(3)[0].resource_link_id
    for unknown in (elsewhere, "999", "x"):
        assert tool.call("GET", ROSTER, params={"rlid": unknown}).status_code == 404


def test_an_unknown_course_is_404_and_another_method_405(tool):
    assert tool.call("GET", "/lti/courses/99/memberships").status_code == 404
    assert tool.call("DELETE", ROSTER).status_code == 405


def test_a_launch_and_the_roster_agree_on_who_somebody_is(tool, enter):
    zoe = by_name("Zoé Lambert")
    claims = tool.launch(enter(zoe.sub), "/courses/2/activities/1/launch")

    member = next(member for member in members(tool) if member["name"] == zoe.name)
    assert member["user_id"] == claims["sub"]
