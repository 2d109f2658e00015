"""The bar of the administrator's pages, and what their templates are given."""

from __future__ import annotations

from typing import Any

from flask import g, request, url_for
from flask_babel import gettext as _

from ..home import Entry
from ..shown import long_date, moment_words
from .guard import admin, admin_csrf

PAGES_OF = {
    "overview": ("overview", "add_platform", "platform", "invite"),
    "courses": ("courses",),
    "keys": ("keys",),
    "retention": ("retention",),
    "events": ("events",),
}


@admin.context_processor
def _for_templates() -> dict[str, Any]:
    values: dict[str, Any] = {"moment_words": moment_words, "long_date": long_date}
    if "admin_session" in g:
        values |= {"csrf": admin_csrf(), "nav": navigation(), "administrator": g.admin_session.administrator}
    return values


def navigation() -> list[Entry]:
    """The entries of the bar."""
    words = {
        "overview": _("Plateformes"),
        "courses": _("Cours"),
        "retention": _("Données"),
        "keys": _("Clés"),
        "events": _("Journal"),
    }
    page = (request.endpoint or "").removeprefix("admin.")
    return [
        Entry(word, url_for(f"admin.{endpoint}"), page.startswith(PAGES_OF[endpoint]))
        for endpoint, word in words.items()
    ]
