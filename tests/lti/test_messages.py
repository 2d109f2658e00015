"""Where each message of a platform leads, and what each person then sees."""

from __future__ import annotations

import itertools
from typing import Any
from urllib.parse import parse_qs, urlsplit

import jwt
import pytest
import sqlalchemy as sa
from flask import Flask
from werkzeug.test import TestResponse

from lti_tool.activities.links import CUSTOM_ACTIVITY
from lti_tool.courses.models import Course, Enrolment, Person, Role
from lti_tool.db import db
from tests import factories
from tests.lti.platform_of_tests import LTI, MEMBERSHIP, Lms, new_key
from tests.web.reading import words

RETURN_URL = "https://lms.example.org/mod/lti/return.php?course=2&sesskey=abc"
AGS = "https://purl.imsglobal.org/spec/lti-ags/claim/endpoint"
ADMINISTRATOR = [
    "http://purl.imsglobal.org/vocab/lis/v2/institution/person#Administrator",
    MEMBERSHIP + "Instructor",
    "http://purl.imsglobal.org/vocab/lis/v2/system/person#Administrator",
]
WHO: dict[str, tuple[str, list[str]]] = {
    "teacher": ("5", [MEMBERSHIP + "Instructor"]),
    "co-teacher": ("6", ["Instructor"]),
    "non-editing teacher": (
        "7",
        ["http://purl.imsglobal.org/vocab/lis/v2/membership/Instructor#TeachingAssistant"],
    ),
    "pupil": ("8", [MEMBERSHIP + "Learner"]),
    "administrator, not enrolled": ("9", ADMINISTRATOR),
    "observer": ("10", []),
}


def go(lms: Lms, who: str, **claims: Any) -> TestResponse:
    """Launch as somebody; the page that the launch leads to, redirects not followed further than the first page."""
    sub, roles = WHO[who]
    opened = lms.whole_launch(sub=sub, roles=roles, **claims)
    assert opened.status_code == 303, words(opened)
    return lms.client.get(opened.headers["Location"])


def page_of(answer: TestResponse) -> str:
    """The page below the session that an answer leads to."""
    assert answer.status_code == 303, words(answer)
    return "/" + answer.headers["Location"].split("/", 3)[3]


@pytest.fixture
def activity(app: Flask, lms: Lms) -> dict[str, Any]:
    """An activity of the course that the platform's launches come from, and the link that a teacher made to it."""
    go(lms, "teacher")
    with app.app_context():
        course = db.session.scalars(sa.select(Course)).one()
        made = factories.activity(course, "1A", "1C", title="Accueil au lycée")
        db.session.commit()
        found = {"id": made.id, "uuid": made.uuid, "course": course.id}
        db.session.close()
    return found


WITHOUT = {
    "teacher": "/activities",
    "co-teacher": "/activities",
    "non-editing teacher": "/activities",
    "pupil": "/me",
    "administrator, not enrolled": "/activities",
    "observer": "/referential",
}
WITH = {
    "teacher": "/activities/{id}/grid",
    "co-teacher": "/activities/{id}/grid",
    "non-editing teacher": "/activities/{id}/grid",
    "pupil": "/activities/{id}",
    "administrator, not enrolled": "/activities/{id}/grid",
    "observer": "/referential",
}


@pytest.mark.parametrize("who", WHO)
def test_a_link_leads_each_person_where_they_work(lms: Lms, activity: dict[str, Any], who: str) -> None:
    """In the frame and in a window of its own, in a course without services, and with a gradebook only."""
    teaches = who in ("teacher", "co-teacher", "administrator, not enrolled")
    gradebook = {AGS: {"scope": [], "lineitems": "https://lms.example.org/lineitems"}}
    to_activity = {
        "resource_link": {"id": "8", "title": "Accueil"},
        "custom": {CUSTOM_ACTIVITY: activity["uuid"]},
    }
    for target, services in itertools.product(("iframe", "window"), ({}, gradebook)):
        presented = {"locale": "fr", "document_target": target}
        for link, leads_to in (({}, WITHOUT[who]), (to_activity, WITH[who].format(**activity))):
            answer = go(lms, who, launch_presentation=presented, **services, **link)

            assert page_of(answer) == leads_to
            shown = lms.client.get(answer.headers["Location"])
            assert shown.status_code == 200, words(shown)
            assert ("Réglages du cours" in shown.text) is teaches


def test_a_duplicated_link_opens_the_same_activity(lms: Lms, activity: dict[str, Any]) -> None:
    """Moodle duplicates the custom parameters under a new link."""
    pages = [
        page_of(go(lms, "pupil", resource_link={"id": number}, custom={CUSTOM_ACTIVITY: activity["uuid"]}))
        for number in ("8", "9")
    ]

    assert pages == [f"/activities/{activity['id']}"] * 2


# ----- submission review -----


def review(lms: Lms, who: str, for_user: Any, **more: Any) -> TestResponse:
    return go(lms, who, message_type="LtiSubmissionReviewRequest", for_user=for_user, **more)


@pytest.fixture
def pupil_id(app: Flask, lms: Lms, activity: dict[str, Any]) -> int:
    """The pupil « 8 », who has come once, with a level and a comment in the activity."""
    go(lms, "pupil", given_name="Adam", family_name="Benali", name="Adam Benali")
    with app.app_context():
        people = {p.sub: p for p in db.session.scalars(sa.select(Person))}
        done = db.session.get_one(factories.Activity, activity["id"])
        factories.assessment(done, "1A", people["8"], 3, people["5"], "Accueil souriant.")
        db.session.commit()
        found = people["8"].id
        db.session.close()
    return found


@pytest.mark.parametrize("who", ["teacher", "non-editing teacher"])
def test_a_review_opens_the_pupils_page_for_that_activity(
    lms: Lms, activity: dict[str, Any], pupil_id: int, who: str
) -> None:
    custom = {CUSTOM_ACTIVITY: activity["uuid"]}
    answer = review(lms, who, {"user_id": "8"}, resource_link={"id": "8"}, custom=custom)

    assert page_of(answer) == f"/activities/{activity['id']}/pupils/{pupil_id}"
    shown = lms.client.get(answer.headers["Location"])
    said = words(shown)
    assert "Accueil au lycée" in said
    assert "Adam Benali" in said
    assert "maîtrisée" in said
    assert "Commentaire Accueil souriant." in said
    assert "pas encore de résultat" in said, "1C"
    assert f"/activities/{activity['id']}/grid/{pupil_id}" in shown.text, "the entry, one click away"


def test_a_review_of_a_link_without_activity_opens_the_pupils_sheet(lms: Lms, pupil_id: int) -> None:
    """Moodle sends it for every link, declared or not."""
    assert page_of(review(lms, "teacher", {"user_id": "8"})) == f"/pupils/{pupil_id}"


@pytest.mark.parametrize("for_user", ["8", "5", "nobody"])
def test_a_pupil_only_reviews_their_own_work(
    lms: Lms, activity: dict[str, Any], pupil_id: int, for_user: str
) -> None:
    custom = {CUSTOM_ACTIVITY: activity["uuid"]}
    answer = review(lms, "pupil", {"user_id": for_user}, resource_link={"id": "8"}, custom=custom)

    assert page_of(answer) == f"/activities/{activity['id']}"
    assert "Accueil souriant." in words(lms.client.get(answer.headers["Location"]))
    assert page_of(review(lms, "pupil", {"user_id": for_user})) == "/me"


@pytest.mark.parametrize("for_user", ["nobody", "5"])
def test_a_review_of_somebody_who_is_no_pupil_here_says_so(lms: Lms, pupil_id: int, for_user: str) -> None:
    answer = review(lms, "teacher", {"user_id": for_user})

    assert answer.status_code == 404
    assert "Élève inconnu dans ce cours" in words(answer)
    assert "Que faire" in words(answer)


def test_a_pupil_of_another_course_is_unknown_in_a_review(app: Flask, lms: Lms, pupil_id: int) -> None:
    answer = review(lms, "teacher", {"user_id": "8"}, context={"id": "3", "title": "Une autre classe"})

    assert answer.status_code == 404
    assert "Adam" not in answer.text


@pytest.mark.parametrize("for_user", [{}, None, {"user_id": ""}, {"user_id": 8}, "8"])
def test_a_review_that_does_not_say_of_whom_is_refused(lms: Lms, for_user: Any) -> None:
    sub, roles = WHO["teacher"]
    answer = lms.whole_launch(
        sub=sub, roles=roles, message_type="LtiSubmissionReviewRequest", for_user=for_user
    )

    assert answer.status_code == 403
    assert "Ouverture refusée" in words(answer)


# ----- the way back -----


def presented(locale: str = "fr") -> dict[str, str]:
    return {"locale": locale, "document_target": "iframe", "return_url": RETURN_URL}


def back_to(answer: TestResponse) -> dict[str, list[str]]:
    """What the button of a refusal takes back to the platform."""
    href = answer.text.partition('<a class="btn" href="')[2].partition('"')[0].replace("&amp;", "&")
    assert href.startswith("https://lms.example.org/mod/lti/return.php?"), answer.text
    return parse_qs(urlsplit(href).query)


@pytest.mark.parametrize(
    ("changed", "sentence"),
    [
        ({"version": "1.2.0"}, "Le message de la plateforme n’est pas celui qu’elle devrait envoyer."),
        ({"roles": None}, "Le message de la plateforme n’est pas celui qu’elle devrait envoyer."),
        ({"target_link_uri": "https://elsewhere.example.org"}, "n’est pas celle de Spirale"),
        ({"context": {}, "resource_link": {}}, ""),
    ],
)
def test_a_refusal_of_a_signed_message_goes_back_with_its_reason_and_a_reference(
    lms: Lms, changed: dict[str, Any], sentence: str
) -> None:
    answer = lms.whole_launch(launch_presentation=presented(), **changed)

    assert answer.status_code in (400, 403)
    told = back_to(answer)
    assert told["course"] == ["2"]
    assert told["sesskey"] == ["abc"]
    assert sentence in told["lti_errormsg"][0]
    assert told["lti_errorlog"][0].startswith("S-")
    assert told["lti_errorlog"][0] in answer.text
    assert "lti_msg" not in told


def test_a_refusal_speaks_the_language_of_the_message(lms: Lms) -> None:
    answer = lms.whole_launch(launch_presentation=presented("en"), version="1.2.0")

    assert '<html lang="en">' in answer.text
    assert "Opening refused" in back_to(answer)["lti_errormsg"][0]


def test_a_message_whose_signature_is_wrong_leads_nowhere(lms: Lms) -> None:
    lms.begin()
    forged = lms.sign(lms.claims(launch_presentation=presented(), version="1.2.0"), key=new_key())
    answer = lms.launch(forged)

    assert answer.status_code == 403
    assert "lms.example.org/mod" not in answer.text


@pytest.mark.parametrize("presentation", ["fr", [], {"return_url": "javascript:alert(1)", "locale": 3}])
def test_a_way_back_that_is_wrong_is_not_taken(lms: Lms, presentation: Any) -> None:
    answer = lms.whole_launch(launch_presentation=presentation, version="1.2.0")

    assert answer.status_code == 403
    assert 'target="_top"' not in answer.text


def test_pages_have_a_way_back_to_the_course_where_the_platform_gives_one(lms: Lms) -> None:
    with_one = go(lms, "pupil", launch_presentation=presented())
    shown = lms.client.get(with_one.headers["Location"])
    refused = lms.client.get(with_one.headers["Location"].replace("/me", "/settings"))
    without = lms.client.get(go(lms, "pupil").headers["Location"])

    link = f'href="{RETURN_URL.replace("&", "&amp;")}"'
    assert shown.text.count(f'{link} target="_top">Retour au cours') == 2, "in the bar, and at a phone's foot"
    assert refused.status_code == 403
    assert link in refused.text
    assert "Retour au cours" not in without.text


# ----- deep linking -----


def test_a_platform_that_takes_no_links_is_told_so_both_ways(lms: Lms) -> None:
    settings = {
        "deep_link_return_url": "https://lms.example.org/back",
        "accept_types": ["html", "image"],
        "accept_presentation_document_targets": ["iframe"],
    }
    answer = go(
        lms,
        "teacher",
        message_type="LtiDeepLinkingRequest",
        **{"https://purl.imsglobal.org/spec/lti-dl/claim/deep_linking_settings": settings},
    )
    picker = lms.client.get(answer.headers["Location"])
    csrf = picker.text.partition('name="csrf" value="')[2].partition('"')[0]
    back = lms.client.post(answer.headers["Location"], data={"csrf": csrf, "item": "page:me"})

    assert "La plateforme n’accepte pas ici de lien vers un outil" in words(picker)
    token = back.text.partition('name="JWT" value="')[2].partition('"')[0]
    claims = jwt.decode(token, options={"verify_signature": False})
    dl = "https://purl.imsglobal.org/spec/lti-dl/claim/"
    assert claims[dl + "content_items"] == []
    assert claims[dl + "errormsg"].startswith("La plateforme n’accepte pas")
    assert claims[LTI + "message_type"] == "LtiDeepLinkingResponse"


def test_an_administrator_who_is_not_enrolled_counts_as_no_pupil(app: Flask, lms: Lms) -> None:
    go(lms, "administrator, not enrolled")
    with app.app_context():
        row = db.session.scalars(sa.select(Enrolment).join(Person).where(Person.sub == "9")).one()
        assert (row.role, row.launched_as) == (Role.TEACHER, Role.TEACHER)
