"""The command line, as an administrator meets it."""

from __future__ import annotations

import fcntl
import io
import os
import re
import socket
import subprocess
import sys
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from unittest.mock import patch

import pytest

from lti_tool.cli import main
from lti_tool.config import shipped
from lti_tool.demo_run import run_demo
from lti_tool.errors import ConfigError

ADD = [
    "platform", "add", "--name", "Moodle du lycée", "--issuer", "https://moodle.example.org", "--client-id", "abc",
    "--auth-login-url", "https://moodle.example.org/mod/lti/auth.php",
    "--auth-token-url", "https://moodle.example.org/mod/lti/token.php",
    "--jwks-url", "https://moodle.example.org/mod/lti/certs.php", "--deployment-id", "1",
]  # fmt: skip


def spirale(folder: Path, *words: str, **variables: str) -> subprocess.CompletedProcess[str]:
    kept = {k: v for k, v in os.environ.items() if not k.startswith("SPIRALE_")}
    return subprocess.run(
        [sys.executable, "-m", "lti_tool", *words],
        env={**kept, "SPIRALE_DATA_DIR": str(folder), **variables},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def here(folder: Path, *words: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """The same in this process, which has read everything already: a second and a half less for each command."""
    said, wrong, code = io.StringIO(), io.StringIO(), 0
    kept = {k: v for k, v in os.environ.items() if not k.startswith("SPIRALE_")}
    settings = {**kept, "SPIRALE_DATA_DIR": str(folder), **variables}
    with (
        patch.dict(os.environ, settings, clear=True),
        patch.object(sys, "argv", ["spirale", *words]),
        redirect_stdout(said),
        redirect_stderr(wrong),
    ):
        try:
            main()
        except SystemExit as end:
            code = end.code if isinstance(end.code, int) else 1
    return subprocess.CompletedProcess(list(words), code, said.getvalue(), wrong.getvalue())


def free_port() -> str:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return str(probe.getsockname()[1])


@pytest.fixture
def folder(tmp_path: Path, migrated: Path) -> Path:
    (tmp_path / "spirale.db").write_bytes(migrated.read_bytes())
    return tmp_path


def test_an_empty_database_is_refused_with_the_advice_then_upgraded(tmp_path: Path) -> None:
    refused = spirale(tmp_path, "platform", "list")
    assert refused.returncode == 1
    assert "spirale db upgrade" in refused.stderr
    assert "Traceback" not in refused.stderr
    assert spirale(tmp_path, "db", "current").returncode == 1
    upgraded = spirale(tmp_path, "db", "upgrade")
    assert upgraded.returncode == 0, upgraded.stderr
    assert spirale(tmp_path, "db", "current").returncode == 0
    assert "mrc-seconde: 43 items, 892 links (unchanged)" in spirale(tmp_path, "referential", "load").stdout


def test_a_platform_is_registered_listed_disabled_and_enabled(folder: Path) -> None:
    added = here(folder, *ADD, SPIRALE_BASE_URL="https://spirale.example.org")
    assert added.returncode == 0, added.stderr
    for address in ("/lti/launch", "/lti/login", "/lti/jwks"):
        assert f"https://spirale.example.org{address}" in added.stdout
    listed = here(folder, "platform", "list").stdout
    assert "Moodle du lycée" in listed
    assert "enabled" in listed
    assert here(folder, "platform", "disable", "1").returncode == 0
    assert "disabled" in here(folder, "platform", "list").stdout
    assert here(folder, "platform", "enable", "1").returncode == 0
    assert "disabled" not in here(folder, "platform", "list").stdout


def test_a_wrong_registration_names_each_option(folder: Path) -> None:
    wrong = [*ADD[:-1], ""]
    wrong[wrong.index("https://moodle.example.org/mod/lti/certs.php")] = "moodle/certs"
    answer = here(folder, *wrong)
    assert answer.returncode == 2
    assert "--jwks-url" in answer.stderr
    assert "--deployment-id" in answer.stderr
    here(folder, *ADD)
    again = here(folder, *ADD)
    assert again.returncode == 2
    assert "already platform 1" in again.stderr
    missing = here(folder, "platform", "disable", "9")
    assert missing.returncode == 1
    assert "platform list" in missing.stderr


def test_an_invitation_is_printed_once_listed_and_withdrawn(folder: Path) -> None:
    made = here(
        folder, "platform", "invite", "--name", "Moodle du lycée", "--expires", "12h",
        "--allow-private-host", "Moodle.LAN", SPIRALE_BASE_URL="https://spirale.example.org",
    )  # fmt: skip
    assert made.returncode == 0, made.stderr
    assert "invitation 1, until " in made.stderr
    address = made.stdout.strip()
    assert re.fullmatch(r"https://spirale\.example\.org/lti/register/[\w-]{43}", address)
    listed = here(folder, "platform", "invites").stdout
    assert listed.startswith("1  open")
    assert "Moodle du lycée  private host moodle.lan" in listed
    assert address.rpartition("/")[2] not in listed
    assert here(folder, "platform", "revoke", "1").stdout == "invitation 1 is withdrawn\n"
    assert here(folder, "platform", "invites").stdout.startswith("1  revoked")
    unknown = here(folder, "platform", "revoke", "2")
    assert unknown.returncode == 1
    assert "no open invitation 2" in unknown.stderr


def test_a_wrong_invitation_names_each_option(folder: Path) -> None:
    answer = here(
        folder, "platform", "invite", "--expires", "soon", "--allow-private-host", "http://moodle.lan/"
    )
    assert answer.returncode == 2
    assert "--expires: « soon »" in answer.stderr
    assert "--allow-private-host: « http://moodle.lan/ »" in answer.stderr
    assert here(folder, "platform", "invites").stdout == ""


def test_a_deployment_is_added_to_a_platform(folder: Path) -> None:
    here(folder, *ADD)
    assert here(folder, "platform", "deployments", "1", "--add", "7").returncode == 0
    assert "deployments 1, 7" in here(folder, "platform", "list").stdout
    assert here(folder, "platform", "deployments", "9", "--add", "7").returncode == 1


def test_a_wrong_setting_is_one_sentence(tmp_path: Path) -> None:
    answer = spirale(tmp_path, "platform", "list", SPIRALE_DATABASE_URL="mysql://x")
    assert answer.returncode == 1
    assert "SPIRALE_DATABASE_URL" in answer.stderr
    assert "Traceback" not in answer.stderr


def test_a_database_that_does_not_answer_is_one_sentence(tmp_path: Path) -> None:
    answer = spirale(
        tmp_path, "platform", "list", SPIRALE_DATABASE_URL="postgresql://nobody@127.0.0.1:1/none"
    )
    assert answer.returncode == 1
    assert "does not answer" in answer.stderr
    assert "Traceback" not in answer.stderr


def test_the_demo_does_not_start_in_production_nor_on_a_busy_port(tmp_path: Path) -> None:
    answer = spirale(tmp_path, "demo", SPIRALE_CONFIG="production")
    assert answer.returncode == 1
    assert "production" in answer.stderr
    with socket.socket() as busy:
        busy.bind(("127.0.0.1", 0))
        busy.listen()
        port = str(busy.getsockname()[1])
        answer = spirale(tmp_path, "demo", SPIRALE_PORT=port)
    assert answer.returncode == 1
    assert f"port {port} is busy" in answer.stderr
    assert spirale(tmp_path, "demo", SPIRALE_PORT="abc").returncode == 1


def test_the_three_ports_of_the_demo_are_free_and_three(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SPIRALE_DATA_DIR", str(tmp_path / "demo"))
    monkeypatch.setenv("SPIRALE_PORT", free_port())
    monkeypatch.setenv("SPIRALE_DEMO_PORT", lms := free_port())
    with socket.socket() as busy:
        busy.bind(("127.0.0.1", 0))
        busy.listen()
        port = busy.getsockname()[1]
        monkeypatch.setenv("SPIRALE_ENT_PORT", str(port))
        with pytest.raises(
            ConfigError, match=f"port {port} is busy.* SPIRALE_ENT_PORT={port + 10} make demo"
        ):
            run_demo()
    monkeypatch.setenv("SPIRALE_ENT_PORT", lms)
    with pytest.raises(ConfigError, match=f"SPIRALE_DEMO_PORT and SPIRALE_ENT_PORT are both {lms}"):
        run_demo()
    assert not (tmp_path / "demo").exists()


def test_checking_a_referential_needs_no_database(tmp_path: Path) -> None:
    answer = here(tmp_path / "nowhere", "referential", "check")
    assert answer.returncode == 0, answer.stderr
    assert "mrc-seconde: 43 items, ok" in answer.stdout
    assert not (tmp_path / "nowhere").exists()


def test_the_addresses_to_paste_are_printed_before_anything_is_registered(tmp_path: Path) -> None:
    answer = here(tmp_path / "none", "platform", "addresses", SPIRALE_BASE_URL="https://spirale.example.org")
    assert answer.returncode == 0, answer.stderr
    assert "https://spirale.example.org/lti/jwks" in answer.stdout


def test_one_shipped_referential_can_be_checked_alone(tmp_path: Path) -> None:
    answer = here(tmp_path, "referential", "check", str(shipped("configs", "referentials", "ma.yaml")))
    assert answer.returncode == 0, answer.stderr
    assert answer.stdout == "ma: 187 items, ok\n"


def test_two_demos_never_share_a_folder(tmp_path: Path) -> None:
    with (tmp_path / "demo.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        answer = spirale(
            tmp_path, "demo", SPIRALE_PORT="18181", SPIRALE_DEMO_PORT="18182", SPIRALE_ENT_PORT="18183"
        )
    assert answer.returncode == 1
    assert "a demo already runs" in answer.stderr
