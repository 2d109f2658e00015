"""What `launch.py` measures: databases of many people, and the servers on them, each under gunicorn."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import sqlalchemy as sa
from cryptography.hazmat.primitives.asymmetric import rsa
from jwt.algorithms import RSAAlgorithm

from lti_tool import create_app
from lti_tool.activities.models import Activity, ActivityLink
from lti_tool.config import load_config
from lti_tool.courses.models import Course, Enrolment, Person, ResourceLink, Role
from lti_tool.db import begin_write, db
from lti_tool.setup import upgrade_database
from tests import factories
from tests.postgres import Postgres

ROOT = Path(__file__).resolve().parent.parent
SECRET = "a secret for measuring, long enough to be taken"
ISSUER, CLIENT, PUPILS = "https://moodle.example.org", "client", 35
TICKS = os.sysconf("SC_CLK_TCK")
UNLIMITED = "[security]\nlogins_per_minute = 100000000\n"
"""One address launches everything here; a school's server is not asked so much by one."""


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


@contextmanager
def key_server(folder: Path, key: rsa.RSAPrivateKey) -> Iterator[str]:
    """The platform's keys, served by a process of its own; their address."""
    jwk = RSAAlgorithm.to_jwk(key.public_key(), as_dict=True) | {"kid": "one", "alg": "RS256", "use": "sig"}
    (folder / "jwks").mkdir()
    (folder / "jwks" / "jwks.json").write_text(json.dumps({"keys": [jwk]}))
    port = free_port()
    command = [sys.executable, "-m", "http.server", str(port), "--bind", "127.0.0.1", "--directory"]
    with quiet(folder / "jwks.log", [*command, str(folder / "jwks")], {}):
        url = f"http://127.0.0.1:{port}/jwks.json"
        await_answer(url)
        yield url


@contextmanager
def quiet(log: Path, command: list[str], environ: dict[str, str]) -> Iterator[subprocess.Popen[bytes]]:
    """A process that writes in `log`, ended with the block."""
    whole = {**os.environ, "PYTHONPATH": str(ROOT), **environ}
    with log.open("wb") as out:
        process = subprocess.Popen(command, cwd=ROOT, env=whole, stdout=out, stderr=out)
    try:
        yield process
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(timeout=30)


def await_answer(url: str) -> None:
    """Return once the address answers, whatever it says."""
    for _ in range(300):
        try:
            urllib.request.urlopen(url, timeout=5).close()
        except urllib.error.HTTPError:
            return
        except OSError:
            time.sleep(0.1)
        else:
            return
    raise RuntimeError(f"{url} does not answer")


@dataclass(frozen=True)
class Database:
    """A database of people: one copy for each server, so that none writes in another's."""

    folder: Path
    people: int
    postgres: Postgres | None
    template: str

    def copy(self, name: str) -> dict[str, str]:
        """The environment of a server with a copy of its own."""
        own = self.folder / name
        own.mkdir()
        (own / "spirale.toml").write_text(UNLIMITED)
        environ = {
            "SPIRALE_DATA_DIR": str(own),
            "SPIRALE_SECRET_KEY": SECRET,
            "SPIRALE_CONFIG": str(own / "spirale.toml"),
        }
        if self.postgres is None:
            shutil.copy(self.template, own / "spirale.db")
            return environ
        return environ | {"SPIRALE_DATABASE_URL": self.postgres.new_database(self.template)}


def make_database(folder: Path, people: int, jwks_url: str, postgres: Postgres | None) -> Database:
    """Migrated, with a platform and `people` persons in classes of 35; the first one has assessed an activity."""
    folder.mkdir()
    environ = {"SPIRALE_DATA_DIR": str(folder), "SPIRALE_SECRET_KEY": SECRET}
    if postgres is not None:
        environ["SPIRALE_DATABASE_URL"] = postgres.new_database()
    app = create_app(load_config(environ))
    with app.app_context():
        upgrade_database(app.extensions["spirale_config"])
        begin_write()
        fill(people, jwks_url)
        db.session.commit()
        db.session.close()
        tidy()
    app.extensions["spirale_queue"].storage.close()
    if postgres is None:
        return Database(folder, people, None, str(folder / "spirale.db"))
    name = environ["SPIRALE_DATABASE_URL"].rpartition("@/")[2].partition("?")[0]
    return Database(folder, people, postgres, name)


def names(sub: str) -> dict[str, str]:
    """What the platform calls somebody, each time the same."""
    return {"given_name": "Camille", "family_name": f"Roux {sub}", "name": f"Camille Roux {sub}"}


def fill(people: int, jwks_url: str) -> None:
    """Rows of a platform used for years: every class of 35 has its link."""
    platform = factories.platform(issuer=ISSUER, client_id=CLIENT, jwks_url=jwks_url)
    first: Course | None = None
    for start in range(0, people, PUPILS):
        course = factories.course(platform, context_id=str(start // PUPILS), label="2MRC1")
        first = first or course
        db.session.add(ResourceLink(course_id=course.id, link_id="7", title="Spirale"))
        numbers = range(start, min(start + PUPILS, people))
        rows = [{"platform_id": platform.id, "sub": f"p{n}", **names(f"p{n}")} for n in numbers]
        db.session.execute(sa.insert(Person), rows)
        ids = db.session.scalars(
            sa.select(Person.id)
            .where(Person.platform_id == platform.id)
            .order_by(Person.id.desc())
            .limit(len(rows))
        ).all()
        enrolments = [
            {"course_id": course.id, "person_id": id_, "role": Role.LEARNER, "number": number}
            for number, id_ in enumerate(reversed(ids), 1)
        ]
        db.session.execute(sa.insert(Enrolment), enrolments)
    assert first is not None
    assess(first)


def assess(course: Course) -> None:
    """Three activities of a class, all pupils assessed on two competences; a link opens the last one's grid."""
    teacher = factories.enrolled(course, "Claire", "Morel", Role.TEACHER)
    pupils = db.session.scalars(
        sa.select(Person)
        .join(Enrolment)
        .where(Enrolment.course_id == course.id, Enrolment.role == Role.LEARNER)
    ).all()
    activity: Activity | None = None
    for number in range(3):
        day = date(2026, 10, 8) + timedelta(weeks=number)
        activity = factories.activity(course, "1A", "1C", starts_on=day, title=f"Accueil {number}")
        for pupil in pupils:
            for code in ("1A", "1C"):
                factories.assessment(activity, code, pupil, 1 + (pupil.id + number) % 4, teacher)
    assert activity is not None
    link = ResourceLink(course_id=course.id, link_id="grid", title=activity.title)
    db.session.add(link)
    db.session.flush()
    db.session.add(ActivityLink(resource_link_id=link.id, activity_id=activity.id))


def tidy() -> None:
    """Leave a database at rest: planned for, its log emptied, nobody connected."""
    with db.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        if db.engine.dialect.name == "sqlite":
            connection.exec_driver_sql("COMMIT")
            connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
        else:
            connection.exec_driver_sql("VACUUM ANALYZE")
    db.engine.dispose()


@dataclass
class Server:
    """An application under gunicorn, as docs/install.md starts it."""

    name: str
    port: int
    process: subprocess.Popen[bytes]
    database: Database

    @property
    def address(self) -> str:
        return f"http://localhost:{self.port}"

    def cpu_s(self) -> float:
        """Processor time of gunicorn's processes so far: in the programs and in the kernel for them."""
        return all_of(self.process.pid)

    def database_cpu_s(self) -> float:
        """The same of the whole PostgreSQL server; SQLite works inside ours."""
        return all_of(self.database.postgres.pid) if self.database.postgres else 0.0


@contextmanager
def served(name: str, application: str, database: Database, **more: str) -> Iterator[Server]:
    """An application with a copy of the database of its own."""
    port = free_port()
    environ = database.copy(name) | {"SPIRALE_BASE_URL": f"http://localhost:{port}", **more}
    command = [sys.executable, "-m", "gunicorn", "--workers", "2", "--threads", "4", "--log-level", "warning"]
    log = database.folder / f"{name}.log"
    with quiet(log, [*command, "--bind", f"127.0.0.1:{port}", application], environ) as process:
        await_answer(f"http://127.0.0.1:{port}/lti/launch")
        yield Server(name, port, process, database)


def all_of(pid: int) -> float:
    """Seconds of processor time of a process and of its children, those that ended included."""
    while True:
        try:
            return _cpu_of(pid)
        except FileNotFoundError:  # one has just ended: its time is now its parent's
            time.sleep(0.01)


def _cpu_of(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    own = sum(int(ticks) for ticks in fields[11:15]) / TICKS
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return own + sum(_cpu_of(int(child)) for child in children)
