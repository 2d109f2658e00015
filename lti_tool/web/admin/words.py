"""Words of the administrator's pages: what is wrong with what was typed, how a platform's launches fare."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from flask_babel import gettext as _

from ...administration.health import PlatformHealth
from ...errors import BadInput, Refusal
from ...lti.models import Platform
from ...lti.presets import GREATEST_CONNECTIONS
from ..deliveries import Said, explain_pause
from ..refusals import launch_page


@dataclass(frozen=True)
class Problem:
    """Launches that were refused for one reason."""

    reason: str
    said: Said
    last_at: datetime
    count: int


def launch_problem(health: PlatformHealth, platform: Platform) -> Problem | None:
    """The last reason why launches were refused, unless the platform launched since."""
    found = launch_problems(health)
    if not found or (platform.launched_at is not None and platform.launched_at > found[0].last_at):
        return None
    return found[0]


def launch_problems(health: PlatformHealth) -> list[Problem]:
    """Why launches were refused these last days, the latest reason first, each once."""
    reasons: dict[str, Problem] = {}
    for refusal in health.refusals:
        if before := reasons.get(refusal.reason):
            reasons[refusal.reason] = Problem(
                before.reason, before.said, before.last_at, before.count + refusal.count
            )
        else:
            page = launch_page(Refusal(refusal.reason))
            said = Said(page.title, page.sentence)
            reasons[refusal.reason] = Problem(refusal.reason, said, refusal.last_at, refusal.count)
    return list(reasons.values())


def pause_words(health: PlatformHealth, platform: Platform) -> str:
    """Why nothing is sent to a platform at this moment; empty when that is not so."""
    return str(explain_pause(health.pause, platform.name).why) if health.pause else ""


def invite_words(state: str) -> str:
    """The state of an invitation, in a word."""
    return {
        "open": _("à utiliser"),
        "used": _("utilisée"),
        "revoked": _("retirée"),
        "expired": _("expirée"),
    }[state]


def problems_in_words(error: BadInput) -> dict[str, str]:
    """What was typed wrong, by field: the packages below speak to the command line, whose options are our fields."""
    words = {
        "preset": _("Choisir un modèle de la liste."),
        "host": _(
            "Taper l’adresse de la plateforme, par exemple moodle.example.org\u202f; "
            "avec le modèle «\u00a0autre\u00a0», la laisser vide et taper chaque adresse."
        ),
        "name": _("Taper un nom de 255 caractères au plus."),
        "issuer": _("Taper l’émetteur, de 255 caractères au plus."),
        "client_id": _(
            "Taper l’identifiant client, de 255 caractères au plus\u00a0: "
            "celui d’une plateforme déjà enregistrée ne peut pas servir deux fois."
        ),
        "deployment_id": _("Taper l’identifiant du déploiement, de 255 caractères au plus."),
        "auth_login_url": _("Taper une adresse https://…"),
        "auth_token_url": _("Taper une adresse https://…"),
        "jwks_url": _("Taper une adresse https://…"),
        "audience": _("2000 caractères au plus."),
        "frame_origin": _("Taper une origine par ligne, telle que https://ent.example.org, sans chemin."),
        "family": _("Choisir une famille de la liste."),
        "connections": _("Taper un nombre de 1 à %(most)s.", most=GREATEST_CONNECTIONS),
        "expires": _("Choisir une durée de la liste."),
        "allow_private_host": _("Taper un nom de machine seul, tel que moodle.lan ou 10.0.0.5."),
        "erase": _("Ce n’est pas le nom de la plateforme\u00a0: rien n’est effacé."),
        "new": _("Choisir une plateforme de la liste\u00a0: le même LMS, pas désactivée."),
        "deployment": _(
            "Dire quel déploiement prend la place de chacun ; deux cours ne peuvent pas devenir un seul."
        ),
        "key": _("Une clé est déjà publiée et attend son tour."),
    }
    fields = [option.lstrip("-").lower().replace("-", "_") for option in error.problems]
    return {field: words[field] for field in fields}
