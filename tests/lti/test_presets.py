"""What is known of each LMS: its addresses by host name, and its ways."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from lti_tool.config import shipped
from lti_tool.db import db, utcnow
from lti_tool.errors import BadInput, ConfigError
from lti_tool.lti import ags
from lti_tool.lti.http import Answer
from lti_tool.lti.presets import family_of, find_preset, presets, read_preset, score_fields
from lti_tool.lti.services import Service, service_of
from lti_tool.lti.tokens import Tokens
from tests import factories


@pytest.mark.parametrize(
    ("preset", "host", "addresses"),
    [
        (
            "moodle",
            "moodle.example.org",
            (
                "https://moodle.example.org",
                "https://moodle.example.org/mod/lti/auth.php",
                "https://moodle.example.org/mod/lti/token.php",
                "https://moodle.example.org/mod/lti/certs.php",
                "",
                (),
            ),
        ),
        (
            "moodle",
            "https://example.org:8443/moodle/",
            (
                "https://example.org:8443/moodle",
                "https://example.org:8443/moodle/mod/lti/auth.php",
                "https://example.org:8443/moodle/mod/lti/token.php",
                "https://example.org:8443/moodle/mod/lti/certs.php",
                "",
                (),
            ),
        ),
        (
            "canvas",
            "school.instructure.com",
            (
                "https://canvas.instructure.com",
                "https://sso.canvaslms.com/api/lti/authorize_redirect",
                "https://sso.canvaslms.com/login/oauth2/token",
                "https://sso.canvaslms.com/api/lti/security/jwks",
                "",
                ("https://school.instructure.com",),
            ),
        ),
        (
            "brightspace",
            "school.brightspace.com",
            (
                "https://school.brightspace.com",
                "https://school.brightspace.com/d2l/lti/authenticate",
                "https://auth.brightspace.com/core/connect/token",
                "https://school.brightspace.com/d2l/.well-known/jwks",
                "https://api.brightspace.com/auth/token",
                (),
            ),
        ),
        ("generic", "", ("", "", "", "", "", ())),
    ],
)
def test_a_preset_fills_addresses_from_a_host(preset: str, host: str, addresses: tuple[Any, ...]) -> None:
    found = find_preset(preset).addresses(host)
    assert (
        found.issuer,
        found.auth_login_url,
        found.auth_token_url,
        found.jwks_url,
        found.audience,
        found.frame_origins,
    ) == addresses


@pytest.mark.parametrize("host", ["", "http://moodle.example.org", "moodle example.org", "a/../b c", "-x"])
def test_what_is_no_host_is_refused(host: str) -> None:
    with pytest.raises(BadInput) as refused:
        find_preset("moodle").addresses(host)
    assert list(refused.value.problems) == ["--host"]


def test_a_host_that_would_change_nothing_is_refused() -> None:
    with pytest.raises(BadInput) as refused:
        find_preset("generic").addresses("lms.example.org")
    assert "fills no address" in refused.value.problems["--host"]
    with pytest.raises(BadInput) as refused:
        find_preset("sakai")
    assert refused.value.problems == {
        "--preset": "« sakai » is not one of brightspace, canvas, generic, moodle"
    }


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ('jwks_urls = ""', "jwks_urls: there is no such key"),
        ("connections = 0", "connections: a whole number, 1 to 16, is needed, not 0"),
        ("connections = 17", "connections: a whole number, 1 to 16, is needed, not 17"),
        ("connections = true", "connections: a whole number, 1 to 16, is needed, not True"),
        ('jwks_url = "http://lms.example.org/jwks"', "jwks_url: an https address is needed"),
        ('frame_origins = "https://x"', "frame_origins: a list of texts is needed"),
        ('title = ""', "title: a text is needed"),
    ],
)
def test_a_wrong_preset_names_its_file_and_key(tmp_path: Path, line: str, problem: str) -> None:
    lines = shipped("configs", "platforms", "generic.toml").read_text().splitlines()
    key = line.split()[0]
    kept = [one for one in lines if not one.startswith(f"{key} =")]
    path = tmp_path / "sakai.toml"
    path.write_text("\n".join([line, *kept]))
    with pytest.raises(ConfigError) as refused:
        read_preset(path)
    assert f"{path}: {problem}" in str(refused.value)


def test_a_preset_that_is_no_toml_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "sakai.toml"
    path.write_text("title =")
    with pytest.raises(ConfigError, match="sakai.toml: Invalid value"):
        read_preset(path)


def test_a_preset_without_one_of_its_keys_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "sakai.toml"
    path.write_text('title = "Sakai"\n')
    with pytest.raises(ConfigError, match="audience: is missing"):
        read_preset(path)


def test_every_shipped_file_says_what_it_is() -> None:
    for path in shipped("configs", "platforms").glob("*.toml"):
        assert path.read_text().startswith("# ")
        assert read_preset(path) == presets()[path.stem]


def test_a_launch_names_its_family() -> None:
    assert [family_of(code) for code in ("moodle", "Canvas", "desire2learn", "sakai", "")] == [
        "moodle",
        "canvas",
        "brightspace",
        "",
        "",
    ]


@pytest.mark.parametrize("family", ["canvas", "moodle", ""])
def test_a_score_says_to_canvas_alone_that_it_is_no_new_submission(
    in_app: Flask, monkeypatch: pytest.MonkeyPatch, family: str
) -> None:
    sent: list[bytes] = []

    def request(_service: Service, _method: str, _url: str, _scopes: object, **more: Any) -> Answer:
        sent.append(more["body"])
        return Answer(200, b"", None)

    monkeypatch.setattr(Service, "request", request)
    platform = factories.platform(family=family)
    service = service_of(db.session, platform, Tokens(), in_app.extensions["spirale_config"])
    ags.send_score(service, "https://lms.example.org/column", ags.Score("5", None, 4, "vu", utcnow()))
    added = {"https://canvas.instructure.com/lti/submission": {"new_submission": False}}
    body = json.loads(sent[0])
    assert {key: value for key, value in body.items() if key.startswith("https://")} == (
        added if family == "canvas" else {}
    )
    assert score_fields(family) == (added if family == "canvas" else {})
