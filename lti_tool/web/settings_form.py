"""The form of « Réglages du cours »: as it is stored, as it was typed, and what is wrong with it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from typing import Any

from flask_babel import gettext as _
from werkzeug.datastructures import MultiDict

from ..assessment.mastery import COMPLEXITIES
from ..assessment.worked import worked_items
from ..courses.models import Course
from ..courses.referentials import Material, course_competences, materials
from ..db import db
from ..errors import NotFound
from ..gradebook.models import Conversion, GradebookSettings, Mode
from ..gradebook.own_columns import own_columns
from ..gradebook.settings import Wanted
from .deliveries import number
from .guard import row_id

MINIMUMS = (1, 2, 3, 4, 5)
LEVELS = ("1", "2", "3", "4")
HARDNESS = tuple(str(complexity) for complexity in COMPLEXITIES)

Typed = dict[str, str]


@dataclass
class Draft:
    """The form as it is shown: what is stored, or what was typed."""

    mode: str
    conversion: str
    table: Typed
    complexity_table: dict[str, Typed]
    minimum: str
    every: bool
    """All competences, whatever is ticked."""
    competences: list[int]
    problems: dict[str, str] = field(default_factory=dict)

    def wanted(self, before: Wanted) -> Wanted:
        """The settings it asks for; only when nothing is wrong with it.

        A table that is not used, and is wrong, stays as before.
        """
        harder = self.complexity_table
        return Wanted(
            mode=self.mode,
            conversion=self.conversion,
            table=before.table if _table_problems(self.table) else _numbers(self.table),
            complexity_table=before.complexity_table
            if _complexity_problems(harder)
            else {complexity: _numbers(harder[complexity]) for complexity in HARDNESS},
            minimum=int(self.minimum),
            competences=None if self.every else self.competences,
        )


@dataclass(frozen=True)
class Part:
    """The competences of a referential that may be picked, and which of them the course works."""

    material: Material
    worked: set[int]


def offered_competences(course: Course) -> list[Part]:
    """All competences of the course's referentials, its main one first."""
    worked = worked_items(db.session, course)
    try:
        used = materials(db.session, course)
    except NotFound:
        return []  # not loaded any more: another one is chosen on this very page
    return [Part(one, {c.id for c in one.competences} & worked) for one in used]


def stored_draft(settings: GradebookSettings) -> Draft:
    """The form of the settings as they are."""
    return Draft(
        mode=settings.mode,
        conversion=settings.conversion,
        table=_words(settings.table),
        complexity_table={c: _words(settings.complexity_table[c]) for c in HARDNESS},
        minimum=str(settings.minimum),
        every=settings.competences is None,
        competences=settings.competences or [],
    )


def typed_draft(course: Course, form: MultiDict[str, str]) -> Draft:
    """The form as it came, with a sentence for each field that is wrong."""
    known = {competence.id for competence in course_competences(db.session, course)}
    draft = Draft(
        mode=form.get("mode", ""),
        conversion=form.get("conversion", ""),
        table=_table(form, ""),
        complexity_table={complexity: _table(form, complexity) for complexity in HARDNESS},
        minimum=form.get("minimum", "").strip()[:20],
        every=form.get("which", "all") != "some",
        competences=sorted(known & set(form.getlist("competences", type=row_id))),
    )
    if draft.mode not in set(Mode):
        draft.problems["mode"] = _("Choisir quand les notes partent.")
    if draft.conversion not in set(Conversion):
        draft.problems["conversion"] = _("Choisir les points de l’échelle, ou une note sur 20.")
    # A table that is not used is kept when it is right, and no bother when it is not.
    if draft.conversion == Conversion.TABLE:
        draft.problems |= _table_problems(draft.table)
    if draft.conversion == Conversion.COMPLEXITY:
        draft.problems |= _complexity_problems(draft.complexity_table)
    if draft.minimum not in {str(minimum) for minimum in MINIMUMS}:
        draft.problems["minimum"] = _("Choisir un nombre d’observations de 1 à 5.")
    # A teacher may want the columns of activities alone.
    if not draft.every and not draft.competences and not own_columns(db.session, course):
        draft.problems["which"] = _(
            "Cocher au moins une compétence. Pour ne rien envoyer du tout, choisir plus haut « Ne rien envoyer »."
        )
    return draft


def field_name(level: str, complexity: str = "") -> str:
    """The name of a field of a table: `level_3`, or `level_3_2` of the table by complexity."""
    return f"level_{level}_{complexity}" if complexity else f"level_{level}"


def _table(form: Mapping[str, str], complexity: str) -> Typed:
    return {level: form.get(field_name(level, complexity), "").strip()[:20] for level in LEVELS}


def _words(table: Mapping[str, Any]) -> Typed:
    return {level: number(table[level]) for level in LEVELS}


def _numbers(table: Typed) -> dict[str, int | float]:
    """The table as it is stored; only when nothing is wrong with it."""
    values = {level: _points(table[level]) for level in LEVELS}
    return {level: int(v) if v == int(v) else float(v) for level, v in values.items() if v is not None}


def _table_problems(table: Typed, complexity: str = "") -> dict[str, str]:
    problems, highest = {}, Decimal(0)
    for level in LEVELS:
        points = _points(table[level])
        if points is None:
            problems[field_name(level, complexity)] = _(
                "Taper un nombre de 0 à 20, au demi-point près : 14 ou 14,5 par exemple."
            )
        elif points < highest:
            problems[field_name(level, complexity)] = _(
                "Le niveau %(level)s vaut moins que le niveau précédent (%(points)s) : taper au moins autant.",
                level=level,
                points=number(highest),
            )
        else:
            highest = points
    return problems


def _complexity_problems(tables: dict[str, Typed]) -> dict[str, str]:
    """As for one table; and the same level is worth at least as much in a harder situation."""
    problems: dict[str, str] = {}
    for complexity in HARDNESS:
        problems |= _table_problems(tables[complexity], complexity)
    for easier, harder in zip(HARDNESS, HARDNESS[1:], strict=False):
        for level in LEVELS:
            less, more = _points(tables[easier][level]), _points(tables[harder][level])
            if less is not None and more is not None and more < less:
                problems.setdefault(
                    field_name(level, harder),
                    _(
                        "Le niveau %(level)s vaut moins qu’en situation moins complexe (%(points)s) : "
                        "taper au moins autant.",
                        level=level,
                        points=number(less),
                    ),
                )
    return problems


def _points(typed: str) -> Decimal | None:
    """A number of 0 to 20, whole or half, with a comma or a dot; None for anything else."""
    text = typed.replace(",", ".")
    if not text.isascii() or not text.replace(".", "", 1).isdigit():
        return None
    try:
        value = Decimal(text)
    except InvalidOperation:
        return None
    return value if 0 <= value <= 20 and value * 2 == int(value * 2) else None
