"""The referential whole: the general view of what each competence leads to, and the pages to print."""

from __future__ import annotations

from flask import render_template, request

from ..courses.referentials import course_frameworks, find_named, materials
from ..db import db
from ..errors import NotFound
from ..frameworks.models import Framework
from ..frameworks.sheets import COMPETENCE, DETAILS, groups
from ..frameworks.sides import sheets
from .guard import May, page, visit
from .referential_words import find_tabs, sheet_words, source_date


@page("/referential/general", may=May.READ)
def general_view() -> str:
    """The source's general table: each competence between the two referentials it leads to."""
    tabs = find_tabs()
    framework = _asked(tabs.own)
    found = groups(db.session, framework.id)
    ten = [competence for group in found for competence in group.competences]
    read = sheets(db.session, ten, (COMPETENCE, DETAILS[COMPETENCE]))
    return render_template(
        "referential_general.html",
        framework=framework,
        tabs=tabs,
        groups=found,
        sides=read[0].sides if read else [],
        sheets={sheet.item.id: sheet for sheet in read},
        row_href=lambda item: f"#{item.code}",
        short=request.args.get("short") == "1",
        **sheet_words(framework),
    )


@page("/referential/print", may=May.READ)
def printed_referential() -> str:
    """All that the referential says, unfolded, for paper; with `code`, of one competence."""
    code = request.args.get("code", "")
    if code:
        found, wanted = [], [find_named(db.session, materials(db.session, visit().course), code)]
        framework = wanted[0].framework
    else:
        framework = _asked(course_frameworks(db.session, visit().course))
        found = groups(db.session, framework.id)
        wanted = [competence for group in found for competence in group.competences]
    return render_template(
        "referential_print.html",
        framework=framework,
        code=wanted[0].code if code else "",
        groups=found,
        sheets=sheets(db.session, wanted),
        source_text=_source_text(framework),
        on_paper=True,
        **sheet_words(framework),
    )


def _asked(own: list[Framework]) -> Framework:
    """Which of the course's referentials `of` names, its main one without. Raises `NotFound`."""
    wanted = request.args.get("of", own[0].slug)
    found = next((one for one in own if one.slug == wanted), None)
    if found is None:
        raise NotFound(f"« {wanted} » is not one of this course's referentials")
    return found


def _source_text(framework: Framework) -> str:
    """« Ressources pour la Seconde… (Bacs Pro…), 8 juillet 2019 »: where the statements come from."""
    source = framework.source
    text = str(source.get("title") or framework.title)
    if source.get("part_of"):
        text = f"{text} ({source['part_of']})"
    return ", ".join(filter(None, [text, source_date(framework)]))
