"""`spirale admin` and `spirale person`: who may open the administrator's pages, and what a person may ask for."""

from __future__ import annotations

import json
import sys

import click

from .administration.accounts import (
    change_password,
    create_administrator,
    disable_administrator,
    list_administrators,
)
from .administration.events import Done, log_event
from .administration.person import export_person, find_person
from .administration.retention import erase_people
from .cli_app import open_app
from .db import begin_write, db, utcnow

FROM_STDIN = click.option(
    "--password-stdin", "from_stdin", is_flag=True, help="Read the password from standard input."
)


@click.group("admin")
def administrators() -> None:
    """Who may open the administrator's pages, at /admin/."""


@administrators.command("create")
@click.argument("login")
@FROM_STDIN
def admin_create(login: str, from_stdin: bool) -> None:
    """Make an account; its password is asked for, and has at least 12 characters."""
    password = _password(from_stdin)
    app, config = open_app()
    with app.app_context():
        begin_write()
        made = create_administrator(db.session, login, password)
        db.session.commit()
    click.echo(f"administrator {made.login}: sign in at {config.base_url}/admin/")


@administrators.command("list")
def admin_list() -> None:
    """List the accounts."""
    app, _config = open_app()
    with app.app_context():
        for one in list_administrators(db.session):
            state = f"disabled {one.disabled_at:%Y-%m-%d}" if one.disabled_at else "enabled"
            click.echo(f"{one.id}  {one.login}  {state}  since {one.created_at:%Y-%m-%d}")


@administrators.command("disable")
@click.argument("login")
def admin_disable(login: str) -> None:
    """Close an account, at once: open sessions too. A new password opens it again."""
    app, _config = open_app()
    with app.app_context():
        begin_write()
        disable_administrator(db.session, login, utcnow())
        db.session.commit()
    click.echo(f"administrator {login} is disabled")


@administrators.command("password")
@click.argument("login")
@FROM_STDIN
def admin_password(login: str, from_stdin: bool) -> None:
    """Change a password; open sessions of the account end."""
    password = _password(from_stdin)
    app, _config = open_app()
    with app.app_context():
        begin_write()
        change_password(db.session, login, password)
        db.session.commit()
    click.echo(f"administrator {login} has a new password")


def _password(from_stdin: bool) -> str:
    """What is typed twice on the terminal, or the first line of standard input. Never an argument: those are seen."""
    if from_stdin:
        return sys.stdin.readline().rstrip("\r\n")
    typed: str = click.prompt("Password", hide_input=True, confirmation_prompt="The same again", err=True)
    return typed


@click.group("person")
def people() -> None:
    """What is stored of one person, exported or erased at their request."""


@people.command("export")
@click.argument("platform_id", type=int, metavar="PLATFORM")
@click.argument("sub")
def person_export(platform_id: int, sub: str) -> None:
    """Print all that is stored of a person, as JSON. SUB is what the LMS calls them (Moodle: the user's number)."""
    app, _config = open_app()
    with app.app_context():
        begin_write()
        person = find_person(db.session, platform_id, sub)
        exported = export_person(db.session, person)
        log_event(db.session, None, Done.PERSON_EXPORTED, platform=platform_id, person=person.id)
        db.session.commit()
    click.echo(json.dumps(exported, ensure_ascii=False, indent=2).encode())


@people.command("erase")
@click.argument("platform_id", type=int, metavar="PLATFORM")
@click.argument("sub")
@click.option(
    "--apply", "applied", is_flag=True, help="Do it. Without: say what would go, and change nothing."
)
def person_erase(platform_id: int, sub: str, applied: bool) -> None:
    """Erase a person and their results, for ever. Scores already in the LMS's gradebook are the LMS's."""
    app, _config = open_app()
    with app.app_context():
        begin_write()
        person = find_person(db.session, platform_id, sub)
        number = person.id
        gone = erase_people(db.session, [number])
        if applied:
            log_event(db.session, None, Done.PERSON_ERASED, platform=platform_id, person=number)
            db.session.commit()
        else:
            db.session.rollback()
    click.echo(f"person {number} of platform {platform_id}, with {gone.entries} entries about them")
    click.echo("erased" if applied else "nothing is changed yet: the same with --apply does it")
