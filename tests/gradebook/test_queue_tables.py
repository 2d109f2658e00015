"""The queue in PostgreSQL: messages, what is planned, and a worker process that lives on it."""

from __future__ import annotations

import shutil
import signal
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from huey.constants import EmptyData

from lti_tool.config import load_config
from lti_tool.errors import ConfigError
from lti_tool.gradebook.queue import wake_worker
from lti_tool.gradebook.queue_tables import TableStorage
from tests.platform import DemoWorld
from tests.postgres import Postgres

from .gradebook_world import ADAM, AICHA, Gradebook
from .test_queue import eventually, start_worker


@pytest.fixture
def storage(postgres: Postgres) -> Iterator[TableStorage]:
    # A busy machine is no server that does not answer.
    url = load_config({"SPIRALE_QUEUE_URL": f"{postgres.new_database()}&connect_timeout=30"}).queue_url
    made = TableStorage("spirale", url)
    yield made
    made.close()


def test_messages_leave_once_each_in_order_whoever_takes_them(storage: TableStorage) -> None:
    for number in range(60):
        storage.enqueue(b"%d" % number, priority=9 if number == 50 else None)
    assert storage.queue_size() == 60
    assert storage.enqueued_items(2) == [b"50", b"0"]
    taken: list[list[bytes]] = [[] for _ in range(4)]
    ready = threading.Barrier(4)

    def take(mine: list[bytes]) -> None:
        ready.wait()
        while (data := storage.dequeue()) is not None:
            mine.append(data)

    threads = [threading.Thread(target=take, args=(mine,)) for mine in taken]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(int(data) for mine in taken for data in mine) == list(range(60))
    usual = [[int(data) for data in mine if data != b"50"] for mine in taken]
    assert usual == [sorted(mine) for mine in usual]
    assert storage.queue_size() == 0


def test_what_is_planned_is_given_when_it_is_due_and_once(storage: TableStorage) -> None:
    now = datetime.now(UTC).replace(tzinfo=None)
    for minutes in (3, 1, 2):
        storage.add_to_schedule(b"%d" % minutes, now + timedelta(minutes=minutes))

    assert storage.read_schedule(now) == []
    assert storage.read_schedule(now + timedelta(minutes=2)) == [b"1", b"2"]
    assert storage.read_schedule(now + timedelta(minutes=2)) == []
    assert storage.scheduled_items() == [b"3"]
    storage.flush_schedule()
    assert storage.schedule_size() == 0


def test_values_are_kept_replaced_counted_and_taken_back(storage: TableStorage) -> None:
    assert storage.peek_data("a") is EmptyData
    storage.put_data("a", b"1")
    storage.put_data("a", b"2")
    assert not storage.put_if_empty("a", b"3")
    assert storage.put_if_empty("b", b"3")
    assert storage.peek_many(["a", "b", "c"]) == {"a": b"2", "b": b"3"}
    assert (storage.incr("n"), storage.incr("n", 4)) == (1, 5)
    assert not storage.has_data_for_key("n")
    assert storage.pop_data("a") == b"2"
    assert storage.result_items() == {"b": b"3"}
    storage.flush_results()
    assert storage.result_store_size() == 0
    assert storage.incr("n") == 1


def test_two_processes_that_start_at_once_make_the_tables_once(postgres: Postgres) -> None:
    # A busy machine is no server that does not answer.
    url = load_config({"SPIRALE_QUEUE_URL": f"{postgres.new_database()}&connect_timeout=30"}).queue_url
    storages = [TableStorage("spirale", url) for _ in range(4)]
    failures: list[BaseException] = []
    ready = threading.Barrier(4)

    def enqueue(storage: TableStorage) -> None:
        ready.wait()
        try:
            storage.enqueue(b"x")
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=enqueue, args=(storage,)) for storage in storages]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert failures == []
    assert storages[0].queue_size() == 4
    for storage in storages:
        storage.close()


def test_a_worker_process_delivers_tries_again_and_sweeps_by_a_queue_in_postgresql(
    postgres: Postgres, tmp_path: Path, migrated: Path
) -> None:
    shutil.copy(migrated, tmp_path / "spirale.db")
    with DemoWorld(tmp_path, SPIRALE_QUEUE_URL=postgres.new_database()) as world:
        book = Gradebook(world)
        queue = world.app.extensions["spirale_queue"]
        book.world.faults.answer("/scores", 500)
        book.type((ADAM, "1A", 3))
        with world.app.app_context():
            wake_worker()
        assert queue.pending_count() == 1
        process = start_worker(world, tmp_path)
        try:
            # The first try fails: the second one was planned in the queue by the worker itself.
            eventually(lambda: book.shown(ADAM, "1A").state == "sent", within_s=30)
            assert book.shown(ADAM, "1A").tries == 2

            book.type((AICHA, "1A", 2))  # nobody wakes the worker
            (sweep,) = [task for task in queue._registry.periodic_tasks if task.name == "sweep"]
            queue.enqueue(sweep)
            eventually(lambda: book.value(AICHA, "1A") == 2, within_s=30)
        finally:
            process.send_signal(signal.SIGTERM)
            code = process.wait(timeout=30)
        assert code == 0
        assert queue.pending_count() == 0


@pytest.mark.parametrize("url", ["amqp://x", "mysql://x/y", "sqlite:///x.db", "postgresql", "file:///x"])
def test_a_queue_of_an_unknown_kind_is_refused_at_the_start(url: str) -> None:
    with pytest.raises(ConfigError, match=r"SPIRALE_QUEUE_URL: redis://… or postgresql://… is needed"):
        load_config({"SPIRALE_QUEUE_URL": url})


@pytest.mark.parametrize("scheme", ["postgres", "postgresql", "postgresql+psycopg"])
def test_a_queue_in_postgresql_may_be_written_in_its_usual_ways(scheme: str) -> None:
    config = load_config({"SPIRALE_QUEUE_URL": f"{scheme}://db.example.org/spirale"})
    assert config.queue_url == "postgresql+psycopg://db.example.org/spirale"
