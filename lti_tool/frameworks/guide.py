"""What explains a referential in our own words, in the reader's language: bases, logics, vocabulary, examples.

The data is the `guide` of the referential's file, checked by `guide_check`. What has no text in the reader's language
comes in the referential's own, and says so.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from .models import Framework

EXAMPLE_COMPLEXITIES = ("simple", "varied", "complex")
"""In order: the first is complexity 1."""
EXAMPLE_SPECIALITIES = ("A", "C", "V")
EXAMPLE_SETTINGS = ("simulated", "real")


@dataclass(frozen=True)
class Line:
    """A basis, a logic or a word, with its meaning."""

    name: str
    text: str
    language: str
    """Of `name` and `text`."""
    key: str = ""
    """What pages know a logic by: `spiral`, `horizontal`, `exploration`."""
    short: str = ""
    """One sentence."""
    kinds: list[str] = field(default_factory=list)
    term: str = ""
    """A word as the referential says it, where `name` is its translation; empty otherwise."""
    forms: list[str] = field(default_factory=list)
    """What a word is found by in a statement."""


@dataclass(frozen=True)
class Step:
    """A step of the way up to the last exam."""

    stage: str
    text: str
    complexity: int
    language: str


@dataclass(frozen=True)
class Example:
    """An activity to copy: its texts in one language, and what it mobilises."""

    key: str
    stage: str
    """For which year it is meant, in words."""
    title: str
    situation: str
    language: str
    complexity: int
    specialities: list[str]
    setting: str
    competences: list[str]
    """Codes."""
    observed: list[tuple[str, str]]
    """(code, identifier of a sub-competence or a criterion)."""


@dataclass(frozen=True)
class Guide:
    """The guide of a referential, in one language."""

    language: str
    """The referential's own: of the words that `term` holds."""
    path: list[Step]
    about_bases: Line | None
    bases: list[Line]
    logics: list[Line]
    vocabulary: list[Line]
    examples: list[Example]

    def logic(self, key: str) -> Line | None:
        """The logic of that key; None when the referential explains none."""
        return next((line for line in self.logics if line.key == key), None)

    def example(self, key: str) -> Example | None:
        return next((example for example in self.examples if example.key == key), None)

    def words_in(self, texts: Iterable[str]) -> list[Line]:
        """The words of the vocabulary that these statements say, in the guide's order.

        « client interne » is in « client externe ou interne »: each of its words counts, wherever it stands in one
        statement.
        """
        said = [_stems(text) for text in texts]
        found = []
        for line in self.vocabulary:
            forms = [_stems(form) for form in line.forms]
            if any(form <= stems for stems in said for form in forms):
                found.append(line)
        return found


def guide_of(framework: Framework, language: str) -> Guide:
    """The guide of a referential for a reader of that language."""
    raw, own = framework.guide, framework.language
    return Guide(
        language=own,
        path=[_step(line, language, own) for line in raw.get("path", [])],
        about_bases=_line(raw["about_bases"], "name", language, own) if "about_bases" in raw else None,
        bases=[_line(line, "name", language, own) for line in raw.get("bases", [])],
        logics=[_line(line, "name", language, own) for line in raw.get("logics", [])],
        vocabulary=[_line(line, "term", language, own) for line in raw.get("vocabulary", [])],
        examples=[_example(example, language, own) for example in raw.get("examples", [])],
    )


def _in_language(given: dict[str, Any], language: str, own: str) -> tuple[dict[str, Any], str]:
    """What is said in that language where it is said, else in the referential's own; and which of the two."""
    if language != own and language in given:
        return {**given, **given[language]}, language
    return given, own


def _line(given: dict[str, Any], name: str, language: str, own: str) -> Line:
    said, spoken = _in_language(given, language, own)
    return Line(
        name=said.get(name, ""),
        text=said.get("text", ""),
        language=spoken,
        key=said.get("key", ""),
        short=said.get("short", ""),
        kinds=said.get("kinds", []),
        term=given[name] if name == "term" and spoken != own else "",
        forms=[given[name], *given.get("forms", [])] if name == "term" else [],
    )


def _step(given: dict[str, Any], language: str, own: str) -> Step:
    said, spoken = _in_language(given, language, own)
    return Step(said["stage"], said["text"], said["complexity"], spoken)


def _example(given: dict[str, Any], language: str, own: str) -> Example:
    said, spoken = _in_language(given, language, own)
    return Example(
        key=given["key"],
        stage=said.get("stage", ""),
        title=said["title"],
        situation=said["situation"],
        language=spoken,
        complexity=EXAMPLE_COMPLEXITIES.index(given["complexity"]) + 1,
        specialities=given.get("specialities", []),
        setting=given.get("setting", EXAMPLE_SETTINGS[0]),
        competences=[one["code"] for one in given["competences"]],
        observed=[(one["code"], uuid) for one in given["competences"] for uuid in one.get("observed", [])],
    )


def _stems(text: str) -> set[str]:
    """The words of a text without case and without the endings of French plurals and feminines."""
    return set(re.findall(r"(\w+?)e?s?\b", text.casefold()))
