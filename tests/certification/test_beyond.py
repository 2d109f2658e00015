"""Beyond 1EdTech's list (`docs/certification.md`): what the certification does not try, and a reviewer would."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import time
from typing import Any

import jwt
import pytest
import sqlalchemy as sa
from cryptography.hazmat.primitives import serialization
from flask import Flask
from werkzeug.wrappers import Response

from lti_tool.courses.models import Person, Role
from lti_tool.db import db
from lti_tool.lti.models import Deployment, Platform
from tests.lti.platform_of_tests import (
    BASE,
    MEMBERSHIP,
    Lms,
    assert_refused,
    new_key,
    opened,
)


def part(value: dict[str, Any]) -> str:
    """A part of a JWT made by hand."""
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


# ----- signatures -----


@pytest.mark.parametrize("alg", ["none", "None", "NONE", ""])
def test_alg_none(app: Flask, lms: Lms, alg: str) -> None:
    lms.begin()
    unsigned = f"{part({'alg': alg, 'kid': 'one'})}.{part(lms.claims())}."
    assert_refused(lms.launch(unsigned), "Ouverture refusée", app)


def test_hs256_with_the_public_key(app: Flask, lms: Lms) -> None:
    lms.begin()
    public = lms.server.keys["one"].public_key()
    pem = public.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    signed = f"{part({'alg': 'HS256', 'kid': 'one'})}.{part(lms.claims())}"
    mac = hmac.new(pem, signed.encode(), hashlib.sha256).digest()
    forged = f"{signed}.{base64.urlsafe_b64encode(mac).rstrip(b'=').decode()}"
    assert_refused(lms.launch(forged), "Ouverture refusée", app)


@pytest.mark.parametrize("alg", ["RS384", "RS512"])
def test_rs384_and_rs512_are_taken(lms: Lms, alg: str) -> None:
    lms.begin()
    assert lms.launch(lms.sign(lms.claims(), alg=alg)).status_code == 303


def test_a_key_that_travels_in_the_token_is_not_used(app: Flask, lms: Lms) -> None:
    lms.begin()
    forger = new_key()
    lms.server.keys["forger"] = forger
    theirs = next(key for key in lms.server.document()["keys"] if key["kid"] == "forger")
    del lms.server.keys["forger"]
    token = jwt.encode(
        lms.claims(), forger, algorithm="RS256", headers={"kid": "one", "jwk": theirs, "jku": lms.server.url}
    )
    assert_refused(lms.launch(token), "Ouverture refusée", app)


# ----- audience, state, nonce -----


def test_aud_list_with_azp(app: Flask, lms: Lms) -> None:
    both = ["someone", lms.client_id]
    assert_refused(lms.whole_launch(aud=both), "Ouverture refusée", app)
    assert_refused(lms.whole_launch(aud=both, azp="someone"), "Ouverture refusée", app)
    assert_refused(lms.whole_launch(aud="someone"), "Ouverture refusée", app)
    assert_refused(lms.whole_launch(aud=[]), "Ouverture refusée", app)
    assert lms.whole_launch(aud=both, azp=lms.client_id).status_code == 303


def test_state_of_another_login(app: Flask, lms: Lms) -> None:
    lms.begin()
    first = dict(lms.login)
    lms.begin()
    token = lms.sign(lms.claims())
    assert_refused(lms.launch(token, state=first["state"]), "Ouverture refusée", app)


def test_nonce_of_another_login(app: Flask, lms: Lms) -> None:
    lms.begin()
    first = dict(lms.login)
    lms.begin()
    assert_refused(lms.launch(lms.sign(lms.claims(nonce=first["nonce"]))), "Ouverture refusée", app)


def test_a_clock_a_few_seconds_ahead_is_forgiven(app: Flask, lms: Lms) -> None:
    leeway_s = app.extensions["spirale_config"].lti.clock_leeway_s
    now = int(time.time())
    too_far = now + leeway_s + 30
    assert_refused(lms.whole_launch(iat=too_far, exp=too_far + 60), "Ouverture expirée", app)
    assert lms.whole_launch(iat=now + leeway_s - 1, exp=now + 60).status_code == 303


# ----- platforms that are switched off -----


def test_disabled_platform(app: Flask, lms: Lms) -> None:
    lms.begin()
    with app.app_context():
        db.session.execute(sa.update(Platform).values(enabled=False))
        db.session.commit()
    assert_refused(lms.launch(), "Plateforme désactivée", app)
    assert_refused(lms.begin(), "Plateforme désactivée", app)


def test_disabled_deployment(app: Flask, lms: Lms) -> None:
    lms.begin()
    with app.app_context():
        db.session.execute(sa.update(Deployment).values(enabled=False))
        db.session.commit()
    assert_refused(lms.launch(), "Déploiement inconnu", app)
    assert_refused(lms.begin(), "Déploiement inconnu", app)


# ----- the platform's keys -----


def down(app: Flask, lms: Lms, answer: Any) -> None:
    lms.server.answer = answer
    refused = lms.whole_launch()
    assert refused.status_code == 503
    assert_refused(refused, "La plateforme ne répond pas", app)


def test_jwks_down(app: Flask, lms: Lms) -> None:
    down(app, lms, lambda: Response("down", 503))


def test_jwks_of_nobody(app: Flask, lms: Lms) -> None:
    lms.server.stop()
    refused = lms.whole_launch()
    assert refused.status_code == 503
    assert_refused(refused, "La plateforme ne répond pas", app)
    lms.server.start()


def test_jwks_slow(app: Flask, lms: Lms, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(app.extensions["spirale_keysets"], "_timeout_s", 0.2)

    def late() -> Response:
        time.sleep(4)
        return Response(json.dumps(lms.server.document()))

    began = time.monotonic()
    down(app, lms, late)
    assert time.monotonic() - began < 4


def test_jwks_huge(app: Flask, lms: Lms) -> None:
    down(app, lms, lambda: Response("x" * (5 * 1024 * 1024)))


@pytest.mark.parametrize(
    "body", ["<html>", '{"keys": []}', '{"keys": "x"}', "[]", '{"keys": [{"kty": "RSA"}]}', "[" * 100_000]
)
def test_jwks_invalid(app: Flask, lms: Lms, body: str) -> None:
    down(app, lms, lambda: Response(body))


def test_jwks_that_leads_elsewhere(app: Flask, lms: Lms) -> None:
    url = lms.server.url
    down(app, lms, lambda: Response("", 302, {"Location": url}))


def test_jwks_rotated(app: Flask, lms: Lms, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(app.extensions["spirale_keysets"], "_cooldown_s", 0.0)
    assert lms.whole_launch().status_code == 303
    lms.server.keys = {"two": new_key()}
    lms.begin()
    assert lms.launch(lms.sign(lms.claims(), kid="two", key=lms.server.keys["two"])).status_code == 303
    assert lms.server.asked == 2


# ----- OIDC -----


@pytest.mark.parametrize("error", ["access_denied", "login_required", "interaction_required", "<b>x"])
def test_oidc_error_answers(app: Flask, lms: Lms, error: str) -> None:
    lms.begin()
    answer = lms.client.post(
        "/lti/launch",
        data={"state": lms.login["state"], "error": error, "error_description": "<b>x</b>"},
    )
    assert_refused(answer, "n’a pas donné son accord", app)
    assert "<b>x" not in answer.text


@pytest.mark.parametrize("method", ["get", "post"])
def test_get_and_post_login(lms: Lms, method: str) -> None:
    lms.begin(method)
    assert lms.launch().status_code == 303


@pytest.mark.parametrize(
    "target",
    [
        "https://evil.example.org/lti/launch",
        "//evil",
        "javascript:alert(1)",
        f"{BASE}.evil.example.org/lti/launch",
        f"{BASE}@evil.example.org/lti/launch",
        f"{BASE}/lti/launch/../../evil",
        f"{BASE}\\evil",
    ],
)
def test_open_redirect(app: Flask, lms: Lms, target: str) -> None:
    answer = lms.begin(target_link_uri=target)
    assert_refused(answer, "Adresse inconnue", app)
    assert "Location" not in answer.headers
    assert_refused(lms.whole_launch(target_link_uri=target), "Que faire", app)


# ----- two tabs -----


def test_two_tabs(app: Flask, lms: Lms) -> None:
    lms.begin()
    teacher = dict(lms.login)
    lms.begin()
    pupil = dict(lms.login)
    lms.login = teacher
    first = lms.launch().headers["Location"]
    lms.login = pupil
    names = {"given_name": "Adam", "family_name": "Benali", "name": "Adam Benali"}
    second = lms.launch(sub="6", roles=[MEMBERSHIP + "Learner"], **names).headers["Location"]
    assert [session.role for session in opened(app)] == [Role.TEACHER, Role.LEARNER]
    assert "Réglages du cours" in lms.client.get(first, follow_redirects=True).text
    assert "Ma spirale" in lms.client.get(second, follow_redirects=True).text
    # And the first one is still who they were.
    assert "Réglages du cours" in lms.client.get(first, follow_redirects=True).text
    with app.app_context():
        assert set(db.session.scalars(sa.select(Person.sub))) == {"5", "6"}
