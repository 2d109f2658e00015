"""How often an address comes: counts of one minute, in a table of this process that never grows beyond its bound.

Not Flask-Limiter: it looks at every page for two that are limited, and its own table starts a thread at most requests
to sweep itself; the two together cost more than all the checks of a launch.
"""

from __future__ import annotations

import threading
import time

from flask import Flask, request
from werkzeug.exceptions import TooManyRequests

LIMITED = {"door.login", "door.launch", "registration.show", "registration.confirm", "admin.sign_in"}
WINDOW_S = 60.0
MOST_COUNTED = 10_000
"""Keys counted at once. One more, and the counts that end first are given up."""


def init_counting(app: Flask, most_a_minute: int) -> None:
    """Limit logins, launches and registrations from one address. A school shares one: it stops a loop, not a class."""
    counting = app.extensions["spirale_counting"] = Counting(most_a_minute)

    @app.before_request
    def not_too_many() -> None:
        if request.endpoint in LIMITED and counting.is_too_many(f"{request.endpoint} {request.remote_addr}"):
            raise TooManyRequests


class Counting:
    """Counts by key, each for a minute from its first time."""

    def __init__(self, most_a_minute: int) -> None:
        self._most = most_a_minute
        self._counts: dict[str, tuple[int, float]] = {}
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self._counts)

    def is_too_many(self, key: str) -> bool:
        """Count once more; whether that is above what a minute may have."""
        now = time.monotonic()
        with self._lock:
            count, end = self._counts.get(key, (0, 0.0))
            if end <= now:
                count, end = 0, now + WINDOW_S
            if key not in self._counts and len(self._counts) >= MOST_COUNTED:
                self._make_room(now)
            self._counts[key] = count + 1, end
        return count + 1 > self._most

    def _make_room(self, now: float) -> None:
        """Forget the counts that are over; where none is, the tenth that ends first."""
        kept = {key: value for key, value in self._counts.items() if value[1] > now}
        if len(kept) >= MOST_COUNTED:
            kept = dict(sorted(kept.items(), key=lambda item: item[1][1])[MOST_COUNTED // 10 :])
        self._counts = kept
