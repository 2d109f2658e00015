"""The LMS's pages: entering as somebody, a course, its activities, the frame that holds the tool."""

from urllib.parse import urlsplit

from flask import Blueprint, abort, flash, g, redirect, render_template, request, session, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import select
from sqlalchemy.orm import Session
from werkzeug.exceptions import HTTPException

from lti_tool.demo import launches
from lti_tool.demo.activities import (
    Column,
    NewActivity,
    activities,
    add_activity,
    delete_activity,
    duplicate_activity,
)
from lti_tool.demo.browser import LANGUAGES, entered_person_id, form_post, language
from lti_tool.demo.ent import NOT_OFFERED
from lti_tool.demo.gradebook import coupled_item
from lti_tool.demo.nrps import by_family_name
from lti_tool.demo.platform import the_platform
from lti_tool.demo.tables import FIRST_TOOL, Activity, Enrolment, Launch, Person
from lti_tool.demo.texts import text
from lti_tool.demo.tools import Tool, tool_by_id, tools

pages = Blueprint("pages", __name__)

LOOPBACK = {"localhost", "127.0.0.1", "::1"}


@pages.before_app_request
def keep_to_one_host() -> ResponseReturnValue | None:
    """Pages live on the issuer's host, where the cookie is; another site may not post to them."""
    if request.path.startswith(("/lti/", "/demo-static/")):
        return None
    base = the_platform().settings.base_url
    if request.method == "POST" and request.headers.get("Origin", base) != base:
        abort(403)
    # On one machine only: behind a proxy the Host header need not be the public one.
    here, home_host = urlsplit(request.host_url).hostname, urlsplit(base).hostname
    if request.method == "GET" and here != home_host and {here, home_host} <= LOOPBACK:
        return redirect(base + request.full_path.rstrip("?"))
    return None


@pages.before_app_request
def keep_to_what_is_offered() -> None:
    """An ENT offers less than an LMS, on its pages and to tools."""
    if the_platform().settings.profile.plain and request.endpoint in NOT_OFFERED:
        abort(404)


@pages.app_errorhandler(HTTPException)
def show_error(error: HTTPException) -> ResponseReturnValue:
    """A page of the LMS with what happened."""
    return render_template("demo/error.html", error=error), error.code or 500


@pages.get("/")
def home() -> str:
    """« Entrer comme… »: the people of each course; in an ENT, once entered, the services of one's classes."""
    with the_platform().database.reading() as db:
        if the_platform().settings.profile.plain and _me(db) is not None:
            return _portal(db, _courses_of(db, _me(db)))
        rows = list(db.scalars(select(Enrolment)))
        courses = {row.course_id: row.course for row in rows}
        groups = [
            (course, [(role, _people(rows, course.id, role)) for role in ("teacher", "assistant", "pupil")])
            for course in courses.values()
        ]
        me = _me(db)
        return render_template("demo/home.html", groups=groups, me=me, mine=_courses_of(db, me))


@pages.post("/enter")
def enter() -> ResponseReturnValue:
    """Become ``person`` in this browser; the first of his courses, or ``course``, is shown. In an ENT, all of them."""
    with the_platform().database.reading() as db:
        person_id = request.form.get("person", type=int)
        person = db.get(Person, person_id) if person_id else None
        if person is None:
            abort(400)
        course_id = request.form.get("course", type=int)
        mine = [row.course_id for row in _courses_of(db, person)]
    session["person_id"] = person.id
    if course_id not in mine:
        course_id = mine[0] if mine else None
    if course_id is None or the_platform().settings.profile.plain:
        return redirect(url_for("pages.home"), 303)
    return redirect(url_for("pages.course", course_id=course_id), 303)


@pages.post("/leave")
def leave() -> ResponseReturnValue:
    """Forget who is behind this browser."""
    session.pop("person_id", None)
    return redirect(url_for("pages.home"), 303)


@pages.post("/language")
def choose_language() -> ResponseReturnValue:
    """French or English, for the pages and the launches; then back to the page ``next``."""
    chosen, target = request.form.get("language"), request.form.get("next", "/")
    if chosen in LANGUAGES:
        session["language"] = chosen
    local = target.startswith("/") and not target.startswith(("//", "/\\"))
    return redirect(target if local else "/", 303)


@pages.get("/courses/<int:course_id>")
def course(course_id: int) -> str:
    """The course and its activities."""
    with the_platform().database.reading() as db:
        me = my_enrolment(db, course_id)
        if the_platform().settings.profile.plain:
            return _portal(db, [me])
        rows = [(activity, coupled_item(db, activity)) for activity in activities(db, course_id)]
        return render_template("demo/course.html", me=me, course=me.course, rows=rows)


@pages.route("/courses/<int:course_id>/add", methods=["GET", "POST"])
def add(course_id: int) -> ResponseReturnValue:
    """« Ajouter une activité »: a plain link, or a choice in the tool (deep linking)."""
    with the_platform().database.writing() as db:
        me = my_enrolment(db, course_id, "teacher")
        if request.method == "GET" and the_platform().settings.profile.plain:
            return render_template("demo/add_service.html", me=me, course=me.course)
        if request.method == "GET":
            known = [tool for tool in tools(db, the_platform().settings) if tool.active]
            return render_template("demo/add.html", me=me, course=me.course, tools=known)
        tool = _demand_tool(db, request.form.get("tool", FIRST_TOOL, type=int))
        title = request.form.get("title", "").strip()[:255] or tool.name
        column = Column() if "graded" in request.form or the_platform().settings.profile.plain else None
        add_activity(db, course_id, NewActivity(title, column=column, tool_id=tool.id))
    flash(text("« {} » a été ajoutée.").format(title), "success")
    return redirect(url_for("pages.course", course_id=course_id), 303)


@pages.get("/courses/<int:course_id>/choose")
def choose(course_id: int) -> str:
    """The tool in a frame, for the teacher to choose contents."""
    with the_platform().database.reading() as db:
        me = my_enrolment(db, course_id, "teacher")
        tool = _demand_tool(db, request.args.get("tool", FIRST_TOOL, type=int))
        return render_template(
            "demo/frame.html",
            me=me,
            course=me.course,
            heading=text("Choisir dans {}").format(tool.name),
            source=url_for("pages.choose_launch", course_id=course_id, tool=tool.id),
        )


@pages.get("/courses/<int:course_id>/choose/launch")
def choose_launch(course_id: int) -> ResponseReturnValue:
    """Start the deep linking message."""
    with the_platform().database.writing() as db:
        me = my_enrolment(db, course_id, "teacher")
        tool = _demand_tool(db, request.args.get("tool", FIRST_TOOL, type=int))
        return _login_initiation(_launch(db, me, launches.DEEP_LINKING, tool=tool), tool, tool.selection_url)


@pages.get("/courses/<int:course_id>/activities/<int:activity_id>")
def activity(course_id: int, activity_id: int) -> str:
    """The frame that holds the tool, as tall as the window."""
    with the_platform().database.reading() as db:
        me = my_enrolment(db, course_id)
        shown = _demand_activity(db, course_id, activity_id)
        _demand_tool(db, shown.tool_id)
        source = url_for("pages.launch", course_id=course_id, activity_id=activity_id)
        return render_template(
            "demo/frame.html", me=me, course=me.course, heading=shown.title, source=source, activity=shown
        )


@pages.route("/courses/<int:course_id>/activities/<int:activity_id>/launch", methods=["GET", "POST"])
def launch(course_id: int, activity_id: int) -> ResponseReturnValue:
    """Start a launch of the activity, in the frame or (``target=window``) in a window of its own."""
    target = "window" if request.values.get("target") == "window" else "iframe"
    with the_platform().database.writing() as db:
        me = my_enrolment(db, course_id)
        opened = _demand_activity(db, course_id, activity_id)
        tool = _demand_tool(db, opened.tool_id)
        return _login_initiation(
            _launch(db, me, launches.RESOURCE_LINK, opened, None, target), tool, opened.url
        )


@pages.get("/courses/<int:course_id>/activities/<int:activity_id>/review/<int:person_id>")
def review(course_id: int, activity_id: int, person_id: int) -> str:
    """The tool's view of one pupil's work, in the frame: for teachers, and for the pupil himself."""
    with the_platform().database.reading() as db:
        me, pupil, shown = _review(db, course_id, activity_id, person_id)
        _demand_tool(db, shown.tool_id)
        return render_template(
            "demo/frame.html",
            me=me,
            course=me.course,
            heading=f"{shown.title} – {pupil.person.name}",
            source=url_for("pages.review_launch", **(request.view_args or {})),
        )


@pages.get("/courses/<int:course_id>/activities/<int:activity_id>/review/<int:person_id>/launch")
def review_launch(course_id: int, activity_id: int, person_id: int) -> ResponseReturnValue:
    """Start the submission review message; it is offered for every activity, declared or not (Moodle)."""
    with the_platform().database.writing() as db:
        me, pupil, shown = _review(db, course_id, activity_id, person_id)
        item = coupled_item(db, shown)
        url = ((item.submission_review if item else None) or {}).get("url") or shown.url
        tool = _demand_tool(db, shown.tool_id)
        return _login_initiation(
            _launch(db, me, launches.SUBMISSION_REVIEW, shown, pupil.person_id), tool, url
        )


@pages.post("/courses/<int:course_id>/activities/<int:activity_id>/duplicate")
def duplicate(course_id: int, activity_id: int) -> ResponseReturnValue:
    """Copy the activity in its course."""
    with the_platform().database.writing() as db:
        my_enrolment(db, course_id, "teacher")
        copy = duplicate_activity(db, _demand_activity(db, course_id, activity_id))
    flash(text("« {} » a été ajoutée.").format(copy.title), "success")
    return redirect(url_for("pages.course", course_id=course_id), 303)


@pages.post("/courses/<int:course_id>/activities/<int:activity_id>/delete")
def delete(course_id: int, activity_id: int) -> ResponseReturnValue:
    """Remove the activity and its column."""
    with the_platform().database.writing() as db:
        my_enrolment(db, course_id, "teacher")
        gone = _demand_activity(db, course_id, activity_id)
        delete_activity(db, gone)
    flash(text("« {} » a été supprimée.").format(gone.title), "success")
    return redirect(url_for("pages.course", course_id=course_id), 303)


@pages.get("/courses/<int:course_id>/return")
def come_back(course_id: int) -> str:
    """``return_url`` of a launch: the tool's message, or the way out of the frame to the course."""
    with the_platform().database.reading() as db:
        me = my_enrolment(db, course_id)
        return render_template(
            "demo/return.html",
            course=me.course,
            error=request.args.get("lti_errormsg", ""),
            message=request.args.get("lti_msg", ""),
        )


def my_enrolment(db: Session, course_id: int, role: str | None = None) -> Enrolment:
    """The enrolment of the person behind this browser; 403 when none, suspended, or not of that role."""
    person_id = entered_person_id()
    enrolment = db.get(Enrolment, (course_id, person_id)) if person_id else None
    if enrolment is None or enrolment.suspended or role not in (None, enrolment.role):
        abort(403)
    return enrolment


def _portal(db: Session, mine: list[Enrolment]) -> str:
    """An ENT's page: for each class of somebody, the services it has."""
    services = {row.course_id: activities(db, row.course_id) for row in mine}
    return render_template("demo/portal.html", me=_me(db), mine=mine, services=services)


def _people(rows: list[Enrolment], course_id: int, role: str) -> list[Enrolment]:
    kept = [row for row in rows if row.course_id == course_id and row.role == role]
    return sorted(kept, key=lambda row: by_family_name(row.person))


def _me(db: Session) -> Person | None:
    person_id = entered_person_id()
    return db.get(Person, person_id) if person_id else None


def _courses_of(db: Session, person: Person | None) -> list[Enrolment]:
    """Where the person may go, in the order of the courses."""
    if person is None:
        return []
    query = select(Enrolment).where(Enrolment.person_id == person.id, Enrolment.suspended.is_(False))
    return list(db.scalars(query.order_by(Enrolment.course_id)))


def _demand_activity(db: Session, course_id: int, activity_id: int) -> Activity:
    found = db.get(Activity, activity_id)
    if found is None or found.course_id != course_id:
        abort(404)
    return found


def _demand_tool(db: Session, tool_id: int) -> Tool:
    """The tool, which this page may then show in a frame and post to; 404 when there is none."""
    try:
        tool = tool_by_id(db, the_platform().settings, tool_id)
    except LookupError:
        abort(404)
    g.tool_origin = tool.origin
    return tool


def _review(
    db: Session, course_id: int, activity_id: int, person_id: int
) -> tuple[Enrolment, Enrolment, Activity]:
    """Who looks, whose work, where; 403 for a pupil who looks at somebody else's."""
    me = my_enrolment(db, course_id)
    pupil = db.get(Enrolment, (course_id, person_id))
    if pupil is None or (me.role == "pupil" and me.person_id != person_id):
        abort(403)
    return me, pupil, _demand_activity(db, course_id, activity_id)


def _launch(
    db: Session,
    me: Enrolment,
    message_type: str,
    opened: Activity | None = None,
    for_person_id: int | None = None,
    target: str = "iframe",
    tool: Tool | None = None,
) -> Launch:
    now, tool_id = the_platform().now(), tool.id if tool else FIRST_TOOL
    return launches.start_launch(
        db, me, message_type, now, opened, for_person_id, target, language(), tool_id
    )


def _login_initiation(started: Launch, tool: Tool, url: str) -> ResponseReturnValue:
    """The form that Moodle posts to the tool's login address, with exactly its parameters."""
    fields = {
        "iss": the_platform().settings.base_url,
        "target_link_uri": url or tool.target_url,
        "login_hint": str(started.person_id),
        "lti_message_hint": launches.message_hint(started),
        "client_id": tool.client_id,
        "lti_deployment_id": tool.deployment_id,
    }
    return form_post(tool.login_url, fields.items(), text("Ouvrir {}").format(tool.name))
