"""Settings: where they come from, and what is said when one is wrong."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from lti_tool.config import load_config, shipped
from lti_tool.errors import ConfigError

SECRET = "x" * 40


def env(tmp_path: Path, **more: str) -> dict[str, str]:
    return {"SPIRALE_DATA_DIR": str(tmp_path / "var"), **more}


def test_the_default_is_sqlite_beside_a_secret_made_once(tmp_path: Path) -> None:
    first, second = load_config(env(tmp_path)), load_config(env(tmp_path))
    assert first.database_url == f"sqlite:///{tmp_path / 'var' / 'spirale.db'}"
    assert first.base_url == "http://localhost:8000"
    assert first.secret_key == second.secret_key
    assert len(first.secret_key) >= 32
    assert (tmp_path / "var" / "secret-key").stat().st_mode & 0o777 == 0o600


def test_the_environment_overrides_the_file(tmp_path: Path) -> None:
    chosen = tmp_path / "mine.toml"
    chosen.write_text('[server]\nbase_url = "https://a.example.org/"\n[delivery]\ntries = 3\n')
    config = load_config(env(tmp_path, SPIRALE_CONFIG=str(chosen)))
    assert config.base_url == "https://a.example.org"
    assert config.delivery.tries == 3
    config = load_config(env(tmp_path, SPIRALE_CONFIG=str(chosen), SPIRALE_BASE_URL="https://b.example.org"))
    assert config.base_url == "https://b.example.org"


@pytest.mark.parametrize(
    ("given", "used"),
    [
        ("postgres://u@h/d", "postgresql+psycopg://u@h/d"),
        ("postgresql://u@h/d", "postgresql+psycopg://u@h/d"),
        ("sqlite:////tmp/x.db", "sqlite:////tmp/x.db"),
    ],
)
def test_usual_spellings_of_a_database_are_understood(tmp_path: Path, given: str, used: str) -> None:
    assert load_config(env(tmp_path, SPIRALE_DATABASE_URL=given)).database_url == used


@pytest.mark.parametrize(
    ("variables", "says"),
    [
        ({"SPIRALE_CONFIG": "production"}, "SPIRALE_BASE_URL"),
        ({"SPIRALE_CONFIG": "production", "SPIRALE_BASE_URL": "https://s.example.org"}, "SPIRALE_SECRET_KEY"),
        (
            {
                "SPIRALE_CONFIG": "production",
                "SPIRALE_BASE_URL": "https://s.example.org",
                "SPIRALE_SECRET_KEY": "short",
            },
            "32 characters",
        ),
        ({"SPIRALE_CONFIG": "nowhere"}, "nowhere"),
        ({"SPIRALE_BASE_URL": "localhost:8000"}, "SPIRALE_BASE_URL"),
        ({"SPIRALE_BASE_URL": "ftp://x"}, "SPIRALE_BASE_URL"),
        ({"SPIRALE_DATABASE_URL": "mysql://x"}, "SPIRALE_DATABASE_URL"),
        ({"SPIRALE_QUEUE_URL": "amqp://x"}, "SPIRALE_QUEUE_URL"),
        ({"SPIRALE_DEFAULT_REFERENTIALS": " , "}, "SPIRALE_DEFAULT_REFERENTIALS"),
    ],
)
def test_a_wrong_setting_is_named(tmp_path: Path, variables: dict[str, str], says: str) -> None:
    with pytest.raises(ConfigError, match=says):
        load_config(env(tmp_path, **variables))


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[server\n", "mine.toml"),
        ("[server]\nport = 1\n", r"\[server\] port"),
        ('[server]\ntimezone = "Mars/Phobos"\n', "timezone"),
        ("[lti]\nlogin_lifetime_s = 0\n", "lti.login_lifetime_s"),
        ('[delivery]\ntries = "many"\n', "delivery.tries"),
        ("[retention]\nmonths = 1\n", "retention.months: 2 to 120"),
        ("[retention]\nmonths = 121\n", "retention.months: 2 to 120"),
        ("[retention]\nlog_months = 12.5\n", "retention.log_months"),
        ('[server]\nmode = "test"\n', "server.mode"),
        ("[courses]\ndefault_referentials = []\n", "SPIRALE_DEFAULT_REFERENTIALS"),
        ("[courses]\ndefault_referentials = [1]\n", "SPIRALE_DEFAULT_REFERENTIALS"),
    ],
)
def test_a_wrong_file_is_named_with_its_setting(tmp_path: Path, text: str, says: str) -> None:
    chosen = tmp_path / "mine.toml"
    chosen.write_text(text)
    with pytest.raises(ConfigError, match=says):
        load_config(env(tmp_path, SPIRALE_CONFIG=str(chosen)))


def test_production_starts_with_a_secret_and_https(tmp_path: Path) -> None:
    config = load_config(
        env(
            tmp_path,
            SPIRALE_CONFIG="production",
            SPIRALE_BASE_URL="https://s.example.org",
            SPIRALE_SECRET_KEY=SECRET,
        )
    )
    assert config.production
    assert config.https
    assert not (tmp_path / "var" / "secret-key").exists()


@pytest.mark.parametrize(
    ("given", "used"),
    [
        ("crcn", ("crcn",)),
        ("mrc-seconde, crcn", ("mrc-seconde", "crcn")),
        (" crcn  mrc-seconde crcn ", ("crcn", "mrc-seconde")),
    ],
)
def test_the_environment_names_the_referentials_of_new_courses(
    tmp_path: Path, given: str, used: tuple[str, ...]
) -> None:
    assert load_config(env(tmp_path, SPIRALE_DEFAULT_REFERENTIALS=given)).default_referentials == used
    assert load_config(env(tmp_path)).default_referentials == ("mrc-seconde",)


@pytest.mark.parametrize("months", [2, 120])
def test_the_shortest_and_the_longest_retention_are_taken(tmp_path: Path, months: int) -> None:
    chosen = tmp_path / "mine.toml"
    chosen.write_text(f"[retention]\nmonths = {months}\n")
    kept = load_config(env(tmp_path, SPIRALE_CONFIG=str(chosen))).retention
    assert kept.people.days == 30 * months
    assert kept.log.days == 30 * 36


def test_every_setting_says_what_it_is() -> None:
    path = shipped("configs", "default.toml")
    lines = path.read_text(encoding="utf-8").splitlines()
    for part in tomllib.loads(path.read_text(encoding="utf-8")).values():
        for key in part:
            place = next(n for n, line in enumerate(lines) if line.startswith(f"{key} ="))
            above = place - 1
            while not lines[above].startswith(("#", "[")):
                above -= 1
            assert lines[above].startswith("#"), key
