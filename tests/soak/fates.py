"""What happens to each request at a platform in trouble: drawn by number, so that a seed tells the whole story."""

from __future__ import annotations

import random
import threading
from collections import Counter

ANSWERED_500 = "500"
LATER_503 = "503, Retry-After"
LATER_429 = "429, Retry-After"
LATER_429_UNNAMED = "429, no Retry-After"
CUT_BEFORE = "connection cut, not applied"
CUT_AFTER = "connection cut, applied"
SILENCE = "silence, never applied"
SILENCE_THEN_DONE = "silence, applied late"
REFUSED_401 = "401"
MALFORMED = "malformed JSON"

PERCENT = {
    ANSWERED_500: 5.0,
    LATER_503: 5.0,
    LATER_429: 2.5,
    LATER_429_UNNAMED: 2.5,
    CUT_BEFORE: 5.0,
    CUT_AFTER: 5.0,
    SILENCE: 2.5,
    SILENCE_THEN_DONE: 2.5,
    REFUSED_401: 5.0,
    MALFORMED: 5.0,
}
"""How many requests of a hundred meet each fault; the others are answered as they should be."""

TOKEN, COLUMNS, SCORES, RESULTS = "token", "columns", "scores", "results"
ENDPOINTS = (TOKEN, COLUMNS, SCORES, RESULTS)


class Fates:
    """The fate of the n-th request of each endpoint, and how many really happened."""

    def __init__(self, seed: str) -> None:
        self._seed = seed
        self._asked: Counter[tuple[str, str]] = Counter()
        self._lock = threading.Lock()
        self.happened: Counter[tuple[str, str]] = Counter()
        """By fault and endpoint."""

    def draw(self, endpoint: str, course: str) -> str:
        """The fault of the next request to an endpoint of a course; empty for none."""
        with self._lock:
            self._asked[endpoint, course] += 1
            number = self._asked[endpoint, course]
        drawn = random.Random(f"{self._seed}/{endpoint}/{course}/{number}").uniform(0, 100)
        for fault, percent in PERCENT.items():
            drawn -= percent
            if drawn < 0:
                return fault
        return ""

    def note(self, fault: str, endpoint: str) -> None:
        """A fault has happened: to be called once it has."""
        with self._lock:
            self.happened[fault, endpoint] += 1
