"""Reading a referential's YAML file: plain frozen data, or every problem with its line.

The format is documented in `docs/referentials.md`.
"""

from __future__ import annotations

import hashlib
import uuid
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from ..errors import ReferentialError
from .guide_check import check_guide

ITEM_TYPES = (
    "competence_group",
    "competence",
    "subcompetence",
    "behaviour",
    "knowledge",
    "knowledge_limit",
    "resource",
    "relation",
    "expected_result",
    "criterion",
)
LONGEST_STATEMENT = 2000


@dataclass(frozen=True)
class ItemData:
    """One item of the file, its children included."""

    uuid: str
    type: str
    code: str
    label: str
    statement: str
    notes: list[str]
    also_under: list[str]
    pairing_unknown: bool
    items: list[ItemData]
    line: int

    def walk(self) -> Iterator[ItemData]:
        """The item, then all below it, depth first."""
        yield self
        for child in self.items:
            yield from child.walk()


@dataclass(frozen=True)
class LinkData:
    """The items of another referential that one item is related to, in the source's order."""

    origin: str
    to_slug: str
    grouping: str
    destinations: list[tuple[str, int]]
    """UUID and line."""
    line: int


@dataclass(frozen=True)
class SeeAlsoData:
    """A « voir aussi » of the source; `to` holds codes, none for a plain remark."""

    origin: str
    side: str
    type: str
    to: list[str]
    text: str
    line: int


@dataclass(frozen=True)
class ReferentialData:
    """A whole file, checked on its own. `check_together` checks what crosses files."""

    path: Path
    slug: str
    uuid: str
    title: str
    short_title: str
    language: str
    version: str
    position: int
    source: dict[str, Any]
    guide: dict[str, Any]
    items: list[ItemData]
    links: list[LinkData]
    see_also: list[SeeAlsoData]
    checksum: str

    def walk(self) -> Iterator[ItemData]:
        """All items, depth first."""
        for item in self.items:
            yield from item.walk()


class _Located(dict[str, Any]):
    """A mapping of the file that remembers its line, and each key's."""

    line: int
    lines: dict[str, int]


@dataclass
class _Problems:
    """Collects everything that is wrong, so that one reading says it all."""

    name: str
    found: list[str] = field(default_factory=list)

    def add(self, line: int, what: str) -> None:
        self.found.append(f"{self.name}:{line}: {what}")


def read_referential(path: Path) -> ReferentialData:
    """The referential of one file.

    Raises `ReferentialError` with one line per problem: ``file:line: what is wrong``.
    """
    problems = _Problems(path.name)
    try:
        text = path.read_bytes()
        node = yaml.compose(text.decode("utf-8"), Loader=yaml.SafeLoader)
    except OSError as error:
        raise ReferentialError([f"{path}: {error.strerror}"]) from error
    except UnicodeDecodeError as error:
        raise ReferentialError([f"{path.name}: not UTF-8 text (byte {error.start})"]) from error
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 0
        raise ReferentialError([f"{path.name}:{line}: not valid YAML: {error.problem}"]) from error
    top = _plain(node, problems) if node else None
    if not isinstance(top, _Located):
        raise ReferentialError(
            [*problems.found, f"{path.name}:1: a mapping with slug, id, title, items… is needed"]
        )
    data = _referential(top, path, hashlib.sha256(text).hexdigest(), problems)
    _check_alone(data, problems)
    guide = top.get("guide")
    if isinstance(guide, _Located):
        check_guide(Reader(guide, problems, set(guide)), data)
    if problems.found:
        raise ReferentialError(problems.found)
    return data


def _plain(node: yaml.Node, problems: _Problems) -> Any:
    """The node as Python values; mappings keep their lines, repeated keys are a problem."""
    if isinstance(node, yaml.MappingNode):
        mapping = _Located()
        mapping.line = node.start_mark.line + 1
        mapping.lines = {}
        for key_node, value_node in node.value:
            key = str(key_node.value)
            if key in mapping:
                problems.add(key_node.start_mark.line + 1, f"« {key} » is written twice")
            mapping[key] = _plain(value_node, problems)
            mapping.lines[key] = key_node.start_mark.line + 1
        return mapping
    if isinstance(node, yaml.SequenceNode):
        return [_Line(_plain(child, problems), child.start_mark.line + 1) for child in node.value]
    return yaml.SafeLoader("").construct_object(node)


@dataclass(frozen=True)
class _Line:
    """An element of a sequence, with its line."""

    value: Any
    line: int


class Reader:
    """Reads one mapping of the file key by key, and complains about keys it does not know."""

    def __init__(self, mapping: _Located, problems: _Problems, known: set[str]) -> None:
        self.mapping, self.problems = mapping, problems
        for key in mapping:
            if key not in known:
                problems.add(
                    mapping.lines[key], f"« {key} » is not known here (known: {', '.join(sorted(known))})"
                )

    def line(self, key: str) -> int:
        return self.mapping.lines.get(key, self.mapping.line)

    def text(self, key: str, *, needed: bool = True, longest: int = LONGEST_STATEMENT) -> str:
        value = self.mapping.get(key, "")
        if not isinstance(value, str):
            self.problems.add(self.line(key), f"« {key} » must be a text (put it between quotes)")
            return ""
        if needed and not value.strip():
            self.problems.add(self.line(key), f"« {key} » is missing")
        if len(value) > longest:
            self.problems.add(self.line(key), f"« {key} » is longer than {longest} characters")
        return value

    def uuid(self, key: str) -> str:
        return _uuid(self.text(key), self.line(key), self.problems)

    def one_of(self, key: str, choices: tuple[str, ...]) -> str:
        value = self.text(key)
        if value and value not in choices:
            self.problems.add(self.line(key), f"« {value} » is not one of {', '.join(choices)}")
        return value

    def number(self, key: str) -> int:
        value = self.mapping.get(key, 0)
        if not isinstance(value, int) or isinstance(value, bool):
            self.problems.add(self.line(key), f"« {key} » must be a whole number")
            return 0
        return value

    def sequence(self, key: str) -> list[_Line]:
        value = self.mapping.get(key, [])
        if not isinstance(value, list):
            self.problems.add(self.line(key), f"« {key} » must be a list")
            return []
        return value

    def texts(self, key: str) -> list[str]:
        found = []
        for element in self.sequence(key):
            if isinstance(element.value, str) and element.value.strip():
                found.append(element.value)
            else:
                self.problems.add(element.line, f"« {key} » must hold texts")
        return found

    def mappings(self, key: str) -> list[_Located]:
        found = []
        for element in self.sequence(key):
            if isinstance(element.value, _Located):
                found.append(element.value)
            else:
                self.problems.add(element.line, f"« {key} » must hold mappings (key: value)")
        return found

    def readers(self, key: str, known: set[str]) -> list[Reader]:
        """A reader for each mapping of a list."""
        return [Reader(mapping, self.problems, known) for mapping in self.mappings(key)]

    def each_of(self, keys: tuple[str, ...], known: set[str]) -> list[Reader]:
        """A reader for each of these keys that is there; each must hold a mapping."""
        found = []
        for key in keys:
            value = self.mapping.get(key, None)
            if isinstance(value, _Located):
                found.append(Reader(value, self.problems, known))
            elif key in self.mapping:
                self.problems.add(self.line(key), f"« {key} » must be a mapping")
        return found

    def free(self, key: str) -> dict[str, Any]:
        value = self.mapping.get(key, _Located())
        if not isinstance(value, dict):
            self.problems.add(self.line(key), f"« {key} » must be a mapping")
            return {}
        cleaned: dict[str, Any] = _without_lines(value)
        return cleaned


def _without_lines(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_lines(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_without_lines(element.value) for element in value]
    return value


def _uuid(value: str, line: int, problems: _Problems) -> str:
    try:
        if str(uuid.UUID(value)) == value:
            return value
    except ValueError:
        pass
    problems.add(line, f"« {value} » is not a UUID in its usual form (8-4-4-4-12 lower-case digits)")
    return value


TOP_KEYS = {
    "slug",
    "id",
    "title",
    "short_title",
    "language",
    "version",
    "position",
    "source",
    "guide",
    "items",
    "links",
    "see_also",
}


def _referential(top: _Located, path: Path, checksum: str, problems: _Problems) -> ReferentialData:
    reader = Reader(top, problems, TOP_KEYS)
    return ReferentialData(
        path=path,
        slug=reader.text("slug", longest=64),
        uuid=reader.uuid("id"),
        title=reader.text("title"),
        short_title=reader.text("short_title", longest=64),
        language=reader.text("language", longest=16),
        version=reader.text("version", longest=64),
        position=reader.number("position"),
        source=reader.free("source"),
        guide=reader.free("guide"),
        items=[_item(mapping, problems) for mapping in reader.mappings("items")],
        links=[_link(mapping, problems) for mapping in reader.mappings("links")],
        see_also=[_see_also(mapping, problems) for mapping in reader.mappings("see_also")],
        checksum=checksum,
    )


ITEM_KEYS = {"id", "type", "code", "label", "statement", "notes", "also_under", "pairing", "items"}


def _item(mapping: _Located, problems: _Problems) -> ItemData:
    reader = Reader(mapping, problems, ITEM_KEYS)
    pairing = reader.text("pairing", needed=False)
    if pairing not in ("", "unknown"):
        problems.add(reader.line("pairing"), "« pairing » can only be « unknown »")
    return ItemData(
        uuid=reader.uuid("id"),
        type=reader.one_of("type", ITEM_TYPES),
        code=reader.text("code", needed=False, longest=16),
        label=reader.text("label", needed=False, longest=255),
        statement=reader.text("statement"),
        notes=reader.texts("notes"),
        also_under=reader.texts("also_under"),
        pairing_unknown=pairing == "unknown",
        items=[_item(child, problems) for child in reader.mappings("items")],
        line=mapping.line,
    )


def _link(mapping: _Located, problems: _Problems) -> LinkData:
    reader = Reader(mapping, problems, {"from", "to", "grouping", "items"})
    return LinkData(
        origin=reader.text("from"),
        to_slug=reader.text("to"),
        grouping=reader.text("grouping", needed=False, longest=64),
        destinations=[
            (_uuid(str(element.value), element.line, problems), element.line)
            for element in reader.sequence("items")
        ],
        line=mapping.line,
    )


def _see_also(mapping: _Located, problems: _Problems) -> SeeAlsoData:
    reader = Reader(mapping, problems, {"from", "side", "type", "to", "text"})
    return SeeAlsoData(
        origin=reader.text("from"),
        side=reader.text("side", needed=False),
        type=reader.one_of("type", ITEM_TYPES),
        to=reader.texts("to"),
        text=reader.text("text"),
        line=mapping.line,
    )


def _check_alone(data: ReferentialData, problems: _Problems) -> None:
    """Identifiers once each; codes that exist, and name one item wherever a link uses them."""
    seen: dict[str, int] = {}
    for item in data.walk():
        if item.uuid in seen:
            problems.add(item.line, f"identifier {item.uuid} is already used at line {seen[item.uuid]}")
        seen[item.uuid] = item.line
    codes = Counter(item.code for item in data.walk() if item.code)
    for item in data.walk():
        for other in item.also_under:
            if other not in codes:
                problems.add(item.line, f"also_under: there is no « {other} » in this file")
    origins = [(link.origin, link.line) for link in data.links]
    origins += [(reference.origin, reference.line) for reference in data.see_also]
    for origin, line in origins:
        _check_code(origin, line, codes, problems, "from")
    for reference in data.see_also:
        for code in reference.to:
            _check_code(code, reference.line, codes, problems, "to")


def _check_code(code: str, line: int, codes: Counter[str], problems: _Problems, key: str) -> None:
    if codes[code] == 0:
        problems.add(line, f"{key}: there is no « {code} » in this file")
    elif codes[code] > 1:
        problems.add(
            line, f"{key}: {codes[code]} items of this file carry the code « {code} »: give them one each"
        )


def check_together(referentials: list[ReferentialData]) -> None:
    """Check what crosses files: identifiers once over all, links that lead to an item.

    Raises `ReferentialError` with every problem found.
    """
    found: list[str] = []
    owner: dict[str, str] = {}
    by_slug = {data.slug: data for data in referentials}
    if len(by_slug) < len(referentials):
        found.append("two files carry the same slug")
    for data in referentials:
        for item in data.walk():
            if owner.setdefault(item.uuid, data.slug) != data.slug:
                found.append(
                    f"{data.path.name}:{item.line}: identifier {item.uuid} is already used in {owner[item.uuid]}"
                )
    for data in referentials:
        for link in data.links:
            if link.to_slug not in by_slug:
                found.append(f"{data.path.name}:{link.line}: there is no referential « {link.to_slug} »")
                continue
            for destination, line in link.destinations:
                if owner.get(destination) != link.to_slug:
                    found.append(
                        f"{data.path.name}:{line}: {destination} is not an item of « {link.to_slug} »"
                    )
    if found:
        raise ReferentialError(found)
