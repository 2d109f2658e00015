"""One soak: two teachers type, workers deliver and are killed, the platform fails, and more as each run has it."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

from lti_tool.gradebook.queue import wake_worker

from .judge import Verdict, judge
from .school import CLIENT, School, Size
from .servers import PlatformProcess, Worker

Event = Callable[["Soak"], None]
"""Something that happens in the middle of a run."""
ENDS_WITHIN_S = 600
"""A run that is not over by then is stuck: the sweep comes every minute, and no wait is longer than a few seconds."""


@dataclass
class Plan:
    """What a run does besides failing requests."""

    workers: int
    kill_every_s: float
    type_every_s: float
    event: Event | None = None
    """Once: when `event_at` of the cells have been typed the teachers wait until it lets them type again."""
    event_at: float = 0.5
    teachers: tuple[float, float] = (1.0, 0.5)
    """The part of the cells that each of the two teachers types."""
    nudge_every_s: float = 0.0
    """Wake the workers so often, as other teachers' keystrokes do; 0: never, they wake themselves."""
    kills: int = 1_000_000
    """At most so many; a test has not all day."""


@dataclass
class Soak:
    """A run under way."""

    school: School
    platform: PlatformProcess
    workers: list[Worker]
    plan: Plan
    notes: dict[str, int] = field(default_factory=dict)
    """What the event counted."""
    problems: list[str] = field(default_factory=list)
    over: threading.Event = field(default_factory=threading.Event)
    calm: threading.Event = field(default_factory=threading.Event)
    """While it is set no worker is killed."""

    def chaos(self) -> None:
        """Kill one worker after the other, a few seconds after it began to work; every third time freeze it beyond its
        lease instead.
        """
        frozen_s = self.school.size.lease_s + 1
        turn = 0
        while turn < self.plan.kills and not self.over.wait(self.plan.kill_every_s):
            worker = self.workers[turn % len(self.workers)]
            if self.calm.is_set() or (worker.runs and not worker.has_worked):
                continue
            turn += 1
            if not worker.runs:
                self.problems.append(f"a worker ended by itself: {worker.said.read_text()[-2000:]}")
            if turn % 3 == 0 and len(self.workers) > 1:
                worker.send(signal.SIGSTOP)
                self.over.wait(frozen_s)
                worker.send(signal.SIGCONT)
                self.notes["frozen"] = self.notes.get("frozen", 0) + 1
            else:
                worker.kill()
                worker.start()

    def teach(self, who: int) -> None:
        self.school.teach(self.classes, who, self.plan.teachers[who], self.plan.type_every_s)

    def nudge(self) -> None:
        while not self.over.wait(self.plan.nudge_every_s):
            with self.school.app.app_context():
                wake_worker()

    def happen(self) -> None:
        """The run's event, when its moment has come."""
        if self.plan.event is None:
            return
        while self.school.may_type.is_set() and not self.over.wait(0.05):
            pass
        try:
            self.plan.event(self)
        finally:
            self.school.may_type.set()

    def run(self) -> None:
        self.classes = self.school.open_at(self.platform)
        if self.plan.event is not None:
            self.school.hold_at = int(self.school.size.cells * self.plan.event_at)
        for worker in self.workers:
            worker.start()
        others = [self._thread(self.chaos)]
        if self.plan.nudge_every_s:
            others.append(self._thread(self.nudge))
        typing = [self._thread(self.teach, 0), self._thread(self.teach, 1), self._thread(self.happen)]
        for thread in typing:
            thread.join()
        until = time.monotonic() + ENDS_WITHIN_S
        while self.school.open_deliveries():
            if time.monotonic() > until:
                self.problems.append("some deliveries stay open")
                break
            time.sleep(0.2)
        self.over.set()
        for thread in others:
            thread.join()
        ended = [worker.stop() for worker in self.workers]
        if any(ended):
            self.problems.append(f"workers told to stop ended with {ended}")

    def _thread(self, work: Callable[..., None], *arguments: object) -> threading.Thread:
        def guarded() -> None:
            try:
                work(*arguments)
            except BaseException as error:
                self.problems.append(f"{work.__name__}: {error!r}")

        thread = threading.Thread(target=guarded, daemon=True)
        thread.start()
        return thread


def soak(
    folder: Path, size: Size, plan: Plan, *, database_url: str = "", queue_url: str = "", made: bool = False
) -> tuple[Verdict, Soak]:
    """Run a soak in a folder, and judge it."""
    with ExitStack() as stack:
        school = School(folder, size, database_url=database_url, queue_url=queue_url, made=made)
        stack.callback(school.close)
        settings = {
            "client_id": CLIENT,
            "keys": school.keys,
            "pupils": school.pupils_of(),
            "seed": size.seed,
            "silence_s": size.silence_s,
        }
        platform = PlatformProcess(folder, settings)
        stack.callback(platform.close)
        workers = [Worker(number + 1, folder, school.environment) for number in range(plan.workers)]
        run = Soak(school, platform, workers, plan)
        try:
            run.run()
        finally:
            run.over.set()
            for worker in workers:
                if worker.runs:
                    worker.kill()
        report = platform.report()
        typed = school.typed
        verdict = judge(report, school.deliveries(), typed.levels, (typed.entries, school.entries()))
        verdict.problems += run.problems
        verdict.figures["workers killed"] = sum(worker.killed for worker in workers)
        verdict.figures |= run.notes
        if len(typed.levels) != size.cells:
            verdict.problems.append(f"{len(typed.levels)} cells were typed, not {size.cells}")
        return verdict, run
