"""`spirale platform …`: what changes a platform that is registered."""

from __future__ import annotations

from typing import Any

import click

from .cli_app import open_app
from .cli_platform import platforms
from .db import begin_write, db
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
@click.option("--family", help="Which LMS it is: moodle, canvas, brightspace or generic.")
@click.option("--connections", type=int, help="Requests it takes at once.")
def platform_set(
    platform_id: int, frame_origins: tuple[str, ...], anonymous: str | None, **given: str | int | None
) -> None:
    """Change a platform's settings, at once. Without an option: show them."""
    changes: dict[str, Any] = {name: value for name, value in given.items() if value is not None}
    if frame_origins:
        changes["frame_origins"] = [origin for origin in frame_origins if origin]
    if anonymous is not None:
        changes["anonymous"] = anonymous == "on"
    app, _config = open_app()
    with app.app_context():
        begin_write()
        platform = change_platform(db.session, platform_id, **changes)
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
        ("connections", str(platform.connections)),
    ):
        click.echo(f"{label + ':':<15} {value}")
