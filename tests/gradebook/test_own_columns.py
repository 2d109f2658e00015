"""An activity's own column: asked for when its link is added, filled with the mean of the activity's levels."""

from __future__ import annotations

import json
from decimal import Decimal

import pytest
import sqlalchemy as sa

from lti_tool.activities.links import CUSTOM_ACTIVITY
from lti_tool.activities.models import Activity, ActivityLink
from lti_tool.assessment.scales import DEFAULT_SCALE, find_scale
from lti_tool.courses.models import Role
from lti_tool.db import db, utcnow
from lti_tool.demo.activities import Column, NewActivity
from lti_tool.demo.people import MRC1, by_name
from lti_tool.demo.states import GradeState
from lti_tool.frameworks.models import FrameworkItem
from lti_tool.gradebook import own_columns
from lti_tool.gradebook.models import DeliveryState, GradebookSettings, ScoreDelivery
from lti_tool.gradebook.scores import send_again
from lti_tool.lti.ags import SCOPE_SCORE
from tests.platform import Browser, DemoWorld
from tests.web.reading import words

from .gradebook_world import ADAM, AICHA, Gradebook

TAG = "activity"


class OwnColumn:
    """The column of the activity that is being assessed, as the LMS has it."""

    def __init__(self, book: Gradebook) -> None:
        self.book, self.world = book, book.world

    def choose(self, *, column: bool = True) -> None:
        """A teacher adds the activity to the course in the picker, with its column or without, then opens it."""
        teacher = self.world.browser("Claire Morel")
        picker = self.world.launch(teacher, path=f"/courses/{MRC1.id}/choose/launch")
        assert "Ajouter au cours" in picker.text, picker.text
        item = f"activity:{self.book.activity_id}"
        more = {"column": item} if column else {}
        answer = teacher.post(picker.url, {"csrf": csrf(picker.text), "action": "add", "item": item, **more})
        back = teacher.send_form(answer)
        assert "1 activité ajoutée" in back.text, back.text
        self.open(teacher)

    def open(self, who: Browser) -> None:
        """Open the newest link of the course."""
        newest = max(one.id for one in self.world.store.activities(MRC1.id))
        assert self.world.launch(who, activity_id=newest).status == 200

    def number(self) -> int:
        """The LMS's number of the newest column that came with a link."""
        return max(one.id for one in self.world.store.line_items(MRC1.id) if one.tag == TAG)

    def grade(self, who: str) -> GradeState | None:
        return self.world.store.grade(MRC1.id, self.number(), by_name(who).sub)


def csrf(text: str) -> str:
    return text.partition('name="csrf" value="')[2].partition('"')[0]


@pytest.fixture
def own(book: Gradebook) -> OwnColumn:
    return OwnColumn(book)


def states(world: DemoWorld) -> list[tuple[bool, str]]:
    """Whether each delivery is of a link's column, and its state."""
    with world.app.app_context():
        rows = db.session.execute(
            sa.select(ScoreDelivery.link_id, ScoreDelivery.state)
            .where(ScoreDelivery.state != DeliveryState.REPLACED)
            .order_by(ScoreDelivery.id)
        ).all()
        db.session.close()
    return [(link is not None, state.value) for link, state in rows]


def test_a_column_that_is_asked_for_gets_the_mean_of_the_levels_with_their_words(
    book_on_both: Gradebook,
) -> None:
    own, book = OwnColumn(book_on_both), book_on_both
    own.choose()
    book.type((ADAM, "1A", 3), (ADAM, "1B", 4), (ADAM, "1C", "ABS"), (AICHA, "1A", "ABS"))
    book.deliver()

    grade = own.grade(ADAM)
    assert grade is not None
    assert grade.value == 3.5
    assert grade.feedback == "1A maîtrisée\u202f; 1B bien maîtrisée\u202f; en situation simple"
    assert own.grade(AICHA) is None, "a code is no level"
    column = book.world.store.line_item(MRC1.id, own.number())
    assert (column.score_maximum, column.tag) == (4.0, TAG)
    # The competences' own columns are there as well, each once.
    assert sorted(one.tag for one in book.world.store.line_items(MRC1.id)) == ["1A", "1B", TAG]
    assert book.value(ADAM, "1A") == 3.0


def test_what_was_assessed_before_the_link_was_opened_is_sent_at_its_first_launch(
    own: OwnColumn, book: Gradebook
) -> None:
    book.type((ADAM, "1A", 2))
    own.choose()
    book.deliver()

    grade = own.grade(ADAM)
    assert grade is not None
    assert grade.value == 2.0


def test_no_column_comes_unasked(own: OwnColumn, book: Gradebook) -> None:
    own.choose(column=False)
    book.type((ADAM, "1A", 3))
    book.deliver()

    assert [one.tag for one in book.world.store.line_items(MRC1.id)] == ["1A"]
    assert states(book.world) == [(False, "sent")]


def test_a_column_that_the_lms_made_by_itself_is_left_alone(own: OwnColumn, book: Gradebook) -> None:
    with book.writing():
        activity = db.session.get_one(Activity, book.activity_id).uuid
    link = NewActivity("Accueil", custom={CUSTOM_ACTIVITY: activity}, column=Column(100.0, tag=TAG))
    book.world.store.add_activity(MRC1.id, link)
    own.open(book.world.browser("Claire Morel"))
    book.type((ADAM, "1A", 3))
    book.deliver()

    assert states(book.world) == [(False, "sent")]
    assert own.grade(ADAM) is None


def test_nothing_is_sent_twice(own: OwnColumn, book: Gradebook) -> None:
    own.choose()
    book.type((ADAM, "1A", 3))
    book.deliver()
    sent = book.posts()

    own.open(book.world.browser("Claire Morel"))
    book.set(mode="automatic")
    book.deliver()

    assert (sent, book.posts()) == (2, 2)
    assert states(book.world) == [(False, "sent"), (True, "sent")]


def test_a_duplicated_link_has_a_column_of_its_own_with_the_same_grades(
    own: OwnColumn, book: Gradebook
) -> None:
    own.choose()
    book.type((ADAM, "1A", 3))
    book.deliver()
    first = own.number()
    newest = max(one.id for one in book.world.store.activities(MRC1.id))
    book.world.store.duplicate_activity(newest)
    own.open(book.world.browser("Claire Morel"))
    book.deliver()

    assert own.number() != first
    for column in (first, own.number()):
        grade = book.world.store.grade(MRC1.id, column, by_name(ADAM).sub)
        assert grade is not None
        assert grade.value == 3.0
    with book.world.app.app_context():
        links = db.session.scalars(sa.select(ActivityLink)).all()
        assert {(link.activity_id, link.graded) for link in links} == {(book.activity_id, True)}
        assert len(links) == 2
        assert db.session.scalar(sa.select(sa.func.count(Activity.id))) == 1
        db.session.close()


def test_the_table_of_the_course_is_used_and_the_column_keeps_its_own_maximum(
    own: OwnColumn, book: Gradebook
) -> None:
    own.choose()
    book.type((ADAM, "1A", 3), (ADAM, "1B", 4))
    book.deliver()
    book.set(conversion="table")
    book.deliver()

    sent = [json.loads(body) for body in book.sent_scores()]
    assert (16.5, 20) in [(one["scoreGiven"], one["scoreMaximum"]) for one in sent]
    grade = own.grade(ADAM)
    assert grade is not None
    assert grade.value == pytest.approx(3.3), "16.5 of 20, on the link's own 4"
    assert book.world.store.line_item(MRC1.id, own.number()).score_maximum == 4.0


def test_a_platform_that_only_gives_the_address_of_a_links_column_gets_that_one(
    own: OwnColumn, book: Gradebook
) -> None:
    own.choose()
    with book.writing() as course:
        course.lineitems_url, course.ags_scopes = "", [SCOPE_SCORE]
    book.type((ADAM, "1A", 3))
    book.deliver()

    assert states(book.world) == [(True, "sent")]
    grade = own.grade(ADAM)
    assert grade is not None
    assert grade.value == 3.0


def test_a_grade_changed_by_hand_is_noticed(own: OwnColumn, book: Gradebook) -> None:
    own.choose()
    book.type((ADAM, "1A", 3))
    book.deliver()
    book.world.store.set_grade_by_hand(MRC1.id, own.number(), by_name(ADAM).sub, 1.0)
    book.type((ADAM, "1A", 4))
    book.deliver()

    assert states(book.world)[-1] == (True, "changed")
    grade = own.grade(ADAM)
    assert grade is not None
    assert grade.value == 1.0


def test_a_column_that_was_deleted_is_not_made_again(own: OwnColumn, book: Gradebook) -> None:
    own.choose()
    book.world.store.delete_line_item(MRC1.id, own.number())
    book.type((ADAM, "1A", 3))
    book.deliver()
    book.world.let_time_pass()
    book.deliver()

    assert states(book.world) == [(False, "sent"), (True, "refused")]
    with book.world.app.app_context():
        row = db.session.scalars(sa.select(ScoreDelivery).where(ScoreDelivery.link_id.is_not(None))).one()
        assert (row.reason, row.status) == ("column_gone", 404)
        db.session.close()
    teacher = book.world.browser("Claire Morel")
    page = teacher.get(book.world.launch(teacher).url.replace("/activities", "/gradebook"))
    said = words(page.text)
    assert "Accueil d’un visiteur au lycée moyenne des niveaux de l’activité" in said
    assert "La colonne venue avec le lien de cette activité n’est plus dans le carnet de notes." in said
    assert "Spirale peut la recréer" not in said
    assert "Renvoyer" not in said, "there is nowhere to send it"


def test_the_mean_is_rounded_to_a_hundredth(own: OwnColumn, book: Gradebook) -> None:
    own.choose()
    book.type((ADAM, "1A", 3), (ADAM, "1B", 3), (ADAM, "1C", 4))
    with book.world.app.app_context():
        row = db.session.scalars(
            sa.select(ScoreDelivery).where(
                ScoreDelivery.link_id.is_not(None), ScoreDelivery.state == DeliveryState.WAITING
            )
        ).one()
        assert (row.score, row.maximum, row.level) == (Decimal("3.33"), 4, None)
        db.session.close()


def test_a_refused_grade_is_sent_again_on_demand(own: OwnColumn, book: Gradebook) -> None:
    own.choose()
    book.world.faults.answer(f"/lineitems/{own.number()}/lineitem/scores", 400)
    book.type((ADAM, "1A", 3))
    book.deliver()
    assert states(book.world)[-1] == (True, "refused")

    with book.writing() as course:
        row = db.session.scalars(sa.select(ScoreDelivery).where(ScoreDelivery.link_id.is_not(None))).one()
        send_again(db.session, course, [row.pair], utcnow())
    book.deliver()

    assert states(book.world)[-1] == (True, "sent")


def test_who_came_as_a_teacher_is_not_graded(own: OwnColumn, book: Gradebook) -> None:
    own.choose()
    book.type((ADAM, "1A", 3))
    book.world.set_launched_as(book.course_id, ADAM, Role.ASSESSOR)
    book.deliver()

    assert {state for _own, state in states(book.world)} == {"refused"}
    assert own.grade(ADAM) is None


def test_a_restored_course_goes_on_with_a_copy_and_none_of_the_grades(
    own: OwnColumn, book: Gradebook
) -> None:
    own.choose()
    book.type((ADAM, "1A", 3))
    book.deliver()
    restored = book.world.store.copy_course(MRC1.id, "2MRC9", "Seconde MRC 9")
    link = next(one.id for one in book.world.store.activities(restored) if "spirale_activity" in one.custom)
    teacher = book.world.browser("Claire Morel")
    path = f"/courses/{restored}/activities/{link}/launch"

    offer = book.world.launch(teacher, path=path)
    assert "Ce lien vient du cours «\u00a02MRC1\u00a0»." in offer.text
    form = teacher.post(f"{offer.url}/copy", {"csrf": csrf(offer.text)})
    assert "L’activité est copiée, et ce lien l’ouvre." in form.text
    grid = book.world.launch(teacher, path=path)
    book.deliver()

    assert "/grid" in grid.url
    column = next(one.id for one in book.world.store.line_items(restored) if one.tag == TAG)
    assert book.world.store.grades(restored, column) == {}
    with book.world.app.app_context():
        graded = db.session.execute(
            sa.select(Activity.course_id, ActivityLink.graded)
            .join(ActivityLink, ActivityLink.activity_id == Activity.id)
            .order_by(Activity.id)
        ).all()
        db.session.close()
    assert [row.graded for row in graded] == [True, True]
    assert graded[0].course_id != graded[1].course_id


def test_by_complexity_its_value_is_that_of_the_situation(own: OwnColumn, book: Gradebook) -> None:
    book.set(conversion="complexity")
    own.choose()
    book.type((ADAM, "1A", 3), (ADAM, "1B", 4))
    book.deliver()

    grade = own.grade(ADAM)
    assert grade is not None
    assert grade.value == 13.5, "3 and 4 in a simple situation are worth 12 and 15"


def test_half_a_hundredth_is_rounded_up() -> None:
    seen = [(FrameworkItem(code="1A"), level) for level in (3, 3, 3, 3, 3, 2, 2, 2)]
    worth = own_columns._mean(
        seen, Activity(complexity=1), GradebookSettings(conversion="points"), find_scale(DEFAULT_SCALE)
    )
    assert worth.score == Decimal("2.63"), "21 eighths, as a teacher rounds them"
