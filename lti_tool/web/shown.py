"""How things are said: dates, words of the lists, what a page shows of an activity."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from flask import current_app, g
from flask_babel import format_date as babel_date
from flask_babel import gettext as _

from ..activities.models import Activity
from ..assessment.models import CODES
from ..assessment.scales import DEFAULT_SCALE, LEVELS, Scale, find_scale, scale_of
from ..assessment.words import first_of_month, locale
from ..courses.models import CoursePeriod
from ..courses.periods import periods_at
from ..db import utcnow


@dataclass(frozen=True)
class Choice:
    """A value of a list and its word."""

    value: int | str
    label: str
    key: str = ""


def scale() -> Scale:
    """The scale of the course; the usual one on a page of no course."""
    visit = g.get("visit")
    return scale_of(visit.course) if visit else find_scale(DEFAULT_SCALE)


def scale_words(slug: str) -> tuple[str, str]:
    """« LSL Pro », and its four words."""
    scale = find_scale(slug)
    words = scale.words.get(locale(), scale.words["fr"])
    return scale.name, ", ".join(f"{level}\u00a0{word}" for level, word in sorted(words.items()))


def level_word(level: int) -> str:
    """« maîtrisée »."""
    return scale().word(level, locale())


def levels() -> list[Choice]:
    """The four levels with their words."""
    return [Choice(level, level_word(level)) for level in LEVELS]


def code_words() -> dict[str, str]:
    """The words of the five codes."""
    return {
        "ABS": _("absent"),
        "DISP": _("dispensé"),
        "NE": _("non évalué"),
        "NF": _("non fait"),
        "NR": _("non rendu"),
    }


def codes() -> list[Choice]:
    """The five codes, their words and their keys."""
    words = code_words()
    keys = {"ABS": "a", "DISP": "d", "NE": "n", "NF": "f", "NR": "r"}
    return [Choice(code, words[code], keys[code]) for code in CODES]


def complexity_words() -> dict[int, str]:
    return {1: _("simple"), 2: _("variée"), 3: _("complexe")}


def setting_words() -> dict[str, str]:
    return {"simulated": _("simulée"), "real": _("réelle")}


def purpose_words() -> dict[str, str]:
    return {"formative": _("formative"), "certificative": _("certificative")}


def speciality_words() -> dict[str, str]:
    return {"A": _("accueil"), "C": _("commerce"), "V": _("vente")}


def today() -> date:
    """Today where the school is."""
    return local_day(utcnow())


def local_day(moment: datetime) -> date:
    """The day of a moment where the school is."""
    return moment.astimezone(current_app.extensions["spirale_config"].timezone).date()


def long_date(day: date) -> str:
    """« 26 novembre 2026 »."""
    return first_of_month(babel_date(day, "d MMMM y"))


def short_date(day: date) -> str:
    """« 26 nov. », with the year when it is not this school year's."""
    near = abs((today() - day).days) < 300
    return first_of_month(babel_date(day, "d MMM" if near else "d MMM y"))


def clock(moment: datetime) -> str:
    """« 10 h 42 »."""
    local = moment.astimezone(current_app.extensions["spirale_config"].timezone)
    return f"{local.hour}\u00a0h\u00a0{local.minute:02d}" if locale() == "fr" else f"{local:%H:%M}"


def moment_words(moment: datetime) -> str:
    """« 19 mars à 16 h 05 », or the hour alone today."""
    local = moment.astimezone(current_app.extensions["spirale_config"].timezone)
    if local.date() == today():
        return clock(moment)
    return _("%(day)s à %(hour)s", day=short_date(local.date()), hour=clock(moment))


def period(activity: Activity) -> str:
    """The date of the work, or its two ends."""
    if activity.undated:
        return _("date à fixer")
    if activity.ends_on and activity.ends_on != activity.starts_on:
        return _(
            "du %(start)s au %(end)s", start=long_date(activity.starts_on), end=long_date(activity.ends_on)
        )
    return long_date(activity.starts_on)


def period_names(activity: Activity, periods: list[CoursePeriod]) -> list[str]:
    """« Trimestre 1 », « PFMP 1 »: what the date of the work falls in."""
    return [] if activity.undated else [one.name for one in periods_at(periods, activity.starts_on)]


@dataclass(frozen=True)
class ShownActivity:
    """An activity as pages show it."""

    id: int
    title: str
    situation: str
    work_url: str
    date_text: str
    short_date: str
    complexity: int
    setting_text: str
    purpose_text: str
    specialities: list[str]
    codes: list[str]
    archived: bool
    group: str
    """The name of the group it is for; empty for the whole class."""
    closed_text: str
    """Why nothing can be assessed in it; empty where it can."""


def show_activity(activity: Activity) -> ShownActivity:
    return ShownActivity(
        id=activity.id,
        title=activity.title,
        situation=activity.situation,
        work_url=activity.work_url,
        date_text=period(activity),
        short_date=_("à fixer") if activity.undated else short_date(activity.starts_on),
        complexity=activity.complexity,
        setting_text=setting_words()[activity.setting],
        purpose_text=purpose_words()[activity.purpose],
        specialities=list(activity.specialities),
        codes=[link.item.code for link in activity.competences],
        archived=activity.archived_at is not None,
        group=activity.group.name if activity.group else "",
        closed_text=closed_text(activity),
    )


def closed_text(activity: Activity) -> str:
    """Why nothing can be assessed in an activity."""
    if activity.year_id is not None:
        return _("Année passée\u00a0: en lecture seule.")
    if activity.archived_at is not None:
        return _("Archivée\u00a0: en lecture seule.")
    return _("Sans date\u00a0: la fixer avant d’évaluer.") if activity.undated else ""
