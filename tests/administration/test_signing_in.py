"""Failed logins are counted in the database: both sides of each wait, each lock and each end of a session."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
import sqlalchemy as sa
from flask import Flask

from lti_tool.administration.models import Administrator, AdminLoginFailure, AdminSession
from lti_tool.administration.signing_in import (
    ADDRESS_LOCKED_AFTER,
    FORGOTTEN_AFTER,
    IDLE,
    LIFETIME,
    LOCKED_FOR,
    admit_try,
    find_admin_session,
    forget_ended,
    network_of,
    open_admin_session,
    sign_out,
)
from lti_tool.db import db, utcnow

SECOND = timedelta(seconds=1)
TICK = timedelta(milliseconds=1)


def tried(app: Flask, now: datetime, login: str = "marie", address: str = "10.0.0.1") -> timedelta | None:
    wait = admit_try(db.session, login, address, now, app.extensions["spirale_config"])
    db.session.flush()
    return wait


def administrator() -> Administrator:
    made = Administrator(login="marie", password_hash="x")  # noqa: S106 - nobody signs in with it
    db.session.add(made)
    db.session.flush()
    return made


def test_each_failure_makes_the_next_try_wait_longer_and_the_fifth_locks_a_quarter_of_an_hour(
    any_app: Flask,
) -> None:
    now = utcnow()
    assert tried(any_app, now) is None
    for wait in (1, 2, 4, 8):
        early = tried(any_app, now + wait * SECOND - TICK)
        assert early == TICK, "the wait that is left, and the try is not counted"
        now += wait * SECOND
        assert tried(any_app, now) is None
    assert tried(any_app, now) == LOCKED_FOR
    assert tried(any_app, now + LOCKED_FOR - TICK) == TICK
    assert tried(any_app, now + LOCKED_FOR) is None, "and the count starts again"
    assert tried(any_app, now + LOCKED_FOR + SECOND) is None


def test_a_lock_is_of_one_login_and_says_nothing_of_its_being_an_account(any_app: Flask) -> None:
    administrator()
    now = utcnow()
    for login in ("marie", "nobody"):
        waits = []
        at = now
        for _ in range(5):
            waits.append(tried(any_app, at, login, f"address of {login}"))
            at += 10 * SECOND
        assert waits == [None] * 5
        assert tried(any_app, at, login, "elsewhere") == LOCKED_FOR - 10 * SECOND
    assert tried(any_app, now, "karim", "elsewhere") is None


def test_case_does_not_give_more_tries(any_app: Flask) -> None:
    now = utcnow()
    assert tried(any_app, now, "marie") is None
    assert tried(any_app, now, "MARIE") == SECOND


def test_an_address_is_locked_after_twenty_failures_under_whatever_logins(any_app: Flask) -> None:
    now = utcnow()
    for number in range(ADDRESS_LOCKED_AFTER):
        assert tried(any_app, now, f"guess{number}") is None, number
        now += 10 * SECOND
    assert tried(any_app, now, "one more") == LOCKED_FOR - 10 * SECOND
    assert tried(any_app, now, "one more", "10.0.0.2") is None


def test_neither_login_nor_address_is_stored(any_app: Flask) -> None:
    tried(any_app, utcnow(), "marie", "192.0.2.77")
    rows = db.session.scalars(sa.select(AdminLoginFailure.key_hash)).all()
    assert len(rows) == 2
    assert all(len(key) == 64 and "marie" not in key and "192" not in key for key in rows)


def test_signing_in_forgets_the_failures(any_app: Flask) -> None:
    now, config = utcnow(), any_app.extensions["spirale_config"]
    assert tried(any_app, now) is None
    open_admin_session(db.session, administrator(), "10.0.0.1", now, config)
    assert tried(any_app, now) is None


@pytest.mark.parametrize(
    ("age", "idle", "open_still"),
    [
        (timedelta(), IDLE - TICK, True),
        (timedelta(), IDLE, False),
        (LIFETIME - TICK, timedelta(), True),
        (LIFETIME, timedelta(), False),
    ],
)
def test_a_session_ends_when_idle_and_in_any_case_after_eight_hours(
    any_app: Flask, age: timedelta, idle: timedelta, open_still: bool
) -> None:
    now, config = utcnow(), any_app.extensions["spirale_config"]
    secret = open_admin_session(db.session, administrator(), "a", now, config)
    db.session.flush()
    later = now + age + idle
    db.session.execute(sa.update(AdminSession).values(used_at=later - idle))
    assert (find_admin_session(db.session, secret, later) is not None) == open_still


def test_a_session_is_found_by_its_secret_alone_and_ends_with_its_account_or_when_left(
    any_app: Flask,
) -> None:
    now, config = utcnow(), any_app.extensions["spirale_config"]
    marie = administrator()
    secret = open_admin_session(db.session, marie, "a", now, config)
    db.session.flush()
    assert len(secret) >= 43, "256 bits"
    stored = db.session.scalars(sa.select(AdminSession.secret_hash)).one()
    assert secret not in stored
    assert find_admin_session(db.session, stored, now) is None
    assert find_admin_session(db.session, "", now) is None
    marie.disabled_at = now
    assert find_admin_session(db.session, secret, now) is None
    marie.disabled_at = None
    assert find_admin_session(db.session, secret, now) is not None
    sign_out(db.session, secret)
    assert find_admin_session(db.session, secret, now) is None


def test_what_is_over_is_swept(any_app: Flask) -> None:
    now, config = utcnow(), any_app.extensions["spirale_config"]
    open_admin_session(db.session, administrator(), "a", now, config)
    tried(any_app, now)

    def left() -> list[int]:
        return [
            db.session.scalar(sa.select(sa.func.count()).select_from(model)) or 0
            for model in (AdminSession, AdminLoginFailure)
        ]

    forget_ended(db.session, now + IDLE - TICK)
    assert left() == [1, 2]
    forget_ended(db.session, now + IDLE)
    assert left() == [0, 2]
    forget_ended(db.session, now + FORGOTTEN_AFTER - TICK)
    assert left() == [0, 2]
    forget_ended(db.session, now + FORGOTTEN_AFTER)
    assert left() == [0, 0]


def test_a_locked_address_writes_no_row_for_each_login_it_makes_up(any_app: Flask) -> None:
    now = utcnow()
    for n in range(ADDRESS_LOCKED_AFTER):
        tried(any_app, now + n * timedelta(seconds=20), login=f"login {n}")
    before = db.session.scalar(sa.select(sa.func.count(AdminLoginFailure.id)))
    locked = now + ADDRESS_LOCKED_AFTER * timedelta(seconds=20)
    assert all(tried(any_app, locked, login=f"other {n}") for n in range(5))
    assert db.session.scalar(sa.select(sa.func.count(AdminLoginFailure.id))) == before


def test_a_network_of_ipv6_counts_as_one_address() -> None:
    assert network_of("2001:db8::1") == network_of("2001:db8::ffff:1") == "2001:db8::/64"
    assert network_of("2001:db8:0:1::1") != network_of("2001:db8::1")
    assert (network_of("10.0.0.1"), network_of("")) == ("10.0.0.1", "")
