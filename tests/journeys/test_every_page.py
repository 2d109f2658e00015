"""Every page that links lead to, as a teacher and as a pupil, in the LMS's frame: none is dead, all are accessible."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import BrowserContext, expect

from tests.journeys.conftest import (
    Demo,
    Tab,
    assert_accessible,
    assert_no_sideways_scroll,
    enter,
)

FRAME = {"width": 1000, "height": 750}
"""What Moodle gives an embedded tool on a usual screen."""
PHONE = {"width": 390, "height": 844}
WIDTHS = (1280, 320)
"""Others at which nothing is wider than the screen."""
MOST_SHIFT = 0.25
"""What browsers' makers call bad. It is 0 on each page; a machine so slow that it draws half a table is excused."""
LEAST = {"teacher": 20, "pupil": 6}
"""Fewer pages than these, and the walk has lost its way."""


def kind_of(path: str) -> str:
    """Which page it is: two competences, or two pupils, are the same page; whatever is asked of it, a second one."""
    path, _, query = path.partition("?")
    path = re.sub(r"/(\d+|[0-9a-f-]{36})(?=/|$)", "/N", path)
    path = re.sub(r"^/referential/(?!general$|print$|search$|tree).+", "/referential/ITEM", path)
    return f"{path}?" if query else path


def links_of(tab: Tab) -> list[str]:
    """Where the links of a page lead inside the session, without its part of the address."""
    hrefs: list[str] = tab.frame.evaluate(
        "Array.from(document.querySelectorAll('a[href]:not([download])'))"
        ".map((one) => new URL(one.getAttribute('href'), location).href)"
    )
    base = re.match(r".*/l/[^/]+", tab.frame.url)
    assert base
    inside = [href.removeprefix(base[0]).partition("#")[0] for href in hrefs if href.startswith(base[0])]
    return [path for path in inside if path.startswith("/")]


def walk(tab: Tab) -> Iterator[str]:
    """Open each kind of page once, from wherever the tab is; its path is given when it is shown."""
    base = re.match(r".*/l/[^/]+", tab.frame.url)
    assert base
    waiting, seen = [tab.path()], set[str]()
    while waiting:
        path = waiting.pop(0)
        if kind_of(path) in seen:
            continue
        seen.add(kind_of(path))
        answer = tab.frame.goto(base[0] + path)
        assert answer is not None
        assert answer.status == 200, path
        if "text/html" not in answer.headers["content-type"]:
            continue
        assert shift_of(tab) <= MOST_SHIFT, path
        yield path
        waiting += links_of(tab)


def shift_of(tab: Tab) -> float:
    """By how much what was on the page has moved since it came, by the browser's own measure: 0 is not at all."""
    shift: float = tab.frame.evaluate(
        """() => new Promise((done) => {
            let total = 0;
            new PerformanceObserver((list) => list.getEntries().forEach((one) => { total += one.value; }))
                .observe({ type: 'layout-shift', buffered: true });
            setTimeout(() => done(total), 50);
        })"""
    )
    return shift


def look_at(tab: Tab, path: str) -> None:
    """At the frame's size in daylight, then on a phone at night."""
    for width in WIDTHS:
        tab.page.set_viewport_size({"width": width, "height": 750})
        assert_no_sideways_scroll(tab.frame)
    tab.page.set_viewport_size(FRAME)
    tab.page.emulate_media(color_scheme="light", reduced_motion="reduce")
    assert tab.frame.locator("h1").count() == 1, path
    assert_accessible(tab.frame)
    if tab.frame.locator("body.fit").count():
        high, shown = tab.frame.evaluate(
            "[document.documentElement.scrollHeight, document.documentElement.clientHeight]"
        )
        assert high <= shown, f"{path} scrolls, and so does its table"
    look_at_night(tab)


def look_at_night(tab: Tab) -> None:
    tab.page.set_viewport_size(PHONE)
    tab.page.emulate_media(color_scheme="dark", reduced_motion="reduce")
    assert_no_sideways_scroll(tab.frame)
    assert_accessible(tab.frame)


@pytest.fixture
def trouble(context: BrowserContext) -> Iterator[list[str]]:
    """What pages said in the console; it must stay empty."""
    said: list[str] = []
    context.on("console", lambda one: said.append(one.text) if one.type == "error" else None)
    context.on("weberror", lambda one: said.append(str(one.error)))
    yield said
    assert said == []


def test_each_page_of_a_teacher_opens_fits_and_is_accessible_by_day_and_by_night(
    demo: Demo, context: BrowserContext, trouble: list[str]
) -> None:
    tab = enter(context, demo, "Claire Morel")
    tab.open_link("Spirale")
    tab.tool.get_by_role("link", name="Nouvelle situation").click()
    tab.tool.get_by_label("Titre").fill("Accueil au comptoir")
    for code in ("1A", "2B"):
        tab.tool.locator(f"[name=competences][value='{code}']").check()
    tab.tool.get_by_role("button", name="Enregistrer et évaluer").click()
    tab.wait_for_grid()
    tab.tool.get_by_label("Adam B., 1A").click()
    for key in ("3", "2", "a", "4"):
        tab.page.keyboard.press(key)
    expect(tab.tool.get_by_role("status").first).to_contain_text("Enregistré à")
    tab.tool.get_by_role("link", name="Activités").first.click()
    tab.tool.get_by_role("heading", level=1, name="Activités").wait_for()

    pages = []
    for path in walk(tab):
        look_at(tab, path)
        pages.append(path)

    assert len(pages) >= LEAST["teacher"], pages


def test_each_page_of_a_pupil_opens_fits_and_is_accessible_by_day_and_by_night(
    demo: Demo, context: BrowserContext, trouble: list[str]
) -> None:
    tab = enter(context, demo, "Adam Benali")
    tab.open_link("Spirale")

    pages = []
    for path in walk(tab):
        if path.startswith(("/referential", "/statements")):
            look_at_night(tab)  # the same page as a teacher's, which was looked at by day
        else:
            look_at(tab, path)
        pages.append(path)

    assert len(pages) >= LEAST["pupil"], pages
