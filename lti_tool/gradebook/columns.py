"""The columns of the LMS's gradebook: adopted or made once per course and competence."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import sqlalchemy as sa

from ..config import Config
from ..courses.models import Course
from ..db import begin_write, db, insert_missing, utcnow
from ..errors import PlatformDelayed, PlatformRefused
from ..frameworks.models import FrameworkItem
from ..lti import ags
from ..lti.services import Service
from .models import LineItem

LONGEST_LABEL = 255
COLUMN_GONE = "column gone"


def column_label(item: FrameworkItem) -> str:
    """« 1C · Rechercher le besoin du client »."""
    return f"{item.code} · {item.label or item.statement}"[:LONGEST_LABEL]


def find_or_make_column(service: Service, course_id: int, item_id: int, maximum: int, config: Config) -> str:
    """The address of a column, with the maximum wanted. Commits; no transaction is open while the LMS answers.

    Raises `PlatformDelayed` (also while another worker is at it) or `PlatformRefused` (« column gone » when it was
    deleted in the LMS).
    """
    column = _hold(course_id, item_id, config)
    if column.url and column.maximum == maximum:
        return column.url
    course = db.session.get_one(Course, course_id)
    item = db.session.get_one(FrameworkItem, item_id)
    wanted = ags.Column("", column_label(item), maximum, item.uuid, item.code)
    lineitems_url, lost = course.lineitems_url, column.lost
    db.session.commit()
    found = None
    try:
        found = _in_the_lms(service, lineitems_url, wanted, make=not lost)
    finally:
        begin_write()
        kept = db.session.get_one(LineItem, column.id, populate_existing=True)
        kept.busy_until = None
        if found is not None:
            kept.url, kept.label, kept.maximum, kept.lost = found.url, found.label, maximum, False
        db.session.commit()
    if found is None:
        _say_gone(column.id)
        raise PlatformRefused(COLUMN_GONE, 404)
    return found.url


def _hold(course_id: int, item_id: int, config: Config) -> LineItem:
    """The row of a column; held for this worker when the LMS has to be asked about it."""
    begin_write()
    session, now = db.session, utcnow()
    query = sa.select(LineItem).filter_by(course_id=course_id, item_id=item_id).with_for_update()
    column = session.scalars(query).first()
    if column is None:
        insert_missing(
            session, LineItem, course_id=course_id, item_id=item_id, url="", label="", maximum=0, gone=False
        )
        column = session.scalars(query).one()
    if column.gone:
        session.commit()
        raise PlatformRefused(COLUMN_GONE, 404)
    if not column.url:
        if column.busy_until is not None and column.busy_until > now:
            session.commit()
            raise PlatformDelayed("another worker makes the column", retry_at=now + timedelta(seconds=1))
        column.busy_until = now + timedelta(seconds=config.delivery.lease_s)
    session.commit()
    return column


def _say_gone(column_id: int) -> None:
    """The column was deleted in the LMS: it is made again only when a teacher says so."""
    begin_write()
    db.session.execute(sa.update(LineItem).where(LineItem.id == column_id).values(gone=True, lost=False))
    db.session.commit()


def _in_the_lms(service: Service, lineitems_url: str, wanted: ags.Column, *, make: bool) -> ags.Column | None:
    """The column as the LMS has it, made when it has none and `make`.

    Look first, always: the answer to an earlier POST may have been lost.
    """
    found = ags.find_column(service, lineitems_url, wanted.resource_id, wanted.tag)
    if found is None:
        return ags.create_column(service, lineitems_url, wanted) if make else None
    if found.maximum != wanted.maximum:
        found = ags.update_column(service, replace(found, maximum=wanted.maximum))
    return found
