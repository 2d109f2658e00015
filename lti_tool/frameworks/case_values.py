"""Reading the values of a CASE package as other tools write them, each problem with its JSON path.

CASE 1.0 and 1.1 differ little here. A null is a property that is not there; properties we have no use for are passed
over; a number may stand for a text, an address or an identifier for a LinkURI object.
"""

from __future__ import annotations

import math
import re
from datetime import date
from typing import Any, NamedTuple

from .checks import Problems, storable

Json = dict[str, Any]

_HEX = "[0-9a-fA-F]"
UUID = re.compile(f"{_HEX}{{8}}-{_HEX}{{4}}-{_HEX}{{4}}-{_HEX}{{4}}-{_HEX}{{12}}")


class Link(NamedTuple):
    """Where a LinkURI leads: a UUID and a title, either of which may be empty."""

    identifier: str
    title: str


class Object:
    """A JSON object of the package and its path."""

    def __init__(self, value: Json, path: str, problems: Problems) -> None:
        self.value, self.path, self.problems = value, path, problems

    def at(self, key: str) -> str:
        return f"{self.path}.{key}" if self.path else key

    def add(self, key: str, what: str) -> None:
        self.problems.add(self.at(key), what)

    def text(self, key: str, longest: int = 0) -> str:
        """The text of a property; empty when there is none."""
        value = self.value.get(key)
        if value is None:
            return ""
        if isinstance(value, bool) or not isinstance(value, str | int | float):
            self.add(key, "must be a text")
            return ""
        text = storable(str(value), self.at(key), key, self.problems)
        if longest and len(text) > longest:
            self.add(key, f"longer than {longest} characters")
        return text

    def needs(self, key: str, text: str) -> None:
        """A problem when the text found is blank, unless what was wrong with the property is said already."""
        said = f"{self.problems.name}:{self.at(key)}: "
        if not text.strip() and not any(problem.startswith(said) for problem in self.problems.found):
            self.add(key, "is missing")

    def texts(self, key: str) -> list[str]:
        """The lines of a text, or the texts of a list; blank ones are passed over."""
        value = self.value.get(key)
        if isinstance(value, list):
            texts = [one for one in value if isinstance(one, str) and one.strip()]
            return [storable(one, self.at(key), key, self.problems) for one in texts]
        return [line for line in re.split(r"\r?\n", self.text(key)) if line.strip()]

    def identifier(self, key: str = "identifier") -> str:
        """The UUID of the object, in its usual form."""
        text = self.text(key)
        if UUID.fullmatch(text.strip()):
            return text.strip().lower()
        self.add(key, f"« {text[:80]} » is not a UUID" if text else "is missing")
        return ""

    def link(self, key: str, *, needed: bool = False) -> Link:
        """What a LinkURI leads to: an object, or only its address or its identifier."""
        value = self.value.get(key)
        if isinstance(value, str):
            value = {"identifier": value, "title": "" if UUID.search(value) else value}
        if value is None or not isinstance(value, dict):
            if needed or value is not None:
                self.add(key, "is missing" if value is None else "must be a link (identifier, uri, title)")
            return Link("", "")
        inner = Object(value, self.at(key), self.problems)
        found = UUID.findall(inner.text("identifier")) or UUID.findall(inner.text("uri"))
        if needed and not found:
            self.add(key, "holds no UUID")
        return Link(found[-1].lower() if found else "", inner.text("title"))

    def day(self, key: str) -> date | None:
        """The day of a date or of a moment; none when it is not one."""
        try:
            return date.fromisoformat(self.text(key)[:10])
        except ValueError:
            return None

    def number(self, key: str) -> float | None:
        """A number, that may be written as a text; none when it is not one."""
        value = self.value.get(key)
        try:
            number = float(value) if isinstance(value, str | int | float) else math.nan
        except (ValueError, OverflowError):
            return None
        return number if math.isfinite(number) else None

    def objects(self, key: str) -> list[Object]:
        """The objects of a list."""
        value = self.value.get(key)
        if value is None:
            return []
        if not isinstance(value, list):
            self.add(key, "must be a list")
            return []
        found = []
        for number, one in enumerate(value):
            path = f"{self.at(key)}[{number}]"
            if isinstance(one, dict):
                found.append(Object(one, path, self.problems))
            else:
                self.problems.add(path, "must be an object")
        return found
