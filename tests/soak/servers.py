"""What a soak starts for itself and ends: a platform in trouble, a Redis, workers."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parents[2]
REDIS = "/usr/bin/redis-server"


class PlatformProcess:
    """The platform of `tests.soak.platform`."""

    def __init__(self, folder: Path, settings: dict[str, Any]) -> None:
        file = folder / "platform.json"
        file.write_text(json.dumps(settings), encoding="utf-8")
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.soak.platform", str(file)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            cwd=HERE,
            text=True,
        )
        assert self._process.stdout is not None
        self.url = self._process.stdout.readline().strip()
        assert self.url, "the platform does not start"

    def report(self) -> dict[str, Any]:
        """What it holds, its journal, the faults that happened; once nothing is at work any more."""
        while True:
            with urllib.request.urlopen(f"{self.url}/report", timeout=30) as answer:
                report: dict[str, Any] = json.load(answer)
            if not report["at_work"]:
                return report
            time.sleep(0.1)

    def close(self) -> None:
        self._process.communicate(timeout=10)


@contextmanager
def running_redis(folder: Path) -> Iterator[str]:
    """The address of a throwaway Redis, on a socket of its own."""
    assert Path(REDIS).exists(), f"{REDIS} is not here: apt-get install redis-server"
    place = folder / "redis.sock"
    options = ["--port", "0", "--unixsocket", str(place), "--save", "", "--appendonly", "no"]
    with subprocess.Popen([REDIS, *options, "--dir", str(folder)], stdout=subprocess.DEVNULL) as process:
        try:
            until = time.monotonic() + 10
            while not place.exists():
                assert time.monotonic() < until, "Redis does not start"
                time.sleep(0.02)
            yield f"unix://{place}"
        finally:
            process.terminate()


class Worker:
    """A `spirale worker`, started, killed, started again. What it says goes to a file."""

    def __init__(self, number: int, folder: Path, environment: dict[str, str]) -> None:
        self.said = folder / f"worker-{number}.log"
        self._environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(HERE), **environment}
        self._process: subprocess.Popen[bytes] | None = None
        self.killed = 0
        self._said_before = 0

    def start(self) -> None:
        self._said_before = self._said()
        with self.said.open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "lti_tool", "worker"],
                env=self._environment,
                cwd=self.said.parent,
                stdout=log,
                stderr=log,
            )

    @property
    def runs(self) -> bool:
        return self._process is not None and self._process.poll() is None

    @property
    def has_worked(self) -> bool:
        """Whether it has said what became of a score since it was started; on a busy machine that takes a while."""
        return self._said() > self._said_before

    def _said(self) -> int:
        return self.said.stat().st_size if self.said.exists() else 0

    def kill(self) -> None:
        """SIGKILL: it has no time for anything."""
        assert self._process is not None
        self._process.kill()
        self._process.wait()
        self.killed += 1

    def send(self, sign: int) -> None:
        """Another signal: SIGSTOP freezes it, SIGCONT lets it go on."""
        assert self._process is not None
        self._process.send_signal(sign)

    def stop(self) -> int:
        """SIGTERM, as a service manager stops it; what it ended with."""
        if self._process is None:
            return 0
        self._process.send_signal(signal.SIGCONT)
        self._process.terminate()
        try:
            return self._process.wait(timeout=60)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
            return -signal.SIGKILL
