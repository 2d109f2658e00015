"""Pages that say no: what is wrong, what to do, and a reference for the administrator. Never a trace, never a name."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

import structlog
from flask import Flask, Response, g, jsonify, make_response, render_template, request
from flask_babel import gettext as _
from sqlalchemy.exc import OperationalError
from werkzeug.exceptions import HTTPException

from ..courses.entry import supported_locale
from ..db import db, utcnow
from ..errors import LaunchRefused, NotAllowed, NotFound, Refusal
from . import case_status
from .guard import BadForm, SessionEnded
from .logs import where
from .shown import clock

log = structlog.get_logger()


@dataclass(frozen=True)
class Page:
    """What a refusal says."""

    status: int
    title: str
    sentence: str
    todo: str


def refuse(page: Page, *, reference: bool = True, return_url: str = "", **log_fields: str) -> Response:
    """The refusal as a page, or as JSON for a script or for CASE; logged under the reference it shows.

    `return_url` is where a platform wants to be told of a launch that was refused.
    """
    shown = f"S-{secrets.token_hex(3).upper()}" if reference else ""
    log.info("refused", reference=shown, status=page.status, endpoint=request.endpoint, **log_fields)
    if case_status.is_case():
        return case_status.refused(page.status, shown)
    if request.is_json or request.headers.get("Accept", "").startswith("application/json"):
        message = f"{page.title}. {page.sentence} {page.todo}"
        return make_response(jsonify(message=message, reference=shown), page.status)
    html = render_template(
        "refusal.html",
        title=page.title,
        sentences=[page.sentence],
        todo=page.todo,
        reference=f"{shown} · {clock(utcnow())}" if shown else None,
        return_url=_told(return_url, page, shown) if return_url else _way_back(),
        nav=[],
    )
    return make_response(html, page.status)


def _told(return_url: str, page: Page, reference: str) -> str:
    """A platform's return address, with what it may show to the person and write in its log."""
    parts = urlsplit(return_url)
    told = {"lti_errormsg": f"{page.title}. {page.sentence} {page.todo}", "lti_errorlog": reference}
    query = urlencode([*parse_qsl(parts.query, keep_blank_values=True), *told.items()])
    return urlunsplit(parts._replace(query=query))


def _way_back() -> str:
    """The course that this session came from; empty outside of one."""
    return g.visit.session.return_url if "visit" in g else ""


def launch_refusal(error: LaunchRefused) -> Response:
    """The page for a login or a launch that was refused, in the language of the message when it gave one."""
    if error.locale:
        g.locale = supported_locale(error.locale)
    return refuse(
        launch_page(error.reason),
        return_url=error.return_url,
        reason=error.reason.value,
        detail=error.detail,
    )


def launch_page(reason: Refusal) -> Page:
    """What is said of a login or a launch that was refused: to whoever opens it, and to the administrator."""
    again = _("Revenir au cours dans la plateforme, puis cliquer de nouveau sur l’activité.")
    ask = _("Montrer ce repère à l’administrateur de la plateforme.")
    opened = _("Cette page s’ouvre depuis le cours")
    by_reason = {
        Refusal.MISSING_PARAMETER: (400, opened, _("Le lien a été ouvert seul, ou il est incomplet."), again),
        Refusal.UNKNOWN_PLATFORM: (
            403,
            _("Plateforme inconnue"),
            _("Spirale ne connaît pas la plateforme qui l’ouvre, ou celle-ci a changé d’identifiant."),
            _("L’administrateur de Spirale doit l’enregistrer\u00a0: lui montrer ce repère."),
        ),
        Refusal.PLATFORM_DISABLED: (
            403,
            _("Plateforme désactivée"),
            _(
                "L’accès de cette plateforme à Spirale est suspendu. Rien de ce qui était enregistré n’est perdu."
            ),
            ask,
        ),
        Refusal.UNKNOWN_DEPLOYMENT: (
            403,
            _("Déploiement inconnu"),
            _("La plateforme est connue, mais pas cette façon d’y ajouter Spirale."),
            ask,
        ),
        Refusal.UNKNOWN_TARGET: (
            400,
            _("Adresse inconnue"),
            _("La plateforme demande une adresse qui n’est pas celle de Spirale."),
            ask,
        ),
        Refusal.UNKNOWN_LOGIN: (
            400,
            opened,
            _("Cette ouverture a déjà servi, ou elle a expiré. Rien de ce qui était enregistré n’est perdu."),
            again,
        ),
        Refusal.OTHER_BROWSER: (
            403,
            opened,
            _("L’ouverture a commencé dans un autre navigateur, ou celui-ci ne garde pas les cookies."),
            again,
        ),
        Refusal.PLATFORM_SAID_NO: (
            403,
            _("La plateforme n’a pas donné son accord"),
            _("Elle n’a pas reconnu la personne qui ouvre Spirale."),
            _("Se connecter de nouveau à la plateforme, puis rouvrir l’activité."),
        ),
        Refusal.EXPIRED: (
            400,
            _("Ouverture expirée"),
            _("Trop de temps a passé, ou l’horloge de la plateforme n’est pas à l’heure."),
            _("Rouvrir l’activité\u202f; si cela recommence, montrer ce repère à l’administrateur."),
        ),
        Refusal.KEYS_UNREACHABLE: (
            503,
            _("La plateforme ne répond pas"),
            _("Spirale n’a pas pu vérifier la signature de la plateforme."),
            _("Réessayer dans une minute\u202f; si cela recommence, montrer ce repère à l’administrateur."),
        ),
        Refusal.NO_PERSON: (
            403,
            _("Personne n’est annoncé"),
            _("La plateforme n’a pas dit qui ouvre Spirale\u00a0: un accès anonyme n’est pas possible."),
            _("Se connecter à la plateforme avec son compte, puis rouvrir l’activité."),
        ),
        Refusal.NO_COURSE: (
            400,
            _("Aucun cours n’est annoncé"),
            _("La plateforme n’a pas dit de quel cours vient le lien."),
            ask,
        ),
    }
    forged = (
        403,
        _("Ouverture refusée"),
        _("Le message de la plateforme n’est pas celui qu’elle devrait envoyer."),
        ask,
    )
    return Page(*by_reason.get(reason, forged))


def init_refusals(app: Flask) -> None:
    """Give every error its page."""

    @app.errorhandler(LaunchRefused)
    def on_launch_refused(error: LaunchRefused) -> Response:
        return launch_refusal(error)

    @app.errorhandler(SessionEnded)
    def on_session_ended(_error: SessionEnded) -> Response:
        return refuse(
            Page(
                410,
                _("Cette page s’ouvre depuis le cours"),
                _(
                    "Le lien a été ouvert seul, ou la session a expiré. "
                    "Rien de ce qui était enregistré n’est perdu."
                ),
                _("Revenir au cours dans la plateforme, puis cliquer de nouveau sur l’activité."),
            )
        )

    @app.errorhandler(BadForm)
    def on_bad_form(_error: BadForm) -> Response:
        return refuse(
            Page(
                403,
                _("Formulaire refusé"),
                _("Ce formulaire ne vient pas de cette session\u00a0: rien n’a été enregistré."),
                _("Revenir à la page précédente, la recharger, puis recommencer."),
            )
        )

    @app.errorhandler(NotAllowed)
    def on_not_allowed(_error: NotAllowed) -> Response:
        return refuse(
            Page(
                403,
                _("Cette page est réservée"),
                _("Le rôle donné par le cours ne permet pas de l’ouvrir."),
                _("Revenir à la page précédente. Si ce rôle est faux, le faire corriger dans le cours."),
            )
        )

    @app.errorhandler(NotFound)
    def on_not_found(_error: NotFound) -> Response:
        return refuse(_missing())

    @app.errorhandler(HTTPException)
    def on_http(error: HTTPException) -> Response:
        return refuse(_http_page(error.code or 500))

    @app.errorhandler(OperationalError)
    def on_database(error: OperationalError) -> Response:
        # The database is restarting, or its disk is full: 503, so that the grid keeps what was typed and tries again.
        db.session.rollback()
        g.pop("visit", None)
        log.error("database_failed", error=type(error.orig).__name__, where=where(error.__traceback__))
        return refuse(
            Page(
                503,
                _("Rien ne peut être enregistré pour le moment"),
                _("La base de données de Spirale ne répond pas, ou son disque est plein."),
                _(
                    "Garder la page ouverte et réessayer dans une minute\u202f; "
                    "si cela recommence, montrer ce repère à l’administrateur."
                ),
            )
        )

    @app.errorhandler(Exception)
    def on_anything(error: Exception) -> Response:
        # The log gets where it happened, not what it was about: messages of libraries quote values.
        db.session.rollback()  # a transaction that failed would fail again while the page is made
        g.pop("visit", None)
        log.error("unexpected", error=type(error).__name__, where=where(error.__traceback__))
        return refuse(_http_page(500), error=type(error).__name__)


def _missing() -> Page:
    return Page(
        404,
        _("Introuvable dans ce cours"),
        _("Ce qui est demandé n’existe pas, ou appartient à un autre cours."),
        _("Revenir à la page précédente, ou rouvrir l’activité depuis le cours."),
    )


def _http_page(status: int) -> Page:
    if status == 404:
        return _missing()
    if status == 405:
        return Page(405, _("Adresse mal employée"), _("Cette adresse ne s’ouvre pas ainsi."), _missing().todo)
    if status == 413:
        return Page(
            413,
            _("Trop volumineux"),
            _("Ce qui a été envoyé dépasse la taille permise\u00a0: rien n’a été enregistré."),
            _("Envoyer moins à la fois."),
        )
    if status == 429:
        return Page(
            429,
            _("Trop d’ouvertures à la fois"),
            _("Beaucoup de personnes ouvrent Spirale en même temps depuis cet endroit."),
            _("Attendre une minute, puis rouvrir l’activité."),
        )
    if 400 <= status < 500:
        return Page(
            status, _("Demande non comprise"), _("Quelque chose manque dans la demande."), _missing().todo
        )
    return Page(
        500,
        _("Quelque chose n’a pas marché"),
        _("L’erreur est notée. Ce qui était enregistré l’est toujours."),
        _("Recharger la page\u202f; si cela recommence, montrer ce repère à l’administrateur."),
    )
