"""Columns of the LMS follow the names of their competences, and nothing else of them changes."""

from __future__ import annotations

import json
from typing import Any

import pytest
import sqlalchemy as sa

from lti_tool.db import db, utcnow
from lti_tool.demo.people import MRC1, by_name
from lti_tool.frameworks.models import Framework
from lti_tool.gradebook import renaming
from lti_tool.gradebook.models import LineItem
from lti_tool.gradebook.renaming import rename_columns
from tests import factories

from .gradebook_world import ADAM, AICHA, Gradebook
from .test_own_columns import OwnColumn


@pytest.fixture(autouse=True)
def _none_tried() -> None:
    renaming._tries.clear()


def rename(book: Gradebook) -> int:
    with book.world.app.app_context():
        try:
            return rename_columns(book.world.app.extensions["spirale_tokens"], book.world.config)
        finally:
            db.session.close()


def call_it(book: Gradebook, label: str, code: str = "1A") -> None:
    """The referential names the competence otherwise, as after an import."""
    with book.writing():
        factories.competence(code).label = label


def labels(book: Gradebook) -> dict[str, str]:
    return {column.tag: column.label for column in book.world.store.line_items(MRC1.id)}


def replaced(book: Gradebook) -> list[dict[str, Any]]:
    """What the LMS was sent to replace columns, oldest first."""
    return [json.loads(call.body) for call in book.world.store.calls("/lineitem", "PUT")]


def test_a_column_follows_the_name_of_its_competence_once_and_keeps_all_the_rest(
    book_on_both: Gradebook,
) -> None:
    book = book_on_both
    book.type((ADAM, "1A", 3), (AICHA, "1B", 2))
    book.deliver()
    before = {column.tag: column for column in book.world.store.line_items(MRC1.id)}
    with book.world.store._column(MRC1.id, "1A") as (_session, held):
        held.submission_review = {"reviewableStatus": ["InProgress"], "label": "Revoir"}
    assert rename(book) == 0
    call_it(book, "Saluer")

    assert rename(book) == 1
    assert rename(book) == 0

    after = {column.tag: column for column in book.world.store.line_items(MRC1.id)}
    assert after["1A"].label == "1A · Saluer"
    assert after["1B"] == before["1B"]
    assert (after["1A"].resource_id, after["1A"].score_maximum) == (
        before["1A"].resource_id,
        before["1A"].score_maximum,
    )
    (sent,) = replaced(book)
    assert sent["submissionReview"] == {"reviewableStatus": ["InProgress"], "label": "Revoir"}
    assert book.value(ADAM, "1A") == 3
    book.type((ADAM, "1A", 4))
    book.deliver()
    assert book.value(ADAM, "1A") == 4


def test_a_column_follows_how_its_course_names_the_competence(book: Gradebook) -> None:
    book.type((ADAM, "1A", 3))
    book.deliver()
    former = labels(book)["1A"]
    with book.writing() as course:
        course.framework_slugs = ["ma", "mrc-seconde"]
        short = db.session.scalars(sa.select(Framework).filter_by(slug="mrc-seconde")).one().short_title

    assert rename(book) == 1

    assert labels(book)["1A"] == former.replace("1A ·", f"1A ({short}) ·")


def test_a_name_that_a_teacher_gave_in_the_lms_stays(book: Gradebook) -> None:
    book.type((ADAM, "1A", 3))
    book.deliver()
    with book.world.store._column(MRC1.id, "1A") as (_session, held):
        held.label = "Contact"
    call_it(book, "Saluer")

    assert rename(book) == 0

    assert labels(book) == {"1A": "Contact"}
    reads = book.world.faults.asked("/lineitem", "GET")
    assert rename(book) == 0
    assert book.world.faults.asked("/lineitem", "GET") == reads, "it is not looked at again"


def test_a_competence_whose_code_changes_keeps_its_column(book_on_both: Gradebook) -> None:
    book = book_on_both
    book.type((ADAM, "1A", 3))
    book.deliver()
    with book.writing():
        factories.competence("1A").code = "1.A"

    book.change(conversion="table")  # the maximum is another: the column is looked up
    book.deliver()

    assert book.states() == {"sent": 2}
    assert [(c.tag, c.score_maximum) for c in book.world.store.line_items(MRC1.id)] == [("1A", 20)]
    assert rename(book) == 1
    assert labels(book)["1A"].startswith("1.A · ")


def test_a_name_that_came_while_nothing_was_sent_is_given_once_something_is(book: Gradebook) -> None:
    book.type((ADAM, "1A", 3))
    book.deliver()
    book.change(mode="nothing")
    call_it(book, "Saluer")
    assert rename(book) == 0

    book.change(mode="automatic", conversion="table")
    book.deliver()

    assert rename(book) == 1
    assert labels(book)["1A"] == "1A · Saluer"


@pytest.mark.parametrize("method", ["GET", "PUT"])
def test_a_name_that_the_lms_refuses_is_not_asked_again_and_scores_leave(
    book: Gradebook, method: str
) -> None:
    book.type((ADAM, "1A", 3))
    book.deliver()
    former = labels(book)["1A"]
    call_it(book, "Saluer")
    book.world.faults.answer("/lineitem", 403, method=method, times=1000)

    assert rename(book) == 0
    asked = len(book.world.faults.seen)
    assert rename(book) == 0
    assert len(book.world.faults.seen) == asked

    book.type((ADAM, "1A", 4))
    book.deliver()
    assert book.value(ADAM, "1A") == 4
    assert labels(book)["1A"] == former


def test_a_platform_that_does_not_answer_is_asked_at_a_few_sweeps_and_no_more(book: Gradebook) -> None:
    book.type((ADAM, "1A", 3), (ADAM, "1B", 3))
    book.deliver()
    call_it(book, "Saluer")
    call_it(book, "Écouter", "1B")
    book.world.faults.answer("/lineitem", 503, method="PUT", times=1000)

    for sweep in range(3):
        assert rename(book) == 0
        assert book.world.faults.asked("/lineitem", "PUT") == sweep + 1
    book.world.faults.clear()
    assert rename(book) == 2, "at the fourth it answers"
    assert labels(book) == {"1A": "1A · Saluer", "1B": "1B · Écouter"}

    call_it(book, "Prendre contact")
    book.world.faults.answer("/lineitem", 503, method="PUT", times=1000)
    for _sweep in range(renaming.MOST_TRIES + 3):
        assert rename(book) == 0
    assert book.world.faults.asked("/lineitem", "PUT") == 3 + 2 + renaming.MOST_TRIES


def test_nothing_is_renamed_while_sending_is_off_the_platform_is_paused_or_the_column_is_gone(
    book: Gradebook,
) -> None:
    from lti_tool.gradebook.models import PlatformPause

    book.type((ADAM, "1A", 3))
    book.deliver()
    call_it(book, "Saluer")
    asked = len(book.world.faults.seen)

    book.set(mode="nothing")
    assert rename(book) == 0
    book.set(mode="automatic")
    with book.writing():
        pause = PlatformPause(
            platform_id=book.world.platform_id, until=utcnow().replace(year=2099), reason="later"
        )
        db.session.add(pause)
    assert rename(book) == 0
    book.world.let_time_pass()
    with book.writing():
        db.session.execute(sa.update(LineItem).values(gone=True))
    assert rename(book) == 0
    assert len(book.world.faults.seen) == asked


def test_the_sweep_renames_and_leaves_a_links_own_column_alone(book: Gradebook) -> None:
    own = OwnColumn(book)
    own.choose()
    book.type((ADAM, "1A", 3))
    book.deliver()
    links = book.world.store.line_item(MRC1.id, own.number())
    call_it(book, "Saluer")
    queue = book.world.app.extensions["spirale_queue"]
    (sweep,) = [task for task in queue._registry.periodic_tasks if task.name == "sweep"]

    queue.execute(sweep)

    assert labels(book)["1A"] == "1A · Saluer"
    assert book.world.store.line_item(MRC1.id, own.number()) == links
    assert all("resourceLinkId" not in sent for sent in replaced(book))
    assert book.world.store.grades(MRC1.id, "1A")[by_name(ADAM).sub].value == 3
