"""Writing and reading the grid. Entries are only added; the newest of a cell counts."""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import sqlalchemy as sa
from flask_babel import gettext as _
from sqlalchemy.orm import Session, joinedload

from ..activities.models import Activity, ActivityCompetence
from ..activities.people import expected_people
from ..courses.roster import pupils_query
from .mastery import Turn
from .models import CODES, Assessment
from .scales import LEVELS

LONGEST_COMMENT = 2000


EntryRow = tuple[int, int, int, int, int | None, str | None, str]
"""Of an entry: its id, activity, person and competence, its level or code, and its comment."""


@dataclass(frozen=True)
class NewEntry:
    """What was typed in one cell. `comment` None leaves the cell's comment as it is."""

    key: str
    person_id: int
    item_id: int
    value: str
    comment: str | None = None


@dataclass(frozen=True)
class Refused:
    """An entry that was not written, and the sentence that says why."""

    key: str
    message: str


class Observation(NamedTuple):
    """A turn with where it comes from. A tuple: a course is thousands of them, made again for each page."""

    activity: Activity
    person_id: int
    item_id: int
    level: int
    comment: str
    entry_id: int = 0
    """The entry that says so."""

    @property
    def turn(self) -> Turn:
        return Turn(self.level, self.activity.starts_on, self.activity.complexity)


def parse_value(typed: str) -> tuple[int | None, str | None]:
    """A level, or a code, or neither for an emptied cell. Raises ValueError for anything else."""
    value = typed.strip().upper()
    if not value:
        return None, None
    if value in CODES:
        return None, value
    # « ² » is a digit for Python, and « 03 » a number: only these four are levels.
    if value in {str(level) for level in LEVELS}:
        return int(value), None
    raise ValueError(typed)


def record(
    session: Session, activity: Activity, assessor_id: int, entries: Iterable[NewEntry]
) -> tuple[list[Assessment], list[Refused]]:
    """Add entries to the grid, in the caller's write transaction: those written (now or before), those refused.

    The same key twice is written once. An entry that changes nothing is not written again.
    """
    people = {e.person_id for e in session.scalars(pupils_query(activity.course_id))}
    items = set(
        session.scalars(
            sa.select(ActivityCompetence.item_id).where(ActivityCompetence.activity_id == activity.id)
        )
    )
    wanted = list(entries)
    sent = {row.key: row for row in _known(session, [entry.key for entry in wanted])}
    written: list[Assessment] = []
    refused: list[Refused] = []
    current = cells(session, activity.id)
    # Who was moved out of the group since can still be corrected, where something was seen.
    inside = expected_people(session, activity) | {person_id for person_id, _item in current}
    for entry in wanted:
        known = sent.get(entry.key)
        if known is not None and known.activity_id == activity.id:
            written.append(known)
            continue
        message = _problem(activity, entry, people, items) if known is None else _unnamed()
        if not message and entry.person_id not in inside:
            message = _(
                "Cette activité est pour un groupe dont cet élève n’est pas\u00a0: rien n’a été écrit."
            )
        if message:
            refused.append(Refused(entry.key, message))
            continue
        before = current.get((entry.person_id, entry.item_id))
        level, code = parse_value(entry.value)
        comment = (before.comment if before else "") if entry.comment is None else entry.comment.strip()
        if before and (before.level, before.code, before.comment) == (level, code, comment):
            written.append(before)
            continue
        added = Assessment(
            key=entry.key,
            activity_id=activity.id,
            item_id=entry.item_id,
            person_id=entry.person_id,
            assessor_id=assessor_id,
            level=level,
            code=code,
            comment=comment,
        )
        session.add(added)
        session.flush()
        current[entry.person_id, entry.item_id] = sent[entry.key] = added
        written.append(added)
    return written, refused


def _problem(activity: Activity, entry: NewEntry, people: set[int], items: set[int]) -> str:
    """The sentence that says why an entry cannot be written; empty when it can."""
    if activity.archived_at is not None:
        return _("Cette activité est archivée\u00a0: la reprendre avant d’y évaluer.")
    if activity.year_id is not None:
        return _("Cette activité est d’une année passée\u00a0: rien ne s’y évalue plus.")
    if activity.undated:
        return _("Cette activité n’a pas encore de date\u00a0: la fixer avant d’y évaluer.")
    try:
        if str(uuid.UUID(entry.key)) != entry.key:
            return _unnamed()
    except ValueError:
        return _unnamed()
    try:
        parse_value(entry.value)
    except ValueError:
        return _(
            "«\u00a0%(value)s\u00a0» n’est pas un niveau\u00a0: "
            "taper 1, 2, 3 ou 4, ou l’un des codes ABS, DISP, NE, NF, NR.",
            value=entry.value.strip()[:12],
        )
    if entry.person_id not in people:
        return _("Cet élève n’est plus dans le cours\u00a0: rien n’a été écrit pour lui.")
    if entry.item_id not in items:
        return _("Cette compétence n’est plus dans l’activité\u00a0: recharger la page.")
    if entry.comment is not None and len(entry.comment) > LONGEST_COMMENT:
        return _("Ce commentaire dépasse %(n)s caractères\u00a0: le raccourcir.", n=LONGEST_COMMENT)
    return ""


def _unnamed() -> str:
    return _("Cette saisie n’a pas d’identifiant à elle\u00a0: recharger la page.")


def _known(session: Session, keys: list[str]) -> list[Assessment]:
    """The entries already written under these keys, whatever their activity."""
    return list(session.scalars(sa.select(Assessment).where(Assessment.key.in_(keys))))


def newest_ids(*conditions: sa.ColumnElement[bool]) -> sa.Select[int]:
    """The newest entry of each cell, among entries that meet conditions."""
    return (
        sa.select(sa.func.max(Assessment.id))
        .where(*conditions)
        .group_by(Assessment.activity_id, Assessment.person_id, Assessment.item_id)
    )


def cells(
    session: Session, activity_id: int, person_id: int | None = None
) -> dict[tuple[int, int], Assessment]:
    """The grid of an activity, or one pupil's part of it: the newest entry by (person, competence)."""
    conditions = [Assessment.activity_id == activity_id]
    if person_id is not None:
        conditions.append(Assessment.person_id == person_id)
    rows = session.scalars(
        sa.select(Assessment)
        .where(Assessment.id.in_(newest_ids(*conditions)))
        .options(joinedload(Assessment.assessor))
    )
    return {(row.person_id, row.item_id): row for row in rows}


def entries_since(session: Session, activity_id: int, since: int) -> list[Assessment]:
    """The entries of a grid newer than one, oldest first."""
    return list(
        session.scalars(
            sa.select(Assessment)
            .where(Assessment.activity_id == activity_id, Assessment.id > since)
            .order_by(Assessment.id)
            .options(joinedload(Assessment.assessor))
        )
    )


def observations(
    session: Session,
    course_id: int,
    *,
    person_ids: Iterable[int] | None = None,
    item_ids: Iterable[int] | None = None,
    year_id: int | None = None,
) -> list[Observation]:
    """The turns of a course, by date of the work: the newest entry of each cell, where it is a level.

    Archived activities count: archiving tidies the list, it takes no result away. Those of a year that is over do
    not, unless it is asked for.
    """
    those = sa.select(Activity.id).where(Activity.course_id == course_id, Activity.year_id == year_id)
    conditions = [Assessment.activity_id.in_(those)]
    if person_ids is not None:
        conditions.append(Assessment.person_id.in_(list(person_ids)))
    if item_ids is not None:
        conditions.append(Assessment.item_id.in_(list(item_ids)))
    rows = newest_entries(session, *conditions, only=Assessment.level.is_not(None))
    return observations_of(rows, course_activities(session, course_id))


def newest_entries(
    session: Session, *conditions: sa.ColumnElement[bool], only: sa.ColumnElement[bool] | None = None
) -> Sequence[EntryRow]:
    """The newest entry of each cell among those that meet conditions; of these, `only` those that meet another.

    Columns, not entries: a course is thousands of turns, and an object of the session for each costs far more.
    """
    query = sa.select(
        Assessment.id,
        Assessment.activity_id,
        Assessment.person_id,
        Assessment.item_id,
        Assessment.level,
        Assessment.code,
        Assessment.comment,
    ).where(Assessment.id.in_(newest_ids(*conditions)))
    return session.execute(query if only is None else query.where(only)).all()


def course_activities(session: Session, course_id: int) -> list[Activity]:
    """The activities of a course by date of the work, archived ones and those of years that are over too."""
    return list(
        session.scalars(
            sa.select(Activity)
            .where(Activity.course_id == course_id)
            .order_by(Activity.starts_on, Activity.complexity, Activity.id)
        )
    )


def observations_of(rows: Iterable[EntryRow], activities: Iterable[Activity]) -> list[Observation]:
    """The turns that entries of these activities are, by date of the work."""
    of = defaultdict(list)
    for entry_id, activity_id, person_id, item_id, level, _code, comment in rows:
        if level:
            of[activity_id].append((person_id, item_id, level, comment, entry_id))
    return [Observation(activity, *row) for activity in activities for row in of[activity.id]]
