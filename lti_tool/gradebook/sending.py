"""Sending the scores of a column: plain values in, outcomes out. No database here, so that none is open meanwhile."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal

import structlog

from ..config import Config
from ..db import utcnow
from ..errors import PlatformDelayed, PlatformError, PlatformRefused
from ..lti import ags
from ..lti.services import Service
from ..lti.tokens import TOKEN_REFUSED
from .columns import COLUMN_BUSY, COLUMN_GONE
from .models import ColumnOf, DeliveryState

log = structlog.get_logger()

SAME = Decimal("0.01")
"""Two scores closer than this, on the column's own scale, are one: platforms rescale and round."""
LET_IN_EVERY_S = 1.0
REASONS = {400: "not_gradable", 403: "not_allowed"}
TRIES_OF_401 = 4
"""A platform may refuse a token it has just given, and take the next: it is believed from this try on, when it said
the same the two times before."""
NOT_ALLOWED = {"not_allowed": 1, "not_allowed_again": 2}
"""How many times in a row a token that was just given was refused, by the reason of the wait."""


@dataclass(frozen=True)
class Parcel:
    """One score to send, and what is known of its cell."""

    delivery_id: int
    score: ags.Score
    forced: bool
    """A teacher chose to send it over what was changed by hand."""
    tries: int
    tried: bool
    """It went on its way before, if only in the hands of a worker that died."""
    reason: str
    """Why it waited; empty the first time."""
    expected: tuple[tuple[Decimal | None, int], ...]
    """What the LMS may hold from us (score, maximum): the last it took, and what was tried since without an answer."""


@dataclass
class Batch:
    """The scores of one column, of one lease; what became of them is written here by the threads that send."""

    course_id: int
    column: ColumnOf
    service: Service
    readable: bool
    """Whether the LMS lets us read what its gradebook holds."""
    parcels: list[Parcel]
    left: list[int]
    """Deliveries of people who left the course: nothing is sent for them."""
    leased_until: datetime
    """The mark of the lease."""
    line: Line
    column_url: str = ""
    """Empty until it is known."""
    outcomes: list[Outcome] = field(default_factory=list)
    unsent: int = 0
    error: Exception | None = None
    """Our own failure: the whole round is given up, and its leases end by themselves."""


@dataclass(frozen=True)
class Outcome:
    """What became of one delivery: an end (`state`), or a wait (`retry_at`), or nothing at all (neither)."""

    delivery_id: int
    state: DeliveryState | None = None
    reason: str = ""
    status: int = 0
    lms_score: Decimal | None = None
    retry_at: datetime | None = None
    counts: bool = True
    """Whether this try counts. A platform that says « later » to everybody has tried nothing."""
    pause_until: datetime | None = None
    """The platform named the moment before which nothing should be sent to it."""
    silent: bool = False
    later: bool = False
    """No answer at all; or « later », or a refused token: both are the platform's, not the score's."""
    restamp: bool = False
    """The LMS's clock is ahead: the score is dated anew."""

    @property
    def is_plain(self) -> bool:
        """The LMS took it, and there is nothing else to say."""
        return self.state is DeliveryState.SENT and self.status == 200

    @property
    def released(self) -> bool:
        """It was not even tried."""
        return self.state is None and self.retry_at is None


@dataclass
class Line:
    """The line of a batch to its platform: no request begins once it is shut.

    It is shut with all the others of the round when the platform falls silent or says « later » (`closed` is theirs
    together), and by itself when its lease has run too long, or when the platform, the deployment or the course is no
    longer `let_in`, which is asked every second at most.
    """

    until: float
    """By the monotonic clock."""
    let_in: Callable[[], bool]
    closed: threading.Event = field(default_factory=threading.Event)
    _shut: bool = False

    def __post_init__(self) -> None:
        self._ask_at = time.monotonic() + LET_IN_EVERY_S

    def is_open(self) -> bool:
        now = time.monotonic()
        if now >= self._ask_at and not self._shut:
            self._ask_at = now + LET_IN_EVERY_S
            self._shut = not self.let_in()
        return not self._shut and not self.closed.is_set() and now < self.until

    def watch(self, outcome: Outcome) -> Outcome:
        """Close the round's lines if this outcome says so."""
        if outcome.silent or outcome.later:
            self.closed.set()
        return outcome


def send_one(batch: Batch, parcel: Parcel, config: Config) -> Outcome:
    """Send a score; one that the line left no time for is released."""
    if not batch.line.is_open():
        return Outcome(parcel.delivery_id)
    try:
        return batch.line.watch(_send_one(batch, parcel, config))
    except Exception as error:  # whatever it is, it must not keep the others from leaving
        log.error("score_failed", delivery=parcel.delivery_id, error=type(error).__name__)
        return _wait(parcel, "failed", 0, config)


def compare(batch: Batch, config: Config) -> tuple[list[Outcome], list[Parcel]]:
    """Before anything is overwritten, look at what the column holds: one request for the whole batch.

    What ends there, and what is to be sent.
    """
    if not batch.readable or all(parcel.forced for parcel in batch.parcels):
        return [], batch.parcels
    try:
        results = ags.read_results(batch.service, batch.column_url)
    except PlatformDelayed as error:
        return fail_all(batch, error, config), []
    except PlatformRefused as error:
        if error.status == 401:
            return fail_all(batch, error, config), []
        # It has the last word with each score: an older one is refused (409), an unknown column too (404).
        return [], batch.parcels
    outcomes, going = [], []
    for parcel in batch.parcels:
        held = results.get(parcel.score.sub)
        if parcel.forced or _fits(held, parcel):
            going.append(parcel)
        else:
            outcomes.append(_changed(parcel, held))
    return outcomes, going


def _fits(held: ags.Result | None, parcel: Parcel) -> bool:
    """Whether the gradebook holds what we know of, or already what is to be sent."""
    ours = (*(parcel.expected or ((None, 0),)), (parcel.score.given, parcel.score.maximum))
    return any(_equal(held, score, maximum) for score, maximum in ours)


def _equal(held: ags.Result | None, score: Decimal | None, maximum: int) -> bool:
    """Whether the gradebook holds this score, on whatever scale the column has."""
    if held is None or held.score is None or score is None:
        return (held is None or held.score is None) and score is None
    rescaled = score * held.maximum / maximum if held.maximum and maximum else score
    return abs(held.score - rescaled) <= SAME


def _changed(parcel: Parcel, held: ags.Result | None, status: int = 0) -> Outcome:
    return Outcome(
        parcel.delivery_id,
        DeliveryState.CHANGED,
        "changed_by_hand",
        status,
        lms_score=held.score if held else None,
    )


def _send_one(batch: Batch, parcel: Parcel, config: Config) -> Outcome:
    try:
        ags.send_score(batch.service, batch.column_url, parcel.score)
    except PlatformError as error:
        if error.status == 409:
            return _conflict(batch, parcel, config)
        return failed(parcel, error, config)
    return Outcome(parcel.delivery_id, DeliveryState.SENT, status=200)


def _conflict(batch: Batch, parcel: Parcel, config: Config) -> Outcome:
    """409: the gradebook holds something as new. Ours, from a try whose answer was lost? Or a change by hand?"""
    if not batch.readable:
        if parcel.tried:
            return Outcome(parcel.delivery_id, DeliveryState.SENT, status=409)
        return _changed(parcel, None, 409)
    try:
        held = ags.read_results(batch.service, batch.column_url, parcel.score.sub).get(parcel.score.sub)
    except PlatformError as error:
        return failed(parcel, PlatformDelayed(error.what, error.status), config)
    if _equal(held, parcel.score.given, parcel.score.maximum):
        return Outcome(parcel.delivery_id, DeliveryState.SENT, status=409)
    if parcel.forced or _fits(held, parcel):
        # Nobody changed it: its clock is ahead of ours (a cleared grade is stamped by the LMS itself).
        return _wait(parcel, "clock", 409, config, restamp=True)
    return _changed(parcel, held, 409)


def fail_all(batch: Batch, error: PlatformError, config: Config) -> list[Outcome]:
    """The outcome of an error that concerns the whole column."""
    return [batch.line.watch(failed(parcel, error, config, column=True)) for parcel in batch.parcels]


def failed(parcel: Parcel, error: PlatformError, config: Config, *, column: bool = False) -> Outcome:
    """What an error means for a score: wait, and how long, or the end."""
    if isinstance(error, PlatformRefused):
        return _refused(parcel, error, config, column)
    assert isinstance(error, PlatformDelayed)
    now = utcnow()
    if error.what == COLUMN_BUSY:
        return Outcome(parcel.delivery_id, reason=parcel.reason, retry_at=error.retry_at or now, counts=False)
    if error.whole_platform:
        reason = "token" if error.what == TOKEN_REFUSED else "later"
        return Outcome(
            parcel.delivery_id,
            reason=reason,
            status=error.status,
            retry_at=error.retry_at or now,
            counts=False,
            pause_until=error.retry_at,
            later=True,
        )
    return _wait(parcel, "failed" if error.status else "no_answer", error.status, config)


def _refused(parcel: Parcel, error: PlatformRefused, config: Config, column: bool) -> Outcome:
    if error.what == COLUMN_GONE:
        return Outcome(parcel.delivery_id, DeliveryState.REFUSED, "column_gone", error.status)
    if error.status == 401:
        before = NOT_ALLOWED.get(parcel.reason, 0)
        most = TRIES_OF_401 if before == 2 else config.delivery.tries
        return _wait(
            parcel, "not_allowed_again" if before else "not_allowed", error.status, config, most=most
        )
    if error.status == 403:
        return Outcome(parcel.delivery_id, DeliveryState.REFUSED, "not_allowed", error.status)
    if column:
        return Outcome(parcel.delivery_id, DeliveryState.REFUSED, "column_refused", error.status)
    if error.status in (404, 410):
        if parcel.reason != "column_lost":
            return Outcome(parcel.delivery_id, reason="column_lost", status=error.status, retry_at=utcnow())
        # It was looked up, it is there, and it is unknown again: no use in going round in circles.
        return _wait(parcel, "column_lost", error.status, config)
    return Outcome(
        parcel.delivery_id, DeliveryState.REFUSED, REASONS.get(error.status, "refused"), error.status
    )


def _wait(
    parcel: Parcel, reason: str, status: int, config: Config, *, restamp: bool = False, most: int = 0
) -> Outcome:
    tries = parcel.tries + 1
    silent = reason == "no_answer"
    if tries >= (most or config.delivery.tries):
        reason = "not_allowed" if reason in NOT_ALLOWED else reason
        return Outcome(parcel.delivery_id, DeliveryState.REFUSED, reason, status, silent=silent)
    retry_at = utcnow() + timedelta(seconds=wait_s(tries - 1, config))
    return Outcome(
        parcel.delivery_id, reason=reason, status=status, retry_at=retry_at, silent=silent, restamp=restamp
    )


def wait_s(tries: int, config: Config) -> float:
    """Twice as long each time, with jitter, so that a class does not come back all at once."""
    longest = config.delivery.retry_longest_s
    seconds = min(config.delivery.retry_first_s * 2 ** min(tries, 30), longest)
    return min(seconds * random.uniform(0.8, 1.2), longest)  # noqa: S311 - not a secret


def total_silence(outcomes: Iterable[Outcome]) -> bool:
    """Whether the platform was asked, and never answered."""
    asked = [outcome for outcome in outcomes if not outcome.released and outcome.reason != "left"]
    return bool(asked) and all(outcome.silent for outcome in asked)
