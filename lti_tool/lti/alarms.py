"""Answers end at their limit: one thread hangs up on every connection whose time is over.

A socket's own time limit is on each piece of an answer: one said letter by letter would never end. A thread for each
request would cost more than the request.
"""

from __future__ import annotations

import math
import os
import socket
import threading
import time
from contextlib import suppress


class Alarm:
    """The moment at which a connection is hung up on, unless it is cancelled before."""

    __slots__ = ("at", "connected", "rung")

    def __init__(self, connected: socket.socket, seconds: float) -> None:
        self.connected, self.at, self.rung = connected, time.monotonic() + seconds, False


class Alarms:
    """The alarms of this process, and the thread that waits for the next one: begun with the first."""

    def __init__(self) -> None:
        self.forget()

    def forget(self) -> None:
        """Begin anew: in a forked process neither the thread nor what it watched goes on."""
        self._set: set[Alarm] = set()
        self._changed = threading.Condition(threading.Lock())
        self._wakes_at = math.inf
        self._thread: threading.Thread | None = None

    def set(self, connected: socket.socket, seconds: float) -> Alarm:
        """Hang up on a connection after so long."""
        alarm = Alarm(connected, seconds)
        with self._changed:
            self._set.add(alarm)
            if self._thread is None:
                self._thread = threading.Thread(target=self._watch, name="alarms", daemon=True)
                self._thread.start()
            elif alarm.at < self._wakes_at:
                self._changed.notify()
        return alarm

    def cancel(self, alarm: Alarm) -> None:
        """It ended in time. (The thread finds out when it wakes: most requests wake nobody.)"""
        with self._changed:
            self._set.discard(alarm)

    def _watch(self) -> None:
        while True:
            with self._changed:
                now = time.monotonic()
                over = [alarm for alarm in self._set if alarm.at <= now]
                self._set.difference_update(over)
                for alarm in over:
                    alarm.rung = True
                if not over:
                    self._wakes_at = min((alarm.at for alarm in self._set), default=math.inf)
                    self._changed.wait(None if self._wakes_at == math.inf else self._wakes_at - now)
            for alarm in over:
                hang_up(alarm.connected)


def hang_up(connected: socket.socket) -> None:
    """End a connection, whatever is still being said."""
    with suppress(OSError):  # it ended by itself
        socket.socket.shutdown(connected, socket.SHUT_RDWR)  # also under TLS, whose own says goodbye first


ALARMS = Alarms()
os.register_at_fork(after_in_child=ALARMS.forget)
