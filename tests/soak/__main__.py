"""`make soak`: five runs of 2 000 scores against a platform in trouble, three at a time; what happened, what was found.

Each run is a process of its own. It ends with 1 when anything that must hold does not, or when a fault never happened.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Any

from tests.postgres import running_postgres

from .events import crash_of, delete_queue, fill_disk, wipe_redis
from .runs import Plan, soak
from .school import Size
from .servers import HERE, running_redis

SIZE = Size(courses=4, pupils=500, codes=("1A",), silence_s=1.0, timeout_s=0.5, lease_s=5)
"""Few columns: each round reads the results of those it touches, and two such readings in five fail."""
SMALL = Size(courses=4, pupils=40, codes=("1A",), silence_s=1.0, timeout_s=0.5, lease_s=3)
AT_ONCE = 3
running: list[subprocess.Popen[bytes]] = []
stopped = threading.Event()
KILL_EVERY_S = 10.0
"""After it began to work. One that starts has no token yet, of a platform that gives three in five."""
TYPE_EVERY_S = 0.05
DISK = "48m"
RUNS = {
    "sqlite": "SQLite, one worker",
    "postgresql": "PostgreSQL + Redis, two workers, the database crashes",
    "sqlite-disk": "SQLite, the disk full for a while",
    "postgresql-queue": "PostgreSQL + Redis, two workers, Redis wiped",
    "sqlite-queue": "SQLite, the queue’s file deleted",
}


def main() -> None:
    options = _options()
    signal.signal(signal.SIGTERM, _stop)
    if options.run:
        size = SMALL if options.small else SIZE
        Path(options.out).write_text(json.dumps(run(options.run, size)), encoding="utf-8")
        return
    chosen = options.only or list(RUNS)
    with (
        tempfile.TemporaryDirectory(prefix="spirale-soak-") as folder,
        ThreadPoolExecutor(max_workers=AT_ONCE) as lanes,
    ):
        do = partial(_run_apart, folder=Path(folder), small=options.small)
        found = dict(zip(chosen, lanes.map(do, chosen), strict=True))
    show(found)
    sys.exit(any(verdict["problems"] for verdict in found.values()))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--only", nargs="+", choices=RUNS, help="these runs only")
    parser.add_argument("--small", action="store_true", help="200 scores a run instead of 2 000")
    parser.add_argument("--run", choices=RUNS, help=argparse.SUPPRESS)
    parser.add_argument("--out", help=argparse.SUPPRESS)
    return parser.parse_args()


def _run_apart(name: str, folder: Path, small: bool) -> dict[str, Any]:
    """One run, in a process of its own, that ends with this one."""
    if stopped.is_set():
        sys.exit(143)
    process = _start(name, folder, small)
    running.append(process)
    return _wait(process, folder / f"{name}.json")


def _stop(*_about: object) -> None:
    """Whoever stops a soak stops what it has started: runs, and their servers, workers, disks."""
    stopped.set()
    for process in running:
        process.terminate()
    sys.exit(143)


def _start(name: str, folder: Path, small: bool) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "tests.soak", "--run", name, "--out", str(folder / f"{name}.json")]
    command += ["--small"] if small else []
    if name == "sqlite-disk":
        # A small disk that only this run sees, and that goes with it; anybody may have one.
        anybody = [] if os.geteuid() == 0 else ["--user", "--map-root-user"]
        command = ["unshare", *anybody, "--mount", *command]
    with (folder / f"{name}.log").open("wb") as log:
        return subprocess.Popen(command, cwd=HERE, stdout=log, stderr=log)


def _wait(process: subprocess.Popen[bytes], out: Path) -> dict[str, Any]:
    if process.wait() or not out.exists():
        said = out.with_suffix(".log").read_text(errors="replace")[-3000:]
        return {
            "faults": {},
            "figures": {},
            "problems": [f"it did not run: {said}"],
            "answers": {},
            "said": [],
        }
    found: dict[str, Any] = json.loads(out.read_text(encoding="utf-8"))
    return found


def run(name: str, size: Size) -> dict[str, Any]:
    """One run, in this process."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="spirale-soak-")))
        one = Plan(1, KILL_EVERY_S, TYPE_EVERY_S)
        two = Plan(2, KILL_EVERY_S, TYPE_EVERY_S)
        addresses = {}
        if name.startswith("postgresql"):
            server = stack.enter_context(running_postgres())
            redis = stack.enter_context(running_redis(folder))
            addresses = {"database_url": server.new_database(), "queue_url": redis}
            two.event, two.event_at = crash_of(server), 0.5
            if name == "postgresql-queue":
                two.event, two.event_at = wipe_redis(redis), 1.0
        elif name == "sqlite-disk":
            subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={DISK}", "tmpfs", str(folder)], check=True)
            stack.callback(subprocess.run, ["umount", "--lazy", str(folder)], check=True)
            one.event, one.event_at = fill_disk, 0.3
        elif name == "sqlite-queue":
            one.event = delete_queue
        began = time.monotonic()
        verdict, held = soak(folder, size, two if addresses else one, **addresses)
        verdict.figures["seconds"] = round(time.monotonic() - began)
        return {
            "faults": verdict.faults,
            "figures": verdict.figures,
            "problems": verdict.problems,
            "answers": held.school.typed.answers,
            "said": sorted(held.school.typed.said),
        }


def show(found: dict[str, dict[str, Any]]) -> None:
    """The tables, as Markdown."""
    names = list(found)
    rows = [["", *(RUNS[name] for name in names)]]
    for part in ("figures", "faults"):
        kinds = dict.fromkeys(kind for name in names for kind in found[name][part])
        rows += [[kind, *(str(found[name][part].get(kind, "–")) for name in names)] for kind in kinds]
    rows.append(["answers to the teachers’ pages", *(_answers(found[name]["answers"]) for name in names)])
    rows.append(["**result**", *("FAILED" if found[name]["problems"] else "holds" for name in names)])
    print("\n".join(f"| {' | '.join(row)} |" for row in [rows[0], ["---"] * len(rows[0]), *rows[1:]]))
    for name in names:
        for sentence in found[name]["said"]:
            print(f"\n{RUNS[name]}: pages were told « {sentence} »")
        for problem in found[name]["problems"]:
            print(f"\n{RUNS[name]}: FAILED: {problem}", file=sys.stderr)


def _answers(answers: dict[str, int]) -> str:
    return ", ".join(f"{count} × {status}" for status, count in sorted(answers.items()))


if __name__ == "__main__":
    main()
