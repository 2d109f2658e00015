"""Bringing one referential in from a file, ours or a CASE package: read, compared with the database, then written."""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..errors import ReferentialError
from .case import package
from .case_reading import PackageRead, read_package
from .checks import Problems, check_alone
from .data import LONGEST_SHORT, ReferentialData
from .keeping import completed, kept
from .reading import read_yaml

LARGEST_MB = 32
SLUG = re.compile("[a-z0-9]+(-[a-z0-9]+)*")


@dataclass(frozen=True)
class Import:
    """A file read, beside what the database holds of the same referential."""

    data: ReferentialData
    stored: ReferentialData | None
    is_case: bool
    left_aside: dict[str, int]
    """How many associations of a package were not taken, by type."""
    unknown_links: list[str]
    """The links left aside on demand, because they lead to no item known here."""


def read_import(
    path: Path,
    content: bytes,
    held: list[ReferentialData],
    *,
    slug: str = "",
    leave_unknown_links: bool = False,
) -> Import:
    """The referential of a file, which one being told by its content; `held` is what the database holds.

    Raises `ReferentialError` with one line per problem. `slug` is for a package new here, which cannot say it.
    """
    if len(content) > LARGEST_MB * 1_000_000:
        raise ReferentialError([f"{path.name}: larger than {LARGEST_MB} MB"])
    if slug and (not SLUG.fullmatch(slug) or len(slug) > LONGEST_SHORT):
        raise ReferentialError(
            [f"--slug: « {slug} » is not lower-case letters, figures and hyphens, at most {LONGEST_SHORT}"]
        )
    found = _case_package(path, content)
    if found is None and slug:
        raise ReferentialError([f"{path.name}: this file says its slug itself: leave --slug out"])
    if found is None:
        data = read_yaml(path, content)
        _check_beside(data, held)
        return Import(data, _stored(data, held), False, {}, [])
    read = _read(found, path, hashlib.sha256(content).hexdigest(), held)
    if read.unknown_links and not leave_unknown_links:
        raise ReferentialError(read.unknown_links)
    stored = _stored(read.data, held)
    if stored is None:
        data = completed(read.data, held, slug)
    elif slug and slug != stored.slug:
        raise ReferentialError(
            [f"{path.name}: this referential is here as « {stored.slug} »: leave --slug out"]
        )
    else:
        said = _read(package(stored, "", held), Path(stored.slug), "", held)
        data = kept(read.data, said.data, stored)
    problems = Problems(path.name)
    check_alone(data, problems)
    if problems.found:
        raise ReferentialError(problems.found)
    _check_beside(data, held)
    return Import(data, stored, True, read.left_aside, read.unknown_links)


def _case_package(path: Path, content: bytes) -> dict[str, Any] | None:
    """The package, when that is what the file is: JSON with a CFDocument. YAML is left to its own reader.

    Raises `ReferentialError` for JSON that is neither.
    """
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ReferentialError([f"{path.name}: not UTF-8 text (byte {error.start})"]) from error
    if not text.lstrip().startswith(("{", "[")):
        return None
    try:
        found = json.loads(text)
    except json.JSONDecodeError as error:
        if '"CF' not in text:
            return None
        raise ReferentialError([f"{path.name}:{error.lineno}: not valid JSON: {error.msg}"]) from error
    except (ValueError, RecursionError) as error:
        what = "nested too deeply" if isinstance(error, RecursionError) else "a number is too long"
        raise ReferentialError([f"{path.name}: not a usable JSON file: {what}"]) from error
    is_package = isinstance(found, dict) and any(key.startswith("CF") for key in found)
    return dict(found) if is_package else None


def _read(found: dict[str, Any], path: Path, checksum: str, held: list[ReferentialData]) -> PackageRead:
    owners = {item.uuid: one.slug for one in held for item in one.walk()}
    types = {item.uuid: item.type for one in held for item in one.walk()}
    return read_package(found, path, checksum, owners=owners, known_types=types)


def _stored(data: ReferentialData, held: list[ReferentialData]) -> ReferentialData | None:
    return next((one for one in held if one.uuid == data.uuid), None)


def _check_beside(data: ReferentialData, held: list[ReferentialData]) -> None:
    """What crosses referentials: the name and the items that another one has, the links to what is not here.

    Raises `ReferentialError` with every problem found.
    """
    problems = Problems(data.path.name)
    where = "CFDocument" if not data.items or isinstance(data.items[0].line, str) else 1
    for one in held:
        if (one.slug == data.slug) != (one.uuid == data.uuid):
            same = f"slug « {data.slug} »" if one.slug == data.slug else f"identifier {data.uuid}"
            problems.add(where, f"the {same} is that of « {one.title} » already: choose another one")
    owners = {item.uuid: one.slug for one in held if one.uuid != data.uuid for item in one.walk()}
    for item in data.walk():
        if item.uuid in owners:
            problems.add(item.line, f"identifier {item.uuid} belongs to « {owners[item.uuid]} » already")
    owners |= {item.uuid: data.slug for item in data.walk()}
    stored = _stored(data, held)
    owners |= {item.uuid: data.slug for item in stored.walk()} if stored else {}
    slugs = {one.slug for one in held} | {data.slug}
    for link in data.links:
        if link.to_slug not in slugs:
            problems.add(link.line, f"there is no referential « {link.to_slug} » here: import it first")
            continue
        for destination, line in link.destinations:
            if owners.get(destination) != link.to_slug:
                problems.add(line, f"{destination} is not an item of « {link.to_slug} »")
    if problems.found:
        raise ReferentialError(problems.found)
