"""From the keystroke to the gradebook: how long until the LMS holds the grade. `python benchmarks/keystroke.py [N]`.

Runs the demo as `make demo` does (tool, worker and LMS in processes of their own), types levels in the grid with a
real browser, one after the other, and watches the LMS's own database. Wall-clock time of one run on this machine; the
first score includes making the column and asking for a token.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
from pathlib import Path

from playwright.sync_api import sync_playwright

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from lti_tool.demo.people import MRC1_PUPILS, by_name  # noqa: E402
from tests.journeys.conftest import CHROMIUM, COURSE, FLAGS, Demo, Tab, enter, start_demo, stop_demo  # noqa: E402

LIMIT_S = 30.0


def open_grid(tab: Tab) -> None:
    """A situation on one competence, its grid open."""
    tab.open_link("Spirale")
    tool = tab.tool
    tool.get_by_role("link", name="Nouvelle situation").click()
    tool.get_by_label("Titre").fill("Mesure")
    tool.locator("[name=competences][value='1A']").check()
    tool.get_by_role("button", name="Enregistrer et évaluer").click()
    tool.locator("tbody .cell").first.wait_for()


def held(demo: Demo, sub: str) -> bool:
    """Whether the gradebook holds a grade for somebody."""
    with demo.store as store:
        if not store.line_items(COURSE):
            return False
        grade = store.grade(COURSE, "1A", sub)
    return grade is not None and grade.value is not None


def measure(demo: Demo, tab: Tab, names: list[str]) -> list[float]:
    """Seconds for each pupil's level."""
    found = []
    for name in names:
        cell = tab.tool.locator(f"tr[data-name^='{name.split()[0]}'] td .cell input").first
        cell.focus()
        start = time.monotonic()
        tab.page.keyboard.press("3")
        while not held(demo, by_name(name).sub):
            assert time.monotonic() - start < LIMIT_S, name
            time.sleep(0.01)
        found.append(time.monotonic() - start)
        tab.page.wait_for_timeout(300)
    return found


def main() -> None:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 12
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        demo = start_demo(Path(folder))
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        try:
            tab = enter(browser.new_context(locale="fr-FR"), demo, "Claire Morel")
            open_grid(tab)
            names = [f"{pupil.given_name} {pupil.family_name}" for pupil in MRC1_PUPILS][:count]
            seconds = measure(demo, tab, names)
        finally:
            browser.close()
            stop_demo(demo)
    print(f"first score, with its column and token: {seconds[0]:.2f} s")
    rest = sorted(seconds[1:])
    print(f"then {len(rest)} scores: median {statistics.median(rest):.2f} s, slowest {rest[-1]:.2f} s")


if __name__ == "__main__":
    main()
