"""The settings: `configs/default.toml`, then the file of SPIRALE_CONFIG, then the environment."""

from __future__ import annotations

import os
import secrets
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from .errors import ConfigError

SHORTEST_SECRET = 32

ENVIRONMENT = {
    "SPIRALE_BASE_URL": ("server", "base_url"),
    "SPIRALE_TRUSTED_PROXIES": ("server", "trusted_proxies"),
    "SPIRALE_DATA_DIR": ("storage", "data_dir"),
    "SPIRALE_DATABASE_URL": ("storage", "database_url"),
    "SPIRALE_QUEUE_URL": ("storage", "queue_url"),
    "SPIRALE_SECRET_KEY": ("security", "secret_key"),
    "SPIRALE_DEFAULT_REFERENTIALS": ("courses", "default_referentials"),
}


@dataclass(frozen=True)
class LtiConfig:
    """The `[lti]` part; names and units as in `configs/default.toml`."""

    login_lifetime_s: int
    clock_leeway_s: int
    token_lifetime_s: int
    session_idle_s: int
    session_lifetime_s: int
    http_timeout_s: float
    keys_lifetime_s: int
    keys_cooldown_s: int
    key_overlap_s: int


@dataclass(frozen=True)
class DeliveryConfig:
    """The `[delivery]` part; names and units as in `configs/default.toml`."""

    retry_first_s: float
    retry_longest_s: float
    tries: int
    lease_s: int
    sweep_minutes: int


@dataclass(frozen=True)
class RetentionConfig:
    """The `[retention]` part; names and units as in `configs/default.toml`."""

    months: int
    log_months: int

    @property
    def people(self) -> timedelta:
        return timedelta(days=30 * self.months)

    @property
    def log(self) -> timedelta:
        return timedelta(days=30 * self.log_months)


@dataclass(frozen=True)
class Config:
    """All settings, checked."""

    base_url: str
    production: bool
    timezone: ZoneInfo
    data_dir: Path
    database_url: str
    queue_url: str
    secret_key: str
    trusted_proxies: int
    logins_per_minute: int
    default_referentials: tuple[str, ...]
    roster_refresh_after_s: int
    lti: LtiConfig
    delivery: DeliveryConfig
    retention: RetentionConfig

    @property
    def https(self) -> bool:
        return self.base_url.startswith("https://")


def shipped(*parts: str) -> Path:
    """Path of a shipped file: under the checkout, or under `_data` inside a wheel."""
    package = Path(__file__).resolve().parent
    inside_wheel = package / "_data"
    root = inside_wheel if inside_wheel.is_dir() else package.parent
    return root.joinpath(*parts)


def load_config(environ: Mapping[str, str] | None = None) -> Config:
    """The settings in force.

    Raises `ConfigError` naming the setting that is wrong and what to do.
    """
    env = os.environ if environ is None else environ
    values = _read(shipped("configs", "default.toml"))
    if chosen := env.get("SPIRALE_CONFIG", ""):
        _merge(values, _read(_find(chosen)), chosen)
    for name, (part, key) in ENVIRONMENT.items():
        if name in env:
            values[part][key] = env[name]
    return _check(values)


def _find(chosen: str) -> Path:
    named = shipped("configs", f"{chosen}.toml")
    path = named if named.is_file() else Path(chosen)
    if not path.is_file():
        raise ConfigError(f"SPIRALE_CONFIG: there is no file « {chosen} » and no configs/{chosen}.toml")
    return path


def _read(path: Path) -> dict[str, dict[str, Any]]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, tomllib.TOMLDecodeError) as error:
        raise ConfigError(f"{path}: {error}") from error


def _merge(values: dict[str, dict[str, Any]], extra: dict[str, dict[str, Any]], name: str) -> None:
    for part, settings in extra.items():
        for key, value in settings.items():
            if key not in values.get(part, {}):
                raise ConfigError(f"{name}: there is no setting [{part}] {key}; see configs/default.toml")
            values[part][key] = value


def _check(values: dict[str, dict[str, Any]]) -> Config:
    server, storage, security = values["server"], values["storage"], values["security"]
    production = _one_of("server.mode", server["mode"], ("development", "production")) == "production"
    data_dir = Path(_text("storage.data_dir", storage["data_dir"])).resolve()
    return Config(
        base_url=_address("SPIRALE_BASE_URL", server["base_url"], production),
        production=production,
        timezone=_zone(server["timezone"]),
        data_dir=data_dir,
        database_url=_database(storage["database_url"], data_dir),
        queue_url=_queue(storage["queue_url"]),
        secret_key=_secret(security["secret_key"], production, data_dir),
        trusted_proxies=_proxies(server["trusted_proxies"]),
        logins_per_minute=_whole("security.logins_per_minute", security["logins_per_minute"]),
        default_referentials=_slugs(values["courses"]["default_referentials"]),
        roster_refresh_after_s=_whole("roster.refresh_after_s", values["roster"]["refresh_after_s"]),
        lti=LtiConfig(**_numbers("lti", values["lti"])),
        delivery=DeliveryConfig(**_numbers("delivery", values["delivery"])),
        retention=RetentionConfig(
            **{key: _months(f"retention.{key}", value) for key, value in values["retention"].items()}
        ),
    )


def _text(name: str, value: object) -> str:
    if not isinstance(value, str) or not value:
        raise ConfigError(f"{name}: a text is needed, not {value!r}")
    return value


def _one_of(name: str, value: object, choices: tuple[str, ...]) -> str:
    if value not in choices:
        raise ConfigError(f"{name}: {value!r} is not one of {', '.join(choices)}")
    return str(value)


def _whole(name: str, value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or value < 1:
        raise ConfigError(f"{name}: a whole number of at least 1 is needed, not {value!r}")
    return value


def _months(name: str, value: object) -> int:
    """At least two: a summer's holidays are not the end of a pupil's year. Ten years are for ever."""
    if not 2 <= _whole(name, value) <= 120:
        raise ConfigError(f"{name}: 2 to 120 months are needed, not {value!r}")
    return _whole(name, value)


def _slugs(value: object) -> tuple[str, ...]:
    """Slugs in order, once each; the environment gives them as words between spaces or commas."""
    words = value.replace(",", " ").split() if isinstance(value, str) else value
    if not isinstance(words, list) or not words or not all(isinstance(w, str) and w for w in words):
        raise ConfigError(
            f"SPIRALE_DEFAULT_REFERENTIALS: slugs such as mrc-seconde are needed, not {value!r}"
        )
    return tuple(dict.fromkeys(words))


def _proxies(value: object) -> int:
    text = str(value)
    if not (text.isascii() and text.isdigit() and int(text) <= 5):
        raise ConfigError(f"SPIRALE_TRUSTED_PROXIES: a number of proxies, 0 to 5, is needed, not {value!r}")
    return int(text)


def _numbers(part: str, settings: dict[str, Any]) -> dict[str, Any]:
    for key, value in settings.items():
        if isinstance(value, bool) or not isinstance(value, int | float) or value <= 0:
            raise ConfigError(f"{part}.{key}: a number above 0 is needed, not {value!r}")
    return settings


def _zone(name: object) -> ZoneInfo:
    try:
        return ZoneInfo(str(name))
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise ConfigError(f"server.timezone: {name!r} is not the name of a time zone") from error


def _address(name: str, value: object, production: bool) -> str:
    parts = urlsplit(str(value))
    if parts.scheme not in ("http", "https") or not parts.netloc or parts.query or parts.fragment:
        raise ConfigError(f"{name}: {value!r} is not a web address such as https://spirale.example.org")
    if production and parts.scheme != "https":
        raise ConfigError(f"{name}: production needs an https address, not {value!r}")
    return f"{parts.scheme}://{parts.netloc.lower()}{parts.path.rstrip('/')}"


def _database(value: str, data_dir: Path) -> str:
    if not value:
        return f"sqlite:///{data_dir / 'spirale.db'}"
    value = _postgresql(value)
    if value.startswith(("postgresql+psycopg://", "sqlite:///")):
        return value
    raise ConfigError("SPIRALE_DATABASE_URL: sqlite:///… or postgresql://… is needed")


def _postgresql(value: str) -> str:
    """An address of PostgreSQL in its usual ways of writing, with the driver named; any other as it is."""
    for written in ("postgres://", "postgresql://"):
        if value.startswith(written):
            return "postgresql+psycopg://" + value.removeprefix(written)
    return value


def _queue(value: str) -> str:
    value = _postgresql(value)
    if value and not value.startswith(("redis://", "rediss://", "unix://", "postgresql+psycopg://")):
        raise ConfigError(
            "SPIRALE_QUEUE_URL: redis://… or postgresql://… is needed, or nothing for an SQLite file"
        )
    return value


def _secret(value: str, production: bool, data_dir: Path) -> str:
    if not value and not production:
        value = _kept_secret(data_dir / "secret-key")
    if len(value) < SHORTEST_SECRET:
        raise ConfigError(
            f"SPIRALE_SECRET_KEY: a secret of at least {SHORTEST_SECRET} characters is needed; "
            "python -c 'import secrets; print(secrets.token_urlsafe(48))' makes one"
        )
    return value


def _kept_secret(path: Path) -> str:
    """The development secret: made once, kept beside the data, readable by its owner only."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(secrets.token_urlsafe(48))
    except FileExistsError:
        pass
    except OSError as error:
        raise ConfigError(f"SPIRALE_DATA_DIR: cannot write in {path.parent}: {error.strerror}") from error
    return path.read_text(encoding="ascii").strip()
