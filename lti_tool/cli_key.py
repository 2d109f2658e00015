"""`spirale key`: the keys we sign with."""

from __future__ import annotations

import click

from .cli_app import open_app
from .db import begin_write, db, utcnow
from .lti.keys import list_keys, rotate_key

MOMENT = "%Y-%m-%d %H:%M UTC"


@click.group("key")
def keys() -> None:
    """The keys Spirale signs with, that LMSs read at /lti/jwks."""


@keys.command("list")
def key_list() -> None:
    """List the keys: next, signing, former (published still), retired (erased)."""
    app, _config = open_app()
    with app.app_context():
        for key, state in list_keys(db.session, utcnow()):
            ended = f"  retired {key.retired_at:{MOMENT}}" if key.retired_at else ""
            click.echo(f"{key.number}  {state:<8}  {key.kid}  signs from {key.signs_at:{MOMENT}}{ended}")


@keys.command("rotate")
@click.option(
    "--now", "at_once", is_flag=True, help="A key leaked: sign with the new one now, retire the others."
)
def key_rotate(at_once: bool) -> None:
    """Publish a new key. It signs once every LMS can know it; the former one stays published a while."""
    app, config = open_app()
    with app.app_context():
        begin_write()
        key = rotate_key(db.session, config, utcnow(), at_once=at_once)
        db.session.commit()
        click.echo(f"key {key.number}: {key.kid} signs from {key.signs_at:{MOMENT}}")
