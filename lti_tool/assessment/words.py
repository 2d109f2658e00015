"""Words that pages and the gradebook's comments share, in the language of the moment."""

from __future__ import annotations

from datetime import date

from flask_babel import format_date, get_locale
from flask_babel import gettext as _


def locale() -> str:
    """The language of the moment: `fr` or `en`."""
    return str(get_locale() or "fr")


def plain_date(day: date) -> str:
    """« 26 novembre », inside a sentence."""
    return first_of_month(format_date(day, "d MMMM"))


def first_of_month(text: str) -> str:
    """French counts the first of the month only: « 1er mars », « 2 mars »."""
    return f"1er{text[1:]}" if locale() == "fr" and text.startswith("1 ") else text


def in_situation() -> dict[int, str]:
    """« en situation … », by complexity."""
    return {1: _("en situation simple"), 2: _("en situation variée"), 3: _("en situation complexe")}
