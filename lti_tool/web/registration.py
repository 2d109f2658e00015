"""A platform registers itself: a page in its administrator's frame says what will be shared, and asks."""

from __future__ import annotations

import hashlib
import hmac
import json
from dataclasses import dataclass
from datetime import timedelta
from urllib.parse import urlsplit

import structlog
from flask import Blueprint, current_app, g, make_response, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from ..config import Config
from ..db import begin_write, db, utcnow
from ..errors import NotRegistered, RegistrationRefused
from ..lti.invites import REGISTER_PATH, hold_invite, open_invite, release_invite, use_invite
from ..lti.models import Invite
from ..lti.outside import Outside
from ..lti.registration import (
    Accepted,
    PlatformSays,
    check_address,
    read_configuration,
    register,
    write_platform,
)
from .refusals import Page, refuse

log = structlog.get_logger()
registration = Blueprint("registration", __name__, url_prefix=REGISTER_PATH)

LONGEST_TOKEN = 8192
HELD_FOR = timedelta(minutes=2)
"""Longer than the two requests of a registration may take."""


@dataclass(frozen=True)
class Question:
    """What a platform brings to the page: where it describes itself, and its one-time permission."""

    openid_configuration: str
    registration_token: str

    @property
    def host(self) -> str:
        return urlsplit(self.openid_configuration).netloc.lower()


@registration.get("/<token>")
def show(token: str) -> Response:
    """What will be shared and why, who asks, and the button. Nothing is sent before it."""
    invite = open_invite(db.session, token, utcnow())
    question = _question(invite)
    page = render_template(
        "register.html",
        host=question.host,
        fields={**question.__dict__, "proof": _proof(token, question)},
        action=url_for("registration.confirm", token=token),
        nav=[],
    )
    return _kept_nowhere(make_response(page))


@registration.post("/<token>")
def confirm(token: str) -> Response:
    """Register: read what the platform is, ask it to take us, write it down. All of it, or nothing."""
    invite = open_invite(db.session, token, utcnow())
    question = _question(invite)
    if not hmac.compare_digest(request.form.get("proof", "").encode(), _proof(token, question).encode()):
        raise RegistrationRefused(NotRegistered.CHANGED_PAGE, "proof")
    begin_write()
    until = hold_invite(db.session, invite, utcnow(), HELD_FOR)
    db.session.commit()
    try:
        says, accepted = _exchange(invite, question)
    except BaseException:
        begin_write()
        release_invite(db.session, invite.id, until)
        db.session.commit()
        raise
    begin_write()
    served = use_invite(db.session, invite.id, until, utcnow())
    written = write_platform(db.session, says, accepted, invite.name)
    served.platform_id = written.platform.id
    db.session.commit()
    log.info("platform_registered", platform=written.platform.id, updated=written.known)
    page = render_template(
        "registered.html",
        platform=written.platform,
        updated=written.known,
        deployed=bool(accepted.deployment_id),
        nav=[],
    )
    return _kept_nowhere(make_response(page))


@registration.errorhandler(RegistrationRefused)
def on_registration_refused(error: RegistrationRefused) -> Response:
    page = refusal_of(error)
    return _kept_nowhere(refuse(page, reason=error.reason.value, detail=error.detail))


def _exchange(invite: Invite, question: Question) -> tuple[PlatformSays, Accepted]:
    """The two requests to the platform; nothing is open in the database meanwhile."""
    config, outside = _config(), Outside(invite.private_host)
    says = read_configuration(question.openid_configuration, outside, config.lti.http_timeout_s)
    return says, register(says, question.registration_token, outside, config)


def _question(invite: Invite) -> Question:
    """What the platform brought, checked; from here on its origin may show our page in a frame, and it alone."""
    url, permission = (
        request.values.get("openid_configuration", ""),
        request.values.get("registration_token", ""),
    )
    if not url:
        raise RegistrationRefused(NotRegistered.MISSING_PARAMETER, "openid_configuration")
    if len(permission) > LONGEST_TOKEN or not (permission.isascii() and permission.isprintable()):
        raise RegistrationRefused(NotRegistered.MISSING_PARAMETER, "registration_token")
    g.framed_by = check_address(url, Outside(invite.private_host))
    return Question(url, permission)


def _proof(token: str, question: Question) -> str:
    """Proof that the form comes from our page: there is no session to tie it to, so it is tied to what it sends."""
    said = json.dumps(["register", token, question.openid_configuration, question.registration_token])
    return hmac.new(_config().secret_key.encode(), said.encode(), hashlib.sha256).hexdigest()


def _config() -> Config:
    config: Config = current_app.extensions["spirale_config"]
    return config


def _kept_nowhere(response: Response) -> Response:
    response.headers["Cache-Control"] = "no-store"
    return response


def refusal_of(error: RegistrationRefused) -> Page:
    """The page for a registration that came to nothing."""
    paste_again = _(
        "Revenir à la liste des outils de la plateforme, et y coller de nouveau la même adresse d’inscription."
    )
    new_address = _("Demander une autre adresse d’inscription à l’administrateur de Spirale.")
    show_mark = _(
        "Montrer ce repère à l’administrateur de Spirale\u00a0: la plateforme s’ajoute aussi à la main."
    )
    pages = {
        NotRegistered.UNKNOWN_INVITE: (
            404,
            _("Invitation inconnue"),
            _("Cette adresse d’inscription n’existe pas, ou elle n’a pas été copiée en entier."),
            _("La copier de nouveau, ou en demander une autre à l’administrateur de Spirale."),
        ),
        NotRegistered.EXPIRED_INVITE: (
            410,
            _("Invitation expirée"),
            _("Cette adresse d’inscription n’est plus valable."),
            new_address,
        ),
        NotRegistered.REVOKED_INVITE: (
            410,
            _("Invitation retirée"),
            _("L’administrateur de Spirale a retiré cette adresse d’inscription."),
            new_address,
        ),
        NotRegistered.USED_INVITE: (
            410,
            _("Invitation déjà utilisée"),
            _("Une adresse d’inscription ne sert qu’une fois, et celle-ci a servi."),
            _(
                "Si Spirale est dans la liste des outils de la plateforme, il reste à l’y activer. "
                "Sinon, demander une autre adresse d’inscription à l’administrateur de Spirale."
            ),
        ),
        NotRegistered.BUSY_INVITE: (
            409,
            _("Inscription en cours"),
            _("Une inscription est déjà en cours avec cette adresse."),
            _(
                "Attendre deux minutes, puis regarder la liste des outils de la plateforme avant de recommencer."
            ),
        ),
        NotRegistered.MISSING_PARAMETER: (
            400,
            _("Cette adresse se colle dans la plateforme"),
            _("Elle a été ouverte seule\u00a0: aucune plateforme ne s’est présentée."),
            _(
                "Dans Moodle\u00a0: Administration du site, Plugins, Modules d’activité, Outil externe, "
                "Gérer les outils. Y coller l’adresse, puis «\u00a0Ajouter LTI Advantage\u00a0»."
            ),
        ),
        NotRegistered.CHANGED_PAGE: (
            403,
            _("Formulaire refusé"),
            _("Ce formulaire ne vient pas de la page d’inscription\u00a0: rien n’a été enregistré."),
            paste_again,
        ),
        NotRegistered.BAD_ADDRESS: (
            400,
            _("Adresse de plateforme refusée"),
            _("La plateforme se décrit à une adresse qui n’est pas une adresse https du Web public."),
            _(
                "Ouvrir la plateforme en https. Si elle ne vit que sur le réseau de l’établissement, demander à "
                "l’administrateur de Spirale une invitation faite avec «\u00a0--allow-private-host\u00a0»."
            ),
        ),
        NotRegistered.PRIVATE_ADDRESS: (
            400,
            _("Plateforme sur un réseau privé"),
            _("Son nom mène à une adresse privée, que Spirale n’interroge pas sans permission."),
            _(
                "Si c’est bien la plateforme de l’établissement, demander à l’administrateur de Spirale une "
                "invitation faite avec «\u00a0--allow-private-host\u00a0» et son nom."
            ),
        ),
        NotRegistered.NO_ANSWER: (
            502,
            _("La plateforme ne répond pas"),
            _("Spirale n’a pas pu lire la description que la plateforme donne d’elle-même."),
            paste_again,
        ),
        NotRegistered.BAD_CONFIGURATION: (
            502,
            _("Description incomplète"),
            _("La description que la plateforme donne d’elle-même n’est pas celle que demande LTI."),
            show_mark,
        ),
        NotRegistered.OTHER_ISSUER: (
            400,
            _("Plateforme qui parle pour une autre"),
            _("L’émetteur annoncé n’est pas à l’adresse où la plateforme se décrit."),
            show_mark,
        ),
        NotRegistered.MISSING_FEATURE: (
            400,
            _("Plateforme incompatible"),
            _("La plateforme dit ne pas savoir signer comme Spirale le demande (RS256)."),
            show_mark,
        ),
        NotRegistered.TOKEN_SPENT: (
            409,
            _("Permission déjà utilisée ou expirée"),
            _(
                "La plateforme donne à chaque inscription une permission qui ne sert qu’une fois, et pour peu de temps."
            ),
            paste_again,
        ),
        NotRegistered.PLATFORM_REFUSED: (
            502,
            _("La plateforme a refusé"),
            _("Elle n’a pas inscrit Spirale, et rien n’a été enregistré."),
            paste_again,
        ),
        NotRegistered.ANSWER_LOST: (
            502,
            _("Réponse perdue"),
            _(
                "La demande est partie, mais la réponse n’est pas arrivée entière\u00a0: la plateforme a peut-être "
                "inscrit Spirale, et Spirale n’a rien enregistré."
            ),
            _(
                "Dans la liste des outils de la plateforme, supprimer Spirale s’il vient d’y apparaître, puis coller "
                "de nouveau la même adresse d’inscription."
            ),
        ),
    }
    status, title, sentence, todo = pages[error.reason]
    if error.said:
        answered = _("Elle a répondu\u00a0: «\u00a0%(said)s\u00a0».", said=error.said)
        sentence = f"{sentence} {answered}"
    return Page(status, title, sentence, todo)
