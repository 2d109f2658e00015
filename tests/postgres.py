"""A throwaway PostgreSQL server for the tests that must hold on both databases."""

from __future__ import annotations

import getpass
import itertools
import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import psycopg
import pytest

from lti_tool import create_app
from lti_tool.cli import upgrade_database
from lti_tool.config import load_config
from lti_tool.db import db

SECRET = "a secret for tests, long enough to be taken"
ADVICE = "PostgreSQL is needed for these tests: apt-get install postgresql"
STARTS_WITHIN_S = 30
QUICK = ("-cfsync=off", "-cfull_page_writes=off", "-ctimezone=Pacific/Auckland")


def binary(name: str) -> str:
    """The newest installed PostgreSQL's program. A missing one fails the test: skipped is not tested."""
    found = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"), key=lambda path: int(path.parts[4]))
    program = str(found[-1]) if found else shutil.which(name)
    if program is None:
        pytest.fail(f"{name} is not here. {ADVICE}")
    return program


@dataclass
class Postgres:
    """A running server; only its socket listens."""

    folder: Path
    command: list[str]
    port: int = 5432
    process: subprocess.Popen[bytes] | None = None
    _numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    def url(self, name: str) -> str:
        """The address of a database, as SPIRALE_DATABASE_URL takes it."""
        return f"postgresql://{self.user}@/{name}?host={self.folder}&port={self.port}"

    @property
    def user(self) -> str:
        return "postgres" if os.geteuid() == 0 else getpass.getuser()

    def new_database(self, template: str = "template0") -> str:
        """The address of a new database, a copy of `template`."""
        name = f"test_{next(self._numbers)}"
        self.run(f"CREATE DATABASE {name} TEMPLATE {template} ENCODING 'UTF8'")
        return self.url(name)

    def run(self, statement: str, name: str = "postgres") -> list[tuple[object, ...]]:
        """The rows of a statement, outside of any transaction."""
        with psycopg.connect(self.url(name), autocommit=True) as connection:
            cursor = connection.execute(statement)  # type: ignore[arg-type]
            return cursor.fetchall() if cursor.description else []

    def start(self) -> None:
        """Start it, and wait until it answers."""
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen(self.command, cwd=self.folder, stdout=log, stderr=log)
        _await(self, self.process)

    def stop(self, sign: int = signal.SIGINT) -> None:
        """Stop it; SIGQUIT is as a crash, that it recovers from at its next start."""
        if self.process is not None:
            self.process.send_signal(sign)
            self.process.wait(timeout=30)


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """A server of this test run."""
    with running_postgres(*QUICK) as server:
        yield server


@contextmanager
def running_postgres(*settings: str) -> Iterator[Postgres]:
    """A server with these settings: its data is in a temporary folder, and goes with it."""
    # Not under pytest's own folder, which the server's user may not enter.
    folder = Path(tempfile.mkdtemp(prefix="spirale-pg-"))
    data = folder / "data"
    as_user: list[str] = []
    if os.geteuid() == 0:  # initdb and postgres refuse root
        shutil.chown(folder, "postgres", "postgres")
        as_user = ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"]
    initdb = [
        *as_user,
        binary("initdb"),
        "-D",
        str(data),
        "--auth=trust",
        "--encoding=UTF8",
        "--locale=C.UTF-8",
    ]
    made = subprocess.run([*initdb, "--no-sync"], cwd=folder, capture_output=True, text=True, check=False)
    assert made.returncode == 0, made.stderr
    port = Postgres.port
    options = [f"-cunix_socket_directories={folder}", f"-cport={port}", "-clisten_addresses="]
    server = Postgres(folder, [*as_user, binary("postgres"), "-D", str(data), *options, *settings])
    try:
        server.start()
        yield server
    finally:
        server.stop()
        shutil.rmtree(folder, ignore_errors=True)


def _await(server: Postgres, process: subprocess.Popen[bytes]) -> None:
    until = time.monotonic() + STARTS_WITHIN_S
    while True:
        try:
            server.run("SELECT 1")
        except psycopg.OperationalError:
            if process.poll() is not None or time.monotonic() > until:
                pytest.fail(f"PostgreSQL does not start: {(server.folder / 'log').read_text()[-2000:]}")
            time.sleep(0.05)
        else:
            return


@pytest.fixture(scope="session")
def migrated_postgres(postgres: Postgres, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The name of a database made by the migrations, with the shipped referentials: a template for the tests'."""
    url = postgres.new_database()
    config = load_config(
        {
            "SPIRALE_DATA_DIR": str(tmp_path_factory.mktemp("postgres")),
            "SPIRALE_DATABASE_URL": url,
            "SPIRALE_SECRET_KEY": SECRET,
        }
    )
    app = create_app(config)
    with app.app_context():
        upgrade_database(config)
        db.session.close()
        db.engine.dispose()
    app.extensions["spirale_queue"].storage.close()
    return url.rpartition("@/")[2].partition("?")[0]
