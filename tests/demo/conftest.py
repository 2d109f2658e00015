"""The demo LMS over real HTTP, its clock moved by hand, and the tool played by the tests."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from werkzeug.serving import BaseWSGIServer

from lti_tool.demo import DemoSettings, DemoStore, close_demo_app, create_demo_app

from .played_tool import START, Browser, Clock, PublishedKeys, Tool, serving


@pytest.fixture(scope="session")
def clock() -> Clock:
    return Clock()


@pytest.fixture(scope="session")
def published_keys() -> PublishedKeys:
    return PublishedKeys()


@pytest.fixture(scope="session")
def tool_server(published_keys: PublishedKeys) -> Iterator[BaseWSGIServer]:
    with serving(lambda _address: published_keys) as server:
        yield server


@pytest.fixture(scope="session")
def settings(
    tool_server: BaseWSGIServer, clock: Clock, tmp_path_factory: pytest.TempPathFactory
) -> DemoSettings:
    """Settings whose ``base_url`` is a placeholder until the server has its port."""
    return DemoSettings(
        base_url="http://127.0.0.1:1",
        tool_url=f"http://localhost:{tool_server.server_port}",
        database=tmp_path_factory.mktemp("demo") / "demo.sqlite",
        clock=clock,
    )


@pytest.fixture(scope="session")
def demo_url(settings: DemoSettings) -> Iterator[str]:
    with serving(lambda address: create_demo_app(replace(settings, base_url=address))) as server:
        yield f"http://127.0.0.1:{server.server_port}"
        close_demo_app(server.app)


@pytest.fixture(scope="session")
def open_store(settings: DemoSettings, clock: Clock) -> Iterator[DemoStore]:
    """The store as another process would open it: a second set of connections to the same file."""
    with DemoStore(settings.database, clock) as store:
        yield store


@pytest.fixture
def store(open_store: DemoStore, clock: Clock, published_keys: PublishedKeys) -> DemoStore:
    """Everything as after the first start."""
    clock.now = START
    published_keys.names[:] = ["tool-1"]
    published_keys.broken = False
    open_store.reset()
    return open_store


@pytest.fixture
def tool(demo_url: str, settings: DemoSettings, clock: Clock, store: DemoStore) -> Iterator[Tool]:
    played = Tool(demo_url, settings.tool_url, clock)
    yield played
    played.close()


@pytest.fixture
def enter(demo_url: str, store: DemoStore) -> Iterator[Callable[[str], Browser]]:
    """Open a browser that has entered as the given ``sub``."""
    opened: list[Browser] = []

    def enter_as(sub: str | None) -> Browser:
        opened.append(Browser(demo_url, sub))
        return opened[-1]

    yield enter_as
    for browser in opened:
        browser.close()


@pytest.fixture
def another_demo(settings: DemoSettings, tmp_path: Path) -> Iterator[Callable[..., str]]:
    """Start a second demo LMS with changed settings and its own database; its address."""
    running = []

    def start(**changes: object) -> str:
        def build(address: str) -> object:
            changed = {"database": tmp_path / "other.sqlite", **changes, "base_url": address}
            return create_demo_app(replace(settings, **changed))

        running.append(serving(build))
        server = running[-1].__enter__()
        apps.append(server.app)
        return f"http://127.0.0.1:{server.server_port}"

    apps: list[object] = []
    yield start
    for context in running:
        context.__exit__(None, None, None)
    for app in apps:
        close_demo_app(app)
