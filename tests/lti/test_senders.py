"""Platforms as launches see them: what an administrator changes counts at once, on whatever process it was kept."""

from __future__ import annotations

import pytest
import sqlalchemy as sa
from flask import Flask

from lti_tool.db import db
from lti_tool.lti.models import Deployment, Platform
from lti_tool.lti.senders import sender, senders_of
from tests import factories
from tests.lti.platform_of_tests import Lms


def registered(**values: object) -> Platform:
    made = factories.platform(**values)
    db.session.commit()
    return made


def test_a_platform_is_built_once_and_kept_while_nothing_changes(in_app: Flask) -> None:
    number = registered().id
    assert sender(db.session, number) is sender(db.session, number)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("enabled", False),
        ("client_id", "another"),
        ("auth_login_url", "https://new.example.org/auth"),
        ("jwks_url", "https://new.example.org/jwks"),
        ("frame_origins", ["https://new.example.org"]),
    ],
)
def test_a_change_is_seen_at_the_next_launch_and_so_is_its_undoing(
    in_app: Flask, name: str, value: object
) -> None:
    platform = registered()
    before = getattr(platform, name)
    for wanted in (before, value, before):
        setattr(platform, name, wanted)
        db.session.commit()
        assert getattr(sender(db.session, platform.id), name) == wanted


def test_deployments_come_in_order_and_their_changes_are_seen(in_app: Flask) -> None:
    platform = registered(deployments=[])
    assert sender(db.session, platform.id).deployments == []
    for name in ("b", "a"):
        db.session.add(Deployment(platform_id=platform.id, deployment_id=name))
        db.session.commit()
    seen = sender(db.session, platform.id).deployments
    assert [(d.deployment_id, d.enabled) for d in seen] == [("b", True), ("a", True)]
    db.session.get_one(Deployment, seen[0].id).enabled = False
    db.session.commit()
    assert [d.enabled for d in sender(db.session, platform.id).deployments] == [False, True]


def test_an_issuer_has_a_platform_for_each_client_id(in_app: Flask) -> None:
    one = registered(issuer="https://same.example.org", client_id="a").id
    two = registered(issuer="https://same.example.org", client_id="b").id
    registered()
    assert [p.id for p in senders_of(db.session, "https://same.example.org")] == [one, two]
    assert senders_of(db.session, "https://unknown.example.org") == []


def test_a_platform_that_was_kept_is_in_no_session_and_changes_no_row(in_app: Flask) -> None:
    number = registered().id
    sender(db.session, number).name = "changed by mistake"
    db.session.commit()
    assert db.session.get_one(Platform, number).name != "changed by mistake"


def test_a_disabled_deployment_is_refused_at_login_and_at_launch(app: Flask, lms: Lms) -> None:
    assert lms.whole_launch().status_code == 303
    lms.begin()
    with app.app_context():
        db.session.execute(sa.update(Deployment).values(enabled=False))
        db.session.commit()
    assert lms.launch().status_code == 403
    assert lms.begin().status_code == 403
