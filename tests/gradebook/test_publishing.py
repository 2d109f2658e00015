"""When scores leave, which ones, and what is said before: on the rows, and on what the LMS's gradebook holds."""

from __future__ import annotations

import json
import threading
from datetime import timedelta
from decimal import Decimal
from typing import Any

from lti_tool.db import db, utcnow
from lti_tool.demo.people import MRC1, by_name
from tests import factories

from .gradebook_world import ADAM, AICHA, CHLOE, ZOE, Gradebook

TABLE = {"1": 5, "2": 9, "3": 14, "4": 19}


def ids(book: Gradebook, *codes: str) -> list[int]:
    with book.world.app.app_context():
        found = [factories.competence(code).id for code in codes]
        db.session.close()
        return found


def states(book: Gradebook, who: str, code: str) -> list[tuple[str, Decimal | None]]:
    return [(row.state, row.score) for row in book.history(who, code, replaced=True)]


# ----- when -----


def test_nothing_is_written_before_publier_and_what_was_seen_is_sent_by_it(book_on_both: Gradebook) -> None:
    book = book_on_both
    book.change(mode="publish")
    book.type((ADAM, "1A", 3), (AICHA, "1A", 2), (ADAM, "1B", 4), (CHLOE, "1B", "ABS"))
    assert book.states() == {}
    assert book.plan() == {"new": 3}

    assert book.publish(book.see("1A")) == (2, 0, 0)
    book.deliver()

    assert (book.value(ADAM, "1A"), book.value(AICHA, "1A")) == (3, 2)
    assert book.value(ADAM, "1B") is None, "its column was not chosen"
    assert book.plan() == {"new": 1, "unchanged": 2}
    book.type((ADAM, "1A", 4))
    assert book.plan() == {"new": 1, "changed": 1, "unchanged": 1}
    book.deliver()
    assert book.value(ADAM, "1A") == 3, "what is typed waits for « Publier »"


def test_a_second_press_sends_nothing_twice(book: Gradebook) -> None:
    book.change(mode="publish")
    book.type((ADAM, "1A", 3), (AICHA, "1A", 2))
    seen = book.see()

    assert book.publish(seen) == (2, 0, 0)
    assert book.publish(seen) == (0, 2, 0)
    book.deliver()
    assert book.publish(seen) == (0, 2, 0), "nor once they arrived"

    assert states(book, ADAM, "1A") == [("sent", 3)]
    assert book.posts() == 2


def test_two_presses_at_the_same_moment_send_once(book_on_both: Gradebook) -> None:
    book = book_on_both
    book.change(mode="publish")
    book.type((ADAM, "1A", 3), (AICHA, "1A", 2))
    seen, found = book.see(), []
    presses = [threading.Thread(target=lambda: found.append(book.publish(seen))) for _ in range(2)]
    for press in presses:
        press.start()
    for press in presses:
        press.join()

    assert sorted(found) == [(0, 2, 0), (2, 0, 0)]
    assert book.states() == {"waiting": 2}


def test_what_changed_between_the_preview_and_the_confirmation_does_not_leave(book: Gradebook) -> None:
    book.change(mode="publish")
    book.type((ADAM, "1A", 3), (AICHA, "1A", 2), (CHLOE, "1A", 2))
    seen = book.see()
    book.type((ADAM, "1A", 4), (ZOE, "1A", 1), (CHLOE, "1A", ""))

    assert book.publish(seen) == (1, 0, 3), "one corrected, one come since, one withdrawn"

    book.deliver()
    assert [book.value(who, "1A") for who in (ADAM, AICHA, CHLOE, ZOE)] == [None, 2, None, None]
    assert book.plan() == {"new": 2, "unchanged": 1}


def test_a_published_score_is_taken_back_when_nothing_is_left_of_it(book: Gradebook) -> None:
    book.change(mode="publish")
    book.type((ADAM, "1A", 3))
    book.publish(book.see())

    book.type((ADAM, "1A", ""))

    assert states(book, ADAM, "1A") == [("replaced", 3)]


def test_from_automatic_to_publier_what_waits_is_taken_back_and_said_and_back_again(book: Gradebook) -> None:
    book.type((ADAM, "1A", 3))
    book.deliver()
    book.type((ADAM, "1A", 4), (AICHA, "1A", 2))

    said = book.preview(mode="publish")
    assert (said.new, said.changed, said.unchanged, said.back) == (1, 1, 0, 2)
    assert book.change(mode="publish") == 0
    assert book.states() == {"sent": 1, "replaced": 2}
    assert book.plan() == {"new": 1, "changed": 1}

    said = book.preview(mode="automatic")
    assert (said.new, said.changed, said.back) == (1, 1, 0)
    assert book.change(mode="automatic") == 2
    book.deliver()
    assert (book.value(ADAM, "1A"), book.value(AICHA, "1A")) == (4, 2)


def test_nothing_takes_back_what_waits_and_leaves_what_arrived(book: Gradebook) -> None:
    book.type((ADAM, "1A", 3))
    book.deliver()
    book.type((AICHA, "1A", 2))

    assert book.preview(mode="nothing").back == 1
    book.change(mode="nothing")
    book.type((ADAM, "1A", 1))
    book.deliver()

    assert book.value(ADAM, "1A") == 3
    assert states(book, AICHA, "1A") == [("replaced", 2)]
    assert book.publish(book.see()) == (0, 0, 0), "nor does « Publier »"


def test_a_grade_changed_by_hand_is_not_published_over(book: Gradebook) -> None:
    book.type((ADAM, "1A", 2))
    book.deliver()
    book.set_by_hand(ADAM, "1A", 3.5)
    book.change(mode="publish")
    book.type((ADAM, "1A", 3))
    assert book.publish(book.see()) == (1, 0, 0), "nobody knows yet: the LMS was not asked"
    book.deliver()
    assert book.shown(ADAM, "1A").state == "changed"
    assert book.value(ADAM, "1A") == 3.5

    book.type((ADAM, "1A", 4))

    assert book.plan() == {"conflict": 1}
    assert book.publish(book.see()) == (0, 0, 0)
    book.send_again(ADAM, "1A", forced=True)
    book.deliver()
    assert book.value(ADAM, "1A") == 4, "what is sent is what it is worth now"


def lose_column(book: Gradebook) -> None:
    """Adam's score arrived, the column was deleted, and Aïcha's, published since, was refused for that."""
    book.change(mode="publish")
    book.type((ADAM, "1A", 3))
    book.publish(book.see())
    book.deliver()
    book.world.store.delete_line_item(MRC1.id, "1A")
    book.type((AICHA, "1A", 2))
    book.publish(book.see())
    book.deliver()
    assert (book.shown(AICHA, "1A").state, book.shown(AICHA, "1A").reason) == ("refused", "column_gone")


def test_a_column_made_again_gets_what_was_published_and_nothing_that_was_not(
    book_on_both: Gradebook,
) -> None:
    book = book_on_both
    lose_column(book)
    said = json.loads(book.sent_scores()[-1])
    book.type((ADAM, "1A", 1), (AICHA, "1A", 4), (ZOE, "1A", 2))
    book.change(conversion="table")
    plan = book.plan()
    assert plan == {"new": 2, "changed": 1}

    book.make_column_again("1A")
    book.deliver()

    assert states(book, ADAM, "1A") == [("sent", 3), ("sent", 3)]
    assert states(book, AICHA, "1A") == [("refused", 2), ("sent", 2)]
    assert states(book, ZOE, "1A") == []
    (again,) = [s for s in map(json.loads, book.sent_scores()[1:]) if s["userId"] == said["userId"]]
    assert again.pop("timestamp") > said.pop("timestamp")
    assert again == said
    assert book.plan() == {"new": 1, "changed": 2}, "the rest is seen first, as before"


def test_a_column_made_again_gets_nothing_back_that_is_worth_nothing_or_of_a_past_year(
    book: Gradebook,
) -> None:
    lose_column(book)
    book.type((ADAM, "1A", ""))
    with book.writing() as course:
        book.rows(AICHA, "1A")[0].created_at = utcnow() - timedelta(days=300)
        course.year_began_at = utcnow() - timedelta(days=30)

    book.make_column_again("1A")

    assert states(book, ADAM, "1A") == [("sent", 3)]
    assert states(book, AICHA, "1A") == [("refused", 2)]


def test_who_left_is_not_counted_and_who_has_too_few_is_said(book: Gradebook) -> None:
    book.change(mode="publish", minimum=2)
    book.type((ADAM, "1A", 3), (AICHA, "1A", 3))
    book.type((ADAM, "1A", 3), again=True)
    book.type((AICHA, "1A", 3), again=True)
    book.type((CHLOE, "1A", 3))
    book.world.store.unenrol(MRC1.id, by_name(AICHA).sub)
    book.read_roster()

    plan = book.whole_plan()

    assert {change.value: count for change, count in plan.counts.items()} == {"new": 1}
    assert plan.left == {book.world.person_id(AICHA)}
    assert plan.too_few == {(book.world.person_id(CHLOE), ids(book, "1A")[0])}


# ----- which, and as what -----


def test_what_was_emptied_does_not_stay(book: Gradebook) -> None:
    book.type((ADAM, "1B", 2), (AICHA, "1B", 3))
    book.deliver()
    assert book.preview(competences=ids(book, "1A")).staying == 2
    book.clear(ADAM, "1B")
    book.deliver()

    assert book.value(ADAM, "1B") is None
    assert book.preview(competences=ids(book, "1A")).staying == 1


def test_a_competence_that_is_sent_no_more_takes_back_what_waits_and_leaves_what_arrived(
    book_on_both: Gradebook,
) -> None:
    book = book_on_both
    book.type((ADAM, "1A", 3), (ADAM, "1B", 2))
    book.deliver()
    book.type((ADAM, "1B", 4), (AICHA, "1B", 1))

    said = book.preview(competences=ids(book, "1A"))
    assert (said.new, said.changed, said.unchanged, said.back, said.staying) == (0, 0, 1, 2, 1)
    book.change(competences=ids(book, "1A"))
    book.type((ADAM, "1B", 1))
    book.deliver()

    assert (book.value(ADAM, "1B"), book.value(AICHA, "1B")) == (2, None)
    assert book.states() == {"sent": 2, "replaced": 2}

    assert book.preview(competences=None).changed == 1
    assert book.change(competences=None) == 2
    book.deliver()
    assert (book.value(ADAM, "1B"), book.value(AICHA, "1B")) == (1, 1)


def test_the_preview_of_a_conversion_counts_exactly_what_is_written(book: Gradebook) -> None:
    book.type((ADAM, "1A", 3), (AICHA, "1A", 2), (CHLOE, "1A", 3), (ZOE, "1A", "ABS"))
    book.deliver()
    changes: list[dict[str, Any]] = [
        {"conversion": "table", "table": TABLE},
        {"conversion": "table", "table": {**TABLE, "3": 15}},
        {"conversion": "complexity", "table": TABLE},
        {"conversion": "points"},
    ]
    found = []
    for wanted in changes:
        said = book.preview(**wanted)
        written = book.change(**wanted)
        assert written == said.new + said.changed + said.conflicts
        book.deliver()
        found.append((said.changed, said.unchanged, book.value(ADAM, "1A"), book.value(AICHA, "1A")))
    # Only whose points change: by complexity, a 3 in a simple situation is worth 12 and a 2 is worth 8.
    assert found == [(3, 0, 14, 9), (2, 1, 15, 9), (3, 0, 12, 8), (3, 0, 3, 2)]
    assert book.posts() == 3 + 3 + 2 + 3 + 3


def test_a_harder_situation_never_lowers_a_grade_by_complexity(book: Gradebook) -> None:
    book.change(conversion="complexity")
    book.type((ADAM, "1A", 4))
    book.harder()
    book.type((ADAM, "1A", 3))
    book.deliver()

    assert book.value(ADAM, "1A") == 15, "3 in a varied situation is worth 14, and 4 in a simple one 15"


def test_the_preview_of_a_conversion_says_what_was_changed_by_hand_apart(book: Gradebook) -> None:
    book.type((ADAM, "1A", 2), (AICHA, "1A", 2))
    book.deliver()
    book.set_by_hand(ADAM, "1A", 3.5)
    book.type((ADAM, "1A", 3))
    book.deliver()

    said = book.preview(conversion="table")
    assert (said.changed, said.conflicts) == (1, 1)
    assert book.change(conversion="table") == 2
    book.deliver()
    assert book.value(ADAM, "1A") == 17.5, "rescaled by the LMS with its column, and not replaced"
