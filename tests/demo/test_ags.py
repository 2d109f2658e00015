"""Line items over AGS, as Moodle 4.5's gradebookservices takes them."""

import pytest

from lti_tool.demo.activities import Column, NewActivity

from .played_tool import (
    CONTAINER,
    LINEITEM,
    SCOPE_LINEITEM,
    SCOPE_LINEITEM_READONLY,
    SCOPE_NRPS,
    SCOPE_RESULT,
    SCOPE_SCORE,
    segment,
)

ITEMS = "/lti/courses/2/lineitems"


@pytest.fixture
def item_url(tool):
    return tool.create(resourceId="r-1", tag="C1").json()["id"]


def grades_of(store, column="Compétence 1"):
    return {sub: grade.value for sub, grade in store.grades(2, column).items()}


def test_a_standalone_item_is_created_with_201_and_its_address_has_a_query(tool, store, demo_url):
    answer = tool.create(label="Écouter", scoreMaximum=4, resourceId="r-1", tag="C1")

    (item,) = store.line_items(2)
    assert answer.status_code == 201
    assert answer.headers["Content-Type"].startswith(LINEITEM)
    assert answer.json() == {
        "id": f"{demo_url}/lti/courses/2/lineitems/{item.id}/lineitem?type_id=1",
        "label": "Écouter",
        "scoreMaximum": 4,
        "resourceId": "r-1",
        "tag": "C1",
    }
    assert not item.coupled


def test_dates_and_release_are_echoed_at_creation_and_dropped(tool):
    answer = tool.create(startDateTime="2026-11-23T08:00:00Z", gradesReleased=True)

    assert answer.json()["startDateTime"] == "2026-11-23T08:00:00Z"
    assert not {"startDateTime", "gradesReleased"} & set(tool.lineitems().json()[0])


def test_the_same_resource_and_tag_may_be_created_twice(tool):
    assert [tool.create(resourceId="r", tag="t").status_code for _ in range(2)] == [201, 201]
    assert len(tool.lineitems(resource_id="r", tag="t").json()) == 2


@pytest.mark.parametrize(
    "item",
    [
        {"label": None},
        {"label": " "},
        {"label": 5},
        {"scoreMaximum": None},
        {"scoreMaximum": "four"},
        {"scoreMaximum": True},
        {"scoreMaximum": -1},
        {"tag": 5},
    ],
)
def test_an_item_without_label_or_numeric_maximum_is_400(tool, item):
    assert tool.create(**item).status_code == 400


@pytest.mark.parametrize("body", ["", "[]", "nope", '{"label":"x","scoreMaximum":NaN}'])
def test_a_body_that_is_no_json_object_is_400(tool, body):
    answer = tool.call("POST", ITEMS, data=body, headers={"Content-Type": LINEITEM})

    assert answer.status_code == 400


def test_a_label_over_255_characters_is_502(tool, item_url):
    assert tool.create(label="é" * 255).status_code == 201
    assert tool.create(label="é" * 256).status_code == 502
    assert tool.put(item_url, label="é" * 256, scoreMaximum=4).status_code == 502


def test_an_item_may_be_attached_to_an_activity_of_the_course_only(tool, store):
    elsewhere = store.activities(3)[0].resource_link_id

    attached = tool.create(resourceLinkId="101")
    assert attached.status_code == 201
    assert attached.json()["resourceLinkId"] == attached.json()["ltiLinkId"] == "101"
    for unknown in (elsewhere, "1", "999", "abc"):
        assert tool.create(resourceLinkId=unknown).status_code == 403


@pytest.mark.parametrize(
    "accept", ["*/*", "application/json", LINEITEM, f"{CONTAINER}, */*;q=0.1", f"{CONTAINER};q=1"]
)
def test_a_list_is_given_only_to_its_own_accept_alone(tool, accept):
    assert tool.call("GET", ITEMS, headers={"Accept": accept}).status_code == 400
    assert tool.call("GET", ITEMS, headers={"Accept": CONTAINER}).status_code == 200


@pytest.mark.parametrize("content_type", ["application/json", CONTAINER, "text/plain", ""])
def test_an_item_is_taken_only_under_its_own_content_type(tool, content_type):
    body = '{"label":"x","scoreMaximum":4}'

    assert tool.call("POST", ITEMS, data=body, headers={"Content-Type": content_type}).status_code == 400


def test_a_charset_after_the_content_type_is_accepted(tool):
    body, headers = '{"label":"x","scoreMaximum":4}', {"Content-Type": f"{LINEITEM}; charset=utf-8"}

    assert tool.call("POST", ITEMS, data=body, headers=headers).status_code == 201


def test_one_item_and_its_results_accept_anything_in_stars_but_not_plain_json(tool, item_url):
    for url in (item_url, segment(item_url, "results")):
        assert tool.call("GET", url, headers={"Accept": "*/*"}).status_code == 200
        assert tool.call("GET", url, headers={"Accept": "application/json"}).status_code == 400


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        ({"resource_id": "r-1"}, ["a", "b"]),
        ({"tag": "C1"}, ["a", "c"]),
        ({"resource_id": "r-1", "tag": "C1"}, ["a"]),
        ({"resource_link_id": "101"}, ["c"]),
        ({"lti_link_id": "101"}, ["c"]),
        ({"resource_id": "r-"}, []),
        ({"tag": "c1"}, []),
        ({"tag": ""}, ["a", "b", "c"]),
    ],
)
def test_filters_are_exact_and_combine(tool, filters, expected):
    tool.create(label="a", resourceId="r-1", tag="C1")
    tool.create(label="b", resourceId="r-1", tag="C2")
    tool.create(label="c", resourceId="r-2", tag="C1", resourceLinkId="101")

    assert [item["label"] for item in tool.lineitems(**filters).json()] == expected


def test_without_limit_all_items_come_and_with_it_pages_from_an_offset(tool):
    for number in range(5):
        tool.create(label=str(number))

    assert len(tool.lineitems().json()) == 5
    assert [item["label"] for item in tool.lineitems(limit=2, **{"from": 2}).json()] == ["2", "3"]
    assert len(tool.lineitems(limit=0).json()) == 5


def test_the_next_link_is_malformed_as_moodles(tool, demo_url):
    for number in range(3):
        tool.create(label=str(number), tag="C1")

    page = tool.lineitems(limit=2, tag="C1")

    header = page.headers["Link"].encode("latin-1").decode()
    assert header == f"<{demo_url}{ITEMS}?type_id=1&amp;tag=C1&amp;limit=2&amp;from=2>; rel=“next”"
    assert "next" not in page.links
    assert "Link" not in tool.lineitems(limit=2, **{"from": 1}).headers


def test_coupled_items_are_listed_with_their_link(tool, store):
    activity = store.add_activity(2, NewActivity("Oral", column=Column(20, "r-9", "C9")))

    (item,) = tool.lineitems().json()

    assert (item["label"], item["scoreMaximum"]) == ("Oral", 20)
    assert (item["resourceId"], item["tag"]) == ("r-9", "C9")
    assert item["resourceLinkId"] == activity.resource_link_id


def test_put_replaces_everything_and_erases_what_is_missing(tool):
    url = tool.create(resourceId="r-1", tag="C1", resourceLinkId="101").json()["id"]

    answer = tool.put(url, label="Nouveau", scoreMaximum=4)

    assert answer.status_code == 200
    item = tool.call("GET", url).json()
    assert item == {"id": url, "label": "Nouveau", "scoreMaximum": 4, "resourceId": "", "tag": ""}


def test_put_requires_label_and_maximum(tool, item_url):
    assert tool.put(item_url, label="x").status_code == 400
    assert tool.put(item_url, scoreMaximum=4).status_code == 400


def test_put_keeps_a_coupled_item_coupled_and_leaves_its_activity_alone(tool, store):
    activity = store.add_activity(2, NewActivity("Oral", column=Column(20, "r-9", "C9")))
    url = tool.lineitems().json()[0]["id"]

    tool.put(url, label="Colonne", scoreMaximum=20)

    item = store.line_item(2, "Colonne")
    assert (item.coupled, item.resource_link_id, item.tag) == (True, activity.resource_link_id, "")
    assert store.activities(2)[1].title == "Oral"


def test_a_new_maximum_keeps_the_percentage_of_each_grade(tool, store, item_url, clock):
    tool.score(item_url, "6", 2)
    tool.score(item_url, "7", None)

    tool.put(item_url, label="Compétence 1", scoreMaximum=20)

    assert grades_of(store) == {"6": 10, "7": None}


def test_delete_is_204_and_takes_the_grades(tool, store, item_url):
    tool.score(item_url, "6", 2)

    assert tool.call("DELETE", item_url).status_code == 204
    assert store.line_items(2) == []
    assert tool.call("GET", item_url).status_code == 404
    assert tool.call("DELETE", item_url).status_code == 404


def test_deleting_a_coupled_item_leaves_an_ungraded_activity(tool, store):
    store.add_activity(2, NewActivity("Oral", column=Column()))
    url = tool.lineitems().json()[0]["id"]

    assert tool.call("DELETE", url).status_code == 204
    assert [activity.graded for activity in store.activities(2)] == [False, False]


def test_an_item_is_not_found_in_another_course_nor_a_course_that_is_not(tool, item_url):
    assert tool.call("GET", item_url.replace("/courses/2/", "/courses/3/")).status_code == 404
    assert tool.lineitems(99).status_code == 404


def test_one_token_reaches_every_course(tool):
    assert tool.create(3).status_code == 201


@pytest.mark.parametrize(
    ("method", "path", "headers", "enough"),
    [
        ("GET", "", {"Accept": CONTAINER}, {SCOPE_LINEITEM, SCOPE_LINEITEM_READONLY}),
        ("POST", "", {"Content-Type": LINEITEM}, {SCOPE_LINEITEM}),
        ("GET", "/{}/lineitem", {}, {SCOPE_LINEITEM, SCOPE_LINEITEM_READONLY}),
        ("PUT", "/{}/lineitem", {"Content-Type": LINEITEM}, {SCOPE_LINEITEM}),
        ("DELETE", "/{}/lineitem", {}, {SCOPE_LINEITEM}),
        (
            "POST",
            "/{}/lineitem/scores",
            {"Content-Type": "application/vnd.ims.lis.v1.score+json"},
            {SCOPE_SCORE},
        ),
        ("GET", "/{}/lineitem/results", {}, {SCOPE_RESULT}),
    ],
)
def test_each_route_demands_its_scope(tool, store, item_url, method, path, headers, enough):
    url = ITEMS + path.format(store.line_items(2)[0].id)
    every = (SCOPE_LINEITEM, SCOPE_LINEITEM_READONLY, SCOPE_SCORE, SCOPE_RESULT, SCOPE_NRPS)
    refused = {
        scope
        for scope in every
        if tool.call(method, url, token=tool.token(scope), data="{", headers=headers).status_code == 401
    }

    assert refused == set(every) - enough


def test_a_refused_token_gets_moodles_json(tool):
    headers = {"Accept": CONTAINER}
    for token in ("", "unknown"):
        answer = tool.call("GET", f"{ITEMS}?type_id=1", token=token, headers=headers)
        assert answer.status_code == 401
        assert answer.headers["Content-Type"].startswith("application/json")
        assert answer.json() == {
            "status": 401,
            "reason": "Unauthorized",
            "request": {"method": "GET", "url": f"{ITEMS}?type_id=1", "accept": CONTAINER},
        }


def test_a_token_works_only_with_its_own_type(tool):
    assert tool.lineitems(type_id="2").status_code == 401
    assert tool.call("GET", ITEMS, headers={"Accept": CONTAINER}).status_code == 200


def test_a_method_that_a_resource_does_not_have_is_405(tool, item_url):
    assert tool.call("DELETE", ITEMS).status_code == 405
    assert tool.call("GET", segment(item_url, "scores")).status_code == 405
