"""`spirale platform` and `spirale key`, as an administrator meets them."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from lti_tool.cli import spirale
from lti_tool.errors import BadInput
from tests.conftest import SECRET

MOODLE = ("--preset", "moodle", "--host", "moodle.example.org", "--deployment-id", "1")


@pytest.fixture
def folder(tmp_path: Path, migrated: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "spirale.db").write_bytes(migrated.read_bytes())
    monkeypatch.setenv("SPIRALE_DATA_DIR", str(tmp_path))
    monkeypatch.setenv("SPIRALE_SECRET_KEY", SECRET)
    return tmp_path


def run(*words: str) -> str:
    """What a command prints; an expected error is raised as itself."""
    result: Result = CliRunner().invoke(spirale, words, standalone_mode=False)
    if result.exception is not None:
        raise result.exception
    return result.stdout


def problems(*words: str) -> dict[str, str]:
    with pytest.raises(BadInput) as refused:
        run(*words)
    return refused.value.problems


def stored(folder: Path, columns: str) -> list[tuple[object, ...]]:
    with sqlite3.connect(folder / "spirale.db") as connection:
        return connection.execute(f"SELECT {columns} FROM platform ORDER BY id").fetchall()


def test_a_preset_and_a_host_are_enough(folder: Path) -> None:
    printed = run("platform", "add", *MOODLE, "--client-id", "abc")
    assert "platform 1: Moodle (moodle.example.org)\n" in printed
    assert "/lti/jwks" in printed
    assert stored(folder, "issuer, auth_token_url, audience, family, connections, anonymous") == [
        ("https://moodle.example.org", "https://moodle.example.org/mod/lti/token.php", "", "moodle", 4, 0)
    ]


def test_what_is_given_wins_over_the_preset(folder: Path) -> None:
    run(
        "platform", "add", "--preset", "brightspace", "--host", "https://school.brightspace.com/",
        "--client-id", "abc", "--deployment-id", "1", "--name", "D2L", "--audience", "",
        "--issuer", "https://other.example.org", "--frame-origin", "https://ent.example.org",
    )  # fmt: skip
    assert stored(folder, "name, issuer, audience, jwks_url, frame_origins") == [
        (
            "D2L",
            "https://other.example.org",
            "",
            "https://school.brightspace.com/d2l/.well-known/jwks",
            '["https://ent.example.org"]',
        )
    ]


def test_without_a_preset_every_address_is_asked_for(folder: Path) -> None:
    found = problems("platform", "add", "--client-id", "abc", "--deployment-id", "1")
    assert set(found) == {"--name", "--issuer", "--auth-login-url", "--auth-token-url", "--jwks-url"}
    assert "--preset" in found["--jwks-url"]
    assert list(problems("platform", "add", *MOODLE[:2], *MOODLE[4:], "--client-id", "a")) == ["--host"]
    assert list(problems("platform", "add", "--preset", "sakai", *MOODLE[4:], "--client-id", "a")) == [
        "--preset"
    ]


def test_settings_are_changed_shown_and_kept_when_wrong(folder: Path) -> None:
    run("platform", "add", *MOODLE, "--client-id", "abc")
    shown = run(
        "platform", "set", "1", "--anonymous", "on", "--name", "Lycée", "--audience", "urn:us",
        "--frame-origin", "https://ent.example.org", "--frame-origin", "https://b.example.org", "--connections", "8",
    )  # fmt: skip
    for line in (
        "name:           Lycée",
        "audience:       urn:us",
        "frame origins:  https://ent.example.org, https://b.example.org",
        "anonymous:      may read the referential",
        "connections:    8",
    ):
        assert line in shown
    assert run("platform", "show", "1") == shown == run("platform", "set", "1")
    assert list(problems("platform", "set", "1", "--name", "X", "--frame-origin", "*")) == ["--frame-origin"]
    assert run("platform", "show", "1") == shown
    emptied = run("platform", "set", "1", "--frame-origin", "", "--audience", "", "--anonymous", "off")
    assert "frame origins:  its own" in emptied
    assert "audience:       the token address" in emptied
    assert "anonymous:      refused" in emptied


def test_earlier_years_are_off_until_they_are_allowed_and_the_log_says_when(folder: Path) -> None:
    run("platform", "add", *MOODLE, "--client-id", "abc")
    assert "earlier years:  not shown" in run("platform", "show", "1")
    assert "earlier years:  shown to teachers" in run("platform", "set", "1", "--earlier-years", "on")
    run("platform", "set", "1", "--earlier-years", "on", "--name", "Lycée")
    assert "earlier years:  not shown" in run("platform", "set", "1", "--earlier-years", "off")
    with sqlite3.connect(folder / "spirale.db") as database:
        logged = database.execute("SELECT what, about FROM admin_event ORDER BY id").fetchall()
    assert logged == [("earlier_years_allowed", "platform 1"), ("earlier_years_stopped", "platform 1")]


def test_deployments_are_added_disabled_and_enabled(folder: Path) -> None:
    run("platform", "add", *MOODLE, "--client-id", "abc")
    assert run("platform", "deployments", "1", "--add", "2", "--disable", "1") == "1  disabled\n2  enabled\n"
    assert "deployments 1 (disabled), 2" in run("platform", "list")
    assert run("platform", "deployments", "1", "--enable", "1") == "1  enabled\n2  enabled\n"


def test_a_replacement_is_shown_then_applied(folder: Path) -> None:
    run("platform", "add", *MOODLE, "--client-id", "old", "--name", "Old")
    run("platform", "add", *MOODLE[:4], "--deployment-id", "2", "--client-id", "new", "--name", "New")
    with sqlite3.connect(folder / "spirale.db") as connection:
        connection.execute(
            "INSERT INTO course (platform_id, deployment_id, context_id, title, label, framework_slugs, "
            "lineitems_url, ags_scopes, memberships_url, roster_problem, created_at) "
            "VALUES (1, 1, '7', 'Seconde', '2MRC1', '[\"mrc-seconde\"]', '', '[]', '', '', '2026-09-01 08:00:00')"
        )
    previewed = run("platform", "replace", "1", "2")
    assert "platform 1 (Old) → platform 2 (New)\n1 courses follow: 2MRC1\n" in previewed
    assert previewed.endswith("nothing is changed yet: the same with --apply does it\n")
    assert stored(folder, "enabled") == [(1,), (1,)]
    assert "nothing is changed" not in run("platform", "replace", "1", "2", "--deployment", "1=2", "--apply")
    assert stored(folder, "enabled") == [(0,), (1,)]
    assert "is not OLD=NEW" in problems("platform", "replace", "1", "2", "--deployment", "1")["--deployment"]
    assert run("platform", "remove", "1") == (
        "Old is removed, with 0 courses, 0 people, 0 activities and 0 entries\n"
    )


def test_keys_are_listed_and_rotated(folder: Path) -> None:
    assert run("key", "list").split()[:2] == ["1", "signing"]
    assert run("key", "rotate").startswith("key 2: ")
    assert [line.split()[:2] for line in run("key", "list").splitlines()] == [["1", "signing"], ["2", "next"]]
    assert "is published already" in problems("key", "rotate")["key"]
    run("key", "rotate", "--now")
    assert [line.split()[1] for line in run("key", "list").splitlines()] == ["retired", "retired", "signing"]
