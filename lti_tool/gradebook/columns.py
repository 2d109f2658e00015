"""The columns of the LMS's gradebook: adopted or made once per course and competence."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from ..config import Config
from ..courses.models import Course, ResourceLink
from ..courses.referentials import spoken_code
from ..db import begin_write, db, insert_missing, utcnow
from ..errors import PlatformDelayed, PlatformRefused
from ..frameworks.models import FrameworkItem
from ..lti import ags
from ..lti.services import Service
from .models import ColumnOf, DeliveryState, LineItem, Mode, OwnColumn, ScoreDelivery
from .scores import send_again
from .worths import settings_of

LONGEST_LABEL = 255
COLUMN_GONE = "column gone"
COLUMN_BUSY = "column busy"


def column_label(course: Course, item: FrameworkItem) -> str:
    """« 1C · Rechercher le besoin du client », « 1.1 (CRCN) · Mener une recherche »."""
    return f"{spoken_code(course, item)} · {item.label or item.statement}"[:LONGEST_LABEL]


@dataclass(frozen=True)
class KnownColumn:
    """What is known of a column without asking the LMS; `url` is empty when it has to be asked."""

    url: str = ""
    renewed_at: datetime | None = None


def known_columns(session: Session, course_id: int, maximum: int) -> dict[ColumnOf, KnownColumn]:
    """The columns of a course that are known, with the maximum wanted."""
    items: list[Any] = [LineItem.item_id, LineItem.url, LineItem.maximum, LineItem.gone, LineItem.renewed_at]
    known: dict[ColumnOf, KnownColumn] = {}
    for item_id, url, has, gone, renewed_at in session.execute(
        sa.select(*items).filter_by(course_id=course_id)
    ):
        known[item_id] = KnownColumn(url if has == maximum and not gone else "", renewed_at)
    links = sa.select(ResourceLink.id, ResourceLink.lineitem_url).where(
        ResourceLink.course_id == course_id, ResourceLink.lineitem_url != ""
    )
    known |= {OwnColumn(link_id): KnownColumn(url) for link_id, url in session.execute(links)}
    return known


def find_or_make_column(
    service: Service, course_id: int, item_id: int, maximum: int, config: Config
) -> tuple[str, bool]:
    """The address of a column, with the maximum wanted, and whether it was made just now: it holds nothing yet.

    Commits; no transaction is open while the LMS answers.

    Raises `PlatformDelayed` (« column busy » while another worker is at it) or `PlatformRefused` (« column gone »
    when it was deleted in the LMS).
    """
    column = _hold(course_id, item_id, maximum, config)
    if column.url and column.maximum == maximum:
        return column.url, False
    course = db.session.get_one(Course, course_id)
    item = db.session.get_one(FrameworkItem, item_id)
    wanted = ags.Column(column.url, column_label(course, item), maximum, item.uuid, item.code)
    lineitems_url, lost, held_until = course.lineitems_url, column.lost, column.busy_until
    db.session.commit()
    found, looked, made = None, False, False
    try:
        found, made = _in_the_lms(service, lineitems_url, wanted, make=not lost)
        looked = True
    finally:
        begin_write()
        kept = db.session.get_one(LineItem, column.id, populate_existing=True)
        if kept.busy_until == held_until:
            kept.busy_until = None
        if found is not None:
            # The maximum asked for, even of an LMS that keeps its own: what it holds is compared on its own scale.
            kept.url, kept.maximum, kept.lost = found.url, maximum, False
            # Else it keeps the name it was given last: `rename_columns` gives it another.
            if made or not kept.label:
                kept.label = wanted.label
        elif looked:
            # Deleted in the LMS: it is made again only when a teacher says so.
            kept.url, kept.gone, kept.lost = "", True, False
        db.session.commit()
    if found is None:
        raise PlatformRefused(COLUMN_GONE, 404)
    return found.url, made


def only_link_columns(session: Session, course: Course) -> bool:
    """Whether the platform gives columns that came with links of this course, and none of ours can be made."""
    if course.lineitems_url or ags.SCOPE_SCORE not in course.ags_scopes:
        return False
    query = sa.select(ResourceLink.id).where(
        ResourceLink.course_id == course.id, ResourceLink.lineitem_url != ""
    )
    return session.scalar(query.limit(1)) is not None


def make_column_again(session: Session, course: Course, item_id: int, now: datetime) -> int:
    """Have a column that was deleted in the LMS made again, with every score it held: how many will be sent.

    In a course that sends on « Publier », as they were published: what they are worth by now is seen first.
    """
    publishes = settings_of(session, course.id).mode == Mode.PUBLISH
    ended = sa.select(ScoreDelivery.person_id).where(
        ScoreDelivery.course_id == course.id,
        ScoreDelivery.item_id == item_id,
        ScoreDelivery.state != DeliveryState.REPLACED,
    )
    people = sorted(set(session.scalars(ended)))
    pairs = [(person_id, item_id) for person_id in people]
    written = send_again(session, course, pairs, now, as_written=publishes)
    session.execute(
        sa.update(LineItem)
        .where(LineItem.course_id == course.id, LineItem.item_id == item_id)
        .values(gone=False, lost=False, url="", renewed_at=now)
    )
    return len(written)


def lose_column(course_id: int, column: ColumnOf, url: str) -> None:
    """The LMS no longer knows a column's address: it is looked up before the next try. In the caller's transaction.

    A link's own column is not looked up: the next launch through the link says where it is.
    """
    if isinstance(column, OwnColumn):
        change = sa.update(ResourceLink).where(
            ResourceLink.id == column.link_id, ResourceLink.lineitem_url == url
        )
        db.session.execute(change.values(lineitem_url=""))
        return
    db.session.execute(
        sa.update(LineItem)
        .where(LineItem.course_id == course_id, LineItem.item_id == column, LineItem.url == url)
        .values(lost=True, url="")
    )


def _hold(course_id: int, item_id: int, maximum: int, config: Config) -> LineItem:
    """The row of a column; held for this worker when the LMS has to be asked about it."""
    begin_write()
    session, now = db.session, utcnow()
    query = (
        sa.select(LineItem)
        .filter_by(course_id=course_id, item_id=item_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    column = session.scalars(query).first()
    if column is None:
        insert_missing(
            session, LineItem, course_id=course_id, item_id=item_id, url="", label="", maximum=0, gone=False
        )
        column = session.scalars(query).one()
    if column.gone:
        session.commit()
        raise PlatformRefused(COLUMN_GONE, 404)
    if not column.url or column.maximum != maximum:
        if column.busy_until is not None and column.busy_until > now:
            session.commit()
            raise PlatformDelayed(COLUMN_BUSY, retry_at=now + timedelta(seconds=1))
        column.busy_until = now + timedelta(seconds=config.delivery.lease_s)
    session.commit()
    return column


def _in_the_lms(
    service: Service, lineitems_url: str, wanted: ags.Column, *, make: bool
) -> tuple[ags.Column | None, bool]:
    """The column as the LMS has it, made when it has none and `make`; and whether it was.

    Look first, always: the answer to an earlier POST may have been lost.
    """
    found = ags.find_column(service, lineitems_url, wanted.resource_id, wanted.tag, wanted.url)
    if found is None:
        # One whose address was known has been deleted; `make` is for one that never was, or is wanted again.
        if make and not wanted.url:
            return ags.create_column(service, lineitems_url, wanted), True
        return None, False
    if found.maximum != wanted.maximum:
        found = ags.update_column(service, replace(found, maximum=wanted.maximum))
    return found, False
