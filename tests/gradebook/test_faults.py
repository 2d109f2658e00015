"""An LMS in trouble: late, silent, busy, talking nonsense. Nothing is lost, nothing counts twice."""

from __future__ import annotations

import io
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from lti_tool.db import begin_write, db, utcnow
from lti_tool.demo.people import MRC1, by_name
from lti_tool.gradebook import delivery as delivering
from lti_tool.gradebook import leases, sending, settling
from lti_tool.gradebook.models import DeliveryState, PlatformPause, ScoreDelivery
from lti_tool.lti.http import LONGEST_PAUSE
from lti_tool.lti.models import MOST_CONNECTIONS
from tests.platform import hang_up

from .gradebook_world import ADAM, AICHA, CHLOE, ZOE, Gradebook

CLASS = (ADAM, AICHA, CHLOE, ZOE)


def waits(book: Gradebook, who: str, code: str) -> float:
    """Seconds until the next try of a cell."""
    with book.writing():
        return (book.rows(who, code)[-1].not_before - utcnow()).total_seconds()


def test_a_platform_that_does_not_answer_in_time_is_asked_again_later(impatient_book: Gradebook) -> None:
    book = impatient_book
    book.world.faults.silence("/scores", 2.5, times=1000)
    book.type((ADAM, "1A", 3))

    book.deliver()

    assert (book.shown(ADAM, "1A").state, book.shown(ADAM, "1A").reason) == ("waiting", "no_answer")


def test_a_score_without_an_answer_waits_longer_each_time_then_is_shown_and_kept(book: Gradebook) -> None:
    book.world.faults.cut("/scores", times=1000)
    book.type((ADAM, "1A", 3))
    usual = book.world.config.delivery

    tried = []
    for _try in range(4):
        book.deliver()
        tried.append(waits(book, ADAM, "1A"))
        book.world.let_time_pass()

    assert 0 < tried[0] <= 1.2 * usual.retry_first_s
    assert tried[0] < tried[1] < tried[2] <= usual.retry_longest_s
    shown = book.shown(ADAM, "1A")
    assert (shown.state, shown.reason, shown.status, shown.tries) == ("refused", "no_answer", 0, 4)

    book.world.faults.clear()
    book.send_again(ADAM, "1A")
    book.deliver()
    assert book.value(ADAM, "1A") == 3


@pytest.mark.parametrize(("tries", "seconds"), [(0, 2), (1, 4), (5, 64), (11, 3600), (500, 3600)])
def test_a_wait_doubles_up_to_the_longest(
    book: Gradebook, tries: int, seconds: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    from tests.conftest import make_config

    config = make_config(book.world.config.data_dir / "usual")  # the settings as shipped
    for jitter in (0.8, 1.0, 1.2):
        monkeypatch.setattr(sending.random, "uniform", lambda *_ends, jitter=jitter: jitter)
        assert sending.wait_s(tries, config) == min(seconds * jitter, 3600)


def test_a_platform_that_is_silent_is_left_alone_and_the_other_scores_are_not_even_tried(
    book: Gradebook,
) -> None:
    pupils = [member.name for member in book.world.store.members(MRC1.id) if member.role == "pupil"][:24]
    book.type((ADAM, "1A", 1))
    book.deliver()
    before = book.posts()
    book.world.faults.cut("/scores", times=1000)
    book.type(*((name, "1A", 3) for name in pupils))

    wait_s = book.deliver()

    assert book.posts() - before <= 2 * MOST_CONNECTIONS
    assert book.states() == {"sent": 1, "waiting": 24}
    reason, until = book.pause()
    assert reason == "no_answer"
    longest_s = 1.2 * book.world.config.delivery.retry_first_s
    assert 0 < (until - utcnow()).total_seconds() <= longest_s
    assert 0 < wait_s <= longest_s
    tried = [shown for name in pupils for shown in book.history(name, "1A") if shown.tries]
    assert len(tried) <= 2 * MOST_CONNECTIONS

    book.world.faults.clear()
    book.world.let_time_pass()
    book.deliver()

    assert book.states() == {"sent": 25}
    assert book.pause() is None


@pytest.mark.parametrize("most", [1, 3])
def test_a_platform_is_asked_as_much_at_once_as_it_takes(book: Gradebook, most: int) -> None:
    book.connections(most)
    at_once, seen, lock = [0], [0], threading.Lock()

    def counts(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        if "/scores" not in environ["PATH_INFO"]:
            return book.world.demo(environ, start_response)
        with lock:
            at_once[0] += 1
            seen[0] = max(seen[0], at_once[0])
        time.sleep(0.1)
        with lock:
            at_once[0] -= 1
        return book.world.demo(environ, start_response)

    book.world.faults.app = counts
    book.type(*((who, code, 3) for who in CLASS for code in ("1A", "1B")))
    book.deliver()

    assert book.states() == {"sent": 8}
    assert seen == [most]


def test_one_score_that_never_gets_an_answer_does_not_hold_up_the_others(book: Gradebook) -> None:
    book.connections(1)  # the first one would close the line for the others
    sub = by_name(ADAM).sub.encode()

    def cuts_adams(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        environ["wsgi.input"] = io.BytesIO(body)
        if b'"userId": "' + sub + b'"' in body:
            return hang_up(environ)
        return book.world.demo(environ, start_response)

    book.world.faults.app = cuts_adams
    book.type(*((who, "1A", 3) for who in CLASS))

    for _round in range(2):
        book.deliver()
        book.world.let_time_pass()

    assert book.shown(ADAM, "1A").state == "waiting"
    assert [book.value(who, "1A") for who in CLASS[1:]] == [3, 3, 3]


@pytest.mark.parametrize("status", [429, 503])
@pytest.mark.parametrize("path", ["/scores", "/lineitems?", "/results", "/lti/token"])
def test_a_platform_that_says_later_is_left_alone_until_the_moment_it_names(
    book: Gradebook, status: int, path: str
) -> None:
    if path == "/results":
        book.type((ADAM, "1A", 1))
        book.deliver()
    book.world.faults.answer(path, status, Retry_After="77")
    book.type(*((who, "1A", 3) for who in CLASS))

    wait_s = book.deliver()

    reason, until = book.pause()
    assert reason == ("token" if path == "/lti/token" else "later")
    assert 70 < (until - utcnow()).total_seconds() <= 77
    assert 70 < wait_s <= 77
    assert all(book.shown(who, "1A").tries == 0 for who in CLASS if book.shown(who, "1A").state == "waiting")
    posts = book.posts()
    book.deliver()
    assert book.posts() == posts, "nothing is asked meanwhile"

    book.world.let_time_pass()
    book.deliver()
    assert [book.value(who, "1A") for who in CLASS] == [3, 3, 3, 3]
    assert book.pause() is None


def test_scores_that_were_not_begun_are_given_back_at_once_however_many(book_on_both: Gradebook) -> None:
    """A platform that says « later » leaves a whole class of them: one statement, not some for each."""
    book = book_on_both
    book.connections(1)
    pupils = [member.name for member in book.world.store.members(MRC1.id) if member.role == "pupil"]
    asked: list[int] = []
    for names, code in ((pupils[:6], "1A"), (pupils[:24], "1B")):
        book.type(*((name, code, 3) for name in names))
        book.world.faults.answer("/scores", 503, Retry_After="60")
        statements: list[object] = []
        with book.world.app.app_context():
            engine = db.engine

        def listen(*about: object, heard: list[object] = statements) -> None:
            heard.append(about[2])

        sa.event.listen(engine, "before_cursor_execute", listen)
        book.deliver()
        sa.event.remove(engine, "before_cursor_execute", listen)
        asked.append(len(statements))
        shown = [book.shown(name, code) for name in names]
        assert {(s.state, s.tries) for s in shown} == {("waiting", 0)}
        assert sorted(s.reason for s in shown) == [""] * (len(names) - 1) + ["later"]
        book.world.let_time_pass()
        book.deliver()
        assert {book.value(name, code) for name in names} == {3}

    assert asked[0] == asked[1]


@pytest.mark.parametrize("said", ["9999999", "Fri, 01 Jan 2100 00:00:00 GMT"])
def test_a_platform_is_never_left_alone_longer_than_an_hour(book: Gradebook, said: str) -> None:
    book.world.faults.answer("/scores", 503, Retry_After=said)
    book.type((ADAM, "1A", 3))

    book.deliver()

    _reason, until = book.pause()
    assert timedelta(minutes=59) < until - utcnow() <= LONGEST_PAUSE


PAST = "Mon, 05 Jan 2026 10:00:00 GMT"
"""What a platform whose clock is behind ours names."""


@pytest.mark.parametrize("path", ["/scores", "/lti/token"])
@pytest.mark.parametrize("status", [429, 503])
@pytest.mark.parametrize("said", ["0", PAST])
def test_a_platform_that_names_no_wait_is_left_alone_as_long_as_one_that_names_nothing(
    book: Gradebook, said: str, status: int, path: str
) -> None:
    """Asked again at once it would be asked for ever, and its worker would do nothing else."""
    book.connections(1)
    first_s = book.world.config.delivery.retry_first_s
    # Enough for the worker to be seen going round in circles, and few enough for the test to end.
    book.world.faults.answer(path, status, times=20, Retry_After=said)
    book.type((ADAM, "1A", 3))
    pauses, before = [], book.world.faults.asked(path, "POST")
    for turn in range(1, 4):
        wait_s = book.deliver()
        assert book.world.faults.asked(path, "POST") - before == turn
        pauses.append((book.pause()[1] - utcnow()).total_seconds())
        assert wait_s > 0.5 * first_s
        book.world.let_time_pass()

    assert 0.5 * first_s < pauses[0] < pauses[1] < pauses[2]
    assert book.shown(ADAM, "1A").tries == 0
    book.world.faults.clear()
    book.deliver()
    assert book.value(ADAM, "1A") == 3


@pytest.mark.parametrize("said", ["0", PAST])
def test_an_error_that_names_no_wait_is_an_error_of_the_score_alone(book: Gradebook, said: str) -> None:
    book.world.faults.answer("/scores", 500, Retry_After=said)
    book.type((ADAM, "1A", 3))

    book.deliver()

    shown = book.shown(ADAM, "1A")
    assert (shown.state, shown.reason, shown.tries) == ("waiting", "failed", 1)
    assert book.pause() is None


def test_a_short_wait_that_a_platform_names_is_kept_to_the_second(book: Gradebook) -> None:
    """Shorter than ours would be, and however often it was said."""
    book.world.faults.answer("/scores", 503, times=20, Retry_After="1")
    book.type((ADAM, "1A", 3))
    for _turn in range(4):
        before = utcnow()
        book.deliver()
        assert 0 < (book.pause()[1] - before).total_seconds() - 1 < 0.5
        book.world.let_time_pass()


def test_a_wait_that_was_over_before_its_column_was_done_still_ends_the_turn(
    book: Gradebook, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A platform that answers slowly and says « 1 second » for ever must not keep the worker from its other work."""
    late = settling.settle

    def settles_late(*about: Any) -> None:
        time.sleep(1.2)
        late(*about)

    monkeypatch.setattr(delivering, "settle", settles_late)
    book.world.faults.answer("/scores", 503, times=4, Retry_After="1")
    book.type((ADAM, "1A", 3))

    wait_s = book.deliver()

    assert book.posts() == 1
    assert 0 < wait_s <= 1


def test_a_platform_that_says_later_has_one_turn_in_a_round(
    book: Gradebook, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two slow ones that say « 1 second » for ever would keep the worker for themselves: when the turn of one ends,
    the pause of the other is over.
    """
    settle = settling.settle

    def settles_then_another_has_its_turn(*about: Any) -> None:
        settle(*about)
        book.world.let_time_pass()

    monkeypatch.setattr(delivering, "settle", settles_then_another_has_its_turn)
    book.world.faults.answer("/scores", 503, times=4, Retry_After="1")
    book.type((ADAM, "1A", 3))

    wait_s = book.deliver()

    assert book.posts() == 1
    assert wait_s == 0


def test_a_platform_that_says_later_for_ever_never_makes_a_score_refused(book: Gradebook) -> None:
    book.world.faults.answer("/scores", 503, times=1000)
    book.type((ADAM, "1A", 3))

    for _try in range(8):
        book.deliver()
        book.world.let_time_pass()

    assert (book.shown(ADAM, "1A").state, book.shown(ADAM, "1A").reason) == ("waiting", "later")


@pytest.mark.parametrize("status", [400, 401, 403, 500, 200])
def test_a_refused_token_pauses_the_platform_and_loses_nothing(book: Gradebook, status: int) -> None:
    book.world.faults.answer("/lti/token", status, times=1000, body=b'{"error": "invalid_client"}')
    book.type((ADAM, "1A", 3), (AICHA, "1B", 2))

    for _try in range(6):
        book.deliver()
        assert book.states() == {"waiting": 2}
        assert book.pause()[0] == "token"
        book.world.let_time_pass()
    book.world.faults.clear()
    book.deliver()

    assert (book.value(ADAM, "1A"), book.value(AICHA, "1B")) == (3, 2)
    assert book.pause() is None


def test_the_pause_of_a_platform_grows(book: Gradebook) -> None:
    book.world.faults.answer("/lti/token", 400, times=1000)
    book.type((ADAM, "1A", 3))

    pauses = []
    for _try in range(3):
        book.deliver()
        pauses.append((book.pause()[1] - utcnow()).total_seconds())
        book.world.let_time_pass()

    assert pauses[0] < pauses[1] < pauses[2]


def test_a_token_no_longer_taken_is_replaced_once(book: Gradebook) -> None:
    book.type((ADAM, "1A", 2))
    book.deliver()
    book.world.store.revoke_tokens()
    book.type((ADAM, "1A", 3))

    book.deliver()

    assert book.value(ADAM, "1A") == 3
    assert book.shown(ADAM, "1A").tries == 1


def test_a_token_refused_twice_in_a_row_does_not_make_a_score_refused(book: Gradebook) -> None:
    """Of a platform that refuses one request in twenty, some scores meet two in a row: none may be lost for it."""
    book.type((ADAM, "1A", 3), (AICHA, "1A", 2))
    for path in ("/lineitems?", "/scores", "/results"):
        if path == "/results":  # of a column that was just made they are not asked for
            book.deliver()
            assert book.value(ADAM, "1A") == 3
            book.type((ADAM, "1A", 4), (AICHA, "1A", 1))
        book.world.faults.answer(path, 401, times=4 if path == "/scores" else 2)
        book.deliver()
        for who in (ADAM, AICHA):
            shown = book.shown(who, "1A")
            assert (shown.state, shown.status) == ("waiting", 401), path
            assert shown.reason == ("not_allowed_again" if path == "/scores" else "not_allowed")
        book.world.let_time_pass()

    book.deliver()

    assert (book.value(ADAM, "1A"), book.value(AICHA, "1A")) == (4, 1)


def test_a_platform_that_refuses_every_token_it_gives_is_believed_after_four_tries(book: Gradebook) -> None:
    book.world.faults.answer("/scores", 401, times=1000)
    book.type((ADAM, "1A", 3))

    for _try in range(4):
        assert book.shown(ADAM, "1A").state == "waiting"
        book.deliver()
        book.world.let_time_pass()

    shown = book.shown(ADAM, "1A")
    assert (shown.state, shown.reason, shown.status, shown.tries) == ("refused", "not_allowed", 401, 4)


def test_a_score_tried_often_is_not_refused_for_two_refusals_of_its_token_in_a_row(book: Gradebook) -> None:
    """In a platform's bad hour a score is tried ten times and more: two in a row are not rare then."""
    config = book.world.config
    book.world.config = replace(config, delivery=replace(config.delivery, tries=10))
    book.type((ADAM, "1A", 3))
    book.world.faults.cut("/scores", times=4)
    for _try in range(4):
        book.deliver()
        book.world.let_time_pass()
    book.world.faults.answer("/scores", 401, times=4)
    for tries in (5, 6):
        book.deliver()
        shown = book.shown(ADAM, "1A")
        assert (shown.state, shown.status, shown.tries) == ("waiting", 401, tries)
        book.world.let_time_pass()

    book.deliver()

    assert (book.value(ADAM, "1A"), book.shown(ADAM, "1A").state) == (3, "sent")


def test_a_score_that_may_have_arrived_is_ours_whatever_its_later_tries_said(book: Gradebook) -> None:
    book.type((ADAM, "1A", 3))
    book.world.faults.lose("/scores")  # it arrives, its answer does not
    book.deliver()
    assert book.value(ADAM, "1A") == 3
    book.world.let_time_pass()
    book.world.faults.answer("/scores", 401, times=2)
    book.deliver()
    assert book.shown(ADAM, "1A").reason == "not_allowed"
    book.type((ADAM, "1A", 2))  # the next one takes its place before it is known that it arrived
    book.world.let_time_pass()

    book.deliver()

    assert (book.value(ADAM, "1A"), book.shown(ADAM, "1A").state) == (2, "sent")


def test_a_grade_changed_by_hand_is_not_overwritten_because_the_results_were_refused(book: Gradebook) -> None:
    book.type((ADAM, "1A", 1))
    book.deliver()
    book.set_by_hand(ADAM, "1A", 2.5)
    book.world.faults.answer("/results", 401, times=2)
    book.type((ADAM, "1A", 3))

    book.deliver()
    assert book.value(ADAM, "1A") == 2.5
    book.world.let_time_pass()
    book.deliver()

    assert (book.value(ADAM, "1A"), book.shown(ADAM, "1A").state) == (2.5, "changed")


def test_all_who_wait_for_a_token_share_one_request_and_its_failure(book: Gradebook) -> None:
    from lti_tool.errors import PlatformDelayed
    from lti_tool.lti.ags import SCOPE_SCORE
    from lti_tool.lti.models import Platform
    from lti_tool.lti.services import service_of

    tokens = book.world.app.extensions["spirale_tokens"]
    with book.world.app.app_context():
        platform = db.session.get_one(Platform, book.world.platform_id)
        service = service_of(db.session, platform, tokens, book.world.config)
        db.session.close()
    book.world.faults.silence("/lti/token", 0.3)
    before = book.world.faults.asked("/lti/token")
    failures: list[str] = []
    ready = threading.Barrier(4)

    def ask() -> None:
        ready.wait()
        try:
            service.tokens.get(service.caller, (SCOPE_SCORE,))
        except PlatformDelayed as error:
            failures.append(error.what)

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert book.world.faults.asked("/lti/token") - before == 1
    assert len(failures) == 4


@pytest.mark.parametrize("path", ["/lineitems?", "/results", "/lti/token"])
def test_an_answer_that_is_not_json_is_asked_for_again(book: Gradebook, path: str) -> None:
    if path == "/results":
        book.type((ADAM, "1A", 1))
        book.deliver()
    book.world.faults.garble(path)
    book.type((ADAM, "1A", 3))

    book.deliver()
    assert book.shown(ADAM, "1A").state == "waiting"
    book.world.let_time_pass()
    book.deliver()

    assert book.value(ADAM, "1A") == 3


@pytest.mark.parametrize("body", [b"[]", b"null", b'{"id": 7}', b'{"id": null}', b'"x"', b"[NaN]"])
def test_a_column_without_an_address_is_refused_with_the_reason(book: Gradebook, body: bytes) -> None:
    book.world.faults.answer("/lineitems?", 201, method="POST", body=body)
    book.type((ADAM, "1A", 3))

    book.deliver()

    assert (book.shown(ADAM, "1A").state, book.shown(ADAM, "1A").reason) == ("refused", "column_refused")


@pytest.mark.parametrize(
    "score", ["NaN", "Infinity", "1e300", '"abc"', "true", "null", "{}", "123456789012.5"]
)
def test_a_result_that_is_no_grade_is_read_as_none(book: Gradebook, score: str) -> None:
    book.type((ADAM, "1A", 1))
    book.deliver()
    sub = by_name(ADAM).sub
    body = f'[7, {{"userId": "{sub}", "resultScore": {score}, "resultMaximum": 4}}]'.encode()
    book.world.faults.answer("/results", 200, body=body)
    book.type((ADAM, "1A", 3))

    book.deliver()

    assert (book.shown(ADAM, "1A").state, book.shown(ADAM, "1A").lms_score) == ("changed", None)


@pytest.mark.parametrize("status", [301, 302, 304])
def test_only_a_2xx_means_that_a_score_was_taken(book: Gradebook, status: int) -> None:
    book.world.faults.answer("/scores", status)
    book.type((ADAM, "1A", 3))

    book.deliver()

    assert book.shown(ADAM, "1A").state != "sent"


def test_a_redirect_is_not_followed_with_our_token(book: Gradebook) -> None:
    book.world.faults.answer("/scores", 307, Location=f"{book.world.lms_url}/elsewhere")
    book.type((ADAM, "1A", 3))

    book.deliver()

    assert book.world.faults.asked("/elsewhere") == 0
    assert book.shown(ADAM, "1A").state == "refused"


def test_an_unexpected_error_in_one_score_does_not_stop_the_others(
    book: Gradebook, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = sending.ags.send_score

    def breaks(service, url, score):  # noqa: ANN001, ANN202
        if score.given == 1:
            raise RuntimeError("a mistake of ours")
        return whole(service, url, score)

    monkeypatch.setattr(sending.ags, "send_score", breaks)
    book.type((ADAM, "1A", 1), (AICHA, "1A", 3))

    book.deliver()

    assert book.value(AICHA, "1A") == 3
    assert (book.shown(ADAM, "1A").state, book.shown(ADAM, "1A").reason) == ("waiting", "failed")


def test_no_request_begins_after_a_third_of_the_lease(
    book: Gradebook, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(leases, "ROUND_OF_LEASE", 40)  # a second and a half, of which a column takes its part
    monkeypatch.setattr(delivering, "platforms_due", lambda _now, left=[1]: [left.pop()] if left else [])
    pupils = [member.name for member in book.world.store.members(MRC1.id) if member.role == "pupil"][:24]
    book.world.faults.slow("/scores", 1.5)
    book.type(*((name, "1A", 3) for name in pupils))

    book.deliver()

    states = book.states()
    assert states["waiting"] + states["sent"] == 24
    assert 0 < states["sent"] <= 2 * MOST_CONNECTIONS
    left = [s for name in pupils for s in book.history(name, "1A") if s.state == "waiting"]
    assert all(s.tries == 0 and s.reason == "" for s in left)


def test_what_another_worker_took_over_is_not_settled_by_the_first(book_on_both: Gradebook) -> None:
    """A worker whose lease ended while the LMS was slow must not write over what its successor does."""
    book = book_on_both
    book.type((ADAM, "1A", 3))
    with book.world.app.app_context():
        old = leases.take(book.world.platform_id, utcnow(), book.world.config)
    book.world.let_time_pass()
    with book.world.app.app_context():
        time.sleep(0.01)
        new = leases.take(book.world.platform_id, utcnow(), book.world.config)
        assert new.ids == old.ids
        outcome = sending.Outcome(old.ids[0], DeliveryState.REFUSED, "refused", 418)
        line = sending.Line(time.monotonic() + 10, lambda: True)
        batch = sending.Batch(book.course_id, 1, None, True, [], [], old.until, line, outcomes=[outcome])
        settling.settle(settling.Turn(book.world.platform_id), [batch], book.world.config)
        db.session.close()

    assert book.shown(ADAM, "1A").state == "sending"


def test_two_workers_never_take_the_same_score(book_on_both: Gradebook) -> None:
    book = book_on_both
    pupils = [member.name for member in book.world.store.members(MRC1.id) if member.role == "pupil"][:24]
    book.world.faults.slow("/scores", 0.01)
    for code in ("1A", "1B", "1C"):
        book.type(*((name, code, 3) for name in pupils))
    problems: list[BaseException] = []

    def work() -> None:
        try:
            for _round in range(3):
                book.deliver()
        except BaseException as error:
            problems.append(error)

    workers = [threading.Thread(target=work) for _ in range(3)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    for _round in range(5):
        book.world.let_time_pass()
        book.deliver()

    assert problems == []
    assert book.states() == {"sent": 72}
    assert book.posts() == 72
    assert len(book.world.store.line_items(MRC1.id)) == 3


def test_a_score_that_is_taken_while_a_newer_one_is_written_stays_on_its_way(book_on_both: Gradebook) -> None:
    """Otherwise both would be under way at once, and the older might arrive last."""
    book = book_on_both
    book.type((ADAM, "1A", 2))
    with book.writing():  # a worker has just taken it, and is about to commit
        db.session.execute(
            sa.update(ScoreDelivery).values(
                state=DeliveryState.SENDING, leased_until=utcnow() + timedelta(seconds=60)
            )
        )
        teacher = threading.Thread(target=book.type, args=((ADAM, "1A", 3),))
        teacher.start()
        time.sleep(0.5)
    teacher.join()

    states = [shown.state for shown in book.history(ADAM, "1A", replaced=True)]
    assert states == ["sending", "waiting"]


def test_teachers_who_assess_at_once_while_scores_leave_lose_nothing(book_on_both: Gradebook) -> None:
    """Two teachers write the same cells while two workers deliver them: the last level typed is what arrives."""
    book = book_on_both
    problems: list[BaseException] = []
    done = threading.Event()

    def teach(levels: tuple[int, ...]) -> None:
        try:
            for level in levels:
                book.type(*((who, code, level) for who in CLASS for code in ("1A", "1B")))
        except BaseException as error:
            problems.append(error)

    def work() -> None:
        try:
            while not done.is_set():
                book.deliver()
                time.sleep(0.01)
        except BaseException as error:
            problems.append(error)

    workers = [threading.Thread(target=work) for _ in range(2)]
    teachers = [threading.Thread(target=teach, args=(levels,)) for levels in ((1, 2, 3, 4), (4, 3, 2, 1))]
    for thread in (*workers, *teachers):
        thread.start()
    for thread in teachers:
        thread.join()
    done.set()
    for thread in workers:
        thread.join()
    for _round in range(6):
        book.world.let_time_pass()
        book.deliver()

    assert problems == []
    for who in CLASS:
        for code in ("1A", "1B"):
            assert book.shown(who, code).state == "sent", (who, code, book.history(who, code, replaced=True))
            assert book.value(who, code) == float(book.shown(who, code).score)
            assert book.value(who, code) == typed_last(book, who, code)


def typed_last(book: Gradebook, who: str, code: str) -> int:
    from lti_tool.assessment.models import Assessment
    from tests import factories

    with book.world.app.app_context():
        level = db.session.scalar(
            sa.select(Assessment.level)
            .filter_by(person_id=book.world.person_id(who), item_id=factories.competence(code).id)
            .order_by(Assessment.id.desc())
            .limit(1)
        )
        db.session.close()
    return level


def test_a_paused_platform_does_not_hold_up_another(book: Gradebook) -> None:
    """The next wait is that of each platform by itself."""
    from tests import factories

    book.world.faults.answer("/lti/token", 400, times=1000)
    book.type((ADAM, "1A", 3))
    book.deliver()
    with book.writing():
        pause = db.session.get_one(PlatformPause, book.world.platform_id)
        pause.until = utcnow() + timedelta(hours=1)
        other = factories.course()
        pupil = factories.enrolled(other, "Lina", "Nguyen")
        db.session.add(
            ScoreDelivery(
                course_id=other.id,
                item_id=factories.competence("1A").id,
                person_id=pupil.id,
                score=3,
                maximum=4,
                comment="",
                timestamp=utcnow(),
                not_before=utcnow() + timedelta(seconds=30),
            )
        )

    wait_s = book.deliver()

    assert 25 < wait_s <= 30


def test_nothing_is_open_in_the_database_while_the_platform_answers(book: Gradebook) -> None:
    """SQLite has one writer: a teacher who types while the LMS thinks must not wait for it."""
    book.world.faults.slow("/scores", 1.0)
    book.type((ADAM, "1A", 3))
    worker = threading.Thread(target=book.deliver)
    worker.start()
    while not book.posts():
        time.sleep(0.01)

    started = time.monotonic()
    with book.world.app.app_context():
        begin_write()
        db.session.commit()
    took = time.monotonic() - started
    worker.join()

    assert took < 0.5
    assert book.value(ADAM, "1A") == 3
