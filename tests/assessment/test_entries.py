"""The grid's entries: only added, the newest of a cell counts."""

import uuid
from dataclasses import dataclass, replace
from datetime import date

import pytest
import sqlalchemy as sa
from flask import Flask

from lti_tool.activities.models import Activity, ObservedItem
from lti_tool.assessment.entries import (
    LONGEST_COMMENT,
    NewEntry,
    cells,
    entries_since,
    observations,
    parse_value,
    record,
)
from lti_tool.assessment.models import CODES, Assessment
from lti_tool.courses.models import Course, Enrolment, Person, Role, SchoolYear
from lti_tool.db import db, utcnow
from tests import factories


@dataclass
class Grid:
    """An activity with 1A and 1C, a pupil and their teacher."""

    course: Course
    activity: Activity
    pupil: Person
    teacher: Person

    def entry(
        self, value: str | None, code: str = "1A", comment: str | None = None, **more: object
    ) -> NewEntry:
        made = NewEntry(str(uuid.uuid4()), self.pupil.id, factories.competence(code).id, value, comment)
        return replace(made, **more)

    def write(self, *entries: NewEntry) -> tuple[list[Assessment], list[str]]:
        written, refused = record(db.session, self.activity, self.teacher.id, entries)
        return [row for _entry, row in written], [r.message for r in refused]


@pytest.fixture
def grid(in_app: Flask) -> Grid:
    course = factories.course()
    pupil = factories.enrolled(course, "Adam", "Benali")
    teacher = factories.enrolled(course, "Claire", "Morel", Role.TEACHER)
    return Grid(course, factories.activity(course, "1A", "1C"), pupil, teacher)


def rows() -> list[tuple[str, str]]:
    """Every entry of the database, oldest first: its value and its comment."""
    return [
        (row.value, row.comment) for row in db.session.scalars(sa.select(Assessment).order_by(Assessment.id))
    ]


# ----- values -----


@pytest.mark.parametrize("typed", ["1", "2", "3", "4", " 3 "])
def test_a_level_is_one_of_four_digits(typed):
    assert parse_value(typed) == (int(typed), None)


@pytest.mark.parametrize("code", CODES)
def test_a_code_is_taken_in_either_case(code):
    assert parse_value(code.lower()) == (None, code)


@pytest.mark.parametrize("typed", ["", "  "])
def test_nothing_empties_the_cell(typed):
    assert parse_value(typed) == (None, None)


@pytest.mark.parametrize(
    "typed", ["0", "5", "3.5", "3,5", "²", "٣", "33333", "03", "-1", "é", "AB", "ABSENT", "1 2", "<b>"]
)
def test_anything_else_is_refused_in_a_sentence_that_quotes_it(grid, typed):
    written, refused = grid.write(grid.entry(typed))

    assert written == []
    assert len(refused) == 1
    assert refused[0].startswith(f"«\u00a0{typed[:12]}\u00a0» n’est pas un niveau")
    assert rows() == []


# ----- writing -----


def test_an_entry_says_who_what_where_and_by_whom(grid):
    written, refused = grid.write(grid.entry("3", "1C", " Bonne écoute. "))

    row = db.session.scalars(sa.select(Assessment)).one()
    assert refused == []
    assert written == [row]
    assert (row.activity_id, row.person_id, row.assessor_id) == (
        grid.activity.id,
        grid.pupil.id,
        grid.teacher.id,
    )
    assert (row.item.code, row.level, row.code, row.comment) == ("1C", 3, None, "Bonne écoute.")


def test_a_changed_value_is_a_new_entry_and_the_newest_counts(grid):
    grid.write(grid.entry("2"), grid.entry("3"))
    grid.write(grid.entry("abs"))

    assert rows() == [("2", ""), ("3", ""), ("ABS", "")]
    assert [row.value for row in cells(db.session, grid.activity.id).values()] == ["ABS"]


def test_an_emptied_cell_is_an_entry_too(grid):
    grid.write(grid.entry("2"))
    grid.write(grid.entry(""))

    assert rows() == [("2", ""), ("", "")]
    assert observations(db.session, grid.course.id) == []


def test_emptying_an_empty_cell_writes_only_that(grid):
    grid.write(grid.entry(""))
    grid.write(grid.entry(""))

    assert rows() == [("", "")]


def test_the_database_refuses_to_change_an_entry(grid):
    grid.write(grid.entry("2"))

    with pytest.raises(sa.exc.IntegrityError, match="only added"):
        db.session.execute(sa.update(Assessment).values(level=4))


def test_the_database_refuses_a_level_beside_a_code(grid):
    with pytest.raises(sa.exc.IntegrityError, match="level_or_code"):
        db.session.execute(
            sa.insert(Assessment).values(
                key=str(uuid.uuid4()), activity_id=grid.activity.id, item_id=factories.competence("1A").id,
                person_id=grid.pupil.id, assessor_id=grid.teacher.id, level=3, code="ABS", comment="",
            )
        )  # fmt: skip


def test_the_same_key_twice_is_written_once(grid):
    entry = grid.entry("2")
    first, _refused = grid.write(entry)
    grid.write(grid.entry("3"))

    again, refused = grid.write(entry, entry)

    assert refused == []
    assert again == [first[0], first[0]]
    assert rows() == [("2", ""), ("3", "")]


def test_an_unchanged_value_writes_nothing(grid):
    first, _refused = grid.write(grid.entry("2", comment="Bien."))

    again, _refused = grid.write(grid.entry("2"), grid.entry("2", comment="Bien. "))

    assert [row.id for row in again] == [first[0].id] * 2
    assert rows() == [("2", "Bien.")]


def test_a_comment_or_a_tick_alone_leaves_the_value_as_it_is_by_then(grid):
    first, _refused = grid.write(grid.entry("2"), grid.entry("ABS", "1C"))
    grid.write(grid.entry("4"))  # a colleague's, which the page of the comment had not seen
    comment = grid.entry(None, comment="Bien parlé")

    written, refused = grid.write(comment, grid.entry(None, "1C", observed=()))
    grid.write(grid.entry("3"))
    again, _refused = grid.write(comment)

    assert refused == []
    assert [row.value for row in written] == ["4", "ABS"]
    assert written[1] is first[1], "as it was: not written again"
    assert again == [written[0]]
    assert rows() == [("2", ""), ("ABS", ""), ("4", ""), ("4", "Bien parlé"), ("3", "Bien parlé")]


def test_a_comment_alone_in_a_cell_that_holds_nothing_says_no_level(grid):
    written, _refused = grid.write(grid.entry(None, comment="Bien parlé"))

    assert [(row.level, row.code) for row in written] == [(None, None)]
    assert rows() == [("", "Bien parlé")]


def test_a_value_and_then_a_comment_sent_together_are_both_there(grid):
    written, _refused = grid.write(grid.entry("3"), grid.entry(None, comment="Bien parlé"))

    assert [row.value for row in written] == ["3", "3"]


def test_a_comment_stays_when_only_the_value_is_typed(grid):
    grid.write(grid.entry("2", comment="À revoir."))
    grid.write(grid.entry("3"))

    assert rows() == [("2", "À revoir."), ("3", "À revoir.")]


def test_a_comment_is_taken_away_by_an_empty_one(grid):
    grid.write(grid.entry("2", comment="À revoir."))
    grid.write(grid.entry("2", comment=""))

    assert rows() == [("2", "À revoir."), ("2", "")]


def test_one_refused_entry_does_not_lose_the_others(grid):
    written, refused = grid.write(grid.entry("5"), grid.entry("4", "1C"))

    assert [row.value for row in written] == ["4"]
    assert len(refused) == 1
    assert rows() == [("4", "")]


def test_a_comment_of_the_longest_length_is_taken_and_one_more_letter_is_not(grid):
    _written, refused = grid.write(
        grid.entry("3", comment="a" * LONGEST_COMMENT), grid.entry("3", "1C", "a" * (LONGEST_COMMENT + 1))
    )

    assert refused == ["Ce commentaire dépasse 2000 caractères\u00a0: le raccourcir."]
    assert [len(comment) for _value, comment in rows()] == [LONGEST_COMMENT]


@pytest.mark.parametrize(
    "key", ["", "1", "x" * 36, str(uuid.UUID(int=7)).replace("-", ""), "{" + str(uuid.UUID(int=7)) + "}"]
)
def test_a_key_that_is_no_identifier_is_refused(grid, key):
    written, refused = grid.write(grid.entry("3", key=key))

    assert (written, refused) == ([], ["Cette saisie n’a pas d’identifiant à elle\u00a0: recharger la page."])


def test_a_competence_of_another_activity_is_refused(grid):
    factories.activity(grid.course, "2B")

    _written, refused = grid.write(grid.entry("3", "2B"))

    assert refused == ["Cette compétence n’est plus dans l’activité\u00a0: recharger la page."]
    assert rows() == []


def test_who_is_not_a_pupil_of_the_course_is_refused(grid):
    elsewhere = factories.enrolled(factories.course(grid.course.platform), "Zoé", "Lambert")
    left = factories.enrolled(grid.course, "Théo", "Petit", active=False)
    assessor = factories.enrolled(grid.course, "Yann", "Le Goff", launched_as=Role.ASSESSOR)

    for person_id in (elsewhere.id, left.id, assessor.id, grid.teacher.id, 999_999):
        _written, refused = grid.write(grid.entry("3", person_id=person_id))
        assert refused == ["Cet élève n’est plus dans le cours\u00a0: rien n’a été écrit pour lui."]
    assert rows() == []


# ----- reading -----


def test_what_is_newer_than_an_entry_is_read_in_order(grid):
    first, _refused = grid.write(grid.entry("1"), grid.entry("2"), grid.entry("3", "1C"))

    assert [row.value for row in entries_since(db.session, grid.activity.id, first[0].id)] == ["2", "3"]
    assert entries_since(db.session, grid.activity.id, first[-1].id) == []


def test_a_code_is_no_observation_and_hides_the_level_it_replaced(grid):
    grid.write(grid.entry("4"), grid.entry("3", "1C"))
    grid.write(grid.entry("NE"))

    assert [(o.item_id, o.level) for o in observations(db.session, grid.course.id)] == [
        (factories.competence("1C").id, 3)
    ]


def test_only_the_newest_entry_of_a_cell_is_a_turn(grid):
    grid.write(grid.entry("1"), grid.entry("4", comment="Corrigé."))

    assert [(o.level, o.comment) for o in observations(db.session, grid.course.id)] == [(4, "Corrigé.")]


def test_turns_come_by_date_of_the_work_with_its_complexity(grid):
    later = factories.activity(grid.course, "1A", starts_on=date(2026, 12, 1), complexity=3)
    earlier = factories.activity(grid.course, "1A", starts_on=date(2026, 9, 10), complexity=2)
    for activity, level in ((later, 2), (grid.activity, 3), (earlier, 4)):
        factories.assessment(activity, "1A", grid.pupil, level, grid.teacher)

    found = [o.turn for o in observations(db.session, grid.course.id)]

    assert [(t.worked_on, t.complexity, t.level) for t in found] == [
        (date(2026, 9, 10), 2, 4),
        (date(2026, 10, 8), 1, 3),
        (date(2026, 12, 1), 3, 2),
    ]


def test_an_archived_activity_still_counts(grid):
    grid.write(grid.entry("3"))
    grid.activity.archived_at = utcnow()
    db.session.flush()

    assert [o.level for o in observations(db.session, grid.course.id)] == [3]


def test_a_pupil_who_left_keeps_their_results(grid):
    grid.write(grid.entry("3"))
    db.session.execute(sa.update(Enrolment).where(Enrolment.person_id == grid.pupil.id).values(active=False))

    assert [o.level for o in observations(db.session, grid.course.id)] == [3]


def test_observations_may_be_asked_for_some_people_and_competences_only(grid):
    other = factories.enrolled(grid.course, "Zoé", "Lambert")
    grid.write(grid.entry("1"), grid.entry("2", "1C"))
    factories.assessment(grid.activity, "1A", other, 4, grid.teacher)
    session, course_id = db.session, grid.course.id

    assert [o.level for o in observations(session, course_id, person_ids=[grid.pupil.id])] == [1, 2]
    assert {o.level for o in observations(session, course_id, item_ids=[factories.competence("1A").id])} == {
        1,
        4,
    }
    assert observations(session, course_id, person_ids=[]) == []


def test_entries_of_another_course_are_never_read(grid):
    other = factories.course(grid.course.platform)
    db.session.add(Enrolment(course_id=other.id, person_id=grid.pupil.id, role=Role.LEARNER, number=1))
    elsewhere = factories.activity(other, "1A")
    factories.assessment(elsewhere, "1A", grid.pupil, 4, grid.teacher)
    grid.write(grid.entry("2"))

    assert [o.level for o in observations(db.session, grid.course.id)] == [2]
    assert [row.value for row in cells(db.session, grid.activity.id).values()] == ["2"]
    assert [row.value for row in entries_since(db.session, grid.activity.id, 0)] == ["2"]


# ----- what was observed -----


def test_what_is_ticked_goes_with_the_entry_and_only_what_there_was_to_observe(any_app: Flask) -> None:
    course = factories.course()
    pupil = factories.enrolled(course, "Adam", "Benali")
    teacher = factories.enrolled(course, "Claire", "Morel", Role.TEACHER)
    activity = factories.activity(course, "1A", "1C")
    one, two, other = (factories.competence(code).id for code in ("2A", "2B", "2C"))
    by_code = {link.item.code: link for link in activity.competences}
    by_code["1A"].observed = [ObservedItem(item_id=one), ObservedItem(item_id=two)]
    db.session.flush()
    grid = Grid(course, activity, pupil, teacher)

    grid.write(grid.entry("3", observed=(two, other, one)))
    grid.write(grid.entry("2"))  # a level alone leaves the ticks
    grid.write(grid.entry("2", observed=(two, one)))  # as it is: not written again
    grid.write(grid.entry("2", observed=(two,), comment="Voix posée"))
    grid.write(grid.entry("2", observed=()))
    grid.write(grid.entry("4", "1C", observed=(one,)))  # nothing was to be observed there
    db.session.commit()

    found = db.session.scalars(sa.select(Assessment).order_by(Assessment.id))
    assert [(row.value, row.comment, row.observed) for row in found] == [
        ("3", "", sorted([one, two])),
        ("2", "", sorted([one, two])),
        ("2", "Voix posée", [two]),
        ("2", "Voix posée", []),
        ("4", "", []),
    ]


# ----- where nothing can be written -----


def test_who_is_not_of_the_activitys_group_is_not_assessed_in_it(grid: Grid) -> None:
    lina = factories.enrolled(grid.course, "Lina", "Costa")
    grid.activity.group_id = factories.group(grid.course, "A", lina).id
    _written, refused = grid.write(grid.entry("3"))
    assert refused == [
        "Cette activité est pour un groupe dont cet élève n’est pas\u00a0: rien n’a été écrit."
    ]
    assert rows() == []


def test_who_was_moved_out_of_the_group_keeps_results_that_can_still_be_corrected(grid: Grid) -> None:
    grid.write(grid.entry("3"))
    grid.activity.group_id = factories.group(grid.course, "A").id
    written, refused = grid.write(grid.entry("2"), grid.entry("4", "1C"))
    assert ([row.value for row in written], refused) == (["2", "4"], [])


@pytest.mark.parametrize(("over", "undated"), [(True, False), (False, True)])
def test_nothing_is_written_in_a_year_that_is_over_nor_before_there_is_a_date(
    grid: Grid, over: bool, undated: bool
) -> None:
    if over:
        year = SchoolYear(course_id=grid.course.id, name="2025-2026", closed_at=utcnow())
        db.session.add(year)
        db.session.flush()
        grid.activity.year_id = year.id
    grid.activity.undated = undated
    _written, refused = grid.write(grid.entry("3"))
    assert len(refused) == 1
    assert refused[0].startswith("Cette activité")
    assert rows() == []


def test_what_was_seen_in_a_year_that_is_over_counts_no_more_and_can_be_asked_for(grid: Grid) -> None:
    grid.write(grid.entry("3"))
    year = SchoolYear(course_id=grid.course.id, name="2025-2026", closed_at=utcnow())
    db.session.add(year)
    db.session.flush()
    grid.activity.year_id = year.id
    db.session.flush()
    assert observations(db.session, grid.course.id) == []
    assert [o.level for o in observations(db.session, grid.course.id, year_id=year.id)] == [3]
