"""The grid and one pupil at a time, in a browser in the LMS’s frame: by keyboard alone, by two, without network."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, FrameLocator, Locator, Page, Response, Route, expect

from tests.journeys.conftest import (
    PATIENCE_MS,
    Demo,
    Tab,
    assert_accessible,
    assert_no_sideways_scroll,
    enter,
    start_demo,
    stop_demo,
)

PICK = ".tick:has([name=competences][value='{}']) + .pick"
"""What is to be observed of a competence, in the form of an activity."""
PASTE = """
(text) => {
  const clipboard = new DataTransfer();
  clipboard.setData('text/plain', text);
  const paste = new ClipboardEvent('paste', {clipboardData: clipboard, bubbles: true, cancelable: true});
  document.activeElement.dispatchEvent(paste);
}
"""


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    """A demo of this module's own: its course publishes on demand."""
    running = start_demo(tmp_path_factory.mktemp("grid"))
    yield running
    stop_demo(running)


def cell(tool: FrameLocator, place: str) -> Locator:
    """« Adam B., 1A »."""
    return tool.get_by_label(re.compile(f"^{re.escape(place)}(,|$)"))


def state(tool: FrameLocator) -> Locator:
    return tool.locator("#grid-state")


def press_until(page: Page, target: Locator, key: str = "Tab", most: int = 200) -> None:
    """Go somewhere from the keyboard alone."""
    for _ in range(most):
        if target.evaluate("(one) => one === document.activeElement"):
            return
        page.keyboard.press(key)
    raise AssertionError(f"{key} does not lead to {target}")


def choose_publishing(tab: Tab) -> None:
    """Grades leave on « Publier »; without a mouse."""
    tool, keyboard = tab.tool, tab.page.keyboard
    press_until(tab.page, tool.get_by_role("link", name="Réglages du cours"))
    keyboard.press("Enter")
    tool.get_by_label("Sur « Publier »").wait_for()
    press_until(tab.page, tool.locator("[name=mode]:checked"))
    press_until(tab.page, tool.get_by_label("Sur « Publier »"), "ArrowDown", most=3)
    expect(tool.get_by_label("Sur « Publier »")).to_be_checked()
    press_until(tab.page, tool.get_by_role("button", name="Enregistrer", exact=True))
    keyboard.press("Enter")
    expect(tool.locator("main")).to_contain_text("Rien ne part avant « Publier »")
    press_until(tab.page, tool.get_by_role("link", name="Activités", exact=True))
    keyboard.press("Enter")


def make_by_keyboard(tab: Tab, title: str) -> None:
    """A situation on 1A, whose first sub-competence is observed, and 1C; without a mouse."""
    tool, keyboard = tab.tool, tab.page.keyboard
    press_until(tab.page, tool.get_by_role("link", name="Nouvelle situation"))
    keyboard.press("Enter")
    tool.get_by_label("Titre").wait_for()
    press_until(tab.page, tool.get_by_label("Titre"))
    keyboard.type(title)
    for code in ("1A", "1C"):
        press_until(tab.page, tool.locator(f"[name=competences][value='{code}']"))
        keyboard.press("Space")
        press_until(tab.page, tool.locator(f"{PICK.format(code)} summary"))
        keyboard.press("Enter")
        press_until(tab.page, tool.locator(f"{PICK.format(code)} [name=observed]").first)
        keyboard.press("Space")
    press_until(tab.page, tool.get_by_role("button", name="Enregistrer et évaluer"))
    keyboard.press("Enter")
    expect(tool.get_by_role("heading", level=1)).to_have_text(title)


@pytest.fixture
def errors(context: BrowserContext) -> list[str]:
    """What the browser complains of, on any page of the context."""
    found: list[str] = []
    context.on("weberror", lambda error: found.append(str(error.error)))
    context.on(
        "console",
        lambda message: found.append(message.text) if message.type in ("error", "warning") else None,
    )
    return found


def test_by_keyboard_alone_a_situation_is_attached_assessed_and_published(
    context: BrowserContext, demo: Demo, errors: list[str]
) -> None:
    tab = enter(context, demo, "Claire Morel")
    tab.open_link("Spirale")
    choose_publishing(tab)
    make_by_keyboard(tab, "Accueil au clavier")
    tool, keyboard = tab.tool, tab.page.keyboard

    # Levels and codes go down; moves; a wrong key says so; undo and redo.
    expect(cell(tool, "Adam B., 1A")).to_be_focused()
    table = tool.locator("#grid")
    tab.page.set_viewport_size({"width": 860, "height": 750})  # where the grid's head has the least room
    place = table.bounding_box()
    for key in "32a":
        keyboard.press(key)
    expect(cell(tool, "Baptiste L., 1A")).to_be_focused()
    keyboard.press("ArrowRight")
    keyboard.press("4")
    expect(cell(tool, "Camille R., 1C")).to_be_focused()
    keyboard.press("Control+z")
    expect(cell(tool, "Baptiste L., 1C")).to_have_value("")
    expect(cell(tool, "Baptiste L., 1C")).to_be_focused()
    keyboard.press("Control+y")
    expect(cell(tool, "Baptiste L., 1C")).to_have_value("4")
    keyboard.press("Delete")
    expect(cell(tool, "Baptiste L., 1C")).to_have_value("")
    keyboard.press("Control+z")
    expect(cell(tool, "Baptiste L., 1C")).to_have_value("4")
    assert table.bounding_box() == place, "what is said and what can be undone have their place at once"
    tab.page.set_viewport_size({"width": 1280, "height": 900})

    # A criterion, a comment, the comment kept for reuse and taken up in another cell; Escape comes back.
    keyboard.press("?")
    expect(tool.locator("section[data-observed]:visible input").first).to_be_focused()
    keyboard.press("Space")
    keyboard.press("Escape")
    expect(cell(tool, "Baptiste L., 1C")).to_be_focused()
    ticked = tool.locator("td[data-observed]:not([data-observed=''])")
    expect(ticked).to_have_count(1)
    keyboard.press("Control+z")
    expect(ticked).to_have_count(0)
    keyboard.press("Control+y")
    expect(ticked).to_have_count(1)
    keyboard.press("c")
    keyboard.type("Écoute et reformule")
    press_until(tab.page, tool.locator(".bank summary"))
    keyboard.press("Enter")
    press_until(tab.page, tool.get_by_role("button", name="Garder celui-ci"))
    keyboard.press("Enter")
    expect(tool.locator(".bank li button")).to_have_text(["Écoute et reformule"])
    keyboard.press("Escape")
    keyboard.press("Enter")
    keyboard.press("c")
    press_until(tab.page, tool.locator(".bank li button"))
    keyboard.press("Enter")
    expect(tool.locator("#margin-comment")).to_have_value("Écoute et reformule")
    keyboard.press("Escape")
    expect(cell(tool, "Camille R., 1C, commentaire")).to_be_focused()
    keyboard.press("Control+z")
    expect(cell(tool, "Camille R., 1C, commentaire")).to_have_count(0)
    expect(cell(tool, "Baptiste L., 1C, bien maîtrisée, commentaire")).to_have_value("4")
    keyboard.press("Control+y")
    expect(cell(tool, "Camille R., 1C, commentaire")).to_be_focused()

    # A block from a spreadsheet: words, quotes, what cannot be placed stays in sight.
    keyboard.press("ArrowLeft")
    tab.frame.evaluate(PASTE, '3\tabsente\r\n"maîtrisée"\tbof\r\n\t2\t4\r\n')
    expect(cell(tool, "Camille R., 1C")).to_have_value("ABS")
    expect(cell(tool, "Chloé M., 1A")).to_have_value("3")
    expect(cell(tool, "Dylan P., 1C")).to_have_value("2")
    expect(tool.locator("#grid-unread")).to_contain_text("Chloé M., 1C : bof")
    expect(tool.locator("#grid-unread")).to_contain_text("hors de la grille : 4")
    expect(state(tool)).to_contain_text("4 cases collées, de Camille R. à Dylan P.")
    assert_accessible(tab.frame)

    # Filling leaves what is filled; replacing says how many, and waits.
    keyboard.press("c")
    press_until(tab.page, tool.locator("[data-fill-scope=column] [data-fill='3']"))
    keyboard.press("Enter")
    expect(cell(tool, "Zoé L., 1A")).to_have_value("3")
    expect(cell(tool, "Aïcha D., 1A")).to_have_value("2")
    press_until(tab.page, tool.locator("#margin-replace summary"))
    keyboard.press("Enter")
    press_until(tab.page, tool.locator("#margin-replace [data-fill='2']"))
    keyboard.press("Enter")
    others = tool.locator("tbody td:nth-child(2) .cell input").evaluate_all(
        "(all) => all.filter((one) => one.value && one.value !== '2').length"
    )
    assert others > 20
    expect(tool.locator("#margin-sure")).to_contain_text(f"{others} cases déjà remplies de 1A passeront à 2")
    expect(tool.locator("#margin-yes")).to_be_focused()
    expect(cell(tool, "Zoé L., 1A")).to_have_value("3")
    keyboard.press("Enter")
    expect(cell(tool, "Zoé L., 1A")).to_have_value("2")
    keyboard.press("Control+z")
    expect(cell(tool, "Zoé L., 1A")).to_have_value("3")
    expect(state(tool)).to_contain_text("Enregistré à")

    # Publishing, after a look at what leaves.
    press_until(tab.page, tool.get_by_role("link", name="Carnet", exact=True))
    keyboard.press("Enter")
    expect(tool.get_by_role("heading", level=1)).to_have_text("Carnet de notes")
    press_until(tab.page, tool.get_by_role("link", name=re.compile("^Publier les .* notes…$")))
    keyboard.press("Enter")
    tool.get_by_role("button", name="Publier les colonnes cochées").wait_for()
    press_until(tab.page, tool.get_by_role("button", name="Publier les colonnes cochées"))
    keyboard.press("Enter")
    expect(tool.locator("main")).to_contain_text("notes publiées")

    # All that was typed is on the server.
    tab.open_link("Spirale")
    tool.get_by_role("link", name="Accueil au clavier").first.click()
    expect(cell(tool, "Baptiste L., 1C")).to_have_value("4")
    expect(cell(tool, "Camille R., 1A")).to_have_value("3")
    cell(tool, "Baptiste L., 1C").focus()
    expect(tool.locator("#margin-comment")).to_have_value("Écoute et reformule")
    expect(tool.locator("section[data-observed]:visible input").first).to_be_checked()
    assert errors == []


def make(tab: Tab, title: str, *, all_observed: bool = False) -> None:
    """A situation on 1A and 1C, its grid open; in 1A the first thing there is to observe, or all, is observed."""
    tool = tab.tool
    tab.open_link("Spirale")
    tool.get_by_role("link", name="Nouvelle situation").click()
    tool.get_by_label("Titre").fill(title)
    for code in ("1A", "1C"):
        tool.locator(f"[name=competences][value='{code}']").check()
    tool.locator(f"{PICK.format('1A')} summary").click()
    for box in tool.locator(f"{PICK.format('1A')} [name=observed]").all()[: None if all_observed else 1]:
        box.check()
    tool.get_by_role("button", name="Enregistrer et évaluer").click()
    expect(tool.get_by_role("heading", level=1)).to_have_text(title)
    tab.wait_for_grid()


PUT = """
async (entry) => {
  const form = document.querySelector('#grid, #one');
  const about = {key: crypto.randomUUID(), value: null, comment: null, observed: null};
  const person = Number(document.querySelector('#grid tbody tr, #one').dataset.person);
  const competence = Number(form.querySelector('[data-competence]').dataset.competence);
  const answer = await fetch(form.dataset.saveUrl, {
    method: 'POST',
    headers: {'Content-Type': 'application/json', 'X-CSRF-Token': form.dataset.csrf},
    body: JSON.stringify({entries: [{...about, person, competence, ...entry}], since: 0}),
  });
  return (await answer.json()).saved[0];
}
"""
"""What a teacher's page sends for its first cell, or its pupil's first competence, behind its script's back."""
POLL = "document.dispatchEvent(new Event('visibilitychange'))"
"""A page asks what is new when it comes back in sight."""


def is_save(answer: Response) -> bool:
    return answer.request.method == "POST" and answer.url.endswith("/cells")


@pytest.fixture
def karim(chromium: Browser, demo: Demo) -> Iterator[Tab]:
    """A colleague, in a browser of his own."""
    made = chromium.new_context(viewport={"width": 1000, "height": 750}, locale="fr-FR")
    made.set_default_timeout(PATIENCE_MS)
    yield enter(made, demo, "Karim Diallo")
    made.close()


def join(tab: Tab, title: str) -> None:
    """Open a situation's grid."""
    tab.open_link("Spirale")
    tab.tool.get_by_role("link", name=title).first.click()
    tab.wait_for_grid()


def test_two_teachers_in_the_same_cell_lose_nothing_and_are_told(
    context: BrowserContext, demo: Demo, karim: Tab
) -> None:
    claire = enter(context, demo, "Claire Morel")
    make(claire, "À deux dans la grille")
    join(karim, "À deux dans la grille")
    assert karim.frame.evaluate(
        "[document.scrollingElement.scrollHeight <= document.scrollingElement.clientHeight]"
    ) == [True], "the table scrolls, not the page"
    cell(karim.tool, "Adam B., 1A").focus()
    karim.page.keyboard.press("2")
    expect(state(karim.tool)).to_contain_text("Enregistré à")

    # Claire types in the same cell without network; both reach the server, the later one counts.
    context.set_offline(True)
    cell(claire.tool, "Adam B., 1A").focus()
    claire.page.keyboard.press("4")
    expect(state(claire.tool)).to_contain_text("Hors ligne : 1 saisie gardée dans cette page")
    cell(claire.tool, "Adam B., 1A").focus()
    context.set_offline(False)
    expect(claire.tool.locator("#margin-note")).to_contain_text(
        "Karim D. a mis 2 ici pendant que 4 partait", timeout=20_000
    )
    expect(state(claire.tool)).to_contain_text("Enregistré à", timeout=20_000)
    expect(cell(claire.tool, "Adam B., 1A")).to_have_value("4")
    expect(cell(claire.tool, "Adam B., 1A")).to_be_focused()

    # What Karim sends next brings Claire's entry: neither his focus nor his place moves.
    cell(karim.tool, "Aïcha D., 1A").focus()
    karim.page.keyboard.press("3")
    expect(cell(karim.tool, "Adam B., 1A")).to_have_value("4")
    expect(cell(karim.tool, "Amina K., 1A")).to_be_focused()
    cell(karim.tool, "Adam B., 1A").focus()
    expect(karim.tool.locator("#margin-note")).to_contain_text("Claire M. a mis 4 ici, après 2")


def test_a_comment_or_a_tick_leaves_the_level_to_who_wrote_it_last(
    context: BrowserContext, demo: Demo, karim: Tab
) -> None:
    claire = enter(context, demo, "Claire Morel")
    make(claire, "Un niveau, un commentaire")
    join(karim, "Un niveau, un commentaire")
    tool, adam = claire.tool, cell(claire.tool, "Adam B., 1A")
    adam.focus()
    with claire.page.expect_response(is_save):
        claire.page.keyboard.press("2")
    adam.focus()
    karim.frame.evaluate(PUT, {"value": "4", "comment": "De Karim"})

    with claire.page.expect_response(is_save) as commented:
        tool.locator("#margin-comment").fill("Très clair")
        tool.locator("#margin-comment").blur()
    saved = commented.value.json()["saved"][0]
    assert (saved["value"], saved["comment"]) == ("4", "Très clair")
    expect(adam).to_have_value("4")
    expect(tool.locator("#margin-note")).to_contain_text("Karim D. a mis 4 ici, après 2")

    karim.frame.evaluate(PUT, {"value": "1"})
    with claire.page.expect_response(is_save) as ticked:
        tool.locator("section[data-observed]:visible input").check()
    saved = ticked.value.json()["saved"][0]
    assert (saved["value"], saved["comment"], len(saved["observed"])) == ("1", "Très clair", 1)
    expect(adam).to_have_value("1")
    expect(tool.locator("#margin-comment")).to_have_value("Très clair")

    # While a comment is being typed, a colleague's level shows; what is typed stays.
    tool.locator("#margin-comment").press_sequentially(" e")
    karim.frame.evaluate(PUT, {"value": "3"})
    claire.frame.evaluate(POLL)
    tool.locator("#margin-comment").press_sequentially("t posé")
    expect(adam).to_have_value("3")
    expect(tool.locator("#margin-comment")).to_have_value("Très clair et posé")


def test_undoing_takes_back_what_was_done_here_and_nothing_of_a_colleagues(
    context: BrowserContext, demo: Demo, karim: Tab
) -> None:
    claire = enter(context, demo, "Claire Morel")
    make(claire, "Ce qui s’annule", all_observed=True)
    join(karim, "Ce qui s’annule")
    tool, adam, comment = (
        claire.tool,
        cell(claire.tool, "Adam B., 1A"),
        claire.tool.locator("#margin-comment"),
    )
    boxes = tool.locator("section[data-observed]:visible input")
    ids = [int(one.get_attribute("value") or 0) for one in boxes.all()]
    assert ids != sorted(ids), "what is to be observed does not come in the order of its numbers"
    place = next(n for n in range(1, len(ids)) if ids[n] < ids[n - 1])
    for box in (boxes.nth(place - 1), boxes.nth(place)):
        with claire.page.expect_response(is_save):
            box.check()
    expect(state(tool)).to_contain_text("Enregistré à")
    adam.focus()
    with claire.page.expect_response(is_save):
        claire.page.keyboard.press("Control+z")
    expect(state(tool)).to_contain_text("Annulé")
    expect(boxes.nth(place)).not_to_be_checked()
    expect(boxes.nth(place - 1)).to_be_checked()

    # A comment in two goes, a colleague's between: only the second is undone.
    with claire.page.expect_response(is_save):
        comment.fill("De Claire")
        comment.blur()
    karim.frame.evaluate(PUT, {"comment": "De Karim"})
    claire.frame.evaluate(POLL)
    expect(comment).to_have_value("De Karim")
    with claire.page.expect_response(is_save):
        comment.fill("De Karim, vu")
        comment.blur()
    adam.focus()
    with claire.page.expect_response(is_save) as undone:
        claire.page.keyboard.press("Control+z")
    assert undone.value.json()["saved"][0]["comment"] == "De Karim"
    expect(comment).to_have_value("De Karim")


def test_what_is_refused_stays_said_and_typed_until_it_is_corrected(
    context: BrowserContext, demo: Demo
) -> None:
    tab = enter(context, demo, "Claire Morel")
    make(tab, "Trop long")
    tool, adam, comment = tab.tool, cell(tab.tool, "Adam B., 1A"), tab.tool.locator("#margin-comment")
    long = "x" * 2001
    comment.fill(long)
    comment.blur()
    refused = "Non enregistré : Adam B., 1A. Ce commentaire dépasse 2000 caractères"
    expect(state(tool)).to_contain_text(refused)
    expect(adam).to_have_attribute("aria-invalid", "true")

    adam.focus()
    with tab.page.expect_response(is_save):
        tab.page.keyboard.press("3")
    cell(tool, "Amina K., 1A").focus()
    with tab.page.expect_response(is_save):
        tab.page.keyboard.press("2")
    adam.focus()
    expect(comment).to_have_value(long)
    expect(state(tool)).to_contain_text(refused)

    with tab.page.expect_response(is_save):
        comment.fill("x" * 2000)
        comment.blur()
    expect(state(tool)).to_contain_text("Enregistré à")
    expect(adam).not_to_have_attribute("aria-invalid", "true")
    expect(tool.locator("#margin-note")).to_be_hidden()


def test_what_was_typed_before_the_script_came_is_saved_where_it_was_typed(
    context: BrowserContext, demo: Demo
) -> None:
    tab = enter(context, demo, "Claire Morel")
    make(tab, "Tapé avant le script")
    tool, frame = tab.tool, tab.frame
    cell(tool, "Adam B., 1A").focus()
    tab.page.keyboard.press("2")
    expect(state(tool)).to_contain_text("Enregistré à")

    held: list[Route] = []
    context.route("**/static/grid.js*", lambda route: held.append(route))
    frame.goto(frame.url, wait_until="commit")
    # Over a level, by a code's letter, something that says nothing, keys for three pupils, and a level.
    typed = (("Adam B.", "23"), ("Amina K.", "a"), ("Chloé M.", "z"), ("Dylan P.", "34d"), ("Aïcha D.", "4"))
    for name, text in typed:
        cell(tool, f"{name}, 1A").fill(text)
    assert held
    for route in held:
        route.continue_()

    expect(state(tool)).to_have_text("z : cette touche n’écrit rien ici")
    expect(state(tool)).to_contain_text("Enregistré à")
    expect(cell(tool, "Aïcha D., 1A")).to_be_focused()
    expect(tool.locator("[data-fill-scope=row] h3")).to_have_text("Remplir la case vide d’Aïcha D.")
    context.unroute("**/static/grid.js*")
    frame.goto(frame.url)
    stored = {"Adam B.": "3", "Aïcha D.": "4", "Amina K.": "ABS", "Chloé M.": ""}
    stored |= {"Dylan P.": "3", "Elif Y.": "4", "Emma G.": "DISP"}
    for name, value in stored.items():
        expect(cell(tool, f"{name}, 1A")).to_have_value(value)


SWIPE = """
([from, to]) => {
  const form = document.getElementById('one');
  const touch = (x) => new Touch({identifier: 1, target: form, clientX: x, clientY: 300});
  form.dispatchEvent(new TouchEvent('touchstart', {touches: [touch(from)], bubbles: true}));
  form.dispatchEvent(new TouchEvent('touchend', {touches: [], changedTouches: [touch(to)], bubbles: true}));
}
"""


def test_one_pupil_at_a_time_on_a_phone_is_saved_before_the_next_one_comes(
    chromium: Browser, demo: Demo
) -> None:
    phone: Any = chromium.new_context(viewport={"width": 390, "height": 844}, has_touch=True, locale="fr-FR")
    phone.set_default_timeout(PATIENCE_MS)
    try:
        tab = enter(phone, demo, "Claire Morel")
        make(tab, "Jeu de rôle")
        tool = tab.tool
        tool.get_by_role("link", name="Élève par élève").click()
        name = tool.get_by_role("heading", level=1)
        expect(name).to_have_text("Adam Benali")
        first = tool.locator("fieldset.one").first
        for target in (first.locator(".big-l").nth(2), first.locator(".seen label"), first.locator("select")):
            assert (target.bounding_box() or {})["height"] >= 44
        first.locator("label.big-l").nth(2).tap()
        expect(first.locator("[data-word]")).to_have_text("maîtrisée")
        first.locator(".seen input").check()
        first.locator("summary", has_text="Commentaire pour l’élève").click()
        # Dictated: saved after a pause, and no letter or digit is a shortcut.
        with tab.page.expect_response(lambda answer: "3 c ?" in (answer.request.post_data or "")) as paused:
            first.locator("textarea").press_sequentially("1 n’a pas 3 c ?")
        assert paused.value.json()["saved"][-1]["comment"] == "1 n’a pas 3 c ?"
        assert_accessible(tab.frame)
        assert_no_sideways_scroll(tab.frame)

        # Without network nobody leaves; with it the next pupil comes, by a swipe as by the button.
        phone.set_offline(True)
        tool.locator("fieldset.one").nth(1).locator("label.big-l").nth(3).tap()
        expect(tool.locator("#one-state")).to_contain_text("Hors ligne : 1 saisie gardée dans cette page")
        tab.frame.evaluate(SWIPE, [300, 60])
        expect(name).to_have_text("Adam Benali")
        phone.set_offline(False)
        expect(name).to_have_text("Aïcha Diop", timeout=20_000)
        tab.frame.evaluate(SWIPE, [60, 300])
        expect(name).to_have_text("Adam Benali")
        expect(first.locator("input[type=radio][value='3']")).to_be_checked()
        expect(first.locator(".seen input")).to_be_checked()
        expect(first.locator("textarea")).to_have_value("1 n’a pas 3 c ?")
        expect(tool.locator("fieldset.one").nth(1).locator("input[type=radio][value='4']")).to_be_checked()
        first.locator("input[type=radio][value='3']").focus()
        tab.page.keyboard.press("2")
        expect(first.locator("input[type=radio][value='2']")).to_be_checked()
        tab.page.keyboard.press("Control+Enter")
        expect(name).to_have_text("Aïcha Diop")
    finally:
        phone.close()
