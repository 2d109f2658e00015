"""« Périodes »: the terms of the year and the PFMP, all on one form."""

from __future__ import annotations

from flask import redirect, render_template, request
from flask_babel import gettext as _
from werkzeug.datastructures import MultiDict
from werkzeug.wrappers import Response

from ..courses.models import PeriodKind
from ..courses.periods import (
    Row,
    periods_of,
    proposed_terms,
    read_day,
    save_periods,
    school_year_of,
    year_name,
)
from ..db import db
from ..errors import BadInput
from ..gradebook.scores import hold_course
from .guard import May, here, page, row_id, visit
from .shown import today

MORE = 2
"""Empty lines under those that are filled."""
MOST = 40
PROPOSALS = {"terms": 3, "semesters": 2}


@page("/periods", may=May.TEACH)
def periods() -> str:
    """The periods of the course; `proposal` fills the lines of a course that has none."""
    rows = [Row.of(one) for one in periods_of(db.session, visit().course.id)]
    asked = PROPOSALS.get(request.args.get("proposal", ""))
    if asked:
        rows += proposed_terms(school_year_of(today()), asked)
    return _show(rows, proposed=bool(asked))


@page("/periods", may=May.TEACH, methods=("POST",))
def keep_periods() -> Response | tuple[str, int]:
    """Keep what was typed."""
    rows = _typed(request.form)
    hold_course(db.session, visit().course.id)
    try:
        save_periods(db.session, visit().course, rows)
    except BadInput as error:
        db.session.rollback()
        return _show(rows, error.problems), 422
    db.session.commit()
    return redirect(here("periods", saved=1), 303)


def _typed(form: MultiDict[str, str]) -> list[Row]:
    """The lines of the form, in order."""

    def one(name: str, place: int) -> str:
        return " ".join(form.get(f"{name}_{place}", "").replace("\x00", "").split())

    return [
        Row(
            form.get(f"id_{place}", 0, type=row_id),
            one("name", place),
            one("kind", place),
            one("starts", place),
            one("ends", place),
        )
        for place in range(MOST)
        if f"name_{place}" in form
    ]


def _show(rows: list[Row], problems: dict[str, str] | None = None, *, proposed: bool = False) -> str:
    return render_template(
        "periods.html",
        course=visit().course,
        rows=[*rows, *([Row(kind=PeriodKind.PFMP if rows else PeriodKind.TERM)] * MORE)],
        filled=len(rows),
        offered=not any(_is_of_this_year(row) for row in rows),
        problems=problems or {},
        kinds=kind_words(),
        proposed=proposed,
        year=year_name(school_year_of(today())),
        saved=bool(request.args.get("saved")) and not problems,
    )


def _is_of_this_year(row: Row) -> bool:
    day = read_day(row.starts_on)
    return row.kind == PeriodKind.TERM and day is not None and school_year_of(day) == school_year_of(today())


def kind_words() -> dict[str, str]:
    return {PeriodKind.TERM: _("période de classe"), PeriodKind.PFMP: _("PFMP")}
