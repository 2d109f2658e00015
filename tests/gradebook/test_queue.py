"""The worker end to end: a level is saved in the browser's page, a consumer of its own delivers it."""

from __future__ import annotations

import shutil
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
from huey.consumer import Consumer

from lti_tool.demo.people import MRC1
from lti_tool.gradebook.queue import Planned, wake_worker
from tests import factories
from tests.conftest import Visitor, open_visit
from tests.platform import DemoWorld

from .gradebook_world import ADAM, Gradebook

REDIS = "/usr/bin/redis-server"


@pytest.fixture(scope="module")
def redis_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A throwaway Redis on a socket of its own."""
    if not Path(REDIS).exists():
        pytest.fail(f"{REDIS} is not here: apt-get install redis-server")
    folder = tmp_path_factory.mktemp("redis")
    socket = folder / "redis.sock"
    options = [
        "--port",
        "0",
        "--unixsocket",
        str(socket),
        "--save",
        "",
        "--appendonly",
        "no",
        "--dir",
        str(folder),
    ]
    process = subprocess.Popen([REDIS, *options], stdout=subprocess.DEVNULL)
    until = time.monotonic() + 10
    while not socket.exists():
        assert time.monotonic() < until, "Redis does not start"
        time.sleep(0.02)
    yield f"unix://{socket}"
    process.terminate()
    process.wait(timeout=10)


@pytest.fixture(params=["sqlite", "redis"])
def queued(request: pytest.FixtureRequest, tmp_path: Path, migrated: Path) -> Iterator[Gradebook]:
    """A gradebook whose tool has a queue of that kind."""
    shutil.copy(migrated, tmp_path / "spirale.db")
    settings = {"SPIRALE_QUEUE_URL": request.getfixturevalue("redis_url")} if request.param == "redis" else {}
    with DemoWorld(tmp_path, **settings) as world:
        yield Gradebook(world)


class Worker:
    """The jobs of the queue, run by threads of this process as `spirale worker` runs them."""

    def __init__(self, world: DemoWorld) -> None:
        self._consumer: Consumer = world.app.extensions["spirale_queue"].create_consumer(
            workers=1, initial_delay=0.02, max_delay=0.05, scheduler_interval=1
        )
        self._consumer._set_signal_handlers = lambda: None

    def __enter__(self) -> Worker:
        self._consumer.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._consumer.stop(graceful=True)
        self._consumer.scheduler.join(timeout=5)


def eventually(what: object, *, within_s: float = 10.0) -> None:
    until = time.monotonic() + within_s
    while not what():  # type: ignore[operator]
        assert time.monotonic() < until, "it did not happen"
        time.sleep(0.02)


def teacher(book: Gradebook) -> Visitor:
    from lti_tool.courses.models import Course, Person
    from lti_tool.db import db

    with book.world.app.app_context():
        course = db.session.get_one(Course, book.course_id)
        person = db.session.get_one(Person, book.world.person_id("Claire Morel"))
        db.session.close()
    return open_visit(book.world.app, course, person)


def test_a_level_saved_in_the_grid_reaches_the_gradebook(queued: Gradebook) -> None:
    book = queued
    with book.world.app.app_context():
        item = factories.competence("1A").id
    pupil = book.world.person_id(ADAM)
    entry = {"key": str(uuid.uuid4()), "person": pupil, "competence": item, "value": "3", "comment": None}
    with Worker(book.world):
        path = f"/activities/{book.activity_id}/cells"
        answer = teacher(book).post_json(path, {"entries": [entry], "since": 0})
        assert answer.status_code == 200, answer.text

        eventually(lambda: book.value(ADAM, "1A") == 3)
        eventually(lambda: book.shown(ADAM, "1A").state == "sent")


def test_a_score_that_has_to_wait_leaves_without_anybody_waking_the_worker(queued: Gradebook) -> None:
    book = queued
    book.world.faults.answer("/scores", 500)
    book.type((ADAM, "1A", 3))
    with Worker(book.world):
        with book.world.app.app_context():
            wake_worker()

        eventually(lambda: book.shown(ADAM, "1A").state == "sent")

    assert book.shown(ADAM, "1A").tries == 2


def test_what_the_queue_lost_is_found_by_the_sweep(queued: Gradebook) -> None:
    book = queued
    book.type((ADAM, "1A", 3))
    queue = book.world.app.extensions["spirale_queue"]

    sweep = next(task for task in queue._registry.periodic_tasks if task.name == "sweep")
    queue.execute(sweep)

    assert book.value(ADAM, "1A") == 3


def test_a_sweep_plans_what_has_to_wait_as_any_delivery_does(queued: Gradebook) -> None:
    """After the queue was wiped no other message is left to go on with it."""
    book = queued
    book.world.faults.answer("/scores", 500)
    book.type((ADAM, "1A", 3))
    queue = book.world.app.extensions["spirale_queue"]

    queue.execute(next(task for task in queue._registry.periodic_tasks if task.name == "sweep"))

    assert book.shown(ADAM, "1A").state == "waiting"
    assert [task.name for task in queue.pending()] == ["deliver"]


def test_a_queue_that_is_down_is_no_reason_to_fail(tmp_path: Path, migrated: Path) -> None:
    shutil.copy(migrated, tmp_path / "spirale.db")
    with DemoWorld(tmp_path, SPIRALE_QUEUE_URL=f"unix://{tmp_path}/nobody.sock") as world:
        book = Gradebook(world)
        book.type((ADAM, "1A", 3))
        with world.app.app_context():
            wake_worker()

        assert book.shown(ADAM, "1A").state == "waiting"


@pytest.mark.parametrize("sign", [signal.SIGTERM, signal.SIGKILL])
def test_a_worker_that_is_stopped_or_killed_loses_nothing(
    queued: Gradebook, tmp_path: Path, sign: int
) -> None:
    """A process of its own, stopped while the LMS thinks; the next one delivers what it held, once."""
    book = queued
    book.world.faults.slow("/scores", 1.0, times=1)
    book.type((ADAM, "1A", 3))
    process = start_worker(book.world, tmp_path)
    with book.world.app.app_context():
        wake_worker()
    eventually(lambda: book.posts() == 1, within_s=20)
    process.send_signal(sign)
    code = process.wait(timeout=20)
    if sign == signal.SIGTERM:
        assert code == 0
        assert book.shown(ADAM, "1A").state == "sent", "it lets the one in hand finish"

    book.world.let_time_pass()
    with Worker(book.world):
        with book.world.app.app_context():
            wake_worker()
        eventually(lambda: book.shown(ADAM, "1A").state == "sent")

    assert book.value(ADAM, "1A") == 3
    assert len(book.sent_scores()) == 1


def test_a_worker_told_to_stop_gives_back_at_once_what_it_has_not_begun(
    queued: Gradebook, tmp_path: Path
) -> None:
    """Its leases end with it: whoever starts next need not wait for them."""
    book = queued
    book.connections(1)
    book.world.faults.slow("/scores", 1.0)
    names = [member.name for member in book.world.store.members(MRC1.id) if member.role == "pupil"][:20]
    book.type(*((name, "1A", 3) for name in names))
    process = start_worker(book.world, tmp_path)
    eventually(lambda: book.posts() == 1, within_s=20)

    process.send_signal(signal.SIGTERM)
    assert process.wait(timeout=20) == 0

    states = book.states()
    assert states["sent"] == book.posts() <= 3, "what was under way has ended, and nothing else was begun"
    assert states == {"sent": book.posts(), "waiting": 20 - book.posts()}
    waiting = [shown for name in names for shown in book.history(name, "1A") if shown.state == "waiting"]
    assert {(shown.tries, shown.reason) for shown in waiting} == {(0, "")}


def test_a_worker_that_starts_delivers_what_waits_without_anybody_waking_it(
    queued: Gradebook, tmp_path: Path
) -> None:
    """The one before it may have died with the message in hand."""
    book = queued
    book.type((ADAM, "1A", 3))
    process = start_worker(book.world, tmp_path)

    eventually(lambda: book.value(ADAM, "1A") == 3, within_s=20)

    process.send_signal(signal.SIGTERM)
    assert process.wait(timeout=20) == 0


def start_worker(world: DemoWorld, folder: Path) -> subprocess.Popen[bytes]:
    config = world.config
    environment = {
        "PATH": "/usr/bin:/bin",
        "SPIRALE_CONFIG": str(folder / "quick.toml"),
        "SPIRALE_DATA_DIR": str(config.data_dir),
        "SPIRALE_BASE_URL": config.base_url,
        "SPIRALE_SECRET_KEY": config.secret_key,
        "SPIRALE_QUEUE_URL": config.queue_url,
    }
    command = [sys.executable, "-c", "from lti_tool.cli import main; main()", "worker"]
    return subprocess.Popen(command, env=environment, cwd=Path(__file__).parents[2])


def test_a_hundred_keystrokes_plan_one_delivery() -> None:
    planned = Planned(longest_s=60)

    assert [planned.is_news(5.0) for _keystroke in range(100)].count(True) == 1
    assert planned.is_news(1.0), "sooner is news"
    assert not planned.is_news(3600.0), "the sweep finds what is far away"
