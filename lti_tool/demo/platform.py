"""The running platform of one Flask app: its settings, its database, its keys, its clock."""

import hashlib
from dataclasses import dataclass, field

from flask import current_app
from sqlalchemy.orm import Session

from lti_tool.demo.database import Database
from lti_tool.demo.keys import PlatformKey, ToolKeys
from lti_tool.demo.settings import DemoSettings
from lti_tool.demo.tables import SeenOnce

EXTENSION = "spirale-demo"


@dataclass(frozen=True)
class Platform:
    """What every request needs."""

    settings: DemoSettings
    database: Database
    key: PlatformKey
    keys: dict[str, ToolKeys] = field(default_factory=dict)
    """The tools' key sets, by address."""

    def now(self) -> int:
        """Whole seconds since 1970, the unit Moodle compares in."""
        return int(self.settings.clock().timestamp())

    def keys_at(self, jwks_url: str) -> ToolKeys:
        """The key set of a tool."""
        return self.keys.setdefault(jwks_url, ToolKeys(jwks_url, self.settings.timeout_s))

    @property
    def guid(self) -> str:
        """Stable identifier of this site, as Moodle's: MD5 of something of the site."""
        return hashlib.md5(self.settings.base_url.encode(), usedforsecurity=False).hexdigest()


def the_platform() -> Platform:
    """The platform of the current app."""
    platform: Platform = current_app.extensions[EXTENSION]
    return platform


def seen_before(session: Session, kind: str, value: str, expires_at: int) -> bool:
    """True the second time ``value`` comes; remembers it the first time."""
    if session.get(SeenOnce, (kind, value)) is not None:
        return True
    session.add(SeenOnce(kind=kind, value=value, expires_at=expires_at))
    return False
