"""The activity form: from what was typed to an activity, or to a sentence per wrong field."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime

import sqlalchemy as sa
from flask_babel import gettext as _
from sqlalchemy.orm import Session, selectinload

from ..courses.groups import groups_of
from ..courses.models import Course
from ..courses.periods import read_day
from ..courses.referentials import course_competences, place, reference
from ..errors import BadInput, NotFound
from ..frameworks.guide import Example
from ..frameworks.models import FrameworkItem
from ..frameworks.sheets import children, linked_items
from ..lti.claims import is_web_address
from .models import (
    COMPLEXITIES,
    PURPOSES,
    SETTINGS,
    SPECIALITIES,
    Activity,
    ActivityCompetence,
    ObservedItem,
)

LONGEST_TITLE = 255
LONGEST_SITUATION = 4000


@dataclass
class Draft:
    """What a teacher typed, as it was typed: shown again when something in it is wrong."""

    title: str = ""
    situation: str = ""
    work_url: str = ""
    starts_on: str = ""
    ends_on: str = ""
    group: str = ""
    """The number of the group it is for; empty for the whole class."""
    setting: str = "simulated"
    purpose: str = "formative"
    complexity: str = "1"
    specialities: list[str] = field(default_factory=list)
    competences: list[str] = field(default_factory=list)
    """References: « 1A », « crcn~1.1 »."""
    observed: list[str] = field(default_factory=list)
    """« reference:uuid » of the sub-competences and criteria ticked."""
    version: str = "0"

    @classmethod
    def from_form(cls, form: Mapping[str, list[str]]) -> Draft:
        """The draft a browser posted; `form` maps a name to all its values."""

        def one(name: str) -> str:
            return (form.get(name) or [""])[0].replace("\x00", "").strip()

        return cls(
            title=" ".join(one("title").split()),
            situation=one("situation").replace("\r\n", "\n"),
            work_url=one("work_url"),
            starts_on=one("starts_on"),
            ends_on=one("ends_on"),
            group=one("group"),
            setting=one("setting"),
            purpose=one("purpose"),
            complexity=one("complexity"),
            specialities=form.get("specialities") or [],
            competences=form.get("competences") or [],
            observed=form.get("observed") or [],
            version=one("version"),
        )

    @classmethod
    def from_example(cls, example: Example, day: date) -> Draft:
        """The draft that copies an example of the course's main referential, for work on that day."""
        return cls(
            title=example.title,
            situation=example.situation,
            starts_on=day.isoformat(),
            setting=example.setting,
            complexity=str(example.complexity),
            specialities=list(example.specialities),
            competences=list(example.competences),
            observed=[f"{code}:{item}" for code, item in example.observed],
        )

    @classmethod
    def from_activity(cls, activity: Activity, course: Course) -> Draft:
        """The draft that says what an activity of a course is."""
        names = {link.item_id: reference(course, link.item) for link in activity.competences}
        return cls(
            title=activity.title,
            situation=activity.situation,
            work_url=activity.work_url,
            starts_on="" if activity.undated else activity.starts_on.isoformat(),
            ends_on=activity.ends_on.isoformat() if activity.ends_on else "",
            group=str(activity.group_id or ""),
            setting=activity.setting,
            purpose=activity.purpose,
            complexity=str(activity.complexity),
            specialities=list(activity.specialities),
            competences=list(names.values()),
            observed=[
                f"{names[link.item_id]}:{o.item.uuid}" for link in activity.competences for o in link.observed
            ],
            version=str(activity.version),
        )

    @classmethod
    def from_copy(cls, activity: Activity, course: Course, day: date) -> Draft:
        """The draft of a copy, for work on that day: all that is prepared, and nothing of what was seen."""
        copy = _(" (copie)")
        title = activity.title[: LONGEST_TITLE - len(copy)] + copy
        draft = cls.from_activity(activity, course)
        return replace(draft, title=title, starts_on=day.isoformat(), ends_on="", version="0")


@dataclass(frozen=True)
class Choice:
    """A competence of the form, with what can be observed for it."""

    item: FrameworkItem
    reference: str
    subcompetences: list[FrameworkItem]
    criteria: list[FrameworkItem]


def choices(session: Session, course: Course) -> dict[str, Choice]:
    """The competences a course may attach, by reference, in order."""
    items = course_competences(session, course)
    subs = children(session, items, "subcompetence")
    criteria = linked_items(session, [item.id for item in items], "criterion")
    found = [
        Choice(item, reference(course, item), subs.get(item.id, []), criteria.get(item.id, []))
        for item in items
    ]
    return {choice.reference: choice for choice in found}


def save_activity(
    session: Session,
    course: Course,
    draft: Draft,
    person_id: int | None,
    now: datetime,
    activity: Activity | None = None,
) -> Activity:
    """Create or change an activity, in the caller's transaction. Raises `BadInput`: a sentence per field.

    `person_id` is who makes it; None when nobody does (the demo's first activities).
    """
    known = choices(session, course)
    groups = {str(group.id): group.id for group in groups_of(session, course.id)}
    starts_on, ends_on = _check(draft, known, groups, activity)
    if activity is None:
        activity = Activity(uuid=str(uuid.uuid4()), course_id=course.id, created_by_id=person_id, version=0)
        session.add(activity)
    activity.title, activity.situation, activity.work_url = draft.title, draft.situation, draft.work_url
    if starts_on is not None:
        activity.starts_on, activity.undated = starts_on, False
    activity.ends_on = ends_on
    activity.group_id = groups.get(draft.group)
    activity.setting, activity.purpose = draft.setting, draft.purpose
    activity.complexity = int(draft.complexity)
    activity.specialities = [s for s in SPECIALITIES if s in draft.specialities]
    activity.updated_at = now
    activity.version += 1
    _attach(activity, draft, known)
    session.flush()
    return activity


def find_activity(session: Session, course: Course, activity_id: int, *, hold: bool = False) -> Activity:
    """The activity of this course. Raises `NotFound`, also for another course's.

    `hold` waits for whoever else changes it, and makes later ones wait until the commit.
    """
    if hold:
        session.execute(sa.select(Activity.id).where(Activity.id == activity_id).with_for_update())
    activity = session.scalars(
        sa.select(Activity)
        .where(Activity.id == activity_id, Activity.course_id == course.id)
        .options(
            selectinload(Activity.competences).joinedload(ActivityCompetence.item),
            selectinload(Activity.competences)
            .selectinload(ActivityCompetence.observed)
            .joinedload(ObservedItem.item),
        )
    ).first()
    if activity is None:
        raise NotFound("there is no such activity in this course")
    activity.competences.sort(key=lambda link: place(course, link.item))
    return activity


def find_activity_alone(session: Session, course: Course, activity_id: int) -> Activity:
    """The activity of this course, without what it mobilises: for what comes at each keystroke. Raises `NotFound`."""
    query = sa.select(Activity).where(Activity.id == activity_id, Activity.course_id == course.id)
    activity = session.scalars(query).first()
    if activity is None:
        raise NotFound("there is no such activity in this course")
    return activity


def find_activity_and_items(session: Session, course: Course, activity_id: int) -> tuple[Activity, set[int]]:
    """The activity of this course and the competences it mobilises, in one question. Raises `NotFound`."""
    query = (
        sa.select(Activity, ActivityCompetence.item_id)
        .outerjoin(ActivityCompetence, ActivityCompetence.activity_id == Activity.id)
        .where(Activity.id == activity_id, Activity.course_id == course.id)
    )
    rows = session.execute(query).all()
    if not rows:
        raise NotFound("there is no such activity in this course")
    return rows[0][0], {item_id for _activity, item_id in rows if item_id is not None}


def list_activities(session: Session, course: Course, *, archived: bool = False) -> list[Activity]:
    """The activities of a course's present year: as a teacher placed them, else newest work first."""
    condition = Activity.archived_at.is_not(None) if archived else Activity.archived_at.is_(None)
    found = list(
        session.scalars(
            sa.select(Activity)
            .where(Activity.course_id == course.id, Activity.year_id.is_(None), condition)
            .order_by(Activity.position, Activity.starts_on.desc(), Activity.id.desc())
            .options(selectinload(Activity.competences).joinedload(ActivityCompetence.item))
        )
    )
    for activity in found:
        activity.competences.sort(key=lambda link: place(course, link.item))
    return found


def count_archived(session: Session, course: Course) -> int:
    """How many activities of a course are put away."""
    query = sa.select(sa.func.count(Activity.id)).where(
        Activity.course_id == course.id, Activity.year_id.is_(None), Activity.archived_at.is_not(None)
    )
    return session.scalar(query) or 0


def _check(
    draft: Draft, known: dict[str, Choice], groups: Mapping[str, int], activity: Activity | None
) -> tuple[date | None, date | None]:
    """The dates of a draft; no first one for an activity whose date is still to be set. Raises `BadInput`."""
    waits = activity is not None and activity.undated and not draft.starts_on and not draft.ends_on
    problems: dict[str, str] = {}
    if not draft.title:
        problems["title"] = _("Un titre est nécessaire\u00a0: quelques mots suffisent.")
    elif len(draft.title) > LONGEST_TITLE:
        problems["title"] = _("Ce titre dépasse %(n)s caractères\u00a0: le raccourcir.", n=LONGEST_TITLE)
    if len(draft.situation) > LONGEST_SITUATION:
        problems["situation"] = _(
            "Ce texte dépasse %(n)s caractères\u00a0: le raccourcir.", n=LONGEST_SITUATION
        )
    if draft.work_url and not is_web_address(draft.work_url):
        problems["work_url"] = _("Cette adresse n’en est pas une\u00a0: elle commence par https://")
    starts_on = read_day(draft.starts_on)
    ends_on = read_day(draft.ends_on) if draft.ends_on else None
    if starts_on is None and not waits:
        problems["starts_on"] = _("Cette date n’existe pas ou manque\u00a0: choisir le jour du travail.")
    if draft.ends_on and ends_on is None:
        problems["ends_on"] = _("Cette date n’existe pas\u00a0: la corriger, ou laisser vide.")
    if starts_on and ends_on and ends_on < starts_on:
        problems["ends_on"] = _("La fin vient avant le début\u00a0: inverser les deux dates.")
    if draft.group and draft.group not in groups:
        problems["group"] = _("Ce groupe n’est plus dans le cours\u00a0: choisir de nouveau pour qui.")
    if draft.complexity not in {str(c) for c in COMPLEXITIES}:
        problems["complexity"] = _("Choisir simple, variée ou complexe.")
    if draft.setting not in SETTINGS:
        problems["setting"] = _("Choisir réelle ou simulée.")
    if draft.purpose not in PURPOSES:
        problems["purpose"] = _("Choisir formative ou certificative.")
    if not set(draft.specialities) <= set(SPECIALITIES):
        problems["specialities"] = _("Choisir parmi accueil, commerce et vente.")
    if not draft.competences:
        problems["competences"] = _("Cocher au moins une compétence que la situation mobilise.")
    elif not set(draft.competences) <= set(known):
        problems["competences"] = _(
            "Une compétence cochée n’est plus dans le référentiel\u00a0: recharger la page."
        )
    if activity is not None and draft.version != str(activity.version):
        problems["version"] = _(
            "Quelqu’un a modifié cette activité entre-temps. Les valeurs tapées sont gardées ci-dessous\u00a0: "
            "les relire, puis enregistrer de nouveau pour les retenir."
        )
    if problems:
        raise BadInput(problems)
    return starts_on, ends_on


def _attach(activity: Activity, draft: Draft, known: dict[str, Choice]) -> None:
    """Make the activity mobilise exactly the ticked competences, and observe exactly what is ticked for each."""
    current = {link.item_id: link for link in activity.competences}
    wanted = {known[name].item.id: known[name] for name in draft.competences}
    for item_id, link in current.items():
        if item_id not in wanted:
            activity.competences.remove(link)
    for item_id, choice in wanted.items():
        link = current.get(item_id) or ActivityCompetence(item=choice.item)
        if item_id not in current:
            activity.competences.append(link)
        observed = [o.rpartition(":") for o in draft.observed]
        ticked = {identifier for name, _colon, identifier in observed if name == choice.reference}
        allowed = [i for i in [*choice.subcompetences, *choice.criteria] if i.uuid in ticked]
        kept = {o.item_id: o for o in link.observed}
        link.observed[:] = [kept.get(i.id) or ObservedItem(item=i) for i in allowed]
