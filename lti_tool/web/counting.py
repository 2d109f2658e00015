"""How often an address comes: counts of one minute, in a table of this process that never grows beyond its bound.

Not Flask-Limiter: it looks at every page for two that are limited, and its own table starts a thread at most requests
to sweep itself; the two together cost more than all the checks of a launch.
"""

from __future__ import annotations

import threading
import time

WINDOW_S = 60.0
MOST_COUNTED = 10_000
"""Keys counted at once. One more, and the counts that end first are given up."""


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
