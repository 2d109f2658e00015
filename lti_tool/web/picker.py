"""The picker: a teacher chooses in the LMS what Spirale adds to the course (Deep Linking)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from flask import current_app, render_template, request
from flask_babel import gettext as _

from ..activities.editing import list_activities
from ..activities.links import CUSTOM_PAGE, deep_link_custom
from ..activities.models import Activity
from ..config import Config
from ..courses.referentials import course_competences, materials, reference
from ..db import db
from ..errors import BadInput, NotFound
from ..frameworks.models import FrameworkItem
from ..gradebook.worths import column_maximum, settings_of
from ..lti.ags import SCOPE_SCORE
from ..lti.deep_linking import ContentItem, LinkColumn, answer
from ..lti.keys import signing_key
from ..lti.launch import LAUNCH_PATH
from .guard import May, page, visit
from .referential_words import official
from .shown import show_activity

SHOWN_AT_FIRST = 8
ITEM = "item"
"""Name of every box of the form: `activity:12`, `competence:1C`, `page:overview`."""
COLUMN = "column"
"""Name of the boxes that ask for a column of an activity's own: `activity:12`."""
TAG = "activity"
"""Tag of such a column; those of competences carry the competence's code."""


@dataclass(frozen=True)
class Overview:
    """A page for the whole course that may be added."""

    value: str
    title: str
    text: str


@page("/picker", may=May.TEACH)
def picker() -> str:
    """What may be added to the course, in one form; `chosen` ticks an activity that was just made."""
    if not _takes_links():
        return render_template("picker_refused.html", problem=_no_links(), nav=[])
    return _form([f"activity:{number}" for number in request.args.getlist("chosen")])


@page("/picker", may=May.TEACH, methods=("POST",))
def answer_picker() -> str | tuple[str, int]:
    """Hand the choice, or nothing, back to the platform: a page whose form posts the signed answer."""
    settings = _settings()
    chosen = list(dict.fromkeys(request.form.getlist(ITEM)))
    items: list[ContentItem] = []
    if _takes_links() and request.form.get("action") != "cancel":
        try:
            items = _content_items(chosen, settings)
        except BadInput as error:
            return _form(chosen, error.problems[ITEM]), 422
    config: Config = current_app.extensions["spirale_config"]
    kid, key = signing_key(db.session, config.secret_key)
    db.session.commit()
    session = visit().session
    token = answer(
        session.course.platform,
        session.deployment.deployment_id,
        settings["data"],
        items,
        kid,
        key,
        problem="" if _takes_links() else _no_links(),
    )
    return render_template(
        "picker_return.html", return_url=settings["return_url"], token=token, count=len(items), nav=[]
    )


def _no_links() -> str:
    return _("La plateforme n’accepte pas ici de lien vers un outil, et Spirale n’a rien d’autre à donner.")


def _settings() -> dict[str, Any]:
    """What the platform asked for. Raises `NotFound` in a session that no deep-linking request opened."""
    settings = visit().session.deep_linking
    if settings is None:
        raise NotFound("this session does not come from a deep-linking request")
    return settings


def _content_items(chosen: list[str], settings: dict[str, Any]) -> list[ContentItem]:
    """The links to add, in the order of the page. Raises `BadInput`."""
    if not chosen:
        raise BadInput({ITEM: _("Rien n’est choisi : cocher au moins un élément, ou annuler.")})
    if len(chosen) > 1 and not settings["accept_multiple"]:
        raise BadInput({ITEM: _("La plateforme n’accepte qu’un élément à la fois : n’en garder qu’un.")})
    offered = _offered()
    if not set(chosen) <= set(offered):
        raise BadInput({ITEM: _("Un élément choisi n’est plus dans ce cours : choisir de nouveau.")})
    return [item for value, item in offered.items() if value in chosen]


def _offered() -> dict[str, ContentItem]:
    """Everything the form offers, by the value of its box."""
    config: Config = current_app.extensions["spirale_config"]
    url = config.base_url + LAUNCH_PATH
    activities = {f"activity:{one.id}": _activity_link(one, url) for one in _activities()}
    pages = {
        value: ContentItem(
            f"{one.code} {one.label or one.statement}", one.statement, url, {CUSTOM_PAGE: value}
        )
        for value, one in _competences().items()
    }
    overviews = {
        f"page:{one.value}": ContentItem(one.title, one.text, url, {CUSTOM_PAGE: one.value})
        for one in _overviews()
    }
    return {**activities, **pages, **overviews}


def _activity_link(activity: Activity, url: str) -> ContentItem:
    """The link to an activity, with a column of its own when the teacher asks for one."""
    config: Config = current_app.extensions["spirale_config"]
    asked = _takes_columns() and f"activity:{activity.id}" in request.form.getlist(COLUMN)
    course = visit().course
    custom = deep_link_custom(activity, course.platform.issuer, config.secret_key, column=asked)
    column = None
    if asked:
        column = LinkColumn(column_maximum(settings_of(db.session, course.id)), activity.uuid, TAG)
    return ContentItem(activity.title, activity.situation, url, custom, column)


def _takes_links() -> bool:
    return bool(_settings().get("accept_links", True))


def _takes_columns() -> bool:
    """Whether a link may come with a column that grades can be sent to."""
    return bool(_settings()["accept_lineitem"]) and SCOPE_SCORE in visit().course.ags_scopes


def _activities() -> list[Activity]:
    return list_activities(db.session, visit().course)


def _competences() -> dict[str, FrameworkItem]:
    """The competences, by the page that shows each: `competence:1C`."""
    course = visit().course
    return {f"competence:{reference(course, one)}": one for one in course_competences(db.session, course)}


def _overviews() -> list[Overview]:
    return [
        Overview(
            "overview",
            _("Bilan de la classe"),
            _("Où en est la classe, compétence par compétence ; un élève y voit ses propres compétences."),
        ),
        Overview("me", _("Ma spirale"), _("Mes compétences, situation après situation.")),
    ]


def _form(chosen: list[str], problem: str = "") -> str:
    activities = [show_activity(one) for one in _activities()]
    return render_template(
        "picker.html",
        first=activities[:SHOWN_AT_FIRST],
        others=activities[SHOWN_AT_FIRST:],
        materials=materials(db.session, visit().course),
        overviews=_overviews(),
        chosen=set(chosen),
        multiple=_settings()["accept_multiple"],
        columns=_takes_columns(),
        with_column=set(request.form.getlist(COLUMN)),
        problem=problem,
        official=official,
        nav=[],
    )
