"""The policies in words: name, formula, what it suits."""

from __future__ import annotations

from dataclasses import dataclass

from flask_babel import gettext as _
from flask_babel import ngettext

from ..assessment.policies import BEST, DECAYING, LATEST, MEAN, SPIRALE, TIMES, Policy


@dataclass(frozen=True)
class PolicyWords:
    """What a page says of a policy."""

    name: str
    short: str
    """One sentence: what it looks at."""
    formula: str


def policy_name(policy: Policy) -> str:
    """« spirale », « moyenne décroissante (65 %) »: with the parameter it uses."""
    if policy.name == DECAYING:
        return _("moyenne décroissante, %(weight)d\u00a0%%", weight=policy.weight)
    if policy.name == TIMES:
        return ngettext("une fois au niveau attendu", "%(num)d fois au niveau attendu", policy.times)
    return policy_words()[policy.name].name


def policy_words() -> dict[str, PolicyWords]:
    """The words of each policy, by its name in the code."""
    return {
        SPIRALE: PolicyWords(
            _("spirale"),
            _(
                "Le tour le plus récent pèse 65\u00a0%, et réussir une situation difficile compte pour les plus "
                "faciles\u202f; y échouer n’abaisse rien."
            ),
            _(
                "v ← 0,65\u00a0×\u00a0tour + 0,35\u00a0×\u00a0v, du plus ancien au plus récent, à chaque complexité. "
                "Un tour plus complexe ne compte que s’il élève v."
            ),
        ),
        LATEST: PolicyWords(
            _("tour le plus récent"),
            _("Seul le dernier travail compte\u00a0: simple, mais un mauvais jour efface tout."),
            _(
                "niveau = celui du tour le plus récent\u202f; plusieurs tours du même jour sont réunis en leur moyenne."
            ),
        ),
        BEST: PolicyWords(
            _("meilleur tour"),
            _("Ce qui a été réussi une fois reste acquis, même si la suite est moins bonne."),
            _("niveau = le plus élevé des tours."),
        ),
        MEAN: PolicyWords(
            _("moyenne"),
            _("Chaque tour pèse autant\u00a0: les débuts pèsent jusqu’à la fin."),
            _(
                "niveau = somme des tours\u00a0÷\u00a0nombre de tours, arrondi au plus proche "
                "(une moitié vers le haut)."
            ),
        ),
        DECAYING: PolicyWords(
            _("moyenne décroissante"),
            _("Le tour le plus récent pèse le plus, chacun des précédents de moins en moins."),
            _(
                "v ← p\u00a0×\u00a0tour + (1\u00a0−\u00a0p)\u00a0×\u00a0v, du plus ancien au plus récent\u202f; "
                "p est le poids du plus récent."
            ),
        ),
        TIMES: PolicyWords(
            _("n fois au niveau attendu"),
            _("Réussir une fois ne suffit pas\u00a0: le niveau attendu doit être atteint n fois."),
            _(
                "niveau = le plus élevé atteint n fois, si c’est au moins le niveau attendu\u202f; sinon le meilleur "
                "tour, sans dépasser le niveau juste en dessous."
            ),
        ),
    }
