"""`make soak` in small: 200 scores, both databases side by side, since most of the time is spent waiting."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.postgres import Postgres

from .fates import Fates
from .judge import Verdict
from .runs import Plan, soak
from .school import Size
from .servers import running_redis

SIZE = Size(courses=4, pupils=40, codes=("1A",), seed="spirale", silence_s=1.0, timeout_s=0.5, lease_s=3)
TEACHERS = (1.0, 0.4)
KILL_EVERY_S, TYPE_EVERY_S, NUDGE_EVERY_S = 5.0, 0.02, 0.25


@pytest.fixture(scope="module")
def verdicts(
    tmp_path_factory: pytest.TempPathFactory, migrated: Path, postgres: Postgres, migrated_postgres: str
) -> Iterator[dict[str, Future[Verdict]]]:
    """Both soaks, under way."""
    ours, theirs = tmp_path_factory.mktemp("soak"), tmp_path_factory.mktemp("soak")
    shutil.copy(migrated, ours / "spirale.db")
    address = postgres.new_database(template=migrated_postgres)

    def on_sqlite() -> Verdict:
        plan = Plan(1, KILL_EVERY_S, TYPE_EVERY_S, teachers=TEACHERS, nudge_every_s=NUDGE_EVERY_S, kills=2)
        return soak(ours, SIZE, plan, made=True)[0]

    def on_postgresql() -> Verdict:
        plan = Plan(2, KILL_EVERY_S, TYPE_EVERY_S, teachers=TEACHERS, nudge_every_s=NUDGE_EVERY_S, kills=3)
        with running_redis(theirs) as redis:
            return soak(theirs, SIZE, plan, database_url=address, queue_url=redis, made=True)[0]

    with ThreadPoolExecutor(max_workers=2) as both:
        yield {"sqlite": both.submit(on_sqlite), "postgresql": both.submit(on_postgresql)}


@pytest.mark.parametrize("database", ["sqlite", "postgresql"])
def test_every_fault_at_once_loses_nothing_doubles_nothing_and_keeps_the_order(
    verdicts: dict[str, Future[Verdict]], database: str
) -> None:
    verdict = verdicts[database].result()

    assert verdict.problems == []
    assert all(verdict.faults.values()), verdict.faults
    assert verdict.figures["cells"] == 160
    assert verdict.figures["scores written"] >= 200
    assert verdict.figures["scores applied"] >= 160
    assert verdict.figures["workers killed"] == 2


def test_a_seed_tells_the_whole_story() -> None:
    one, two, other = Fates("a"), Fates("a"), Fates("b")

    drawn = [one.draw("scores", "c1") for _request in range(400)]

    assert drawn == [two.draw("scores", "c1") for _request in range(400)]
    assert drawn != [other.draw("scores", "c1") for _request in range(400)]
    assert 0.3 < sum(map(bool, drawn)) / 400 < 0.5
