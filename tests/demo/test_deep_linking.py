"""Deep linking: Moodle's settings, and a return that is checked wholly before anything is made."""

import uuid

import pytest

from lti_tool.demo.people import CLAIRE_MOREL, YANN_LE_GOFF

from .played_tool import LTI, LTI_DL, form_action, hidden_fields

CHOOSE = "/courses/2/choose/launch"


@pytest.fixture
def teacher(enter):
    return enter(CLAIRE_MOREL.sub)


@pytest.fixture
def settings_claim(teacher, tool):
    return tool.launch(teacher, CHOOSE)[LTI_DL + "deep_linking_settings"]


@pytest.fixture
def response(tool, demo_url, clock):
    """The claims of a right response with those items; a change to None leaves a claim out."""

    def claims(*items, **changes):
        right = {
            "iss": "spirale-demo",
            "aud": demo_url,
            "iat": clock.epoch,
            "exp": clock.epoch + 60,
            "nonce": uuid.uuid4().hex,
            LTI + "deployment_id": "1",
            LTI + "message_type": "LtiDeepLinkingResponse",
            LTI + "version": "1.3.0",
            LTI_DL + "content_items": list(items),
        }
        return {name: value for name, value in {**right, **changes}.items() if value is not None}

    return claims


@pytest.fixture
def send(teacher, tool, settings_claim):
    """Post a response to the return address."""

    def post(claims, browser=teacher, **signing):
        token = tool.sign(claims, **signing)
        return browser.post(settings_claim["deep_link_return_url"], data={"JWT": token})

    return post


ITEM = {"type": "ltiResourceLink", "title": "Évaluation 1"}


def test_the_launch_says_what_moodle_says_and_no_more(teacher, tool, demo_url):
    claims = tool.launch(teacher, CHOOSE)

    settings = claims[LTI_DL + "deep_linking_settings"]
    assert settings.pop("deep_link_return_url").startswith(f"{demo_url}/lti/deep-link-return?course=2&key=")
    assert settings == {
        "accept_types": ["ltiResourceLink"],
        "accept_presentation_document_targets": ["frame", "iframe", "window"],
        "accept_copy_advice": False,
        "accept_multiple": True,
        "accept_unsigned": False,
        "auto_create": False,
        "can_confirm": False,
        "title": "Spirale",
        "text": "",
    }
    assert claims[LTI + "message_type"] == "LtiDeepLinkingRequest"
    assert claims[LTI + "target_link_uri"] == f"{tool.tool_url}/lti/launch"
    assert LTI + "resource_link" not in claims


def test_only_an_editing_teacher_may_choose(enter):
    for sub in ("6", YANN_LE_GOFF.sub):
        assert enter(sub).get(CHOOSE).status_code == 403


def test_each_item_becomes_an_activity_in_order(send, response, store, tool):
    items = [
        {
            **ITEM,
            "text": "Un <b>texte</b>",
            "url": f"{tool.tool_url}/lti/launch",
            "custom": {"evaluation": "7"},
            "lineItem": {
                "label": "dropped",
                "scoreMaximum": 4,
                "resourceId": "r-7",
                "tag": "C7",
                "submissionReview": {
                    "url": f"{tool.tool_url}/lti/launch",
                    "label": "x",
                    "custom": {"r": "1"},
                },
            },
        },
        {"type": "ltiResourceLink"},
    ]

    answer = send(response(*items))

    assert answer.status_code == 200
    assert "2 activités ajoutées." in answer.text
    first, second = store.activities(2)[1:]
    assert (first.title, first.text, first.custom) == ("Évaluation 1", "Un <b>texte</b>", {"evaluation": "7"})
    assert (second.title, second.url, second.graded) == ("Spirale", "", False)
    (item,) = store.line_items(2)
    assert (item.label, item.score_maximum, item.resource_id, item.tag) == ("Évaluation 1", 4, "r-7", "C7")
    assert (item.coupled, item.resource_link_id) == (True, first.resource_link_id)
    (listed,) = tool.lineitems().json()
    assert listed["submissionReview"] == {"url": f"{tool.tool_url}/lti/launch", "custom": {"r": "1"}}


def test_the_default_maximum_is_100(send, response, store):
    send(response({**ITEM, "lineItem": {}}))

    assert store.line_items(2)[0].score_maximum == 100


def test_an_empty_or_absent_list_is_a_cancellation(teacher, tool, response, store):
    for changes in ({}, {LTI_DL + "content_items": None}):
        settings = tool.launch(teacher, CHOOSE)[LTI_DL + "deep_linking_settings"]
        token = tool.sign(response(**changes))
        answer = teacher.post(settings["deep_link_return_url"], data={"JWT": token})
        assert answer.status_code == 200
        assert "Rien n&#39;a été ajouté." in answer.text
    assert len(store.activities(2)) == 1


def test_the_tools_messages_are_shown_there_and_on_the_course_page(send, response, teacher):
    answer = send(response(**{LTI_DL + "errormsg": "Panne <1>", LTI_DL + "msg": "Bravo"}))
    course = teacher.get("/courses/2")

    for page in (answer.text, course.text):
        assert 'class="message error"' in page
        assert "Panne &lt;1&gt;" in page
        assert "Bravo" in page
    assert "Bravo" not in teacher.get("/courses/2").text


@pytest.mark.parametrize(
    "changes",
    [
        {"iss": "somebody-else"},
        {"iss": None},
        {"aud": "spirale-demo"},
        {"aud": None},
        {"exp": None},
        {"iat": None},
        {"nonce": None},
        {"nonce": ""},
        {LTI + "deployment_id": "2"},
        {LTI + "deployment_id": None},
        {LTI + "message_type": "LtiDeepLinkingRequest"},
        {LTI + "message_type": None},
        {LTI + "version": "1.3"},
        {LTI + "version": None},
        {LTI_DL + "content_items": {}},
        {LTI_DL + "data": "never sent"},
    ],
)
def test_a_wrong_claim_is_refused_and_nothing_is_made(send, response, store, changes):
    answer = send(response(ITEM, **changes))

    assert answer.status_code == 400
    assert "Invalid request" in answer.text
    assert len(store.activities(2)) == 1


@pytest.mark.parametrize(
    "item",
    [
        "text",
        {"type": "link", "url": "https://example.org"},
        {"type": "html", "html": "<p>"},
        {"title": "no type"},
        {**ITEM, "title": 5},
        {**ITEM, "title": "x" * 256},
        {**ITEM, "url": "https://example.org/"},
        {**ITEM, "url": "/lti/launch"},
        {**ITEM, "custom": {"a": {"b": 1}}},
        {**ITEM, "custom": {"a": ["b"]}},
        {**ITEM, "custom": {"a": 1}},
        {**ITEM, "custom": {"a": None}},
        {**ITEM, "custom": {"a": "l1\nl2=x"}},
        {**ITEM, "custom": {"a\nb": "x"}},
        {**ITEM, "custom": ["a=b"]},
        {**ITEM, "lineItem": []},
        {**ITEM, "lineItem": {"scoreMaximum": 0}},
        {**ITEM, "lineItem": {"scoreMaximum": "4"}},
        {**ITEM, "lineItem": {"scoreMaximum": 4, "tag": 1}},
        {**ITEM, "lineItem": {"scoreMaximum": 4, "submissionReview": {"url": "https://example.org"}}},
    ],
)
def test_one_bad_item_refuses_the_whole_answer(send, response, store, item):
    answer = send(response(ITEM, item))

    assert answer.status_code == 400
    assert "Invalid request" in answer.text
    assert len(store.activities(2)) == 1


def test_the_signature_must_be_the_tools(send, response, store):
    assert send(response(ITEM), key="stranger", kid="tool-1").status_code == 400
    assert send(response(ITEM), kid=None).status_code == 400
    assert len(store.activities(2)) == 1


def test_an_expired_answer_is_refused_at_the_very_second(send, response, clock):
    assert send(response(ITEM, iat=clock.epoch - 9, exp=clock.epoch)).status_code == 400
    assert send(response(ITEM, iat=clock.epoch - 9, exp=clock.epoch + 1)).status_code == 200


def test_aud_may_be_a_list_with_the_issuer(send, response, demo_url):
    assert send(response(ITEM, aud=[demo_url])).status_code == 200


def test_the_return_address_serves_once(send, response, store):
    assert send(response(ITEM)).status_code == 200
    assert send(response(ITEM)).status_code == 400
    assert len(store.activities(2)) == 2


def test_a_nonce_serves_once(teacher, tool, response):
    claims = response(ITEM)
    answers = []
    for _ in range(2):
        settings = tool.launch(teacher, CHOOSE)[LTI_DL + "deep_linking_settings"]
        token = tool.sign(claims)
        answers.append(teacher.post(settings["deep_link_return_url"], data={"JWT": token}).status_code)

    assert answers == [200, 400]


def test_a_changed_return_address_is_refused(teacher, tool, settings_claim, response):
    url = settings_claim["deep_link_return_url"]
    for changed in (url.replace("course=2", "course=3"), url + "x", url.split("?")[0]):
        assert teacher.post(changed, data={"JWT": tool.sign(response(ITEM))}).status_code == 400


def test_the_return_address_is_bound_to_the_person(send, response, enter, store):
    assert send(response(ITEM), enter("4")).status_code == 400
    assert len(store.activities(2)) == 1


def test_a_return_without_the_platforms_cookie_is_sent_again_from_its_own_page(
    send, response, enter, teacher, settings_claim, store
):
    page = send(response(ITEM), enter(None))

    assert len(store.activities(2)) == 1
    fields = hidden_fields(page.text)
    assert set(fields) == {"JWT", "repost"}
    assert teacher.post(form_action(page.text), data=fields).status_code == 200
    assert len(store.activities(2)) == 2
