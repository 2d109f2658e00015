"""« Chercher dans le référentiel »: the page, and its results alone for the script that shows them as one types."""

from __future__ import annotations

from dataclasses import dataclass

from flask import render_template, request
from flask_babel import gettext as _
from flask_babel import ngettext
from markupsafe import Markup, escape

from ..courses.referentials import reference_to
from ..db import db
from ..frameworks.folding import marked
from ..frameworks.indexing import index_of
from ..frameworks.models import Framework
from ..frameworks.search import GUIDE, LONGEST_QUERY, REFERENTIAL, TYPES, Entry, Found, too_short
from ..frameworks.sheets import COMPETENCE, GROUP
from .guard import May, here, page, visit
from .referential_words import find_tabs, official, type_titles, type_words
from .shown import locale

SHOWN_PER_TYPE = 12
SHOWN_OF_ONE_TYPE = 300


@dataclass(frozen=True)
class Hit:
    """One line of the results; the words that matched are marked."""

    href: str
    code: Markup
    name: Markup
    text: Markup
    notes: list[Markup]
    place: str
    """« MA · Bloc 3 »."""
    official: bool
    """The source's words, not ours."""
    competences: list[str]


@dataclass(frozen=True)
class Section:
    """What was found of one type."""

    title: str
    hits: list[Hit]
    count: int
    more: str
    """Where the others are; empty when all are shown."""


@dataclass(frozen=True)
class Narrower:
    """A competence that narrows the search: its code, how many results remain, and where."""

    code: str
    count: int
    href: str


@dataclass(frozen=True)
class Answer:
    """What a page says of a search."""

    query: str
    said: str
    sections: list[Section]
    narrower: list[Narrower]
    nothing: bool
    """The search was made, and found nothing."""


@page("/referential/search", may=May.READ)
def referential_search() -> str:
    """The field and, when something is asked for, what is found."""
    framework, answer = _answer()
    return render_template(
        "referential_search.html", framework=framework, fr=official(framework), answer=answer
    )


@page("/referential/search/results", may=May.READ)
def referential_search_results() -> str:
    """The results alone."""
    framework, answer = _answer()
    return render_template("_search_results.html", fr=official(framework), answer=answer)


def _answer() -> tuple[Framework, Answer]:
    # What does not print is no part of a word, and is not repeated in the page.
    asked = "".join(c if c.isprintable() else " " for c in request.args.get("q", "")).strip()
    tabs = find_tabs()
    framework = tabs.own[0]
    if not asked:
        return framework, Answer("", "", [], [], False)
    if len(asked) > LONGEST_QUERY:
        said = _(
            "La recherche est trop longue\u00a0: %(most)d caractères au plus. Quelques mots suffisent.",
            most=LONGEST_QUERY,
        )
        return framework, Answer(asked[:LONGEST_QUERY], said, [], [], False)
    if too_short(asked):
        said = _("Une lettre ne suffit pas\u00a0: en écrire au moins deux, ou un code comme 1A.")
        return framework, Answer(asked, said, [], [], False)
    index = index_of(db.session, tabs.own, tabs.linked, locale())
    found = index.search(asked, _type_names())
    return framework, _told(asked, found)


def _told(asked: str, found: Found) -> Answer:
    only = request.args.get("type", "")
    most = SHOWN_OF_ONE_TYPE if only in TYPES else SHOWN_PER_TYPE
    titles = _titles()
    sections = [
        Section(
            titles[group.type],
            [_hit(entry, found.words) for entry in group.entries[:most]],
            len(group.entries),
            here("referential_search", q=asked, type=group.type)
            if len(group.entries) > most and only != group.type
            else "",
        )
        for group in found.groups
        if only in ("", group.type) or only not in TYPES
    ]
    said = (
        ngettext(
            "%(num)d résultat pour «\u00a0%(asked)s\u00a0»",
            "%(num)d résultats pour «\u00a0%(asked)s\u00a0»",
            found.count,
            asked=asked,
        )
        if found.count
        else _("Aucun résultat pour «\u00a0%(asked)s\u00a0»", asked=asked)
    )
    return Answer(asked, said, sections, _narrower(asked, found), not found.count)


def _narrower(asked: str, found: Found) -> list[Narrower]:
    """The competences that results belong to, where naming one would leave fewer."""
    if found.is_code:
        return []
    return [
        Narrower(code, count, here("referential_search", q=f"{asked} {code}"))
        for code, count in sorted(found.competences.items())
        if count < found.count
    ]


def _hit(entry: Entry, words: list[str]) -> Hit:
    notes = [_marked(note, words) for note in entry.notes]
    return Hit(
        href=_href(entry),
        code=_marked(_code(entry), words),
        name=_marked(entry.name, words),
        text=_marked(entry.text, words),
        notes=[note for note in notes if "<mark>" in note],
        place=_place(entry),
        official=entry.type not in (REFERENTIAL, GUIDE),
        competences=[code for code in entry.competences if code != entry.code or entry.type != COMPETENCE],
    )


def _marked(text: str, words: list[str]) -> Markup:
    """The text, escaped, with what matched in `<mark>`."""
    return Markup("").join(
        Markup("<mark>{}</mark>").format(piece) if matched else escape(piece)
        for piece, matched in marked(text, words)
    )


def _href(entry: Entry) -> str:
    """Where an entry is read."""
    course = visit().course
    tab = None if entry.framework == course.framework_slug else entry.framework
    if entry.type == REFERENTIAL:
        return here("referential", of=tab)
    if entry.type == GUIDE:
        return here("referential", of=tab, _anchor="guide")
    if entry.framework not in course.framework_slugs:
        return here("statement", identifier=entry.uuid)
    if entry.type == GROUP or not entry.competences:
        return here("referential", of=tab, _anchor=f"g{entry.code}" if entry.type == GROUP else None)
    return here("competence", code=reference_to(course, entry.framework, entry.competences[0]))


def _code(entry: Entry) -> str:
    return _part(entry.code) if entry.type == GROUP else entry.code


def _place(entry: Entry) -> str:
    if entry.type in (REFERENTIAL, GUIDE):
        return ""
    return " · ".join([entry.short_title, *map(_part, entry.parts)])


def _part(code: str) -> str:
    """« Groupe 1 », « Bloc 3 »: a bare number takes its word."""
    return _("Groupe %(code)s", code=code) if code.isdigit() else code


# ----- words -----


def _titles() -> dict[str, str]:
    return {
        **type_titles(),
        REFERENTIAL: _("Référentiels"),
        GROUP: _("Blocs et groupes"),
        "knowledge": _("Savoirs associés"),
        GUIDE: _("Pour s’y retrouver"),
    }


def _type_names() -> dict[str, str]:
    """What each type is called on this page, and in French: the words that narrow a search to it."""
    here_called, french = type_words(), _FRENCH_TYPES if locale() != "fr" else {}
    return {
        type_: " ".join([word, type_titles().get(type_, ""), french.get(type_, "")])
        for type_, word in here_called.items()
    }


_FRENCH_TYPES = {
    GROUP: "bloc groupe",
    COMPETENCE: "compétence",
    "subcompetence": "sous-compétence",
    "criterion": "critère",
    "behaviour": "comportement",
    "knowledge": "savoir",
    "knowledge_limit": "limite",
    "resource": "ressource",
    "relation": "relation",
    "expected_result": "résultat",
}
"""Statements are French whatever the page's language: so may be the word that narrows to a type."""
