"""`spirale platform`: the LMSs that may open the tool."""

from __future__ import annotations

import click

from .cli_app import open_app
from .config import Config, load_config
from .db import begin_write, db, utcnow
from .lti.invites import invite_platform, list_invites, revoke_invite, state_of
from .lti.platforms import add_from_preset, list_platforms, set_enabled, tool_addresses


@click.group("platform")
def platforms() -> None:
    """The LMSs that may open the tool."""


@platforms.command("add")
@click.option(
    "--preset", default="generic", show_default=True, help="moodle, canvas, brightspace or generic."
)
@click.option("--host", default="", help="The LMS's address; the preset fills the others from it.")
@click.option("--name", default="", help="What to call it (default: the preset's title and the host).")
@click.option("--issuer", help="Its issuer (« Platform ID » in Moodle).")
@click.option("--client-id", required=True)
@click.option("--auth-login-url", help="« Authentication request URL » in Moodle.")
@click.option("--auth-token-url", help="« Access token URL » in Moodle.")
@click.option("--jwks-url", help="« Public keyset URL » in Moodle.")
@click.option("--audience", help="Audience of our assertions, where it is not the token address.")
@click.option("--frame-origin", "frame_origins", multiple=True, help="One more origin that frames the tool.")
@click.option("--deployment-id", "deployment_ids", multiple=True, required=True, help="May be repeated.")
def platform_add(
    preset: str,
    host: str,
    name: str,
    client_id: str,
    deployment_ids: tuple[str, ...],
    frame_origins: tuple[str, ...],
    **given: str | None,
) -> None:
    """Register a platform, and print the addresses to paste in the LMS. What is given wins over the preset."""
    app, config = open_app()
    with app.app_context():
        begin_write()
        platform = add_from_preset(
            db.session,
            preset,
            host,
            {option: value for option, value in given.items() if value is not None},
            name=name,
            client_id=client_id,
            deployment_ids=deployment_ids,
            frame_origins=frame_origins,
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
    app, _config = open_app()
    with app.app_context():
        for platform in list_platforms(db.session):
            state = "enabled" if platform.enabled else "disabled"
            deployments = ", ".join(
                d.deployment_id + ("" if d.enabled else " (disabled)") for d in platform.deployments
            )
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
    app, _config = open_app()
    with app.app_context():
        begin_write()
        platform = set_enabled(db.session, platform_id, enabled)
        db.session.commit()
        click.echo(f"platform {platform.id}: {platform.name} is {'enabled' if enabled else 'disabled'}")


# ----- platforms that register themselves -----


@platforms.command("invite")
@click.option("--name", default="", help="What to call the platform (default: its host).")
@click.option("--expires", default="7d", show_default=True, help="How long it may be used: 30m, 12h, 7d…")
@click.option(
    "--allow-private-host",
    "private_host",
    default="",
    metavar="HOST",
    help="The LMS's host, where it is on a private network or speaks http. Only that host is exempt.",
)
def platform_invite(name: str, expires: str, private_host: str) -> None:
    """Print a one-time address to paste in the LMS, which then registers itself."""
    app, config = open_app()
    with app.app_context():
        begin_write()
        invite, address = invite_platform(
            db.session, utcnow(), config, name=name, expires=expires, private_host=private_host
        )
        db.session.commit()
        click.echo(
            f"invitation {invite.id}, until {invite.expires_at:%Y-%m-%d %H:%M} UTC, to use once:", err=True
        )
        click.echo(address)


@platforms.command("invites")
def platform_invites() -> None:
    """List the invitations, newest first. Their addresses cannot be shown again."""
    app, _config = open_app()
    with app.app_context():
        for invite in list_invites(db.session):
            about = [invite.name, invite.private_host and f"private host {invite.private_host}"]
            about.append(f"platform {invite.platform_id}" if invite.platform_id else "")
            click.echo(
                f"{invite.id}  {state_of(invite, utcnow()):<8}  until {invite.expires_at:%Y-%m-%d %H:%M} UTC"
                + "".join(f"  {part}" for part in about if part)
            )


@platforms.command("revoke")
@click.argument("invite_id", type=int)
def platform_revoke(invite_id: int) -> None:
    """Withdraw an invitation that has not served."""
    app, _config = open_app()
    with app.app_context():
        begin_write()
        invite = revoke_invite(db.session, invite_id, utcnow())
        db.session.commit()
        click.echo(f"invitation {invite.id} is withdrawn")
