"""What the demo LMS is told at start, and what a tool must know to be registered with it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from types import MappingProxyType
from urllib.parse import urlsplit

from lti_tool.demo.profiles import LMS, Profile

CLIENT_ID = LMS.client_id
"""The tool's identifier in the LMS."""
DEPLOYMENT_ID = "1"


def utcnow() -> datetime:
    """The present moment, aware, UTC."""
    return datetime.now(UTC)


@dataclass(frozen=True)
class DemoSettings:
    """Where the demo LMS and the tool live, and how the LMS behaves.

    Both addresses are without trailing slash. Give them two different hosts (127.0.0.1 and localhost):
    the tool is then third-party in the frame, as it is in a school.
    """

    base_url: str
    """Issuer and root of every page, e.g. ``http://127.0.0.1:8001``."""
    tool_url: str
    """Root of the tool, e.g. ``http://localhost:8000``."""
    database: Path
    """SQLite file of the LMS alone; made at the first start, kept afterwards."""
    profile: Profile = LMS
    """What kind of platform it plays."""
    clock: Callable[[], datetime] = utcnow
    """The present moment, aware UTC."""
    names: bool = True
    """Privacy: launches and the roster carry names. False: neither names nor login."""
    tool_name: str = "Spirale"
    """How the LMS calls the tool on its pages."""
    tool_custom: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    """Custom parameters of the registration; on a clash they win over the activity's, as in Moodle."""
    timeout_s: float = 5.0
    """Seconds to wait for the tool's key set."""

    def __post_init__(self) -> None:
        for address in (self.base_url, self.tool_url):
            parts = urlsplit(address)
            if parts.scheme not in ("http", "https") or not parts.netloc or parts.path or parts.query:
                raise ValueError(f"{address!r} must be scheme://host[:port] alone, without a trailing slash")

    @property
    def name(self) -> str:
        """Name of the platform, on its pages and in the ``tool_platform`` claim."""
        return self.profile.title

    @property
    def client_id(self) -> str:
        """The tool's identifier here."""
        return self.profile.client_id

    @property
    def login_url(self) -> str:
        """Where the tool takes login initiations."""
        return f"{self.tool_url}/lti/login"

    @property
    def launch_url(self) -> str:
        """The tool's one redirect URI, which is also its default target link."""
        return f"{self.tool_url}/lti/launch"

    @property
    def tool_jwks_url(self) -> str:
        """Where the tool publishes its public keys."""
        return f"{self.tool_url}/lti/jwks"

    @property
    def token_url(self) -> str:
        """Where access tokens are made; also the audience of the client assertion."""
        return f"{self.base_url}/lti/token"


@dataclass(frozen=True)
class Registration:
    """What the tool must store to trust this platform."""

    issuer: str
    client_id: str
    auth_login_url: str
    auth_token_url: str
    jwks_url: str
    audience: str
    deployment_id: str


def registration(base_url: str, profile: Profile = LMS) -> Registration:
    """The registration of the demo platform that answers at ``base_url``."""
    token_url = f"{base_url}/lti/token"
    return Registration(
        issuer=base_url,
        client_id=profile.client_id,
        auth_login_url=f"{base_url}/lti/auth",
        auth_token_url=token_url,
        jwks_url=f"{base_url}/lti/jwks",
        audience=token_url,
        deployment_id=DEPLOYMENT_ID,
    )
