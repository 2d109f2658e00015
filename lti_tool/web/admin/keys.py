"""The keys we sign with: where each is, and the next one."""

from __future__ import annotations

from flask import redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from ...administration.events import Done
from ...db import db, utcnow
from ...errors import BadInput
from ...lti.keys import KeyState, list_keys, rotate_key
from ...lti.platforms import tool_addresses
from .guard import admin_page, config, note
from .words import problems_in_words


@admin_page("/keys")
def keys() -> str:
    """Every key there ever was."""
    return _show({})


@admin_page("/keys/rotate", methods=("GET", "POST"))
def keys_rotate() -> str | Response | tuple[str, int]:
    """Publish a new key; or, confirmed on a page of its own, replace one that leaked at once."""
    if request.method == "GET":
        return render_template("admin/keys_replace.html")
    at_once = request.form.get("now") == "1"
    try:
        made = rotate_key(db.session, config(), utcnow(), at_once=at_once)
    except BadInput as error:
        db.session.rollback()
        return _show(problems_in_words(error)), 422
    note(Done.KEY_REPLACED if at_once else Done.KEY_ROTATED, key=made.number)
    db.session.commit()
    return redirect(url_for("admin.keys", made=1), 303)


def _show(problems: dict[str, str]) -> str:
    listed = list_keys(db.session, utcnow())
    return render_template(
        "admin/keys.html",
        keys=listed,
        words={
            KeyState.NEXT: _("publiée, signera bientôt"),
            KeyState.SIGNING: _("signe"),
            KeyState.FORMER: _("publiée encore, ne signe plus"),
            KeyState.RETIRED: _("retirée, effacée"),
        },
        may_rotate=not any(state is KeyState.NEXT for _key, state in listed),
        overlap_h=round(config().lti.key_overlap_s / 3600),
        jwks=tool_addresses(config()).jwks,
        problems=problems,
        made=bool(request.args.get("made")),
    )
