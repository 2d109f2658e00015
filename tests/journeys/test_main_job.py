"""The main job in a real browser, in the LMS's frame: from a launch to the gradebook, as a teacher then as a pupil."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext, expect

from lti_tool.demo.people import by_name
from tests.journeys.conftest import (
    COURSE,
    PATIENCE_MS,
    Demo,
    Tab,
    assert_accessible,
    assert_no_sideways_scroll,
    enter,
    start_demo,
    stop_demo,
)

TITLE = "Vente à un client qui a parcouru l’offre en ligne"
WITHIN_S = 5.0


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    """A demo of this module's own: the journey starts from a course where nobody is assessed yet."""
    running = start_demo(tmp_path_factory.mktemp("main-job"))
    yield running
    stop_demo(running)


@pytest.fixture(scope="module")
def assessed(demo: Demo, chromium: Browser) -> Iterator[Tab]:
    """Steps 1, 3 and 4: a teacher opens the tool, creates an activity, and assesses three pupils."""
    context = chromium.new_context(viewport={"width": 1280, "height": 900}, locale="fr-FR")
    context.set_default_timeout(PATIENCE_MS)
    tab = enter(context, demo, "Claire Morel")
    tab.open_link("Spirale")
    tool = tab.tool
    expect(tool.get_by_role("heading", level=1)).to_have_text("Activités")
    assert_accessible(tab.frame)

    tool.get_by_role("link", name="Nouvelle situation").click()
    tool.get_by_label("Titre").fill(TITLE)
    tool.get_by_label("Ce que vit l’élève").fill("Le client a comparé deux produits en ligne.")
    tool.locator("label:has([name=specialities][value=C])").click()
    for code in ("1A", "1C"):
        tool.locator(f"[name=competences][value='{code}']").check()
    expect(tool.locator("#nudges")).to_contain_text("Toutes les compétences viennent du groupe 1")
    expect(tool.locator("#ticked")).to_have_text("2 cochées")
    tool.locator("details.pick:visible summary").nth(1).click()
    tool.get_by_label("Interagir pour cibler le besoin").check()
    tool.get_by_label("L’ouvrir par ce lien du cours").check()
    assert_accessible(tab.frame)
    tool.get_by_role("button", name="Enregistrer et évaluer").click()
    expect(tool.get_by_role("heading", level=1)).to_have_text(TITLE)
    tab.wait_for_grid()

    tool.get_by_label("Adam B., 1A").click()
    for key in ("3", "2", "a"):
        tab.page.keyboard.press(key)
    expect(tool.get_by_role("status").first).to_contain_text("Enregistré à")
    yield tab
    context.close()


def grades(demo: Demo, column: str) -> dict[str, float]:
    """The demo gradebook's column: value by name; empty while there is no such column."""
    names = {by_name(n).sub: n for n in ("Adam Benali", "Aïcha Diop", "Amina Koné", "Chloé Martin")}
    with demo.store as store:
        if not any(item.tag == column for item in store.line_items(COURSE)):
            return {}
        found = store.grades(COURSE, column)
    return {
        names[sub]: state.value for sub, state in found.items() if sub in names and state.value is not None
    }


def wait_for_grade(demo: Demo, column: str, name: str, value: float) -> float:
    """Seconds until the gradebook holds a value."""
    start = time.monotonic()
    while grades(demo, column).get(name) != value:
        assert time.monotonic() - start < WITHIN_S, grades(demo, column)
        time.sleep(0.05)
    return time.monotonic() - start


def test_what_is_typed_reaches_the_gradebook_within_five_seconds(assessed: Tab, demo: Demo) -> None:
    wait_for_grade(demo, "1A", "Adam Benali", 3)
    wait_for_grade(demo, "1A", "Aïcha Diop", 2)
    assessed.tool.get_by_label("Chloé M., 1C").click()
    assessed.page.keyboard.press("4")
    took_s = wait_for_grade(demo, "1C", "Chloé Martin", 4)
    assert took_s < WITHIN_S
    # A code counts for nothing: no grade at all, not a zero.
    assert "Amina Koné" not in grades(demo, "1A")
    with demo.store as store:
        labels = {item.label for item in store.line_items(COURSE)}
        feedback = store.grades(COURSE, "1A")[by_name("Adam Benali").sub].feedback
    assert labels == {"1A · Prendre contact", "1C · Rechercher le besoin du client"}
    assert feedback.startswith("maîtrisée en situation simple")


def test_the_grid_is_accessible_and_keyboard_driven(assessed: Tab) -> None:
    assert_accessible(assessed.frame)
    assert_no_sideways_scroll(assessed.frame)
    tool, keyboard = assessed.tool, assessed.page.keyboard
    tool.get_by_label("Dylan P., 1A").click()
    keyboard.press("ArrowRight")
    expect(tool.get_by_label("Dylan P., 1C")).to_be_focused()
    # Its own answer is awaited: the undoing must not read this one for its.
    with assessed.page.expect_response("**/cells") as saved:
        keyboard.press("2")
    assert saved.value.json()["saved"][0]["value"] == "2"
    expect(tool.get_by_label(re.compile("^Elif Y., 1C"))).to_be_focused()
    keyboard.press("7")
    expect(tool.get_by_role("status").first).to_contain_text("un niveau va de 1 à 4")
    expect(tool.get_by_label(re.compile("^Elif Y., 1C"))).to_have_value("")
    with assessed.page.expect_response("**/cells") as undone:
        keyboard.press("Control+z")
    assert undone.value.json()["saved"][0]["value"] == ""
    expect(tool.get_by_label(re.compile("^Dylan P., 1C"))).to_have_value("")


def test_a_lost_connection_keeps_what_is_typed_and_sends_it_again(assessed: Tab, demo: Demo) -> None:
    tool, keyboard, context = assessed.tool, assessed.page.keyboard, assessed.page.context
    context.set_offline(True)
    try:
        tool.get_by_label(re.compile("^Hugo N., 1A")).click()
        keyboard.press("3")
        keyboard.press("4")
        expect(tool.get_by_role("status").first).to_contain_text(
            "Hors ligne : 2 saisies gardées dans cette page"
        )
    finally:
        context.set_offline(False)
    expect(tool.get_by_role("status").first).to_contain_text("Enregistré à")
    frame = assessed.frame
    frame.goto(frame.url)
    expect(tool.get_by_label(re.compile("^Hugo N., 1A"))).to_have_value("3")
    expect(tool.get_by_label(re.compile("^Inès B., 1A"))).to_have_value("4")


def test_a_server_that_fails_loses_nothing_either(assessed: Tab, demo: Demo) -> None:
    tool, context = assessed.tool, assessed.page.context
    answers = iter([503, 500])

    def fail(route: object) -> None:
        status = next(answers, None)
        if route.request.method != "POST" or status is None:  # type: ignore[attr-defined]
            route.continue_()  # type: ignore[attr-defined]
        else:
            route.fulfill(status=status, body="oops")  # type: ignore[attr-defined]

    context.route("**/cells", fail)
    tool.get_by_label(re.compile("^Jade C., 1A")).click()
    assessed.page.keyboard.press("2")
    expect(tool.get_by_role("status").first).to_contain_text("Hors ligne")
    expect(tool.get_by_role("status").first).to_contain_text("Enregistré à")
    context.unroute("**/cells")
    assert next(answers, None) is None
    wait_for_grade(demo, "1A", "Adam Benali", 3)


def test_two_teachers_see_each_others_entries(assessed: Tab, demo: Demo, context: BrowserContext) -> None:
    karim = enter(context, demo, "Karim Diallo")
    karim.open_link("Spirale")
    karim.tool.get_by_label(re.compile("^Kévin A., 1A")).click()
    karim.page.keyboard.press("3")
    expect(karim.tool.get_by_role("status").first).to_contain_text("Enregistré à")
    assessed.tool.get_by_label(re.compile("^Zoé L., 1C")).click()
    assessed.page.keyboard.press("1")  # what a saving brings back shows the colleague's entry at once
    expect(assessed.tool.get_by_label(re.compile("^Kévin A., 1A"))).to_have_value("3")
    expect(
        assessed.tool.get_by_label(re.compile("^Kévin A., 1A, maîtrisée, saisi par Karim D."))
    ).to_be_visible()


def test_what_comments_on_the_form_is_open_beside_it_and_folded_under_it_on_a_phone(assessed: Tab) -> None:
    frame, tool = assessed.frame, assessed.tool
    for width, opened in ((1280, 3), (390, 0)):
        assessed.page.set_viewport_size({"width": width, "height": 850})
        frame.goto(re.sub(r"(/l/[^/]+)/.*", r"\1/activities/new?example=vente-simple", frame.url))
        expect(tool.get_by_label("Titre")).to_have_value("Deux enceintes, un client déjà renseigné")
        expect(tool.locator("details[data-fold]")).to_have_count(3)
        expect(tool.locator("details[data-fold][open]")).to_have_count(opened)
        assert_no_sideways_scroll(frame)
    assert_accessible(frame)
    assessed.page.set_viewport_size({"width": 1280, "height": 900})


def test_the_overview_says_where_each_pupil_stands_and_why(assessed: Tab) -> None:
    tool = assessed.tool
    tool.get_by_role("link", name="Bilan", exact=True).click()
    row = tool.locator("tr:has-text('Adam B.')").first
    expect(row).to_contain_text("3")
    row.locator("a.pos").first.click()
    expect(tool.locator(".why, .why-in").first).to_contain_text("en situation simple")
    assert_accessible(assessed.frame)


def test_the_tools_own_gradebook_page_shows_each_delivery(assessed: Tab) -> None:
    tool = assessed.tool
    tool.get_by_role("link", name="Carnet", exact=True).click()
    expect(tool.locator("main")).to_contain_text("envoyées")
    expect(tool.locator("main")).to_contain_text("1A")


def test_a_competence_is_read_with_its_two_sides_and_back(assessed: Tab) -> None:
    tool = assessed.tool
    tool.get_by_role("link", name="Référentiel", exact=True).click()
    tool.get_by_role("link", name=re.compile("1C")).first.click()
    expect(tool.get_by_role("heading", level=1)).to_contain_text("Rechercher le besoin du client")
    expect(tool.locator("main")).to_contain_text("Apprécier la complexité de la demande")
    expect(tool.locator("main")).to_contain_text("Identifier les besoins du prospect.")
    assert_accessible(assessed.frame)
    tool.get_by_role("link", name="Apprécier la complexité de la demande").first.click()
    expect(tool.locator("main")).to_contain_text("1C")
    assert_accessible(assessed.frame)
    assessed.page.set_viewport_size({"width": 390, "height": 850})
    assert_no_sideways_scroll(assessed.frame)
    assessed.page.set_viewport_size({"width": 1280, "height": 900})


def test_a_pupil_on_a_phone_sees_where_they_stand_and_why(
    assessed: Tab, demo: Demo, chromium: Browser
) -> None:
    phone = chromium.new_context(viewport={"width": 390, "height": 844}, has_touch=True, locale="fr-FR")
    phone.set_default_timeout(PATIENCE_MS)
    try:
        tab = enter(phone, demo, "Adam Benali")
        tab.open_link("Spirale")
        # The link opens the activity: what is expected, then the result.
        expect(tab.tool.get_by_role("heading", level=1)).to_have_text(TITLE)
        expect(tab.tool.locator("main")).to_contain_text("Interagir pour cibler le besoin")
        expect(tab.tool.locator("main")).to_contain_text("maîtrisée")
        assert_accessible(tab.frame)
        assert_no_sideways_scroll(tab.frame)
        for entry in ("Ma spirale", "Mes activités", "Mon exploration", "Référentiel"):
            tab.tool.get_by_role("link", name=entry).first.click()
            tab.tool.locator("main").wait_for()
            if entry == "Référentiel":
                expect(tab.tool.get_by_role("heading", name=f"Dans l’activité « {TITLE} »")).to_be_visible()
            assert_accessible(tab.frame)
            assert_no_sideways_scroll(tab.frame)
        tab.tool.get_by_role("link", name="Ma spirale").first.click()
        expect(tab.tool.locator("main")).to_contain_text("en situation simple")
        for other in ("Aïcha", "Chloé", "Morel"):
            assert other not in tab.tool.locator("main").inner_text()
        # A teacher's page, asked for by its address.
        frame = tab.frame
        frame.goto(re.sub(r"(/l/[^/]+)/.*", r"\1/overview", frame.url))
        expect(tab.tool.locator("main")).to_contain_text("Cette page est réservée")
    finally:
        phone.close()


def test_the_picker_puts_an_activity_in_the_course(assessed: Tab, demo: Demo) -> None:
    page = assessed.page
    page.goto(f"{demo.lms_url}/courses/{COURSE}")
    page.get_by_role("link", name=re.compile("Ajouter une activité")).first.click()
    page.get_by_role("link", name=re.compile("Choisir dans Spirale")).or_(
        page.get_by_role("button", name=re.compile("Choisir dans Spirale"))
    ).first.click()
    frame = page.frame_locator("iframe")
    expect(frame.get_by_role("heading", level=1)).to_have_text("Ajouter au cours")
    tool = next(f for f in page.frames if f.url.startswith(f"{demo.tool_url}/l/"))
    assert_accessible(tool)
    frame.locator("label", has_text=TITLE).locator("[name=item]").check()
    frame.get_by_label(re.compile("^1C")).check()
    frame.get_by_role("button", name=re.compile("Ajouter")).click()
    page.wait_for_url(re.compile(f"/courses/{COURSE}$"))
    assert page.get_by_role("link", name=TITLE).count() == 1
    page.get_by_role("link", name=TITLE).click()
    expect(page.frame_locator("#contentframe").get_by_role("heading", level=1)).to_have_text(TITLE)


def test_a_colleague_without_editing_rights_assesses_and_changes_nothing_else(
    assessed: Tab, demo: Demo, context: BrowserContext
) -> None:
    tab = enter(context, demo, "Yann Le Goff")
    tab.open_link("Spirale")
    expect(tab.tool.get_by_role("heading", level=1)).to_have_text(TITLE)
    assert tab.tool.get_by_role("link", name="Réglages du cours").count() == 0
    assert tab.tool.get_by_role("link", name="Modifier la situation").count() == 0
    expect(tab.tool.get_by_text("24 élèves connus").first).to_be_visible()


def test_a_grid_that_opens_is_ready_for_the_first_key(assessed: Tab) -> None:
    assessed.open_link("Spirale")
    first = assessed.tool.locator("tbody .cell input").first
    expect(first).to_be_focused()
    before = first.input_value()
    assessed.page.keyboard.press("ArrowDown")
    expect(assessed.tool.locator("tbody tr:nth-child(2) .cell input").first).to_be_focused()
    assert first.input_value() == before
