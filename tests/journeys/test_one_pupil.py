"""One pupil at a time, in a browser in the LMS's frame: what is shown is what is stored, and what is not is said."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Locator, Route, expect

from tests.journeys.conftest import PATIENCE_MS, Demo, Tab, assert_accessible, enter
from tests.journeys.test_grid import POLL, PUT, SWIPE, is_save, make

TITLE = "Chacun son tour"
TOO_LONG = "Non enregistré : 1A. Ce commentaire dépasse 2000 caractères : le raccourcir."
AGAIN = "Recommencer pour partir sans l’enregistrer."


@pytest.fixture(scope="module")
def activity(chromium: Browser, demo: Demo) -> str:
    """A situation on 1A and 1C; each test takes a pupil of its own."""
    context = chromium.new_context(locale="fr-FR")
    context.set_default_timeout(PATIENCE_MS)
    make(enter(context, demo, "Claire Morel"), TITLE)
    context.close()
    return TITLE


@pytest.fixture
def other(chromium: Browser) -> Iterator[BrowserContext]:
    """A colleague's browser."""
    made = chromium.new_context(locale="fr-FR")
    made.set_default_timeout(PATIENCE_MS)
    yield made
    made.close()


def at_pupil(context: BrowserContext, demo: Demo, who: str, pupil: str) -> Tab:
    """A teacher at the page of « Adam B. »."""
    tab = enter(context, demo, who)
    tab.open_link("Spirale")
    tab.tool.get_by_role("link", name=TITLE).first.click()
    tab.wait_for_grid()
    url = tab.tool.locator(f"tr[data-name='{pupil}']").get_attribute("data-one")
    tab.frame.goto(f"{demo.tool_url}{url}")
    return tab


def put(tab: Tab, **entry: Any) -> Any:
    return tab.frame.evaluate(PUT, entry)


def first(tab: Tab) -> Locator:
    return tab.tool.locator("fieldset.one").first


def level(tab: Tab, n: int) -> Locator:
    return first(tab).locator(f"input[type=radio][value='{n}']")


def comment(tab: Tab) -> Locator:
    """The comment's field, unfolded."""
    part = first(tab).locator("details", has=tab.page.locator("textarea"))
    if part.get_attribute("open") is None:
        part.locator("summary").first.click()
    return part.locator("textarea")


def state(tab: Tab) -> Locator:
    return tab.tool.locator("#one-state")


def test_a_comment_or_a_tick_leaves_the_level_to_who_wrote_it_last(
    context: BrowserContext, other: BrowserContext, demo: Demo, activity: str
) -> None:
    claire = at_pupil(context, demo, "Claire Morel", "Adam B.")
    level(claire, 2).check()
    expect(state(claire)).to_contain_text("Enregistré à")
    karim = at_pupil(other, demo, "Karim Diallo", "Adam B.")
    put(karim, value="4")

    with claire.page.expect_response(is_save) as commented:
        comment(claire).fill("Très clair")
        comment(claire).blur()
    assert commented.value.json()["saved"][0]["value"] == "4"
    put(karim, value="1")
    with claire.page.expect_response(is_save) as ticked:
        first(claire).locator(".seen input").check()
    saved = ticked.value.json()["saved"][0]
    assert (saved["value"], saved["comment"], len(saved["observed"])) == ("1", "Très clair", 1)
    expect(level(claire, 1)).to_be_checked()
    expect(first(claire).locator("[data-word]")).to_have_text("non maîtrisée")


def test_what_came_while_something_was_on_its_way_is_told_and_shown_after_it(
    context: BrowserContext, other: BrowserContext, demo: Demo, activity: str
) -> None:
    claire = at_pupil(context, demo, "Claire Morel", "Aïcha D.")
    karim = at_pupil(other, demo, "Karim Diallo", "Aïcha D.")
    note = first(claire).locator("[data-note]")

    # Both chose a level: the later one counts, and brings the colleague's comment along.
    context.set_offline(True)
    level(claire, 4).check()
    expect(state(claire)).to_contain_text("Hors ligne : 1 saisie gardée dans cette page")
    put(karim, value="2", comment="Du collègue")
    context.set_offline(False)
    expect(note).to_contain_text("Karim D. a mis 2 ici pendant que 4 partait", timeout=20_000)
    expect(state(claire)).to_contain_text("Enregistré à", timeout=20_000)
    expect(level(claire, 4)).to_be_checked()
    expect(comment(claire)).to_have_value("Du collègue")

    # A level of hers that was there before, a comment that is being typed: his level is shown once hers is saved.
    comment(claire).press_sequentially(" ")
    put(karim, value="1", comment="Du collègue")
    claire.frame.evaluate(POLL)
    expect(note).to_contain_text("Karim D. a mis 1 ici, après 4")
    expect(level(claire, 1)).to_be_checked()

    # Nothing of hers is on its way any more.
    put(karim, value="3", comment="Du collègue, suite")
    claire.frame.evaluate(POLL)
    expect(comment(claire)).to_have_value("Du collègue, suite")
    expect(note).to_have_text("Karim D. vient d’écrire ici.")


def test_an_answer_that_was_lost_does_not_hide_what_a_colleague_wrote_after_it(
    context: BrowserContext, other: BrowserContext, demo: Demo, activity: str
) -> None:
    claire = at_pupil(context, demo, "Claire Morel", "Amina K.")
    karim = at_pupil(other, demo, "Karim Diallo", "Amina K.")

    def lose(route: Route) -> None:
        if route.request.method == "POST":
            route.fetch()
            put(karim, value="1")
        route.abort()

    context.route("**/cells*", lose)
    level(claire, 4).check()
    expect(state(claire)).to_contain_text("Hors ligne : 1 saisie")
    context.unroute("**/cells*")
    expect(state(claire)).to_contain_text("Enregistré à", timeout=20_000)
    expect(level(claire, 1)).to_be_checked()
    expect(first(claire).locator("[data-note]")).to_contain_text("Karim D. a mis 1 ici pendant que 4 partait")


def test_what_comes_back_leaves_a_comment_that_goes_on(
    context: BrowserContext, demo: Demo, activity: str
) -> None:
    tab = at_pupil(context, demo, "Claire Morel", "Baptiste L.")
    with tab.page.expect_response(is_save):
        comment(tab).press_sequentially("Accueille ")
    expect(state(tab)).to_contain_text("Enregistré à")
    comment(tab).press_sequentially("bien")
    expect(comment(tab)).to_have_value("Accueille bien")


def test_arrows_outside_a_field_go_from_one_pupil_to_the_next(
    context: BrowserContext, demo: Demo, activity: str
) -> None:
    tab = at_pupil(context, demo, "Claire Morel", "Lucas D.")
    name, keyboard = tab.tool.get_by_role("heading", level=1), tab.page.keyboard
    name.click()
    keyboard.press("ArrowRight")
    expect(name).to_contain_text("Maëlys")
    level(tab, 3).focus()
    keyboard.press("ArrowRight")  # among levels it chooses one
    expect(level(tab, 4)).to_be_checked()
    expect(name).to_contain_text("Maëlys")
    name.click()
    keyboard.press("ArrowLeft")
    expect(name).to_contain_text("Lucas")


def test_what_is_refused_is_said_where_it_is_and_nobody_leaves_without_knowing(
    context: BrowserContext, demo: Demo, activity: str
) -> None:
    tab = at_pupil(context, demo, "Claire Morel", "Camille R.")
    tool, long = tab.tool, "Très clair. " * 170
    name = tool.get_by_role("heading", level=1)
    refusal = first(tab).locator("[data-refused=comment]")
    comment(tab).fill(long)
    tool.locator("#one-after").click()
    expect(refusal).to_have_text(f"{TOO_LONG} {AGAIN}")
    expect(comment(tab)).to_be_focused()
    expect(comment(tab)).to_have_attribute("aria-invalid", "true")
    expect(comment(tab)).to_have_accessible_description(re.compile("dépasse 2000 caractères"))
    expect(state(tab)).to_have_text("Non enregistré : 1A.")
    assert_accessible(tab.frame)

    # A level beside it is saved; the refused text stays, and so does what is said of it.
    with tab.page.expect_response(is_save):
        level(tab, 3).check()
    expect(state(tab)).to_have_text("Non enregistré : 1A.")
    expect(comment(tab)).to_have_value(long)
    expect(refusal).to_be_visible()

    # Shortened, it is saved.
    comment(tab).fill("Très clair.")
    comment(tab).blur()
    expect(state(tab)).to_contain_text("Enregistré à")
    expect(refusal).to_be_hidden()
    expect(comment(tab)).not_to_have_attribute("aria-invalid", "true")

    # Refused before somebody leaves: told once, by a swipe too; then they may go.
    comment(tab).fill(long)
    comment(tab).blur()
    expect(refusal).to_have_text(TOO_LONG)
    tab.frame.evaluate(SWIPE, [300, 60])
    expect(refusal).to_contain_text(AGAIN)
    expect(name).to_have_text("Camille Roux")
    tab.frame.evaluate(SWIPE, [300, 60])
    expect(name).not_to_have_text("Camille Roux")
    tool.locator("#one-before").click()
    expect(name).to_have_text("Camille Roux")
    expect(comment(tab)).to_have_value("Très clair.")
    expect(level(tab, 3)).to_be_checked()


def test_a_level_that_was_refused_can_be_chosen_again(
    context: BrowserContext, demo: Demo, activity: str
) -> None:
    tab = at_pupil(context, demo, "Claire Morel", "Chloé M.")
    refusal = first(tab).locator("[data-refused=value]")

    def refuse(route: Route) -> None:
        if route.request.method != "POST":
            return route.continue_()
        key = route.request.post_data_json["entries"][0]["key"]
        return route.fulfill(
            json={"saved": [], "refused": [{"key": key, "message": "Archivée."}], "cells": []}
        )

    context.route("**/cells*", refuse)
    level(tab, 3).check()
    expect(refusal).to_have_text("Non enregistré : 1A. Archivée.")
    expect(level(tab, 3)).to_have_attribute("aria-invalid", "true")
    assert_accessible(tab.frame)
    context.unroute("**/cells*")
    level(tab, 3).click()
    expect(state(tab)).to_contain_text("Enregistré à")
    expect(refusal).to_be_hidden()
    assert put(tab, observed=[])["value"] == "3"


def test_a_page_whose_session_ended_says_so_and_saves_once_there_is_another(
    context: BrowserContext, demo: Demo, activity: str
) -> None:
    tab = at_pupil(context, demo, "Claire Morel", "Dylan P.")
    stopped, name = tab.tool.locator("#one-stopped"), tab.tool.get_by_role("heading", level=1)

    context.route("**/cells*", lambda route: route.fulfill(status=401, body=""))  # says nothing: a proxy
    level(tab, 3).check()
    expect(stopped).to_contain_text("Cette page ne peut plus enregistrer.")
    expect(stopped).to_contain_text("1 saisie est gardée dans cette page.")
    expect(state(tab)).to_have_text("1 saisie est gardée dans cette page.")
    assert_accessible(tab.frame)
    tab.tool.locator("#one-after").click()
    expect(tab.tool.locator("#one-retry")).to_be_focused()
    expect(name).to_have_text("Dylan Petit")

    context.unroute("**/cells*")
    tab.tool.locator("#one-retry").click()
    expect(name).not_to_have_text("Dylan Petit")
    tab.tool.locator("#one-before").click()
    expect(name).to_have_text("Dylan Petit")
    expect(level(tab, 3)).to_be_checked()

    # Nothing was on its way: the line of the state is not empty either, and the answer's words are shown.
    context.route("**/cells*", lambda route: route.fulfill(status=403, json={"message": "Session fermée."}))
    tab.frame.evaluate(POLL)
    expect(stopped).to_contain_text("Session fermée.")
    expect(state(tab)).to_have_text("Cette page ne peut plus enregistrer.")
    context.unroute("**/cells*")
    tab.tool.locator("#one-retry").click()
    expect(stopped).to_be_hidden()
    expect(state(tab)).to_have_text("")


def release(held: list[Route]) -> None:
    assert held
    while held:
        held.pop().continue_()


def test_what_was_chosen_and_typed_before_the_script_came_is_saved(
    context: BrowserContext, demo: Demo, activity: str
) -> None:
    tab = at_pupil(context, demo, "Claire Morel", "Emma G.")
    put(tab, value="ABS")
    url, name = tab.frame.url, tab.tool.get_by_role("heading", level=1)
    second = tab.tool.locator("fieldset.one").nth(1)

    held: list[Route] = []
    context.route("**/static/one_pupil.js*", lambda route: held.append(route))
    tab.frame.goto(url, wait_until="commit")
    level(tab, 3).check()  # over a code
    first(tab).locator(".seen input").check()
    comment(tab).fill("Très clair")
    second.locator("select").select_option("NE")
    with tab.page.expect_response(lambda answer: "Très clair" in (answer.request.post_data or "")):
        release(held)
    expect(state(tab)).to_contain_text("Enregistré à")
    expect(first(tab).locator("select")).to_have_value("")
    context.unroute("**/static/one_pupil.js*")
    tab.frame.goto(url)
    expect(level(tab, 3)).to_be_checked()
    expect(first(tab).locator("select")).to_have_value("")
    expect(first(tab).locator(".seen input")).to_be_checked()
    expect(comment(tab)).to_have_value("Très clair")
    expect(second.locator("select")).to_have_value("NE")

    # A code over a level, and the pupil left at once.
    context.route("**/static/one_pupil.js*", lambda route: held.append(route))
    tab.frame.goto(url, wait_until="commit")
    first(tab).locator("select").select_option("ABS")
    comment(tab).fill("Arrivée en retard")
    release(held)
    context.unroute("**/static/one_pupil.js*")
    tab.frame.wait_for_load_state("domcontentloaded")
    tab.tool.get_by_role("button", name="Élève suivant").click()
    expect(name).not_to_contain_text("Emma")
    tab.frame.goto(url)
    expect(first(tab).locator("select")).to_have_value("ABS")
    expect(first(tab).locator("input[type=radio]:checked")).to_have_count(0)
    expect(comment(tab)).to_have_value("Arrivée en retard")


def test_what_a_form_was_refused_for_is_said_where_it_is_and_keeps_no_level_back(
    context: BrowserContext, demo: Demo, activity: str
) -> None:
    tab = at_pupil(context, demo, "Claire Morel", "Enzo V.")
    held: list[Route] = []
    context.route("**/static/one_pupil.js*", lambda route: held.append(route))
    tab.frame.goto(tab.frame.url, wait_until="commit")
    level(tab, 2).check()
    comment(tab).fill("é" * 2001)
    tab.tool.get_by_role("button", name="Élève suivant").click(no_wait_after=True)
    expect(tab.tool.get_by_role("alert").first).to_contain_text("Une saisie est à corriger")
    release(held)
    expect(first(tab).locator("[data-refused=comment]")).to_contain_text("dépasse 2000 caractères")
    expect(state(tab)).to_have_text("Non enregistré : 1A.")
    saved = put(tab, observed=[])
    assert (saved["value"], saved["comment"]) == ("2", "")


@pytest.mark.parametrize(("width", "pupil"), [(390, "Fatou S."), (1000, "Gabriel T.")])
def test_a_first_choice_moves_nothing_on_the_page(
    context: BrowserContext, demo: Demo, activity: str, width: int, pupil: str
) -> None:
    tab = at_pupil(context, demo, "Claire Morel", pupil)
    tab.page.set_viewport_size({"width": width, "height": 844 if width < 500 else 750})
    place = first(tab).bounding_box()
    level(tab, 3).check()
    expect(state(tab)).to_contain_text("Enregistré à")
    assert first(tab).bounding_box() == place
