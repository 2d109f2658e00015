"""« Nouvelle année », and the years that are over."""

from __future__ import annotations

from flask import redirect, render_template, request
from werkzeug.wrappers import Response

from ..activities.years import close_year, past_activities, preview_year, year_mark
from ..assessment.progress import count_results, progress_of
from ..courses.years import years_of
from ..db import db, utcnow
from ..gradebook.scores import hold_course
from .guard import May, here, page, visit
from .shown import long_date, show_activity, today


@page("/year", may=May.TEACH)
def new_year() -> str:
    """What closing the present year would do, and the button that does it."""
    course = visit().course
    return render_template(
        "new_year.html",
        course=course,
        preview=preview_year(db.session, course, today()),
        results=count_results(db.session, course.id),
        mark=year_mark(course),
        past=bool(years_of(db.session, course.id)),
    )


@page("/year", may=May.TEACH, methods=("POST",))
def open_year() -> Response:
    """Close the present year and open the next one. Pressed twice, or by two teachers at once, it closes one."""
    course = visit().course
    hold_course(db.session, course.id)
    mark = request.form.get("mark", "")
    closed = close_year(db.session, course, mark, visit().person.id, today(), utcnow())
    db.session.commit()
    return redirect(here("past_years", **({"closed": closed.id} if closed else {"already": 1})), 303)


@page("/years", may=May.ASSESS)
def past_years() -> str:
    """The years that are over: their activities, whose grids are still read."""
    course = visit().course
    years = years_of(db.session, course.id)
    found = past_activities(db.session, course)
    progress = progress_of(db.session, course.id, [one for ones in found.values() for one in ones], today())
    return render_template(
        "past_years.html",
        course=course,
        years=years,
        ends={year.id: long_date(year.closed_at.date()) for year in years},
        activities={key: [show_activity(one) for one in ones] for key, ones in found.items()},
        results={key: one.everybody for key, one in progress.items()},
        just_closed=next((y for y in years if str(y.id) == request.args.get("closed", "")), None),
        already=bool(request.args.get("already")),
    )
