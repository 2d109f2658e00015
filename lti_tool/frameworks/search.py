"""Search among the entries of an index: every word asked for is in what is found, the best first. Pure.

`indexing.py` makes the indexes from the database.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from .folding import SHORTEST_INSIDE, fold, query_words, variants
from .sheets import COMPETENCE, GROUP

REFERENTIAL, GUIDE = "referential", "guide"
TYPES = (
    REFERENTIAL,
    GROUP,
    COMPETENCE,
    "subcompetence",
    "criterion",
    "behaviour",
    "knowledge",
    "knowledge_limit",
    "resource",
    "relation",
    "expected_result",
    GUIDE,
)
"""What can be found, in the order pages show it."""
LONGEST_QUERY = 200
NAMED, PHRASE, WHOLE, BEGINS, INSIDE, NEARBY = 1000, 40, 30, 20, 10, 5
"""What a match is worth: the query is the entry's name, its words follow each other, a word is whole…"""
IN_NAME = 8
KEY_WORD = 4
"""Letters of a type's name that make it a filter: « critère », not « de »."""


@dataclass(frozen=True, slots=True)
class Entry:
    """Something that can be found."""

    type: str
    framework: str
    """Slug of its referential."""
    short_title: str
    uuid: str
    code: str
    name: str
    """A label, a term of the vocabulary; empty for plain statements."""
    text: str
    notes: tuple[str, ...]
    parts: tuple[str, ...]
    """Codes of the blocs or groupes it is in."""
    competences: tuple[str, ...]
    """Codes of the course's competences it belongs to, or that lead to it."""
    codes: frozenset[str]
    """Folded: the codes that find it and nothing else."""
    names: frozenset[str]
    """Folded: what it is called, its codes included."""
    heading: str
    folded: str
    nearby: str
    """Folded: what narrows a search without being the entry's own words: referential, parts, competences."""


@dataclass(frozen=True, slots=True)
class Group:
    """What was found of one type, the best first."""

    type: str
    entries: list[Entry]


@dataclass(frozen=True, slots=True)
class Found:
    """The answer to a search."""

    words: list[str]
    is_code: bool
    """The query is a code: what carries it was found, not what is near it."""
    groups: list[Group]
    competences: Counter[str]
    """How many entries each competence leads to."""

    @property
    def count(self) -> int:
        return sum(len(group.entries) for group in self.groups)


class Index:
    """The entries of a referential and of those it leads to, ready to be searched."""

    def __init__(self, entries: Iterable[Entry]) -> None:
        self.entries = list(entries)
        self.codes = {code for entry in self.entries for code in entry.codes}
        titles = [fold(entry.short_title).split() for entry in self.entries if entry.type == REFERENTIAL]
        self.sides = {title[0] for title in titles if len(title) == 1}
        """The referentials whose short title is one word: beside others it narrows, as « MA » does."""

    def search(self, query: str, type_names: Mapping[str, str]) -> Found:
        """What holds every word of the query; `type_names` are words, in the reader's language, that narrow to a type.

        A query that is a code finds that code, not all that is near it.
        """
        asked = _Asked(query, self, type_names)
        scores = [asked.score(entry) for entry in self.entries]
        held = [number for number, score in enumerate(scores) if score]
        groups: dict[str, list[Entry]] = {}
        named: set[str] = set()
        for number in sorted(held, key=lambda number: -scores[number]):
            entry = self.entries[number]
            groups.setdefault(entry.type, []).append(entry)
            if scores[number] >= NAMED:
                named.add(entry.type)
        order = sorted(groups, key=lambda type_: (type_ not in named, TYPES.index(type_)))
        return Found(
            asked.words,
            asked.is_code,
            [Group(type_, groups[type_]) for type_ in order],
            Counter(code for number in held for code in self.entries[number].competences),
        )


def too_short(query: str) -> bool:
    """Whether a query is one letter: too much would hold it. A digit may be a code."""
    words = query_words(query)
    return len(words) == 1 and len(words[0]) == 1 and not words[0].isdigit()


class _Asked:
    """A query, and what each entry is worth for it."""

    def __init__(self, query: str, index: Index, type_names: Mapping[str, str]) -> None:
        self.words = query_words(query)
        self.whole = fold(query).strip()
        self.is_code = self.whole in index.codes
        self.narrows = len(self.words) > 1 and not self.is_code
        self.sides = index.sides if self.narrows else set()
        self.wanted = [
            (word, variants(word), _types_named(word, type_names) if self.narrows else set())
            for word in self.words
        ]

    def score(self, entry: Entry) -> int:
        """What the entry is worth; 0 when a word is missing."""
        total = 0
        for word, forms, types in self.wanted:
            worth = self._worth(entry, word, forms)
            if not worth and self.narrows and (entry.type in types or f" {word} " in entry.nearby):
                worth = NEARBY
            if not worth:
                return 0
            total += worth
        if self.whole in entry.names:
            total += NAMED
        if len(self.words) > 1 and f" {self.whole}" in entry.folded:
            total += PHRASE
        return total

    def _worth(self, entry: Entry, word: str, forms: tuple[str, ...]) -> int:
        """What one word is worth in the entry's own text."""
        text = entry.folded
        if f" {word} " in text:
            return WHOLE + (IN_NAME if f" {word} " in entry.heading else 0)
        if self.is_code or word in self.sides:
            return 0
        for form in forms:
            if form not in text:
                continue
            if f" {form}" in text:
                return BEGINS + (IN_NAME if f" {form}" in entry.heading else 0)
            if len(form) >= SHORTEST_INSIDE:
                return INSIDE
        return 0


def _types_named(word: str, type_names: Mapping[str, str]) -> set[str]:
    """The types that a word names: « critère », « critères », « critè »."""
    if len(word) < KEY_WORD:
        return set()
    return {
        type_
        for type_, names in type_names.items()
        if any(name.startswith(form) for name in fold(names).split() for form in variants(word))
    }
