"""The tools this LMS knows: the one of its settings, and those that registered themselves."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from lti_tool.demo.scopes import SCOPES
from lti_tool.demo.settings import DemoSettings
from lti_tool.demo.tables import FIRST_TOOL, RegisteredTool


@dataclass(frozen=True)
class Tool:
    """One tool. Its ``id`` is Moodle's type id, and its one deployment."""

    id: int
    client_id: str
    name: str
    login_url: str
    redirect_urls: tuple[str, ...]
    target_url: str
    """Default target link."""
    selection_url: str
    """Target of deep linking; empty: the tool offers none."""
    jwks_url: str
    names: bool
    """Launches and the roster may carry names."""
    scopes: tuple[str, ...] = SCOPES
    custom: Mapping[str, str] = field(default_factory=dict)
    active: bool = True

    @property
    def deployment_id(self) -> str:
        return str(self.id)

    @property
    def origin(self) -> str:
        parts = urlsplit(self.target_url)
        return f"{parts.scheme}://{parts.netloc}"


def tools(session: Session, settings: DemoSettings) -> list[Tool]:
    """Every tool, the oldest first."""
    rows = session.scalars(select(RegisteredTool).order_by(RegisteredTool.id))
    return [_of_settings(settings), *(_of_row(row) for row in rows)]


def tool_by_id(session: Session, settings: DemoSettings, tool_id: int) -> Tool:
    """Raises LookupError when there is none."""
    return next((tool for tool in tools(session, settings) if tool.id == tool_id), None) or _missing(tool_id)


def tool_by_client(session: Session, settings: DemoSettings, client_id: object) -> Tool:
    """Raises LookupError when there is none."""
    found = (tool for tool in tools(session, settings) if tool.client_id == client_id)
    return next(found, None) or _missing(client_id)


def next_tool_id(session: Session) -> int:
    """The id of the next tool to register."""
    return (session.scalar(select(func.max(RegisteredTool.id))) or FIRST_TOOL) + 1


def _missing(what: object) -> Tool:
    raise LookupError(f"No tool {what!r}")


def _of_settings(settings: DemoSettings) -> Tool:
    return Tool(
        id=FIRST_TOOL,
        client_id=settings.client_id,
        name=settings.tool_name,
        login_url=settings.login_url,
        redirect_urls=(settings.launch_url,),
        target_url=settings.launch_url,
        selection_url=settings.launch_url,
        jwks_url=settings.tool_jwks_url,
        names=settings.names,
        scopes=settings.profile.scopes,
        custom=settings.tool_custom,
    )


def _of_row(row: RegisteredTool) -> Tool:
    return Tool(
        id=row.id,
        client_id=row.client_id,
        name=row.name,
        login_url=row.login_url,
        redirect_urls=tuple(row.redirect_urls),
        target_url=row.target_url,
        selection_url=row.selection_url,
        jwks_url=row.jwks_url,
        names=row.names,
        scopes=tuple(row.scopes),
        custom=row.custom,
        active=row.active,
    )
