"""`spirale platform …`: what changes a platform that is registered."""

from __future__ import annotations

from typing import Any

import click

from .administration.events import log_earlier_years
from .administration.removing import remove_platform
from .administration.replacing import Replacement, replace_platform
from .cli_app import open_app
from .cli_platform import platforms
from .db import begin_write, db
from .errors import BadInput
from .lti.models import Platform
from .lti.platforms import add_deployment, change_platform, find_platform, set_deployment_enabled

ON_OFF = click.Choice(["on", "off"])


@platforms.command("show")
@click.argument("platform_id", type=int)
def platform_show(platform_id: int) -> None:
    """Say everything that is stored of a platform."""
    app, _config = open_app()
    with app.app_context():
        _print(find_platform(db.session, platform_id))


@platforms.command("set")
@click.argument("platform_id", type=int)
@click.option("--name", help="What to call it.")
@click.option("--audience", help="Audience of our assertions; '' is the token address.")
@click.option(
    "--frame-origin",
    "frame_origins",
    multiple=True,
    help="Origin that frames the tool, beside its own. Those given replace those stored; '' leaves none.",
)
@click.option("--anonymous", type=ON_OFF, help="Whether people it does not name may read the referential.")
@click.option(
    "--earlier-years",
    type=ON_OFF,
    help="Whether teachers may see what their pupils did in its other courses in earlier years.",
)
@click.option("--family", help="Which LMS it is: moodle, canvas, brightspace or generic.")
@click.option("--connections", type=int, help="Requests it takes at once.")
def platform_set(
    platform_id: int,
    frame_origins: tuple[str, ...],
    anonymous: str | None,
    earlier_years: str | None,
    **given: str | int | None,
) -> None:
    """Change a platform's settings, at once. Without an option: show them."""
    changes: dict[str, Any] = {name: value for name, value in given.items() if value is not None}
    if frame_origins:
        changes["frame_origins"] = [origin for origin in frame_origins if origin]
    if anonymous is not None:
        changes["anonymous"] = anonymous == "on"
    if earlier_years is not None:
        changes["earlier_years"] = earlier_years == "on"
    app, _config = open_app()
    with app.app_context():
        begin_write()
        before = find_platform(db.session, platform_id).earlier_years
        platform = change_platform(db.session, platform_id, **changes)
        log_earlier_years(db.session, None, platform, before)
        db.session.commit()
        _print(platform)


@platforms.command("deployments")
@click.argument("platform_id", type=int)
@click.option("--add", "added", multiple=True, metavar="ID", help="Let one more in. May be repeated.")
@click.option("--enable", "enabled", multiple=True, metavar="ID", help="Let it in again.")
@click.option(
    "--disable", "disabled", multiple=True, metavar="ID", help="Keep it out, at once: open sessions too."
)
def platform_deployments(
    platform_id: int, added: tuple[str, ...], enabled: tuple[str, ...], disabled: tuple[str, ...]
) -> None:
    """List a platform's deployments, add one, keep one out."""
    app, _config = open_app()
    with app.app_context():
        begin_write()
        platform = find_platform(db.session, platform_id)
        for one in added:
            add_deployment(db.session, platform_id, one)
        for one in enabled:
            set_deployment_enabled(db.session, platform_id, one, True)
        for one in disabled:
            set_deployment_enabled(db.session, platform_id, one, False)
        db.session.commit()
        for deployment in platform.deployments:
            click.echo(f"{deployment.deployment_id}  {'enabled' if deployment.enabled else 'disabled'}")


@platforms.command("replace")
@click.argument("old", type=int)
@click.argument("new", type=int)
@click.option(
    "--deployment", "places", multiple=True, metavar="OLD=NEW", help="Which deployment stands for which."
)
@click.option(
    "--apply", "applied", is_flag=True, help="Do it. Without: say what would follow, and change nothing."
)
def platform_replace(old: int, new: int, places: tuple[str, ...], applied: bool) -> None:
    """The tool was added again under a new client id: courses, people, results and columns of OLD follow to NEW.

    Courses that both have become one. OLD ends disabled.
    """
    if wrong := [place for place in places if "=" not in place]:
        raise BadInput({"--deployment": f"« {wrong[0]} » is not OLD=NEW, such as 1=2"})
    app, _config = open_app()
    with app.app_context():
        begin_write()
        done = replace_platform(db.session, old, new, dict(place.split("=", 1) for place in places))
        lines = _told(done)
        if applied:
            db.session.commit()
        else:
            db.session.rollback()
    click.echo("\n".join(lines))
    if not applied:
        click.echo("nothing is changed yet: the same with --apply does it")


def _told(done: Replacement) -> list[str]:
    return [
        f"platform {done.old.id} ({done.old.name}) → platform {done.new.id} ({done.new.name})",
        f"{len(done.moved)} courses follow: {', '.join(done.moved) or 'none'}",
        f"{len(done.merged)} courses that both have become one: {', '.join(done.merged) or 'none'}",
        f"{done.people} people, {done.merged_people} of them known to both",
        f"{done.activities} activities, {done.entries} entries, {done.sessions} open sessions",
        f"{done.columns} columns, looked up again before the next score",
        f"{done.waiting} scores that have not left, {done.sent_again} worked out again for columns of both",
    ]


@platforms.command("remove")
@click.argument("platform_id", type=int)
@click.option("--erase", default="", metavar="NAME", help="Its name, typed: erase its results too, for ever.")
def platform_remove(platform_id: int, erase: str) -> None:
    """Remove a platform. One that has activities or results is kept, unless its name is typed after --erase."""
    app, _config = open_app()
    with app.app_context():
        begin_write()
        gone = remove_platform(db.session, platform_id, erase)
        db.session.commit()
    click.echo(
        f"{gone.name} is removed, with {gone.courses} courses, {gone.people} people, "
        f"{gone.activities} activities and {gone.entries} entries"
    )


def _print(platform: Platform) -> None:
    deployments = (d.deployment_id + ("" if d.enabled else " (disabled)") for d in platform.deployments)
    for label, value in (
        ("platform", f"{platform.id}, {'enabled' if platform.enabled else 'disabled'}"),
        ("name", platform.name),
        ("family", platform.family or "unknown"),
        ("issuer", platform.issuer),
        ("client id", platform.client_id),
        ("deployments", ", ".join(deployments)),
        ("login address", platform.auth_login_url),
        ("token address", platform.auth_token_url),
        ("key set", platform.jwks_url),
        ("audience", platform.audience or "the token address"),
        ("frame origins", ", ".join(platform.frame_origins) or "its own"),
        ("anonymous", "may read the referential" if platform.anonymous else "refused"),
        ("earlier years", "shown to teachers" if platform.earlier_years else "not shown"),
        ("connections", str(platform.connections)),
    ):
        click.echo(f"{label + ':':<15} {value}")
