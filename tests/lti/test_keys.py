"""Our keys: one at first start, taking turns, erased when they have served."""

from __future__ import annotations

import json
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime, timedelta

import jwt
import pytest
import sqlalchemy as sa
from cryptography.hazmat.primitives import serialization
from flask import Flask

from lti_tool.config import Config
from lti_tool.db import begin_write, db, utcnow
from lti_tool.errors import BadInput, ConfigError
from lti_tool.gradebook.worker import sweep
from lti_tool.lti import keys
from lti_tool.lti.keys import (
    KeyState,
    ensure_key,
    list_keys,
    public_keys,
    retire_keys,
    rotate_key,
    signing_key,
)
from lti_tool.lti.models import ToolKey
from tests.conftest import SECRET


def config_of(app: Flask) -> Config:
    config: Config = app.extensions["spirale_config"]
    return config


def rotate(app: Flask, now: datetime, *, at_once: bool = False) -> ToolKey:
    begin_write()
    key = rotate_key(db.session, config_of(app), now, at_once=at_once)
    db.session.commit()
    return key


def long_ago() -> None:
    """The first key was made a year ago: rotations of the past months can be played."""
    db.session.execute(sa.update(ToolKey).values(signs_at=utcnow() - timedelta(days=365)))
    db.session.commit()


def states(now: datetime) -> list[str]:
    db.session.rollback()
    return [state.value for _key, state in list_keys(db.session, now)]


def published() -> list[str]:
    db.session.rollback()
    return [jwk["kid"] for jwk in public_keys(db.session, SECRET)["keys"]]


def test_two_processes_at_first_start_make_one_key(any_app: Flask) -> None:
    db.session.execute(sa.delete(ToolKey))
    db.session.commit()
    db.session.close()
    ready = threading.Barrier(3)

    def first_start(_number: int) -> str:
        with any_app.app_context():
            ready.wait()
            begin_write()
            kid = ensure_key(db.session, SECRET).kid
            db.session.commit()
            db.session.close()
            return kid

    with ThreadPoolExecutor(3) as pool:
        kids = list(pool.map(first_start, range(3)))

    assert len(set(kids)) == 1
    assert list(db.session.scalars(sa.select(ToolKey.kid))) == [kids[0]]


def test_two_rotations_at_once_make_one_key(any_app: Flask) -> None:
    now = utcnow()
    ready = threading.Barrier(2)

    def rotation(_number: int) -> str:
        with any_app.app_context():
            ready.wait()
            begin_write()
            try:
                rotate_key(db.session, config_of(any_app), now)
                db.session.commit()
            except BadInput:
                return "refused"
            finally:
                db.session.close()
            return "made"

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(rotation, range(2)))

    assert states(now) == ["signing", "next"]


def test_a_key_has_2048_bits_and_is_stored_encrypted(in_app: Flask) -> None:
    stored = db.session.scalars(sa.select(ToolKey)).one()
    _kid, private = signing_key(db.session, SECRET)
    assert private.key_size == 2048
    assert "PRIVATE" not in stored.private_pem
    with pytest.raises(ConfigError, match="SPIRALE_SECRET_KEY"):
        signing_key(db.session, "another secret, long enough to be taken too")
    with pytest.raises(ConfigError, match="SPIRALE_SECRET_KEY"):
        rotate_key(db.session, replace(config_of(in_app), secret_key="x" * 40), utcnow())


def test_a_new_key_is_published_before_it_signs_and_the_former_one_after_it_stopped(in_app: Flask) -> None:
    now, overlap = utcnow(), timedelta(seconds=config_of(in_app).lti.key_overlap_s)
    first = signing_key(db.session, SECRET)[0]
    second = rotate(in_app, now).kid
    second_signs_at = now + overlap

    assert published() == [first, second]
    assert signing_key(db.session, SECRET)[0] == first
    assert states(second_signs_at - timedelta(seconds=1)) == ["signing", "next"]
    assert states(second_signs_at) == ["former", "signing"]

    just_before = second_signs_at + overlap - timedelta(seconds=1)
    retire_keys(db.session, config_of(in_app), just_before)
    assert states(just_before) == ["former", "signing"]
    retire_keys(db.session, config_of(in_app), second_signs_at + overlap)
    db.session.commit()
    assert states(second_signs_at + overlap) == ["retired", "signing"]
    assert published() == [second]
    rows = db.session.execute(sa.select(ToolKey.number, ToolKey.private_pem == "").order_by(ToolKey.number))
    assert [tuple(row) for row in rows] == [(1, True), (2, False)]


def test_the_key_whose_turn_has_come_signs(in_app: Flask) -> None:
    long_ago()
    first = signing_key(db.session, SECRET)[0]
    overlap = timedelta(seconds=config_of(in_app).lti.key_overlap_s)
    second = rotate(in_app, utcnow() - overlap).kid
    assert second != first
    assert signing_key(db.session, SECRET)[0] == second


def test_a_second_rotation_waits_for_the_first(in_app: Flask) -> None:
    now = utcnow()
    waiting = rotate(in_app, now)
    with pytest.raises(BadInput) as refused:
        rotate_key(db.session, config_of(in_app), now + timedelta(minutes=1))
    assert f"{waiting.kid} is published already" in refused.value.problems["key"]
    db.session.rollback()
    assert states(now) == ["signing", "next"]


def test_a_leaked_key_is_replaced_at_once_and_no_longer_published(in_app: Flask) -> None:
    now = utcnow()
    rotate(in_app, now)
    third = rotate(in_app, now, at_once=True)
    assert states(now) == ["retired", "retired", "signing"]
    assert published() == [third.kid]
    assert signing_key(db.session, SECRET)[0] == third.kid
    assert list(db.session.scalars(sa.select(ToolKey.private_pem).where(ToolKey.number < 3))) == ["", ""]


def test_the_sweep_retires_what_has_served(in_app: Flask) -> None:
    long_ago()
    overlap = timedelta(seconds=config_of(in_app).lti.key_overlap_s)
    kept = rotate(in_app, utcnow() - 2 * overlap).kid
    assert len(published()) == 2
    sweep(in_app)
    assert published() == [kept]
    assert states(utcnow()) == [KeyState.RETIRED, KeyState.SIGNING]


def test_what_the_former_key_signed_is_verified_with_our_key_set(in_app: Flask) -> None:
    long_ago()
    kid, private = signing_key(db.session, SECRET)
    token = jwt.encode({"iss": "client"}, private, algorithm="RS256", headers={"kid": kid})
    overlap = timedelta(seconds=config_of(in_app).lti.key_overlap_s)
    rotate(in_app, utcnow() - overlap)
    answer = in_app.test_client().get("/lti/jwks")
    key_set = jwt.PyJWKSet.from_dict(json.loads(answer.text))
    assert len(key_set.keys) == 2
    assert jwt.decode(token, key_set[kid].key, algorithms=["RS256"]) == {"iss": "client"}


def test_our_key_set_says_how_long_it_may_be_kept_and_when_it_has_not_changed(app: Flask) -> None:
    client = app.test_client()
    answer = client.get("/lti/jwks")
    assert answer.headers["Cache-Control"] == "public, max-age=300"
    same = client.get("/lti/jwks", headers={"If-None-Match": answer.headers["ETag"]})
    assert (same.status_code, same.data) == (304, b"")
    with app.app_context():
        rotate(app, utcnow())
        db.session.close()
    changed = client.get("/lti/jwks", headers={"If-None-Match": answer.headers["ETag"]})
    assert changed.status_code == 200
    assert len(changed.get_json()["keys"]) == 2
    assert all(set(jwk) == {"kty", "n", "e", "kid", "alg", "use"} for jwk in changed.get_json()["keys"])


def test_no_key_is_parsed_per_request(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    client = app.test_client()
    client.get("/lti/jwks")
    parsed: list[int] = []
    load = serialization.load_pem_private_key

    def counted(*args: object, **more: object) -> object:
        parsed.append(1)
        return load(*args, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(keys.serialization, "load_pem_private_key", counted)
    for _ in range(5):
        assert client.get("/lti/jwks").status_code == 200
    with app.app_context():
        signing_key(db.session, SECRET)
        db.session.close()
    assert parsed == []


def test_an_empty_database_gets_its_key_from_the_first_who_asks(app: Flask) -> None:
    with app.app_context():
        db.session.execute(sa.delete(ToolKey))
        db.session.commit()
        db.session.close()
    first = app.test_client().get("/lti/jwks").get_json()
    assert len(first["keys"]) == 1
    assert app.test_client().get("/lti/jwks").get_json() == first
