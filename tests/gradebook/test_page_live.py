"""« Carnet de notes » in a real browser: it follows what the worker does, and disturbs nobody."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect, sync_playwright

from lti_tool.courses.models import Course, Person
from lti_tool.db import db
from tests.conftest import Visitor, open_visit
from tests.platform import DemoWorld

from .gradebook_world import ADAM, AICHA, CHLOE, Gradebook

CHROMIUM = os.environ.get("SPIRALE_CHROMIUM", "/usr/bin/chromium")


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    if not Path(CHROMIUM).exists():
        pytest.fail(
            f"no browser at {CHROMIUM}: apt-get install chromium, or name another in SPIRALE_CHROMIUM"
        )
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


class Elsewhere:
    """A gradebook whose methods run in a thread of their own.

    Playwright keeps an event loop in the test's thread, where Flask-SQLAlchemy-Lite cannot end a context.
    """

    def __init__(self, pool: ThreadPoolExecutor, folder: Path) -> None:
        self._pool = pool
        self.world: DemoWorld = pool.submit(DemoWorld, folder).result()
        self._book = pool.submit(Gradebook, self.world).result()

    def __getattr__(self, name: str) -> Any:
        def call(*args: Any, **more: Any) -> Any:
            return self._pool.submit(getattr(self._book, name), *args, **more).result()

        return call

    def open_teachers_visit(self) -> Visitor:
        return self._pool.submit(self._open).result()

    def _open(self) -> Visitor:
        with self.world.app.app_context():
            course = db.session.get_one(Course, self._book.course_id)
            person = db.session.get_one(Person, self.world.person_id("Claire Morel"))
            db.session.close()
        return open_visit(self.world.app, course, person)


@pytest.fixture
def book(tmp_path: Path, migrated: Path) -> Iterator[Elsewhere]:
    shutil.copy(migrated, tmp_path / "spirale.db")
    with ThreadPoolExecutor(1) as pool:
        book = Elsewhere(pool, tmp_path)
        yield book
        pool.submit(book.world.close).result()


@pytest.fixture
def page(chromium: Browser, book: Elsewhere) -> Iterator[Page]:
    """A teacher's page of the course; `goto` takes a path of the session."""
    visitor = book.open_teachers_visit()
    cookie = visitor.client.get_cookie("spirale", domain="localhost")
    assert cookie is not None
    context = chromium.new_context(base_url=f"{book.world.tool_url}/l/{visitor.sid}/")
    context.add_cookies([{"name": "spirale", "value": cookie.value, "url": book.world.tool_url}])
    yield context.new_page()
    context.close()


def test_the_page_follows_what_the_worker_does_and_then_stops(page: Page, book: Elsewhere) -> None:
    book.type((ADAM, "1A", 3))
    page.goto("gradebook")
    expect(page.locator(".sum")).to_contain_text("1 en attente")

    book.deliver()

    expect(page.locator(".sum")).to_contain_text("1 envoyée", timeout=8000)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.wait_for_timeout(2500)
    assert asked == []


def test_what_somebody_is_using_is_not_swapped_under_them(page: Page, book: Elsewhere) -> None:
    book.type((ADAM, "1A", 3))
    page.goto("gradebook")
    page.get_by_role("link", name="en attente").focus()

    book.deliver()
    page.wait_for_timeout(2500)

    expect(page.locator(".sum")).to_contain_text("1 en attente")
    expect(page.get_by_role("link", name="en attente")).to_be_focused()
    page.get_by_role("link", name="Bilan").focus()
    expect(page.locator(".sum")).to_contain_text("1 envoyée", timeout=8000)


def test_buttons_work_from_the_page(page: Page, book: Elsewhere) -> None:
    book.type((ADAM, "1A", 2))
    book.deliver()
    book.set_by_hand(ADAM, "1A", 4)
    book.type((ADAM, "1A", 3))
    book.deliver()
    page.goto("gradebook")
    page.get_by_role("button", name="Envoyer 3").click()

    book.deliver()

    expect(page.locator(".sum")).to_contain_text("1 envoyée", timeout=8000)
    assert book.value(ADAM, "1A") == 3


def test_publishing_is_followed_while_somebody_types_in_the_page(page: Page, book: Elsewhere) -> None:
    book.change(mode="publish")
    book.type((ADAM, "1A", 3), (AICHA, "1A", 2), (CHLOE, "1A", 4))
    page.goto("gradebook")
    page.get_by_role("link", name="Publier les 3 notes…").click()
    expect(page.get_by_text("3 nouvelles").first).to_be_visible()
    page.get_by_role("button", name="Publier les colonnes cochées").click()
    expect(page.locator("main")).to_contain_text("3 notes publiées")
    bar = page.get_by_role("progressbar", name="Envoi en cours")
    expect(bar).to_have_attribute("max", "3")
    page.get_by_label("Élève", exact=True).fill("ad")

    book.world.faults.answer("/scores", 500, method="POST", times=1)
    book.deliver()

    expect(page.locator(".sending")).to_contain_text("Envoi en cours : 2 sur 3", timeout=8000)
    expect(page.locator("body > [role=status]")).to_contain_text("2 sur 3")
    expect(page.get_by_label("Élève", exact=True)).to_be_focused()
    expect(page.get_by_label("Élève", exact=True)).to_have_value("ad")
    book.world.let_time_pass()
    book.deliver()
    expect(bar).to_have_count(0, timeout=8000)
    assert [book.value(who, "1A") for who in (ADAM, AICHA, CHLOE)] == [3, 2, 4]


@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_pages_have_no_accessibility_fault_and_fit_the_screen(
    page: Page, book: Elsewhere, width: int, scheme: str
) -> None:
    delivery = book.in_all_states()
    page.set_viewport_size({"width": width, "height": 900})
    page.emulate_media(color_scheme=scheme, reduced_motion="reduce")

    for path in (
        "gradebook",
        "gradebook?state=refused",
        "gradebook?state=sent",
        "gradebook/publish",
        f"gradebook/clear?delivery={delivery}",
        "settings",
    ):
        page.goto(path)
        page.evaluate("document.querySelectorAll('details').forEach(one => { one.open = true; })")
        faults = Axe().run(page).response["violations"]
        assert [(path, fault["id"], fault["nodes"][0]["html"]) for fault in faults] == []
        if width == 390:
            page.set_viewport_size({"width": 320, "height": 900})
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), path
        page.set_viewport_size({"width": width, "height": 900})
