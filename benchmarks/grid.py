"""What the grid costs: 35 pupils × 12 competences. `python benchmarks/grid.py [--postgres] [--entries 100000]`.

Spirale runs under gunicorn, 2 workers and 4 threads, on a database of so many entries, 24 situations of them in the
course that is measured. A real browser types a level in each of the 420 cells: from a key to the answer that says it is
written, how long the page works for each key, and whether anything holds it for more than 50 ms. Then the page itself:
processor time of the server, statements are counted by the tests, weight as a proxy would compress it (gzip, level 6).
Wall-clock times are of one run on this machine.
"""

from __future__ import annotations

import argparse
import gzip
import statistics
import sys
import tempfile
import time
import uuid
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import requests
import sqlalchemy as sa
from playwright.sync_api import Page, sync_playwright

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.launch_world import SECRET, Database, Server, served, tidy  # noqa: E402
from lti_tool import create_app  # noqa: E402
from lti_tool.activities.models import Activity, ActivityCompetence, ObservedItem  # noqa: E402
from lti_tool.assessment.models import Assessment  # noqa: E402
from lti_tool.config import load_config  # noqa: E402
from lti_tool.courses.models import Course, Person, Role  # noqa: E402
from lti_tool.db import begin_write, db  # noqa: E402
from lti_tool.frameworks.models import Framework, FrameworkItem  # noqa: E402
from lti_tool.setup import upgrade_database  # noqa: E402
from tests import factories  # noqa: E402
from tests.journeys.conftest import CHROMIUM, FLAGS  # noqa: E402
from tests.postgres import running_postgres  # noqa: E402

PUPILS, SITUATIONS, PAGES = 35, 24, 40
GIVEN = ("Adam", "Aïcha", "Baptiste", "Chloé", "Dylan", "Elif", "Fatou")

WATCH = """
() => {
  const seen = window.seen = {keys: [], saved: [], long: []};
  let pressed = 0;
  window.addEventListener('keydown', () => { pressed = performance.now(); }, true);
  window.addEventListener('keydown', () => seen.keys.push(performance.now() - pressed));
  const ask = window.fetch;
  window.fetch = async (...given) => {
    const since = pressed, answer = await ask(...given), read = answer.json.bind(answer);
    answer.json = async () => {
      const data = await read();
      if (data.saved) setTimeout(() => seen.saved.push(performance.now() - since));
      return data;
    };
    return answer;
  };
  new PerformanceObserver((list) => list.getEntries().forEach((one) => seen.long.push(one.duration)))
    .observe({type: 'longtask'});
}
"""
"""The end of a key's work is when its event has bubbled up; that of a saving when the page has taken in the answer."""


@dataclass
class World:
    """The database, the address of the grid and the browser's cookie."""

    database: Database
    sid: str
    browser: str
    activity_id: int

    def path(self, page: str) -> str:
        return f"/l/{self.sid}/activities/{self.activity_id}/{page}"


def make_world(folder: Path, entries: int, stack: ExitStack, postgres: bool) -> World:
    environ = {"SPIRALE_DATA_DIR": str(folder), "SPIRALE_SECRET_KEY": SECRET}
    server = stack.enter_context(running_postgres()) if postgres else None
    if server:
        environ["SPIRALE_DATABASE_URL"] = server.new_database()
    app = create_app(load_config(environ))
    with app.app_context():
        upgrade_database(app.extensions["spirale_config"])
        begin_write()
        platform = factories.platform()
        course, teacher, activity = fill_course(platform)
        per_course = SITUATIONS * PUPILS * 12
        for _ in range(max(0, entries // per_course - 1)):
            fill_course(platform)
        db.session.commit()
    sid, browser, _csrf = factories.open_session(app, course, teacher)
    with app.app_context():
        tidy()
    app.extensions["spirale_queue"].storage.close()
    template = str(folder / "spirale.db")
    if server:
        template = environ["SPIRALE_DATABASE_URL"].rpartition("@/")[2].partition("?")[0]
    return World(Database(folder, PUPILS, server, template), sid, browser, activity.id)


def fill_course(platform: Any) -> tuple[Course, Person, Activity]:
    """A class that was assessed in 24 situations, and an empty one that comes after."""
    course = factories.course(platform)
    teacher = factories.enrolled(course, "Claire", "Morel", Role.TEACHER)
    pupils = [factories.enrolled(course, GIVEN[n % 7], f"{chr(65 + n % 26)}amin{n}") for n in range(PUPILS)]
    items = competences()
    for number in range(SITUATIONS + 1):
        day = date(2026, 9, 1) + timedelta(days=7 * number)
        activity = factories.activity(course, "1A", starts_on=day, title=f"Situation {number}")
        activity.competences += [ActivityCompetence(item=item) for item in items[1:]]
        db.session.flush()
        if number == SITUATIONS:
            break
        rows = [
            {
                "key": str(uuid.uuid4()),
                "activity_id": activity.id,
                "item_id": item.id,
                "person_id": pupil.id,
                "assessor_id": teacher.id,
                "level": 1 + (pupil.id + item.id + number) % 4,
                "comment": "",
                "observed": [],
            }
            for pupil in pupils
            for item in items
        ]
        db.session.execute(sa.insert(Assessment), rows)
    observed = db.session.scalars(
        sa.select(FrameworkItem).where(FrameworkItem.type == "subcompetence").limit(3)
    )
    activity.competences[0].observed = [ObservedItem(item_id=one.id) for one in observed]
    db.session.flush()
    return course, teacher, activity


def competences() -> list[FrameworkItem]:
    """The ten of Seconde, and two of the Bac."""
    query = (
        sa.select(FrameworkItem)
        .join(Framework)
        .where(FrameworkItem.type == "competence", Framework.slug.in_(("mrc-seconde", "ma")))
        .order_by(Framework.slug.desc(), FrameworkItem.position)
    )
    return list(db.session.scalars(query.limit(12)))


def type_everywhere(page: Page) -> dict[str, list[float]]:
    """The first key alone, then one after the other down each column."""
    heads = page.locator("thead th[data-competence]").count()
    for column in range(heads):
        page.locator(f"tbody tr:first-child td:nth-child({column + 2}) .cell input").focus()
        for row in range(PUPILS):
            page.keyboard.press("1234"[(row + column) % 4])
            if row == column == 0:
                page.wait_for_function("window.seen.saved.length === 1")
    page.wait_for_function("document.querySelector('#grid-state').textContent.includes('Enregistré')")
    found: dict[str, list[float]] = page.evaluate("window.seen")
    return found


def alone(page: Page, times: int = 20) -> list[float]:
    """Keys with time between them: each is sent by itself."""
    page.evaluate("window.seen.saved.length = 0")
    for n in range(times):
        page.keyboard.press("ArrowUp")
        page.keyboard.press("1234"[n % 4])
        page.keyboard.press("ArrowUp")
        page.wait_for_timeout(250)
    found: list[float] = page.evaluate("window.seen.saved")
    return found


def weigh(server: Server, world: World) -> tuple[int, int, int]:
    """Bytes as compressed: of the page, and of what it asks for; and how many files that is."""
    html = requests.get(
        server.address + world.path("grid"), cookies={"spirale": world.browser}, timeout=30
    ).text
    files = [part.split('"')[0] for part in html.split('="/static/')[1:]]
    packed = [len(gzip.compress(html.encode(), 6))]
    for name in files:
        answer = requests.get(f"{server.address}/static/{name}", timeout=30)
        packed.append(len(gzip.compress(answer.content, 6)))
    return packed[0], sum(packed), len(files)


def cpu_ms(server: Server, world: World, page: str) -> float:
    session = requests.Session()
    session.cookies.set("spirale", world.browser)
    for _ in range(6):
        session.get(server.address + world.path(page), timeout=30).raise_for_status()
    before = server.cpu_s()
    for _ in range(PAGES):
        session.get(server.address + world.path(page), timeout=30)
    return (server.cpu_s() - before) * 1000 / PAGES


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--entries", type=int, default=100_000)
    parser.add_argument("--postgres", action="store_true")
    asked = parser.parse_args()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        world = make_world(folder, asked.entries, stack, asked.postgres)
        server = stack.enter_context(served("grid", "lti_tool:create_app()", world.database))
        page_weight, weight, files = weigh(server, world)
        print(f"page {page_weight / 1000:.1f} kB, with its {files} files {weight / 1000:.1f} kB, gzip")
        print(f"server, empty grid: {cpu_ms(server, world, 'grid'):.1f} ms of processor")
        playwright = stack.enter_context(sync_playwright())
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        context = browser.new_context(
            viewport={"width": 1000, "height": 750}, locale="fr-FR", bypass_csp=True
        )
        context.add_cookies([{"name": "spirale", "value": world.browser, "url": server.address}])
        page = context.new_page()
        page.goto(server.address + world.path("grid"))
        page.locator(".cell input").first.wait_for()
        time.sleep(1)
        page.evaluate(WATCH)
        seen = type_everywhere(page)
        keys = sorted(seen["keys"])
        print(f"first key to saved: {seen['saved'][0]:.0f} ms")
        print(
            f"work per key, {len(keys)} keys: median {statistics.median(keys):.1f} ms, "
            f"99 in 100 {keys[len(keys) * 99 // 100]:.1f} ms, slowest {keys[-1]:.1f} ms"
        )
        print(f"tasks over 50 ms: {len(seen['long'])}, {[round(one) for one in seen['long']]}")
        single = sorted(alone(page))
        print(
            f"a key to saved, one at a time, {len(single)}: median {statistics.median(single):.0f} ms, "
            f"slowest {single[-1]:.0f} ms"
        )
        browser.close()
        page_weight, weight, files = weigh(server, world)
        print(f"full grid: page {page_weight / 1000:.1f} kB, with its files {weight / 1000:.1f} kB, gzip")
        print(f"server, full grid: {cpu_ms(server, world, 'grid'):.1f} ms of processor")


if __name__ == "__main__":
    main()
