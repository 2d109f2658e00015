"""`make demo`: the tool, its worker, the demo LMS and the ENT, set up and started together, stopped together.

The tool is reached as localhost and the platforms as 127.0.0.1: two sites to a browser, so the frame is really
cross-site, as it is in a school.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from types import FrameType
from typing import IO

import click
import sqlalchemy as sa

from . import create_app
from .activities.editing import Draft, save_activity
from .config import Config, load_config
from .courses.entry import course_of
from .courses.referentials import course_frameworks
from .db import begin_write, db, utcnow
from .demo import ENT, LMS, Profile, registration
from .demo.people import MRC1
from .errors import ConfigError
from .frameworks.guide import guide_of
from .lti.models import Platform
from .lti.platforms import add_platform
from .setup import upgrade_database

START_LIMIT_S = 30.0
STOP_LIMIT_S = 10.0


@dataclass(frozen=True)
class Places:
    """Where the demo's parts live."""

    tool_port: int
    lms_port: int
    ent_port: int
    folder: Path

    @property
    def tool_url(self) -> str:
        return f"http://localhost:{self.tool_port}"

    @property
    def lms_url(self) -> str:
        return f"http://127.0.0.1:{self.lms_port}"

    @property
    def ent_url(self) -> str:
        return f"http://127.0.0.1:{self.ent_port}"


def run_demo(*, reset: bool = False) -> None:
    """Set everything up, start it, say where to click, and stop it all at Ctrl-C.

    Raises `ConfigError` in production, and for a port that is busy or is not one.
    """
    if os.environ.get("SPIRALE_CONFIG") == "production":
        raise ConfigError("the demo does not start under SPIRALE_CONFIG=production: it lets anybody in")
    places = Places(*_ports(), _folder())
    held = _hold(places.folder)
    if reset:
        _erase(places.folder)
    environment = _environment(places)
    _set_up(places, environment)
    signal.signal(signal.SIGTERM, _stop_asked)
    parts: list[subprocess.Popen[bytes]] = []
    try:
        for command, more in _commands(places):
            parts.append(subprocess.Popen(command, env={**environment, **more}, start_new_session=True))
        _wait_until_ready(places, parts)
        click.echo(
            f"\nSpirale: open {places.lms_url} and enter as a teacher, then as a pupil "
            f"(the tool itself answers at {places.tool_url}).\n"
            f"An ENT of another school, which shares no names, is at {places.ent_url}. Ctrl-C stops everything.\n"
        )
        _watch(parts)
    except KeyboardInterrupt:
        click.echo("\nstopping")
    finally:
        _stop(parts)
        held.close()


def _hold(folder: Path) -> IO[str]:
    """The demo's folder, for this demo alone: a second one would register its own addresses over the first's."""
    folder.mkdir(parents=True, exist_ok=True)
    lock = (folder / "demo.lock").open("w")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        lock.close()
        raise ConfigError(
            f"a demo already runs on {folder}: stop it, or give this one its own folder, e.g. SPIRALE_DATA_DIR=var2"
        ) from error
    return lock


def _folder() -> Path:
    return Path(os.environ.get("SPIRALE_DATA_DIR", "var")).resolve()


def _ports() -> tuple[int, int, int]:
    """The ports of the tool, the LMS and the ENT. Raises `ConfigError` unless they are three, and free."""
    defaults = {"SPIRALE_PORT": 8000, "SPIRALE_DEMO_PORT": 8001, "SPIRALE_ENT_PORT": 8002}
    ports = {name: _port(name, default) for name, default in defaults.items()}
    for name, port in ports.items():
        others = [other for other in ports if other != name and ports[other] == port]
        if others:
            raise ConfigError(f"{name} and {others[0]} are both {port}: give each its own")
        _require_free(name, port)
    tool, lms, ent = ports.values()
    return tool, lms, ent


def _port(name: str, default: int) -> int:
    typed = os.environ.get(name, str(default))
    if not (typed.isascii() and typed.isdigit() and 0 < int(typed) < 65_536):
        raise ConfigError(f"{name}: {typed!r} is not a port (1 to 65535)")
    return int(typed)


def _require_free(name: str, port: int) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            raise ConfigError(
                f"port {port} is busy: stop what uses it, or choose another one, e.g. {name}={port + 10} make demo"
            ) from error


def _erase(folder: Path) -> None:
    """Erase what the demo made, and nothing else that lives there."""
    for name in ("spirale.db", "queue.db", "demo.sqlite", "ent.sqlite"):
        for path in folder.glob(f"{name}*"):
            path.unlink()
    shutil.rmtree(folder / "demo", ignore_errors=True)


def _environment(places: Places) -> dict[str, str]:
    """The settings of the parts: the embedded default, at the demo's addresses."""
    kept = {k: v for k, v in os.environ.items() if k not in ("SPIRALE_DATABASE_URL", "SPIRALE_QUEUE_URL")}
    return kept | {
        "SPIRALE_BASE_URL": places.tool_url,
        "SPIRALE_DATA_DIR": str(places.folder),
        "SPIRALE_DEMO_TOOL_URL": places.tool_url,
    }


def _platform_environment(places: Places, profile: Profile) -> dict[str, str]:
    """The settings of the LMS, or of the ENT."""
    url, file = (places.ent_url, "ent.sqlite") if profile is ENT else (places.lms_url, "demo.sqlite")
    return {
        "SPIRALE_DEMO_PROFILE": profile.key,
        "SPIRALE_DEMO_BASE_URL": url,
        "SPIRALE_DEMO_DATABASE": str(places.folder / file),
    }


def _set_up(places: Places, environment: Mapping[str, str]) -> None:
    """Migrate the database, load the referentials, register both platforms at their present addresses.

    At the first start the LMS's course also receives its first activities.
    """
    config = load_config(environment)
    app = create_app(config)
    with app.app_context():
        upgrade_database(config)
        begin_write()
        campus = _register(LMS, places.lms_url)
        _register(ENT, places.ent_url)
        if campus is not None:
            _add_examples(campus, utcnow().astimezone(config.timezone).date(), config)
        db.session.commit()
        db.engine.dispose()


def _register(profile: Profile, url: str) -> Platform | None:
    """Register a platform at its address: the platform when it is new; None when it was known, and follows its port.

    Its courses and results stay.
    """
    known = registration(url, profile)
    platform = db.session.scalars(sa.select(Platform).where(Platform.client_id == known.client_id)).first()
    if platform is None:
        return add_platform(
            db.session,
            name=profile.title,
            issuer=known.issuer,
            client_id=known.client_id,
            auth_login_url=known.auth_login_url,
            auth_token_url=known.auth_token_url,
            jwks_url=known.jwks_url,
            audience=known.audience,
            deployment_ids=(known.deployment_id,),
        )
    platform.issuer, platform.jwks_url = known.issuer, known.jwks_url
    platform.auth_login_url, platform.auth_token_url = known.auth_login_url, known.auth_token_url
    platform.audience = known.audience
    return None


def _add_examples(platform: Platform, first_day: date, config: Config) -> None:
    """The course opens with the referential's examples, a week apart: activities that nobody is assessed in yet.

    Spirale knows a course from its first launch on; this one it knows before, by the same identifier.
    """
    course = course_of(db.session, platform.id, platform.deployments[0].id, str(MRC1.id), config)
    framework = course_frameworks(db.session, course)[0]
    for week, example in enumerate(guide_of(framework, framework.language).examples):
        draft = Draft.from_example(example, first_day + timedelta(weeks=week))
        save_activity(db.session, course, draft, None, utcnow())


def _commands(places: Places) -> list[tuple[list[str], dict[str, str]]]:
    """The parts, each with its own settings."""
    serve = [sys.executable, "-m", "gunicorn", "--log-level", "warning", "--workers", "1", "--threads", "8"]
    return [
        ([*serve, "--bind", f"127.0.0.1:{places.tool_port}", "lti_tool:create_app()"], {}),
        ([sys.executable, "-m", "lti_tool", "worker"], {}),
        *(
            (
                [*serve, "--bind", f"127.0.0.1:{port}", "lti_tool.demo.wsgi:app"],
                _platform_environment(places, profile),
            )
            for profile, port in ((LMS, places.lms_port), (ENT, places.ent_port))
        ),
    ]


def _wait_until_ready(places: Places, parts: list[subprocess.Popen[bytes]]) -> None:
    deadline = time.monotonic() + START_LIMIT_S
    waiting = [f"{places.tool_url}/health/ready", f"{places.lms_url}/", f"{places.ent_url}/"]
    while waiting:
        if time.monotonic() > deadline or any(part.poll() is not None for part in parts):
            raise ConfigError("the demo did not start: what its parts said stands above")
        try:
            with urllib.request.urlopen(waiting[0], timeout=2):  # noqa: S310 - our own address
                waiting.pop(0)
        except (urllib.error.URLError, OSError):
            time.sleep(0.1)


def _watch(parts: list[subprocess.Popen[bytes]]) -> None:
    """Wait until one of the parts ends by itself."""
    while all(part.poll() is None for part in parts):
        time.sleep(0.5)
    click.echo("one part stopped by itself; stopping the others", err=True)


def _stop(parts: list[subprocess.Popen[bytes]]) -> None:
    for part in parts:
        if part.poll() is None:
            part.terminate()
    for part in parts:
        try:
            part.wait(STOP_LIMIT_S)
        except subprocess.TimeoutExpired:
            part.kill()


def _stop_asked(_signal: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt
