"""The picker: what it offers, and the signed answer that goes back to the platform."""

from __future__ import annotations

import html
import re
from datetime import date
from typing import Any

import jwt
import pytest
from jwt import PyJWK
from werkzeug.test import TestResponse

from lti_tool.activities.links import sign
from lti_tool.db import db
from lti_tool.lti.ags import SCOPE_LINEITEM, SCOPE_SCORE
from lti_tool.lti.models import Deployment
from tests import factories
from tests.conftest import SECRET, School, Visitor

from .reading import part, words

RETURN_URL = "https://lms.example.org/mod/lti/contentitem_return.php?course=2&sesskey=abc"
CLAIM = "https://purl.imsglobal.org/spec/lti/claim/"
DL = "https://purl.imsglobal.org/spec/lti-dl/claim/"


def settings(**more: Any) -> dict[str, Any]:
    """What a platform asked for, as the door keeps it."""
    return {
        "return_url": RETURN_URL,
        "accept_multiple": True,
        "accept_lineitem": True,
        "data": None,
        "title": "",
        "text": "",
        **more,
    }


def pick(school: School, who: str = "teacher", locale: str = "fr", **more: Any) -> Visitor:
    """Somebody who comes from the platform's « select content »."""
    return school.visit(who, deep_linking=settings(**more), locale=locale)


@pytest.fixture
def activity(school: School) -> dict[str, str]:
    with school.app.app_context():
        made = factories.activity(
            school.course,
            "1A",
            "1C",
            title="Vente <b>rapide</b> & « douce »",
            situation="Le client hésite.\n<script>alert(1)</script>",
            starts_on=date(2026, 11, 26),
        )
        db.session.commit()
        return {"id": str(made.id), "uuid": made.uuid}


def answer_of(school: School, page: TestResponse, **options: Any) -> dict[str, Any]:
    """The claims of the answer, verified with our public keys as a platform does."""
    assert page.status_code == 200, words(page)
    token = part(page, 'name="JWT" value="', '"')
    keys = school.app.test_client().get("/lti/jwks").get_json()["keys"]
    header = jwt.get_unverified_header(token)
    key = next(key for key in keys if key["kid"] == header["kid"])
    with school.app.app_context():
        issuer = db.session.merge(school.course).platform
        claims: dict[str, Any] = jwt.decode(
            token,
            PyJWK(key),
            algorithms=["RS256"],
            issuer=issuer.client_id,
            audience=issuer.issuer,
            options={"require": ["iss", "aud", "exp", "iat", "nonce"]},
            **options,
        )
    return claims


# ----- who and when -----


def test_the_picker_only_exists_in_a_session_that_the_platform_opened_for_it(school: School) -> None:
    visitor = school.visit("teacher")

    assert visitor.get("/picker").status_code == 404
    assert visitor.post("/picker", {"action": "cancel"}).status_code == 404


@pytest.mark.parametrize("who", ["assessor", "observer", "Adam"])
def test_only_a_teacher_may_add_to_the_course(school: School, who: str) -> None:
    visitor = pick(school, who)

    assert visitor.get("/picker").status_code == 403
    assert visitor.post("/picker", {"item": "page:overview", "action": "add"}).status_code == 403


# ----- what it offers -----


def test_the_form_offers_the_situations_the_ten_competences_and_the_overviews(
    school: School, activity: dict[str, str]
) -> None:
    page = pick(school).get("/picker")

    assert re.findall(r'<input type="checkbox" name="item" value="([^"]+)"', page.text) == [
        f"activity:{activity['id']}",
        *(f"competence:{code}" for code in ["1A", "1B", "1C", "1D", "2A", "2B", "2C", "3A", "3B", "3C"]),
        "page:overview",
        "page:me",
    ]
    assert "26 nov. · simple · 1A 1C" in words(page)
    assert "/activities/new?back=picker" in page.text
    assert '<nav class="nav"' not in page.text


def test_titles_are_shown_as_text(school: School, activity: dict[str, str]) -> None:
    page = pick(school).get("/picker").text

    assert "Vente &lt;b&gt;rapide&lt;/b&gt; &amp; « douce »" in page
    assert "<b>rapide" not in page


def test_archived_situations_and_those_of_other_courses_are_not_offered(school: School) -> None:
    with school.app.app_context():
        factories.activity(
            school.course, title="Rangée", archived_at=db.session.merge(school.course).created_at
        )
        factories.activity(factories.course(), title="Chez les autres")
        db.session.commit()

    said = words(pick(school).get("/picker"))

    assert "Rangée" not in said
    assert "Chez les autres" not in said
    assert "Aucune situation dans ce cours" in said


def test_an_activity_that_was_just_made_comes_back_ticked(school: School, activity: dict[str, str]) -> None:
    page = pick(school).get(f"/picker?chosen={activity['id']}")

    assert re.findall(r'value="([^"]+)" checked', page.text) == [f"activity:{activity['id']}"]


def test_older_situations_are_folded_unless_one_of_them_is_chosen(school: School) -> None:
    with school.app.app_context():
        made = [factories.activity(school.course, starts_on=date(2026, 9, day)) for day in range(1, 12)]
        db.session.commit()
        oldest, newest = made[0].id, made[-1].id

    assert '<details class="mt2"><summary' in pick(school).get(f"/picker?chosen={newest}").text
    page = pick(school).get(f"/picker?chosen={oldest}")
    assert '<details class="mt2" open><summary' in page.text
    assert "Les 3 autres situations" in words(page)


# ----- the answer -----


def test_what_is_chosen_goes_back_signed_in_the_order_of_the_page(
    school: School, activity: dict[str, str]
) -> None:
    page = pick(school).post(
        "/picker",
        {
            "item": ["page:me", "competence:1C", f"activity:{activity['id']}", "page:overview"],
            "action": "add",
        },
    )

    claims = answer_of(school, page)
    with school.app.app_context():
        config = school.app.extensions["spirale_config"]
        url = f"{config.base_url}/lti/launch"
        statement = factories.competence("1C").statement
        issuer = db.session.merge(school.course).platform.issuer
    assert claims[DL + "content_items"] == [
        {
            "type": "ltiResourceLink",
            "title": "Vente <b>rapide</b> & « douce »",
            "text": "Le client hésite.\n<script>alert(1)</script>",
            "url": url,
            "custom": {
                "spirale_activity": activity["uuid"],
                "spirale_signature": sign(activity["uuid"], issuer, SECRET),
                "spirale_history": "$Context.id.history",
            },
        },
        {
            "type": "ltiResourceLink",
            "title": "1C Rechercher le besoin du client",
            "text": statement,
            "url": url,
            "custom": {"spirale_page": "competence:1C"},
        },
        {
            "type": "ltiResourceLink",
            "title": "Bilan de la classe",
            "text": "Où en est la classe, compétence par compétence\u202f; un élève y voit ses propres compétences.",
            "url": url,
            "custom": {"spirale_page": "overview"},
        },
        {
            "type": "ltiResourceLink",
            "title": "Ma spirale",
            "text": "Mes compétences, situation après situation.",
            "url": url,
            "custom": {"spirale_page": "me"},
        },
    ]
    assert claims[CLAIM + "message_type"] == "LtiDeepLinkingResponse"
    assert claims[CLAIM + "version"] == "1.3.0"


def test_the_answer_names_the_deployment_of_this_session(school: School) -> None:
    with school.app.app_context():
        course = db.session.merge(school.course)
        second = Deployment(platform_id=course.platform_id, deployment_id="second of them")
        db.session.add(second)
        db.session.commit()
        number = second.id
    visitor = school.visit("teacher", deep_linking=settings(), deployment_id=number)

    claims = answer_of(school, visitor.post("/picker", {"item": "page:me", "action": "add"}))

    assert claims[CLAIM + "deployment_id"] == "second of them"


@pytest.mark.parametrize("data", ["opaque & « sent »", ""])
def test_data_is_echoed_when_it_was_sent(school: School, data: str) -> None:
    page = pick(school, data=data).post("/picker", {"item": "page:me", "action": "add"})

    assert answer_of(school, page)[DL + "data"] == data


def test_data_is_absent_when_it_was_not_sent(school: School) -> None:
    page = pick(school).post("/picker", {"item": "page:me", "action": "add"})

    assert DL + "data" not in answer_of(school, page)


def test_two_answers_never_carry_the_same_nonce(school: School) -> None:
    visitor = pick(school)

    nonces = {
        answer_of(school, visitor.post("/picker", {"item": "page:me", "action": "add"}))["nonce"]
        for _time in range(2)
    }

    assert len(nonces) == 2


def test_cancelling_goes_back_with_nothing_whatever_is_ticked(school: School) -> None:
    page = pick(school, data="sent").post("/picker", {"item": ["page:me", "nonsense"], "action": "cancel"})

    claims = answer_of(school, page)
    assert claims[DL + "content_items"] == []
    assert claims[DL + "data"] == "sent"
    assert "Rien à ajouter au cours" in words(page)


def test_the_answer_is_a_form_to_the_platform_that_a_script_of_ours_posts(school: School) -> None:
    page = pick(school).post("/picker", {"item": "page:me", "action": "add"})

    action = re.search(r'<form method="post" action="([^"]+)"[^>]*data-post', page.text)
    assert action
    assert html.unescape(action[1]) == RETURN_URL
    assert "Revenir au cours" in words(page)
    assert "1 élément à ajouter au cours" in words(page)
    assert re.findall(r'<script src="/static/(\w+\.js)', page.text) == ["spirale.js", "frame.js", "post.js"]
    policy = page.headers["Content-Security-Policy"]
    assert "form-action 'self' https://lms.example.org" in policy
    assert "script-src 'self';" in policy


def test_titles_follow_the_language_of_the_person(school: School, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lti_tool.web.picker._", lambda text: f"[en] {text}")

    page = pick(school, locale="en").post("/picker", {"item": "page:me", "action": "add"})

    assert answer_of(school, page)[DL + "content_items"][0]["title"] == "[en] Ma spirale"


def test_the_same_box_twice_is_one_link(school: School) -> None:
    page = pick(school, accept_multiple=False).post(
        "/picker", {"item": ["page:me", "page:me"], "action": "add"}
    )

    assert len(answer_of(school, page)[DL + "content_items"]) == 1


# ----- a column of the activity's own -----


@pytest.mark.parametrize(("conversion", "maximum"), [("points", 4), ("table", 20)])
def test_a_column_comes_when_it_is_asked_for(
    school: School, activity: dict[str, str], conversion: str, maximum: int
) -> None:
    with school.app.app_context():
        factories.gradebook_settings(db.session.merge(school.course), conversion=conversion)
        db.session.commit()
    item = f"activity:{activity['id']}"

    page = pick(school).post("/picker", {"item": [item, "page:me"], "column": item, "action": "add"})

    first, second = answer_of(school, page)[DL + "content_items"]
    assert first["custom"]["spirale_column"] == "1"
    assert first["lineItem"] == {
        "label": "Vente <b>rapide</b> & « douce »",
        "scoreMaximum": maximum,
        "resourceId": activity["uuid"],
        "tag": "activity",
        "submissionReview": {"url": first["url"], "custom": first["custom"]},
    }
    assert isinstance(first["lineItem"]["scoreMaximum"], int)
    assert "lineItem" not in second
    assert all(isinstance(v, str) and "\n" not in v for v in first["custom"].values())


@pytest.mark.parametrize(
    ("accept_lineitem", "scopes", "offered"),
    [
        (True, [SCOPE_SCORE], True),
        (True, [SCOPE_LINEITEM], False),
        (True, [], False),
        (False, [SCOPE_SCORE], False),
    ],
)
def test_a_column_is_only_offered_where_grades_can_go_to_it(
    school: School, activity: dict[str, str], accept_lineitem: bool, scopes: list[str], offered: bool
) -> None:
    with school.app.app_context():
        db.session.merge(school.course).ags_scopes = scopes
        db.session.commit()
    visitor = pick(school, accept_lineitem=accept_lineitem)
    item = f"activity:{activity['id']}"

    page = visitor.get("/picker")
    answer = visitor.post("/picker", {"item": item, "column": item, "action": "add"})

    assert ('name="column"' in page.text) is offered
    (link,) = answer_of(school, answer)[DL + "content_items"]
    assert ("lineItem" in link) is offered
    assert ("spirale_column" in link["custom"]) is offered


def test_a_column_is_off_by_default_and_kept_when_something_else_is_wrong(
    school: School, activity: dict[str, str]
) -> None:
    visitor = pick(school)
    item = f"activity:{activity['id']}"

    assert " checked" not in visitor.get("/picker").text
    page = visitor.post("/picker", {"item": [item, "page:x"], "column": item, "action": "add"})

    assert page.status_code == 422
    assert page.text.count(f'name="column" value="{item}" checked') == 1


def test_a_column_of_what_is_not_chosen_is_no_link(school: School, activity: dict[str, str]) -> None:
    page = pick(school).post(
        "/picker", {"item": "page:me", "column": f"activity:{activity['id']}", "action": "add"}
    )

    assert len(answer_of(school, page)[DL + "content_items"]) == 1


# ----- what is refused -----


def test_adding_nothing_is_told(school: School) -> None:
    page = pick(school).post("/picker", {"action": "add"})

    assert page.status_code == 422
    assert "Rien n’est choisi : cocher au moins un élément, ou annuler." in words(page)
    assert "JWT" not in page.text


def test_a_platform_that_takes_one_link_gets_one(school: School, activity: dict[str, str]) -> None:
    visitor = pick(school, accept_multiple=False)
    shown = visitor.get("/picker")

    one = visitor.post("/picker", {"item": "competence:2B", "action": "add"})
    two = visitor.post("/picker", {"item": ["competence:2B", "page:me"], "action": "add"})

    assert 'type="checkbox" name="item"' not in shown.text
    assert shown.text.count('<input type="radio" name="item"') == 13
    assert "Un élément à la fois." in words(shown)
    assert len(answer_of(school, one)[DL + "content_items"]) == 1
    assert two.status_code == 422
    assert "La plateforme n’accepte qu’un élément à la fois" in words(two)
    assert re.findall(r'value="([^"]+)" checked', two.text) == ["competence:2B", "page:me"]


@pytest.mark.parametrize(
    "item", ["activity:{other}", "activity:999999", "activity:x", "competence:9Z", "page:settings", "x"]
)
def test_what_is_not_offered_is_not_added_and_the_rest_stays_ticked(school: School, item: str) -> None:
    with school.app.app_context():
        other = factories.activity(factories.course()).id
        db.session.commit()

    page = pick(school).post(
        "/picker", {"item": [item.format(other=other), "competence:1C"], "action": "add"}
    )

    assert page.status_code == 422
    assert "Un élément choisi n’est plus dans ce cours : choisir de nouveau." in words(page)
    assert re.findall(r'value="([^"]+)" checked', page.text) == ["competence:1C"]


def test_a_form_from_elsewhere_is_refused(school: School) -> None:
    visitor = pick(school)

    page = visitor.client.post(f"/l/{visitor.sid}/picker", data={"item": "page:me", "action": "add"})

    assert page.status_code == 403
