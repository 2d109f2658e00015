"""A pupil's pages on a phone: in the LMS's frame with their teacher's answer, in an ENT's window without a script."""

from __future__ import annotations

import re

from playwright.sync_api import Browser, Frame, expect

from tests.journeys.conftest import (
    PATIENCE_MS,
    Demo,
    Tab,
    assert_accessible,
    assert_no_sideways_scroll,
    enter,
)
from tests.journeys.test_ent import PHONE, window

EVIDENCE = "J’ai reformulé la demande avant de proposer."
ANSWER = "Vendredi, au comptoir."


def assert_readable(tab: Tab) -> None:
    """No violation in either theme, and nothing wider than the phone."""
    for scheme in ("light", "dark"):
        # The page is opened again: colours change at once, not in a transition that axe would catch half-way.
        tab.page.emulate_media(color_scheme=scheme, reduced_motion="reduce")  # type: ignore[arg-type]
        tab.frame.goto(tab.frame.url)
        assert_accessible(tab.frame)
    assert_no_sideways_scroll(tab.frame)


def go(frame: Frame, path: str) -> None:
    frame.goto(re.sub(r"(/l/[^/]+)/.*", rf"\1{path}", frame.url))


def test_a_pupil_goes_from_the_next_step_to_a_position_of_their_own_and_their_teacher_answers(
    chromium: Browser, demo: Demo
) -> None:
    phone = chromium.new_context(viewport=PHONE, has_touch=True, locale="fr-FR")
    phone.set_default_timeout(PATIENCE_MS)
    desk = chromium.new_context(viewport={"width": 1280, "height": 900}, locale="fr-FR")
    desk.set_default_timeout(PATIENCE_MS)
    try:
        mine = enter(phone, demo, "Amina Koné")
        mine.open_link("Spirale")
        go(mine.frame, "/me")
        heading = mine.tool.get_by_role("heading", level=1)

        # The next step, and what is expected there.
        step = mine.tool.locator("#next")
        expect(step).to_contain_text("Prochaine étape :")
        assert_readable(mine)
        title = step.get_by_role("link").inner_text()
        step.get_by_role("link").tap()
        expect(heading).to_have_text(title)
        mine.tool.get_by_role("link", name="Je me positionne en 1C").tap()
        expect(mine.tool.locator("#competence")).to_contain_text(f"comme dans « {title} »")

        # Where I stand; first without anything that shows it.
        mine.tool.get_by_role("radio", name="3 maîtrisée", exact=True).check()
        mine.tool.get_by_role("button", name="Enregistrer ma position").tap()
        expect(mine.tool.locator("#e-evidence")).to_contain_text("Écrire une phrase")
        expect(mine.tool.get_by_role("radio", name="3 maîtrisée", exact=True)).to_be_checked()
        assert_readable_as_it_is(mine)
        mine.tool.get_by_label("Ce qui le montre, en une phrase").fill(EVIDENCE)
        mine.tool.get_by_role("button", name="Enregistrer ma position").tap()
        expect(mine.tool.get_by_role("status")).to_have_text("Ma position est enregistrée.")
        expect(mine.tool.locator(".beside")).to_contain_text(EVIDENCE)

        # Asking to be observed.
        mine.tool.get_by_role("button", name="Demander une observation en 1C").tap()
        expect(mine.tool.locator("#demande")).to_contain_text("se ferme d’elle-même")
        assert_readable(mine)
        for page in ("/me?competence=1C", "/me/activities", "/me/exploration"):
            go(mine.frame, page)
            assert_readable(mine)

        # The teacher sees it on the way in, reads the pupil's word, answers.
        theirs = enter(desk, demo, "Claire Morel")
        theirs.open_link("Spirale")
        go(theirs.frame, "/activities")
        theirs.tool.get_by_role("link", name="Amina K., 1C").click()
        expect(theirs.tool.get_by_role("heading", level=1)).to_have_text("Amina Koné")
        expect(theirs.tool.locator("#soi")).to_contain_text(EVIDENCE)
        assert_readable(theirs)
        theirs.tool.get_by_label("Un mot à l’élève").fill(ANSWER)
        theirs.tool.get_by_role("button", name="Fermer la demande").click()
        expect(theirs.tool.locator("#demande")).to_contain_text("fermée le")
        go(theirs.frame, "/activities")
        expect(theirs.tool.get_by_role("link", name="Amina K., 1C")).to_have_count(0)

        go(mine.frame, "/me/positions?competence=1C")
        expect(mine.tool.locator("#demande")).to_contain_text(ANSWER)

        # Asked again, and answered by assessing: the picture has a turn, and the turn says where it comes from.
        mine.tool.get_by_role("button", name="Demander une observation en 1C").tap()
        expect(mine.tool.locator("#demande")).to_contain_text("se ferme d’elle-même")
        go(theirs.frame, "/activities")
        theirs.tool.get_by_role("link", name="Amina K., 1C").click()
        theirs.tool.get_by_role("link", name=re.compile("^Évaluer dans")).click()
        cell = theirs.tool.locator("fieldset", has_text=re.compile("^\\s*1C"))
        cell.locator("label", has_text="3").click()
        expect(theirs.tool.locator("#one-state")).to_contain_text("Enregistré à")
        go(mine.frame, "/me/positions?competence=1C")
        expect(mine.tool.locator("#demande")).to_contain_text("1C a été évaluée depuis.")
        go(mine.frame, "/me?competence=1C")
        expect(mine.tool.locator("#spirale")).to_contain_text("Pour moi : 3 maîtrisée")
        mine.tool.locator(".spiral.phone a").last.tap()
        expect(mine.tool.locator(".turnlist li:target")).to_contain_text(title)
    finally:
        phone.close()
        desk.close()


def assert_readable_as_it_is(tab: Tab) -> None:
    """The same of a page that came from a form: it is not asked for again."""
    assert_accessible(tab.frame)
    assert_no_sideways_scroll(tab.frame)


def test_without_a_script_every_page_of_a_pupil_is_read_and_every_form_is_sent(
    chromium: Browser, demo: Demo
) -> None:
    with window(chromium, demo, "Awa", PHONE) as page:
        page.context.new_cdp_session(page).send("Emulation.setScriptExecutionDisabled", {"value": True})
        page.goto(page.url)
        assert page.locator("html.js").count() == 0, "no script ran"
        expect(page.locator("#next")).to_contain_text("Prochaine étape :")
        page.get_by_role("link", name="Mon exploration", exact=True).tap()
        page.locator("#bac summary").first.tap()
        expect(page.locator("#bac details").first).to_contain_text("MCV")
        page.get_by_role("link", name="Ma spirale", exact=True).first.tap()
        page.get_by_role("link", name=re.compile("^2C")).tap()
        page.get_by_role("link", name="Je me positionne", exact=True).last.tap()
        page.get_by_role("radio", name="2 insuffisamment maîtrisée", exact=True).check()
        page.get_by_role("radio", name="simple", exact=True).check(force=True)
        page.get_by_label("Ou un lien vers une trace").fill("https://nuage.example.org/carte")
        page.get_by_role("button", name="Enregistrer ma position").tap()
        expect(page.get_by_role("status")).to_have_text("Ma position est enregistrée.")
        link = page.get_by_role("link", name=re.compile("nuage.example.org"))
        expect(link).to_have_attribute("rel", "noopener noreferrer nofollow")
        page.get_by_role("button", name="Demander une observation en 2C").tap()
        page.get_by_role("button", name="Retirer ma demande").tap()
        expect(page.get_by_role("button", name="Demander une observation en 2C")).to_be_visible()
        assert_no_sideways_scroll(page.main_frame)
