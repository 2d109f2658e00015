"""Writing and reading the grid. Entries are only added; the newest of a cell counts."""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import sqlalchemy as sa
from flask_babel import gettext as _
from sqlalchemy.orm import Session, joinedload, load_only

from ..activities.models import Activity, ActivityCompetence, ObservedItem
from ..activities.people import expected_people
from ..courses.models import Enrolment
from ..courses.roster import pupils_query
from .mastery import Turn
from .models import CODES, Assessment
from .scales import LEVELS

LONGEST_COMMENT = 2000


EntryRow = tuple[int, int, int, int, int | None, str | None, str]
"""Of an entry: its id, activity, person and competence, its level or code, and its comment."""


@dataclass(frozen=True)
class NewEntry:
    """What was typed in one cell. None leaves the cell's value, comment or ticks as they are by then."""

    key: str
    person_id: int
    item_id: int
    value: str | None
    comment: str | None = None
    observed: tuple[int, ...] | None = None


@dataclass(frozen=True)
class Refused:
    """An entry that was not written, and the sentence that says why."""

    key: str
    message: str


Written = tuple[NewEntry, Assessment]
"""An entry, and what its cell holds by it."""


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


def pupils_among(session: Session, course_id: int, people: Collection[int]) -> set[int]:
    """Who of these people is assessed in a course."""
    pupils = pupils_query(course_id).with_only_columns(Enrolment.person_id)
    return set(session.scalars(pupils.where(Enrolment.person_id.in_(people))))


def record(
    session: Session,
    activity: Activity,
    assessor_id: int,
    entries: Iterable[NewEntry],
    *,
    pupils: Collection[int] | None = None,
    items: Collection[int] | None = None,
) -> tuple[list[Written], list[Refused]]:
    """Add entries to the grid, in the caller's write transaction: those written (now or before), those refused.

    The same key twice is written once. An entry that changes nothing is not written again. The activity was read in
    this transaction once its course was held, so that its year is not closed meanwhile; `pupils` are those of the
    course that entries are for and `items` the activity's competences, where they were read already.
    """
    wanted = list(entries)
    typed_for = {entry.person_id for entry in wanted}
    people = set(pupils_among(session, activity.course_id, typed_for) if pupils is None else pupils)
    if items is None:
        of_activity = ActivityCompetence.activity_id == activity.id
        items = set(session.scalars(sa.select(ActivityCompetence.item_id).where(of_activity)))
    written: list[Written] = []
    refused: list[Refused] = []
    rows = _written(session, activity.id, typed_for, {entry.key for entry in wanted})
    sent = {row.key: row for row in rows}
    current = {
        (row.person_id, row.item_id): row
        for row in rows
        if row.activity_id == activity.id and row.person_id in typed_for
    }
    to_observe = _to_observe(session, activity) if any(e.observed is not None for e in wanted) else {}
    # Who was moved out of the group since can still be corrected, where something was seen.
    inside = people if activity.group_id is None else expected_people(session, activity)
    inside = inside | {person_id for person_id, _item in current}
    for entry in wanted:
        known = sent.get(entry.key)
        if known is not None and known.activity_id == activity.id:
            written.append((entry, known))
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
        level, code = (before.level, before.code) if before else (None, None)
        if entry.value is not None:
            level, code = parse_value(entry.value)
        comment = (before.comment if before else "") if entry.comment is None else entry.comment.strip()
        observed = list(before.observed) if before else []
        if entry.observed is not None:
            observed = sorted(to_observe.get(entry.item_id, set()).intersection(entry.observed))
        if before and (before.level, before.code, before.comment, before.observed) == (
            level,
            code,
            comment,
            observed,
        ):
            written.append((entry, before))
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
            observed=observed,
        )
        session.add(added)
        current[entry.person_id, entry.item_id] = sent[entry.key] = added
        written.append((entry, added))
    session.flush()
    return written, refused


def _written(
    session: Session, activity_id: int, people: Collection[int], keys: Collection[str]
) -> list[Assessment]:
    """What these people's cells of an activity hold, and what was written under these keys anywhere; oldest first."""
    newest = newest_ids(Assessment.activity_id == activity_id, Assessment.person_id.in_(people))
    ids = sa.union_all(sa.select(Assessment.id).where(Assessment.key.in_(keys)), newest)
    return list(session.scalars(sa.select(Assessment).where(Assessment.id.in_(ids)).order_by(Assessment.id)))


def _to_observe(session: Session, activity: Activity) -> dict[int, set[int]]:
    """What there is to observe in an activity, by competence. A tick of anything else is left out."""
    rows = session.execute(
        sa.select(ActivityCompetence.item_id, ObservedItem.item_id)
        .join(ObservedItem, ObservedItem.activity_competence_id == ActivityCompetence.id)
        .where(ActivityCompetence.activity_id == activity.id)
    )
    found: dict[int, set[int]] = {}
    for competence_id, item_id in rows:
        found.setdefault(competence_id, set()).add(item_id)
    return found


def _problem(activity: Activity, entry: NewEntry, people: Collection[int], items: Collection[int]) -> str:
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
        parse_value(entry.value or "")
    except ValueError:
        return _(
            "«\u00a0%(value)s\u00a0» n’est pas un niveau\u00a0: "
            "taper 1, 2, 3 ou 4, ou l’un des codes ABS, DISP, NE, NF, NR.",
            value=(entry.value or "").strip()[:12],
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
    dated_only: bool = False,
) -> list[Observation]:
    """The turns of a course, by date of the work: the newest entry of each cell, where it is a level.

    Archived activities count: archiving tidies the list, it takes no result away. Those of a year that is over do
    not, unless it is asked for. `dated_only` reads of the activities what positions need: when, and how hard.
    """
    those = sa.select(Activity.id).where(Activity.course_id == course_id, Activity.year_id == year_id)
    conditions = [Assessment.activity_id.in_(those)]
    if person_ids is not None:
        conditions.append(Assessment.person_id.in_(list(person_ids)))
    if item_ids is not None:
        conditions.append(Assessment.item_id.in_(list(item_ids)))
    rows = newest_entries(session, *conditions, only=Assessment.level.is_not(None))
    return observations_of(session, rows, dated_only=dated_only)


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


def observations_of(
    session: Session, rows: Iterable[EntryRow], *, dated_only: bool = False
) -> list[Observation]:
    """The turns that entries are, by date of the work: those that are levels."""
    of = defaultdict(list)
    for entry_id, activity_id, person_id, item_id, level, _code, comment in rows:
        if level:
            of[activity_id].append((person_id, item_id, level, comment, entry_id))
    query = sa.select(Activity).where(Activity.id.in_(list(of)))
    if dated_only:
        query = query.options(load_only(Activity.starts_on, Activity.complexity))
    activities = session.scalars(query.order_by(Activity.starts_on, Activity.complexity, Activity.id))
    return [Observation(activity, *row) for activity in activities for row in of[activity.id]]


def previous_levels(
    session: Session, activity: Activity, item_ids: Iterable[int]
) -> dict[tuple[int, int], Turn]:
    """For each (person, competence), the latest turn in another activity of the year, up to this one's date."""
    those = sa.select(Activity.id).where(
        Activity.course_id == activity.course_id,
        Activity.year_id == activity.year_id,
        Activity.id != activity.id,
        Activity.starts_on <= activity.starts_on,
    )
    newest = newest_ids(Assessment.activity_id.in_(those), Assessment.item_id.in_(list(item_ids)))
    cell = (Assessment.person_id, Assessment.item_id)
    latest_first = (Activity.starts_on.desc(), Activity.complexity.desc(), Activity.id.desc())
    place = sa.func.row_number().over(partition_by=cell, order_by=latest_first)
    ranked = (
        sa.select(*cell, Assessment.level, Activity.starts_on, Activity.complexity, place.label("place"))
        .join(Activity, Activity.id == Assessment.activity_id)
        .where(Assessment.id.in_(newest), Assessment.level.is_not(None))
        .subquery()
    )
    rows = session.execute(sa.select(ranked).where(ranked.c.place == 1))
    return {(row.person_id, row.item_id): Turn(row.level, row.starts_on, row.complexity) for row in rows}
