"""The referential whole: the general view of what each competence leads to, and the pages to print."""

from __future__ import annotations

from flask import render_template, request

from ..db import db
from ..frameworks.models import Framework
from ..frameworks.sheets import (
    COMPETENCE,
    DETAILS,
    find_competence,
    find_framework,
    groups,
    linked_frameworks,
)
from ..frameworks.sides import sheets
from .guard import May, page, visit
from .referential import sheet_words, source_date


@page("/referential/general", may=May.READ)
def general_view() -> str:
    """The source's general table: each competence between the two referentials it leads to."""
    framework = find_framework(db.session, visit().course.framework_slug)
    found = groups(db.session, framework.id)
    ten = [competence for group in found for competence in group.competences]
    read = sheets(db.session, ten, (COMPETENCE, DETAILS[COMPETENCE]))
    return render_template(
        "referential_general.html",
        framework=framework,
        linked=linked_frameworks(db.session, framework.id),
        groups=found,
        sides=read[0].sides if read else [],
        sheets={sheet.item.id: sheet for sheet in read},
        row_href=lambda code: f"#{code}",
        short=request.args.get("short") == "1",
        **sheet_words(framework),
    )


@page("/referential/print", may=May.READ)
def printed_referential() -> str:
    """All that the referential says, unfolded, for paper; with `code`, of one competence."""
    framework = find_framework(db.session, visit().course.framework_slug)
    code = request.args.get("code", "")
    found = [] if code else groups(db.session, framework.id)
    wanted = [competence for group in found for competence in group.competences]
    if code:
        wanted = [find_competence(db.session, framework.id, code)]
    return render_template(
        "referential_print.html",
        framework=framework,
        code=code,
        groups=found,
        sheets=sheets(db.session, wanted),
        source_text=_source_text(framework),
        on_paper=True,
        **sheet_words(framework),
    )


def _source_text(framework: Framework) -> str:
    """« Ressources pour la Seconde… (Bacs Pro…), 8 juillet 2019 »: where the statements come from."""
    source = framework.source
    text = str(source.get("title") or framework.title)
    if source.get("part_of"):
        text = f"{text} ({source['part_of']})"
    return ", ".join(filter(None, [text, source_date(framework)]))
