"""« Mes commentaires »: what somebody who assesses keeps for reuse. Nobody else sees it."""

from __future__ import annotations

from dataclasses import dataclass

from flask import jsonify, redirect, render_template, request
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from ..activities.editing import find_activity
from ..assessment.models import SavedComment
from ..assessment.saved_comments import (
    LONGEST_SAVED,
    change_comment,
    find_saved,
    keep_comment,
    saved_comments,
)
from ..db import db
from ..errors import BadInput
from .guard import May, here, page, row_id, visit

SHORTEST_CUT = 90


@dataclass(frozen=True)
class Offered:
    """A kept comment in a list to choose from: `label` is short enough for one line."""

    id: int
    text: str
    label: str


def offered_comments() -> list[Offered]:
    """The visitor's own comments, to choose from."""
    return [
        Offered(row.id, row.text, _cut(row.text)) for row in saved_comments(db.session, visit().person.id)
    ]


def with_chosen(text: str, chosen: str | None) -> str:
    """What was typed, followed by the kept comment that a form without scripts chose."""
    offered = {str(one.id): one.text for one in offered_comments()} if chosen else {}
    return " ".join(part for part in (text.strip(), offered.get(chosen or "", "")) if part)


def _cut(text: str) -> str:
    return text if len(text) <= SHORTEST_CUT else text[: SHORTEST_CUT - 1].rsplit(" ", 1)[0] + "…"


@page("/comments", may=May.ASSESS)
def my_comments() -> str:
    """The list, each with what changes it."""
    return _show()


@page("/comments", may=May.ASSESS, methods=("POST",))
def keep_my_comment() -> Response | tuple[str, int]:
    """Keep one more. A script is answered with the list to choose from, a form with the page."""
    by_script = request.headers.get("Accept", "").startswith("application/json")
    try:
        keep_comment(db.session, visit().person.id, request.form.get("text", ""))
    except BadInput as error:
        message = error.problems["text"]
        if by_script:
            return jsonify(message=message), 422  # type: ignore[return-value]
        return _show(problems={0: message}, typed={0: request.form.get("text", "")}), 422
    db.session.commit()
    if by_script:
        return jsonify(comments=[vars(one) for one in offered_comments()])
    return redirect(_address("kept"), 303)


@page("/comments/<id:comment_id>", may=May.ASSESS, methods=("POST",))
def change_my_comment(comment_id: int) -> Response | tuple[str, int]:
    """Write one anew, or delete it."""
    comment = find_saved(db.session, visit().person.id, comment_id)
    if "delete" in request.form:
        db.session.delete(comment)
        db.session.commit()
        return redirect(_address("deleted"), 303)
    typed = request.form.get("text", "")
    try:
        change_comment(db.session, comment, typed)
    except BadInput as error:
        return _show(problems={comment_id: error.problems["text"]}, typed={comment_id: typed}), 422
    db.session.commit()
    return redirect(_address("saved"), 303)


def _address(done: str) -> str:
    """The page, with the way back to the grid one came from."""
    return here("my_comments", done=done, activity=request.values.get("activity", type=row_id))


def _show(problems: dict[int, str] | None = None, typed: dict[int, str] | None = None) -> str:
    known: list[SavedComment] = saved_comments(db.session, visit().person.id)
    activity_id = request.values.get("activity", type=row_id)
    back = find_activity(db.session, visit().course, activity_id) if activity_id else None
    done = {"saved": _("Enregistré."), "deleted": _("Supprimé."), "kept": _("Gardé.")}
    return render_template(
        "saved_comments.html",
        comments=[(row.id, (typed or {}).get(row.id, row.text)) for row in known],
        added=(typed or {}).get(0, ""),
        problems=problems or {},
        longest=LONGEST_SAVED,
        back=back,
        done=done.get(request.args.get("done", ""), ""),
    )
