"""Scores on their way, in sentences: each state and each reason says why, and what to do."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from flask_babel import format_decimal
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from ..db import utcnow
from ..gradebook.models import DeliveryState, PlatformPause, ScoreDelivery
from ..gradebook.worths import Worth
from .shown import code_words, moment_words

STATES = ("sent", "waiting", "to_publish", "refused", "changed", "nothing")
SHOWN_STATE = {
    DeliveryState.WAITING: "waiting",
    DeliveryState.SENDING: "waiting",
    DeliveryState.SENT: "sent",
    DeliveryState.REFUSED: "refused",
    DeliveryState.CHANGED: "changed",
    DeliveryState.KEPT: "changed",
    DeliveryState.STOPPED: "nothing",
}


@dataclass(frozen=True)
class Said:
    """Why something is as it is, and what to do."""

    why: str
    todo: str = ""


REFUSED = {
    "not_gradable": (
        _l("%(platform)s ne connaît pas cet élève dans le cours, ou ne peut pas le noter."),
        _l(
            "Si c’est un enseignant non éditeur, rien à faire\u00a0: il quittera cette liste en ouvrant Spirale. "
            "Si c’est un élève de la classe, le faire réinscrire, puis renvoyer."
        ),
    ),
    "left": (
        _l("Cet élève n’est plus dans la liste de la classe : rien n’est envoyé pour lui."),
        _l("S’il revient, relire la liste dans les réglages du cours, puis renvoyer."),
    ),
    "not_allowed": (
        _l("%(platform)s ne permet pas à Spirale d’écrire dans le carnet de ce cours (réponse %(status)s)."),
        _l("Demander à l’administrateur d’autoriser les notes et la gestion des colonnes, puis renvoyer."),
    ),
    "column_gone": (
        _l("La colonne a été supprimée du carnet de notes."),
        _l("Spirale peut la recréer : toutes ses notes repartiront."),
    ),
    "own_column_gone": (
        _l("La colonne venue avec le lien de cette activité n’est plus dans le carnet de notes."),
        _l(
            "Dans le cours, remettre une note à l’activité, l’ouvrir une fois par son lien, puis renvoyer. "
            "Si elle n’est plus voulue, rien à faire."
        ),
    ),
    "column_refused": (
        _l("%(platform)s n’a pas voulu créer ou modifier la colonne (réponse %(status)s)."),
        _l("Renvoyer ; si cela recommence, donner cette réponse à l’administrateur."),
    ),
    "column_lost": (
        _l("%(platform)s montre la colonne, mais ne la reconnaît pas quand une note arrive."),
        _l("Ouvrir le carnet de notes pour voir si la colonne est en ordre, puis renvoyer."),
    ),
    "no_answer": (
        _l("%(platform)s n’a pas répondu, après plusieurs essais de plus en plus espacés."),
        _l("La note est gardée ici. Renvoyer quand la plateforme fonctionne de nouveau."),
    ),
    "failed": (
        _l("%(platform)s a répondu par une erreur (%(status)s) à chaque essai."),
        _l("La colonne est peut-être verrouillée dans le carnet : la déverrouiller, puis renvoyer."),
    ),
    "clock": (
        _l("L’horloge de %(platform)s avance : la note lui paraît plus ancienne que celle du carnet."),
        _l("Renvoyer dans quelques minutes ; si cela recommence, prévenir l’administrateur."),
    ),
    "refused": (
        _l("%(platform)s a refusé cette note (réponse %(status)s)."),
        _l("Renvoyer ; si cela recommence, donner cette réponse à l’administrateur."),
    ),
}

WAITING = {
    "no_answer": _l("%(platform)s n’a pas répondu à l’essai précédent."),
    "failed": _l(
        "%(platform)s a répondu par une erreur à l’essai précédent (colonne verrouillée, peut-être)."
    ),
    "later": _l("%(platform)s a demandé d’attendre."),
    "token": _l("%(platform)s n’a pas donné l’accès à Spirale."),
    "not_allowed": _l("%(platform)s n’a pas accepté l’accès qu’elle venait de donner (réponse %(status)s)."),
    "not_allowed_again": _l(
        "%(platform)s n’a pas accepté l’accès qu’elle venait de donner (réponse %(status)s)."
    ),
    "interrupted": _l("L’envoi a été interrompu : il reprend."),
    "column_lost": _l("La colonne n’est plus à sa place dans le carnet : Spirale la cherche."),
    "clock": _l("L’horloge de %(platform)s avance : la note est datée de nouveau."),
    "withdrawn": _l("La saisie a été annulée pendant l’envoi."),
}

PAUSED = {
    "token": (
        _l("%(platform)s refuse de donner l’accès à Spirale."),
        _l("Rien à faire dans le cours : prévenir l’administrateur, l’outil doit être remis en ordre."),
    ),
    "later": (_l("%(platform)s demande d’attendre avant de recevoir d’autres notes."), _l("Rien à faire.")),
    "no_answer": (
        _l("%(platform)s ne répond pas."),
        _l("Rien à faire : l’envoi reprend de lui-même dès qu’elle répond."),
    ),
}


def explain(delivery: ScoreDelivery, platform: str, paused_until: datetime | None = None) -> Said:
    """Why a delivery is where it is, and what to do. An unknown reason is said too.

    `paused_until`: before it nothing leaves for its platform.
    """
    named: dict[str, object] = {"platform": platform, "status": delivery.status or "–"}
    if delivery.state in (DeliveryState.WAITING, DeliveryState.SENDING):
        return _explain_wait(delivery, named, paused_until)
    if delivery.state is DeliveryState.REFUSED:
        of_link = delivery.reason == "column_gone" and delivery.link_id is not None
        why, todo = REFUSED.get("own_column_gone" if of_link else delivery.reason, REFUSED["refused"])
        return Said(str(why) % named, str(todo) % named)
    if delivery.state is DeliveryState.CHANGED:
        return Said(
            _held(delivery, _("mis à la main")),
            _("Rien ne sera envoyé par-dessus tant que ce n’est pas décidé ici."),
        )
    if delivery.state is DeliveryState.KEPT:
        return Said(
            _held(delivery, _("et c’est elle qui est gardée")),
            _("Spirale demandera de nouveau si le niveau change."),
        )
    if delivery.state is DeliveryState.STOPPED:
        return Said(
            _("Un enseignant a choisi de ne plus envoyer cette note."),
            _("Rien à faire. Elle ne part plus, même si le niveau change ; « Renvoyer » la fait repartir."),
        )
    moment = moment_words(delivery.done_at) if delivery.done_at else ""
    if delivery.score is None:
        return Said(_("La note a été vidée dans le carnet (%(moment)s).", moment=moment))
    return Said(_("Envoyée : %(moment)s.", moment=moment))


def _explain_wait(delivery: ScoreDelivery, named: dict[str, object], paused_until: datetime | None) -> Said:
    if delivery.state is DeliveryState.SENDING or not (delivery.reason or paused_until):
        return Said(_("Part dans quelques secondes."))
    why = WAITING.get(delivery.reason, _l("L’essai précédent n’a pas abouti."))
    if not delivery.reason:
        why = _l("L’envoi à %(platform)s est suspendu.")
    until = max(delivery.not_before, paused_until or delivery.not_before)
    again = _("Nouvel essai dans quelques secondes. Rien à faire.")
    if until > utcnow():
        again = _("Nouvel essai : %(moment)s. Rien à faire.", moment=moment_words(until))
    return Said(str(why) % named, again)


def _held(delivery: ScoreDelivery, how: str) -> str:
    if delivery.lms_score is None:
        return _("Le carnet ne porte plus la note envoyée : elle a été modifiée à la main.")
    return _("Le carnet porte %(score)s, %(how)s.", score=number(delivery.lms_score), how=how)


def explain_pause(pause: PlatformPause, platform: str) -> Said:
    """Why nothing leaves for a whole platform."""
    why, todo = PAUSED.get(pause.reason, PAUSED["later"])
    return Said(str(why) % {"platform": platform}, str(todo))


def explain_code(code: str) -> Said:
    """Why a code sends nothing."""
    word = code_words().get(code, code)
    return Said(
        _(
            "%(word)s : un code ne compte pas, il n’y a pas de note à envoyer.",
            word=word[:1].upper() + word[1:],
        ),
        _("Rien à faire."),
    )


def explain_unpublished(sent: ScoreDelivery | None) -> Said:
    """Why a score is to be published, and what to do."""
    if sent is None or sent.score is None:
        return Said(_("Rien n’a encore été publié."), _("Elle part sur « Publier »."))
    moment = moment_words(sent.done_at or sent.timestamp)
    return Said(
        _("Le carnet porte encore %(score)s (%(moment)s).", score=score_words(sent), moment=moment),
        _("La nouvelle note part sur « Publier »."),
    )


def number(value: object) -> str:
    """« 14,5 »."""
    return str(format_decimal(value))


class Figures(dict[Decimal | None, str]):
    """The numbers of one page, each put in words once: pupils by the dozen share a score."""

    def __missing__(self, score: Decimal | None) -> str:
        words = self[score] = _("note vide") if score is None else number(score)
        return words


def score_words(sent: ScoreDelivery | Worth, figures: Figures | None = None) -> str:
    """Exactly what is sent: « 14,5 / 20 », or that the grade is emptied."""
    words = (Figures() if figures is None else figures)[sent.score]
    return words if sent.score is None else f"{words} / {sent.maximum}"
