"""An administrator pastes one address; a teacher then opens the tool from a course."""

from __future__ import annotations

import os
import subprocess
import sys

from playwright.sync_api import BrowserContext, expect

from tests.journeys.conftest import COURSE, Demo, assert_accessible, enter


def invitation(demo: Demo) -> str:
    """The address that `spirale platform invite` prints, for the running demo."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith("SPIRALE_")}
    made = subprocess.run(
        [sys.executable, "-m", "lti_tool", "platform", "invite", "--allow-private-host", "127.0.0.1"],
        env={**kept, "SPIRALE_DATA_DIR": str(demo.folder), "SPIRALE_BASE_URL": demo.tool_url},
        capture_output=True,
        text=True,
        check=True,
    )
    return made.stdout.strip()


def test_one_pasted_address_adds_the_tool(context: BrowserContext, demo: Demo) -> None:
    tab = enter(context, demo, "Claire Morel")
    page, tool = tab.page, tab.tool
    page.goto(f"{demo.lms_url}/admin/tools")
    page.get_by_label("Adresse d'inscription de l'outil").fill(invitation(demo))
    page.get_by_role("button", name="Ajouter LTI Advantage").click()

    expect(tool.get_by_role("heading", level=1)).to_have_text("Relier cette plateforme à Spirale")
    expect(tool.locator("main")).to_contain_text(demo.lms_url.removeprefix("http://"))
    assert_accessible(
        next(frame for frame in page.frames if frame.url.startswith(f"{demo.tool_url}/lti/register/"))
    )
    tool.get_by_role("button", name="Inscrire Spirale").click()

    expect(tool.get_by_role("heading", level=1)).to_have_text("Plateforme reliée à Spirale")
    assert_accessible(
        next(frame for frame in page.frames if frame.url.startswith(f"{demo.tool_url}/lti/register/"))
    )
    tool.get_by_role("button", name="Terminer").click()

    # The LMS took the frame away by itself, and shows the tool among its own.
    page.wait_for_url(f"{demo.lms_url}/admin/tools")
    page.get_by_role("button", name="Activer : outil 2").click()
    expect(page.get_by_text("« Spirale » est activé.")).to_be_visible()

    page.goto(f"{demo.lms_url}/courses/{COURSE}/add")
    added = page.locator("section.card", has_text="outil 2")
    added.get_by_label("Nom de l'activité").fill("Spirale, ajoutée par une adresse")
    added.get_by_role("button", name="Ajouter", exact=True).click()
    tab.open_link("Spirale, ajoutée par une adresse")
    expect(tool.locator("main")).to_contain_text("Premiers pas dans ce cours")
    tool.get_by_role("link", name="Tout passer").click()
    expect(tool.get_by_role("heading", level=1)).to_have_text("Activités")
    assert tab.path() == "/activities"
