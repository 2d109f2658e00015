"""Columns follow the name of their competence: the worker renames them after the scores have left.

Once for each new name. A column that a teacher renamed in the LMS keeps that name, one that belongs to a link is not
touched, and what the LMS does not let us do is not asked again.
"""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import dataclass, replace

import sqlalchemy as sa
import structlog
from sqlalchemy.orm import Session, joinedload

from ..config import Config
from ..courses.models import Course
from ..db import begin_write, db, utcnow
from ..errors import PlatformDelayed, PlatformError
from ..frameworks.models import Framework, FrameworkItem
from ..lti import ags
from ..lti.models import Deployment, Platform
from ..lti.services import Service, service_of
from ..lti.tokens import Tokens
from .columns import LONGEST_LABEL, column_label
from .models import GradebookSettings, LineItem, PlatformPause

log = structlog.get_logger()

LONGEST_S = 10.0
"""Scores wait for nobody longer than this, and for one answer more: the rest is renamed at the next sweep."""
MOST_TRIES = 5
"""A platform that does not answer is asked at so many sweeps."""
_tries: Counter[tuple[int, str]] = Counter()


@dataclass(frozen=True)
class Renaming:
    """A column that is to be called otherwise, as plain values."""

    column_id: int
    platform_id: int
    url: str
    former: str
    wanted: str
    service: Service


def rename_columns(tokens: Tokens, config: Config) -> int:
    """Rename what has another name now; how many columns were.

    Commits; no transaction is open while the LMS answers.
    """
    until, silent, renamed = time.monotonic() + LONGEST_S, set[int](), 0
    for renaming in _wanted(db.session, tokens, config):
        if time.monotonic() > until:
            break
        if renaming.platform_id in silent:
            continue
        key = (renaming.column_id, renaming.wanted)
        try:
            renamed += _rename(renaming)
        except PlatformDelayed as error:
            silent.add(renaming.platform_id)
            _tries[key] += 1
            log.info("column_not_renamed", column=renaming.column_id, status=error.status)
            if _tries[key] < MOST_TRIES:
                continue
        except PlatformError as error:
            log.info("column_not_renamed", column=renaming.column_id, status=error.status)
        _tries.pop(key, None)
        _settle(renaming)
    return renamed


def _wanted(session: Session, tokens: Tokens, config: Config) -> list[Renaming]:
    """The columns whose name is not the one of their competence in their course."""
    paused = sa.select(PlatformPause.platform_id).where(PlatformPause.until > utcnow())
    query = (
        sa.select(LineItem)
        .join(Course, Course.id == LineItem.course_id)
        .join(Platform, Platform.id == Course.platform_id)
        .join(Deployment, Deployment.id == Course.deployment_id)
        .join(FrameworkItem, FrameworkItem.id == LineItem.item_id)
        .join(Framework, Framework.id == FrameworkItem.framework_id)
        .outerjoin(GradebookSettings, GradebookSettings.course_id == Course.id)
        .where(
            LineItem.url != "",
            LineItem.gone.is_(False),
            LineItem.label != _label(),
            Platform.enabled.is_(True),
            Deployment.enabled.is_(True),
            Course.awaits_launch.is_(False),
            sa.or_(GradebookSettings.sending.is_(None), GradebookSettings.sending.is_(True)),
            Course.platform_id.not_in(paused),
        )
        .options(
            joinedload(LineItem.course).joinedload(Course.platform),
            joinedload(LineItem.item).joinedload(FrameworkItem.framework),
        )
        .order_by(LineItem.id)
    )
    found = []
    for column in session.scalars(query.execution_options(populate_existing=True)):
        wanted = column_label(column.course, column.item)
        if wanted != column.label:
            platform = column.course.platform
            service = service_of(session, platform, tokens, config)
            found.append(Renaming(column.id, platform.id, column.url, column.label, wanted, service))
    session.commit()
    return found


def _label() -> sa.ColumnElement[str]:
    """`column_label` in SQL, so that columns which keep their name cost nothing each minute."""
    item = FrameworkItem
    is_main = Framework.slug == Course.framework_slugs[0].as_string()
    code = sa.case((is_main, item.code), else_=item.code + " (" + Framework.short_title + ")")
    text = sa.func.coalesce(sa.func.nullif(item.label, ""), item.statement)
    return sa.func.substr(code + " · " + text, 1, LONGEST_LABEL)


def _rename(renaming: Renaming) -> bool:
    """Have a column called otherwise, everything else as it is; whether it was. Raises `PlatformError`."""
    column = ags.read_column(renaming.service, renaming.url)
    # Moodle gives the name back as it was given; another one is a teacher's.
    if column.of_link or column.label != renaming.former:
        return False
    ags.update_column(renaming.service, replace(column, url=renaming.url, label=renaming.wanted))
    log.info("column_renamed", column=renaming.column_id)
    return True


def _settle(renaming: Renaming) -> None:
    """Remember the name that was wanted, so that it is not asked for again."""
    begin_write()
    db.session.execute(
        sa.update(LineItem)
        .where(LineItem.id == renaming.column_id, LineItem.url == renaming.url)
        .values(label=renaming.wanted)
    )
    db.session.commit()
