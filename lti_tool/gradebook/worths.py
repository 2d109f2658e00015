"""What a level, or a position, is worth in the gradebook of a course."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from sqlalchemy.orm import Session

from ..assessment.mastery import Position
from ..assessment.overview import Mastery
from ..assessment.scales import Scale
from .comments import position_comment
from .models import COMPLEXITY_TABLE, TABLE, Conversion, GradebookSettings, Mode

POINTS_MAXIMUM = 4


@dataclass(frozen=True)
class Worth:
    """What a cell is worth in the gradebook of a course."""

    score: Decimal | None
    """Points; None empties the grade."""
    maximum: int
    level: int | None
    """None where it is no level: in an activity's own column."""
    comment: str


def settings_of(session: Session, course_id: int) -> GradebookSettings:
    """The gradebook settings of a course; the defaults, not yet stored, when nobody changed them."""
    found = session.get(GradebookSettings, course_id, populate_existing=True)
    return found or GradebookSettings(
        course_id=course_id,
        mode=Mode.AUTOMATIC,
        conversion=Conversion.POINTS,
        table=dict(TABLE),
        complexity_table=dict(COMPLEXITY_TABLE),
        table_maximum=20,
        minimum=1,
        competences=None,
    )


def column_maximum(settings: GradebookSettings) -> int:
    """The maximum of the course's columns."""
    return POINTS_MAXIMUM if settings.conversion == Conversion.POINTS else settings.table_maximum


def points(level: int, complexity: int, settings: GradebookSettings) -> Decimal:
    """The points of a level seen at a complexity, by the course's conversion."""
    if settings.conversion == Conversion.POINTS:
        return Decimal(level)
    table = settings.table
    if settings.conversion == Conversion.COMPLEXITY:
        table = settings.complexity_table[str(complexity)]
    return Decimal(str(table[str(level)]))


def position_points(position: Position, settings: GradebookSettings) -> Decimal:
    """The points of a position: the most that any level up to it is worth.

    So daring a harder situation never costs a grade, whatever the teacher's table says of the two.
    """
    reached = [(c, level) for c, level in position.levels.items() if c <= position.complexity]
    return max(points(level, complexity, settings) for complexity, level in reached)


class Conversions:
    """What positions are worth by the conversion of a course: those alike, of which a class has many, are converted
    once.
    """

    def __init__(self, settings: GradebookSettings, scale: Scale) -> None:
        self._settings, self._scale, self._maximum = settings, scale, column_maximum(settings)
        self._known: dict[tuple[int, tuple[tuple[int, int], ...]], tuple[Decimal, int]] = {}

    def worth(self, mastery: Mastery) -> Worth:
        """The score of a position, with the comment that says what a number cannot."""
        position = mastery.position
        alike = position.complexity, tuple(position.levels.items())
        if alike not in self._known:
            self._known[alike] = position_points(position, self._settings), position.grade
        score, level = self._known[alike]
        return Worth(score, self._maximum, level, position_comment(mastery, self._scale))
