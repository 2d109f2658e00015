"""The comments that somebody keeps for reuse: theirs alone, in all their courses of a platform."""

from __future__ import annotations

import sqlalchemy as sa
from flask_babel import gettext as _
from sqlalchemy.orm import Session

from ..courses.people import sort_key
from ..db import insert_missing, utcnow
from ..errors import BadInput, NotFound
from .models import SavedComment

LONGEST_SAVED = 300
MOST_SAVED = 100


def saved_comments(session: Session, person_id: int) -> list[SavedComment]:
    """Somebody's comments, in the order of the alphabet."""
    rows = session.scalars(sa.select(SavedComment).filter_by(person_id=person_id))
    return sorted(rows, key=lambda row: (sort_key(row.text), row.id))


def find_saved(session: Session, person_id: int, comment_id: int) -> SavedComment:
    """One of somebody's comments. Raises `NotFound` for another's."""
    found = session.get(SavedComment, comment_id)
    if found is None or found.person_id != person_id:
        raise NotFound("no such comment of this person")
    return found


def keep_comment(session: Session, person_id: int, text: str) -> None:
    """Keep a comment; the same one again is harmless. Raises `BadInput`."""
    kept = _tidy(text)
    if len(saved_comments(session, person_id)) >= MOST_SAVED:
        raise BadInput(
            {"text": _("Déjà %(n)s commentaires gardés\u00a0: en supprimer un d’abord.", n=MOST_SAVED)}
        )
    insert_missing(session, SavedComment, person_id=person_id, text=kept, created_at=utcnow())


def change_comment(session: Session, comment: SavedComment, text: str) -> None:
    """Write a kept comment anew; where the same text is kept already, one of the two stays. Raises `BadInput`."""
    kept = _tidy(text)
    session.execute(
        sa.delete(SavedComment).where(
            SavedComment.person_id == comment.person_id,
            SavedComment.text == kept,
            SavedComment.id != comment.id,
        )
    )
    comment.text = kept


def _tidy(text: str) -> str:
    kept = " ".join(text.replace("\x00", "").split())
    if not kept:
        raise BadInput({"text": _("Rien à garder\u00a0: écrire d’abord le commentaire.")})
    if len(kept) > LONGEST_SAVED:
        raise BadInput(
            {
                "text": _(
                    "Un commentaire gardé tient en %(n)s caractères\u00a0: le raccourcir.", n=LONGEST_SAVED
                )
            }
        )
    return kept
