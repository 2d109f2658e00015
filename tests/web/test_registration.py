"""A platform registers itself: what its administrator reads, what is asked of it, and everything that can go wrong."""

from __future__ import annotations

import html
import json
import re
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from urllib.parse import quote

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from werkzeug.test import TestResponse
from werkzeug.wrappers import Request, Response

from lti_tool.db import begin_write, db, utcnow
from lti_tool.lti.invites import invite_platform, revoke_invite
from lti_tool.lti.models import Deployment, Invite, Platform
from lti_tool.lti.outside import Outside
from lti_tool.lti.platforms import add_deployment
from lti_tool.lti.registration import PLATFORM_CONFIGURATION, TOOL_CONFIGURATION
from tests import factories
from tests.platform import hang_up, running

AGS = "https://purl.imsglobal.org/spec/lti-ags/scope/"
NRPS = "https://purl.imsglobal.org/spec/lti-nrps/scope/contextmembership.readonly"
PERMISSION = "a-registration-token"


@dataclass
class Lms:
    """A platform to register with. `describe` and `answer` may be replaced: what it says of itself, and to us."""

    url: str = ""
    asked: list[Request] = field(default_factory=list)
    describe: Callable[[Lms], Any] = lambda lms: lms.configuration()
    answer: Callable[[Lms], Any] = lambda lms: lms.accepts()

    def configuration(self, **changed: Any) -> dict[str, Any]:
        """What it says of itself; a change to None leaves the field out."""
        said = {
            "issuer": self.url,
            "authorization_endpoint": f"{self.url}/auth",
            "token_endpoint": f"{self.url}/token",
            "jwks_uri": f"{self.url}/jwks",
            "registration_endpoint": f"{self.url}/register",
            "scopes_supported": [f"{AGS}lineitem", f"{AGS}result.readonly", f"{AGS}score", NRPS, "openid"],
            "id_token_signing_alg_values_supported": ["RS256"],
            PLATFORM_CONFIGURATION: {"product_family_code": "moodle"},
            **changed,
        }
        return {name: value for name, value in said.items() if value is not None}

    def accepts(self, client_id: Any = "given-id", deployment_id: Any = "7") -> dict[str, Any]:
        return {"client_id": client_id, TOOL_CONFIGURATION: {"deployment_id": deployment_id}}

    def posted(self) -> list[Request]:
        return [request for request in self.asked if request.method == "POST"]

    def __call__(self, environ: Any, start_response: Any) -> Any:
        request = Request(environ)
        request.get_data()
        self.asked.append(request)
        said = (self.answer if request.method == "POST" else self.describe)(self)
        if said is hang_up:
            return hang_up(environ)
        if not isinstance(said, Response):
            said = Response(json.dumps(said), mimetype="application/json")
        return said(environ, start_response)


@pytest.fixture
def lms() -> Iterator[Lms]:
    played = Lms()
    with running(played) as url:
        played.url = url
        yield played


@dataclass
class Admin:
    """The platform's administrator, with an invitation pasted."""

    app: Flask
    lms: Lms
    path: str
    client: FlaskClient

    def open(self, **changed: str) -> TestResponse:
        given = {
            "openid_configuration": f"{self.lms.url}/.well-known/openid-configuration",
            "registration_token": PERMISSION,
        }
        return self.client.get(self.path, query_string={**given, **changed})

    def confirm(self, page: TestResponse | None = None, **changed: str) -> TestResponse:
        shown = page or self.open()
        assert shown.status_code == 200, shown.text
        fields = re.findall(r'<input type="hidden" name="([^"]*)" value="([^"]*)"', shown.text)
        form = {name: html.unescape(value) for name, value in fields}
        return self.client.post(self.path, data={**form, **changed})

    def platforms(self) -> list[Platform]:
        with self.app.app_context():
            found = list(
                db.session.scalars(sa.select(Platform).options(sa.orm.selectinload(Platform.deployments)))
            )
            db.session.close()
            return found


def invited(app: Flask, lms: Lms, **options: Any) -> Admin:
    with app.app_context():
        begin_write()
        config = app.extensions["spirale_config"]
        chosen = {"private_host": "127.0.0.1", **options}
        _invite, address = invite_platform(db.session, utcnow(), config, **chosen)
        db.session.commit()
        db.session.close()
    return Admin(app, lms, address.removeprefix(config.base_url), app.test_client())


@pytest.fixture
def admin(app: Flask, lms: Lms) -> Admin:
    return invited(app, lms)


def change_invite(app: Flask, **values: Any) -> None:
    with app.app_context():
        begin_write()
        db.session.execute(sa.update(Invite).values(**values))
        db.session.commit()


# ----- what is read, what is sent, what is written -----


def test_the_page_says_who_asks_what_is_shared_and_sends_nothing(admin: Admin) -> None:
    page = admin.open()
    assert page.status_code == 200
    assert admin.lms.url.removeprefix("http://") in page.text
    for sentence in (
        "Le nom et le prénom",
        "L’adresse e-mail n’est jamais demandée",
        "Créer ses colonnes",
        "result.readonly",
    ):
        assert sentence in page.text
    assert admin.lms.asked == []
    assert page.headers["Cache-Control"] == "no-store"
    english = admin.client.get(
        admin.path,
        query_string={"openid_configuration": f"{admin.lms.url}/c"},
        headers={"Accept-Language": "en"},
    )
    assert "The e-mail address is never asked for" in english.text


def test_only_the_platform_that_asks_may_frame_the_page(admin: Admin) -> None:
    for page in (admin.open(), admin.confirm()):
        assert page.status_code == 200
        policy = page.headers["Content-Security-Policy"]
        assert policy.endswith(f"form-action 'self'; frame-ancestors {admin.lms.url}")


def test_we_ask_to_be_registered_as_we_are_and_never_for_the_e_mail(admin: Admin) -> None:
    admin.confirm()
    described, posted = admin.lms.asked
    assert (described.method, described.path) == ("GET", "/.well-known/openid-configuration")
    assert "Authorization" not in described.headers
    assert (posted.method, posted.path) == ("POST", "/register")
    assert posted.headers["Authorization"] == f"Bearer {PERMISSION}"
    assert posted.mimetype == "application/json"
    sent = json.loads(posted.get_data())
    tool = sent.pop(TOOL_CONFIGURATION)
    base = "http://localhost:8000"
    assert sent == {
        "application_type": "web",
        "client_name": "Spirale",
        "client_name#fr": "Spirale",
        "response_types": ["id_token"],
        "grant_types": ["implicit", "client_credentials"],
        "initiate_login_uri": f"{base}/lti/login",
        "redirect_uris": [f"{base}/lti/launch"],
        "jwks_uri": f"{base}/lti/jwks",
        "logo_uri": f"{base}/static/icon.svg",
        "token_endpoint_auth_method": "private_key_jwt",
        "scope": f"{AGS}lineitem {AGS}result.readonly {AGS}score {NRPS}",
    }
    assert tool["domain"] == "localhost:8000"
    assert tool["target_link_uri"] == f"{base}/lti/launch"
    assert tool["claims"] == ["iss", "sub", "name", "given_name", "family_name"]
    assert tool["custom_parameters"] == {"spirale_history": "$Context.id.history"}
    assert [message["type"] for message in tool["messages"]] == [
        "LtiResourceLinkRequest",
        "LtiDeepLinkingRequest",
        "LtiSubmissionReviewRequest",
    ]
    assert tool["messages"][1]["placements"] == ["ContentArea"]
    with admin.client.get("/static/icon.svg") as icon:
        assert icon.status_code == 200


def test_what_is_not_offered_is_not_asked_for(admin: Admin) -> None:
    admin.lms.describe = lambda lms: lms.configuration(scopes_supported=[f"{AGS}score", "openid"])
    admin.confirm()
    assert json.loads(admin.lms.posted()[0].get_data())["scope"] == f"{AGS}score"


@pytest.mark.parametrize("status", [200, 201])
def test_the_platform_is_written_down_and_the_page_says_what_remains(admin: Admin, status: int) -> None:
    admin.lms.answer = lambda lms: Response(json.dumps(lms.accepts()), status)
    done = admin.confirm()
    assert done.status_code == 200
    for remains in (
        "Activer Spirale",
        "Afficher dans le sélecteur d’activités",
        "mettre leur poids à 0",
        "data-close",
    ):
        assert remains in done.text
    url = admin.lms.url
    (platform,) = admin.platforms()
    assert (platform.issuer, platform.client_id, platform.enabled) == (url, "given-id", True)
    assert (platform.auth_login_url, platform.auth_token_url) == (f"{url}/auth", f"{url}/token")
    assert (platform.jwks_url, platform.audience) == (f"{url}/jwks", "")
    assert platform.name == url.removeprefix("http://")
    assert [one.deployment_id for one in platform.deployments] == ["7"]
    with admin.app.app_context():
        invite = db.session.scalars(sa.select(Invite)).one()
        assert (invite.platform_id, invite.held_until) == (platform.id, None)
        assert invite.used_at is not None


def test_the_name_of_the_invitation_and_the_audience_of_the_platform_are_kept(app: Flask, lms: Lms) -> None:
    lms.describe = lambda it: it.configuration(authorization_server="https://auth.example.org")
    admin = invited(app, lms, name="Moodle du lycée")
    admin.confirm()
    (platform,) = admin.platforms()
    assert (platform.name, platform.audience) == ("Moodle du lycée", "https://auth.example.org")


@pytest.mark.parametrize(("given", "kept"), [(None, []), ("", []), (12, ["12"])])
def test_a_deployment_that_is_not_said_is_left_to_an_administrator(
    admin: Admin, given: Any, kept: list[str]
) -> None:
    admin.lms.answer = lambda lms: lms.accepts(deployment_id=given)
    done = admin.confirm()
    (platform,) = admin.platforms()
    assert [one.deployment_id for one in platform.deployments] == kept
    assert (f"spirale platform deployments {platform.id} --add ID" in done.text) == (not kept)
    with admin.app.app_context():
        add_deployment(db.session, platform.id, "9")
        add_deployment(db.session, platform.id, "9")
        db.session.commit()
        assert [d.deployment_id for d in db.session.scalars(sa.select(Deployment))] == [*kept, "9"]


def test_an_update_keeps_the_platform_its_name_and_its_courses(app: Flask, lms: Lms) -> None:
    first = invited(app, lms, name="Moodle du lycée")
    first.confirm()
    with app.app_context():
        before = db.session.scalars(sa.select(Platform)).one()
        factories.course(before)
        before.enabled = False
        db.session.commit()
        known = before.id
    lms.describe = lambda it: it.configuration(token_endpoint=f"{it.url}/token2")
    done = invited(app, lms, name="Autre").confirm()
    assert "Inscription mise à jour" in done.text
    (platform,) = first.platforms()
    assert (platform.id, platform.name, platform.client_id) == (known, "Moodle du lycée", "given-id")
    assert not platform.enabled
    assert platform.auth_token_url == f"{lms.url}/token2"
    assert [one.deployment_id for one in platform.deployments] == ["7"]
    lms.answer = lambda it: it.accepts(client_id="another")
    invited(app, lms).confirm()
    assert [one.client_id for one in first.platforms()] == ["given-id", "another"]


# ----- the invitation -----


def refused(answer: TestResponse, status: int, sentence: str) -> None:
    assert answer.status_code == status, answer.text
    assert sentence in html.unescape(answer.text)
    assert "Que faire" in answer.text
    assert answer.headers["Cache-Control"] == "no-store"


def test_an_invitation_serves_once(admin: Admin) -> None:
    page = admin.open()
    assert admin.confirm(page).status_code == 200
    refused(admin.confirm(page), 410, "ne sert qu’une fois")
    refused(admin.open(), 410, "ne sert qu’une fois")
    assert len(admin.lms.posted()) == 1
    assert len(admin.platforms()) == 1


def test_an_invitation_ends_at_its_moment(admin: Admin, app: Flask) -> None:
    page = admin.open()
    change_invite(app, expires_at=utcnow() + timedelta(seconds=5))
    assert admin.open().status_code == 200
    change_invite(app, expires_at=utcnow())
    refused(admin.open(), 410, "Invitation expirée")
    refused(admin.confirm(page), 410, "Invitation expirée")
    assert admin.lms.asked == []


def test_a_withdrawn_or_unknown_invitation_asks_nothing(admin: Admin, app: Flask) -> None:
    page = admin.open()
    with app.app_context():
        revoke_invite(db.session, db.session.scalars(sa.select(Invite.id)).one(), utcnow())
        db.session.commit()
    refused(admin.open(), 410, "Invitation retirée")
    refused(admin.confirm(page), 410, "Invitation retirée")
    refused(app.test_client().get(f"{admin.path}x"), 404, "Invitation inconnue")
    assert admin.lms.asked == []


def test_the_secret_of_an_invitation_is_not_stored(admin: Admin, app: Flask) -> None:
    with app.app_context():
        row = db.session.execute(sa.text("SELECT * FROM invite")).one()
    assert admin.path.rpartition("/")[2] not in str(row)


def test_of_two_confirmations_at_once_one_registers(admin: Admin, app: Flask) -> None:
    page, arrived, go_on = admin.open(), threading.Event(), threading.Event()

    def slowly(lms: Lms) -> Any:
        arrived.set()
        assert go_on.wait(5)
        return lms.accepts()

    admin.lms.answer = slowly
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(admin.confirm, page)
        assert arrived.wait(5)
        second = Admin(app, admin.lms, admin.path, app.test_client()).confirm(page)
        go_on.set()
        assert first.result().status_code == 200
    refused(second, 409, "Inscription en cours")
    assert len(admin.lms.posted()) == 1
    assert len(admin.platforms()) == 1


def test_an_invitation_withdrawn_while_the_platform_answers_does_not_serve(admin: Admin, app: Flask) -> None:
    def withdraws(lms: Lms) -> Any:
        with app.app_context():
            begin_write()
            revoke_invite(db.session, db.session.scalars(sa.select(Invite.id)).one(), utcnow())
            db.session.commit()
            db.session.close()
        return lms.accepts()

    admin.lms.answer = withdraws
    refused(admin.confirm(), 410, "Invitation retirée")
    with app.app_context():
        assert db.session.scalars(sa.select(Platform)).all() == []
        invite = db.session.scalars(sa.select(Invite)).one()
        assert (invite.used_at, invite.platform_id) == (None, None)


def test_a_registration_that_died_half_way_gives_its_invitation_back(admin: Admin, app: Flask) -> None:
    change_invite(app, held_until=utcnow() + timedelta(minutes=1))
    refused(admin.confirm(), 409, "Inscription en cours")
    change_invite(app, held_until=utcnow() - timedelta(seconds=1))
    assert admin.confirm().status_code == 200


# ----- the page itself -----


@pytest.mark.parametrize("name", ["openid_configuration", "registration_token", "proof"])
def test_a_form_that_is_not_our_pages_is_refused(admin: Admin, name: str) -> None:
    other = f"{admin.lms.url}/other" if name == "openid_configuration" else "other"
    refused(admin.confirm(**{name: other}), 403, "Formulaire refusé")
    assert admin.lms.asked == []


def test_an_address_opened_alone_says_where_it_belongs(admin: Admin) -> None:
    refused(admin.client.get(admin.path), 400, "Ajouter LTI Advantage")
    refused(admin.open(registration_token="a\nb"), 400, "se colle dans la plateforme")
    refused(admin.open(registration_token="x" * 8193), 400, "se colle dans la plateforme")


REFUSED_ADDRESSES = [
    ("http://moodle.example.org/c", "Adresse de plateforme refusée"),
    ("https://moodle.example.org:25/c", "Adresse de plateforme refusée"),
    ("javascript:alert(1)", "Adresse de plateforme refusée"),
    ("https://localhost/c", "Plateforme sur un réseau privé"),
    ("https://169.254.169.254/latest/meta-data", "Plateforme sur un réseau privé"),
    ("https://[::1]/c", "Plateforme sur un réseau privé"),
    ("https://nowhere.invalid/c", "La plateforme ne répond pas"),
]


def test_an_address_that_may_not_be_asked_gets_no_page_to_confirm(admin: Admin) -> None:
    for url, sentence in REFUSED_ADDRESSES:
        answer = admin.open(openid_configuration=url)
        assert answer.status_code in (400, 502), url
        assert sentence in answer.text, url
        assert 'name="proof"' not in answer.text, url


def test_a_host_that_no_header_can_carry_is_refused(admin: Admin, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Outside, "find", lambda *_: ["8.8.8.8"])
    refused(
        admin.open(openid_configuration="https://a;sandbox.example.org/c"),
        400,
        "Adresse de plateforme refusée",
    )
    page = admin.open(openid_configuration="https://Moodle.Example.org:/c")
    assert page.headers["Content-Security-Policy"].endswith("frame-ancestors https://moodle.example.org")


def test_without_permission_this_machine_is_not_asked(app: Flask, lms: Lms) -> None:
    admin = invited(app, lms, private_host="")
    refused(admin.open(), 400, "Adresse de plateforme refusée")
    assert lms.asked == []


# ----- a platform that is not as it should be -----


def wrong(**changed: Any) -> Callable[[Lms], Any]:
    return lambda lms: lms.configuration(**changed)


DESCRIPTIONS: dict[str, tuple[Callable[[Lms], Any], str]] = {
    "not JSON": (lambda _lms: Response("<h1>Bonjour</h1>"), "Description incomplète"),
    "a list": (lambda _lms: [], "Description incomplète"),
    "too large": (lambda _lms: Response(b" " * 300_000), "Description incomplète"),
    "not found": (lambda _lms: Response("no", 404), "La plateforme ne répond pas"),
    "in trouble": (lambda _lms: Response("no", 500), "La plateforme ne répond pas"),
    "cut": (lambda _lms: hang_up, "La plateforme ne répond pas"),
    "moved": (
        lambda _lms: Response(status=302, headers={"Location": "/elsewhere"}),
        "La plateforme ne répond pas",
    ),
    "not a platform": (wrong(**{PLATFORM_CONFIGURATION: None}), "Description incomplète"),
    "no issuer": (wrong(issuer=None), "Description incomplète"),
    "a long issuer": (
        lambda lms: lms.configuration(issuer=lms.url + "/" + "x" * 255),
        "Description incomplète",
    ),
    "another issuer": (wrong(issuer="https://moodle.example.org"), "Plateforme qui parle pour une autre"),
    "another port": (wrong(issuer="http://127.0.0.1:1"), "Plateforme qui parle pour une autre"),
    "an issuer beside": (
        lambda lms: lms.configuration(issuer=lms.url + "/b"),
        "Plateforme qui parle pour une autre",
    ),
    "an issuer that is none": (wrong(issuer="moodle"), "Plateforme qui parle pour une autre"),
    "no keys": (wrong(jwks_uri=None), "Description incomplète"),
    "keys that are no address": (wrong(jwks_uri=["x"]), "Description incomplète"),
    "keys over http": (wrong(jwks_uri="http://moodle.example.org/jwks"), "Description incomplète"),
    "a login that runs": (wrong(authorization_endpoint="javascript:alert(1)"), "Description incomplète"),
    "no endpoint": (wrong(registration_endpoint=None), "Description incomplète"),
    "a private endpoint": (
        wrong(registration_endpoint="https://127.0.0.2/r"),
        "Plateforme sur un réseau privé",
    ),
    "private keys": (wrong(jwks_uri="https://10.0.0.1/jwks"), "Plateforme sur un réseau privé"),
    "keys of nobody": (wrong(jwks_uri="https://nowhere.invalid/jwks"), "Description incomplète"),
    "no algorithm": (wrong(id_token_signing_alg_values_supported=None), "Plateforme incompatible"),
    "other algorithms": (
        wrong(id_token_signing_alg_values_supported=["HS256", "none"]),
        "Plateforme incompatible",
    ),
    "other proofs": (
        wrong(token_endpoint_auth_methods_supported=["client_secret_basic"]),
        "Plateforme incompatible",
    ),
    "an odd audience": (wrong(authorization_server=5), "Description incomplète"),
}


def test_a_platform_that_describes_itself_wrongly_is_not_asked_to_register_us(admin: Admin) -> None:
    for case, (describe, sentence) in DESCRIPTIONS.items():
        admin.lms.describe = describe
        answer = admin.confirm()
        assert answer.status_code in (400, 502), case
        assert sentence in answer.text, case
        assert admin.lms.posted() == [], case
    assert admin.platforms() == []
    # The invitation is still good.
    admin.lms.describe = lambda lms: lms.configuration()
    assert admin.confirm().status_code == 200


ANSWERS: dict[str, tuple[Callable[[Lms], Any], str]] = {
    "a reason": (
        lambda _lms: Response("invalid_redirect_uris", 400),
        "Elle a répondu : « invalid_redirect_uris »",
    ),
    "a page": (lambda _lms: Response("<html>Not found</html>", 404), "La plateforme a refusé"),
    "a served token": (lambda _lms: Response("token_already_used", 401), "Permission déjà utilisée"),
    "a redirect": (lambda _lms: Response(status=302, headers={"Location": "/x"}), "La plateforme a refusé"),
    "trouble": (lambda _lms: Response("oops", 500), "Réponse perdue"),
    "silence": (lambda _lms: hang_up, "Réponse perdue"),
    "not JSON": (lambda _lms: Response("ok"), "Réponse perdue"),
    "too much": (lambda _lms: Response(b" " * 300_000), "Réponse perdue"),
    "a list": (lambda _lms: [], "Réponse perdue"),
    "no client id": (lambda lms: lms.accepts(client_id=None), "Réponse perdue"),
    "an odd client id": (lambda lms: lms.accepts(client_id={"a": 1}), "Réponse perdue"),
    "a long client id": (lambda lms: lms.accepts(client_id="x" * 256), "Réponse perdue"),
    "a NUL": (lambda lms: lms.accepts(client_id="a\x00b"), "Réponse perdue"),
    "an odd deployment": (lambda lms: lms.accepts(deployment_id=[1]), "Réponse perdue"),
}


def test_a_platform_that_does_not_accept_leaves_nothing_half_written(admin: Admin) -> None:
    for number, (case, (answered, sentence)) in enumerate(ANSWERS.items(), start=1):
        admin.lms.answer = answered
        page = admin.confirm()
        assert page.status_code in (409, 502), case
        assert sentence in html.unescape(page.text).replace("\u00a0", " "), case
        assert len(admin.lms.posted()) == number, case
    assert admin.platforms() == []
    admin.lms.answer = lambda lms: lms.accepts()
    assert admin.confirm().status_code == 200
    assert len(admin.platforms()) == 1


def test_what_a_platform_says_is_shown_as_text(admin: Admin) -> None:
    admin.lms.answer = lambda _lms: Response('a"b&c', 400)
    assert "a&#34;b&amp;c" in admin.confirm().text


def test_nothing_secret_is_in_the_log(admin: Admin, capsys: pytest.CaptureFixture[str]) -> None:
    admin.lms.answer = lambda _lms: Response("invalid_scope", 400)
    admin.confirm()
    admin.lms.answer = lambda lms: lms.accepts()
    admin.confirm()
    logged = "".join(capsys.readouterr())
    assert "platform_refused" in logged
    assert "platform_registered" in logged
    for secret in (PERMISSION, admin.path.rpartition("/")[2], admin.lms.url, "given-id"):
        assert secret not in logged


TEXTS = st.text(max_size=60) | st.sampled_from(
    [
        "https://[",
        "https://a:b@c/",
        "https://é/",
        "http://127.0.0.1:x/",
        "https://127.1/",
        "\x00",
        "//",
        "x" * 9000,
    ]
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(token=TEXTS, url=TEXTS, permission=TEXTS, proof=TEXTS)
def test_nothing_that_is_sent_breaks_the_page(
    admin: Admin, token: str, url: str, permission: str, proof: str
) -> None:
    given_ = {"openid_configuration": url, "registration_token": permission}
    for path in (admin.path, f"/lti/register/{quote(token, safe='')}"):
        assert admin.client.get(path, query_string=given_).status_code < 500
        assert admin.client.post(path, data={**given_, "proof": proof}).status_code < 500


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=10), inner, max_size=3),
    max_leaves=6,
)
FIELDS = st.sampled_from(
    ["issuer", "authorization_endpoint", "token_endpoint", "jwks_uri", "registration_endpoint", "scopes_supported",
     "id_token_signing_alg_values_supported", "authorization_server", PLATFORM_CONFIGURATION]
)  # fmt: skip


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(name=FIELDS, value=JSON, answer=JSON)
def test_nothing_that_a_platform_says_breaks_the_page(
    admin: Admin, name: str, value: Any, answer: Any
) -> None:
    admin.lms.describe = lambda lms: {**lms.configuration(), name: value}
    admin.lms.answer = lambda _lms: answer
    assert admin.confirm().status_code in (400, 409, 502)
