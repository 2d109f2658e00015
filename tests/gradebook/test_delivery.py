"""Scores arrive, once, in order, with what they say; nothing changed by hand is overwritten. Over real HTTP."""

from __future__ import annotations

import json
import uuid
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest
import sqlalchemy as sa

from lti_tool.activities.models import Activity, ActivityCompetence
from lti_tool.assessment.entries import NewEntry, record
from lti_tool.db import begin_write, db, utcnow
from lti_tool.demo.people import MRC1, by_name
from lti_tool.frameworks.loading import load_referentials, read_all
from lti_tool.gradebook.models import DeliveryState, LineItem, ScoreDelivery
from lti_tool.gradebook.scores import queue_scores
from tests import factories
from tests.frameworks.samples import BAC, SECONDE, write

from .gradebook_world import ADAM, AICHA, CHLOE, ZOE, Gradebook


def test_a_score_reaches_the_gradebook_with_its_value_and_its_comment(book_on_both: Gradebook) -> None:
    book = book_on_both
    book.type((ADAM, "1A", 3), (AICHA, "1A", 2))

    book.deliver()

    assert book.value(ADAM, "1A") == 3
    assert book.grade(ADAM, "1A").feedback == (
        "maîtrisée en situation simple\u202f; 1 situation, la dernière le 7 septembre\u202f; provisoire"
    )
    assert book.value(AICHA, "1A") == 2
    assert book.states() == {"sent": 2}


def test_a_column_is_named_after_its_competence_and_made_once(book: Gradebook) -> None:
    book.type((ADAM, "1C", 3), (AICHA, "1C", 2))
    book.deliver()
    book.type((CHLOE, "1C", 4))
    book.deliver()

    (column,) = book.world.store.line_items(MRC1.id)
    assert (column.label, column.tag, column.score_maximum) == (
        "1C · Rechercher le besoin du client",
        "1C",
        4,
    )
    assert column.resource_link_id is None
    assert book.posts("/lineitems?") == 1
    assert book.world.faults.asked("/lineitems?", "GET") == 1, "its address is kept"


def test_a_column_that_is_there_already_is_adopted(book: Gradebook) -> None:
    book.type((ADAM, "1A", 3))
    book.deliver()
    with book.writing():
        db.session.execute(sa.delete(LineItem))
    book.type((AICHA, "1A", 2))

    book.deliver()

    assert len(book.world.store.line_items(MRC1.id)) == 1
    assert book.value(AICHA, "1A") == 2


@pytest.mark.parametrize("fault", ["lose", "garble"])
def test_a_column_whose_answer_was_lost_is_found_again_not_made_twice(book: Gradebook, fault: str) -> None:
    getattr(book.world.faults, fault)("/lineitems?", method="POST")
    book.type((ADAM, "1A", 3))

    book.deliver()
    assert book.shown(ADAM, "1A").state == "waiting"
    book.world.let_time_pass()
    book.deliver()

    assert len(book.world.store.line_items(MRC1.id)) == 1
    assert book.value(ADAM, "1A") == 3
    assert book.posts("/lineitems?") == 1


@pytest.mark.parametrize("again", [False, True])
def test_a_score_whose_answer_was_lost_is_sent_again_and_counts_once(
    book_on_both: Gradebook, again: bool
) -> None:
    book = book_on_both
    if again:
        book.type((ADAM, "1A", 2))
        book.deliver()
    book.world.faults.lose("/scores")
    book.type((ADAM, "1A", 3))

    book.deliver()
    assert (book.shown(ADAM, "1A").state, book.shown(ADAM, "1A").reason) == ("waiting", "no_answer")
    assert book.value(ADAM, "1A") == 3
    book.world.let_time_pass()
    book.deliver()

    assert (book.shown(ADAM, "1A").state, book.shown(ADAM, "1A").status) == ("sent", 409)
    assert book.value(ADAM, "1A") == 3


def test_a_score_typed_after_an_answer_was_lost_is_not_taken_for_a_change_by_hand(book: Gradebook) -> None:
    book.type((ADAM, "1A", 2))
    book.deliver()
    book.world.faults.lose("/scores")
    book.type((ADAM, "1A", 3))
    book.deliver()
    book.type((ADAM, "1A", 4))
    book.world.let_time_pass()

    book.deliver()

    assert book.shown(ADAM, "1A").state == "sent"
    assert book.value(ADAM, "1A") == 4


# ----- changed by hand -----


def test_a_grade_changed_by_hand_is_noticed_before_it_is_overwritten(book_on_both: Gradebook) -> None:
    book = book_on_both
    book.type((ADAM, "1A", 2), (AICHA, "1A", 2))
    book.deliver()
    book.set_by_hand(ADAM, "1A", 3.5)
    book.type((ADAM, "1A", 1), (AICHA, "1A", 1), again=True)

    book.deliver()

    shown = book.shown(ADAM, "1A")
    assert (shown.state, shown.reason, shown.lms_score) == ("changed", "changed_by_hand", Decimal("3.5"))
    assert book.value(ADAM, "1A") == 3.5
    assert book.value(AICHA, "1A") == 1


@pytest.mark.parametrize(("held", "noticed"), [(2.02, True), (2.01, False), (2, False), (None, True)])
def test_the_smallest_change_by_hand_is_noticed_and_rounding_is_not(
    book: Gradebook, held: float | None, noticed: bool
) -> None:
    book.type((ADAM, "1A", 2))
    book.deliver()
    book.set_by_hand(ADAM, "1A", held)
    with book.writing():  # a second later: the LMS compares whole seconds
        db.session.execute(sa.update(ScoreDelivery).values(timestamp=utcnow() + timedelta(seconds=1)))
    book.type((ADAM, "1A", 3))

    book.deliver()

    assert book.shown(ADAM, "1A").state == ("changed" if noticed else "sent")


def test_a_change_on_the_scale_of_twenty_is_noticed_to_a_tenth(book: Gradebook) -> None:
    book.set(conversion="table", table={"1": 5, "2": 9, "3": 14, "4": 19})
    book.type((ADAM, "1A", 3))
    book.deliver()
    book.set_by_hand(ADAM, "1A", 14.1)
    book.type((ADAM, "1A", 4))

    book.deliver()

    assert book.shown(ADAM, "1A").state == "changed"
    assert book.value(ADAM, "1A") == 14.1


def test_a_grade_that_a_teacher_typed_before_the_first_score_is_not_overwritten(book: Gradebook) -> None:
    book.type((AICHA, "1A", 2))
    book.deliver()
    book.set_by_hand(ADAM, "1A", 1)
    book.type((ADAM, "1A", 3))

    book.deliver()

    assert book.shown(ADAM, "1A").state == "changed"
    assert book.value(ADAM, "1A") == 1


def test_a_changed_grade_that_is_kept_stays_until_the_level_changes(book: Gradebook) -> None:
    book.type((ADAM, "1A", 2))
    book.deliver()
    book.set_by_hand(ADAM, "1A", 4)
    book.type((ADAM, "1A", 3))
    book.deliver()
    book.keep(ADAM, "1A")
    book.type((ADAM, "1A", 3), again=True)
    book.deliver()
    assert [shown.state for shown in book.history(ADAM, "1A")] == ["sent", "kept"]

    book.type((ADAM, "1A", 1), again=True)
    book.deliver()

    assert book.shown(ADAM, "1A").state == "changed"
    assert book.value(ADAM, "1A") == 4


def test_a_forced_score_overwrites_what_was_changed_by_hand(book: Gradebook) -> None:
    book.type((ADAM, "1A", 2))
    book.deliver()
    book.set_by_hand(ADAM, "1A", 4)
    book.type((ADAM, "1A", 3))
    book.deliver()

    book.send_again(ADAM, "1A", forced=True)
    book.deliver()

    assert book.shown(ADAM, "1A").state == "sent"
    assert book.value(ADAM, "1A") == 3


def changed_by_hand(book: Gradebook) -> None:
    """Adam's grade is one that was put there by hand, and ours was held back."""
    book.type((ADAM, "1A", 2))
    book.deliver()
    book.set_by_hand(ADAM, "1A", 4)
    book.type((ADAM, "1A", 1))
    book.deliver()
    assert book.shown(ADAM, "1A").state == "changed"


def test_a_forced_score_that_a_newer_one_replaces_leaves_its_force_to_it(book_on_both: Gradebook) -> None:
    book = book_on_both
    changed_by_hand(book)
    book.send_again(ADAM, "1A", forced=True)

    book.type((ADAM, "1A", 3))
    book.type((ADAM, "1A", 2))
    book.deliver()

    assert (book.value(ADAM, "1A"), book.shown(ADAM, "1A").state) == (2, "sent")


def test_a_forced_score_that_has_arrived_leaves_nothing_to_the_next(book: Gradebook) -> None:
    changed_by_hand(book)
    book.send_again(ADAM, "1A", forced=True)
    book.deliver()
    book.set_by_hand(ADAM, "1A", 4)

    book.type((ADAM, "1A", 3))
    book.deliver()

    assert (book.value(ADAM, "1A"), book.shown(ADAM, "1A").state) == (4, "changed")


def test_a_score_that_replaces_a_clear_is_not_forced(book: Gradebook) -> None:
    """What a teacher confirmed is that the grade goes, not that another one takes the place of one typed by hand."""
    book.type((ADAM, "1A", 3))
    book.deliver()
    book.type((ADAM, "1A", ""))
    book.clear(ADAM, "1A")
    book.set_by_hand(ADAM, "1A", 4)

    book.type((ADAM, "1A", 2))
    book.deliver()

    assert (book.value(ADAM, "1A"), book.shown(ADAM, "1A").state) == (4, "changed")


def test_a_change_made_between_the_look_and_the_score_is_noticed_by_the_conflict(book: Gradebook) -> None:
    book.type((ADAM, "1A", 2))
    book.deliver()
    with book.writing() as course:  # the LMS does not let us look
        course.ags_scopes = [scope for scope in course.ags_scopes if "result" not in scope]
    book.set_by_hand(ADAM, "1A", 4)
    book.type((ADAM, "1A", 3))
    with book.writing():  # typed before the change by hand, as far as the LMS can tell
        row = book.rows(ADAM, "1A")[-1]
        row.timestamp = utcnow() - timedelta(minutes=1)

    book.deliver()

    assert (book.shown(ADAM, "1A").state, book.shown(ADAM, "1A").status) == ("changed", 409)
    assert book.value(ADAM, "1A") == 4


def test_without_the_right_to_read_results_scores_are_sent_all_the_same(book: Gradebook) -> None:
    with book.writing() as course:
        course.ags_scopes = [scope for scope in course.ags_scopes if "result" not in scope]
    book.type((ADAM, "1A", 2))
    book.deliver()
    book.world.faults.lose("/scores")
    book.type((ADAM, "1A", 3))
    book.deliver()
    book.world.let_time_pass()

    book.deliver()

    assert book.shown(ADAM, "1A").state == "sent"
    assert book.world.faults.asked("/results") == 0


def test_a_clock_of_the_lms_that_is_ahead_delays_a_score_and_is_no_change_by_hand(book: Gradebook) -> None:
    book.type((ADAM, "1A", 2))
    book.deliver()
    book.clear(ADAM, "1A")
    book.world.lms_ahead = timedelta(seconds=3)  # a clear is stamped by the LMS's own clock
    book.deliver()
    book.world.lms_ahead = timedelta()
    book.type((ADAM, "1A", 3))

    for _try in range(3):
        book.deliver()
        book.world.let_time_pass()

    assert book.shown(ADAM, "1A").state == "sent"
    assert book.value(ADAM, "1A") == 3


# ----- refused -----


def test_a_person_the_lms_cannot_grade_is_refused_with_the_reason_and_the_others_arrive(
    book: Gradebook,
) -> None:
    book.world.store.unenrol(MRC1.id, by_name(ADAM).sub)
    book.type((ADAM, "1A", 3), (AICHA, "1A", 2))

    book.deliver()

    shown = book.shown(ADAM, "1A")
    assert (shown.state, shown.reason, shown.status) == ("refused", "not_gradable", 400)
    assert book.value(AICHA, "1A") == 2


def test_nothing_is_sent_for_somebody_who_left(book: Gradebook) -> None:
    book.type((ADAM, "1A", 3), (AICHA, "1A", 2))
    book.world.store.unenrol(MRC1.id, by_name(ADAM).sub)
    book.world.open_course()  # the class list is read again

    book.deliver()
    book.set(conversion="table")
    book.deliver()

    assert [(s.state, s.reason) for s in book.history(ADAM, "1A")] == [("refused", "left")]
    assert f'"userId": "{by_name(ADAM).sub}"' not in "".join(book.sent_scores())
    assert book.value(AICHA, "1A") == 9


def test_a_refused_score_is_sent_again_on_demand(book: Gradebook) -> None:
    book.world.store.unenrol(MRC1.id, by_name(ADAM).sub)
    book.type((ADAM, "1A", 3))
    book.deliver()
    book.world.store.enrol(MRC1.id, by_name(ADAM).sub)

    book.send_again(ADAM, "1A")
    book.deliver()

    assert [shown.state for shown in book.history(ADAM, "1A")] == ["refused", "sent"]
    assert book.value(ADAM, "1A") == 3


def test_a_locked_column_is_tried_again_then_shown(book: Gradebook) -> None:
    book.type((ADAM, "1A", 3))
    book.deliver()
    book.world.store.lock(MRC1.id, "1A")
    book.type((ADAM, "1A", 4))

    for _try in range(3):
        book.deliver()
        shown = book.shown(ADAM, "1A")
        assert (shown.state, shown.reason, shown.status) == ("waiting", "failed", 500)
        book.world.let_time_pass()
    book.deliver()

    assert (book.shown(ADAM, "1A").state, book.shown(ADAM, "1A").reason) == ("refused", "failed")
    assert book.value(ADAM, "1A") == 3


def test_scores_that_are_not_permitted_are_refused_with_the_reason(book: Gradebook) -> None:
    book.type((ADAM, "1A", 3))
    book.world.faults.answer("/scores", 403)

    book.deliver()

    assert (book.shown(ADAM, "1A").state, book.shown(ADAM, "1A").reason) == ("refused", "not_allowed")


# ----- columns deleted in the LMS -----


def test_a_column_deleted_in_the_lms_is_looked_up_once_and_made_again_only_on_demand(
    book_on_both: Gradebook,
) -> None:
    book = book_on_both
    book.type((ADAM, "1A", 3), (AICHA, "1A", 2))
    book.deliver()
    book.world.store.delete_line_item(MRC1.id, "1A")
    book.type((ADAM, "1A", 4))
    book.deliver()
    assert (book.shown(ADAM, "1A").state, book.shown(ADAM, "1A").reason) == ("refused", "column_gone")
    lookups = book.world.faults.asked("/lineitems?", "GET")
    book.type((CHLOE, "1A", 1))
    book.deliver()
    assert book.shown(CHLOE, "1A").reason == "column_gone"
    assert book.world.faults.asked("/lineitems?", "GET") == lookups, "it is known to be gone"
    assert book.world.store.line_items(MRC1.id) == []

    book.make_column_again("1A")
    book.deliver()

    assert len(book.world.store.line_items(MRC1.id)) == 1
    assert [book.value(who, "1A") for who in (ADAM, AICHA, CHLOE)] == [4, 2, 1], "with all that it held"
    assert book.shown(ADAM, "1A").state == "sent"


def test_a_column_listed_but_unknown_does_not_turn_in_circles(book: Gradebook) -> None:
    book.type((ADAM, "1A", 3))
    book.deliver()
    book.world.faults.answer("/scores", 404, times=1000)
    book.type((ADAM, "1A", 4))

    for _try in range(5):
        book.deliver()
        book.world.let_time_pass()

    assert (book.shown(ADAM, "1A").state, book.shown(ADAM, "1A").reason) == ("refused", "column_lost")
    assert book.posts() == 5  # one that arrived, four tries


# ----- the newest, in order -----


def test_the_newest_score_replaces_one_that_waits(book_on_both: Gradebook) -> None:
    book = book_on_both
    for level in (1, 2, 3):
        book.type((ADAM, "1A", level))

    book.deliver()

    assert [shown.state for shown in book.history(ADAM, "1A", replaced=True)] == [
        "replaced",
        "replaced",
        "sent",
    ]
    assert book.posts() == 1
    assert book.value(ADAM, "1A") == 3


def test_two_scores_of_the_same_second_both_arrive_in_order(book_on_both: Gradebook) -> None:
    book = book_on_both
    book.type((ADAM, "1A", 2))
    book.deliver()
    book.type((ADAM, "1A", 3))
    book.deliver()
    book.type((ADAM, "1A", 1))
    book.deliver()

    sent = [json.loads(body) for body in book.sent_scores()]
    assert [score["scoreGiven"] for score in sent] == [2, 3, 1]
    assert book.value(ADAM, "1A") == 1


def test_a_score_is_not_taken_while_an_older_one_of_its_cell_is_on_its_way(book_on_both: Gradebook) -> None:
    book = book_on_both
    book.type((ADAM, "1A", 2))
    with book.writing():
        row = book.rows(ADAM, "1A")[0]
        row.state, row.leased_until = DeliveryState.SENDING, utcnow() + timedelta(seconds=60)
    book.type((ADAM, "1A", 3))

    assert 0 < (book.deliver() or 0) <= 60, "asked again when the other's lease ends"
    assert book.posts() == 0
    book.world.let_time_pass()
    book.deliver()

    assert [shown.state for shown in book.history(ADAM, "1A", replaced=True)] == ["replaced", "sent"]
    assert book.value(ADAM, "1A") == 3


def test_the_lease_of_a_dead_worker_is_given_back(book_on_both: Gradebook) -> None:
    book = book_on_both
    book.type((ADAM, "1A", 2))
    with book.writing():
        row = book.rows(ADAM, "1A")[0]
        row.state, row.leased_until = DeliveryState.SENDING, utcnow() - timedelta(seconds=1)

    book.deliver()

    assert book.shown(ADAM, "1A").state == "sent"
    assert book.value(ADAM, "1A") == 2


def test_the_same_cell_has_one_waiting_and_one_sending_delivery_at_most(book_on_both: Gradebook) -> None:
    book = book_on_both
    book.type((ADAM, "1A", 2))
    for state in (DeliveryState.WAITING, DeliveryState.SENDING):
        with book.writing():
            db.session.execute(sa.update(ScoreDelivery).values(state=state))
        with pytest.raises(sa.exc.IntegrityError):
            add_another(book, state)


def add_another(book: Gradebook, state: DeliveryState) -> None:
    """A second delivery of the cell of the first, in the same state."""
    with book.writing():
        row = book.rows(ADAM, "1A")[0]
        db.session.add(
            ScoreDelivery(
                course_id=row.course_id,
                item_id=row.item_id,
                person_id=row.person_id,
                maximum=4,
                comment="",
                timestamp=utcnow(),
                state=state,
            )
        )


# ----- undo, codes, minimum -----


def test_a_score_undone_before_it_left_is_withdrawn(book: Gradebook) -> None:
    book.type((ADAM, "1A", 3))
    book.type((ADAM, "1A", ""))

    book.deliver()

    assert book.states() == {"replaced": 1}
    assert book.posts() == 0


def test_a_correction_undone_before_it_left_leaves_what_was_sent(book: Gradebook) -> None:
    book.type((ADAM, "1A", 3))
    book.deliver()
    book.type((ADAM, "1A", 4))
    book.type((ADAM, "1A", 3))

    book.deliver()

    assert book.posts() == 1
    assert [shown.state for shown in book.history(ADAM, "1A")] == ["sent"]


def test_a_score_undone_while_it_is_on_its_way_is_not_tried_a_second_time(book: Gradebook) -> None:
    book.type((ADAM, "1A", 3))
    with book.writing():
        row = book.rows(ADAM, "1A")[0]
        row.state, row.leased_until = DeliveryState.SENDING, utcnow() - timedelta(seconds=1)
    book.type((ADAM, "1A", ""))

    book.deliver()

    assert book.posts() == 0
    assert book.history(ADAM, "1A", replaced=True)[0].reason == "interrupted"


def test_a_score_undone_after_it_was_sent_is_not_cleared_by_itself(book: Gradebook) -> None:
    book.type((ADAM, "1A", 3))
    book.deliver()
    book.type((ADAM, "1A", ""))
    book.deliver()

    assert book.value(ADAM, "1A") == 3
    assert book.posts() == 1


def test_a_grade_is_cleared_on_demand_and_the_next_score_arrives(book: Gradebook) -> None:
    book.type((ADAM, "1A", 3))
    book.deliver()
    book.type((ADAM, "1A", ""))
    book.clear(ADAM, "1A")
    book.deliver()
    assert book.value(ADAM, "1A") is None
    assert "scoreGiven" not in json.loads(book.sent_scores()[-1])

    book.type((ADAM, "1A", 2))
    book.deliver()

    assert book.value(ADAM, "1A") == 2
    assert [shown.state for shown in book.history(ADAM, "1A")] == ["sent", "sent", "sent"]


def test_a_clear_that_waits_is_not_lost_to_what_leaves_the_cell_without_a_level(
    book_on_both: Gradebook,
) -> None:
    book = book_on_both
    book.type((ADAM, "1A", 3))
    book.deliver()
    book.type((ADAM, "1A", ""))
    book.clear(ADAM, "1A")

    book.type((ADAM, "1A", "ABS"))
    assert book.preview(conversion="table").back == 0
    book.change(conversion="table")
    book.deliver()

    assert book.value(ADAM, "1A") is None
    assert [shown.state for shown in book.history(ADAM, "1A")] == ["sent", "sent"]


def test_a_clear_on_its_way_is_tried_again_whatever_leaves_the_cell_without_a_level(book: Gradebook) -> None:
    book.type((ADAM, "1A", 3))
    book.deliver()
    book.type((ADAM, "1A", ""))
    book.clear(ADAM, "1A")
    with book.writing():  # in the hands of a worker that has died
        row = book.rows(ADAM, "1A")[-1]
        row.state, row.leased_until = DeliveryState.SENDING, utcnow() - timedelta(seconds=1)

    book.type((ADAM, "1A", "ABS"))
    book.deliver()

    assert (book.value(ADAM, "1A"), book.shown(ADAM, "1A").state) == (None, "sent")


@pytest.mark.parametrize("level", [2, 3])
def test_a_level_takes_the_place_of_a_clear_that_waits(book: Gradebook, level: int) -> None:
    book.type((ADAM, "1A", 3))
    book.deliver()
    book.type((ADAM, "1A", ""))
    book.clear(ADAM, "1A")

    book.type((ADAM, "1A", level))
    book.deliver()

    assert book.value(ADAM, "1A") == level
    assert all("scoreGiven" in json.loads(body) for body in book.sent_scores())


@pytest.mark.parametrize("code", ["ABS", "DISP", "NE", "NF", "NR"])
def test_a_code_is_never_sent(book: Gradebook, code: str) -> None:
    book.type((ADAM, "1A", code))

    book.deliver()

    assert book.states() == {}
    assert book.posts() == 0


def test_nothing_is_sent_below_the_minimum_of_observations(book: Gradebook) -> None:
    book.set(minimum=2)
    book.type((ADAM, "1A", 3))
    book.deliver()
    assert book.posts() == 0

    book.type((ADAM, "1A", 4), again=True)
    book.deliver()

    assert book.value(ADAM, "1A") == 4


# ----- the settings -----


def test_a_new_conversion_rescales_and_sends_what_changed(book_on_both: Gradebook) -> None:
    book = book_on_both
    book.type((ADAM, "1A", 3), (AICHA, "1A", 4))
    book.deliver()

    book.set(conversion="table", table={"1": 5, "2": 9.5, "3": 14, "4": 20})
    book.deliver()

    (column,) = book.world.store.line_items(MRC1.id)
    assert column.score_maximum == 20
    assert (column.resource_id, column.tag) == (column.resource_id, "1A")
    assert column.resource_id, "a PUT erases what it does not carry"
    assert (book.value(ADAM, "1A"), book.value(AICHA, "1A")) == (14, 20)
    assert book.shown(ADAM, "1A").state == "sent"

    book.set(table={"1": 5, "2": 9.5, "3": 15, "4": 20})
    before = book.posts()
    book.deliver()
    assert book.posts() == before + 1, "only what changed"
    assert (book.value(ADAM, "1A"), book.value(AICHA, "1A")) == (15, 20)


def test_a_score_of_the_former_conversion_does_not_bring_the_column_back(book: Gradebook) -> None:
    book.type((ADAM, "1A", 3))
    book.deliver()
    book.type((AICHA, "1A", 2))
    with book.writing():  # under way when the conversion changes, and back in the queue after
        row = book.rows(AICHA, "1A")[0]
        row.state, row.leased_until = DeliveryState.SENDING, utcnow() + timedelta(seconds=60)
    book.set(conversion="table")
    book.world.let_time_pass()

    book.deliver()

    (column,) = book.world.store.line_items(MRC1.id)
    assert column.score_maximum == 20
    assert (book.value(ADAM, "1A"), book.value(AICHA, "1A")) == (14, 9)


def test_a_grade_changed_by_hand_is_noticed_across_a_new_maximum(book: Gradebook) -> None:
    book.type((ADAM, "1A", 2), (AICHA, "1A", 2))
    book.deliver()
    book.set_by_hand(ADAM, "1A", 4)

    book.set(conversion="table")
    book.deliver()

    assert (book.shown(ADAM, "1A").state, book.shown(ADAM, "1A").lms_score) == ("changed", Decimal(20))
    assert (book.value(ADAM, "1A"), book.value(AICHA, "1A")) == (20, 9)


def test_nothing_leaves_while_sending_is_off(book: Gradebook) -> None:
    book.type((ADAM, "1A", 3))
    book.set(mode="nothing")
    assert book.deliver() is None
    assert book.posts() == 0

    book.set(mode="automatic")
    book.deliver()

    assert book.value(ADAM, "1A") == 3


def test_nothing_leaves_for_a_platform_that_is_shut_out(book: Gradebook) -> None:
    from lti_tool.lti.platforms import set_enabled

    book.type((ADAM, "1A", 3))
    with book.writing():
        set_enabled(db.session, book.world.platform_id, False)
    assert book.deliver() is None
    assert book.shown(ADAM, "1A").state == "waiting"

    with book.writing():
        set_enabled(db.session, book.world.platform_id, True)
    book.deliver()

    assert book.value(ADAM, "1A") == 3


def test_a_comment_is_in_french_whatever_the_teachers_language(book: Gradebook) -> None:
    with book.world.app.test_request_context(headers={"Accept-Language": "en"}):
        from lti_tool.courses.models import Course
        from lti_tool.gradebook.scores import current_values

        item = factories.competence("1A").id
        db.session.close()
    book.type((ZOE, "1A", 4))
    with book.world.app.test_request_context(headers={"Accept-Language": "en"}):
        course = db.session.get_one(Course, book.course_id)
        value = current_values(db.session, course)[book.world.person_id(ZOE), item]
        db.session.close()

    assert value.comment.startswith("bien maîtrisée en situation simple")


def test_a_class_is_delivered_with_a_handful_of_queries(book: Gradebook) -> None:
    pupils = [member.name for member in book.world.store.members(MRC1.id) if member.role == "pupil"][:24]
    counted: list[str] = []
    with book.world.app.app_context():
        engine = db.engine
    sa.event.listen(engine, "before_cursor_execute", lambda *args: counted.append(args[2]))
    begin_before = len(counted)
    book.type(*((name, "1A", 3) for name in pupils))
    writing = len(counted) - begin_before
    book.type(*((name, code, 2) for name in pupils for code in ("1B", "1C")))

    begin_before = len(counted)
    book.deliver()

    assert book.states() == {"sent": 72}
    assert len(counted) - begin_before < 90, (
        "24 pupils × 3 columns; one that asks for each score asks 72 more"
    )
    assert writing > 0


def test_two_competences_of_the_same_code_never_share_a_column(book: Gradebook, tmp_path: Path) -> None:
    files = [write(tmp_path, "essai.yaml", SECONDE), write(tmp_path, "bac.yaml", BAC)]
    with book.writing() as course:
        load_referentials(db.session, read_all(files))
        course.framework_slugs = ["mrc-seconde", "essai"]
        other = factories.competence("1A", "essai")
        activity = db.session.get_one(Activity, book.activity_id)
        activity.competences.append(ActivityCompetence(item=other))
        db.session.flush()
        adam, teacher = book.world.person_id(ADAM), book.world.person_id("Claire Morel")
        levels = {factories.competence("1A").id: "3", other.id: "1"}
        record(
            db.session,
            activity,
            teacher,
            [NewEntry(str(uuid.uuid4()), adam, item, level) for item, level in levels.items()],
        )
        queue_scores(db.session, course, [(adam, item) for item in levels], utcnow())

    book.deliver()
    with book.writing():
        db.session.execute(sa.delete(LineItem))
    book.set(conversion="table")
    book.deliver()

    columns = book.world.store.line_items(MRC1.id)
    sub = by_name(ADAM).sub
    held = {c.label: book.world.store.grades(MRC1.id, c.id)[sub].value for c in columns}
    assert held == {"1A · Prendre contact": 14, "1A (Essai) · Saluer": 5}
    assert [c.tag for c in columns] == ["1A", "1A"]
    assert len({c.resource_id for c in columns}) == 2


def test_a_deployment_that_is_shut_out_is_sent_nothing_until_it_is_let_in_again(book: Gradebook) -> None:
    from lti_tool.lti.platforms import set_deployment_enabled

    book.type((ADAM, "1A", 3))
    for enabled, sent in ((False, 0), (True, 1)):
        with book.writing() as course:
            set_deployment_enabled(
                db.session, book.world.platform_id, course.deployment.deployment_id, enabled
            )
        book.deliver()
        assert book.posts() == sent
    assert book.value(ADAM, "1A") == 3


def test_a_course_that_awaits_a_launch_is_sent_nothing_before(book: Gradebook) -> None:
    with book.writing() as course:
        course.awaits_launch = True
    book.type((ADAM, "1A", 3))
    book.deliver()
    assert book.posts() == 0
    assert book.states() == {"waiting": 1}
    with book.writing() as course:
        course.awaits_launch = False
    book.deliver()
    assert book.value(ADAM, "1A") == 3


@pytest.mark.parametrize("what", ["platform", "deployment"])
def test_a_worker_under_way_stops_when_the_platform_or_the_deployment_is_shut_out(
    book: Gradebook, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    from lti_tool.gradebook import sending
    from lti_tool.lti.models import Deployment, Platform

    book.connections(1)  # nothing else is on its way
    monkeypatch.setattr(sending, "LET_IN_EVERY_S", 0.0)
    book.type((ADAM, "1A", 3), (ADAM, "1B", 3))
    book.deliver()
    before = book.posts()
    model = Platform if what == "platform" else Deployment
    answer = book.world.faults._next

    def shut_out(method: str, path: str) -> object:
        """At the first score that arrives, an administrator shuts the platform out."""
        if "/scores" in path:
            with book.world.app.app_context():
                begin_write()
                db.session.execute(sa.update(model).values(enabled=False))
                db.session.commit()
                db.session.close()
        return answer(method, path)

    monkeypatch.setattr(book.world.faults, "_next", shut_out)
    book.type((ADAM, "1A", 4), (ADAM, "1B", 4))
    book.deliver()
    assert book.posts() == before + 1
    assert book.states() == {"sent": 3, "waiting": 1}
