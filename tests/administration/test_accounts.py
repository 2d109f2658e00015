"""Accounts of administrators, as the server's command line makes them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from click.testing import CliRunner
from flask import Flask

from lti_tool.administration import accounts
from lti_tool.administration.accounts import (
    change_password,
    create_administrator,
    disable_administrator,
    password_is_right,
)
from lti_tool.administration.models import AdminEvent, Administrator, AdminSession
from lti_tool.cli import spirale
from lti_tool.db import db, utcnow
from lti_tool.errors import BadInput, NotFound
from tests.conftest import SECRET

PASSWORD = "twelve chars"  # noqa: S105 - of a test
SHIPPED = accounts.METHOD
pytestmark = pytest.mark.usefixtures("quick_hashes")


@pytest.fixture
def quick_hashes(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The same function at a thirtieth of its cost; what it made is not kept for later tests."""
    monkeypatch.setattr(accounts, "METHOD", "scrypt:1024:8:1")
    yield
    accounts._nobodys_hash.cache_clear()


def test_a_password_is_stored_as_a_salted_scrypt_hash_and_recognised(in_app: Flask) -> None:
    one = create_administrator(db.session, "marie", PASSWORD)
    two = create_administrator(db.session, "karim", PASSWORD)
    assert one.password_hash.startswith("scrypt:")
    assert one.password_hash != two.password_hash
    assert PASSWORD not in one.password_hash
    assert password_is_right(one, PASSWORD)
    assert not password_is_right(one, PASSWORD + " ")
    assert not password_is_right(None, "nobody has this password")


def test_a_hash_costs_what_owasp_asks_of_scrypt() -> None:
    _name, n, r, _p = SHIPPED.split(":")
    assert (int(n), int(r)) >= (2**15, 8)


@pytest.mark.parametrize(
    ("login", "password", "wrong"),
    [
        ("m", PASSWORD, "LOGIN"),
        ("Marie", PASSWORD, "LOGIN"),
        ("marie curie", PASSWORD, "LOGIN"),
        ("m" * 65, PASSWORD, "LOGIN"),
        ("marie", "eleven char", "password"),
        ("marie", "x" * 1025, "password"),
        ("marie", "aaaaaaaaaaaabbb", "password"),
        ("marie.dupond", "marie.dupond", "password"),
        ("marie.dupond", "Marie.Dupond2026", "password"),
    ],
)
def test_a_wrong_login_or_a_weak_password_makes_no_account(
    in_app: Flask, login: str, password: str, wrong: str
) -> None:
    with pytest.raises(BadInput) as refused:
        create_administrator(db.session, login, password)
    assert list(refused.value.problems) == [wrong]
    assert db.session.scalar(sa.select(sa.func.count()).select_from(Administrator)) == 0


@pytest.mark.parametrize(("login", "password"), [("ma", PASSWORD), ("m" * 64, "abcde" + "x" * 1019)])
def test_the_shortest_and_the_longest_are_taken(in_app: Flask, login: str, password: str) -> None:
    made = create_administrator(db.session, login, password)
    assert password_is_right(made, password)
    assert not password_is_right(made, password + "x")


def test_a_login_is_taken_once(in_app: Flask) -> None:
    create_administrator(db.session, "marie", PASSWORD)
    with pytest.raises(BadInput, match="LOGIN"):
        create_administrator(db.session, "marie", PASSWORD)


def test_a_new_password_and_a_disabled_account_end_the_sessions_of_that_account_alone(in_app: Flask) -> None:
    now = utcnow()
    for login in ("marie", "karim"):
        made = create_administrator(db.session, login, PASSWORD)
        for number in (1, 2):
            db.session.add(
                AdminSession(
                    secret_hash=f"{login}{number}",
                    administrator_id=made.id,
                    created_at=now,
                    used_at=now,
                    expires_at=now + timedelta(hours=1),
                )
            )
    db.session.flush()

    changed = change_password(db.session, "marie", "another password")
    assert db.session.scalars(sa.select(AdminSession.secret_hash)).all() == ["karim1", "karim2"]
    assert password_is_right(changed, "another password")
    assert not password_is_right(changed, PASSWORD)

    disabled = disable_administrator(db.session, "karim", now)
    assert db.session.scalars(sa.select(AdminSession.id)).all() == []
    assert not password_is_right(disabled, PASSWORD)
    change_password(db.session, "karim", PASSWORD)
    assert password_is_right(disabled, PASSWORD), "a new password opens the account again"


def test_an_account_that_does_not_exist_is_named(in_app: Flask) -> None:
    with pytest.raises(NotFound, match="« nobody »"):
        disable_administrator(db.session, "nobody", utcnow())


def test_the_commands_make_list_and_close_accounts_and_the_log_says_so(
    tmp_path: Path, migrated: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "spirale.db").write_bytes(migrated.read_bytes())
    monkeypatch.setenv("SPIRALE_DATA_DIR", str(tmp_path))
    monkeypatch.setenv("SPIRALE_SECRET_KEY", SECRET)

    def run(*words: str, typed: str = "") -> str:
        result = CliRunner().invoke(spirale, words, input=typed, standalone_mode=False)
        if result.exception is not None:
            raise result.exception
        return result.output

    said = run("admin", "create", "marie", typed=f"{PASSWORD}\n{PASSWORD}\n")
    assert "administrator marie: sign in at http://localhost:8000/admin/" in said
    assert PASSWORD not in said
    run("admin", "create", "karim", "--password-stdin", typed=f"{PASSWORD}\n")
    run("admin", "password", "karim", "--password-stdin", typed="another password\n")
    run("admin", "disable", "marie")
    lines = run("admin", "list").splitlines()
    assert lines[0].startswith("1  marie  disabled ")
    assert lines[1].startswith("2  karim  enabled  since ")
    with pytest.raises(BadInput, match="password"):
        run("admin", "create", "nadia", "--password-stdin", typed="short\n")

    engine = sa.create_engine(f"sqlite:///{tmp_path / 'spirale.db'}")
    with engine.connect() as connection:
        rows = connection.execute(
            sa.select(AdminEvent.what, AdminEvent.about, AdminEvent.administrator_id).order_by(AdminEvent.id)
        ).all()
    engine.dispose()
    assert [tuple(row) for row in rows] == [
        ("admin_created", "administrator 1", None),
        ("admin_created", "administrator 2", None),
        ("password_changed", "administrator 2", None),
        ("admin_disabled", "administrator 1", None),
    ]
