"""Search with the keyboard alone: results as one types, arrows, Enter, Back, Escape."""

from __future__ import annotations

import re

from playwright.sync_api import BrowserContext, Route, expect

from .conftest import Demo, assert_accessible, assert_no_sideways_scroll, enter


def test_the_search_is_led_from_the_keyboard_and_comes_back_as_it_was(
    demo: Demo, context: BrowserContext
) -> None:
    tab = enter(context, demo, "Claire Morel")
    tab.open_link("Spirale")
    tool, keyboard = tab.tool, tab.page.keyboard
    tool.get_by_role("link", name="Référentiel").first.click()
    field, status = tool.get_by_label("Chercher dans le référentiel"), tool.locator("#found-said")
    focused = tool.locator(":focus")

    # A letter typed elsewhere, even a slash, is nobody's shortcut.
    tool.get_by_role("heading", level=1).click()
    keyboard.press("/")
    expect(field).not_to_be_focused()

    field.focus()
    keyboard.type("TELEPHONE")
    expect(status).to_have_text(re.compile("^4 résultats pour"))
    expect(status).to_have_role("status")
    assert tab.path() == "/referential/search?q=TELEPHONE"
    assert_accessible(tab.frame)

    keyboard.press("ArrowDown")
    keyboard.press("ArrowDown")
    expect(focused).to_have_text(re.compile("La vente par téléphone"))
    keyboard.press("ArrowUp")
    keyboard.press("ArrowUp")
    expect(field).to_be_focused()
    keyboard.press("ArrowDown")
    keyboard.press("End")
    expect(focused).to_have_text(re.compile("^canal"))
    keyboard.press("ArrowUp")
    keyboard.press("ArrowUp")
    keyboard.press("Enter")
    expect(tool.get_by_role("heading", level=1)).to_have_text(re.compile("La vente par téléphone"))

    tab.frame.evaluate("history.back()")
    expect(tool.get_by_text(re.compile("4 résultats pour"))).to_be_visible()
    expect(field).to_have_value("TELEPHONE")

    tool.locator(".hit").first.focus()
    keyboard.press("Escape")
    expect(field).to_be_focused()
    expect(field).to_have_value("")
    expect(tool.locator(".hit")).to_have_count(0)
    expect(status).to_have_text("")

    context.route("**/referential/search/results**", lambda route: route.abort())
    keyboard.type("client")
    expect(status).to_have_text(re.compile("^La recherche n’a pas répondu"))


def test_what_was_typed_before_the_script_came_is_searched_all_the_same(
    demo: Demo, context: BrowserContext
) -> None:
    tab = enter(context, demo, "Claire Morel")
    tab.open_link("Spirale")
    held: list[Route] = []
    context.route("**/static/search.js*", lambda route: held.append(route))
    tab.tool.get_by_role("link", name="Référentiel").first.click(no_wait_after=True)

    tab.tool.get_by_label("Chercher dans le référentiel").fill("rgpd")
    for route in held:
        route.continue_()

    expect(tab.tool.locator("#found-said")).to_have_text(re.compile("^1 résultat pour"))
    assert held


def test_an_answer_that_comes_late_does_not_replace_a_newer_one(demo: Demo, context: BrowserContext) -> None:
    tab = enter(context, demo, "Claire Morel")
    tab.open_link("Spirale")
    tab.page.set_viewport_size({"width": 390, "height": 844})
    held: list[Route] = []
    # Before the page is asked for: a page that is arriving may escape what is set up meanwhile.
    context.route("**/referential/search/results?q=client", lambda route: held.append(route))
    tab.tool.get_by_role("link", name="Référentiel").first.click()
    field = tab.tool.get_by_label("Chercher dans le référentiel")

    field.fill("client")
    for _tenth in range(100):
        if held:
            break
        tab.page.wait_for_timeout(100)
    field.fill("rgpd")
    expect(tab.tool.locator("#found-said")).to_have_text(re.compile("^1 résultat pour"))
    for route in held:
        route.continue_()
    tab.page.wait_for_timeout(300)

    assert held
    expect(tab.tool.locator("#found-said")).to_have_text(re.compile("rgpd"))
    assert tab.path() == "/referential/search?q=rgpd"
    assert_accessible(tab.frame)
    assert_no_sideways_scroll(tab.frame)
