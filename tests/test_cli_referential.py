"""`spirale referential check` and `load`: what they print, and how they refuse a broken file."""

from __future__ import annotations

from pathlib import Path

import pytest
import sqlalchemy as sa
from click.testing import CliRunner, Result
from flask import Flask

from lti_tool.cli import main, spirale
from lti_tool.config import Config
from lti_tool.db import db
from lti_tool.errors import ReferentialError
from lti_tool.frameworks.loading import shipped_referentials
from lti_tool.frameworks.models import Framework, FrameworkItem
from tests.conftest import SECRET
from tests.frameworks.samples import BAC, SECONDE, changed, line_of, write


def run(*arguments: str | Path, env: dict[str, str] | None = None) -> Result:
    return CliRunner().invoke(spirale, ["referential", *map(str, arguments)], env=env)


@pytest.fixture
def env(config: Config) -> dict[str, str]:
    """The environment of a command on a migrated database."""
    return {"SPIRALE_DATA_DIR": str(config.data_dir), "SPIRALE_SECRET_KEY": SECRET}


def test_check_reads_the_shipped_referentials_by_default_and_needs_no_database(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("SPIRALE_SECRET_KEY", raising=False)

    result = run("check")

    assert result.exit_code == 0
    slugs = [line.split(":")[0] for line in result.output.splitlines()]
    assert slugs == ["mrc-seconde", "ma", "mcv"]
    assert all(line.endswith(" items, ok") for line in result.output.splitlines())


def test_check_reads_the_files_it_is_given(tmp_path: Path) -> None:
    result = run("check", write(tmp_path, "essai.yaml", SECONDE), write(tmp_path, "bac.yaml", BAC))

    assert (result.exit_code, result.output) == (0, "essai: 4 items, ok\nbac: 5 items, ok\n")


def test_a_file_may_link_to_a_shipped_referential_without_naming_its_file(tmp_path: Path) -> None:
    ma = next(path for path in shipped_referentials() if path.stem == "ma")
    identifier = (
        ma.read_text(encoding="utf-8").split("type: competence\n")[0].rsplit("- id: ", 1)[1].split()[0]
    )
    text = SECONDE.replace("to: bac", "to: ma").replace("side: bac", "side: ma")
    for old in ("22222222-2222-4222-8222-00000000000c", "22222222-2222-4222-8222-0000000000c1"):
        text = text.replace(old + "\n", identifier + "\n")

    result = run("check", write(tmp_path, "essai.yaml", text))

    assert (result.exit_code, result.output) == (0, "essai: 4 items, ok\n")


def test_a_broken_file_ends_the_command_with_file_line_and_what_is_wrong(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    text = changed(SECONDE, "type: subcompetence", "type: skill")
    path = write(tmp_path, "essai.yaml", text)
    monkeypatch.setattr("sys.argv", ["spirale", "referential", "check", str(path)])

    with pytest.raises(SystemExit) as ended:
        main()

    assert ended.value.code == 1
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.startswith(f"essai.yaml:{line_of(text, 'type: skill')}: « skill » is not one of ")
    assert said.err.count("\n") == 1


@pytest.mark.parametrize("command", ["check", "load"])
def test_a_link_to_nothing_is_refused_by_both_commands(
    command: str, tmp_path: Path, env: dict[str, str]
) -> None:
    result = run(command, write(tmp_path, "essai.yaml", SECONDE), env=env)

    assert isinstance(result.exception, ReferentialError)
    assert result.exception.problems[0] == (
        f"essai.yaml:{line_of(SECONDE, 'from: 1A')}: there is no referential « bac »"
    )


def test_load_puts_the_referentials_in_the_database(tmp_path: Path, env: dict[str, str], app: Flask) -> None:
    files = (write(tmp_path, "essai.yaml", SECONDE), write(tmp_path, "bac.yaml", BAC))

    result = run("load", *files, env=env)

    assert (result.exit_code, result.output) == (0, "essai: 4 items, 3 links\nbac: 5 items, 0 links\n")
    with app.app_context():
        assert set(db.session.scalars(sa.select(Framework.slug))) >= {"essai", "bac"}
        db.session.close()


def test_loading_again_says_that_nothing_changed(env: dict[str, str]) -> None:
    result = run("load", env=env)

    assert result.exit_code == 0
    assert [line.endswith(" links (unchanged)") for line in result.output.splitlines()] == [True] * 3


def test_a_broken_file_loads_nothing(tmp_path: Path, env: dict[str, str], app: Flask) -> None:
    broken = write(tmp_path, "bac.yaml", changed(BAC, "pairing: unknown", "pairing: maybe"))

    result = run("load", write(tmp_path, "essai.yaml", SECONDE), broken, env=env)

    assert isinstance(result.exception, ReferentialError)
    with app.app_context():
        slugs = set(db.session.scalars(sa.select(Framework.slug)))
        assert slugs == {"mrc-seconde", "ma", "mcv"}
        assert db.session.scalar(sa.select(sa.func.count()).where(FrameworkItem.statement == "Sourire")) == 0
        db.session.close()
