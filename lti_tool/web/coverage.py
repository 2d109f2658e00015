"""« Couverture »: what the class has really worked, by competence, speciality and period, and what to open next."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any
from urllib.parse import urlencode

from flask import render_template, request
from flask_babel import format_date, ngettext
from flask_babel import gettext as _

from ..activities.models import COMPLEXITIES
from ..assessment.coverage import (
    NO_SPECIALITY,
    Cell,
    Line,
    Verdict,
    cover,
    planned_situations,
    seen_situations,
)
from ..assessment.spans import ELSEWHERE, Span, parts_of_year, present_span
from ..assessment.worked import worked_materials
from ..courses.models import Course, Enrolment
from ..courses.periods import periods_of
from ..courses.referentials import named, reference, spoken_code
from ..courses.roster import pupils_query
from ..db import db
from ..frameworks.models import FrameworkItem
from .guard import May, here, page, visit
from .referential_words import group_name
from .shown import Choice, complexity_words, short_date, speciality_words, today

PRESSING = {Verdict.NEVER: 0, Verdict.ONCE: 1, Verdict.ONE_SPECIALITY: 2}


@dataclass(frozen=True)
class Opened:
    """The cell whose situations are listed under its line."""

    item: FrameworkItem
    span: Span
    speciality: str
    cell: Cell


@dataclass(frozen=True)
class ToOpen:
    """What the first sentence names: « 3A et 3B, jamais travaillées », each code with the form that answers it."""

    codes: list[tuple[str, str]]
    """Code, and address of the form; empty for who may not make a situation."""
    word: str


@page("/coverage", may=May.ASSESS)
def coverage() -> str:
    """The referential × specialities × periods; `complexity` counts the situations of one only."""
    course, day = visit().course, today()
    parts = worked_materials(db.session, course)
    items = [item for part in parts for item in part.competences]
    people = db.session.scalars(pupils_query(course.id).with_only_columns(Enrolment.person_id)).all()
    found = seen_situations(db.session, course.id, people)
    planned = planned_situations(db.session, course.id)
    spans = spans_of(course, day)
    complexity = next((c for c in COMPLEXITIES if str(c) == request.args.get("complexity")), 0)
    ids = [item.id for item in items]
    whole = cover(ids, spans, found, planned, day)
    kept = [one for one in found if not complexity or one.activity.complexity == complexity]
    table = cover(ids, spans, kept, [], day) if complexity else whole
    now = present_span(spans, day)
    lines = {line.item_id: line for line in whole.lines}
    asked = Asking(course, day, complexity)
    opened = _opened(items, {line.item_id: line for line in table.lines}, table.spans)
    return render_template(
        "coverage.html",
        course=course,
        parts=parts,
        main_id=parts[0].framework.id,
        table=table,
        lines={line.item_id: line for line in table.lines},
        word=_filtered_word if complexity else _word,
        to_open=_to_open(items, lines, now, asked),
        assessed=bool(found),
        known=len(people),
        complexity=complexity,
        complexities=[Choice(c, complexity_words()[c]) for c in COMPLEXITIES],
        counted=_counted(complexity),
        specialities=speciality_words(),
        elsewhere=ELSEWHERE,
        span_name=span_name,
        span_dates=span_dates,
        cell_name=CellNames(table.spans, len(people)),
        codes={item.id: spoken_code(course, item) for item in items},
        opened=opened,
        link=_link,
        ask=lambda item, line, span, speciality: asked.href(item, lines[line.item_id], span, speciality),
        group_name=group_name,
        short_date=short_date,
    )


def spans_of(course: Course, day: date) -> list[Span]:
    """The periods a course names; the three parts of the school year where it names none."""
    named_ones = periods_of(db.session, course.id)
    return [Span(str(one.id), one.starts_on, one.ends_on, one.name) for one in named_ones] or parts_of_year(
        day
    )


def span_name(span: Span) -> str:
    """« Trimestre 1 », or the months where it has no name."""
    if span.key == ELSEWHERE:
        return _("Autres dates")
    return span.name or _months(span)


def span_dates(span: Span) -> str:
    """What is said below a period's name; empty where the name says it."""
    if span.key == ELSEWHERE:
        return _("hors des périodes")
    return (
        _("%(first)s – %(last)s", first=short_date(span.first), last=short_date(span.last))
        if span.name
        else ""
    )


def _months(span: Span) -> str:
    return f"{format_date(span.first, 'MMM')}\u00a0– {format_date(span.last, 'MMM y')}"


# ----- links -----


class Asking:
    """The form of a new situation, as a cell or a sentence asks for it; empty for who may not make one."""

    def __init__(self, course: Course, day: date, complexity: int) -> None:
        self._course, self._day, self._complexity = course, day, complexity
        # One address for the whole table: each cell only adds what it asks.
        self._form = here("new_activity") if visit().may(May.TEACH) else ""

    def href(self, item: FrameworkItem, line: Line, span: Span | None, speciality: str) -> str:
        if not self._form:
            return ""
        asked: dict[str, Any] = {
            "competence": reference(self._course, item),
            "speciality": speciality,
            "complexity": self._complexity or line.next_complexity,
            "date": span.day_near(self._day).isoformat() if span else "",
        }
        return f"{self._form}?{urlencode({name: value for name, value in asked.items() if value})}"


def _link(item: FrameworkItem | None = None, span: Span | None = None, speciality: str = "") -> str:
    """This page with the same complexity, and the situations of a cell listed under its line."""
    asked = {"complexity": request.args.get("complexity", "")}
    if item and span:
        asked |= {"competence": reference(visit().course, item), "span": span.key, "speciality": speciality}
    return (
        "?"
        + urlencode({name: value for name, value in asked.items() if value})
        + ("#open" if item else "#table")
    )


def _opened(items: list[FrameworkItem], lines: dict[int, Line], spans: list[Span]) -> Opened | None:
    """The cell that the address names; None when it names none, or an empty one."""
    item = named(items, request.args.get("competence", ""))
    span = next((one for one in spans if one.key == request.args.get("span")), None)
    speciality = request.args.get("speciality", NO_SPECIALITY)
    cell = lines[item.id].cells.get((span.key, speciality)) if item and span else None
    if item is None or span is None or cell is None or not cell.seen:
        return None
    return Opened(item, span, speciality, cell)


# ----- sentences -----


def _to_open(
    items: list[FrameworkItem], lines: dict[int, Line], now: Span | None, asked: Asking
) -> list[ToOpen]:
    """What presses most: never worked, once only, in one speciality only; in the order of the referential in each."""
    groups: dict[tuple[int, str], list[FrameworkItem]] = {}
    for item in items:
        line = lines[item.id]
        if line.verdict in PRESSING:
            alone = line.explored[0] if line.verdict is Verdict.ONE_SPECIALITY else ""
            groups.setdefault((PRESSING[line.verdict], alone), []).append(item)
    found = []
    for _key, alike in sorted(groups.items(), key=lambda group: group[0]):
        codes = []
        for item in alike:
            missing = lines[item.id].missing
            href = asked.href(item, lines[item.id], now, missing[0] if missing else "")
            codes.append((spoken_code(visit().course, item), href))
        found.append(ToOpen(codes, _word(lines[alike[0].id], len(alike))))
    return found


def _counted(complexity: int) -> str:
    """What the table counts when one complexity is chosen."""
    return {
        1: _("Seules les situations simples sont comptées dans le tableau."),
        2: _("Seules les situations variées sont comptées dans le tableau."),
        3: _("Seules les situations complexes sont comptées dans le tableau."),
    }.get(complexity, "")


def _word(line: Line, alike: int = 1) -> str:
    """A line « en un mot », or several that say the same."""
    words, missing, times = speciality_words(), line.missing, len(line.seen)
    match line.verdict:
        case Verdict.NEVER:
            return ngettext("jamais travaillée", "jamais travaillées", alike)
        case Verdict.ONCE:
            return _("une seule fois")
        case Verdict.ONE_SPECIALITY:
            return _("en %(speciality)s seulement", speciality=words[line.explored[0]])
        case Verdict.MISSING if len(missing) == len(words):
            return _("aucune spécialité")
        case Verdict.MISSING:
            return _("rien en %(speciality)s", speciality=words[missing[0]])
        case Verdict.ONLY_SIMPLE:
            return ngettext("%(num)s situation simple", "%(num)s situations, toutes simples", times)
    return ngettext("%(num)s situation", "%(num)s situations", times)


def _filtered_word(line: Line) -> str:
    """The same when one complexity is counted: it says how many, and judges nothing."""
    times = len(line.seen)
    return ngettext("%(num)s situation", "%(num)s situations", times) if times else _("aucune situation")


class CellNames:
    """« 1A en accueil, Trimestre 1 : 2 situations, simple, 28/35 élèves », for who does not see a cell's place.

    A table has hundreds of cells: what they share is put in words once.
    """

    def __init__(self, spans: list[Span], known: int) -> None:
        self._known, self._complexities, words = known, complexity_words(), speciality_words()
        self._counts: dict[int, str] = {}
        self._where = {
            (span.key, speciality): (
                _("en %(speciality)s, %(period)s", speciality=words[speciality], period=span_name(span))
                if speciality
                else _("sans spécialité, %(period)s", period=span_name(span))
            )
            for span in spans
            for speciality in (*words, NO_SPECIALITY)
        }
        self._says = _("{0}\u00a0: {1}")
        self._empty = _("rien\u202f; créer une situation")

    def __call__(self, code: str, span: Span, speciality: str, cell: Cell) -> str:
        where = f"{code} {self._where[span.key, speciality]}"
        if not cell.seen:
            return self._says.format(where, self._empty)
        times = len(cell.seen)
        if times not in self._counts:
            self._counts[times] = ngettext("%(num)s situation", "%(num)s situations", times)
        seen = _(
            "%(count)s, %(complexity)s, %(seen)s/%(known)s élèves",
            count=self._counts[times],
            complexity=self._complexities[cell.complexity],
            seen=len(cell.people),
            known=self._known,
        )
        return self._says.format(where, seen)
