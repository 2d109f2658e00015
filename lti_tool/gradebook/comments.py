"""What goes with a score: what a number cannot say. In French whoever asks, since the class reads it, and a
colleague's language must not send everything again.
"""

from __future__ import annotations

from datetime import date
from functools import lru_cache

from flask_babel import force_locale, ngettext
from flask_babel import gettext as _

from ..assessment.overview import Mastery
from ..assessment.scales import Scale
from ..assessment.words import in_situation, plain_date

COMMENT_LOCALE = "fr"
BETWEEN = "\u202f; "


def position_comment(mastery: Mastery, scale: Scale) -> str:
    """« maîtrisée en situation variée ; bien maîtrisée en situation simple ; 6 situations, la dernière le 19 mars ».

    A retained position is said to be one. Its reason is not sent: the pupil reads it here, with what it is about.
    """
    position = mastery.position
    levels = tuple(
        (scale.word(level, COMMENT_LOCALE), complexity)
        for complexity, level in sorted(position.levels.items(), reverse=True)
        if complexity <= position.complexity
    )
    last = mastery.turns[0].activity.starts_on
    return _comment(levels, mastery.retained, len(mastery.turns), last, position.provisional)


@lru_cache(maxsize=10_000)
def _comment(
    levels: tuple[tuple[str, int], ...], retained: bool, turns: int, last: date, provisional: bool
) -> str:
    """The words of that: always in one language and alike for many pupils, they are made once per process."""
    with force_locale(COMMENT_LOCALE):
        words = in_situation()
        parts = [f"{word} {words[complexity]}" for word, complexity in levels]
        if retained:
            parts[0] = _("positionnement retenu par l’enseignant·e\u00a0: %(position)s", position=parts[0])
        count = ngettext("%(num)d situation", "%(num)d situations", turns)
        parts.append(_("%(count)s, la dernière le %(day)s", count=count, day=plain_date(last)))
        if provisional:
            parts.append(_("provisoire"))
        return BETWEEN.join(parts)


def activity_comment(levels: list[tuple[str, int]], complexity: int, scale: Scale) -> str:
    """« 1A maîtrisée ; 1C bien maîtrisée ; en situation simple », of (code, level) in order."""
    words = [f"{code} {scale.word(level, COMMENT_LOCALE)}" for code, level in levels]
    return BETWEEN.join([*words, _situation(complexity)])


@lru_cache
def _situation(complexity: int) -> str:
    with force_locale(COMMENT_LOCALE):
        return in_situation()[complexity]
