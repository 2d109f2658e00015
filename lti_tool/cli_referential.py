"""`spirale referential`: check, load, import, export."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterable
from pathlib import Path

import click
import sqlalchemy as sa
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy.orm import Session

from .assessment.rubrics import package_with_rubrics
from .assessment.scales import DEFAULT_SCALE, LEVELS, find_scale
from .cli_app import open_app
from .cli_changes import lines
from .config import load_config
from .db import alembic_config, begin_write, db
from .errors import NotFound, ReferentialError
from .frameworks import moodle_csv
from .frameworks.changes import changes
from .frameworks.checks import check_together
from .frameworks.data import ReferentialData
from .frameworks.importing import read_import
from .frameworks.loading import load_referentials, read_all, shipped_referentials, write_referentials
from .frameworks.reading import read_referential
from .frameworks.stored import stored_referentials


@click.group("referential")
def referential() -> None:
    """The referentials: data files, checked, loaded, imported and exported."""


FILES = click.argument("files", nargs=-1, type=click.Path(path_type=Path, dir_okay=False))


@referential.command("check")
@FILES
def referential_check(files: tuple[Path, ...]) -> None:
    """Check referential files (the shipped ones by default). Needs no database."""
    for data in _read(files):
        click.echo(f"{data.slug}: {sum(1 for _ in data.walk())} items, ok")


@referential.command("load")
@FILES
def referential_load(files: tuple[Path, ...]) -> None:
    """Load referential files (the shipped ones by default); identifiers and results are kept."""
    referentials = _read(files)
    app, _config = open_app()
    with app.app_context():
        begin_write()
        loaded = load_referentials(db.session, referentials)
        db.session.commit()
    for one in loaded:
        click.echo(
            f"{one.slug}: {one.items} items, {one.links} links" + (" (unchanged)" if one.unchanged else "")
        )


def _read(files: tuple[Path, ...]) -> list[ReferentialData]:
    """The files asked for; those they link to are read with them, to check the links."""
    if not files:
        return read_all(shipped_referentials())
    given = {path.resolve() for path in files}
    asked = [read_referential(path) for path in files]
    slugs = {data.slug for data in asked}
    others = [read_referential(path) for path in shipped_referentials() if path.resolve() not in given]
    check_together([*asked, *(data for data in others if data.slug not in slugs)])
    return asked


@referential.command("import")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False, allow_dash=True))
@click.option("--apply", is_flag=True, help="Write the changes. Without it they are only shown.")
@click.option("--slug", default="", help="Short name of a referential that is new here, for a CASE package.")
@click.option(
    "--leave-unknown-links",
    is_flag=True,
    help="Leave aside the links of a CASE package that lead to no item known here, instead of refusing it.",
)
def referential_import(file: Path, apply: bool, slug: str, leave_unknown_links: bool) -> None:
    """Show what a referential's file would change (ours, or a CASE package; « - » reads standard input)."""
    path, content = _content(file)
    app, _config = open_app()
    with app.app_context():
        if apply:
            begin_write()
        held = stored_referentials(db.session)
        found = read_import(path, content, held, slug=slug, leave_unknown_links=leave_unknown_links)
        coming = changes(found.stored, found.data)
        for line in lines(found, coming, held):
            click.echo(line.encode())
        if apply and not coming.nothing:
            write_referentials(db.session, [found.data])
            db.session.commit()
        db.session.rollback()
    if coming.nothing:
        return
    click.echo("applied" if apply else "nothing is written: add --apply to write it")
    if found.data.slug in {path.stem for path in shipped_referentials()}:
        click.echo(
            f"« {found.data.slug} » comes with Spirale: « spirale db upgrade » will bring its own text back",
            err=True,
        )


def _content(file: Path) -> tuple[Path, bytes]:
    """The name to speak of a file by, and what it holds."""
    if str(file) == "-":
        return Path("stdin"), sys.stdin.buffer.read()
    try:
        return file, file.read_bytes()
    except OSError as error:
        raise ReferentialError([f"{file}: {error.strerror}"]) from error


def _case(data: ReferentialData, base_url: str, others: Iterable[ReferentialData]) -> str:
    return json.dumps(package_with_rubrics(data, base_url, others), ensure_ascii=False, indent=2) + "\n"


def _moodle_csv(data: ReferentialData, _base_url: str, others: Iterable[ReferentialData]) -> str:
    scale = find_scale(DEFAULT_SCALE)
    words = [scale.word(level, data.language) for level in LEVELS]
    return moodle_csv.framework(data, others, words, scale.target)


EXPORTS = {"case": _case, "moodle-csv": _moodle_csv}


@referential.command("export")
@click.argument("slug")
@click.option("--format", "form", type=click.Choice(list(EXPORTS)), default="case", show_default=True)
def referential_export(slug: str, form: str) -> None:
    """Print a referential: a CASE 1.1 package, or the CSV that Moodle's competency import reads.

    The database's own, or the shipped one without it.
    """
    # Printing needs no secret, and must not make the one that development keeps beside the data.
    config = load_config({**os.environ, "SPIRALE_SECRET_KEY": "no secret: nothing is signed here"})
    known = {data.slug: data for data in read_all(shipped_referentials())}
    known |= {data.slug: data for data in _stored(config.database_url)}
    if slug not in known:
        raise NotFound(f"there is no referential « {slug} »; those known are {', '.join(known)}")
    # UTF-8 whatever the terminal's own encoding: that is what JSON is, and what Moodle expects.
    click.echo(EXPORTS[form](known[slug], config.base_url, known.values()).encode(), nl=False)


def _stored(database_url: str) -> list[ReferentialData]:
    """The referentials of the database; none when there is no database, or one that cannot be used as it is.

    Nothing is made, not even the data folder: the application, which makes it, is not built.
    """
    url = sa.make_url(database_url)
    if url.get_backend_name() == "sqlite":
        if not Path(url.database or "").is_file():
            return []
        engine = sa.create_engine(url)
    else:
        engine = sa.create_engine(url, connect_args={"connect_timeout": 5})
    try:
        with Session(engine) as session:
            current = MigrationContext.configure(session.connection()).get_current_revision()
            if current == ScriptDirectory.from_config(alembic_config()).get_current_head():
                return stored_referentials(session)
            why = f"the database is at schema {current or 'none'}"
    except sa.exc.SQLAlchemyError:
        why = "the database does not answer"
    finally:
        engine.dispose()
    click.echo(f"{why}: the shipped referentials are used", err=True)
    return []
