"""What a launch costs. `python benchmarks/launch.py [--people 1000,100000] [--launches 300] [--rounds 7]`.

Spirale and `launch_peer` (the library's bare Flask example, with the same rows written) run under gunicorn, 2 workers
and 4 threads each, on SQLite and on PostgreSQL. This process plays the platform and its browsers: logins, id_tokens
signed while nothing is measured, launches, and the page that each launch leads to. What counts is the processor time
of the servers' processes. The rounds of the servers alternate and medians are printed; `share` is the median of what
a round costs of the peer's same round, so that whatever else the machine does weighs on both. Launches per second are
by the clock.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
import time
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.launch_browsers import Browsers, Visit, claims  # noqa: E402
from benchmarks.launch_world import PUPILS, key_server, make_database, served  # noqa: E402
from tests.postgres import Postgres, running_postgres  # noqa: E402

WARM_UP = 80
OURS, PEER, PEER_KEYS = "Spirale", "library + Flask", "the same, keys kept"


@dataclass
class Measured:
    """Milliseconds of processor time, round by round: of gunicorn, and of the database's server."""

    login: list[float] = field(default_factory=list)
    launch: list[float] = field(default_factory=list)
    database: list[float] = field(default_factory=list)
    page: list[float] = field(default_factory=list)
    per_second: list[float] = field(default_factory=list)

    @property
    def whole(self) -> list[float]:
        return [login + launch for login, launch in zip(self.login, self.launch, strict=True)]

    def share_of(self, other: Measured) -> float:
        """Compared round by round: what else the machine does weighs on both."""
        return statistics.median(a / b for a, b in zip(self.whole, other.whole, strict=True))


def visits(count: int, number: int, people: int) -> list[Visit]:
    """A morning: nine in ten are pupils that the database knows, one in ten comes for the first time."""
    made = []
    for n in range(count):
        who = (number * count + n) * 7919 % people
        sub = f"new-{number}-{n}" if n % 10 == 0 else f"p{who}"
        made.append(Visit(sub, who // PUPILS))
    return made


def measure(browsers: Browsers, made: list[Visit], key: rsa.RSAPrivateKey, found: Measured | None) -> None:
    """Logins and launches of one round."""
    server = browsers.server
    for visit in made:
        # A browser that has been here before brings its cookie; the peer's session is new each time.
        visit.cookies = {"spirale": "x" * 43} if server.name == OURS else {}
    start, cpu, outside = time.monotonic(), server.cpu_s(), server.database_cpu_s()
    browsers.all(browsers.login, made)
    seconds, login_s = time.monotonic() - start, server.cpu_s() - cpu
    for visit in made:
        visit.token = jwt.encode(claims(visit, server), key, algorithm="RS256", headers={"kid": "one"})
    start, cpu = time.monotonic(), server.cpu_s()
    browsers.all(browsers.launch, made)
    seconds += time.monotonic() - start
    if found is not None:
        found.login.append(1000 * login_s / len(made))
        found.launch.append(1000 * (server.cpu_s() - cpu) / len(made))
        found.database.append(1000 * (server.database_cpu_s() - outside) / len(made))
        found.per_second.append(len(made) / seconds)


def measure_pages(browsers: Browsers, made: list[Visit], key: rsa.RSAPrivateKey, found: Measured) -> None:
    """The first page of a class of 35: a teacher's grid, after a launch that is not counted."""
    measure(browsers, made, key, None)
    cpu = browsers.server.cpu_s()
    browsers.all(browsers.first_page, made)
    found.page.append(1000 * (browsers.server.cpu_s() - cpu) / len(made))


def compare(
    folder: Path, people: int, postgres: Postgres | None, key: rsa.RSAPrivateKey, jwks: str, options: Any
) -> dict[str, Measured]:
    """Every server on a database of that many people, their rounds in turn."""
    database = make_database(folder, people, jwks, postgres)
    found = {name: Measured() for name in (OURS, PEER, PEER_KEYS)}
    with ExitStack() as stack:
        peer = "benchmarks.launch_peer:create_app()"
        servers = [
            stack.enter_context(served(OURS, "lti_tool:create_app()", database)),
            stack.enter_context(served(PEER, peer, database)),
            stack.enter_context(served(PEER_KEYS, peer, database, PEER_KEEPS_KEYS="1")),
        ]
        everybody = [Browsers(server) for server in servers]
        for browsers in everybody:
            measure(browsers, visits(WARM_UP, 0, people), key, None)
        for number in range(1, options.rounds + 1):
            for browsers in everybody:
                measure(browsers, visits(options.launches, number, people), key, found[browsers.server.name])
            teachers = [Visit("t", 0, "grid", teacher=True) for _ in range(options.launches // 4)]
            measure_pages(everybody[0], teachers, key, found[OURS])
    return found


def show(backend: str, people: int, found: dict[str, Measured]) -> None:
    """One line per server."""
    for name, one in found.items():
        page = f"{statistics.median(one.page):6.2f}" if one.page else "     –"
        print(
            f"{backend:10} {people:7} {name:20} {statistics.median(one.login):6.2f} "
            f"{statistics.median(one.launch):6.2f} {statistics.median(one.whole):6.2f} "
            f"{one.share_of(found[PEER]):6.2f} "
            f"{statistics.median(one.database):6.2f} {page} {statistics.median(one.per_second):7.0f}",
            flush=True,
        )


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--people", default="1000,100000")
    parser.add_argument("--launches", type=int, default=300)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--only", choices=("sqlite", "postgresql"))
    options = parser.parse_args()
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    print("processor ms per launch; medians of", options.rounds, "rounds of", options.launches, "launches")
    print("database    people server                login launch  whole  share  (db)   page  launches/s")
    with tempfile.TemporaryDirectory() as name, ExitStack() as stack:
        folder = Path(name)
        folder.chmod(0o755)
        jwks = stack.enter_context(key_server(folder, key))
        postgres = None if options.only == "sqlite" else stack.enter_context(running_postgres())
        backends = {"sqlite": None, "postgresql": postgres}
        for backend in [options.only] if options.only else list(backends):
            for people in (int(text) for text in options.people.split(",")):
                where = folder / f"{backend}-{people}"
                show(backend, people, compare(where, people, backends[backend], key, jwks, options))


if __name__ == "__main__":
    main()
