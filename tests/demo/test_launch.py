"""The claims of a launch, as Moodle 4.5 writes them."""

import jwt
import pytest

from lti_tool.demo.activities import Column, NewActivity
from lti_tool.demo.people import CLAIRE_MOREL, MRC1, YANN_LE_GOFF, by_name
from lti_tool.demo.variables import custom_claim

from .played_tool import (
    AGS,
    LTI,
    NRPS,
    SCOPE_LINEITEM,
    SCOPE_LINEITEM_READONLY,
    SCOPE_RESULT,
    SCOPE_SCORE,
    Browser,
    Tool,
    hidden_fields,
)

LAUNCH = "/courses/2/activities/1/launch"
MEMBERSHIP = "http://purl.imsglobal.org/vocab/lis/v2/membership#"
ADAM = by_name("Adam Benali")


def launch_of(activity):
    return f"/courses/2/activities/{activity.id}/launch"


def test_a_pupils_launch_carries_moodles_claims(enter, tool, demo_url, clock):
    claims = tool.launch(enter(ADAM.sub), LAUNCH)

    assert claims["iss"] == demo_url
    assert claims["aud"] == "spirale-demo"
    assert claims["sub"] == "6"
    assert claims["iat"] == clock.epoch
    assert claims["exp"] == claims["iat"] + 60
    assert "azp" not in claims
    assert (claims["given_name"], claims["family_name"], claims["name"]) == ("Adam", "Benali", "Adam Benali")
    assert "email" not in claims
    assert claims[LTI + "deployment_id"] == "1"
    assert claims[LTI + "version"] == "1.3.0"
    assert claims[LTI + "message_type"] == "LtiResourceLinkRequest"
    assert claims[LTI + "target_link_uri"] == f"{tool.tool_url}/lti/launch"
    assert claims[LTI + "roles"] == [MEMBERSHIP + "Learner"]
    assert claims[LTI + "context"] == {
        "id": "2",
        "label": "2MRC1",
        "title": "Seconde MRC 1",
        "type": ["CourseSection"],
    }
    assert claims[LTI + "resource_link"] == {"id": "101", "title": "Spirale", "description": ""}
    assert claims[LTI + "lis"] == {"person_sourcedid": "E006", "course_section_sourcedid": "2MRC1-2026"}
    assert claims[LTI + "ext"] == {"user_username": "adam.benali", "lms": "moodle-2"}
    assert claims[LTI + "launch_presentation"] == {
        "locale": "fr",
        "document_target": "iframe",
        "return_url": f"{demo_url}/courses/2/return?activity=1&target=iframe",
    }
    assert claims[LTI + "tool_platform"]["name"] == "Campus de démonstration"
    assert claims[LTI + "custom"] == {"context_memberships_url": f"{demo_url}/lti/courses/2/memberships"}
    assert claims[AGS] == {
        "scope": [SCOPE_LINEITEM, SCOPE_LINEITEM_READONLY, SCOPE_RESULT, SCOPE_SCORE],
        "lineitems": f"{demo_url}/lti/courses/2/lineitems?type_id=1",
    }
    assert claims[NRPS] == {
        "context_memberships_url": f"{demo_url}/lti/courses/2/memberships",
        "service_versions": ["1.0", "2.0"],
    }


def test_the_id_token_names_its_key(enter, tool, demo_url):
    browser = enter(ADAM.sub)
    request = tool.authentication_request(browser.login_initiation(LAUNCH))
    token = hidden_fields(browser.get("/lti/auth", params=request).text)["id_token"]

    (key,) = tool.http.get(f"{demo_url}/lti/jwks", timeout=5).json()["keys"]
    assert jwt.get_unverified_header(token)["kid"] == key["kid"]


def test_a_teacher_and_a_non_editing_teacher_are_both_instructors(enter, tool):
    for sub in (CLAIRE_MOREL.sub, YANN_LE_GOFF.sub):
        assert tool.launch(enter(sub), LAUNCH)[LTI + "roles"] == [MEMBERSHIP + "Instructor"]


def test_the_locale_follows_the_language_chosen_on_the_pages(enter, tool):
    browser = enter(ADAM.sub)
    browser.post("/language", data={"language": "en", "next": "/"})

    assert tool.launch(browser, LAUNCH)[LTI + "launch_presentation"]["locale"] == "en"


def test_a_launch_in_a_window_says_so(enter, tool):
    claims = tool.launch(enter(ADAM.sub), LAUNCH + "?target=window")

    assert claims[LTI + "launch_presentation"]["document_target"] == "window"


def test_without_names_neither_name_nor_login_is_sent(another_demo, settings, clock):
    address = another_demo(names=False)
    browser, tool = Browser(address, ADAM.sub), Tool(address, settings.tool_url, clock)
    claims = tool.launch(browser, LAUNCH)
    browser.close()
    tool.close()

    assert not {"name", "given_name", "family_name"} & set(claims)
    assert claims[LTI + "ext"] == {"lms": "moodle-2"}
    assert claims[LTI + "lis"]["person_sourcedid"] == "E006"


def test_lineitem_is_there_only_for_a_graded_activity_with_one_item(enter, tool, store, demo_url):
    graded = store.add_activity(2, NewActivity("Oral", column=Column(20)))
    (item,) = store.line_items(2)
    expected = f"{demo_url}/lti/courses/2/lineitems/{item.id}/lineitem?type_id=1"
    browser = enter(ADAM.sub)
    assert tool.launch(browser, launch_of(graded))[AGS]["lineitem"] == expected

    tool.create(resourceLinkId=graded.resource_link_id)
    assert "lineitem" not in tool.launch(browser, launch_of(graded))[AGS]


def test_an_ungraded_activity_with_one_standalone_item_has_no_lineitem(enter, tool):
    tool.create(resourceLinkId="101")

    assert "lineitem" not in tool.launch(enter(ADAM.sub), LAUNCH)[AGS]


def test_there_is_no_roster_claim_until_an_activity_of_the_tool_exists(enter, tool, store):
    course_id = store.add_course("VIDE", "Cours vide")
    store.enrol(course_id, CLAIRE_MOREL.sub, "teacher")
    browser = enter(CLAIRE_MOREL.sub)
    first = tool.launch(browser, f"/courses/{course_id}/choose/launch")
    assert NRPS not in first
    assert "context_memberships_url" not in first[LTI + "custom"]

    store.add_activity(course_id, NewActivity("Spirale"))
    assert NRPS in tool.launch(browser, f"/courses/{course_id}/choose/launch")


def test_known_variables_are_substituted_and_unknown_ones_left_literally(enter, tool, store):
    custom = {
        "course": "$Context.id",
        "history": "$Context.id.history",
        "login": "$User.username",
        "full_name": "$Person.name.full",
        "inside": "course $Context.id",
        "unknown": "$ResourceLink.id.history",
        "equals": "a=b",
        "column": "$LineItem.url",
    }
    activity = store.add_activity(2, NewActivity("Lien", custom=custom))

    received = tool.launch(enter(ADAM.sub), launch_of(activity))[LTI + "custom"]

    received.pop("context_memberships_url")
    assert received == {
        "course": "2",
        "history": "",
        "login": "adam.benali",
        "full_name": "Adam Benali",
        "inside": "course $Context.id",
        "unknown": "$ResourceLink.id.history",
        "equals": "a=b",
        "column": "",
    }


def test_a_key_with_capitals_or_punctuation_comes_twice(enter, tool, store):
    activity = store.add_activity(2, NewActivity("Lien", custom={"Casse.Mixte": "1"}))

    custom = tool.launch(enter(ADAM.sub), launch_of(activity))[LTI + "custom"]

    assert (custom["Casse.Mixte"], custom["casse_mixte"]) == ("1", "1")


def test_a_registrations_parameter_is_substituted_and_a_withheld_name_is_null(another_demo, settings, clock):
    custom = {"full_name": "$Person.name.full", "course": "$Context.id"}
    address = another_demo(names=False, tool_custom=custom)
    browser, tool = Browser(address, ADAM.sub), Tool(address, settings.tool_url, clock)
    received = tool.launch(browser, LAUNCH)[LTI + "custom"]
    browser.close()
    tool.close()

    assert received["full_name"] is None
    assert received["course"] == "2"


def test_a_copied_course_has_a_history_new_links_and_the_old_custom(enter, tool, store):
    custom = {"evaluation": "17", "history": "$Context.id.history"}
    store.add_activity(2, NewActivity("Oral", custom=custom, column=Column(4, "r-1", "C1")))
    tool.create(label="C2", tag="C2", resourceLinkId="101")

    copy_id = store.copy_course(MRC1.id, "2MRC1-bis", "Seconde MRC 1 bis")
    second_copy_id = store.copy_course(copy_id, "2MRC1-ter", "Seconde MRC 1 ter")

    oral = next(activity for activity in store.activities(copy_id) if activity.title == "Oral")
    claims = tool.launch(enter(CLAIRE_MOREL.sub), f"/courses/{copy_id}/activities/{oral.id}/launch")
    assert claims[LTI + "context"]["id"] == str(copy_id)
    assert claims[LTI + "custom"]["evaluation"] == "17"
    assert claims[LTI + "custom"]["history"] == "2"
    columns = store.line_items(copy_id)
    assert {(item.label, item.resource_id, item.tag, item.coupled) for item in columns} == {
        ("Oral", "r-1", "C1", True),
        ("C2", "", "C2", False),
    }
    spirale = next(activity for activity in store.activities(copy_id) if activity.title == "Spirale")
    assert store.line_item(copy_id, "C2").resource_link_id == spirale.resource_link_id
    other = store.activities(second_copy_id)[1]
    claims = tool.launch(enter(CLAIRE_MOREL.sub), f"/courses/{second_copy_id}/activities/{other.id}/launch")
    assert claims[LTI + "custom"]["history"] == f"{copy_id},2"


def test_a_submission_review_names_the_pupil_and_goes_to_its_own_address(enter, tool, store):
    review = {"url": f"{tool.tool_url}/lti/launch", "custom": {"review": "yes"}}
    activity = store.add_activity(2, NewActivity("Oral", custom={"a": "1"}, column=Column(4, "", "", review)))

    claims = tool.launch(enter(CLAIRE_MOREL.sub), f"/courses/2/activities/{activity.id}/review/6/launch")

    assert claims[LTI + "message_type"] == "LtiSubmissionReviewRequest"
    assert claims[LTI + "for_user"] == {"user_id": "6"}
    assert claims[LTI + "target_link_uri"] == review["url"]
    assert (claims[LTI + "custom"]["a"], claims[LTI + "custom"]["review"]) == ("1", "yes")
    assert claims[LTI + "resource_link"]["id"] == activity.resource_link_id


@pytest.mark.parametrize(("sub", "status"), [("6", 200), ("7", 403), (YANN_LE_GOFF.sub, 200)])
def test_a_pupil_reviews_only_himself(enter, sub, status):
    assert enter(sub).get("/courses/2/activities/1/review/6/launch").status_code == status


def test_on_a_clash_the_registrations_parameter_wins():
    assert custom_claim({"a": "activity", "b": "1"}, {"a": "registration"}, {}) == {
        "a": "registration",
        "b": "1",
    }
