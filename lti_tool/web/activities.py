"""Activities: the form, and one activity as a pupil reads it."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

from flask import redirect, render_template, request
from werkzeug.wrappers import Response

from ..activities.editing import (
    Choice,
    Draft,
    choices,
    find_activity,
    save_activity,
)
from ..activities.links import (
    activity_of_link,
    link_activity,
)
from ..activities.models import COMPLEXITIES, SIMPLE, SPECIALITIES, Activity
from ..activities.nudges import nudges
from ..activities.people import is_for
from ..assessment.entries import cells
from ..assessment.models import Assessment
from ..courses.groups import groups_of
from ..courses.models import CoursePeriod
from ..courses.people import Pupil
from ..courses.periods import periods_of
from ..courses.referentials import course_competences, course_frameworks, materials, named, reference
from ..db import db, utcnow
from ..errors import BadInput, NotAllowed, NotFound
from ..frameworks.becoming import becomings
from ..frameworks.guide import Example, Guide, Line, guide_of
from ..gradebook.queue import wake_worker
from ..gradebook.scores import queue_scores
from .guard import May, here, page, row_id, visit
from .link_choice import column_asked, own_link
from .pupil import find_pupil
from .referential_words import group_name, official
from .shown import (
    code_words,
    complexity_words,
    level_word,
    locale,
    period_names,
    purpose_words,
    setting_words,
    show_activity,
    speciality_words,
    today,
)


@page("/activities/<id:activity_id>", may=May.READ)
def activity(activity_id: int) -> str:
    """One activity: what is expected, in plain sight before the work; my result and comment after."""
    if not (visit().may(May.LEARN) or visit().may(May.ASSESS)):
        raise NotAllowed("activity")
    found = find_activity(db.session, visit().course, activity_id)
    learns = visit().may(May.LEARN)
    mine = _seen_of(found, visit().person.id) if learns else {}
    return _show(
        found,
        mine,
        can_assess=visit().may(May.ASSESS),
        can_teach=visit().may(May.TEACH) and found.year_id is None,
        not_for_me=learns and not mine and not is_for(db.session, found, visit().person.id),
    )


@page("/activities/<id:activity_id>/pupils/<id:person_id>", may=May.ASSESS)
def reviewed_activity(activity_id: int, person_id: int) -> str:
    """One activity for one pupil, as a submission review opens it: what was expected, and what was seen."""
    found = find_activity(db.session, visit().course, activity_id)
    pupil, leaf = find_pupil(visit().course, person_id)
    return _show(found, _seen_of(found, person_id), pupil=pupil, can_assess=not leaf.left, can_teach=False)


def _seen_of(found: Activity, person_id: int) -> dict[int, Assessment]:
    """What was seen of somebody in an activity, by competence."""
    rows = cells(db.session, found.id, person_id)
    return {item: row for (_person, item), row in rows.items() if row.value}


def _show(
    found: Activity,
    mine: dict[int, Assessment],
    *,
    can_assess: bool,
    can_teach: bool,
    pupil: Pupil | None = None,
    not_for_me: bool = False,
) -> str:
    """The page of an activity, with what was seen of one pupil: the visitor's own, or `pupil`'s for a teacher."""
    framework = course_frameworks(db.session, visit().course)[0]
    return render_template(
        "activity.html",
        activity=show_activity(found),
        competences=found.competences,
        mine=mine,
        pupil=pupil,
        not_for_me=not_for_me,
        periods=period_names(found, periods_of(db.session, visit().course.id)),
        becomings=becomings(db.session, [link.item_id for link in found.competences]),
        framework=framework,
        fr=official(framework),
        page_words=_page_words(guide_of(framework, locale()), found),
        level_word=level_word,
        code_words=code_words(),
        can_assess=can_assess,
        can_teach=can_teach,
        can_say=visit().may(May.LEARN),
    )


def _page_words(guide: Guide, shown: Activity) -> list[Line]:
    """The words of an activity's statements, then the logics that its complexity and its specialities follow."""
    items = [item for link in shown.competences for item in (link.item, *(o.item for o in link.observed))]
    logics = [guide.logic("spiral"), guide.logic("exploration") if shown.specialities else None]
    return [*guide.words_in(item.statement for item in items), *(logic for logic in logics if logic)]


# ----- the form -----


@page("/activities/new", may=May.TEACH)
def new_activity() -> str:
    """The empty form; `copy` starts from an activity, `example` from an example.

    `competence`, `speciality`, `complexity` and `date` fill it beforehand, as a cell of « Couverture » asks.
    """
    if request.args.get("copy", type=row_id):
        source = find_activity(db.session, visit().course, request.args.get("copy", type=row_id) or 0)
        draft = Draft.from_copy(source, visit().course, today())
    elif request.args.get("example"):
        draft = Draft.from_example(_asked_example(request.args["example"]), today())
    else:
        draft = _asked_draft()
    return _form(draft)


def _asked_example(key: str) -> Example:
    framework = course_frameworks(db.session, visit().course)[0]
    example = guide_of(framework, locale()).example(key)
    if example is None:
        raise NotFound(f"there is no example « {key} » in this course's referential")
    return example


@page("/activities/new", may=May.TEACH, methods=("POST",))
def create_activity() -> Response | tuple[str, int]:
    """Create an activity."""
    draft = Draft.from_form(request.form.to_dict(flat=False))
    try:
        created = save_activity(db.session, visit().course, draft, visit().person.id, utcnow())
    except BadInput as error:
        return _form(draft, error.problems), 422
    if request.form.get("for_link"):
        link_activity(db.session, own_link(), created, graded=column_asked())
    db.session.commit()
    return redirect(_after_saving(created), 303)


@page("/activities/<id:activity_id>/edit", may=May.TEACH)
def edit_activity(activity_id: int) -> str:
    """The form of an activity."""
    found = _changeable(activity_id)
    return _form(Draft.from_activity(found, visit().course), activity=found)


@page("/activities/<id:activity_id>/edit", may=May.TEACH, methods=("POST",))
def change_activity(activity_id: int) -> Response | tuple[str, int]:
    """Change an activity. Its date and complexity count in every position: scores follow."""
    found = _changeable(activity_id, hold=True)
    draft = Draft.from_form(request.form.to_dict(flat=False))
    try:
        save_activity(db.session, visit().course, draft, visit().person.id, utcnow(), found)
    except BadInput as error:
        if "version" in error.problems:
            draft = replace(draft, version=str(found.version))
        return _form(draft, error.problems, found), 422
    deliveries = queue_scores(db.session, visit().course, _assessed_pairs(found), utcnow())
    db.session.commit()
    if deliveries:
        wake_worker()
    return redirect(_after_saving(found), 303)


@page("/activities/nudges", may=May.TEACH)
def show_nudges() -> str:
    """The remarks on what is ticked now, for the form's script."""
    draft = Draft(
        competences=request.args.getlist("competences"),
        complexity=request.args.get("complexity", "1"),
        specialities=request.args.getlist("specialities"),
    )
    edited = request.args.get("activity", type=row_id)
    found = find_activity(db.session, visit().course, edited) if edited else None
    parts = materials(db.session, visit().course)
    return render_template("_nudges.html", nudges=nudges(db.session, visit().course, parts, draft, found))


@page("/activities/<id:activity_id>/archive", may=May.TEACH, methods=("POST",))
def archive_activity(activity_id: int) -> Response:
    """Put an activity away, or take it out again. Its results stay and count."""
    found = _changeable(activity_id)
    back = request.form.get("restore")
    found.archived_at = None if back else utcnow()
    db.session.commit()
    return redirect(here("activities", archived=None if back else found.id), 303)


def _changeable(activity_id: int, *, hold: bool = False) -> Activity:
    """An activity of the present year. Raises `NotFound` for one of a year that is over: it is only read."""
    found = find_activity(db.session, visit().course, activity_id, hold=hold)
    if found.year_id is not None:
        raise NotFound("this activity is of a year that is over")
    return found


def _after_saving(saved: Activity) -> str:
    """Where the pressed button leads."""
    if request.form.get("back") == "picker" and visit().session.deep_linking:
        return here("picker", chosen=saved.id)
    if request.form.get("then") == "grid" and not saved.undated:
        return here("grid", activity_id=saved.id)
    return here("activities")


def _form(draft: Draft, problems: dict[str, str] | None = None, activity: Activity | None = None) -> str:
    course = visit().course
    parts = materials(db.session, course)
    known: dict[str, Choice] = choices(db.session, course)
    link = visit().session.resource_link
    return render_template(
        "activity_form.html",
        draft=draft,
        problems=problems or {},
        activity=activity,
        materials=parts,
        choices=known,
        framework=parts[0].framework,
        group_name=group_name,
        guide=guide_of(parts[0].framework, locale()),
        complexities=complexity_words(),
        settings=setting_words(),
        purposes=purpose_words(),
        specialities=speciality_words(),
        opened={ticked.rpartition(":")[0] for ticked in draft.observed},
        nudges=nudges(db.session, course, parts, draft, activity),
        groups=groups_of(db.session, course.id),
        period_spans=_spans(periods_of(db.session, course.id)),
        can_link=link is not None and activity is None and activity_of_link(db.session, link) is None,
        for_link=request.values.get("for_link"),
        back=request.values.get("back", ""),
        copied=bool(request.args.get("copied")) and activity is not None and bool(activity.copied_from),
    )


def _asked_draft() -> Draft:
    """The draft that the address asks for; what is not one of the form's values is left out."""
    asked = request.args
    try:
        day = date.fromisoformat(asked.get("date", ""))
    except ValueError:
        day = today()
    return Draft(
        starts_on=day.isoformat(),
        competences=_asked_competences(),
        specialities=[s for s in SPECIALITIES if s in asked.getlist("speciality")],
        complexity=next((str(c) for c in COMPLEXITIES if str(c) == asked.get("complexity")), str(SIMPLE)),
    )


def _spans(periods: list[CoursePeriod]) -> list[dict[str, str]]:
    """The periods, for the form's script, and to say which ones the typed date is in."""
    return [
        {"name": one.name, "from": one.starts_on.isoformat(), "to": one.ends_on.isoformat()}
        for one in periods
    ]


def _asked_competences() -> list[str]:
    """The competences that the address asks to tick, as the form names them."""
    course, wanted = visit().course, request.args.getlist("competence")
    known = course_competences(db.session, course) if wanted else []
    return [reference(course, item) for text in wanted if (item := named(known, text))]


def _assessed_pairs(found: Activity) -> list[tuple[int, int]]:
    return list(cells(db.session, found.id))
