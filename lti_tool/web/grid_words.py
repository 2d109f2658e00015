"""The words that a pasted cell may hold, in French and English whatever the page's language."""

from __future__ import annotations

from ..assessment.models import CODES
from ..assessment.scales import DEFAULT_SCALE, LEVELS, find_scale, shipped_scales
from .shown import code_words

SAID = {
    "ABS": ("absent", "absente"),
    "DISP": ("dispensé", "dispensée", "exempted"),
    "NE": ("non évalué", "non évaluée", "not assessed"),
    "NF": ("non fait", "non faite", "not done"),
    "NR": ("non rendu", "non rendue", "not handed in"),
}


def readable_words() -> dict[str, str]:
    """Word → level or code: of every shipped scale, that of the course last."""
    found: dict[str, str] = {}
    for slug in sorted(shipped_scales(), key=lambda slug: (slug == DEFAULT_SCALE, slug)):
        for words in find_scale(slug).words.values():
            found |= {words[level]: str(level) for level in LEVELS}
    for code in CODES:
        found |= dict.fromkeys((code, code_words()[code], *SAID[code]), code)
    return found
