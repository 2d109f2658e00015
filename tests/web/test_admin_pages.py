"""What an administrator sees and does: values on the pages, rows afterwards, a line in the log."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask

from lti_tool.administration.events import Done
from lti_tool.administration.models import AdminEvent, WorkerTrace
from lti_tool.courses.models import Course, Person, Role
from lti_tool.db import begin_write, db, utcnow
from lti_tool.errors import Refusal
from lti_tool.gradebook.models import DeliveryState, ScoreDelivery
from lti_tool.lti.invites import open_invite
from lti_tool.lti.keys import KeyState, list_keys
from lti_tool.lti.models import Deployment, Invite, Platform, ToolKey
from lti_tool.lti.refused import count_refusal
from lti_tool.web.admin.events import AT_ONCE, event_words
from tests import factories
from tests.web.admin_world import AdminBrowser, events, signed_in


@pytest.fixture
def marie(app: Flask) -> AdminBrowser:
    return signed_in(app)


def stored(app: Flask, query: sa.Select[Any]) -> list[Any]:
    with app.app_context():
        found = [tuple(row) if len(row) > 1 else row[0] for row in db.session.execute(query)]
        db.session.close()
    return found


def a_platform(app: Flask, **values: Any) -> int:
    with app.app_context():
        begin_write()
        made = factories.platform(**values)
        db.session.commit()
        number = made.id
        db.session.close()
    return number


def a_course(app: Flask, platform_id: int) -> int:
    """A course with a teacher, a pupil, an activity, an entry, a refused and a waiting score."""
    with app.app_context():
        begin_write()
        course = factories.course(db.session.get_one(Platform, platform_id))
        teacher = factories.enrolled(course, "Claire", "Morel", Role.TEACHER, launched_at=utcnow())
        adam = factories.enrolled(course, "Adam", "Benali")
        activity = factories.activity(course, "1A")
        factories.assessment(activity, "1A", adam, 3, teacher)
        for code, state in (("1A", DeliveryState.REFUSED), ("1B", DeliveryState.WAITING)):
            db.session.add(
                ScoreDelivery(
                    course_id=course.id,
                    item_id=factories.competence(code).id,
                    person_id=adam.id,
                    maximum=4,
                    comment="",
                    timestamp=utcnow(),
                    state=state,
                )
            )
        db.session.commit()
        number = course.id
        db.session.close()
    return number


def text(page: str) -> str:
    """The words of a page's main part, in one line."""
    main = page.partition("<main")[2].partition("</main>")[0].partition(">")[2]
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", main)).strip()


# ----- the platforms -----


def test_without_a_platform_the_page_says_to_invite_one_and_that_no_worker_runs(marie: AdminBrowser) -> None:
    said = text(marie.get("/").text)
    assert "Aucune plateforme pour l’instant" in said
    assert "Une invitation donne une adresse à coller dans Moodle" in said
    assert "aucune note ne part" in said
    assert "Il n’a jamais tourné sur cette base." in said


def test_the_overview_says_how_each_platform_fares(app: Flask, marie: AdminBrowser) -> None:
    good = a_platform(app, name="Moodle du lycée", launched_at=utcnow())
    shut = a_platform(app, name="ENT", enabled=False)
    a_course(app, good)
    with app.app_context():
        begin_write()
        count_refusal(db.session, good, Refusal.EXPIRED, utcnow() - timedelta(minutes=2))
        count_refusal(db.session, shut, Refusal.PLATFORM_DISABLED, utcnow())
        db.session.add(WorkerTrace(id=1, seen_at=utcnow()))
        db.session.commit()
        db.session.close()
    rows = [
        text(f"<main>{row}</main>")
        for row in re.findall(r'<tr role="row"><th role="rowheader".*?</tr>', marie.get("/").text, re.S)
    ]
    assert "Moodle du lycée" in rows[0]
    assert "un cours" in rows[0]
    assert "aucun refus depuis" in rows[0], "it launched after it was refused"
    assert "une en attente" in rows[0]
    assert "une refusée" in rows[0]
    assert "ENT désactivée" in rows[1]
    assert "Plateforme désactivée" in rows[1]
    assert "jamais ouverte" in rows[1]
    assert "aucune note envoyée" in rows[1]
    assert "aucune note ne part" not in marie.get("/").text


def test_a_platforms_page_has_what_to_paste_and_why_launches_were_refused(
    app: Flask, marie: AdminBrowser
) -> None:
    number = a_platform(app, name="<b>Moodle</b>", client_id="abc42")
    with app.app_context():
        begin_write()
        for _ in range(3):
            count_refusal(db.session, number, Refusal.UNKNOWN_DEPLOYMENT, utcnow())
        db.session.commit()
        db.session.close()
    page = marie.get(f"/platforms/{number}").text
    for path in ("lti/launch", "lti/login", "lti/jwks"):
        assert f"<code>http://localhost:8000/{path}</code>" in page
    said = text(page)
    assert "abc42" in said
    assert "Déploiement inconnu , 3 fois , en dernier" in said.replace("fois,", "fois ,")
    assert "pas cette façon d’y ajouter Spirale" in said
    assert "<b>Moodle</b>" not in page


def test_settings_are_kept_at_once_and_a_wrong_one_keeps_what_was_typed(
    app: Flask, marie: AdminBrowser
) -> None:
    number = a_platform(app)
    typed = {
        "name": "Moodle",
        "audience": "https://audience.example.org",
        "frame_origin": "https://a.example.org\r\nhttps://b.example.org",
        "family": "moodle",
        "connections": "6",
        "anonymous": "1",
    }
    wrong = marie.post(f"/platforms/{number}/settings", **typed | {"frame_origin": "a.example.org/x"})
    assert wrong.status_code == 422
    assert "Taper une origine par ligne" in wrong.text
    assert ">a.example.org/x</textarea>" in wrong.text
    assert 'value="https://audience.example.org"' in wrong.text
    columns = sa.select(
        Platform.name,
        Platform.audience,
        Platform.frame_origins,
        Platform.family,
        Platform.connections,
        Platform.anonymous,
    )
    assert stored(app, columns)[0][1:] == ("", [], "", 4, False)
    assert marie.post(f"/platforms/{number}/settings", **typed).status_code == 303
    assert stored(app, columns) == [
        (
            "Moodle",
            "https://audience.example.org",
            ["https://a.example.org", "https://b.example.org"],
            "moodle",
            6,
            True,
        )
    ]
    typed["earlier_years"] = "1"
    del typed["anonymous"]
    marie.post(f"/platforms/{number}/settings", **typed)
    assert stored(app, columns)[0][-1] is False
    assert stored(app, sa.select(Platform.earlier_years)) == [True]
    about = f"platform {number}"
    allowed = [("platform_changed", about), ("platform_changed", about), ("earlier_years_allowed", about)]
    assert events(app) == allowed
    marie.post(f"/platforms/{number}/settings", **typed)
    assert events(app) == [*allowed, ("platform_changed", about)], "nothing more was allowed"
    del typed["earlier_years"]
    marie.post(f"/platforms/{number}/settings", **typed)
    assert stored(app, sa.select(Platform.earlier_years)) == [False]
    assert events(app)[-1] == ("earlier_years_stopped", about)
    assert "Années d’avant plus montrées" in marie.get("/events").text


@pytest.mark.parametrize("connections", ["0", "17", "", "four", "²", "99999"])
def test_a_number_of_connections_that_is_none_is_told(
    app: Flask, marie: AdminBrowser, connections: str
) -> None:
    number = a_platform(app)
    answer = marie.post(f"/platforms/{number}/settings", name="x", connections=connections)
    assert answer.status_code == 422
    assert "Taper un nombre de 1 à 16." in answer.text
    assert stored(app, sa.select(Platform.connections)) == [4]


def test_a_deployment_is_added_shut_out_and_let_in(app: Flask, marie: AdminBrowser) -> None:
    number = a_platform(app)
    path = f"/platforms/{number}/deployments"
    deployments = sa.select(Deployment.deployment_id, Deployment.enabled).order_by(Deployment.id)
    assert marie.post(path, deployment_id=" 7 ").status_code == 303
    assert stored(app, deployments) == [("1", True), ("7", True)]
    marie.post(path, deployment_id="7", switch="off")
    assert stored(app, deployments) == [("1", True), ("7", False)]
    marie.post(path, deployment_id="7", switch="on")
    assert stored(app, deployments) == [("1", True), ("7", True)]
    assert marie.post(path, deployment_id="").status_code == 422
    assert marie.post(path, deployment_id="9", switch="off").status_code == 404
    assert [what for what, _about in events(app)] == [
        "deployment_added",
        "deployment_disabled",
        "deployment_enabled",
    ]


def test_a_platform_is_added_by_its_preset_and_a_wrong_field_loses_nothing(
    app: Flask, marie: AdminBrowser
) -> None:
    typed = {
        "preset": "moodle",
        "host": "https://moodle.example.org/",
        "client_id": "abc",
        "deployment_id": "1 2",
        "name": "",
    }
    wrong = marie.post("/platforms/add", **typed | {"client_id": ""})
    assert wrong.status_code == 422
    assert "Taper l’identifiant client" in wrong.text
    assert 'value="https://moodle.example.org/"' in wrong.text
    answer = marie.post("/platforms/add", **typed)
    assert answer.status_code == 303
    assert "La plateforme est ajoutée" in marie.client.get(answer.headers["Location"]).text
    columns = sa.select(Platform.name, Platform.issuer, Platform.client_id, Platform.family)
    assert stored(app, columns) == [
        ("Moodle (moodle.example.org)", "https://moodle.example.org", "abc", "moodle")
    ]
    assert stored(app, sa.select(Deployment.deployment_id)) == ["1", "2"]
    again = marie.post("/platforms/add", **typed)
    assert again.status_code == 422
    assert "ne peut pas servir deux fois" in again.text


def test_a_platform_without_a_preset_wants_each_address(app: Flask, marie: AdminBrowser) -> None:
    wrong = marie.post("/platforms/add", preset="generic", client_id="abc", deployment_id="1")
    assert wrong.status_code == 422
    assert wrong.text.count("Taper une adresse https://…") == 3
    urls = {
        name: f"https://lms.example.org/{name}" for name in ("auth_login_url", "auth_token_url", "jwks_url")
    }
    fields = {"preset": "generic", "name": "LMS", "issuer": "https://lms.example.org", "client_id": "abc"}
    assert marie.post("/platforms/add", **fields, **urls, deployment_id="1").status_code == 303
    assert stored(app, sa.select(Platform.jwks_url)) == ["https://lms.example.org/jwks_url"]


def test_disabling_asks_first_and_is_undone_by_one_button(app: Flask, marie: AdminBrowser) -> None:
    number = a_platform(app, name="ENT")
    asked = marie.get(f"/platforms/{number}/disable")
    assert "Rien n’est effacé" in asked.text
    assert stored(app, sa.select(Platform.enabled)) == [True]
    marie.post(f"/platforms/{number}/disable")
    assert stored(app, sa.select(Platform.enabled)) == [False]
    assert "Réactiver" in marie.get(f"/platforms/{number}").text
    marie.post(f"/platforms/{number}/enable")
    assert stored(app, sa.select(Platform.enabled)) == [True]
    about = f"platform {number}"
    assert events(app) == [("platform_disabled", about), ("platform_enabled", about)]


def test_removing_a_platform_with_results_wants_its_name_and_one_without_does_not(
    app: Flask, marie: AdminBrowser
) -> None:
    empty, full = a_platform(app), a_platform(app, name="Moodle du lycée")
    a_course(app, full)
    assert "ni activité ni évaluation" in marie.get(f"/platforms/{empty}/remove").text
    assert marie.post(f"/platforms/{empty}/remove").status_code == 303
    asked = text(marie.get(f"/platforms/{full}/remove").text)
    assert "un cours , 2 personnes , une activité , une évaluation" in asked.replace(",", " ,").replace(
        "  ", " "
    )
    for typed in ("", "moodle du lycée", "Moodle"):
        wrong = marie.post(f"/platforms/{full}/remove", erase=typed)
        assert wrong.status_code == 422
        assert "rien n’est effacé" in wrong.text
    assert stored(app, sa.select(Platform.id)) == [full]
    assert len(stored(app, sa.select(Person.id))) == 2
    done = marie.post(f"/platforms/{full}/remove", erase="Moodle du lycée")
    assert f"La plateforme {full} est supprimée" in marie.client.get(done.headers["Location"]).text
    assert stored(app, sa.select(Platform.id)) == []
    assert stored(app, sa.select(Person.id)) == []
    assert events(app) == [
        ("platform_removed", f"platform {empty}"),
        ("platform_removed", f"platform {full}"),
    ]


def test_replacing_shows_what_would_follow_before_it_is_done(app: Flask, marie: AdminBrowser) -> None:
    old = a_platform(app, issuer="https://moodle.example.org", name="Ancien")
    course = a_course(app, old)
    path = f"/platforms/{old}/replace"
    assert "Aucune autre plateforme active du même LMS" in marie.get(path).text
    assert "Remplacer</a>" not in marie.get(f"/platforms/{old}").text
    stranger = a_platform(app)
    new = a_platform(app, issuer="https://moodle.example.org", name="Nouveau")
    assert "Remplacer</a>" in marie.get(f"/platforms/{old}").text
    assert marie.post(path, new=stranger).status_code == 422
    assert marie.post(path, new="x").status_code == 422

    shown = text(marie.post(path, new=new).text)
    assert "Rien n’est encore changé" in shown
    assert "un cours suit" in shown
    assert "2 personnes" in shown
    owner = sa.select(Course.id, Course.platform_id)
    assert stored(app, owner) == [(course, old)]

    assert marie.post(path, new=new, apply="1").status_code == 303
    assert stored(app, owner) == [(course, new)]
    assert stored(app, sa.select(Platform.enabled).where(Platform.id == old)) == [False]
    assert events(app) == [("platform_replaced", f"platform {old}, new {new}")]


def test_deployments_that_are_not_plain_are_asked_for(app: Flask, marie: AdminBrowser) -> None:
    old = a_platform(app, issuer="https://moodle.example.org")
    a_course(app, old)
    new = a_platform(
        app,
        issuer="https://moodle.example.org",
        deployments=[Deployment(deployment_id="7"), Deployment(deployment_id="8")],
    )
    path = f"/platforms/{old}/replace"
    asked = marie.post(path, new=new)
    assert asked.status_code == 422
    assert "Dire quel déploiement prend la place de chacun" in asked.text
    assert marie.post(path, new=new, place_1="9").status_code == 422
    assert marie.post(path, new=new, place_1="8", apply="1").status_code == 303
    place = sa.select(Deployment.deployment_id).join(Course, Course.deployment_id == Deployment.id)
    assert stored(app, place) == ["8"]


# ----- invitations -----


def test_an_invitation_is_shown_once_listed_without_its_address_and_withdrawn(
    app: Flask, marie: AdminBrowser
) -> None:
    made = marie.post("/invites/new", name="Moodle du collège", expires="7d", allow_private_host="Moodle.lan")
    assert made.status_code == 200
    found = re.search(r"http://localhost:8000/lti/register/([\w-]{43})", made.text)
    assert found is not None
    with app.app_context():
        invite = open_invite(db.session, found[1], utcnow())
        assert (invite.name, invite.private_host) == ("Moodle du collège", "moodle.lan")
        assert timedelta(days=6, hours=23) < invite.expires_at - utcnow() <= timedelta(days=7)
        number = invite.id
        db.session.close()
    for path in ("/", "/invites"):
        page = marie.get(path).text
        assert "Moodle du collège" in page
        assert found[1] not in page
    withdrawn = marie.post(f"/invites/{number}/revoke")
    page = marie.client.get(withdrawn.headers["Location"]).text
    assert f"L’invitation {number} est retirée" in page
    assert "Moodle du collège" not in marie.get("/").text
    assert stored(app, sa.select(Invite.revoked_at))[0] is not None
    assert marie.post("/invites/99/revoke").status_code == 404
    assert events(app) == [("invited", f"invitation {number}"), ("invite_revoked", f"invitation {number}")]


def test_a_wrong_invitation_says_what_and_loses_nothing(app: Flask, marie: AdminBrowser) -> None:
    answer = marie.post("/invites/new", name="N", expires="7y", allow_private_host="http://moodle.lan/")
    assert answer.status_code == 422
    assert "Choisir une durée de la liste." in answer.text
    assert "Taper un nom de machine seul" in answer.text
    assert 'value="http://moodle.lan/"' in answer.text
    assert stored(app, sa.select(Invite.id)) == []
    assert events(app) == []


# ----- courses, data, keys, the log -----


def test_courses_are_counts_and_dates_without_a_pupils_name(app: Flask, marie: AdminBrowser) -> None:
    assert "Aucun cours pour l’instant" in marie.get("/courses").text
    number = a_platform(app)
    assert "n’a pas encore été ouvert depuis cette plateforme" in marie.get("/courses").text
    a_course(app, number)
    page = marie.get("/courses").text
    said = text(page)
    assert "2MRC1 Seconde MRC 1 un élève une activité" in said
    assert "une refusée" in said
    for name in ("Adam", "Benali", "Claire", "Morel"):
        assert name not in page


def test_the_data_page_says_the_settings_the_counts_and_what_was_erased(
    app: Flask, marie: AdminBrowser
) -> None:
    a_course(app, a_platform(app))
    said = text(marie.get("/retention").text)
    assert "2 personnes connues une évaluation 2 notes" in said
    assert "12 mois après la dernière ouverture" in said
    assert "Rien n’a encore été effacé" in said
    with app.app_context():
        begin_write()
        db.session.add(WorkerTrace(id=1, seen_at=utcnow(), erased_at=utcnow(), erased_people=31))
        db.session.execute(sa.update(Person).values(seen_at=utcnow() - timedelta(days=361)))
        db.session.commit()
        db.session.close()
    said = text(marie.get("/retention").text)
    assert "31 personnes effacées le" in said
    assert "2 personnes ont dépassé la durée et vont être effacées." in said


def test_keys_are_listed_published_and_replaced_on_a_page_that_asks(app: Flask, marie: AdminBrowser) -> None:
    page = marie.get("/keys").text
    (kid,) = stored(app, sa.select(ToolKey.kid))
    assert f"<code>{kid}</code>" in page
    assert "24 heures avant de signer" in page

    def states() -> list[KeyState]:
        with app.app_context():
            found = [state for _key, state in list_keys(db.session, utcnow())]
            db.session.close()
        return found

    assert marie.post("/keys/rotate").status_code == 303
    assert states() == [KeyState.SIGNING, KeyState.NEXT]
    assert "Publier une nouvelle clé" not in marie.get("/keys").text
    wait = marie.post("/keys/rotate")
    assert wait.status_code == 422
    assert "Une clé est déjà publiée et attend son tour." in wait.text
    assert "toutes les autres sont retirées" in marie.get("/keys/rotate").text
    marie.post("/keys/rotate", now="1")
    assert states() == [KeyState.RETIRED, KeyState.RETIRED, KeyState.SIGNING]
    assert stored(app, sa.select(ToolKey.private_pem).where(ToolKey.number < 3)) == ["", ""]
    assert events(app) == [("key_rotated", "key 2"), ("key_replaced", "key 3")]


def test_the_log_says_who_and_what_a_hundred_at_a_time(app: Flask, marie: AdminBrowser) -> None:
    assert "Rien n’a encore été fait" in marie.get("/events").text
    marie.post("/invites/new", name="", expires="1d")
    with app.app_context():
        begin_write()
        for number in range(AT_ONCE):
            db.session.add(AdminEvent(administrator_id=None, what="person_erased", about=f"person {number}"))
        db.session.commit()
        db.session.close()
    first = marie.get("/events").text
    said = text(first)
    assert "sur le serveur Données d’une personne effacées · personne 99" in said
    assert "Invitation créée" not in said
    assert said.count("sur le serveur Données") == AT_ONCE
    older = re.search(r'href="(/admin/events\?before=\d+)"', first)
    assert older is not None
    said = text(marie.client.get(older[1]).text)
    assert "marie Invitation créée · invitation 1" in said
    assert "Données d’une personne" not in said
    assert "Plus ancien" not in said


def test_every_event_has_its_words(app: Flask) -> None:
    with app.test_request_context():
        assert set(event_words()) == set(Done)


def test_the_pages_speak_the_browsers_language(app: Flask, marie: AdminBrowser) -> None:
    page = marie.client.get("/admin/", headers={"Accept-Language": "en"}).text
    assert '<html lang="en">' in page
    assert "No platform yet" in page
