"""Checking the `guide` of a referential's file: the texts that pages show, the examples that a teacher copies."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .guide import EXAMPLE_COMPLEXITIES, EXAMPLE_SETTINGS, EXAMPLE_SPECIALITIES

if TYPE_CHECKING:
    from .data import ReferentialData
    from .reading import Reader

LANGUAGES = ("fr", "en")
"""What a text may be said in again, besides the referential's own language: the languages of the pages."""
LONGEST_TITLE = 255
LONGEST_SITUATION = 2000
LOGICS = ("spiral", "horizontal", "exploration")


def check_guide(guide: Reader, data: ReferentialData) -> None:
    """Say everything that is wrong in the parts of a guide that pages rely on; its other keys are free."""
    for about in guide.each_of(("about_bases",), {"text", *LANGUAGES}):
        _check_texts(about, needed=("text",))
    for line in guide.readers("bases", {"name", "kinds", "text", *LANGUAGES}):
        _check_texts(line, needed=("name", "text"), lists=("kinds",))
    for line in guide.readers("logics", {"key", "name", "short", "text", *LANGUAGES}):
        _check_texts(line, needed=("name", "text"), optional=("short",))
        if "key" in line.mapping:
            line.one_of("key", LOGICS)
    for line in guide.readers("path", {"stage", "complexity", "text", *LANGUAGES}):
        _check_texts(line, needed=("stage", "text"))
        if not 1 <= line.number("complexity") <= len(EXAMPLE_COMPLEXITIES):
            line.problems.add(line.line("complexity"), "complexity: 1, 2 or 3")
    for line in guide.readers("vocabulary", {"term", "forms", "text", *LANGUAGES}):
        _check_texts(line, needed=("term", "text"))
        line.texts("forms")
    keys: set[str] = set()
    for example in guide.readers(
        "examples",
        {
            "key",
            "stage",
            "title",
            "situation",
            "complexity",
            "setting",
            "specialities",
            "competences",
            *LANGUAGES,
        },
    ):
        _check_example(example, data)
        key = example.text("key", longest=64)
        if key in keys:
            example.problems.add(example.line("key"), f"key: two examples are called « {key} »")
        keys.add(key)


def _check_texts(
    line: Reader,
    needed: tuple[str, ...],
    optional: tuple[str, ...] = (),
    lists: tuple[str, ...] = (),
) -> None:
    """The texts of a line, and what its translations say again: all that is needed, nothing else."""
    translated = line.each_of(LANGUAGES, {*needed, *optional, *lists})
    for reader in (line, *translated):
        for key in needed:
            reader.text(key)
        for key in optional:
            reader.text(key, needed=False)
        for key in lists:
            reader.texts(key)


def _check_example(example: Reader, data: ReferentialData) -> None:
    """An example's texts, its values, and that it mobilises what is in the referential."""
    for reader in (example, *example.each_of(LANGUAGES, {"stage", "title", "situation"})):
        reader.text("stage", needed=False, longest=64)
        reader.text("title", longest=LONGEST_TITLE)
        reader.text("situation", longest=LONGEST_SITUATION)
    example.one_of("complexity", EXAMPLE_COMPLEXITIES)
    if "setting" in example.mapping:
        example.one_of("setting", EXAMPLE_SETTINGS)
    for speciality in example.texts("specialities"):
        if speciality not in EXAMPLE_SPECIALITIES:
            example.problems.add(
                example.line("specialities"),
                f"« {speciality} » is not one of {', '.join(EXAMPLE_SPECIALITIES)}",
            )
    mobilised = example.readers("competences", {"code", "observed"})
    if not mobilised:
        example.problems.add(example.line("competences"), "an example mobilises at least one competence")
    known = _observable(data)
    seen: set[str] = set()
    for competence in mobilised:
        _check_competence(competence, known, seen)


def _check_competence(competence: Reader, known: dict[str, set[str]], seen: set[str]) -> None:
    """A competence of an example: it exists, comes once, and what is observed is observed for it."""
    code = competence.text("code")
    if code and code not in known:
        competence.problems.add(competence.line("code"), f"code: there is no competence « {code} »")
    if code in seen:
        competence.problems.add(competence.line("code"), f"code: « {code} » is mobilised twice")
    seen.add(code)
    for element in competence.sequence("observed"):
        if code in known and str(element.value) not in known[code]:
            competence.problems.add(
                element.line,
                f"observed: {element.value} is neither a sub-competence of « {code} » nor linked to it",
            )


def _observable(data: ReferentialData) -> dict[str, set[str]]:
    """What may be observed for each competence, by its code: what is right below it, what it is linked to."""
    known = {
        item.code: {child.uuid for child in item.items}
        for item in data.walk()
        if item.type == "competence" and item.code
    }
    for link in data.links:
        if link.origin in known:
            known[link.origin] |= {uuid for uuid, _line in link.destinations}
    return known
