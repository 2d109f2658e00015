"""Words as a search compares them: no accents, no case, no punctuation; and back to the text that is shown.

A folded text is its words in order, one space before, between and after: « L’Œuvre » gives `" l oeuvre "`. A word is
whole in it when `" word "` is, begins a word when `" word"` does.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable

SHORTEST_INSIDE = 3
"""Letters a word needs to be found inside another: fewer would be found everywhere."""
_LIGATURES = str.maketrans({"œ": "oe", "Œ": "oe", "æ": "ae", "Æ": "ae"})
_MOST_KEPT = 5_000


class _Folding(dict[int, str]):
    """What each character folds to, found once: letters without marks, a space for what is no letter nor digit."""

    def __missing__(self, number: int) -> str:
        letters = chr(number).translate(_LIGATURES)
        for _twice in range(2):  # a folded letter may come apart again
            letters = "".join(
                c for c in unicodedata.normalize("NFKD", letters) if unicodedata.category(c)[0] != "M"
            ).casefold()
        folded = "".join(c if c.isalnum() or c == "." else " " for c in letters)
        if len(self) < _MOST_KEPT:
            self[number] = folded
        return folded


_FOLDING = _Folding()


def fold(text: str) -> str:
    """The folded text. A point stays inside a code: « 4B.3 », not « etc. »."""
    words = (word.strip(".") for word in text.translate(_FOLDING).split())
    found = " ".join(word for word in words if word)
    return f" {found} " if found else " "


def query_words(text: str) -> list[str]:
    """The words asked for, once each. A letter alone (« l’accueil ») does not count beside longer words."""
    words = list(dict.fromkeys(fold(text).split()))
    longer = [word for word in words if len(word) > 1 or word.isdigit()]
    return longer or words


def variants(word: str) -> tuple[str, ...]:
    """A word, then its singular when it looks like a plural: « clients », « réseaux », « canaux »."""
    if len(word) < 4 or word[-1] not in "sx" or word.endswith("ss"):
        return (word,)
    return (word, word[:-1], word[:-3] + "al") if word.endswith("aux") else (word, word[:-1])


def marked(text: str, words: Iterable[str]) -> list[tuple[str, bool]]:
    """The text cut in pieces, each with whether it matched one of the words: whole words and beginnings first.

    The pieces together are the text, character for character.
    """
    folded, origins = _fold_with_origins(text)
    found: set[int] = set()
    for word in words:
        for start, length in _places(folded, word):
            found.update(range(origins[start], origins[start + length - 1] + 1))
    pieces: list[tuple[str, bool]] = []
    inside = False
    for number, character in enumerate(text):
        # An accent written by itself goes with its letter.
        inside = inside if character.translate(_FOLDING) == "" else number in found
        if pieces and pieces[-1][1] == inside:
            pieces[-1] = (pieces[-1][0] + character, inside)
        else:
            pieces.append((character, inside))
    return pieces


def _fold_with_origins(text: str) -> tuple[str, list[int]]:
    """The text folded character by character, and where each folded character comes from."""
    folded, origins = [" "], [0]
    for number, character in enumerate(text):
        for one in character.translate(_FOLDING):
            folded.append(one)
            origins.append(number)
    return "".join(folded), origins


def _places(folded: str, word: str) -> list[tuple[int, int]]:
    """Where a word stands: where it begins a word, else inside others; its singular only when it is nowhere."""
    for one in variants(word):
        starts = [at for at in _every(folded, one) if not folded[at - 1].isalnum()]
        if starts or len(one) >= SHORTEST_INSIDE:
            starts = starts or list(_every(folded, one))
        if starts:
            return [(at, len(one)) for at in starts]
    return []


def _every(folded: str, word: str) -> Iterable[int]:
    at = folded.find(word, 1)
    while at >= 0:
        yield at
        at = folded.find(word, at + len(word))
