"""`make demo` a second time: the data is kept, also on other ports; starting over erases it."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from playwright.sync_api import BrowserContext, expect

from lti_tool.demo import ENT, LMS
from tests.journeys.conftest import enter, start_demo, stop_demo


def platforms(folder: Path) -> list[tuple[str, str]]:
    with sqlite3.connect(folder / "spirale.db") as connection:
        return connection.execute("SELECT issuer, client_id FROM platform").fetchall()


def test_a_second_demo_keeps_the_data_on_other_ports_and_a_reset_starts_over(
    tmp_path: Path, context: BrowserContext
) -> None:
    first = start_demo(tmp_path)
    tab = enter(context, first, "Claire Morel")
    tab.open_link("Spirale")
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
    stop_demo(second)

    third = start_demo(tmp_path, "--reset")
    tab = enter(context, third, "Claire Morel")
    tab.open_link("Spirale")
    expect(tab.tool.get_by_text("Aucune activité dans ce cours")).to_be_visible()
    stop_demo(third)
