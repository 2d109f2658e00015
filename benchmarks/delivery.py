"""What delivering scores costs. `python benchmarks/delivery.py [--late 0,30,100] [--rounds 1] [--many 10000]`.

A class of 35 × 10 competences, 4 connections, against a platform in a process of its own that answers after 0, 30 and
100 ms (`delivery_platform`): Spirale's worker (`delivery_worker`), on SQLite and PostgreSQL, with columns that are not
known yet, then known; and in the same round the library's client in a loop (`delivery_library`). Each runs in a process
of its own, that has delivered one score before, and begins without a token; CPU is that process's. The ideal is that of
the scores alone, 350 / 4 × the delay: tokens, columns and results, asked besides, are counted but not allowed for.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import urllib.request
from collections import defaultdict
from contextlib import ExitStack
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.launch_world import ROOT, SECRET, await_answer, free_port, quiet  # noqa: E402
from tests.postgres import Postgres, running_postgres  # noqa: E402

SCORES, CONNECTIONS = 350, 4
Cost = dict[str, Any]
KINDS = {"usual": "library, usual", "kept": "library, columns kept"}


class Bench:
    """The platform, and what is run against it."""

    def __init__(self, folder: Path, url: str, postgres: Postgres | None) -> None:
        self.folder, self.url, self.postgres = folder, url, postgres
        self._number = 0

    def reset(self, late_ms: int) -> None:
        """An empty platform, that answers so late."""
        urllib.request.urlopen(f"{self.url}/control?ms={late_ms}").close()

    def run(self, module: str, *arguments: str, **environ: str) -> str:
        """What a process prints."""
        command = [sys.executable, str(ROOT / "benchmarks" / f"{module}.py"), *arguments]
        environ = {"PATH": "/usr/bin:/bin", "PYTHONPATH": str(ROOT), **environ}
        done = subprocess.run(command, env=environ, cwd=ROOT, capture_output=True)
        if done.returncode:
            raise RuntimeError(done.stderr.decode()[-2000:])
        return done.stdout.decode()

    def ours(self, backend: str, late_ms: int, scores: int = SCORES) -> list[Cost]:
        """Spirale's costs on a new database: columns unknown, then known."""
        self._number += 1
        folder = self.folder / f"{backend}-{self._number}"
        folder.mkdir()
        environ = {"SPIRALE_DATA_DIR": str(folder), "SPIRALE_SECRET_KEY": SECRET}
        if backend == "PostgreSQL":
            assert self.postgres is not None
            environ["SPIRALE_DATABASE_URL"] = self.postgres.new_database()
        self.reset(0)
        self.run("delivery_worker", "fill", self.url, str(scores), **environ)
        self.reset(late_ms)
        costs = []
        for step in (["deliver"], ["again", "deliver"]):
            for action in step:
                said = self.run("delivery_worker", action, **environ)
            cost: Cost = json.loads(said.splitlines()[-1])
            assert set(cost["states"]) == {"sent"}, cost
            assert cost["asked"]["held"] == scores + 1, cost
            assert cost["asked"]["scores"] == scores, cost
            costs.append(cost)
        return costs

    def library(self, kind: str, late_ms: int) -> Cost:
        """The library's costs."""
        self.reset(late_ms)
        cost: Cost = json.loads(self.run("delivery_library", self.url, kind, str(SCORES)))
        assert cost["asked"]["held"] == SCORES + 1, cost
        return cost


def median(costs: list[Cost], name: str) -> float:
    return float(statistics.median(cost[name] for cost in costs))


def per_round(a: list[Cost], b: list[Cost], name: str) -> float:
    """The median of what `a` cost of `b` in the same round."""
    return statistics.median(x[name] / y[name] for x, y in zip(a, b, strict=True))


def verdict(reached: bool) -> str:
    return "yes" if reached else "NO"


def show(late_ms: int, found: dict[str, list[Cost]]) -> None:
    """The lines of one delay."""
    ideal_s = SCORES / CONNECTIONS * late_ms / 1000
    usual, kept = found[KINDS["usual"]], found[KINDS["kept"]]
    for name, costs in found.items():
        seconds, cpu_ms = median(costs, "seconds"), 1000 * median(costs, "cpu_s") / SCORES
        line = f"{late_ms:4} {name:26} {seconds:7.2f} {cpu_ms:6.2f}"
        if costs is not usual and costs is not kept:
            of_ideal = (
                f"{seconds / ideal_s:5.2f} {verdict(seconds <= 1.15 * ideal_s):3}" if late_ms else "    –   –"
            )
            faster, faster_kept = per_round(usual, costs, "seconds"), per_round(kept, costs, "seconds")
            share, share_kept = per_round(costs, usual, "cpu_s"), per_round(costs, kept, "cpu_s")
            line += (
                f"  {of_ideal}  {faster:5.1f} {verdict(faster >= 3.5):3} {faster_kept:5.1f}"
                f"  {share:5.2f} {verdict(share <= 0.5):3} {share_kept:5.2f}  {costs[0]['statements']:5}"
            )
        else:
            line += " " * 53
        asked = costs[0]["asked"]
        others = ", ".join(
            f"{asked[name]} {name}"
            for name in ("tokens", "columns listed", "columns made", "results read", "connections")
            if asked.get(name)
        )
        print(f"{line}  {others}", flush=True)


def show_many(bench: Bench, backend: str, late_ms: int, many: int) -> None:
    """A class's scores, and very many, one run after the other."""
    few, lots = bench.ours(backend, late_ms), bench.ours(backend, late_ms, many)
    for name, a, b in zip(("unknown", "known"), few, lots, strict=True):
        rate, rate_many = SCORES / a["seconds"], many / b["seconds"]
        print(
            f"{late_ms:4} {backend}, columns {name}: {rate:.0f} scores/s with {SCORES}, {rate_many:.0f} with {many} "
            f"({rate_many / rate:.2f}: {verdict(rate_many >= 0.9 * rate)}); memory {a['before_mb']:.0f} → "
            f"{a['peak_mb']:.0f} MB, {b['before_mb']:.0f} → {b['peak_mb']:.0f} MB; "
            f"CPU {1000 * a['cpu_s'] / SCORES:.2f}, {1000 * b['cpu_s'] / many:.2f} ms per score",
            flush=True,
        )


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--late", default="0,30,100")
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--many", type=int, default=10_000)
    parser.add_argument("--many-late", type=int, default=30)
    parser.add_argument("--only", choices=("SQLite", "PostgreSQL"))
    options = parser.parse_args()
    backends = [options.only] if options.only else ["SQLite", "PostgreSQL"]
    with tempfile.TemporaryDirectory() as name, ExitStack() as stack:
        folder, port = Path(name), free_port()
        folder.chmod(0o755)
        platform = [sys.executable, str(ROOT / "benchmarks" / "delivery_platform.py"), str(port)]
        stack.enter_context(quiet(folder / "platform.log", platform, {}))
        url = f"http://127.0.0.1:{port}"
        await_answer(f"{url}/counts")
        postgres = stack.enter_context(running_postgres()) if "PostgreSQL" in backends else None
        bench = Bench(folder, url, postgres)
        print(
            f"{SCORES} scores, {CONNECTIONS} connections, {options.rounds} rounds; CPU in ms per score\n"
            "late who                        seconds    CPU  of ideal ≤1.15  × faster ≥3.5 (kept)  "
            "CPU share ≤0.5 (kept)  SQL  asked besides"
        )
        for late_ms in (int(text) for text in options.late.split(",") if text):
            found: dict[str, list[Cost]] = defaultdict(list)
            for _round in range(options.rounds):
                for backend in backends:
                    for known, cost in zip(("unknown", "known"), bench.ours(backend, late_ms), strict=True):
                        found[f"Spirale, {backend}, {known}"].append(cost)
                for kind, title in KINDS.items():
                    found[title].append(bench.library(kind, late_ms))
            show(late_ms, found)
        if options.many:
            for backend in backends:
                show_many(bench, backend, options.many_late, options.many)


if __name__ == "__main__":
    main()
