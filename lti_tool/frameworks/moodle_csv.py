"""A referential as the CSV file that Moodle's competency import reads, those it leads to in the same framework.

Moodle keeps a cross reference only between two competencies of one framework: hence one file for all of them.
Source: Moodle's `admin/tool/lpimportcsv`. Its importer compares identifiers as PHP does (« 1.1 » equals « 1.10 »),
skips in silence what has none, and cuts at 100 characters: identifiers here never look like numbers, and nothing is
longer.
"""

from __future__ import annotations

import csv
import io
import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

from markupsafe import escape

from .case_objects import TYPES
from .data import ItemData, ReferentialData, RetiredItem

HEADERS = (
    "Parent id number",
    "Id number",
    "Shortname",
    "Description",
    "Description format",
    "Scale values",
    "Scale configuration",
    "Rule type (optional)",
    "Rule outcome (optional)",
    "Rule config (optional)",
    "Cross referenced competency id numbers",
    "Exported id (optional)",
    "Is framework",
    "Taxonomy",
)
HTML = "1"
LONGEST = 100
TAXONOMY = "domain,domain,competency,skill"
"""What Moodle calls each level: a referential, its blocs or groupes, their competences and statements, the details."""
_PLAIN_CODE = re.compile(r"[^<>%\\&\"\s]+(?: [^<>%\\&\"\s]+)*")
"""A code that Moodle keeps as it is written."""

Row = list[str]


def framework(
    data: ReferentialData, others: Iterable[ReferentialData], levels: Sequence[str], target: int
) -> str:
    """The file's text: the referential and those of `others` that its links lead to; retired items are left out.

    `levels` are the words of the scale, the lowest first; a competence is acquired from the level `target` up.
    """
    linked = {link.to_slug for link in data.links}
    referentials = [data, *(one for one in others if one.slug in linked and one.slug != data.slug)]
    identifiers = _identifiers(referentials)
    references = _references(referentials, identifiers)
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(HEADERS)
    writer.writerow(_framework_row(data, levels, target))
    for one in referentials:
        root = f"{one.slug}:"
        writer.writerow(_row("", root, one.title, _paragraphs([one.title])))
        for item, above in _placed(one.items):
            parent = identifiers[above.uuid] if above else root
            related = ",".join(identifier.replace(",", "%2C") for identifier in references.get(item.uuid, []))
            writer.writerow(
                _row(parent, identifiers[item.uuid], _short(item), _description(item, one), related)
            )
    return text.getvalue()


# ----- identifiers -----


def _identifiers(referentials: Iterable[ReferentialData]) -> dict[str, str]:
    """The id number of each item: « mrc-seconde:1A » where a code names one item, else its UUID."""
    found: dict[str, str] = {}
    for one in referentials:
        items = [item for item, _above in _placed(one.items)]
        # Some databases under Moodle tell neither case nor accents apart.
        codes = Counter(item.code.casefold() for item in items)
        for item in items:
            named = codes[item.code.casefold()] == 1 and _PLAIN_CODE.fullmatch(item.code)
            found[item.uuid] = f"{one.slug}:{item.code}" if named else item.uuid
    return found


def _references(referentials: Iterable[ReferentialData], identifiers: dict[str, str]) -> dict[str, list[str]]:
    """For each item that holds links, the id numbers they lead to, once each; both ends are in the file."""
    found: dict[str, list[str]] = {}
    for one in referentials:
        codes = {item.code: item.uuid for item in one.walk() if item.code and item.uuid in identifiers}
        for link in one.links:
            if link.origin in codes:
                found.setdefault(codes[link.origin], []).extend(
                    identifiers[uuid] for uuid, _line in link.destinations if uuid in identifiers
                )
    return {uuid: list(dict.fromkeys(related)) for uuid, related in found.items()}


def _placed(
    items: Iterable[ItemData], above: ItemData | None = None
) -> Iterator[tuple[ItemData, ItemData | None]]:
    """Each item that is not retired, with the one it is in: before what it contains."""
    for item in items:
        if not isinstance(item, RetiredItem):
            yield item, above
            yield from _placed(item.items, item)


# ----- rows -----


def _row(parent: str, identifier: str, name: str, description: str, related: str = "") -> Row:
    return [parent, identifier, _cut(name), description, HTML, "", "", "", "0", "null", related, "", "", ""]


def _framework_row(data: ReferentialData, levels: Sequence[str], target: int) -> Row:
    description = _paragraphs(
        [data.title, *(str(data.source[k]) for k in ("title", "status") if data.source.get(k))]
    )
    scale = _scale(len(levels), target)
    row = _row("", data.slug, data.title, description)
    row[5], row[6], row[8], row[9], row[12], row[13] = ",".join(levels), scale, "", "", "1", TAXONOMY
    return row


def _scale(levels: int, target: int) -> str:
    """Moodle's configuration: acquired from the target up, the target when nothing else is said."""
    # Moodle writes the scale's own number over the first element when it imports.
    config: list[dict[str, str | int]] = [{"scaleid": "0"}]
    for level in range(1, levels + 1):
        config.append({"id": level, "scaledefault": int(level == target), "proficient": int(level >= target)})
    return json.dumps(config, separators=(",", ":"))


def _short(item: ItemData) -> str:
    return f"{item.code} {item.label or item.statement}".strip()


def _cut(text: str) -> str:
    """A name of 100 characters at most, cut at a word. Moodle strips what looks like a tag."""
    line = " ".join(text.replace("<", "‹").replace(">", "›").replace("\\", "/").split())
    if len(line) <= LONGEST:
        return line
    return line[: LONGEST - 1].rsplit(" ", 1)[0].rstrip(",;: ") + "…"


def _description(item: ItemData, one: ReferentialData) -> str:
    """The whole statement and its notes, then what Moodle has no place for: the type and the other parts."""
    kind = " · ".join([TYPES[item.type].title, one.short_title, *item.also_under])
    return _paragraphs([item.statement, *item.notes, kind])


def _paragraphs(lines: Iterable[str]) -> str:
    # PHP's CSV reader gives a backslash before a quote a meaning of its own.
    return "".join(f"<p>{escape(line)}</p>" for line in lines).replace("\\", "&#92;").replace("\n", "<br>")
