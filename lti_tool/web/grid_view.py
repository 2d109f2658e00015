"""What a grid shows: its columns, its rows, who else is at work in it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from flask_babel import gettext as _

from ..activities.models import Activity, ActivityCompetence
from ..assessment.mastery import Turn
from ..assessment.models import Assessment
from ..assessment.words import plain_date
from ..courses.groups import groups_of, members
from ..courses.models import Course
from ..courses.people import Pupil, initials, staff_name
from ..courses.referentials import reference
from ..db import db
from ..frameworks.models import FrameworkItem
from .guard import here, visit
from .shown import complexity_words

SHORT_LABEL = 24


@dataclass(frozen=True)
class Observed:
    """Something to observe: the official words, and what they are."""

    id: int
    text: str
    side: str
    kind_text: str


@dataclass(frozen=True)
class Column:
    """A competence of the grid."""

    id: int
    code: str
    label: str
    """Short enough to stand above a column."""
    name: str
    statement: str
    reference: str
    """How the referential's pages are asked for it."""
    observed: list[Observed]


@dataclass(frozen=True)
class Cell:
    """What a cell shows."""

    value: str = ""
    comment: str = ""
    entry: int = 0
    by: str = ""
    previous_text: str = ""
    observed: tuple[int, ...] = ()


@dataclass(frozen=True)
class Row:
    """A pupil's line."""

    person_id: int
    name: str
    cells: list[Cell] = field(default_factory=list)
    groups: list[int] = field(default_factory=list)


@dataclass(frozen=True)
class Colleague:
    """Somebody else who wrote in this grid."""

    initials: str
    name: str
    code: str


def one_url(activity: Activity) -> Callable[[int], str]:
    return lambda person_id: here("one_pupil", activity_id=activity.id, person_id=person_id)


def column_of(link: ActivityCompetence) -> Column:
    observed = [_observed(o.item) for o in link.observed]
    kinds = sorted({o.kind_text for o in observed}, reverse=True)
    return Column(
        id=link.item.id,
        code=link.item.code,
        label=_short(link.item.label or link.item.statement),
        name=link.item.label or link.item.statement,
        statement=link.item.statement,
        reference=reference(visit().course, link.item),
        observed=sorted(observed, key=lambda o: kinds.index(o.kind_text)),
    )


def _short(label: str) -> str:
    """« Rechercher le besoin… »: whole words that fit above a column."""
    if len(label) <= SHORT_LABEL:
        return label
    words = label.split()
    kept = words[:1]
    while len(" ".join([*kept, words[len(kept)]])) <= SHORT_LABEL - 2:
        kept.append(words[len(kept)])
    while len(kept) > 1 and len(kept[-1]) <= 3:
        kept.pop()
    return " ".join(kept) + "…"


def _observed(item: FrameworkItem) -> Observed:
    if item.type == "subcompetence":
        return Observed(item.id, item.statement, "", _("Sous-compétences retenues"))
    side = item.framework.short_title
    return Observed(item.id, item.statement, side, _("Critères %(side)s retenus", side=side))


def row_of(
    pupil: Pupil,
    columns: list[Column],
    current: dict[tuple[int, int], Assessment],
    before: dict[tuple[int, int], str],
    groups: list[int] | None = None,
) -> Row:
    me = visit().person.id
    shown = []
    for column in columns:
        row = current.get((pupil.person_id, column.id))
        previous = before.get((pupil.person_id, column.id), "")
        if row is None:
            shown.append(Cell(previous_text=previous))
        else:
            by = initials(row.assessor) if row.assessor_id != me and row.value else ""
            shown.append(Cell(row.value, row.comment, row.id, by, previous, tuple(row.observed)))
    return Row(pupil.person_id, pupil.name, shown, groups or [])


def teams(course: Course) -> tuple[dict[int, str], dict[int, list[int]]]:
    """The names of the groups of a course by number, and the numbers of each pupil's groups."""
    names = {group.id: group.name for group in groups_of(db.session, course.id)}
    inside: dict[int, list[int]] = {}
    for number, people in members(db.session, course.id).items() if names else ():
        for person_id in people:
            inside.setdefault(person_id, []).append(number)
    return names, {person_id: sorted(numbers) for person_id, numbers in inside.items()}


def previous_words(before: dict[tuple[int, int], Turn]) -> dict[tuple[int, int], str]:
    """What the margin says of each cell's turn before; a class has few different ones, each is put in words once."""
    complexities = complexity_words()
    words = {
        turn: _(
            "Avant\u00a0: %(level)s le %(day)s, %(complexity)s",
            level=turn.level,
            day=plain_date(turn.worked_on),
            complexity=complexities[turn.complexity],
        )
        for turn in set(before.values())
    }
    return {cell: words[turn] for cell, turn in before.items()}


def colleagues_of(found: dict[tuple[int, int], Assessment], codes_by_item: dict[int, str]) -> list[Colleague]:
    """Who else wrote in this grid, and where they wrote last."""
    latest: dict[int, Assessment] = {}
    for row in sorted(found.values(), key=lambda row: row.id):
        if row.assessor_id != visit().person.id:
            latest[row.assessor_id] = row
    return [
        Colleague(initials(row.assessor), staff_name(row.assessor), codes_by_item.get(row.item_id, ""))
        for row in latest.values()
    ]
