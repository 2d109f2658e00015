"""What a level, or a position, is worth in the gradebook of a course."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from sqlalchemy.orm import Session

from ..assessment.overview import Mastery
from ..assessment.scales import Scale
from .comments import position_comment
from .models import GradebookSettings

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
        sending=True,
        conversion="points",
        table={"1": 5, "2": 9, "3": 14, "4": 19},
        table_maximum=20,
        minimum=1,
    )


def column_maximum(settings: GradebookSettings) -> int:
    """The maximum of the course's columns."""
    return settings.table_maximum if settings.conversion == "table" else POINTS_MAXIMUM


def points(level: int, settings: GradebookSettings) -> Decimal:
    """The points of a level, by the course's conversion."""
    by_table = settings.conversion == "table"
    return Decimal(str(settings.table[str(level)])) if by_table else Decimal(level)


def worth(mastery: Mastery, settings: GradebookSettings, scale: Scale) -> Worth:
    """The score of a position, by the course's conversion, with the comment that says what a number cannot."""
    level = mastery.position.grade
    comment = position_comment(mastery, scale)
    return Worth(points(level, settings), column_maximum(settings), level, comment)
