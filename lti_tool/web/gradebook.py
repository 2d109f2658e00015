"""« Carnet de notes »: where each score is, why, and what to do about it."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from flask import render_template, request
from flask_babel import gettext as _
from flask_babel import ngettext

from ..courses.models import Course
from ..courses.people import plain
from ..db import db
from ..gradebook.columns import only_link_columns
from ..gradebook.models import Conversion, GradebookSettings, Mode
from ..gradebook.own_columns import own_columns
from ..gradebook.progress import batch_progress, last_success
from ..gradebook.scores import can_send
from ..gradebook.worths import settings_of
from ..lti.ags import SCOPE_LINEITEM, SCOPE_SCORE
from .deliveries import STATES, Figures, explain_pause, number
from .guard import May, here, page, row_id, visit
from .score_lines import Line, columns_of, lines_of, sent_again_together, table_of, to_settle
from .score_rows import refusals_of, row_of
from .scorebook import Book, column_key, read_book, read_values
from .shown import code_words, levels, moment_words

LONGEST_SEARCH = 80
ON_A_PAGE = 100
"""Scores of a list: a class of 35 has some hundreds, each with its sentences."""


@dataclass(frozen=True)
class Filters:
    """What the page is narrowed to; carried by its links, and by its buttons to come back to."""

    state: str = ""
    column: str = ""
    q: str = ""
    page: int = 0
    """Which hundred of the list, from the second on."""

    def address(self, **changed: str | int) -> str:
        """The page, with some filters changed: then at its first hundred, unless another is asked for."""
        place = 0 if changed else self.page
        wanted = {"state": self.state, "column": self.column, "q": self.q, "page": place, **changed}
        return here("gradebook", **{name: value for name, value in wanted.items() if value})

    def narrow(self, lines: list[Line]) -> list[Line]:
        """The lines of the pupil and the column asked for; states are counted among those."""
        words = _words(self.q)
        asked = {
            who
            for who in {line.who for line in lines}
            if all(any(name.startswith(word) for name in _words(who)) for word in words)
        }
        return [
            line
            for line in lines
            if line.who in asked and (not self.column or column_key(line.pair[1]) == self.column)
        ]


@dataclass(frozen=True)
class Part:
    """The hundred lines of a list that are shown, counted from 1, and how many there are."""

    lines: list[Line]
    first: int
    total: int
    before: int | None = None
    """Which hundred comes before, and after; None where none does."""
    after: int | None = None

    @property
    def last(self) -> int:
        return self.first + len(self.lines) - 1


def part_of(lines: list[Line], page: int) -> Part:
    """A hundred of a list: the last, where there are fewer than asked for (some were decided since)."""
    pages = max(1, -(-len(lines) // ON_A_PAGE))
    number = min(max(1, page), pages)
    start = (number - 1) * ON_A_PAGE
    return Part(
        lines[start : start + ON_A_PAGE],
        start + 1,
        len(lines),
        before=number - 1 if number > 1 else None,
        after=number + 1 if number < pages else None,
    )


def _words(name: str) -> list[str]:
    """The words of a name without accents or case."""
    return plain(name).split()


def filters_in(values: dict[str, str]) -> Filters:
    """The filters of an address or a form."""
    state = values.get("state", "")
    return Filters(
        state if state in STATES else "",
        values.get("column", "")[:12],
        " ".join(values.get("q", "").split())[:LONGEST_SEARCH],
        _page_in(values.get("page", "")),
    )


def _page_in(text: str) -> int:
    try:
        number = row_id(text)
    except ValueError:
        return 0
    return number if number > 1 else 0


@page("/gradebook", may=May.ASSESS)
def gradebook() -> str:
    """The states of all scores of the course."""
    course = visit().course
    settings = settings_of(db.session, course.id)
    filters = filters_in(request.args.to_dict())
    may_teach = visit().may(May.TEACH)
    book = read_book(db.session, course, may_act=may_teach)
    everything = lines_of(book)
    fitting = filters.narrow(everything)
    counts = Counter(line.state for line in fitting)
    asked = [line for line in fitting if line.state == filters.state] if filters.state else fitting
    narrowed = bool(filters.state or filters.column or filters.q)
    part = part_of(asked if narrowed else to_settle(book, everything), filters.page)
    read_values(db.session, book, [line.pair for line in part.lines if line.actions])
    waiting = sum(line.state == "waiting" for line in everything)
    table_columns, table_rows = table_of(book, everything)
    return render_template(
        "gradebook.html",
        settings=settings,
        mode_words=mode_words(settings),
        conversion=conversion_words(settings),
        course=course,
        missing=missing_rights(course),
        link_columns=only_link_columns(db.session, course),
        own=bool(own_columns(db.session, course)),
        pause=_pause(book, waiting),
        succeeded=last_success(db.session, course.platform_id),
        progress=batch_progress(db.session, course) if waiting else None,
        counts=counts,
        labels=_labels(counts, settings),
        filters=filters,
        shown=filters.state,
        narrowed=narrowed,
        part=part,
        rows=[row_of(book, line) for line in part.lines],
        refusals=refusals_of(book, asked) if filters.state == "refused" and may_teach else [],
        columns=columns_of(book, everything),
        choices=[(column_key(column), item) for column, item in book.items.items() if column in book.worked],
        table_columns=[(column_key(column), book.items[column]) for column in table_columns],
        table_rows=table_rows,
        glances={glance for _name, cells in table_rows for glance in cells},
        figures=Figures(),
        refused=len(sent_again_together(everything)),
        to_publish=sum(line.state == "to_publish" for line in everything),
        waiting=waiting,
        left=len(book.leavers),
        empty=not book.worked,
        done={name: request.args.get(name, type=row_id) for name in ("published", "already", "skipped")},
        moment_words=moment_words,
        words={choice.value: choice.label for choice in levels()},
        codes=code_words(),
        may_teach=may_teach,
    )


def mode_words(settings: GradebookSettings) -> str:
    """When scores leave."""
    words = {
        Mode.AUTOMATIC: _("Envoi automatique"),
        Mode.PUBLISH: _("Envoi sur «\u00a0Publier\u00a0»"),
        Mode.NOTHING: _("Envoi arrêté"),
    }
    return words[Mode(settings.mode)]


def conversion_words(settings: GradebookSettings) -> str:
    """« sur 20 : niveau 1 → 5, 2 → 9, 3 → 14, 4 → 19 »."""
    if settings.conversion == Conversion.POINTS:
        return _("en points de l’échelle, sur 4")
    if settings.conversion == Conversion.COMPLEXITY:
        return _("sur %(maximum)s, par niveau et complexité", maximum=settings.table_maximum)
    table = ", ".join(f"{level} → {number(settings.table[level])}" for level in "1234")
    return _("sur %(maximum)s : %(table)s", maximum=settings.table_maximum, table=table)


def missing_rights(course: Course) -> list[str]:
    """What the platform must allow before anything can be sent; empty when it does."""
    if can_send(course):
        return []
    if not course.lineitems_url:
        return [_("l’accès au carnet de notes du cours")]
    words = {SCOPE_LINEITEM: _("créer des colonnes"), SCOPE_SCORE: _("envoyer des notes")}
    return [word for scope, word in words.items() if scope not in course.ags_scopes]


def _pause(book: Book, waiting: int) -> dict[str, object] | None:
    if book.pause is None or not waiting:
        return None
    until = moment_words(book.paused_until) if book.paused_until else ""
    return {"said": explain_pause(book.pause, book.course.platform.name), "until": until}


def _labels(counts: Counter[str], settings: GradebookSettings) -> dict[str, str]:
    labels = {
        "sent": ngettext("envoyée", "envoyées", counts["sent"]),
        "waiting": _("en attente"),
        "to_publish": _("à publier"),
        "refused": ngettext("refusée", "refusées", counts["refused"]),
        "changed": ngettext("modifiée dans le carnet", "modifiées dans le carnet", counts["changed"]),
        "nothing": _("sans note"),
    }
    if settings.mode != Mode.PUBLISH:
        del labels["to_publish"]
    return labels
