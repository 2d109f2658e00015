"""The catalogues: French words of the code, English translations, French plurals. `make translations` runs this.

French is the language of the messages, so its catalogue holds the plural messages only: without it gettext would
count as English does, and say « 0 élèves ».
"""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.extract import DEFAULT_KEYWORDS, extract_from_dir
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

NO_DATE = datetime(2026, 1, 1, tzinfo=UTC)
HERE = Path(__file__).resolve().parent
METHODS = [
    ("demo/**", "ignore"),
    ("translations/**", "ignore"),
    ("**.py", "python"),
    ("templates/**.html", "jinja2"),
]


def extracted() -> Catalog:
    """Every message of the code and the templates."""
    found = Catalog(charset="utf-8")
    keywords = {**DEFAULT_KEYWORDS, "_l": None}  # lazy_gettext
    for filename, _line, message, _comments, context in extract_from_dir(
        str(HERE.parent), METHODS, keywords=keywords
    ):
        found.add(message, None, context=context, flags=())
        assert filename
    return found


def path_of(locale: str, suffix: str = "po") -> Path:
    return HERE / locale / "LC_MESSAGES" / f"messages.{suffix}"


def read(locale: str) -> Catalog:
    """The catalogue of a language, as it is written."""
    with path_of(locale).open("rb") as file:
        return read_po(file, locale=locale)


def english(template: Catalog) -> Catalog:
    """The English catalogue brought up to date: new messages are empty, those no longer used are dropped."""
    catalogue = read("en")
    catalogue.update(template, no_fuzzy_matching=True)
    catalogue.obsolete.clear()
    return catalogue


def french(template: Catalog) -> Catalog:
    """The French plurals, each its own translation."""
    catalogue = Catalog(locale="fr", charset="utf-8")
    for message in template:
        if message.pluralizable:
            catalogue.add(message.id, tuple(message.id), flags=message.flags)
    return catalogue


def missing(catalogue: Catalog) -> list[str]:
    """The messages without a translation."""
    found = []
    for message in catalogue:
        texts = message.string if isinstance(message.string, tuple | list) else (message.string,)
        if message.id and (message.fuzzy or not all(texts)):
            found.append(message.id if isinstance(message.id, str) else message.id[0])
    return found


def save(catalogue: Catalog, locale: str) -> None:
    """Write a catalogue, and its compiled form. Dates stay out: they would change the file each time."""
    catalogue.project, catalogue.version, catalogue.fuzzy = "Spirale", "", False
    catalogue.header_comment = "# Messages of Spirale. French is the language of the code."
    catalogue.creation_date = catalogue.revision_date = NO_DATE
    catalogue.last_translator = catalogue.msgid_bugs_address = catalogue.language_team = ""
    path_of(locale).parent.mkdir(parents=True, exist_ok=True)
    with path_of(locale).open("wb") as file:
        write_po(file, catalogue, width=0, sort_output=True, omit_header=False, include_lineno=False)
    with path_of(locale, "mo").open("wb") as file:
        write_mo(file, catalogue)


def main() -> int:
    """Bring both catalogues up to date; the number of messages that still want an English text."""
    template = extracted()
    save(french(template), "fr")
    updated = english(template)
    save(updated, "en")
    wanted = missing(updated)
    for text in wanted:
        sys.stdout.write(f"to translate: {text}\n")
    return len(wanted)


if __name__ == "__main__":
    sys.exit(min(main(), 1))
