"""What a link of the course opens: chosen by a teacher, or copied from the course that the link comes from."""

from __future__ import annotations

from flask import current_app, redirect, render_template, request
from werkzeug.wrappers import Response

from ..activities.copies import copy_activity, find_source, taught_by
from ..activities.editing import find_activity, list_activities
from ..activities.links import (
    CUSTOM_ACTIVITY,
    CUSTOM_COLUMN,
    activity_of_link,
    follow_custom,
    is_graded,
    link_activity,
    unlink_activity,
)
from ..activities.models import Activity
from ..config import Config
from ..courses.models import ResourceLink
from ..db import db, utcnow
from ..errors import NotFound
from ..gradebook.queue import wake_worker
from ..gradebook.scores import hold_course, queue_own_column
from ..lti.ags import SCOPE_SCORE
from .guard import May, here, page, row_id, visit
from .shown import show_activity, today


@page("/link", may=May.TEACH)
def choose_link() -> str:
    """Choose what this link of the course opens: an activity that exists, a new one, or the whole course.

    A link that came with a copied course offers a copy of its activity first.
    """
    link = own_link()
    linked = activity_of_link(db.session, link)
    copied = linked is None and CUSTOM_ACTIVITY in visit().session.custom
    source = _source() if copied else None
    return render_template(
        "choose_link.html",
        activities=[show_activity(a) for a in list_activities(db.session, visit().course)],
        linked_id=linked.id if linked else 0,
        link=link,
        copied=copied,
        source=show_activity(source) if source else None,
        source_course=_course_said(source) if source else "",
        course=visit().course,
        has_column=_has_column(link),
        sends=is_graded(db.session, link) if linked else bool(column_asked()),
    )


@page("/link", may=May.TEACH, methods=("POST",))
def save_link() -> Response:
    """Make this link open an activity, or the course; its column gets the activity's grades where that is asked."""
    link, chosen = own_link(), request.form.get("activity", type=row_id)
    hold_course(db.session, visit().course.id)
    if chosen:
        found = find_activity(db.session, visit().course, chosen)
        if found.year_id is not None:
            raise NotFound("this activity is of a year that is over")
        link_activity(db.session, link, found, graded=column_asked())
    else:
        unlink_activity(db.session, link)
    deliveries = queue_own_column(db.session, visit().course, link.id, utcnow())
    db.session.commit()
    if deliveries:
        wake_worker()
    return redirect(here("grid", activity_id=chosen) if chosen else here("activities"), 303)


@page("/link/copy", may=May.TEACH, methods=("POST",))
def copy_into_course() -> Response:
    """Copy the activity of a restored link into this course, without results or date, and open it by this link."""
    link, course, custom = own_link(), visit().course, visit().session.custom
    hold_course(db.session, course.id)  # a second press finds the copy of the first
    copy = follow_custom(db.session, course, link, custom)
    if copy is None:
        source = _source()
        if source is None:
            raise NotFound("this link names no activity that may be copied here")
        wanted = custom[CUSTOM_ACTIVITY]
        copy = copy_activity(db.session, source, course, wanted, visit().person.id, today(), utcnow())
        follow_custom(db.session, course, link, custom)
    db.session.commit()
    return redirect(here("edit_activity", activity_id=copy.id, copied=1), 303)


def _source() -> Activity | None:
    config: Config = current_app.extensions["spirale_config"]
    return find_source(db.session, visit().course, visit().session.custom, config.secret_key)


def _course_said(source: Activity) -> str:
    """The name of the course an activity comes from, for somebody who taught there."""
    return source.course.name if taught_by(db.session, source.course, visit().person.id) else ""


def _has_column(link: ResourceLink) -> bool:
    """Whether the platform made a column with the link, and lets scores be sent."""
    return bool(link.lineitem_url) and SCOPE_SCORE in visit().course.ags_scopes


def column_asked() -> bool | None:
    """Whether the link's column is to get the activity's grades: what the form says.

    Where it says nothing, True for a link whose column was asked for when it was added; else None, as it is.
    """
    said = request.form.getlist("column")
    if said:
        return "1" in said
    return True if CUSTOM_COLUMN in visit().session.custom else None


def own_link() -> ResourceLink:
    """The link that this session came through. Raises `NotFound` when it came through none."""
    link = visit().session.resource_link
    if link is None:
        raise NotFound("this session came through no link")
    return link
