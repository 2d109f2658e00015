"""`spirale referential import`: shown first, written with --apply, refused whole; results outlive what disappears."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from click.testing import CliRunner, Result
from flask import Flask

from lti_tool.assessment.models import Assessment
from lti_tool.cli import main, spirale
from lti_tool.config import Config
from lti_tool.db import db
from lti_tool.errors import ReferentialError
from lti_tool.frameworks.models import Framework, FrameworkItem
from tests import factories
from tests.conftest import SECRET, School
from tests.frameworks.packages import association, of, salt
from tests.frameworks.samples import BAC, SECONDE, changed, line_of, write
from tests.web.reading import words

SUB = "11111111-1111-4111-8111-0000000001a1"


def run(*arguments: str | Path, env: dict[str, str], stdin: str | None = None) -> Result:
    return CliRunner().invoke(spirale, ["referential", "import", *map(str, arguments)], env=env, input=stdin)


@pytest.fixture
def env(config: Config) -> dict[str, str]:
    """The environment of a command on a migrated database."""
    return {"SPIRALE_DATA_DIR": str(config.data_dir), "SPIRALE_SECRET_KEY": SECRET}


def rows() -> list[tuple[Any, ...]]:
    """The items of the sample, with what an import may change."""
    found = db.session.execute(
        sa.select(FrameworkItem.code, FrameworkItem.statement, FrameworkItem.retired)
        .join(Framework)
        .where(Framework.slug == "essai")
        .order_by(FrameworkItem.position)
    )
    return [tuple(row) for row in found]


ALONE = SECONDE.split("links:")[0]


def test_without_apply_it_shows_the_changes_and_writes_nothing(
    tmp_path: Path, env: dict[str, str], app: Flask
) -> None:
    result = run(write(tmp_path, "essai.yaml", ALONE), env=env)

    assert result.exit_code == 0
    head, counts, *each, last = result.output.splitlines()
    assert head == "essai · Seconde d’essai (YAML file, new here)"
    assert counts == (
        "4 added, 0 changed, 0 moved, 0 retired, 0 brought back, 0 links added, 0 links removed, 0 document fields"
    )
    assert each[2] == f"added  {SUB}  subcompetence  Sourire"
    assert last == "nothing is written: add --apply to write it"
    with app.app_context():
        assert rows() == []


def test_with_apply_it_is_written_and_the_same_file_again_changes_nothing(
    tmp_path: Path, env: dict[str, str], app: Flask
) -> None:
    path = write(tmp_path, "essai.yaml", ALONE)

    assert run(path, "--apply", env=env).output.splitlines()[-1] == "applied"
    again = run(path, "--apply", env=env)

    assert again.output == "essai · Seconde d’essai (YAML file)\nnothing changes\n"
    with app.app_context():
        assert [statement for _code, statement, _retired in rows()] == [
            "Accueillir",
            "Saluer le client",
            "Sourire",
            "Écouter le client",
        ]


def test_each_change_says_the_item_the_field_and_both_values(tmp_path: Path, env: dict[str, str]) -> None:
    run(write(tmp_path, "bac.yaml", BAC), "--apply", env=env)
    run(write(tmp_path, "essai.yaml", SECONDE), "--apply", env=env)
    text = changed(SECONDE, '"Sourire"', '"Sourire\\e[31m au client"')
    text = changed(text, "      - 22222222-2222-4222-8222-0000000000c1\n", "")
    text = changed(text, 'version: "1"', 'version: "2"')

    lines = run(write(tmp_path, "essai.yaml", text), env=env).output.splitlines()

    assert lines[2:-1] == [
        "document  version: « 1 » → « 2 »",
        f"changed  {SUB}  subcompetence  Sourire[31m au client  statement: « Sourire » → « Sourire[31m au client »",
        "link removed  essai 1A (11111111-1111-4111-8111-00000000001a) → "
        "bac Les salutations sont adaptées (22222222-2222-4222-8222-0000000000c1)  (Liens)",
    ]


def test_a_package_comes_from_standard_input_under_the_slug_given(env: dict[str, str], app: Flask) -> None:
    result = run("-", "--slug", "accueil", "--apply", env=env, stdin=json.dumps(salt()))

    assert result.output.splitlines()[0] == "accueil · Accueil & vente, niveau 1 (CASE package, new here)"
    assert "not taken from the package: 1 exemplar" in result.output
    with app.app_context():
        assert db.session.scalar(sa.select(Framework.uuid).where(Framework.slug == "accueil"))


def test_links_to_what_is_not_here_are_left_aside_on_demand(env: dict[str, str]) -> None:
    package = salt()
    package["CFAssociations"].append(association("isRelatedTo", of(2), of(99)))

    refused = run("-", env=env, stdin=json.dumps(package))
    taken = run("-", "--leave-unknown-links", env=env, stdin=json.dumps(package))

    assert isinstance(refused.exception, ReferentialError)
    assert "links left aside, that lead to no item known here: 1" in taken.output


@pytest.mark.parametrize("name", ["package.json", "-", "missing.json"])
def test_a_broken_file_ends_the_command_in_sentences_and_writes_nothing(
    name: str,
    tmp_path: Path,
    env: dict[str, str],
    app: Flask,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    package = salt()
    package["CFItems"][3]["identifier"] = "x"
    path = write(tmp_path, "package.json", json.dumps(package))
    for key, value in env.items():
        monkeypatch.setenv(key, value)
    given = "-" if name == "-" else str(tmp_path / name)
    monkeypatch.setattr("sys.argv", ["spirale", "referential", "import", given, "--apply"])
    with path.open(encoding="utf-8") as stdin:
        monkeypatch.setattr("sys.stdin", stdin)
        with pytest.raises(SystemExit) as ended:
            main()

    assert ended.value.code == 1
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err == {
        "package.json": "package.json:CFItems[3].identifier: « x » is not a UUID\n",
        "-": "stdin:CFItems[3].identifier: « x » is not a UUID\n",
        "missing.json": f"{given}: No such file or directory\n",
    }[name]  # fmt: skip
    with app.app_context():
        assert db.session.scalar(sa.select(sa.func.count(Framework.id))) == 3


def test_a_shipped_referential_says_that_an_upgrade_brings_it_back(
    tmp_path: Path, env: dict[str, str]
) -> None:
    exported = CliRunner().invoke(spirale, ["referential", "export", "ma"], env=env).output
    assert run("-", env=env, stdin=exported).output.endswith("\nnothing changes\n")

    other = exported.replace("Gérer simultanément les activités", "Gérer les activités")
    result = run("-", env=env, stdin=other)

    assert "« ma » comes with Spirale" in result.stderr


def without(package: dict[str, Any], gone: set[str]) -> dict[str, Any]:
    """The package without some items."""
    ends = ("originNodeURI", "destinationNodeURI")
    return {
        **package,
        "CFItems": [one for one in package["CFItems"] if one["identifier"] not in gone],
        "CFAssociations": [
            one for one in package["CFAssociations"] if not gone & {one[end]["identifier"] for end in ends}
        ],
    }


def test_a_competence_that_a_new_version_no_longer_has_keeps_its_results_and_its_page(
    school: School, env: dict[str, str]
) -> None:
    with school.app.app_context():
        people = school.people
        activity = factories.activity(school.course, "1A", "1C")
        factories.assessment(activity, "1A", people["Adam"], 3, people["teacher"])
        lost = factories.competence("1A")
        children = set(
            db.session.scalars(sa.select(FrameworkItem.uuid).where(FrameworkItem.parent_id == lost.id))
        )
        lost_uuid, heir_uuid = lost.uuid, factories.competence("1B").uuid
        db.session.commit()
    exported = json.loads(
        CliRunner().invoke(spirale, ["referential", "export", "mrc-seconde"], env=env).output
    )
    package = without(exported, {lost_uuid, *children})

    result = run("-", "--apply", env=env, stdin=json.dumps(package))

    assert result.exit_code == 0
    assert f"retired  {lost_uuid}  competence  1A" in result.output
    with school.app.app_context():
        row = factories.competence("1A")
        assert (row.uuid, row.retired) == (lost_uuid, True)
        assert list(db.session.scalars(sa.select(Assessment.level))) == [3]
        activity_id = activity.id
    visitor = school.visit("teacher")
    page = visitor.get("/referential/1A")
    assert page.status_code == 200
    assert "Cette compétence n’est plus dans le référentiel. Ce qui y a été évalué est gardé." in words(page)
    assert "Accueil d’un visiteur au lycée" in words(page)
    assert visitor.get(f"/activities/{activity_id}/grid").status_code == 200
    mine = school.visit("Adam").get("/referential/1A")
    assert "Accueil d’un visiteur au lycée" in words(mine)
    assert "Prendre contact" in words(school.visit("Adam").get("/me"))
    for path in (f"/pupils/{people['Adam'].id}", "/gradebook", "/overview", f"/activities/{activity_id}"):
        assert visitor.get(path).status_code == 200, path

    # A later package says what replaced it, then it comes back.
    replaced = association("replacedBy", lost_uuid, heir_uuid)
    later = {**exported, "CFAssociations": [*exported["CFAssociations"], replaced]}
    assert run("-", "--apply", env=env, stdin=json.dumps(later)).exit_code == 0
    assert "Remplacé par : 1B" in words(visitor.get("/referential/1A"))
    back = run("-", "--apply", env=env, stdin=json.dumps(exported))
    assert f"brought back  {lost_uuid}" in back.output
    assert "n’est plus dans le référentiel" not in words(visitor.get("/referential/1A"))


def test_two_referentials_may_not_share_an_item(tmp_path: Path, env: dict[str, str], app: Flask) -> None:
    with app.app_context():
        held = factories.competence("1A").uuid

    result = run(write(tmp_path, "essai.yaml", ALONE.replace(SUB, held)), "--apply", env=env)

    assert isinstance(result.exception, ReferentialError)
    assert result.exception.problems == [
        f"essai.yaml:{line_of(ALONE, SUB)}: identifier {held} belongs to « mrc-seconde » already"
    ]
