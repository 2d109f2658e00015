"""The type of an item of a CASE package, in our words: CASE lets every framework name its own."""

from __future__ import annotations

import re
import unicodedata

from .case_objects import TYPES
from .case_values import Object
from .data import ITEM_TYPES

GROUP, COMPETENCE, SUBCOMPETENCE = "competence_group", "competence", "subcompetence"

WORDS = {
    GROUP: "domain, strand, cluster, category, conceptual category, grade, grade level, course, unit, topic, level, "
    "competency group, group, bloc, bloc de competences, groupe, groupe de competences, domaine, pole, activite, theme",
    COMPETENCE: "competency, skill, standard, content standard, outcome, learning outcome, objective, "
    "learning objective, capacite, objectif, acquis d apprentissage",
    SUBCOMPETENCE: "sub competency, subcompetency, sub skill, subskill, component, sub standard, substandard",
    "behaviour": "behavior, behaviour, comportement, attitude, disposition, savoir etre",
    "knowledge": "knowledge, savoir, savoirs associes, concept, connaissance, essential knowledge",
    "knowledge_limit": "limit, limite, limite de connaissance, boundary, assessment boundary",
    "resource": "resource, ressource",
    "relation": "relation, relationship",
    "expected_result": "expected result, result, resultat, resultats attendus",
    "criterion": "criterion, criteria, critere, critere de performance, performance indicator, indicator, indicateur, "
    "performance expectation, evidence",
}
"""What others call our types. Anything else is placed by where it stands: see `by_place`."""


def _plain(word: str) -> str:
    """The word without accents, case, punctuation nor plural."""
    bare = unicodedata.normalize("NFKD", word).encode("ascii", "ignore").decode().lower()
    return " ".join(part.removesuffix("s") for part in re.split(r"[^a-z0-9]+", bare) if part)


KNOWN = {
    **{_plain(word): type_ for type_, words in WORDS.items() for word in words.split(", ")},
    **{_plain(type_): type_ for type_ in ITEM_TYPES},
    **{_plain(TYPES[type_].title): type_ for type_ in TYPES},
}


def type_codes(definitions: list[Object]) -> dict[str, str]:
    """The types that the package defines, by identifier: our own code, else the title."""
    found = {}
    for one in definitions:
        identifier = one.link("identifier").identifier
        found[identifier] = KNOWN.get(_plain(one.text("typeCode"))) or one.text("title")
    return found


def type_said(item: Object, codes: dict[str, str]) -> str:
    """The type that an item names, by its definition or in words; empty when it names none that we know."""
    link = item.link("CFItemTypeURI")
    words = (codes.get(link.identifier, ""), item.text("CFItemType"), link.title)
    return next((KNOWN[_plain(word)] for word in words if _plain(word) in KNOWN), "")


def by_place(parent_type: str, *, holds_items: bool) -> str:
    """A type for an item that names none: from what it stands under (nothing at the top) and whether it holds items."""
    if parent_type in ("", GROUP):
        return GROUP if holds_items else COMPETENCE
    return "knowledge_limit" if parent_type == "knowledge" else SUBCOMPETENCE
