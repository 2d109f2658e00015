"""What « Bilan de la classe » is asked to show: filters and order, read from its address and said back in words."""

from __future__ import annotations

from calendar import monthrange
from dataclasses import dataclass
from datetime import date
from typing import Any
from urllib.parse import urlencode

from flask import request
from flask_babel import format_date
from flask_babel import gettext as _

from ..activities.models import COMPLEXITIES, PURPOSES, SPECIALITIES
from ..assessment.overview import Filter, Order
from ..courses.groups import groups_of
from ..courses.models import Course, CourseGroup, CoursePeriod
from ..courses.periods import periods_of
from ..courses.referentials import named, reference
from ..db import db
from ..frameworks.models import FrameworkItem
from .guard import here, row_id, visit
from .shown import Choice, complexity_words, purpose_words, speciality_words

NAMES = (
    *("group", "period", "since", "until", "speciality", "complexity", "purpose", "provisional", "review"),
    "sort",
)
"""What an address of the page may ask, beside the cell it opens."""


@dataclass(frozen=True)
class Asked:
    """The filters and the order of this address, and the choices they were made among."""

    filter: Filter
    order: Order
    groups: list[CourseGroup]
    periods: list[CoursePeriod]
    period: CoursePeriod | None
    """The named period; without one, `since` and `until` of the filter are months."""

    @property
    def filtered(self) -> bool:
        return self.filter != Filter()

    @property
    def since(self) -> str:
        """The first month chosen, as its form says it; empty for the beginning, or where a period is named."""
        return month_value(None if self.period else self.filter.since)

    @property
    def until(self) -> str:
        return month_value(None if self.period else self.filter.until)

    @property
    def sort(self) -> str:
        """The order, as an address says it."""
        return request.args.get("sort", "") if self.order != Order() else ""


def read_asked(course: Course, items: list[FrameworkItem]) -> Asked:
    """The filters of the address; what is not one of their values is left out."""
    asked = request.args
    groups, periods = groups_of(db.session, course.id), periods_of(db.session, course.id)
    group_id, period_id = asked.get("group", type=row_id), asked.get("period", type=row_id)
    period = next((one for one in periods if one.id == period_id), None)
    since, until = _months_asked()
    return Asked(
        Filter(
            since=period.starts_on if period else since,
            until=period.ends_on if period else until,
            speciality=next((s for s in SPECIALITIES if s == asked.get("speciality")), ""),
            complexity=next((c for c in COMPLEXITIES if str(c) == asked.get("complexity")), 0),
            purpose=next((p for p in PURPOSES if p == asked.get("purpose")), ""),
            group_id=next((one.id for one in groups if one.id == group_id), 0),
            provisional=asked.get("provisional") == "1",
            to_review=asked.get("review") == "1",
        ),
        _order(items, asked.get("sort", "")),
        groups,
        periods,
        period,
    )


def _order(items: list[FrameworkItem], text: str) -> Order:
    """« 1A »: from the lowest level in it; « -1A »: from the highest; « - »: by name, from the last."""
    item = named(items, text.removeprefix("-"))
    return Order(item.id if item else None, text.startswith("-") and (item is not None or text == "-"))


# ----- months -----


def _months_asked() -> tuple[date | None, date | None]:
    """The first and the last day of the months asked for. The wrong way round, what is between them is meant."""
    first, last = (_first_day(request.args.get(name, "")) for name in ("since", "until"))
    if first and last and first > last:
        first, last = last, first
    return first, last and last.replace(day=monthrange(last.year, last.month)[1])


def _first_day(typed: str) -> date | None:
    """The first day of « 2026-09 »."""
    try:
        return date.fromisoformat(f"{typed}-01")
    except ValueError:
        return None


def month_value(day: date | None) -> str:
    return f"{day:%Y-%m}" if day else ""


def month_choices(worked: list[date], asked: Asked) -> list[Choice]:
    """The months to choose from: those with work, and those chosen, so that a form never loses its own value."""
    chosen = [day for text in (asked.since, asked.until) if (day := _first_day(text))]
    return [Choice(month_value(day), format_date(day, "MMMM y")) for day in sorted({*worked, *chosen})]


# ----- words -----


def say(asked: Asked) -> str:
    """« groupe A, en commerce, situations variées, Trimestre 1 »; empty without a filter."""
    wanted = asked.filter
    group = next((one.name for one in asked.groups if one.id == wanted.group_id), "")
    parts = [
        group,
        _("situations de %(speciality)s", speciality=speciality_words()[wanted.speciality])
        if wanted.speciality
        else "",
        _("complexité %(complexity)s", complexity=complexity_words()[wanted.complexity])
        if wanted.complexity
        else "",
        _("évaluation %(purpose)s", purpose=purpose_words()[wanted.purpose]) if wanted.purpose else "",
        _time(asked),
        _("positionnements provisoires") if wanted.provisional else "",
        _("positionnements à revoir") if wanted.to_review else "",
    ]
    return ", ".join(part for part in parts if part)


def _time(asked: Asked) -> str:
    if asked.period:
        return asked.period.name
    since, until = asked.filter.since, asked.filter.until
    words = {"since": since and format_date(since, "MMMM y"), "until": until and format_date(until, "MMMM y")}
    if since and until:
        same = (since.year, since.month) == (until.year, until.month)
        return str(words["since"]) if same else _("de %(since)s à %(until)s", **words)
    if since:
        return _("depuis %(since)s", **words)
    return _("jusqu’à %(until)s", **words) if until else ""


# ----- addresses -----


class Links:
    """Addresses of this page that keep what it is asked. They are relative: a class has hundreds of cells."""

    def __init__(self) -> None:
        kept = {name: request.args[name] for name in NAMES if request.args.get(name)}
        self._kept = kept
        self._start = "?" + urlencode(kept) + ("&" if kept else "")

    def row_opens(self, person_id: int) -> str:
        """A cell of a row opened, but for its competence; the page comes back to it."""
        return f"{self._start}pupil={person_id}&competence="

    def row(self, person_id: int) -> str:
        """All cells closed; the page comes back to the row."""
        return f"?{urlencode(self._kept)}#p{person_id}"

    def sort(self, text: str) -> str:
        """Another order; none of the filters is lost."""
        asked = {**{k: v for k, v in self._kept.items() if k != "sort"}, **({"sort": text} if text else {})}
        return f"?{urlencode(asked)}#table"


def everything(order: str) -> str:
    """The page without a filter, in the same order."""
    more: dict[str, Any] = {"sort": order} if order else {}
    return here("overview", **more)


def aria_sort(asked: Asked, item: FrameworkItem | None = None) -> str:
    """`ascending` or `descending` for the column that orders the table, else nothing."""
    if asked.order.item_id != (item.id if item else None):
        return ""
    return "descending" if asked.order.descending else "ascending"


def sort_text(asked: Asked, item: FrameworkItem | None = None) -> str:
    """What a column's link asks: its order, or the other way round where it is the present one."""
    name = reference(visit().course, item) if item else ""
    turned = aria_sort(asked, item) == "ascending"
    return f"-{name}" if turned else name
