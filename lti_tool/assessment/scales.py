"""Scales: the words of levels 1–4. Data files in `configs/scales/`."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import lru_cache

from ..config import shipped
from ..courses.models import Course
from ..errors import ConfigError

DEFAULT_SCALE = "lsl-pro"
LEVELS = (1, 2, 3, 4)


@dataclass(frozen=True)
class Scale:
    """Four levels and the one to reach; `words` by language, then level."""

    name: str
    target: int
    words: dict[str, dict[int, str]]

    def word(self, level: int, locale: str) -> str:
        """The word of a level in a language, French when it has none."""
        return self.words.get(locale, self.words["fr"])[level]


def scale_of(course: Course) -> Scale:
    """The scale of a course."""
    return find_scale(course.scale)


@lru_cache
def offered_scales() -> tuple[str, ...]:
    """The names of the files of scales, the usual one first."""
    found = sorted(path.stem for path in shipped("configs", "scales").glob("*.toml"))
    return (DEFAULT_SCALE, *(slug for slug in found if slug != DEFAULT_SCALE))


@lru_cache
def find_scale(slug: str) -> Scale:
    """The scale of that file. Raises `ConfigError` naming what is wrong in it."""
    path = shipped("configs", "scales", f"{slug}.toml")
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
        words = {
            locale: {int(level["value"]): str(level[locale]) for level in data["levels"]}
            for locale in ("fr", "en")
        }
        scale = Scale(str(data["name"]), int(data["target"]), words)
    except (OSError, tomllib.TOMLDecodeError, KeyError, TypeError, ValueError) as error:
        raise ConfigError(
            f"{path.name}: a scale needs a name, a target and levels with value, fr, en"
        ) from error
    if sorted(words["fr"]) != list(LEVELS) or scale.target not in LEVELS:
        raise ConfigError(f"{path.name}: a scale has the levels 1 to 4, and a target among them")
    return scale


def shipped_scales() -> list[str]:
    """The slugs of the scales there are."""
    return sorted(path.stem for path in shipped("configs", "scales").glob("*.toml"))
