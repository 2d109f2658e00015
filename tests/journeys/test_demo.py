"""`make demo` a second time: the data is kept, also on other ports; starting over erases it.

The course opens with two activities, which are those of the first start again.
"""

from __future__ import annotations

import sqlite3
from pathlib import Path

from playwright.sync_api import BrowserContext, expect

from lti_tool.demo import ENT, LMS
from tests.journeys.conftest import enter, start_demo, stop_demo


def platforms(folder: Path) -> list[tuple[str, str]]:
    with sqlite3.connect(folder / "spirale.db") as connection:
        return connection.execute("SELECT issuer, client_id FROM platform").fetchall()


def rows(folder: Path, table: str) -> int:
    with sqlite3.connect(folder / "spirale.db") as connection:
        found: int = connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0]  # noqa: S608
        return found


EXAMPLES = ["D’une promotion en ligne à une cliente fidèle", "Deux enceintes, un client déjà renseigné"]
"""What the demo's course starts with, newest work first."""


def test_a_second_demo_keeps_the_data_on_other_ports_and_a_reset_starts_over(
    tmp_path: Path, context: BrowserContext
) -> None:
    first = start_demo(tmp_path)
    tab = enter(context, first, "Claire Morel")
    tab.open_link("Spirale")
    expect(tab.tool.locator("tbody th a")).to_have_text(EXAMPLES)
    tab.tool.get_by_role("link", name="Nouvelle situation").click()
    tab.tool.get_by_label("Titre").fill("Gardée d’une fois à l’autre")
    tab.tool.locator("[name=competences][value='1A']").check()
    tab.tool.get_by_role("button", name="Enregistrer", exact=True).click()
    expect(tab.tool.get_by_role("link", name="Gardée d’une fois à l’autre").first).to_be_visible()
    stop_demo(first)

    second = start_demo(tmp_path)
    assert second.lms_url != first.lms_url
    assert second.ent_url != first.ent_url
    assert sorted(platforms(tmp_path)) == sorted(
        [(second.lms_url, LMS.client_id), (second.ent_url, ENT.client_id)]
    )
    tab = enter(context, second, "Claire Morel")
    tab.open_link("Spirale")
    expect(tab.tool.get_by_text("Gardée d’une fois à l’autre").first).to_be_visible()
    expect(tab.tool.locator("tbody th a")).to_have_count(len(EXAMPLES) + 1)
    stop_demo(second)

    third = start_demo(tmp_path, "--reset")
    tab = enter(context, third, "Claire Morel")
    tab.open_link("Spirale")
    expect(tab.tool.locator("tbody th a")).to_have_text(EXAMPLES)
    assert rows(tmp_path, "assessment") == rows(tmp_path, "score_delivery") == 0
    stop_demo(third)
