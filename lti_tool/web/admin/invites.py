"""Invitations: made here, their address shown once, withdrawn here."""

from __future__ import annotations

from flask import redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from ...administration.events import Done
from ...db import db, utcnow
from ...errors import BadInput
from ...lti.invites import invite_platform, list_invites, revoke_invite, state_of
from ..guard import row_id
from .guard import admin_page, config, note
from .words import invite_words, problems_in_words


@admin_page("/invites")
def invites() -> str:
    """Every invitation, and the form for a new one."""
    return _show(typed={"expires": "7d"})


@admin_page("/invites/new", methods=("POST",))
def invite() -> str | tuple[str, int]:
    """Make an invitation. Its address is in this answer and nowhere else: only a hash of it is kept."""
    typed = {
        name: request.form.get(name, "").strip()[:300] for name in ("name", "expires", "allow_private_host")
    }
    try:
        made, address = invite_platform(
            db.session,
            utcnow(),
            config(),
            name=typed["name"],
            expires=typed["expires"],
            private_host=typed["allow_private_host"],
        )
    except BadInput as error:
        db.session.rollback()
        return _show(typed, problems_in_words(error)), 422
    note(Done.INVITED, invitation=made.id)
    db.session.commit()
    return render_template("admin/invited.html", invite=made, address=address)


@admin_page("/invites/<id:invite_id>/revoke", methods=("POST",))
def revoke(invite_id: int) -> Response:
    """Withdraw an invitation that has not served."""
    withdrawn = revoke_invite(db.session, invite_id, utcnow())
    note(Done.INVITE_REVOKED, invitation=withdrawn.id)
    db.session.commit()
    return redirect(url_for("admin.invites", revoked=withdrawn.id), 303)


def _show(typed: dict[str, str], problems: dict[str, str] | None = None) -> str:
    now = utcnow()
    return render_template(
        "admin/invites.html",
        typed=typed,
        problems=problems or {},
        lifetimes={"1d": _("un jour"), "7d": _("sept jours"), "30d": _("trente jours")},
        invites=[
            (one, state_of(one, now), invite_words(state_of(one, now))) for one in list_invites(db.session)
        ],
        revoked=request.args.get("revoked", type=row_id),
    )
