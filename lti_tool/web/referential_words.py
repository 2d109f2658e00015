"""What the referential's pages share: their tabs, and the words they are said with."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

from flask_babel import gettext as _
from markupsafe import Markup

from ..courses.referentials import course_frameworks
from ..db import db
from ..frameworks.models import Framework, FrameworkItem
from ..frameworks.sheets import GROUP, THEMES, linked_frameworks
from .guard import visit
from .shown import locale, long_date


@dataclass(frozen=True)
class Tabs:
    """The referentials that this course's pages lead to."""

    own: list[Framework]
    """The course's, its main one first."""
    linked: list[Framework]
    """Those that the course's lead to."""
    general: Framework | None
    """The first of the course's that leads to another: the general view is its."""

    @property
    def all(self) -> list[Framework]:
        return list(dict.fromkeys([*self.own, *self.linked]))


def find_tabs() -> Tabs:
    """The referentials of this course's pages. Raises `NotFound` when none of the course's is loaded."""
    own = course_frameworks(db.session, visit().course)
    sides = {one: linked_frameworks(db.session, one.id) for one in own}
    linked = [side for found in sides.values() for side in found]
    return Tabs(own, linked, next((one for one in own if sides[one]), None))


def own_tab(framework: Framework) -> str | None:
    """How the address of the referential's page names one of the course's own; the main one needs no name."""
    return framework.slug if framework.slug != visit().course.framework_slug else None


# ----- words -----


def source_date(framework: Framework) -> str:
    """The date of the official text in words; empty when the file gives none."""
    try:
        return long_date(date.fromisoformat(framework.source.get("date", "")))
    except ValueError:
        return ""


def sheet_words(framework: Framework) -> dict[str, Any]:
    """What the pages that show the sides of competences say them with."""
    return {
        "titles": type_titles(),
        "theme_titles": theme_titles(),
        "theme_of": theme_of(),
        "guide": framework.guide,
        "fr": official(framework),
        "parts_text": parts_text,
        "group_name": group_name,
        "absent_text": lambda side, type_: _guide_text(framework, "absent", side=side, type=type_),
    }


def _guide_text(framework: Framework, key: str, **wanted: str) -> str:
    """The text of a list of the guide's for one place of the pages; empty when it says nothing of it."""
    for line in framework.guide.get(key, []):
        if all(line.get(name) == value for name, value in wanted.items()):
            return str(line.get("text", ""))
    return ""


def official(framework: Framework) -> Markup:
    """The `lang` attribute of official text, for pages in another language."""
    if framework.language == locale():
        return Markup("")
    return Markup(' lang="{}"').format(framework.language)


def group_name(group: FrameworkItem) -> str:
    """« Groupe 1 »: the Seconde's groups have bare numbers, MA's and MCV's carry their word."""
    return group.code if not group.code.isdigit() else _("Groupe %(code)s", code=group.code)


def parts_text(parts: list[FrameworkItem]) -> str:
    """« Bloc 1 », « Groupes 1 et 4B ». These words are the referential's own: they are not translated."""
    codes = [part.code for part in parts]
    words = {code.rpartition(" ")[0] for code in codes}
    if len(codes) > 1 and len(words) == 1 and words != {""}:
        numbers = [code.rpartition(" ")[2] for code in codes]
        return f"{words.pop()}s {', '.join(numbers[:-1])} et {numbers[-1]}"
    return ", ".join(codes)


def theme_of() -> dict[str, str]:
    """The sheet that each type is on."""
    return {type_: theme for theme, types in THEMES.items() for type_ in types}


def theme_titles() -> dict[str, str]:
    """The names of the source's three sheets."""
    return {"skills": _("Compétences"), "knowledge": _("Savoirs"), "evaluation": _("Évaluation")}


def type_titles() -> dict[str, str]:
    """The titles of the rows, by type of what is in them."""
    return {
        "competence": _("Compétences"),
        "subcompetence": _("Sous-compétences"),
        "criterion": _("Critères d’évaluation"),
        "behaviour": _("Comportements professionnels"),
        "knowledge": _("Savoirs associés et limites"),
        "knowledge_limit": _("Limites de savoir"),
        "resource": _("Ressources"),
        "relation": _("Relations"),
        "expected_result": _("Résultats attendus"),
    }


def type_words() -> dict[str, str]:
    """What one statement of each type is called."""
    return {
        GROUP: _("Bloc ou groupe de compétences"),
        "competence": _("Compétence"),
        "subcompetence": _("Sous-compétence"),
        "criterion": _("Critère d’évaluation"),
        "behaviour": _("Comportement professionnel"),
        "knowledge": _("Savoir associé"),
        "knowledge_limit": _("Limite de savoir"),
        "resource": _("Ressource"),
        "relation": _("Relation"),
        "expected_result": _("Résultat attendu"),
    }
