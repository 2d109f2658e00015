"""The command line: `spirale --help`."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import click
import sqlalchemy as sa
from alembic import command as alembic
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from flask import Flask
from sqlalchemy.orm import Session

from . import create_app
from .assessment.rubrics import package_with_rubrics
from .config import Config, load_config
from .db import alembic_config, begin_write, db, require_current_schema, schema_versions
from .errors import BadInput, NotFound, SpiraleError
from .frameworks.loading import load_referentials, read_all, shipped_referentials
from .frameworks.reading import ReferentialData, check_together, read_referential
from .frameworks.stored import stored_referentials
from .gradebook.worker import run_worker
from .lti.platforms import add_platform, list_platforms, set_enabled, tool_addresses
from .setup import upgrade_database
from .version import __version__


def main() -> None:
    """Run the command line; an expected error is one sentence, not a trace."""
    try:
        spirale(standalone_mode=False)
    except click.exceptions.Abort:
        sys.exit(130)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except BadInput as error:
        for option, sentence in error.problems.items():
            click.echo(f"{option}: {sentence}", err=True)
        sys.exit(2)
    except SpiraleError as error:
        click.echo(str(error), err=True)
        sys.exit(1)
    except sa.exc.OperationalError:
        click.echo(
            "the database does not answer: is SPIRALE_DATABASE_URL right, and the server started?", err=True
        )
        sys.exit(1)


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="spirale")
def spirale() -> None:
    """Spirale: a competence referential inside the course, assessment, and grades that flow back."""


def _app(*, current_schema: bool = True) -> tuple[Flask, Config]:
    """The application and its settings; refuses a database at another schema, with the advice."""
    config = load_config()
    app = create_app(config)
    if current_schema:
        with app.app_context():
            require_current_schema()
    return app, config


# ----- spirale db -----


@spirale.group("db")
def database() -> None:
    """The database's schema."""


@database.command("upgrade")
@click.argument("revision", default="head")
def upgrade(revision: str) -> None:
    """Bring the schema up to date, and load the shipped referentials."""
    app, config = _app(current_schema=False)
    with app.app_context():
        upgrade_database(config, revision)
        current, head = schema_versions()
    click.echo(f"schema {current}" + ("" if current == head else f" (newest: {head})"))


@database.command("downgrade")
@click.argument("revision")
def downgrade(revision: str) -> None:
    """Take the schema back to REVISION (« base »: nothing is left)."""
    app, _config = _app(current_schema=False)
    with app.app_context():
        alembic.downgrade(alembic_config(), revision)
        click.echo(f"schema {schema_versions()[0] or 'none'}")


@database.command("current")
def current_schema() -> None:
    """Say at which schema the database is, and which one this version needs."""
    app, _config = _app(current_schema=False)
    with app.app_context():
        current, needed = schema_versions()
    click.echo(f"schema {current or 'none'}, this version needs {needed}")
    if current != needed:
        sys.exit(1)


# ----- spirale platform -----


@spirale.group("platform")
def platforms() -> None:
    """The LMSs that may open the tool."""


@platforms.command("add")
@click.option("--name", required=True, help="What to call it.")
@click.option("--issuer", required=True, help="Its issuer (« Platform ID » in Moodle).")
@click.option("--client-id", required=True)
@click.option("--auth-login-url", required=True, help="« Authentication request URL » in Moodle.")
@click.option("--auth-token-url", required=True, help="« Access token URL » in Moodle.")
@click.option("--jwks-url", required=True, help="« Public keyset URL » in Moodle.")
@click.option("--audience", default="", help="Audience of our assertions, where it is not the token address.")
@click.option("--deployment-id", "deployment_ids", multiple=True, required=True, help="May be repeated.")
def platform_add(
    name: str,
    issuer: str,
    client_id: str,
    auth_login_url: str,
    auth_token_url: str,
    jwks_url: str,
    audience: str,
    deployment_ids: tuple[str, ...],
) -> None:
    """Register a platform, and print the addresses to paste in the LMS."""
    app, config = _app()
    with app.app_context():
        begin_write()
        platform = add_platform(
            db.session,
            name=name,
            issuer=issuer,
            client_id=client_id,
            auth_login_url=auth_login_url,
            auth_token_url=auth_token_url,
            jwks_url=jwks_url,
            audience=audience,
            deployment_ids=deployment_ids,
        )
        db.session.commit()
        click.echo(f"platform {platform.id}: {platform.name}")
    _print_addresses(config)


@platforms.command("addresses")
def platform_addresses() -> None:
    """Print the addresses to paste in the LMS, before or after it is registered. Needs no database."""
    _print_addresses(load_config())


def _print_addresses(config: Config) -> None:
    addresses = tool_addresses(config)
    click.echo("To paste in the LMS:")
    for label, address in (
        ("Tool URL", addresses.launch),
        ("Initiate login URL", addresses.login),
        ("Redirection URI", addresses.redirect),
        ("Public keyset URL", addresses.jwks),
        ("Content selection URL", addresses.deep_linking),
    ):
        click.echo(f"  {label + ':':<23} {address}")


@platforms.command("list")
def platform_list() -> None:
    """List the platforms."""
    app, _config = _app()
    with app.app_context():
        for platform in list_platforms(db.session):
            state = "enabled" if platform.enabled else "disabled"
            deployments = ", ".join(d.deployment_id for d in platform.deployments)
            click.echo(
                f"{platform.id}  {state:<8}  {platform.name}  {platform.issuer}  "
                f"client {platform.client_id}  deployments {deployments}"
            )


@platforms.command("disable")
@click.argument("platform_id", type=int)
def platform_disable(platform_id: int) -> None:
    """Keep a platform out, at once: open sessions too. Nothing is lost."""
    _set_enabled(platform_id, False)


@platforms.command("enable")
@click.argument("platform_id", type=int)
def platform_enable(platform_id: int) -> None:
    """Let a platform in again."""
    _set_enabled(platform_id, True)


def _set_enabled(platform_id: int, enabled: bool) -> None:
    app, _config = _app()
    with app.app_context():
        begin_write()
        platform = set_enabled(db.session, platform_id, enabled)
        db.session.commit()
        click.echo(f"platform {platform.id}: {platform.name} is {'enabled' if enabled else 'disabled'}")


# ----- spirale referential -----


@spirale.group("referential")
def referential() -> None:
    """The referentials: data files, checked and loaded."""


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
    app, _config = _app()
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


EXPORTS = {"case": package_with_rubrics}


@referential.command("export")
@click.argument("slug")
@click.option("--format", "form", type=click.Choice(list(EXPORTS)), default="case", show_default=True)
def referential_export(slug: str, form: str) -> None:
    """Print a referential as JSON: a CASE 1.1 package. The database's own, or the shipped one without it."""
    # Printing needs no secret, and must not make the one that development keeps beside the data.
    config = load_config({**os.environ, "SPIRALE_SECRET_KEY": "no secret: nothing is signed here"})
    known = {data.slug: data for data in read_all(shipped_referentials())}
    known |= {data.slug: data for data in _stored(config.database_url)}
    if slug not in known:
        raise NotFound(f"there is no referential « {slug} »; those known are {', '.join(known)}")
    exported = EXPORTS[form](known[slug], config.base_url, known.values())
    # UTF-8 whatever the terminal's own encoding: that is what JSON is.
    click.echo(json.dumps(exported, ensure_ascii=False, indent=2).encode())


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


# ----- what runs -----


@spirale.command("worker")
def worker() -> None:
    """Run the background worker: it delivers scores until it is told to stop."""
    app, _config = _app()
    run_worker(app)


@spirale.command("demo")
@click.option("--reset", is_flag=True, help="Start over: erase the demo's data first.")
def demo(reset: bool) -> None:
    """Run the tool, its worker, a demo LMS and an ENT on this machine, with everything set up."""
    from .demo_run import run_demo  # noqa: PLC0415 - the demo is not loaded by the other commands

    run_demo(reset=reset)
