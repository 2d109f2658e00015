"""« Activités »: the list with how far each is, its filters, its order; and what is put away."""

from __future__ import annotations

from dataclasses import dataclass

from flask import redirect, render_template, request
from flask_babel import gettext as _
from werkzeug.exceptions import BadRequest
from werkzeug.wrappers import Response

from ..activities.editing import count_archived, find_activity, list_activities
from ..activities.links import activity_of_link
from ..activities.models import Activity
from ..activities.ordering import is_placed, move_activity, order_by_date
from ..assessment.models import ObservationRequest
from ..assessment.observation_requests import open_requests
from ..assessment.progress import Progress, progress_of
from ..courses.groups import groups_of
from ..courses.models import Course, CoursePeriod
from ..courses.people import Pupil, count_pupils, pupils
from ..courses.periods import periods_of
from ..courses.referentials import course_frameworks
from ..courses.years import years_of
from ..db import db
from ..frameworks.guide import guide_of
from ..gradebook.scores import hold_course
from .guard import May, here, page, row_id, visit
from .shown import ShownActivity, locale, period_names, show_activity, today

WHOLE_CLASS = "class"
STEPS = {"up": -1, "down": 1}


@dataclass(frozen=True)
class Line:
    """A line of the list."""

    shown: ShownActivity
    progress: Progress
    periods: list[str]


@dataclass(frozen=True)
class Wanted:
    """What the filters ask for; empty means all."""

    state: str = ""
    group: str = ""
    """A group's number, or `class` for what is for everybody."""
    period: str = ""

    @property
    def narrows(self) -> bool:
        return bool(self.state or self.group or self.period)

    def keeps(self, activity: Activity, progress: Progress, periods: list[CoursePeriod]) -> bool:
        of_group = {"": True, WHOLE_CLASS: activity.group_id is None}
        span = next((one for one in periods if str(one.id) == self.period), None)
        return (
            self.state in ("", progress.state)
            and of_group.get(self.group, str(activity.group_id) == self.group)
            and (
                span is None
                or (not activity.undated and span.starts_on <= activity.starts_on <= span.ends_on)
            )
        )


@page("/activities", may=May.ASSESS)
def activities() -> str:
    """The activities of the course; what this link opens is said at the top."""
    course = visit().course
    found = list_activities(db.session, course)
    progress = progress_of(db.session, course.id, found, today())
    periods = periods_of(db.session, course.id)
    wanted = Wanted(*(request.args.get(name, "") for name in ("state", "group", "period")))
    arranging = bool(request.args.get("arrange")) and visit().may(May.TEACH)
    link = visit().session.resource_link
    linked = activity_of_link(db.session, link) if link else None
    return render_template(
        "activities.html",
        lines=[
            Line(show_activity(one), progress[one.id], period_names(one, periods))
            for one in found
            if arranging or wanted.keeps(one, progress[one.id], periods)
        ],
        total=len(found),
        wanted=wanted,
        states=state_words(),
        group_choices=[
            (WHOLE_CLASS, _("toute la classe")),
            *((str(one.id), one.name) for one in groups_of(db.session, course.id)),
        ],
        period_choices=[(str(one.id), one.name) for one in periods],
        arranging=arranging,
        placed=is_placed(found),
        pupils_known=count_pupils(db.session, course.id),
        archived_count=count_archived(db.session, course),
        past=len(years_of(db.session, course.id)),
        link_opens_course=link is not None and linked is None,
        linked_id=linked.id if linked else None,
        linked_title=linked.title if linked else "",
        just_archived=_just_archived(),
        asked=_asked(course),
        course=course,
        guide=guide_of(course_frameworks(db.session, course)[0], locale()),
    )


def _asked(course: Course) -> list[tuple[Pupil, ObservationRequest]]:
    """The pupils who wait to be observed, and in what, the oldest request first."""
    people = {pupil.person_id: pupil for pupil in pupils(db.session, course.id)}
    return [(people[one.person_id], one) for one in open_requests(db.session, course.id, list(people))]


def state_words() -> dict[str, str]:
    return {
        "to_assess": _("à évaluer"),
        "in_progress": _("en cours"),
        "done": _("évaluée"),
        "coming": _("à venir"),
        "undated": _("date à fixer"),
    }


def _just_archived() -> Activity | None:
    """The activity that was put away a moment ago, to say so and offer it back."""
    asked = request.args.get("archived", type=row_id)
    if not asked or not visit().may(May.TEACH):
        return None
    found = find_activity(db.session, visit().course, asked)
    return found if found.archived_at else None


@page("/activities/archived", may=May.ASSESS)
def archived() -> str:
    """The archived activities."""
    found = list_activities(db.session, visit().course, archived=True)
    return render_template("archived.html", activities=[show_activity(activity) for activity in found])


@page("/activities/<id:activity_id>/move", may=May.TEACH, methods=("POST",))
def move(activity_id: int) -> Response:
    """Move an activity up or down in the list."""
    hold_course(db.session, visit().course.id)
    found = find_activity(db.session, visit().course, activity_id)
    step = STEPS.get(request.form.get("step", ""))
    if step is None:
        raise BadRequest
    move_activity(db.session, visit().course, found, step)
    db.session.commit()
    return redirect(here("activities", arrange=1, _anchor=f"a{activity_id}"), 303)


@page("/activities/order", may=May.TEACH, methods=("POST",))
def order() -> Response:
    """Put the list back in the order of the dates."""
    hold_course(db.session, visit().course.id)
    order_by_date(db.session, visit().course)
    db.session.commit()
    return redirect(here("activities"), 303)
