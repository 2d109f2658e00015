"""« Publier » in a real browser, in the frame of the LMS: from the setting to the grade. The second class has it."""

from __future__ import annotations

import re
import time

from playwright.sync_api import BrowserContext, Locator, expect

from lti_tool.demo.people import MRC2, by_name
from tests.journeys.conftest import Demo, assert_accessible, assert_no_sideways_scroll, enter

NAMES = ("Anaïs Leroy", "Bilal Haddad", "Clémence Picard")


def grades(demo: Demo, column: str) -> dict[str, float | None]:
    """What the LMS's gradebook holds in a column; nothing while there is none."""
    with demo.store as store:
        if column not in {item.tag for item in store.line_items(MRC2.id)}:
            return {}
        found = store.grades(MRC2.id, column)
        return {name: found[by_name(name).sub].value for name in NAMES if by_name(name).sub in found}


def wait_for(demo: Demo, column: str, wanted: dict[str, float | None]) -> None:
    until = time.monotonic() + 20
    while grades(demo, column) != wanted:
        assert time.monotonic() < until, grades(demo, column)
        time.sleep(0.1)


def test_a_teacher_publishes_what_was_seen_and_nothing_before(context: BrowserContext, demo: Demo) -> None:
    tab = enter(context, demo, "Claire Morel")
    tab.open_link("Spirale", course=MRC2.id)
    tool, keyboard = tab.tool, tab.page.keyboard

    # When: on « Publier », on 20 by the teacher's table. Nothing is sent yet, so nothing has to be said first.
    tool.get_by_role("navigation").get_by_role("link", name="Réglages du cours").click()
    tool.get_by_label("Sur « Publier »").check()
    tool.get_by_label("Une note sur 20, d’après ce tableau").check()
    tool.get_by_role("button", name="Enregistrer", exact=True).click()
    expect(tool.locator("main")).to_contain_text("Rien ne part avant « Publier »")

    # Attach, and assess.
    tool.get_by_role("link", name="Activités", exact=True).click()
    tool.get_by_role("link", name="Nouvelle situation").first.click()
    tool.get_by_label("Titre").fill("Conseil par téléphone")
    for code in ("1A", "1C"):
        tool.locator(f"[name=competences][value='{code}']").check()
    tool.get_by_role("button", name="Enregistrer et évaluer").click()
    tab.wait_for_grid()
    tool.get_by_label("Anaïs L., 1A").click()
    for key in ("3", "2", "a"):
        keyboard.press(key)
    tool.get_by_label("Anaïs L., 1C").click()
    keyboard.press("4")
    expect(tool.get_by_role("status").first).to_contain_text("Enregistré à")

    # The preview, one column of it.
    tool.get_by_role("link", name="Carnet", exact=True).click()
    expect(tool.locator(".sum").first).to_contain_text("3 à publier")
    assert grades(demo, "1A") == {}
    tool.get_by_role("link", name="Publier les 3 notes…").click()
    row: Locator = tool.get_by_role("row", name=re.compile("Anaïs L. 1A"))
    expect(row).to_contain_text("→ 14 / 20")
    assert_accessible(tab.frame)
    tool.get_by_label(re.compile("^1C")).uncheck()
    tool.get_by_role("button", name="Publier les colonnes cochées").click()
    expect(tool.locator("main")).to_contain_text("2 notes publiées")
    wait_for(demo, "1A", {"Anaïs Leroy": 14, "Bilal Haddad": 9})
    assert grades(demo, "1C") == {}
    expect(tool.locator(".sum").first).to_contain_text("2 envoyées")
    expect(tool.locator(".sum").first).to_contain_text("1 à publier")
    expect(tool.locator("progress")).to_have_count(0)

    # Filters, on a phone.
    tab.page.set_viewport_size({"width": 390, "height": 844})
    tool.locator("#f-state").select_option("sent")
    tool.get_by_label("Élève", exact=True).fill("bil")
    tool.get_by_role("button", name="Filtrer").click()
    expect(tool.locator("table.scores tbody tr")).to_have_count(1)
    expect(tool.locator("table.scores")).to_contain_text(
        "9 / 20 · insuffisamment maîtrisée en situation simple"
    )
    assert_no_sideways_scroll(tab.frame)
    tab.page.set_viewport_size({"width": 1280, "height": 900})

    # Back to automatic: what it sends is said, then sent.
    tool.get_by_role("navigation").get_by_role("link", name="Réglages du cours").click()
    tool.get_by_label("Dès qu’un niveau est saisi").check()
    tool.get_by_role("button", name="Enregistrer", exact=True).click()
    expect(tool.locator("#effect")).to_contain_text("1 note part")
    expect(tool.locator("#effect")).to_contain_text("2 inchangées")
    tool.get_by_role("button", name="Enregistrer et envoyer la note").click()
    expect(tool.locator("main")).to_contain_text("Réglages enregistrés.")
    wait_for(demo, "1C", {"Anaïs Leroy": 19})
