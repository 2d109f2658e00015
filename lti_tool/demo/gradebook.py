"""The gradebook's rules: what a score, a teacher's hand or a new maximum does to the grades.

Source: Moodle 4.5, mod/lti/service/gradebookservices, measured (design notes, section 4).
"""

from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from lti_tool.demo.tables import Activity, Grade, LineItem


class ScoreTooOld(Exception):
    """The stored grade is as recent as the score, in whole seconds."""


class LineItemLocked(Exception):
    """The column is locked: nothing may change in it."""


@dataclass(frozen=True)
class Score:
    """A score as posted, already checked. ``at``: whole seconds; ``given`` None clears the grade."""

    person_id: int
    given: float | None
    maximum: float
    comment: str
    at: int


def record_score(session: Session, item: LineItem, score: Score, now: int) -> None:
    """Store a tool's score. Raises ScoreTooOld or LineItemLocked; the grade is then as before."""
    grade = session.get(Grade, (item.id, score.person_id))
    if grade is not None and grade.modified is not None and grade.modified >= score.at:
        raise ScoreTooOld
    if item.locked:
        raise LineItemLocked
    if grade is None:
        grade = Grade(line_item_id=item.id, person_id=score.person_id, overridden=False)
        session.add(grade)
    grade.raw = None if score.given is None else rescaled(score.given, score.maximum, item.score_maximum)
    grade.modified = score.at if score.given is not None else _moment_of_a_clear(item, now)
    if item.coupled and grade.overridden:
        return  # the tool is told 200, and the teacher's value stays
    grade.value = grade.raw
    grade.feedback = score.comment  # a score without comment erases the feedback
    grade.by_teacher = False


def _moment_of_a_clear(item: LineItem, now: int) -> int | None:
    return None if item.coupled else now


def rescaled(given: float, maximum: float, item_maximum: float) -> float:
    """The score on the item's scale, kept between 0 and its maximum. A maximum of 0 does not rescale."""
    value = given * item_maximum / maximum if maximum else given
    return min(max(value, 0.0), item_maximum)


def set_by_hand(
    session: Session, item: LineItem, person_id: int, value: float | None, feedback: str, now: int
) -> None:
    """A teacher writes in the gradebook: an override on a coupled item, a plain edit on another."""
    grade = session.get(Grade, (item.id, person_id))
    if grade is None:
        grade = Grade(line_item_id=item.id, person_id=person_id)
        session.add(grade)
    grade.value = None if value is None else rescaled(value, item.score_maximum, item.score_maximum)
    grade.feedback = feedback
    grade.by_teacher = True
    grade.overridden = item.coupled
    grade.modified = now


def remove_override(session: Session, item: LineItem, person_id: int, now: int) -> None:
    """The tool's value comes back in a cell that a teacher had overridden."""
    grade = session.get(Grade, (item.id, person_id))
    if grade is not None and grade.overridden:
        grade.overridden = False
        grade.by_teacher = False
        grade.value = grade.raw
        grade.modified = now


def change_maximum(item: LineItem, maximum: float) -> None:
    """A new maximum keeps each grade's percentage: 2/4 becomes 10/20."""
    if item.score_maximum and maximum != item.score_maximum:
        factor = maximum / item.score_maximum
        for grade in item.grades:
            grade.value = None if grade.value is None else grade.value * factor
            grade.raw = None if grade.raw is None else grade.raw * factor
    item.score_maximum = maximum


def coupled_item(session: Session, activity: Activity) -> LineItem | None:
    """The column that came with the activity, if it is graded."""
    return session.scalar(
        select(LineItem).where(LineItem.activity_id == activity.id, LineItem.coupled.is_(True))
    )


def line_items(session: Session, course_id: int) -> list[LineItem]:
    """The course's columns, oldest first."""
    query = select(LineItem).where(LineItem.course_id == course_id).order_by(LineItem.id)
    return list(session.scalars(query))
