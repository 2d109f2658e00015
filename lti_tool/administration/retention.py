"""Erasing people: those whom nothing has named for long, and whoever asks.

Their results, names, scores on their way, enrolments and sessions go. What belongs to others stays: an activity they
made, and the entries a teacher made on pupils who stay, whose author is then nobody in particular.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from ..assessment.models import Assessment
from ..config import Config
from ..courses.models import Person
from ..db import begin_write, db, insert_missing
from ..gradebook.models import ScoreDelivery
from ..lti.refused import forget_refusals
from .models import AdminEvent, WorkerTrace
from .removing import delete_rows
from .repointing import references
from .signing_in import forget_ended

BATCH = 100
"""People erased in one transaction: nobody who types waits longer for it than for a class list."""
ERASED = "erased:"
"""How the `sub` of somebody who is only an author begins: no platform's launch finds them."""


@dataclass(frozen=True)
class Erasure:
    """What went: people, and the entries about them."""

    people: int
    entries: int


def erase_people(session: Session, ids: list[int]) -> Erasure:
    """Erase people, in the caller's transaction."""
    mine = Assessment.person_id.in_(ids)
    entries = session.scalar(sa.select(sa.func.count()).where(mine)) or 0
    for column in references(Person.__tablename__):
        if column.table.name == Assessment.__tablename__ and column.name == "assessor_id":
            continue
        if column.nullable:
            session.execute(sa.update(column.table).where(column.in_(ids)).values({column: None}))
        elif "id" in column.table.primary_key.columns:
            delete_rows(session, sa.select(column.table.c.id).where(column.in_(ids)), column.table.name)
        else:
            session.execute(sa.delete(column.table).where(column.in_(ids)))
    authors = set(
        session.scalars(sa.select(Assessment.assessor_id).where(Assessment.assessor_id.in_(ids)).distinct())
    )
    for author in authors:
        empty = {"sub": f"{ERASED}{uuid.uuid4()}", "given_name": "", "family_name": "", "name": ""}
        session.execute(sa.update(Person).where(Person.id == author).values(**empty, seen_at=None))
    session.execute(sa.delete(Person).where(Person.id.in_(set(ids) - authors)))
    _forget_authors_of_nothing(session)
    session.expire_all()
    return Erasure(len(ids), entries)


def _forget_authors_of_nothing(session: Session) -> None:
    """Delete the nameless rows of those who were erased before, once the last entry they made is gone."""
    nameless = sa.and_(Person.seen_at.is_(None), Person.sub.startswith(ERASED, autoescape=True))
    made = sa.exists().where(Assessment.assessor_id == Person.id)
    session.execute(sa.delete(Person).where(nameless, ~made))


def erase_forgotten(config: Config, now: datetime) -> Erasure:
    """Erase some of those not seen for as long as the settings say: one batch. Commits.

    The worker comes back each minute: a hundred each time are more than any school has.
    """
    begin_write()
    forgotten = (
        sa.select(Person.id)
        .where(Person.seen_at < now - config.retention.people)
        .order_by(Person.id)
        .limit(BATCH)
        .with_for_update(skip_locked=True)
    )
    erased = erase_people(db.session, list(db.session.scalars(forgotten)))
    if erased.people:
        trace = db.session.get_one(WorkerTrace, 1)
        same_day = trace.erased_at is not None and trace.erased_at.date() == now.date()
        trace.erased_people = erased.people + (trace.erased_people if same_day else 0)
        trace.erased_at = now
    db.session.commit()
    return erased


def keep_house(config: Config, now: datetime) -> None:
    """What the worker does for the administrator each minute: say it is alive, forget what is over. Commits."""
    begin_write()
    insert_missing(db.session, WorkerTrace, id=1, seen_at=now, erased_people=0)
    db.session.execute(sa.update(WorkerTrace).values(seen_at=now))
    forget_ended(db.session, now)
    forget_refusals(db.session, now)
    db.session.execute(sa.delete(AdminEvent).where(AdminEvent.at < now - config.retention.log))
    db.session.commit()
    erase_forgotten(config, now)


def count_forgotten(session: Session, config: Config, now: datetime) -> int:
    """How many people the worker is about to erase."""
    forgotten = Person.seen_at < now - config.retention.people
    return session.scalar(sa.select(sa.func.count()).where(forgotten)) or 0


def stored_people(session: Session) -> dict[str, int]:
    """How many people are known, and how many entries and scores about them."""
    return {
        name: session.scalar(sa.select(sa.func.count()).select_from(model)) or 0
        for name, model in (("people", Person), ("entries", Assessment), ("scores", ScoreDelivery))
    }
