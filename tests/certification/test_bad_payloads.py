"""1EdTech's certification, « known bad payloads »: each launch is refused with a message that says what to do."""

from __future__ import annotations

import time
from typing import Any

import pytest
from flask import Flask

from tests.lti.platform_of_tests import GONE, Lms, assert_refused


def test_no_kid_sent_in_jwt_header(app: Flask, lms: Lms) -> None:
    lms.begin()
    assert_refused(lms.launch(lms.sign(lms.claims(), kid=None)), "Ouverture refusée", app)


def test_incorrect_kid_in_jwt_header(app: Flask, lms: Lms) -> None:
    lms.begin()
    assert_refused(lms.launch(lms.sign(lms.claims(), kid="imstester_66067")), "Ouverture refusée", app)


@pytest.mark.parametrize("version", ["11.3", "1.1", "1.3", "", 1.3, None, ["1.3.0"]])
def test_wrong_lti_version(app: Flask, lms: Lms, version: Any) -> None:
    assert_refused(lms.whole_launch(version=version), "Ouverture refusée", app)


def test_no_lti_version(app: Flask, lms: Lms) -> None:
    assert_refused(lms.whole_launch(version=GONE), "Ouverture refusée", app)


@pytest.mark.parametrize("token", ["", "not a jwt", "a.b.c", '{"a": 1}', "e30.e30.e30", "..", "." * 70_000])
def test_invalid_lti_message(app: Flask, lms: Lms, token: str) -> None:
    lms.begin()
    assert_refused(lms.launch(token), "Ouverture refusée", app)


def test_a_signed_jwt_that_is_no_lti_message(app: Flask, lms: Lms) -> None:
    lms.begin()
    assert_refused(lms.launch(lms.sign({"name": "badltilaunch"})), "Que faire", app)


@pytest.mark.parametrize("claim", ["iss", "aud", "exp", "iat", "nonce", "target_link_uri"])
def test_missing_lti_claims(app: Flask, lms: Lms, claim: str) -> None:
    assert_refused(lms.whole_launch(**{claim: GONE}), "Que faire", app)


@pytest.mark.parametrize(("iat", "exp"), [(-3700, -3600), (-86_400 * 3650, 60), (3600, 7200), (-100, -50)])
def test_timestamps_incorrect(app: Flask, lms: Lms, iat: int, exp: int) -> None:
    now = int(time.time())
    assert_refused(lms.whole_launch(iat=now + iat, exp=now + exp), "Ouverture expirée", app)


@pytest.mark.parametrize("message_type", [GONE, "", "LtiStartProctoring", 3])
def test_message_type_claim_missing(app: Flask, lms: Lms, message_type: Any) -> None:
    assert_refused(lms.whole_launch(message_type=message_type), "Ouverture refusée", app)


def test_role_claim_missing(app: Flask, lms: Lms) -> None:
    assert_refused(lms.whole_launch(roles=GONE), "Ouverture refusée", app)


def test_deployment_id_claim_missing(app: Flask, lms: Lms) -> None:
    assert_refused(lms.whole_launch(deployment_id=GONE), "Ouverture refusée", app)


def test_deployment_id_of_another(app: Flask, lms: Lms) -> None:
    assert_refused(lms.whole_launch(deployment_id="2"), "Déploiement inconnu", app)


@pytest.mark.parametrize("link", [{"title": "x"}, {"id": "", "title": "x"}, {}, GONE])
def test_resource_link_id_claim_missing(app: Flask, lms: Lms, link: Any) -> None:
    assert_refused(lms.whole_launch(resource_link=link), "Ouverture refusée", app)


@pytest.mark.parametrize("sub", [GONE, ""])
def test_user_claim_missing(app: Flask, lms: Lms, sub: Any) -> None:
    assert_refused(lms.whole_launch(sub=sub), "Personne n’est annoncé", app)
