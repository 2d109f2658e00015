"""What is known of each LMS: `configs/platforms/*.toml`, its addresses by host name and its ways."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass, fields
from functools import lru_cache
from pathlib import Path
from typing import Any

from ..config import shipped
from ..errors import BadInput, ConfigError

FOLDER = ("configs", "platforms")
HOST = re.compile(
    r"[a-z0-9]([a-z0-9.-]*[a-z0-9])?"  # a name or an address
    r"(:[0-9]{1,5})?"
    r"(/[A-Za-z0-9._~-]+)*"  # the folder of a Moodle that shares its host
)
GREATEST_CONNECTIONS = 16


@dataclass(frozen=True)
class Addresses:
    """Everything about a platform that its host name tells."""

    issuer: str
    auth_login_url: str
    auth_token_url: str
    jwks_url: str
    audience: str
    frame_origins: tuple[str, ...]


@dataclass(frozen=True)
class Preset:
    """One file of `configs/platforms`; what each key means stands in generic.toml."""

    family: str
    title: str
    product_family_codes: tuple[str, ...]
    issuer: str
    auth_login_url: str
    auth_token_url: str
    jwks_url: str
    audience: str
    frame_origins: tuple[str, ...]
    connections: int
    score: dict[str, Any]

    @property
    def wants_host(self) -> bool:
        texts = (self.issuer, self.auth_login_url, self.auth_token_url, self.jwks_url, *self.frame_origins)
        return any("{host}" in text for text in texts)

    def addresses(self, host: str) -> Addresses:
        """The addresses of the platform on this host, an address in a browser or its host alone.

        Raises `BadInput` for a host that is not one, is missing, or is of no use.
        """
        host = plain_host(host)
        if self.wants_host and not HOST.fullmatch(host):
            problem = f"« {host} » is not a host, such as {self.family}.example.org" if host else "is needed"
            raise BadInput({"--host": f"{problem} (preset {self.family})"})
        if host and not self.wants_host:
            raise BadInput({"--host": f"the preset {self.family} fills no address: give each by its option"})

        def filled(text: str) -> str:
            return text.replace("{host}", host)

        return Addresses(
            filled(self.issuer),
            filled(self.auth_login_url),
            filled(self.auth_token_url),
            filled(self.jwks_url),
            filled(self.audience),
            tuple(filled(origin) for origin in self.frame_origins),
        )


def plain_host(typed: str) -> str:
    """A host as typed, or as copied from a browser."""
    return typed.strip().removeprefix("https://").rstrip("/")


@lru_cache(maxsize=1)
def presets() -> dict[str, Preset]:
    """The shipped presets, by name. Raises `ConfigError` naming the file and the key that is wrong."""
    return {path.stem: read_preset(path) for path in sorted(shipped(*FOLDER).glob("*.toml"))}


def find_preset(name: str) -> Preset:
    """The preset of that name. Raises `BadInput`."""
    known = presets()
    if name not in known:
        raise BadInput({"--preset": f"« {name} » is not one of {', '.join(known)}"})
    return known[name]


def family_of(product_family_code: str) -> str:
    """The family that a launch names; empty when no preset knows it."""
    code = product_family_code.lower()
    return next((p.family for p in presets().values() if code in p.product_family_codes), "")


def score_fields(family: str) -> dict[str, Any]:
    """What this family of platforms wants in every score, beside what the specification says."""
    preset = presets().get(family)
    return preset.score if preset else {}


def read_preset(path: Path) -> Preset:
    """A file of presets, checked. Raises `ConfigError`."""
    try:
        values = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, tomllib.TOMLDecodeError) as error:
        raise ConfigError(f"{path}: {error}") from error
    wanted = {field.name for field in fields(Preset)} - {"family"}
    for key in sorted(wanted ^ set(values)):
        raise ConfigError(f"{path}: {key}: {'is missing' if key in wanted else 'there is no such key'}")
    for key, value in values.items():
        if problem := _problem(key, value):
            raise ConfigError(f"{path}: {key}: {problem}, not {value!r}")
    lists = {key: tuple(values[key]) for key in ("product_family_codes", "frame_origins")}
    return Preset(family=path.stem, **values | lists)


def _problem(key: str, value: object) -> str:
    """What a value should have been; empty when it is."""
    if key in ("product_family_codes", "frame_origins"):
        right = isinstance(value, list) and all(isinstance(one, str) for one in value)
        return "" if right else "a list of texts is needed"
    if key == "connections":
        right = type(value) is int and 1 <= value <= GREATEST_CONNECTIONS
        return "" if right else f"a whole number, 1 to {GREATEST_CONNECTIONS}, is needed"
    if key == "score":
        return "" if isinstance(value, dict) else "a table is needed"
    if not isinstance(value, str) or (key == "title" and not value):
        return "a text is needed"
    if key.endswith("_url") and value and not value.startswith("https://"):
        return "an https address is needed"
    return ""
