"""Reading a referential's YAML file: plain frozen data, or every problem with its line.

The format is documented in `docs/referentials.md`.
"""

from __future__ import annotations

import hashlib
import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from ..errors import ReferentialError
from .checks import Problems, check_alone, depth, is_json, storable, texts_within
from .data import (
    DEEPEST,
    ITEM_TYPES,
    LONGEST_CODE,
    LONGEST_LABEL,
    LONGEST_LANGUAGE,
    LONGEST_SHORT,
    LONGEST_STATEMENT,
    ItemData,
    LinkData,
    ReferentialData,
    RetiredItem,
    SeeAlsoData,
)
from .guide_check import check_guide

LARGEST_NUMBER = 2**31 - 1
TOO_DEEP = f"nested too deeply: an item is at most {DEEPEST} levels down"


class _Located(dict[str, Any]):
    """A mapping of the file that remembers its line, and each key's."""

    line: int
    lines: dict[str, int]


def read_referential(path: Path) -> ReferentialData:
    """The referential of one file.

    Raises `ReferentialError` with one line per problem: ``file:line: what is wrong``.
    """
    try:
        return read_yaml(path, path.read_bytes())
    except OSError as error:
        raise ReferentialError([f"{path}: {error.strerror}"]) from error


def read_yaml(path: Path, content: bytes) -> ReferentialData:
    """The referential that a file holds, of which `path` only gives the name. Raises `ReferentialError`."""
    problems = Problems(path.name)
    try:
        node = yaml.compose(content.decode("utf-8"), Loader=yaml.SafeLoader)
        top = _plain(node, problems, set()) if node else None
    except UnicodeDecodeError as error:
        raise ReferentialError([f"{path.name}: not UTF-8 text (byte {error.start})"]) from error
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 0
        raise ReferentialError([f"{path.name}:{line}: not valid YAML: {error.problem}"]) from error
    except yaml.reader.ReaderError as error:
        line = content.decode("utf-8").count("\n", 0, error.position) + 1
        raise ReferentialError(
            [f"{path.name}:{line}: not valid YAML: a character that it does not allow"]
        ) from error
    except RecursionError as error:
        raise ReferentialError([f"{path.name}: {TOO_DEEP}"]) from error
    if not isinstance(top, _Located):
        raise ReferentialError(
            [*problems.found, f"{path.name}:1: a mapping with slug, id, title, items… is needed"]
        )
    data = _referential(top, path, hashlib.sha256(content).hexdigest(), problems)
    if depth(data.items) > DEEPEST:
        problems.add(top.line, TOO_DEEP)
    check_alone(data, problems)
    guide = top.get("guide")
    if isinstance(guide, _Located):
        check_guide(Reader(guide, problems, set(guide)), data)
    if problems.found:
        raise ReferentialError(problems.found)
    return data


def _plain(node: yaml.Node, problems: Problems, seen: set[int]) -> Any:
    """The node as Python values; mappings keep their lines, repeated keys are a problem.

    So is an alias (`*name`): a node met again, which might hold itself, or multiply without end.
    """
    line = node.start_mark.line + 1
    if isinstance(node, yaml.ScalarNode):
        try:
            return yaml.SafeLoader("").construct_object(node)
        except ValueError:
            problems.add(line, f"« {node.value[:40]} » is not a value (put a text between quotes)")
            return ""
    if id(node) in seen:
        problems.add(line, "an alias (*) is used: write the text again")
        return None
    seen.add(id(node))
    if isinstance(node, yaml.SequenceNode):
        return [_Line(_plain(child, problems, seen), child.start_mark.line + 1) for child in node.value]
    mapping = _Located()
    mapping.line, mapping.lines = line, {}
    for key_node, value_node in node.value:
        key = str(key_node.value)
        if key in mapping:
            problems.add(key_node.start_mark.line + 1, f"« {key} » is written twice")
        mapping[key] = _plain(value_node, problems, seen)
        mapping.lines[key] = key_node.start_mark.line + 1
    return mapping


@dataclass(frozen=True)
class _Line:
    """An element of a sequence, with its line."""

    value: Any
    line: int


class Reader:
    """Reads one mapping of the file key by key, and complains about keys it does not know."""

    def __init__(self, mapping: _Located, problems: Problems, known: set[str]) -> None:
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
        return storable(value, self.line(key), key, self.problems)

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
        if abs(value) > LARGEST_NUMBER:
            self.problems.add(self.line(key), f"« {key} » is too large")
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
                found.append(storable(element.value, element.line, key, self.problems))
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
        for text in texts_within(cleaned):
            storable(text, self.line(key), key, self.problems)
        if not is_json(cleaned):
            self.problems.add(
                self.line(key),
                f"« {key} » may hold texts, numbers, lists and mappings (put a date between quotes)",
            )
        return cleaned


def _without_lines(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_lines(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_without_lines(element.value) for element in value]
    return value


def _uuid(value: str, line: int, problems: Problems) -> str:
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


def _referential(top: _Located, path: Path, checksum: str, problems: Problems) -> ReferentialData:
    reader = Reader(top, problems, TOP_KEYS)
    return ReferentialData(
        path=path,
        slug=reader.text("slug", longest=LONGEST_SHORT),
        uuid=reader.uuid("id"),
        title=reader.text("title"),
        short_title=reader.text("short_title", longest=LONGEST_SHORT),
        language=reader.text("language", longest=LONGEST_LANGUAGE),
        version=reader.text("version", longest=LONGEST_SHORT),
        position=reader.number("position"),
        source=reader.free("source"),
        guide=reader.free("guide"),
        items=[_item(mapping, problems) for mapping in reader.mappings("items")],
        links=[_link(mapping, problems) for mapping in reader.mappings("links")],
        see_also=[_see_also(mapping, problems) for mapping in reader.mappings("see_also")],
        checksum=checksum,
    )


ITEM_KEYS = {
    "id",
    "type",
    "code",
    "label",
    "statement",
    "notes",
    "also_under",
    "pairing",
    "replaced_by",
    "items",
}


def _item(mapping: _Located, problems: Problems, *, retired: bool = False) -> ItemData:
    """An item and what is below it. One that is replaced is no longer in force, nor is what is below it."""
    reader = Reader(mapping, problems, ITEM_KEYS)
    pairing = reader.text("pairing", needed=False)
    if pairing not in ("", "unknown"):
        problems.add(reader.line("pairing"), "« pairing » can only be « unknown »")
    replaced_by = reader.uuid("replaced_by") if "replaced_by" in mapping else ""
    retired = retired or replaced_by != ""
    return (RetiredItem if retired else ItemData)(
        uuid=reader.uuid("id"),
        type=reader.one_of("type", ITEM_TYPES),
        code=reader.text("code", needed=False, longest=LONGEST_CODE),
        label=reader.text("label", needed=False, longest=LONGEST_LABEL),
        statement=reader.text("statement"),
        notes=reader.texts("notes"),
        also_under=reader.texts("also_under"),
        pairing_unknown=pairing == "unknown",
        items=[_item(child, problems, retired=retired) for child in reader.mappings("items")],
        line=mapping.line,
        replaced_by=replaced_by,
    )


def _link(mapping: _Located, problems: Problems) -> LinkData:
    reader = Reader(mapping, problems, {"from", "to", "grouping", "items"})
    return LinkData(
        origin=reader.text("from"),
        to_slug=reader.text("to"),
        grouping=reader.text("grouping", needed=False, longest=LONGEST_SHORT),
        destinations=[
            (_uuid(str(element.value), element.line, problems), element.line)
            for element in reader.sequence("items")
        ],
        line=mapping.line,
    )


def _see_also(mapping: _Located, problems: Problems) -> SeeAlsoData:
    reader = Reader(mapping, problems, {"from", "side", "type", "to", "text"})
    return SeeAlsoData(
        origin=reader.text("from"),
        side=reader.text("side", needed=False),
        type=reader.one_of("type", ITEM_TYPES),
        to=reader.texts("to"),
        text=reader.text("text"),
        line=mapping.line,
    )
