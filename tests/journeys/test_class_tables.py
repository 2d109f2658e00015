"""« Bilan » and « Couverture » in a real browser, in the LMS's frame: on a desk, on a phone, without a script."""

from __future__ import annotations

from playwright.sync_api import BrowserContext, Frame, expect

from tests.journeys.conftest import Demo, Tab, assert_accessible, assert_no_sideways_scroll, enter

DRAWN = """dark => (getComputedStyle(document.querySelector('.nav a')).color.match(/\\d+/g)
    .reduce((sum, one) => sum + Number(one), 0) > 380) === dark"""
"""The frame has taken the theme: its text is light on dark, or dark on light."""
HOLD = "const box = document.querySelector('.box'); "


def assess_everyone(tab: Tab) -> None:
    """A level for each pupil in the first competence of the first situation of the list."""
    tab.open_link("Spirale")
    tab.tool.get_by_role("link", name="Activités").click()
    tab.frame.locator("a[href$='/grid']").first.click()
    tab.wait_for_grid()
    first = tab.tool.locator("input.cell, .cell input").first
    first.click()
    for number in range(24):
        tab.page.keyboard.press(str(1 + number % 4))
    expect(tab.tool.get_by_role("status").first).to_contain_text("Enregistré à")


def in_both_themes(tab: Tab) -> None:
    """The page is accessible in light and dark, and no wider than its frame."""
    for theme in ("dark", "light"):
        tab.page.emulate_media(color_scheme=theme, reduced_motion="reduce")  # type: ignore[arg-type]
        tab.frame.wait_for_function(DRAWN, arg=theme == "dark")
        assert_accessible(tab.frame)
    assert_no_sideways_scroll(tab.frame)


def scrolled(frame: Frame) -> list[float]:
    found: list[float] = frame.evaluate(f"() => {{ {HOLD} return [box.scrollTop, box.scrollLeft]; }}")
    return found


def test_the_tables_of_a_class_hold_still_are_filtered_and_lead_to_a_new_situation(
    demo: Demo, context: BrowserContext
) -> None:
    tab = enter(context, demo, "Claire Morel")
    tab.page.set_viewport_size({"width": 1000, "height": 750})
    assess_everyone(tab)
    tool = tab.tool

    # Bilan: order, then a cell opened where it is, and closed with the table where it was.
    tool.get_by_role("link", name="Bilan", exact=True).click()
    tool.get_by_role("link", name="Trier par niveau en 1A, du plus bas au plus haut").click()
    expect(tool.locator("th[aria-sort=ascending]")).to_contain_text("1A")
    levels = tool.locator("tbody td:nth-of-type(1) .level").all_text_contents()
    assert [text[0] for text in levels] == sorted(text[0] for text in levels)
    tab.frame.evaluate(f"() => {{ {HOLD} box.scrollTo(40, 120); }}")
    before = scrolled(tab.frame)
    assert before[0] > 0
    tool.locator("tbody tr").nth(9).locator("a.pos").first.click()
    expect(tool.locator("#open")).to_be_focused()
    expect(tool.get_by_role("heading", level=2)).to_contain_text("1A · pourquoi")
    assert "sort=1A&pupil=" in tab.frame.url
    in_both_themes(tab)
    tool.get_by_role("link", name="Fermer").click()
    expect(tool.locator(".why")).to_have_count(0)
    assert abs(scrolled(tab.frame)[1] - before[1]) < 2

    # A filter is said, keeps the order, and is taken away.
    tool.get_by_label("Évaluation").select_option("formative")
    tool.get_by_role("button", name="Filtrer").click()
    expect(tool.get_by_text("Seulement :")).to_contain_text("évaluation formative")
    expect(tool.locator("th[aria-sort=ascending]")).to_contain_text("1A")
    tool.get_by_role("link", name="Tout afficher").click()
    expect(tool.get_by_text("Seulement :")).to_have_count(0)

    # Couverture: the situations of a cell, then an empty one opens the form.
    tool.get_by_role("link", name="Couverture").click()
    expect(tool.locator(".note:has-text('À ouvrir d’abord')")).to_contain_text("jamais travaillées")
    tool.locator("a.has").first.click()
    expect(tool.get_by_text("élèves de la classe y ont un niveau")).to_be_visible()
    in_both_themes(tab)
    tool.get_by_role("link", name="2B en vente").first.click()
    expect(tool.locator("[name=competences]:checked")).to_have_value("2B")
    expect(tool.locator("[name=specialities]:checked")).to_have_value("V")

    # On a phone: five entries in one bar, filters behind their button, nothing wider than the screen.
    tab.page.set_viewport_size({"width": 390, "height": 800})
    tool.get_by_role("link", name="Couverture").click()
    in_both_themes(tab)
    tops = tool.locator(".nav a:visible").evaluate_all(
        "links => links.map(a => a.getBoundingClientRect().top)"
    )
    assert len(tops) == 5
    assert len(set(tops)) == 1
    tool.get_by_role("link", name="Bilan", exact=True).click()
    expect(tool.get_by_label("Spécialité")).to_be_hidden()
    tool.get_by_role("button", name="Filtres").click()
    expect(tool.get_by_label("Spécialité")).to_be_visible()
    in_both_themes(tab)
