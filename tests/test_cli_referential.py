"""`spirale referential check`, `load` and `export`: what they print, and how they refuse."""

from __future__ import annotations

import csv
import io
import json
import sqlite3
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from click.testing import CliRunner, Result
from flask import Flask

from lti_tool.cli import main, spirale
from lti_tool.config import Config
from lti_tool.db import db
from lti_tool.errors import NotFound, ReferentialError
from lti_tool.frameworks.loading import shipped_referentials
from lti_tool.frameworks.models import Framework, FrameworkItem
from tests.conftest import SECRET
from tests.frameworks.samples import BAC, SECONDE, changed, line_of, write
from tests.postgres import Postgres


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
    text = changed(SECONDE, "      - 22222222-2222-4222-8222-0000000000c1\n", "")
    text = text.replace("to: bac", "to: ma").replace(
        "22222222-2222-4222-8222-00000000000c\n", identifier + "\n"
    )

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


# ----- export -----


@pytest.fixture
def bare(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """The environment of a command where nothing was ever set up: no database, no secret, no folder."""
    for name in ("SPIRALE_SECRET_KEY", "SPIRALE_DATABASE_URL", "SPIRALE_BASE_URL", "SPIRALE_CONFIG"):
        monkeypatch.delenv(name, raising=False)
    return {"SPIRALE_DATA_DIR": str(tmp_path / "none")}


def exported(slug: str, env: dict[str, str]) -> Any:
    """The package that the command prints."""
    result = run("export", slug, "--format", "case", env=env)
    assert (result.exit_code, result.stderr) == (0, "")
    return json.loads(result.stdout)


@pytest.mark.parametrize("slug", ["mrc-seconde", "ma", "mcv"])
def test_export_needs_no_database_and_makes_nothing(
    slug: str, bare: dict[str, str], env: dict[str, str], tmp_path: Path
) -> None:
    result = run("export", slug, env=bare)

    assert (result.exit_code, result.stderr) == (0, "")
    assert not (tmp_path / "none").exists()
    assert result.stdout_bytes == run("export", slug, "--format", "case", env=env).stdout_bytes
    assert result.stdout.startswith('{\n  "CFDocument": {\n    "identifier": "')
    assert result.stdout.endswith("\n}\n")
    assert "é" in result.stdout


def test_export_beside_a_database_makes_nothing_either(env: dict[str, str], config: Config) -> None:
    del env["SPIRALE_SECRET_KEY"]
    before = {path.name: path.read_bytes() for path in config.data_dir.iterdir()}

    exported("ma", env)

    assert {path.name: path.read_bytes() for path in config.data_dir.iterdir()} == before


def test_export_prints_utf8_wherever_it_is_run(bare: dict[str, str]) -> None:
    ended = subprocess.run(
        [sys.executable, "-m", "lti_tool", "referential", "export", "ma"],
        env={**bare, "PATH": "", "PYTHONIOENCODING": "latin-1", "LC_ALL": "C"},
        capture_output=True,
        check=True,
        timeout=60,
    )

    assert json.loads(ended.stdout.decode("utf-8"))["CFDocument"]["title"] == "Bac Pro Métiers de l’accueil"


def test_export_gives_the_addresses_of_this_server(bare: dict[str, str]) -> None:
    package = exported("ma", {**bare, "SPIRALE_BASE_URL": "https://spirale.example.org"})

    assert package["CFDocument"]["uri"] == (
        "https://spirale.example.org/ims/case/v1p1/CFDocuments/c6bcfc60-437e-43c3-bf23-2b34f6d37957"
    )


def test_export_holds_the_scales_of_the_referential_that_is_assessed(bare: dict[str, str]) -> None:
    assert [rubric["title"] for rubric in exported("mrc-seconde", bare)["CFRubrics"]] == ["LSL Pro", "LSU"]
    assert "CFRubrics" not in exported("ma", bare)


def test_export_prints_what_the_database_holds(tmp_path: Path, env: dict[str, str]) -> None:
    run("load", write(tmp_path, "essai.yaml", SECONDE), write(tmp_path, "bac.yaml", BAC), env=env)
    with sqlite3.connect(env["SPIRALE_DATA_DIR"] + "/spirale.db") as connection:
        connection.execute("UPDATE framework_item SET statement = 'Autrement dit' WHERE code = '1A'")
    connection.close()

    assert [item["fullStatement"] for item in exported("essai", env)["CFItems"]][:2] == [
        "Accueillir",
        "Autrement dit",
    ]
    assert exported("mrc-seconde", env)["CFItems"][1]["fullStatement"] == "Autrement dit"


def test_export_reads_postgresql_too(
    bare: dict[str, str], postgres: Postgres, migrated_postgres: str
) -> None:
    url = postgres.new_database(template=migrated_postgres)
    there = run("export", "mrc-seconde", env={**bare, "SPIRALE_DATABASE_URL": url})
    assert there.stdout_bytes == run("export", "mrc-seconde", env=bare).stdout_bytes

    postgres.run(
        "UPDATE framework_item SET statement = 'Autrement dit' WHERE code = '1A'",
        url.rpartition("@/")[2].partition("?")[0],
    )
    package = exported("mrc-seconde", {**bare, "SPIRALE_DATABASE_URL": url})
    assert package["CFItems"][1]["fullStatement"] == "Autrement dit"


def test_export_of_an_unknown_slug_is_one_sentence_that_lists_the_known_ones(
    tmp_path: Path, env: dict[str, str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    run("load", write(tmp_path, "essai.yaml", SECONDE), write(tmp_path, "bac.yaml", BAC), env=env)
    for name, value in env.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr("sys.argv", ["spirale", "referential", "export", "seconde"])

    with pytest.raises(SystemExit) as ended:
        main()

    assert ended.value.code == 1
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err == (
        "there is no referential « seconde »; those known are mrc-seconde, ma, mcv, essai, bac\n"
    )


def test_export_of_an_unknown_slug_makes_nothing(bare: dict[str, str], tmp_path: Path) -> None:
    assert isinstance(run("export", "x", env=bare).exception, NotFound)
    assert not (tmp_path / "none").exists()


def outdated(path: Path) -> None:
    connection = sqlite3.connect(path)
    connection.execute("UPDATE alembic_version SET version_num = '0000'")
    connection.execute("UPDATE framework_item SET statement = 'Autrement dit'")
    connection.commit()
    connection.close()


def empty(path: Path) -> None:
    path.write_bytes(b"")


def not_a_database(path: Path) -> None:
    path.write_bytes(b"This is not a database, whatever its name says. " * 100)


@pytest.mark.parametrize("spoil", [outdated, empty, not_a_database])
def test_export_leaves_a_database_it_cannot_use_and_prints_the_shipped_referential(
    spoil: Any, env: dict[str, str], bare: dict[str, str], config: Config
) -> None:
    spoil(config.data_dir / "spirale.db")
    before = {path.name: path.read_bytes() for path in config.data_dir.iterdir()}

    result = run("export", "ma", env=env)

    assert result.exit_code == 0
    assert result.stdout_bytes == run("export", "ma", env=bare).stdout_bytes
    assert result.stderr.endswith(": the shipped referentials are used\n")
    assert {path.name: path.read_bytes() for path in config.data_dir.iterdir()} == before


def test_export_does_without_a_server_that_does_not_answer(bare: dict[str, str], tmp_path: Path) -> None:
    url = f"postgresql://nobody@/spirale?host={tmp_path}&port=5432"

    result = run("export", "ma", env={**bare, "SPIRALE_DATABASE_URL": url})

    assert (result.exit_code, result.stdout_bytes) == (0, run("export", "ma", env=bare).stdout_bytes)
    assert result.stderr == "the database does not answer: the shipped referentials are used\n"
    assert list(tmp_path.iterdir()) == []


def test_export_for_moodle_prints_a_csv_file_with_or_without_a_database(
    bare: dict[str, str], env: dict[str, str]
) -> None:
    result = run("export", "mrc-seconde", "--format", "moodle-csv", env=bare)

    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout_bytes == run("export", "mrc-seconde", "--format", "moodle-csv", env=env).stdout_bytes
    rows = list(csv.reader(io.StringIO(result.stdout)))
    assert {len(row) for row in rows} == {14}
    assert rows[1][1] == "mrc-seconde"
    assert rows[1][5] == "non maîtrisée,insuffisamment maîtrisée,maîtrisée,bien maîtrisée"
    assert [row[1] for row in rows if row[0] == ""][1:] == ["mrc-seconde:", "ma:", "mcv:"]
    assert len(rows) == 2 + 3 + 664
