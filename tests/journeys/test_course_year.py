"""A course's year in a real browser: its first steps, its groups, the list of its activities, and the next year; and a
teacher's week without a script."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import BrowserContext, ViewportSize, expect

from tests.journeys.conftest import (
    Demo,
    Tab,
    assert_accessible,
    assert_no_sideways_scroll,
    enter,
    start_demo,
    stop_demo,
)

EMPTY = 3
"""« Seconde MRC 2 » in the demo LMS: nobody made anything there."""
PHONE, DESK = {"width": 390, "height": 844}, {"width": 1280, "height": 900}


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    """A demo of this module's own: its years are closed here."""
    running = start_demo(tmp_path_factory.mktemp("course-year"))
    yield running
    stop_demo(running)


@pytest.fixture
def teacher(context: BrowserContext, demo: Demo) -> Tab:
    return enter(context, demo, "Claire Morel")


def go(tab: Tab, path: str) -> None:
    """Open another page of the same session."""
    tab.frame.goto(re.sub(r"(/l/[^/]+)/.*", rf"\1{path}", tab.frame.url))


def assert_fits(tab: Tab) -> None:
    """Nothing that axe knows of, and no sideways scroll, on a desk and, in the dark, on a phone."""
    assert_accessible(tab.frame)
    assert_no_sideways_scroll(tab.frame)
    tab.page.set_viewport_size(PHONE)
    tab.page.emulate_media(color_scheme="dark", reduced_motion="reduce")  # no colour on its way
    assert_accessible(tab.frame)
    assert_no_sideways_scroll(tab.frame)
    tab.page.emulate_media(color_scheme="light")
    tab.page.set_viewport_size(DESK)


def make_activity(tab: Tab, title: str, day: str, group: str = "") -> None:
    tool = tab.tool
    go(tab, "/activities/new")
    tool.get_by_label("Titre").fill(title)
    tool.get_by_label("Date du travail").fill(day)
    if group:
        tool.get_by_label("Pour qui").select_option(label=group)
    tool.locator("[name=competences][value='1A']").check()
    tool.get_by_role("button", name="Enregistrer", exact=True).click()
    expect(tool.get_by_role("heading", level=1)).to_have_text("Activités")


def test_half_a_class_is_a_group_and_its_activity_is_listed_filtered_and_moved(
    teacher: Tab, demo: Demo, context: BrowserContext
) -> None:
    tool = teacher.tool
    teacher.open_link("Spirale")
    tool.get_by_role("link", name="Réglages du cours").first.click()
    tool.get_by_role("link", name="Groupes de la classe").click()
    tool.get_by_role("link", name="Nouveau groupe").click()
    tool.get_by_label("Nom du groupe").fill("Groupe A")
    for name in ("Adam B.", "Chloé M."):
        tool.get_by_label(name).check()
    assert_fits(teacher)
    tool.get_by_role("button", name="Enregistrer le groupe").click()
    expect(tool.get_by_role("status")).to_contain_text("Groupe A")

    go(teacher, "/periods?proposal=terms")
    assert_fits(teacher)
    tool.get_by_role("button", name="Enregistrer les périodes").click()
    expect(tool.get_by_role("status")).to_have_text("Périodes enregistrées.")
    first = tool.locator("[name=starts_0]").input_value()

    make_activity(teacher, "Pour toute la classe", first)
    make_activity(teacher, "Pour la demi-classe", first, "Groupe A")
    line = tool.get_by_role("row", name=re.compile("Pour la demi-classe"))
    expect(line).to_contain_text("0/2")
    expect(line).to_contain_text("Trimestre 1")
    assert_fits(teacher)

    tool.get_by_label("Pour qui").select_option(label="Groupe A")
    tool.get_by_role("button", name="Filtrer").click()
    expect(tool.locator("tbody tr")).to_have_count(1)
    tool.get_by_role("link", name="Tout montrer").click()

    tool.get_by_role("link", name="Réordonner").click()
    last = tool.locator("tbody tr").last.get_by_role("rowheader")
    expect(last).to_contain_text("Pour toute la classe")
    tool.get_by_role("button", name=re.compile("Monter.*Pour toute la classe")).click()
    expect(last).to_contain_text("Pour la demi-classe")

    tool.get_by_role("link", name="Pour la demi-classe").click()
    expect(tool.get_by_label("Adam B., 1A")).to_be_visible()
    expect(tool.get_by_label("Aïcha D., 1A")).to_have_count(0)

    for name, asked in (("Adam Benali", 1), ("Aïcha Diop", 0)):
        pupil = enter(context, demo, name)
        pupil.page.set_viewport_size(PHONE)
        pupil.open_link("Spirale")
        go(pupil, "/me/activities")
        expect(pupil.tool.get_by_role("link", name="Pour toute la classe")).to_have_count(1)
        expect(pupil.tool.get_by_role("link", name="Pour la demi-classe")).to_have_count(asked)


def test_a_course_begins_with_three_steps_and_its_year_ends_in_one(teacher: Tab) -> None:
    tool = teacher.tool
    teacher.open_link("Spirale", EMPTY)
    title = tool.get_by_role("heading", level=1)
    expect(title).to_have_text("Le référentiel et l’échelle")
    assert_fits(teacher)
    tool.get_by_label(re.compile("LSU")).check()
    tool.get_by_role("button", name="Continuer").click()
    expect(title).to_have_text("Le carnet de notes")
    assert_fits(teacher)
    tool.get_by_role("link", name="Passer cette étape").click()
    expect(title).to_have_text("La première activité")
    tool.get_by_role("link", name="Plus tard").click()
    expect(title).to_have_text("Activités")
    teacher.open_link("Spirale", EMPTY)
    expect(title).to_have_text("Activités")

    make_activity(teacher, "Accueil au lycée", "2026-03-19")
    tool.get_by_role("link", name="Accueil au lycée").first.click()
    tool.locator("input[name^=c-]").first.click()
    teacher.page.keyboard.press("3")
    expect(tool.get_by_role("status").first).to_contain_text("Enregistré à")

    go(teacher, "/year")
    expect(tool.locator("main")).to_contain_text("Un résultat rangé dans l’année 2025-2026")
    assert_fits(teacher)
    tool.get_by_role("button", name=re.compile("Ranger 2025-2026")).click()
    expect(tool.get_by_role("status").first).to_contain_text("L’année 2025-2026 est rangée.")
    assert_fits(teacher)
    tool.get_by_role("link", name="Accueil au lycée").click()
    expect(tool.locator(".head")).to_contain_text("Année passée")
    expect(tool.locator("input[name^=c-]").first).to_have_value("3")
    go(teacher, "/activities")
    expect(tool.get_by_role("row", name=re.compile("Accueil au lycée"))).to_contain_text("date à fixer")
    tool.get_by_role("link", name="Accueil au lycée").first.click()
    expect(tool.locator(".head")).to_contain_text("Sans date")
    expect(tool.locator("input[name^=c-]").first).to_have_value("")


@pytest.mark.parametrize("size", [DESK, PHONE], ids=["desk", "phone"])
def test_without_a_script_a_teacher_attaches_assesses_decides_and_publishes(
    teacher: Tab, size: ViewportSize
) -> None:
    tool, width = teacher.tool, size["width"]
    teacher.page.set_viewport_size(size)
    teacher.open_link("Spirale")
    scripts = teacher.page.context.new_cdp_session(teacher.frame)
    scripts.send("Emulation.setScriptExecutionDisabled", {"value": True})
    go(teacher, "/activities")
    expect(tool.locator("html.js")).to_have_count(0)

    # Attach: what is wrong is said, and what was typed stays.
    tool.get_by_role("link", name="Nouvelle situation").click()
    title = f"Sans script à {width}"
    tool.get_by_label("Titre").fill(title)
    tool.get_by_label("Date du travail").fill("2026-03-19")
    tool.get_by_role("button", name="Enregistrer et évaluer").click()
    expect(tool.get_by_role("alert")).to_contain_text("rien de ce qui est tapé n’est perdu")
    expect(tool.get_by_label("Titre")).to_have_value(title)
    assert_no_sideways_scroll(teacher.frame)
    tool.locator("[name=competences][value='2C']").check()
    tool.get_by_role("button", name="Enregistrer et évaluer").click()

    # Assess: the whole grid, with one cell to correct; a comment; then one pupil at a time.
    tool.get_by_label("Adam B., 2C").fill("3")
    tool.get_by_label("Aïcha D., 2C").fill("7")
    tool.get_by_role("button", name="Enregistrer", exact=True).click()
    expect(tool.get_by_role("alert")).to_contain_text("Aïcha D., 2C")
    expect(tool.get_by_label("Aïcha D., 2C")).to_have_value("7")
    tool.get_by_label("Aïcha D., 2C").fill("abs")
    tool.get_by_role("button", name="Enregistrer", exact=True).click()
    expect(tool.get_by_label("Aïcha D., 2C, absent")).to_have_value("ABS")
    tool.locator("details.no-js summary").click()
    tool.locator("#comment-text").fill("Relance au bon moment.")
    tool.get_by_role("button", name="Enregistrer le commentaire").click()
    expect(tool.get_by_label("Adam B., 2C, maîtrisée, commentaire")).to_have_value("3")
    assert_no_sideways_scroll(teacher.frame)
    tool.get_by_role("link", name="Élève par élève").click()
    expect(tool.get_by_role("heading", level=1)).to_have_text("Adam Benali")
    tool.get_by_role("radio", name="4, bien maîtrisée").check()
    tool.get_by_role("button", name="Élève suivant").click()
    expect(tool.get_by_role("heading", level=1)).to_have_text("Aïcha Diop")
    assert_no_sideways_scroll(teacher.frame)

    # See, and decide.
    go(teacher, "/overview")
    tool.locator("[name=complexity]").select_option("1", force=True)
    tool.get_by_role("button", name="Filtrer").click()
    expect(tool.get_by_text("Seulement :")).to_contain_text("simple")
    go(teacher, "/overview")
    cell = tool.locator("tr", has_text="Adam B.").locator("td").nth(6).locator("a.pos")
    cell.click()
    expect(tool.locator(".why")).to_contain_text(title)
    tool.get_by_role("link", name="Retenir un autre positionnement").click()
    tool.get_by_role("radio", name="2 insuffisamment maîtrisée").check()
    tool.get_by_role("radio", name="simple").check(force=True)
    tool.get_by_label("Pourquoi").fill("Sans aide, pas encore.")
    tool.get_by_role("button", name="Retenir ce positionnement").click()
    expect(tool.locator(".why")).to_contain_text("Sans aide, pas encore.")
    tool.get_by_role("button", name="Revenir au proposé").click()
    expect(tool.locator(".why")).not_to_contain_text("Sans aide, pas encore.")
    go(teacher, "/coverage")
    tool.get_by_role("link", name="3C en accueil").first.click()
    expect(tool.locator("[name=competences]:checked")).to_have_value("3C")

    # When scores leave: nothing before « Publier », and then what was seen.
    go(teacher, "/settings")
    tool.get_by_label("Sur « Publier »").check()
    tool.get_by_role("button", name="Enregistrer", exact=True).click()
    expect(tool.locator("main")).to_contain_text("Rien ne part avant « Publier »")
    go(teacher, "/activities")
    tool.get_by_role("link", name=title, exact=True).click()
    tool.get_by_label("Chloé M., 2C").fill("1" if width == 390 else "2")
    tool.get_by_role("button", name="Enregistrer", exact=True).click()
    expect(tool.get_by_role("status").first).to_contain_text("Enregistré à")
    go(teacher, "/gradebook?state=to_publish")
    expect(tool.locator(".scores tr", has_text="Chloé M.")).to_contain_text("à publier")
    assert_no_sideways_scroll(teacher.frame)
    tool.get_by_role("link", name=re.compile("^Publier l")).first.click()
    tool.get_by_role("button", name="Publier les colonnes cochées").click()
    expect(tool.get_by_role("status").first).to_contain_text("publiée")
    go(teacher, "/settings")
    tool.get_by_label("Dès qu’un niveau est saisi").check()
    tool.get_by_role("button", name="Enregistrer", exact=True).click()
    expect(tool.get_by_role("status").first).to_be_visible()
