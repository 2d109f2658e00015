"""How long an invitation lasts, and which hosts it may name."""

from __future__ import annotations

from datetime import timedelta

import pytest
from flask import Flask

from lti_tool.db import begin_write, db, utcnow
from lti_tool.errors import BadInput
from lti_tool.lti.invites import invite_platform


@pytest.mark.parametrize(
    ("typed", "lasts"),
    [
        ("30m", timedelta(minutes=30)),
        ("12h", timedelta(hours=12)),
        ("7d", timedelta(days=7)),
        ("90d", timedelta(days=90)),
    ],
)
def test_an_invitation_lasts_what_was_typed(in_app: Flask, typed: str, lasts: timedelta) -> None:
    begin_write()
    now = utcnow()
    invite, _address = invite_platform(db.session, now, in_app.extensions["spirale_config"], expires=typed)
    assert invite.expires_at - now == lasts


@pytest.mark.parametrize(
    ("option", "typed"),
    [
        *(
            ("expires", typed)
            for typed in ("91d", "0d", "7", "d", "-1d", "7w", "7d ", "1.5d", "²d", "99999d")
        ),
        *(("private_host", typed) for typed in ("http://x", "x/y", "x:80", "a b", "é.fr", "-x", "x" * 256)),
        ("name", "x" * 256),
    ],
)
def test_what_cannot_be_an_invitation_is_refused(in_app: Flask, option: str, typed: str) -> None:
    begin_write()
    with pytest.raises(BadInput) as refused:
        invite_platform(db.session, utcnow(), in_app.extensions["spirale_config"], **{option: typed})
    assert len(refused.value.problems) == 1


@pytest.mark.parametrize(
    ("typed", "kept"), [("Moodle.LAN.", "moodle.lan"), ("[fd00::1]", "fd00::1"), ("10.0.0.5", "10.0.0.5")]
)
def test_a_private_host_is_kept_as_addresses_write_it(in_app: Flask, typed: str, kept: str) -> None:
    begin_write()
    config = in_app.extensions["spirale_config"]
    assert invite_platform(db.session, utcnow(), config, private_host=typed)[0].private_host == kept
