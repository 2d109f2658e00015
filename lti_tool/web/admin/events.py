"""The log of what administrators did, in words."""

from __future__ import annotations

from flask import render_template, request
from flask_babel import gettext as _

from ...administration.events import Done, list_events
from ...db import db
from ..guard import row_id
from .guard import admin_page

AT_ONCE = 100


@admin_page("/events")
def events() -> str:
    """What was done, newest first, a hundred at a time."""
    before = request.args.get("before", type=row_id)
    found = list_events(db.session, before, AT_ONCE + 1)
    return render_template(
        "admin/events.html",
        events=[(event, rows_in_words(event.about)) for event in found[:AT_ONCE]],
        older=found[AT_ONCE - 1].id if len(found) > AT_ONCE else None,
        before=before,
        words=event_words(),
    )


def event_words() -> dict[str, str]:
    """What each event is called."""
    return {
        Done.SIGNED_IN: _("Connexion"),
        Done.SIGNED_OUT: _("Déconnexion"),
        Done.ADMIN_CREATED: _("Compte d’administration créé"),
        Done.ADMIN_DISABLED: _("Compte d’administration désactivé"),
        Done.PASSWORD_CHANGED: _("Mot de passe changé"),
        Done.INVITED: _("Invitation créée"),
        Done.INVITE_REVOKED: _("Invitation retirée"),
        Done.PLATFORM_ADDED: _("Plateforme ajoutée"),
        Done.PLATFORM_CHANGED: _("Réglages d’une plateforme changés"),
        Done.PLATFORM_ENABLED: _("Plateforme réactivée"),
        Done.PLATFORM_DISABLED: _("Plateforme désactivée"),
        Done.PLATFORM_REPLACED: _("Plateforme remplacée"),
        Done.PLATFORM_REMOVED: _("Plateforme supprimée"),
        Done.DEPLOYMENT_ADDED: _("Déploiement ajouté"),
        Done.DEPLOYMENT_ENABLED: _("Déploiement réactivé"),
        Done.DEPLOYMENT_DISABLED: _("Déploiement désactivé"),
        Done.EARLIER_YEARS_ALLOWED: _("Années d’avant montrées aux enseignants"),
        Done.EARLIER_YEARS_STOPPED: _("Années d’avant plus montrées"),
        Done.KEY_ROTATED: _("Nouvelle clé publiée"),
        Done.KEY_REPLACED: _("Clé remplacée sans attendre"),
        Done.PERSON_EXPORTED: _("Données d’une personne exportées"),
        Done.PERSON_ERASED: _("Données d’une personne effacées"),
    }


def rows_in_words(about: str) -> str:
    """« platform 3, new 4 », in words."""
    words = {
        "platform": _("plateforme"),
        "new": _("remplacée par"),
        "invitation": _("invitation"),
        "person": _("personne"),
        "administrator": _("compte"),
        "key": _("clé"),
    }
    rows = [row.partition(" ") for row in about.split(", ") if row]
    return ", ".join(f"{words[kind]} {number}" for kind, _space, number in rows)
