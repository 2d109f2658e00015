"""A teacher's own word and the course's rule, in a real browser: by keyboard, without scripts, then as the pupil."""

from __future__ import annotations

import re
import time

from playwright.sync_api import Browser, expect

from lti_tool.demo.people import by_name
from tests.journeys.conftest import (
    COURSE,
    PATIENCE_MS,
    Demo,
    Tab,
    assert_accessible,
    assert_no_sideways_scroll,
    enter,
)

WHY = "A tenu seul l’accueil du salon, sans aide."


def go(tab: Tab, path: str) -> None:
    tab.frame.goto(re.sub(r"(/l/[^/]+)/.*", rf"\1{path}", tab.frame.url))


def wait_for_grade(demo: Demo, value: float, words: str) -> None:
    """Until the demo's gradebook holds a value in 3C, with a comment that begins so."""
    deadline = time.monotonic() + 15
    while True:
        with demo.store as store:
            known = any(column.tag == "3C" for column in store.line_items(COURSE))
            state = store.grades(COURSE, "3C").get(by_name("Adam Benali").sub) if known else None
        if state and state.value == value and state.feedback.startswith(words):
            return
        assert time.monotonic() < deadline, state
        time.sleep(0.05)


def test_a_position_is_retained_looked_at_again_and_read_and_a_rule_is_previewed(
    demo: Demo, chromium: Browser
) -> None:
    context = chromium.new_context(viewport={"width": 1280, "height": 900}, locale="fr-FR")
    context.set_default_timeout(PATIENCE_MS)
    tab = enter(context, demo, "Claire Morel")
    tab.open_link("Spirale")
    tool, keyboard = tab.tool, tab.page.keyboard
    go(tab, "/activities/new")
    tool.get_by_label("Titre").fill("Salon des métiers")
    tool.locator("[name=competences][value='3C']").check()
    tool.get_by_role("button", name="Enregistrer et évaluer").click()
    tool.get_by_label("Adam B., 3C").click()
    keyboard.press("2")
    expect(tool.get_by_role("status").first).to_contain_text("Enregistré à")
    grid = tab.path()

    # From the opened cell, with the keyboard alone.
    go(tab, "/overview")
    cell = tool.locator("tr", has_text="Adam B.").locator("td").nth(9).locator("a.pos")
    cell.press("Enter")
    tool.get_by_role("link", name="Retenir un autre positionnement").press("Enter")
    expect(tool.get_by_role("heading", level=1)).to_have_text("Retenir un positionnement")
    assert_accessible(tab.frame)
    tool.get_by_role("radio", name="2 insuffisamment maîtrisée").focus()
    keyboard.press("ArrowRight")
    keyboard.press("Tab")
    keyboard.press("ArrowRight")
    keyboard.press("Tab")
    keyboard.type(WHY)
    keyboard.press("Tab")
    keyboard.press("Enter")
    expect(tool.locator(".why")).to_contain_text("3 en situation variée. Retenu par Claire M. le")
    expect(cell.get_by_role("img", name="retenu")).to_be_visible()
    assert_accessible(tab.frame)
    wait_for_grade(demo, 3, "positionnement retenu par l’enseignant·e\u00a0: maîtrisée en situation variée")

    # A newer turn flags it; without scripts the teacher confirms it.
    go(tab, grid)
    tool.get_by_label("Adam B., 3C").click()
    keyboard.press("1")
    expect(tool.get_by_role("status").first).to_contain_text("Enregistré à")
    go(tab, "/overview")
    scripts = context.new_cdp_session(tab.frame)
    scripts.send("Emulation.setScriptExecutionDisabled", {"value": True})
    cell.click()
    expect(cell.get_by_role("img", name="à revoir")).to_be_visible()
    expect(tool.locator(".why")).to_contain_text("Proposé alors\u00a0: 2 en situation simple")
    tool.get_by_role("button", name="Confirmer").click()
    expect(cell.get_by_role("img", name="à revoir")).to_have_count(0)

    # The rule: what another one would change, and the same observations under each.
    go(tab, "/settings/policy")
    tool.get_by_role("radio", name="meilleur tour").check()
    tool.get_by_role("button", name="Voir ce qui changerait").click()
    expect(tool.get_by_role("heading", name="Avec la règle « meilleur tour »")).to_be_visible()
    expect(tool.get_by_role("button", name="Appliquer cette règle au cours")).to_be_visible()
    go(tab, "/settings/policy/try")
    tool.get_by_role("combobox", name="Élève").select_option(label="Adam B.")
    tool.get_by_role("combobox", name="Compétence", exact=True).select_option("3C")
    tool.get_by_role("button", name="Prendre ses observations").click()
    expect(tool.locator(".trials > li")).to_have_count(6)
    scripts.send("Emulation.setScriptExecutionDisabled", {"value": False})
    for path in ("/settings/policy?policy=best", "/settings/policy/try"):
        for width, scheme in ((1280, "light"), (390, "dark")):
            tab.page.set_viewport_size({"width": width, "height": 900})
            tab.page.emulate_media(color_scheme=scheme, reduced_motion="reduce")  # type: ignore[arg-type]
            go(tab, path)
            assert_accessible(tab.frame)
        tab.page.set_viewport_size({"width": 320, "height": 700})
        assert_no_sideways_scroll(tab.frame)
    context.close()

    # The pupil, on a phone.
    phone = chromium.new_context(viewport={"width": 390, "height": 844}, locale="fr-FR", color_scheme="dark")
    phone.set_default_timeout(PATIENCE_MS)
    mine = enter(phone, demo, "Adam Benali")
    mine.open_link("Spirale")
    go(mine, "/me?competence=3C")
    expect(mine.tool.locator("#spirale")).to_contain_text("maîtrisée, en situation variée")
    expect(mine.tool.locator("#spirale")).to_contain_text("Positionnement retenu par mon enseignant·e le")
    expect(mine.tool.locator("#spirale")).to_contain_text(WHY)
    assert_accessible(mine.frame)
    assert_no_sideways_scroll(mine.frame)
    phone.close()
