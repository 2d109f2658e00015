"""The command line: `spirale --help`."""

from __future__ import annotations

import sys

import click
import sqlalchemy as sa
from alembic import command as alembic

from . import cli_platform_change  # noqa: F401 - its commands join the group
from .cli_admin import administrators, people
from .cli_app import open_app
from .cli_key import keys
from .cli_platform import platforms
from .cli_referential import referential
from .db import alembic_config, schema_versions
from .errors import BadInput, SpiraleError
from .gradebook.worker import run_worker
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


spirale.add_command(referential)
spirale.add_command(platforms)
spirale.add_command(keys)
spirale.add_command(administrators)
spirale.add_command(people)


# ----- spirale db -----


@spirale.group("db")
def database() -> None:
    """The database's schema."""


@database.command("upgrade")
@click.argument("revision", default="head")
def upgrade(revision: str) -> None:
    """Bring the schema up to date, and load the shipped referentials."""
    app, config = open_app(current_schema=False)
    with app.app_context():
        upgrade_database(config, revision)
        current, head = schema_versions()
    click.echo(f"schema {current}" + ("" if current == head else f" (newest: {head})"))


@database.command("downgrade")
@click.argument("revision")
def downgrade(revision: str) -> None:
    """Take the schema back to REVISION (« base »: nothing is left)."""
    app, _config = open_app(current_schema=False)
    with app.app_context():
        alembic.downgrade(alembic_config(), revision)
        click.echo(f"schema {schema_versions()[0] or 'none'}")


@database.command("current")
def current_schema() -> None:
    """Say at which schema the database is, and which one this version needs."""
    app, _config = open_app(current_schema=False)
    with app.app_context():
        current, needed = schema_versions()
    click.echo(f"schema {current or 'none'}, this version needs {needed}")
    if current != needed:
        sys.exit(1)


# ----- what runs -----


@spirale.command("worker")
def worker() -> None:
    """Run the background worker: it delivers scores until it is told to stop."""
    app, _config = open_app()
    run_worker(app)


@spirale.command("demo")
@click.option("--reset", is_flag=True, help="Start over: erase the demo's data first.")
def demo(reset: bool) -> None:
    """Run the tool, its worker, a demo LMS and an ENT on this machine, with everything set up."""
    from .demo_run import run_demo  # noqa: PLC0415 - the demo is not loaded by the other commands

    run_demo(reset=reset)
