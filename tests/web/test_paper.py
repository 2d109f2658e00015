"""The referential on paper, as only a browser makes it: unfolded, black on white, within A4, without the bar."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, Route, sync_playwright

import lti_tool
from lti_tool.db import db
from tests import factories
from tests.conftest import make_config, make_school
from tests.journeys.conftest import CHROMIUM, FLAGS

TOOL = "http://tool.test"
STATIC = Path(lti_tool.__file__).parent / "static"
A4 = 702
"""How wide A4 is inside our margins of 12 mm, in CSS pixels."""
NOT_BLACK_ON_WHITE = """() => {
  const seen = new Set();
  for (const one of document.querySelectorAll('main *')) {
    if (!one.getClientRects().length || one.closest('svg')) continue;
    const style = getComputedStyle(one);
    if (style.color !== 'rgb(0, 0, 0)') seen.add(one.className + ' ' + style.color);
    if (!['rgba(0, 0, 0, 0)', 'rgb(255, 255, 255)'].includes(style.backgroundColor))
      seen.add(one.className + ' on ' + style.backgroundColor);
  }
  const paper = getComputedStyle(document.body).backgroundColor;
  return [...seen, ...(paper === 'rgb(255, 255, 255)' ? [] : ['body on ' + paper])];
}"""
SHOWN = """selector => [...document.querySelectorAll(selector)].filter(
  one => one.checkVisibility({contentVisibilityAuto: true}) && one.getBoundingClientRect().height > 0).length"""


@pytest.fixture(scope="module")
def answers(tmp_path_factory: pytest.TempPathFactory, migrated: Path) -> dict[str, tuple[str, bytes]]:
    """What the tool answers a teacher, by path: asked before the browser starts, whose loop ends no context."""
    folder = tmp_path_factory.mktemp("paper")
    shutil.copy(migrated, folder / "spirale.db")
    app = lti_tool.create_app(make_config(folder))
    school = make_school(app)
    with app.app_context():
        activity = factories.activity(school.course, "1C")
        factories.assessment(activity, "1C", school.people["Adam"], 3, school.people["teacher"])
        db.session.commit()
    visitor = school.visit("teacher")
    answers = {}
    for path in ("/referential", "/referential/1C", "/referential/general", "/referential/print"):
        answers[path] = ("text/html; charset=utf-8", visitor.get(path).data)
    kinds = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}
    for file in STATIC.iterdir():
        answers[f"/static/{file.name}"] = (kinds[file.suffix], file.read_bytes())
    with app.app_context():
        db.engine.dispose()
    app.extensions["spirale_queue"].storage.close()
    return answers


@pytest.fixture(scope="module")
def browser(answers: dict[str, tuple[str, bytes]]) -> Iterator[Browser]:
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield launched
        launched.close()


def open_page(browser: Browser, answers: dict[str, tuple[str, bytes]], scripts: bool = True) -> Page:
    """A page as wide as A4, in a browser set to dark."""
    page = browser.new_context(
        viewport={"width": A4, "height": 1000},
        color_scheme="dark",
        reduced_motion="reduce",
        java_script_enabled=scripts,
    ).new_page()

    def answer(route: Route) -> None:
        kind, body = answers[re.sub(r"^https?://[^/]+|\?.*", "", route.request.url)]
        route.fulfill(content_type=kind, body=body)

    page.route("**/*", answer)
    return page


def shown(page: Page, selector: str) -> int:
    """How many are to be seen: neither hidden nor folded away."""
    count: int = page.evaluate(SHOWN, selector)
    return count


def print_layout(page: Page) -> None:
    """Lay the page out as for paper; what was folded is laid out in the frame after."""
    page.emulate_media(media="print")
    page.screenshot()


def widest(page: Page) -> int:
    width: int = page.evaluate("document.documentElement.scrollWidth")
    return width


def test_the_whole_referential_is_printed_on_a4_black_on_white_and_without_the_bar(
    browser: Browser, answers: dict[str, tuple[str, bytes]]
) -> None:
    page = open_page(browser, answers)
    page.goto(f"{TOOL}/referential/print")
    assert shown(page, ".bar, .screen-only .btn") == 3

    print_layout(page)

    assert shown(page, ".bar, .actions, .btn, .screen-only, .page-foot") == 0
    assert shown(page, ".cited") == 892
    assert widest(page) == A4
    assert page.evaluate(NOT_BLACK_ON_WHITE) == []
    pdf = page.pdf(prefer_css_page_size=True)
    assert set(re.findall(rb"/MediaBox \[0 0 (\d+)\S* (\d+)", pdf)) == {(b"594", b"841")}
    # The list of competences, then each on pages of its own: two at least for what fills the source's three.
    assert len(re.findall(rb"/Type /Page\b", pdf)) > 20


@pytest.mark.parametrize(
    ("path", "what", "on_screen", "on_paper"),
    [
        ("/referential/1C", "main [href*='/statements/']", 21, 63),
        ("/referential/general", "main [href*='/statements/']", 178, 178),
        ("/referential", ".groups details li, .guide dt", 0, 54),
    ],
)
def test_a_page_of_the_referential_prints_unfolded_where_no_script_runs(
    browser: Browser,
    answers: dict[str, tuple[str, bytes]],
    path: str,
    what: str,
    on_screen: int,
    on_paper: int,
) -> None:
    page = open_page(browser, answers, scripts=False)
    page.goto(f"{TOOL}{path}")
    assert shown(page, what) == on_screen

    print_layout(page)

    assert shown(page, what) == on_paper
    assert shown(page, ".bar, .btn, .ruler, .tabs, .jumps, .chev, .page-foot") == 0
    assert widest(page) == A4
    assert page.evaluate(NOT_BLACK_ON_WHITE) == []


def test_a_script_unfolds_for_paper_and_folds_again(
    browser: Browser, answers: dict[str, tuple[str, bytes]]
) -> None:
    page = open_page(browser, answers)
    page.goto(f"{TOOL}/referential/1C")
    folded = "document.querySelectorAll('.two details:not([open])').length"
    assert page.evaluate(folded) == 5

    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    assert page.evaluate(folded) == 0
    page.evaluate("dispatchEvent(new Event('afterprint'))")
    assert page.evaluate(folded) == 5
