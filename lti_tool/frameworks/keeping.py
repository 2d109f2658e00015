"""What a CASE package cannot say, filled in: kept from the referential that the database holds, or worked out.

CASE has no place for a slug, a short title, a position, a guide, « voir aussi » and pairings; and it flattens some of
what it has a place for (lines of a code, notes of several lines, the parts of the source). So what a package says is
compared with what the stored referential's own package says: where they agree, the stored value stays.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import replace
from typing import Any

from .case_reading import cut
from .data import LONGEST_SHORT, ItemData, LinkData, ReferentialData, SeeAlsoData, named, names

SAME_IF_SAID_THE_SAME = ("code", "label", "statement", "notes", "also_under")
SOURCE_SAID = ("title", "part_of", "status")
"""The keys of a source that a package's description puts together."""


def completed(data: ReferentialData, held: list[ReferentialData], slug: str) -> ReferentialData:
    """The data of a package for a referential that is new here."""
    said = data.version or data.source.get("date", "")
    return _with_own_links(
        replace(
            data,
            slug=slug or slug_of(data.title),
            short_title=cut(data.title, LONGEST_SHORT),
            language=data.language or "fr",
            version=said or "1",
            position=max((one.position for one in held), default=0) + 1,
        )
    )


def slug_of(title: str) -> str:
    """A short name made from a title: its letters and figures, in lower case."""
    bare = unicodedata.normalize("NFKD", title).encode("ascii", "ignore").decode().lower()
    return "-".join(re.findall("[a-z0-9]+", bare))[:LONGEST_SHORT].strip("-") or "referential"


def kept(coming: ReferentialData, said: ReferentialData, stored: ReferentialData) -> ReferentialData:
    """The data of a package for the referential `stored`, whose own package says `said`."""
    groupings = {_line(link.grouping): link.grouping for link in stored.links}
    items = _items(coming, said, stored)
    return _with_own_links(
        replace(
            coming,
            slug=stored.slug,
            title=stored.title if coming.title == said.title else coming.title,
            short_title=stored.short_title,
            language=coming.language or stored.language,
            version=coming.version or stored.version,
            position=stored.position,
            source=_source(coming.source, said.source, stored.source),
            guide=stored.guide,
            items=items,
            links=[
                replace(link, grouping=groupings.get(link.grouping, link.grouping)) for link in coming.links
            ],
            see_also=_see_also(items, stored),
        )
    )


def _with_own_links(data: ReferentialData) -> ReferentialData:
    """Links inside the package lead to its own slug, which the package could not say."""
    links: list[LinkData] = [
        replace(link, to_slug=link.to_slug or data.slug, origin=link.origin) for link in data.links
    ]
    return replace(data, links=links)


def _source(coming: dict[str, Any], said: dict[str, Any], stored: dict[str, Any]) -> dict[str, Any]:
    """The source, key by key; a description that has changed is one text from then on."""
    source = dict(stored)
    for key in ("title", "publisher", "creator", "url", "date"):
        if coming.get(key) == said.get(key):
            continue
        for gone in SOURCE_SAID if key == "title" else (key,):
            source.pop(gone, None)
        if key in coming:
            source[key] = coming[key]
    return source


def _items(coming: ReferentialData, said: ReferentialData, stored: ReferentialData) -> list[ItemData]:
    before = {item.uuid: item for item in stored.walk()}
    said_before = {item.uuid: item for item in said.walk()}
    codes = {item.code for item in coming.walk()}

    def kept_item(item: ItemData) -> ItemData:
        below = [kept_item(child) for child in item.items]
        old, old_said = before.get(item.uuid), said_before.get(item.uuid)
        if old is None or old_said is None:
            return replace(item, items=below)
        same = {
            name: getattr(old, name)
            for name in SAME_IF_SAID_THE_SAME
            if getattr(item, name) == getattr(old_said, name)
        }
        if not codes.issuperset(same.get("also_under", [])):
            del same["also_under"]
        return replace(item, **same, pairing_unknown=old.pairing_unknown, items=below)

    return [kept_item(item) for item in coming.items]


def _see_also(items: list[ItemData], stored: ReferentialData) -> list[SeeAlsoData]:
    """The « voir aussi » of what is still in force, under the codes of now."""
    before = named(stored.walk())
    now = names(item for top in items for item in top.walk())
    found = []
    for one in stored.see_also:
        origin = now.get(before.get(one.origin, ""))
        to = [now[before[code]] for code in one.to if before.get(code) in now]
        if origin and (to or not one.to):
            found.append(replace(one, origin=origin, to=to))
    return found


def _line(text: str) -> str:
    return re.sub(r"[\t\r\n]+", " ", text)
