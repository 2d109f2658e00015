"""A real browser, and the demo as `make demo` runs it: tool, worker and LMS in processes of their own, on two sites."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, Frame, FrameLocator, Page, expect, sync_playwright

from lti_tool.demo import ENT, DemoStore

CHROMIUM = os.environ.get("SPIRALE_CHROMIUM", "/usr/bin/chromium")
FLAGS = [
    "--no-sandbox",  # as root, Chromium does not start otherwise
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]
PATIENCE_MS = 15_000
"""How long a step may take before it fails: far above what it takes, for a machine that does other work beside."""
expect.set_options(timeout=PATIENCE_MS)
COURSE = 2
"""« Seconde MRC 1 » in the demo LMS."""


@dataclass
class Demo:
    """The running demo."""

    tool_url: str
    lms_url: str
    ent_url: str
    folder: Path
    process: subprocess.Popen[str]

    @property
    def store(self) -> DemoStore:
        return DemoStore(self.folder / "demo.sqlite")

    @property
    def ent_store(self) -> DemoStore:
        return DemoStore(self.folder / "ent.sqlite", school=ENT.school)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def start_demo(folder: Path, *options: str) -> Demo:
    """`spirale demo` on free ports, ready."""
    tool, lms, ent = free_port(), free_port(), free_port()
    kept = {k: v for k, v in os.environ.items() if not k.startswith("SPIRALE_")}
    with (folder / "log").open("w") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "lti_tool", "demo", *options],
            env={
                **kept,
                "SPIRALE_DATA_DIR": str(folder),
                "SPIRALE_PORT": str(tool),
                "SPIRALE_DEMO_PORT": str(lms),
                "SPIRALE_ENT_PORT": str(ent),
            },
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
        )
    demo = Demo(
        f"http://localhost:{tool}", f"http://127.0.0.1:{lms}", f"http://127.0.0.1:{ent}", folder, process
    )
    assert process.stdout is not None
    for line in process.stdout:
        if demo.lms_url in line:
            return demo
    raise AssertionError((folder / "log").read_text())


def stop_demo(demo: Demo) -> None:
    """Ctrl-C; everything it started must end, and no port answers any more."""
    demo.process.send_signal(signal.SIGINT)
    demo.process.wait(20)
    assert demo.process.stdout is not None
    demo.process.stdout.close()
    for url in (demo.tool_url, demo.lms_url, demo.ent_url):
        with pytest.raises(OSError):  # noqa: PT011 - whatever the system says of a closed port
            urllib.request.urlopen(url, timeout=2)


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    running = start_demo(tmp_path_factory.mktemp("demo"))
    yield running
    stop_demo(running)


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    # One per module: Playwright keeps an event loop in this thread, in which the application's contexts cannot end.
    assert Path(CHROMIUM).exists(), (
        f"there is no browser at {CHROMIUM}: apt-get install chromium, or name one with SPIRALE_CHROMIUM"
    )
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def context(chromium: Browser) -> Iterator[BrowserContext]:
    made = chromium.new_context(viewport={"width": 1280, "height": 900}, locale="fr-FR")
    made.set_default_timeout(PATIENCE_MS)
    yield made
    made.close()


@dataclass
class Tab:
    """Somebody at the LMS, with the tool in its frame."""

    page: Page
    demo: Demo

    @property
    def tool(self) -> FrameLocator:
        return self.page.frame_locator("#contentframe")

    @property
    def frame(self) -> Frame:
        """The tool's frame, once it shows a page of a session."""
        deadline = time.monotonic() + PATIENCE_MS / 1000
        while time.monotonic() < deadline:
            for frame in self.page.frames:
                if frame.url.startswith(f"{self.demo.tool_url}/l/"):
                    frame.wait_for_load_state()
                    return frame
            self.page.wait_for_timeout(50)
        raise AssertionError([frame.url.split("/l/")[0] for frame in self.page.frames])

    def wait_for_grid(self) -> None:
        """Until the grid's scripts have run: a key before that is one more letter in a field."""
        self.tool.locator("#grid-margin.ready").wait_for(state="attached")

    def path(self) -> str:
        """The tool's page, without its session."""
        return re.sub(r"^.*/l/[^/]+", "", self.frame.url)

    def open_link(self, name: str, course: int = COURSE) -> None:
        self.page.goto(f"{self.demo.lms_url}/courses/{course}")
        self.page.get_by_role("link", name=name, exact=True).first.click()
        self.tool.locator("main").wait_for()


def enter(context: BrowserContext, demo: Demo, name: str) -> Tab:
    """Enter the LMS as somebody."""
    page = context.new_page()
    page.goto(demo.lms_url)
    page.get_by_role("button", name=re.compile(name)).first.click()
    page.wait_for_url(re.compile("/courses/"))
    return Tab(page, demo)


def assert_accessible(frame: Frame | Page) -> None:
    """No violation that axe knows of."""
    results = Axe().run(frame)  # type: ignore[arg-type]
    found = [
        f"{rule['id']}: {node['html'][:160]} ({node['failureSummary'][:200]})"
        for rule in results.response["violations"]
        for node in rule["nodes"]
    ]
    assert found == []


def assert_no_sideways_scroll(frame: Frame) -> None:
    wide, narrow = frame.evaluate(
        "[document.documentElement.scrollWidth, document.documentElement.clientWidth]"
    )
    assert wide <= narrow, f"{frame.url.split('/l/')[1][44:]} is {wide} px wide in {narrow}"
