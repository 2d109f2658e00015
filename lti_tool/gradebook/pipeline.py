"""The connections to one platform: several columns go through them at once, so that none is idle at a column's end."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from contextlib import ExitStack
from functools import partial
from queue import Empty, SimpleQueue

from .sending import Batch, Parcel

AHEAD = 4
"""Scores ready per connection, below which the next column is opened: late, so that what is read there is fresh."""
MOST_UNDER_WAY = 8
"""Batches per connection that are under way: a pupil assessed on everything is as many batches of one score."""
MOST_SCORES = 400
"""Scores under way, however much is queued: a batch more is put when there are fewer."""


class Pipeline:
    """Threads, one for each connection. A batch is opened, its scores sent, and then it is `done`.

    `open_batch` tells which scores are to be sent, and writes the other outcomes; `send_one` writes one outcome.
    """

    def __init__(
        self,
        connections: int,
        open_batch: Callable[[Batch], list[Parcel]],
        send_one: Callable[[Batch, Parcel], None],
    ) -> None:
        self._most_under_way = MOST_UNDER_WAY * connections
        self.under_way = 0
        self._scores_under_way = 0
        self._open_batch, self._send_one = open_batch, send_one
        self._ahead = AHEAD * connections
        self._changed = threading.Condition()
        self._columns: deque[Batch] = deque()
        self._scores: deque[tuple[Batch, Parcel]] = deque()
        self._done: SimpleQueue[Batch] = SimpleQueue()
        self._ended = False
        self._threads = [
            threading.Thread(target=self._work, name=f"delivery-{n}", daemon=True) for n in range(connections)
        ]
        for thread in self._threads:
            thread.start()

    @property
    def is_full(self) -> bool:
        """Whether one has to be done before another is put."""
        return self.under_way >= self._most_under_way or self._scores_under_way >= MOST_SCORES

    def put(self, batch: Batch) -> None:
        """A batch to deliver, after those that were put before."""
        with self._changed:
            self.under_way += 1
            self._scores_under_way += len(batch.parcels)
            self._columns.append(batch)
            self._changed.notify()

    def take_done(self, *, wait: bool) -> list[Batch]:
        """The batches that are done; at least one where it is to `wait`."""
        done: list[Batch] = []
        try:
            while True:
                done.append(self._done.get(block=wait and not done))
        except Empty:
            self.under_way -= len(done)
            self._scores_under_way -= sum(len(batch.parcels) for batch in done)
            return done

    def end(self) -> None:
        """End the threads, once nothing is under way."""
        with self._changed:
            self._ended = True
            self._changed.notify_all()
        for thread in self._threads:
            thread.join()

    def _work(self) -> None:
        while (job := self._next()) is not None:
            job()

    def _next(self) -> Callable[[], None] | None:
        with self._changed:
            while True:
                if self._columns and len(self._scores) < self._ahead:
                    return partial(self._open, self._columns.popleft())
                if self._scores:
                    return partial(self._send, *self._scores.popleft())
                if self._ended:
                    return None
                self._changed.wait()

    def _open(self, batch: Batch) -> None:
        going: list[Parcel] = []
        try:
            going = self._open_batch(batch)
        except Exception as error:  # the round's to raise, once what is under way has ended
            batch.error = error
        with self._changed:
            batch.unsent = len(going)
            self._scores.extend((batch, parcel) for parcel in going)
            self._changed.notify(len(going))
        if not going:
            self._done.put(batch)

    def _send(self, batch: Batch, parcel: Parcel) -> None:
        try:
            self._send_one(batch, parcel)
        except Exception as error:
            batch.error = error
        with self._changed:
            batch.unsent -= 1
            left = batch.unsent
        if not left:
            self._done.put(batch)


class Pipelines(ExitStack):
    """A pipeline for each number of connections that a platform takes at once; ended together."""

    def __init__(
        self, open_batch: Callable[[Batch], list[Parcel]], send_one: Callable[[Batch, Parcel], None]
    ) -> None:
        super().__init__()
        self._open_batch, self._send_one = open_batch, send_one
        self._made: dict[int, Pipeline] = {}

    def of(self, connections: int) -> Pipeline:
        """The threads for platforms that take so many."""
        if connections not in self._made:
            made = Pipeline(connections, self._open_batch, self._send_one)
            self.callback(made.end)
            self._made[connections] = made
        return self._made[connections]
