"""What pupils say of themselves: added, never changed, and never part of a position or a score."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlsplit

import sqlalchemy as sa
from flask_babel import gettext as _
from sqlalchemy.orm import Session, joinedload

from ..activities.models import COMPLEXITIES, Activity
from ..errors import BadInput
from ..frameworks.models import FrameworkItem
from ..lti.claims import is_web_address
from .models import SelfPosition
from .scales import LEVELS

LONGEST_EVIDENCE = 1000


@dataclass(frozen=True)
class SelfDraft:
    """What a pupil typed, as it was typed: shown again when something in it is wrong."""

    level: str = ""
    complexity: str = ""
    evidence: str = ""
    link: str = ""

    @classmethod
    def from_form(cls, form: Mapping[str, str]) -> SelfDraft:
        return cls(
            level=form.get("level", ""),
            complexity=form.get("complexity", ""),
            evidence=form.get("evidence", "").replace("\r\n", "\n").strip(),
            link=form.get("link", "").strip(),
        )


def add_self_position(
    session: Session,
    course_id: int,
    person_id: int,
    item: FrameworkItem,
    activity: Activity | None,
    draft: SelfDraft,
    now: datetime,
) -> SelfPosition:
    """Add what a pupil says, in the caller's transaction; the same thing said twice running is one.

    About an activity, its complexity is the activity's. Raises `BadInput`: a sentence per field.
    """
    complexity = str(activity.complexity) if activity else draft.complexity
    if problems := _problems(draft, complexity):
        raise BadInput(problems)
    said = SelfPosition(
        course_id=course_id,
        person_id=person_id,
        item_id=item.id,
        activity_id=activity.id if activity else None,
        level=int(draft.level),
        complexity=int(complexity),
        evidence=draft.evidence,
        link=draft.link,
        created_at=now,
    )
    before = self_positions(session, course_id, person_id, item.id)[:1]
    if before and _content(before[0]) == _content(said):
        return before[0]
    session.add(said)
    session.flush()
    return said


def _content(said: SelfPosition) -> tuple[object, ...]:
    return said.activity_id, said.level, said.complexity, said.evidence, said.link


def _problems(draft: SelfDraft, complexity: str) -> dict[str, str]:
    problems = {}
    if draft.level not in {str(level) for level in LEVELS}:
        problems["level"] = _("Choisir un niveau, de 1 à 4.")
    if complexity not in {str(one) for one in COMPLEXITIES}:
        problems["complexity"] = _("Choisir simple, variée ou complexe.")
    if not draft.evidence and not draft.link:
        problems["evidence"] = _("Écrire une phrase, ou donner un lien, qui montre ce niveau.")
    elif len(draft.evidence) > LONGEST_EVIDENCE:
        problems["evidence"] = _(
            "Ce texte dépasse %(n)s caractères\u00a0: le raccourcir.", n=LONGEST_EVIDENCE
        )
    if draft.link and not (is_web_address(draft.link) and "@" not in urlsplit(draft.link).netloc):
        problems["link"] = _("Cette adresse n’en est pas une\u00a0: elle commence par https://")
    return problems


def host_of(link: str) -> str:
    """Where a link leads, to be read before it is followed."""
    return urlsplit(link).hostname or ""


def self_positions(
    session: Session, course_id: int, person_id: int, item_id: int | None = None
) -> list[SelfPosition]:
    """What a pupil said in a course, of one competence or of all, newest first."""
    query = (
        sa.select(SelfPosition)
        .where(SelfPosition.course_id == course_id, SelfPosition.person_id == person_id)
        .order_by(SelfPosition.id.desc())
        .options(joinedload(SelfPosition.activity))
    )
    return list(session.scalars(query if item_id is None else query.where(SelfPosition.item_id == item_id)))


def newest_by_item(said: list[SelfPosition]) -> dict[int, SelfPosition]:
    """The newest word on each competence; `said` newest first."""
    newest: dict[int, SelfPosition] = {}
    for one in said:
        newest.setdefault(one.item_id, one)
    return newest
