"""No table grows for ever, and nothing that a process keeps does."""

from __future__ import annotations

import functools
import importlib
import pkgutil
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask

import lti_tool
from lti_tool.administration.models import AdminEvent, Administrator, AdminLoginFailure, AdminSession
from lti_tool.courses.models import LaunchSession, Role
from lti_tool.db import Base, db, utcnow
from lti_tool.gradebook import queue as queue_module
from lti_tool.gradebook import sweeping
from lti_tool.gradebook.queue import wake_worker
from lti_tool.gradebook.sweeping import BATCH, KEPT_AFTER_END, ended, forget_ended
from lti_tool.gradebook.worker import sweep
from lti_tool.lti import senders
from lti_tool.lti.keysets import MOST_SETS, KeySets
from lti_tool.lti.models import LaunchRefusal, Login
from lti_tool.lti.tokens import MOST_SLOTS, Caller, Tokens
from tests import factories

LASTING = {
    "platform": "an administrator's",
    "deployment": "an administrator's",
    "tool_key": "one per rotation",
    "course": "one per course of the platform",
    "person": "one per person of the platform",
    "enrolment": "one per person and course",
    "school_year": "one per year of a course",
    "course_group": "teachers' work",
    "course_group_member": "teachers' work",
    "course_period": "teachers' work",
    "resource_link": "one per link of a course",
    "framework": "the referentials",
    "framework_item": "the referentials",
    "item_association": "the referentials",
    "see_also": "the referentials",
    "activity": "teachers' work",
    "activity_competence": "teachers' work",
    "activity_link": "teachers' work",
    "observed_item": "teachers' work",
    "assessment": "what was assessed, kept as it was entered",
    "saved_comment": "what an assessor keeps for reuse, a hundred at most",
    "self_position": "what pupils said of themselves, kept as it was said",
    "observation_request": "one per competence that a pupil asked to be observed in",
    "decision": "what teachers decided, kept as it was decided",
    "policy_settings": "one per course",
    "gradebook_settings": "one per course",
    "line_item": "one per competence of a course",
    "score_delivery": "what was sent, and what the platform said",
    "platform_pause": "one per platform",
    "invite": "one per invitation that an administrator makes",
    "administrator": "one per account",
    "worker_trace": "one row",
}
"""Tables whose rows are somebody's work or an administrator's: they end with retention, not by themselves."""


@pytest.fixture
def models() -> set[str]:
    """The tables of every module."""
    for module in pkgutil.walk_packages(lti_tool.__path__, "lti_tool."):
        if module.name.endswith(".models"):
            importlib.import_module(module.name)
    return set(Base.metadata.tables)


def test_every_table_is_swept_or_holds_lasting_data(models: set[str]) -> None:
    swept = {str(model.__tablename__) for model in ended(utcnow())}  # type: ignore[attr-defined]
    house = {str(model.__tablename__) for model in HOUSE}  # type: ignore[attr-defined]
    assert swept & set(LASTING) == set()
    assert swept | house | set(LASTING) == models


def login(ends: datetime) -> Login:
    number = next(factories._numbers)
    return Login(
        state_hash=f"state {number}",
        nonce_hash="n",
        browser_hash="b",
        platform_id=factories.platform().id,
        target_link_uri="t",
        expires_at=ends,
    )


def launch_session(ends: datetime) -> LaunchSession:
    course = factories.course()
    person = factories.enrolled(course, "Adam", "Benali")
    return LaunchSession(
        sid_hash=f"sid {person.id}",
        deployment_id=course.deployment_id,
        course_id=course.id,
        person_id=person.id,
        role=Role.LEARNER,
        locale="fr",
        created_at=ends,
        used_at=ends,
        expires_at=ends,
    )


ROWS = {Login: (login, timedelta(0)), LaunchSession: (launch_session, KEPT_AFTER_END)}
"""For each swept table: how a row is made, and how long it outlives its end."""


def administrator() -> int:
    made = Administrator(login=f"admin {next(factories._numbers)}", password_hash="x")
    db.session.add(made)
    db.session.flush()
    return made.id


def admin_session(at: datetime) -> AdminSession:
    number = next(factories._numbers)
    return AdminSession(
        secret_hash=f"{number}", administrator_id=administrator(), created_at=at, used_at=at, expires_at=at
    )


def login_failure(at: datetime) -> AdminLoginFailure:
    return AdminLoginFailure(key_hash=f"{next(factories._numbers)}", count=1, last_at=at)


def refusal(at: datetime) -> LaunchRefusal:
    platform = factories.platform()
    db.session.flush()
    return LaunchRefusal(platform_id=platform.id, reason="bad_token", day=at.date(), count=1, last_at=at)


def event(at: datetime) -> AdminEvent:
    return AdminEvent(at=at, what="platform_added")


HOUSE = {
    AdminSession: admin_session,
    AdminLoginFailure: login_failure,
    LaunchRefusal: refusal,
    AdminEvent: event,
}
"""The tables of the administration, which the same sweep keeps: how a row of a moment is made."""


def test_the_tables_of_the_administration_lose_what_is_over_and_nothing_else(in_app: Flask) -> None:
    now, kept = utcnow(), {}
    for model, make in HOUSE.items():
        old, young = make(now - timedelta(days=5 * 365)), make(now + timedelta(minutes=1))
        db.session.add_all([old, young])
        db.session.flush()
        kept[model] = young.id
    db.session.commit()
    sweep(in_app)
    db.session.rollback()
    for model, number in kept.items():
        assert db.session.scalars(sa.select(model.id)).all() == [number]


def test_each_swept_table_loses_what_has_served_and_nothing_else(in_app: Flask) -> None:
    assert set(ROWS) == set(ended(utcnow()))
    now, kept = utcnow(), {}
    for model, (make, outlives) in ROWS.items():
        old, young = make(now - outlives - timedelta(seconds=1)), make(now - outlives + timedelta(minutes=1))
        db.session.add_all([old, young])
        db.session.flush()
        kept[model] = young.id
    db.session.commit()
    sweep(in_app)
    db.session.rollback()
    for model, number in kept.items():
        assert db.session.scalars(sa.select(model.id)).all() == [number]


@pytest.mark.parametrize(("rows", "batches"), [(0, 1), (BATCH - 1, 1), (BATCH, 2), (BATCH + 1, 2)])
def test_a_sweep_goes_by_batches_each_in_a_transaction_of_its_own(
    in_app: Flask, monkeypatch: pytest.MonkeyPatch, rows: int, batches: int
) -> None:
    old = utcnow() - timedelta(days=1)
    platform = factories.platform()
    values = {"nonce_hash": "n", "browser_hash": "b", "platform_id": platform.id, "target_link_uri": "t"}
    if rows:
        made = [{**values, "state_hash": str(n), "expires_at": old} for n in range(rows)]
        db.session.execute(sa.insert(Login), made)
    db.session.commit()
    begun: list[int] = []
    begin = sweeping.begin_write
    monkeypatch.setattr(sweeping, "begin_write", lambda: (begun.append(1), begin()))
    monkeypatch.setattr(sweeping, "ended", lambda now: {Login: Login.expires_at < now})
    assert forget_ended(utcnow()) == rows
    assert len(begun) == batches
    assert db.session.scalar(sa.select(sa.func.count(Login.id))) == 0


# ----- what a process keeps -----


def cached() -> Iterator[tuple[str, Any]]:
    for module in pkgutil.walk_packages(lti_tool.__path__, "lti_tool."):
        if module.name.endswith("__main__"):
            continue
        for name, value in vars(importlib.import_module(module.name)).items():
            if isinstance(value, functools._lru_cache_wrapper):
                yield f"{module.name}.{name}", value


def test_every_cached_function_has_a_bound() -> None:
    bounds = {name: value.cache_parameters()["maxsize"] for name, value in cached()}
    assert "lti_tool.lti.keys._private" in bounds
    assert [name for name, bound in bounds.items() if bound is None] == []


def test_key_sets_are_kept_for_so_many_addresses_the_first_one_given_up() -> None:
    keysets = KeySets(timeout_s=1, lifetime_s=60, cooldown_s=60)
    for number in range(MOST_SETS + 1):
        with pytest.raises(Exception, match="keys_unreachable"):
            keysets.find(f"not an address {number}", "kid")
    assert len(keysets._sets) == MOST_SETS
    assert "not an address 0" not in keysets._sets
    assert "not an address 1" in keysets._sets


def test_tokens_are_kept_for_so_many_platforms_the_first_one_given_up() -> None:
    tokens, key = Tokens(), object()
    for number in range(MOST_SLOTS + 1):
        caller = Caller(number, "client", "https://lms.example.org/token", "", "kid", key)  # type: ignore[arg-type]
        tokens.drop(caller, ("scope",), "a token")
    assert len(tokens._slots) == MOST_SLOTS
    assert {key[0] for key in tokens._slots} == set(range(1, MOST_SLOTS + 1))


def test_a_token_is_of_the_address_it_came_from() -> None:
    tokens, key = Tokens(), object()
    for url in ("https://old.example.org/token", "https://new.example.org/token"):
        tokens.drop(Caller(1, "client", url, "", "kid", key), ("scope",), "a token")  # type: ignore[arg-type]
    assert len(tokens._slots) == 2


def test_platforms_are_kept_up_to_a_bound(in_app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(senders, "MOST_KEPT", 2)
    monkeypatch.setattr(senders, "_kept", {})
    for _ in range(5):
        senders.sender(db.session, factories.platform().id)
        assert 1 <= len(senders._kept) <= 2


def test_messages_do_not_pile_up_while_no_worker_takes_them(
    in_app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(queue_module, "MOST_WAITING", 3)
    queue = in_app.extensions["spirale_queue"]
    for _ in range(5):
        wake_worker()
    assert queue.pending_count() == 3
    queue.dequeue()
    wake_worker()
    assert queue.pending_count() == 3
