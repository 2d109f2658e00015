"""From the ENT: no frame, no names, no roster, one column; a pupil on a phone, a teacher, and nobody of the LMS."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, ViewportSize, expect

from lti_tool.demo.ent_people import CLASS_A, CLASS_B
from tests.journeys.conftest import PATIENCE_MS, Demo, assert_accessible, assert_no_sideways_scroll, enter

PHONE = ViewportSize(width=390, height=844)
DESK = ViewportSize(width=1280, height=900)


@contextmanager
def window(chromium: Browser, demo: Demo, name: str, size: ViewportSize, place: int = 0) -> Iterator[Page]:
    """The tool, in the window that the ENT opens for somebody; `place` of the class among theirs."""
    context = chromium.new_context(viewport=size, has_touch=size is PHONE, locale="fr-FR")
    context.set_default_timeout(PATIENCE_MS)
    portal = context.new_page()
    portal.goto(demo.ent_url)
    portal.get_by_role("button", name=re.compile(name)).first.click()
    expect(portal.get_by_role("heading", level=1)).to_contain_text("Bonjour")
    assert_accessible(portal)
    with context.expect_page() as opened:
        portal.get_by_role("button", name=re.compile("^Spirale")).nth(place).click()
    opened.value.wait_for_url(re.compile("/l/"))
    yield opened.value
    context.close()


def go(page: Page, path: str) -> None:
    """Another page of the same session."""
    page.goto(re.sub(r"(/l/[^/]+)/.*", rf"\1{path}", page.url))


@pytest.fixture(scope="module")
def pupils_came(chromium: Browser, demo: Demo) -> None:
    """Two pupils of class A have opened Spirale once: they are pupils 1 and 2."""
    for name in ("Awa", "Basile"):
        with window(chromium, demo, name, PHONE):
            pass


def test_a_pupil_on_a_phone_gets_a_window_of_the_tool_with_a_cookie_of_its_own(
    chromium: Browser, demo: Demo, pupils_came: None
) -> None:
    with window(chromium, demo, "Awa", PHONE) as page:
        assert page.url.endswith("/me")
        assert page.frames == [page.main_frame]
        cookies = {c["name"]: c.get("partitionKey") for c in page.context.cookies(demo.tool_url)}
        assert cookies["spirale"] == "http://localhost", "first-party here: its own site is the top one"
        expect(page.get_by_role("heading", level=1)).to_have_text("Ma spirale")
        expect(page.locator("main")).to_contain_text("Pour mes enseignants, je suis l’élève 1.")
        assert_accessible(page)
        assert_no_sideways_scroll(page.main_frame)
        page.get_by_role("link", name="Mes activités", exact=True).click()
        expect(page.locator("main")).to_contain_text("je suis l’élève 1.")
        page.reload()
        expect(page.get_by_role("heading", level=1)).to_have_text("Mes activités")


def test_a_teacher_names_and_assesses_pupils_while_another_one_arrives(
    chromium: Browser, demo: Demo, pupils_came: None
) -> None:
    with window(chromium, demo, "Nadia Roussel", DESK) as page:
        go(page, "/activities")  # past the first steps of a course where nobody made anything yet
        expect(page.locator("main")).to_contain_text("2 élèves connus : ceux qui ont ouvert Spirale")
        go(page, "/pupils/labels")
        assert_accessible(page)
        page.get_by_label("Élève 2").fill("Basile M.")
        page.get_by_role("button", name="Enregistrer les noms").click()
        expect(page.get_by_role("status")).to_have_text("Un nom enregistré.")

        go(page, "/activities/new")
        page.get_by_label("Titre").fill("Accueil d’un visiteur")
        for code in ("1A", "1C"):
            page.locator(f"[name=competences][value='{code}']").check()
        page.get_by_role("button", name="Enregistrer et évaluer").click()
        page.get_by_label("Élève 1, 1A").click()
        page.keyboard.press("3")
        expect(page.get_by_label("Basile M., 1A")).to_have_value("")
        with window(chromium, demo, "Célia", PHONE):
            pass
        expect(page.locator("#grid-newcomers")).to_be_visible(timeout=30_000)
        expect(page.get_by_role("status").first).to_contain_text("Enregistré à")
        page.get_by_role("link", name="Recharger la page pour voir toute la classe").click()
        expect(page.get_by_label("Élève 1, 1A")).to_have_value("3")
        expect(page.locator("th[scope=row]")).to_have_text(["Basile M.", "Élève 1", re.compile("^Élève")])

        go(page, "/gradebook")
        expect(page.locator("main")).to_contain_text(
            "Les compétences n’ont pas de colonne dans le carnet de ce cours."
        )
        expect(page.get_by_role("link", name="0 en attente")).to_be_visible()
        assert_accessible(page)
        portal = page.context.pages[0]
        portal.goto(f"{demo.ent_url}/courses/{CLASS_A.id}/gradebook")
        assert_accessible(portal)
    with demo.ent_store as store:
        assert [item.label for item in store.line_items(CLASS_A.id)] == ["Spirale"]
        assert store.grades(CLASS_A.id, "Spirale") == {}
        assert store.calls() == [], "nothing was asked that an ENT would refuse"
    with window(chromium, demo, "Awa", PHONE) as page:
        expect(page.locator("#spirale")).to_contain_text("maîtrisée, en situation simple")
        assert_no_sideways_scroll(page.main_frame)


def test_two_schools_with_the_same_course_number_never_meet(
    chromium: Browser, demo: Demo, pupils_came: None, context: BrowserContext
) -> None:
    tab = enter(context, demo, "Claire Morel")
    tab.open_link("Spirale", CLASS_A.id)
    expect(tab.tool.locator("main")).to_contain_text(re.compile(r"2\d élèves connus"))
    assert "ceux qui ont ouvert Spirale" not in tab.tool.locator("main").inner_text()

    with window(chromium, demo, "Nadia Roussel", DESK) as page:
        go(page, "/activities")
        expect(page.locator("main")).to_contain_text("élèves connus : ceux qui ont ouvert Spirale")
        seen = []
        for path in ("/activities", "/overview", "/gradebook?state=nothing", "/pupils/labels", "/settings"):
            go(page, path)
            seen.append(page.locator("main").inner_text())
        assert not re.search(r"2\d élèves", " ".join(seen))
        assert not re.search("Adam|Benali|Chloé|2MRC1", " ".join(seen))
    with window(chromium, demo, "Nadia Roussel", DESK, place=1) as page:
        go(page, "/activities")
        expect(page.locator("main")).to_contain_text(CLASS_B.label)
        expect(page.locator("main")).to_contain_text("0 élève connu")
