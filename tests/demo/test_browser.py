"""The LMS in a real browser: the tool third-party in the frame, and pages without accessibility faults."""

import os
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import sync_playwright

from lti_tool.demo import DemoSettings, DemoStore, close_demo_app, create_demo_app
from lti_tool.demo.activities import Column, NewActivity
from lti_tool.demo.people import CLAIRE_MOREL

from .browser_tool import browser_tool
from .played_tool import serving

CHROMIUM = os.environ.get("SPIRALE_CHROMIUM", "/usr/bin/chromium")


@pytest.fixture(scope="module")
def chromium():
    assert Path(CHROMIUM).exists(), (
        f"no browser at {CHROMIUM}: apt-get install chromium, or set SPIRALE_CHROMIUM"
    )
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def platform(tmp_path):
    """A demo LMS and a tool on two sites, 127.0.0.1 and localhost; ``url`` is the LMS's."""
    address = {}
    with serving(lambda _: browser_tool(address)) as tool_server:
        tool_url = f"http://localhost:{tool_server.server_port}"

        def build(url):
            return create_demo_app(DemoSettings(url, tool_url, tmp_path / "demo.sqlite"))

        with serving(build) as server:
            address["url"] = f"http://127.0.0.1:{server.server_port}"
            yield address
            close_demo_app(server.app)


@pytest.fixture
def demo_store(platform, tmp_path):
    with DemoStore(tmp_path / "demo.sqlite") as store:
        yield store


@pytest.fixture
def page(chromium, platform):
    context = chromium.new_context(viewport={"width": 1280, "height": 800}, base_url=platform["url"])
    page = context.new_page()
    page.complaints = []
    page.on("console", lambda said: page.complaints.append(said.text) if said.type == "error" else None)
    yield page
    context.close()


def enter(page, name):
    page.goto("/")
    page.get_by_role("button", name=name).first.click()


@pytest.mark.parametrize("answer", ["redirect", "page"])
def test_a_pupil_reaches_the_tool_in_the_frame(page, platform, answer):
    platform["answer"] = answer
    enter(page, "Aïcha Diop")
    page.get_by_role("link", name="Spirale").click()
    frame = page.frame_locator("#contentframe")
    if answer == "page":
        frame.get_by_role("button", name="Envoyer").click()

    frame.get_by_role("heading", name="Bonjour Aïcha Diop").wait_for()

    assert page.complaints == []


def test_the_frame_fills_the_window(page):
    enter(page, "Aïcha Diop")
    page.get_by_role("link", name="Spirale").click()

    box = page.locator("#contentframe").bounding_box()

    assert box["width"] == 1280
    assert box["y"] + box["height"] == 800
    assert box["height"] > 600


def test_a_teacher_chooses_contents_and_finds_them_in_the_course(page, demo_store):
    enter(page, "Mme Claire Morel")
    page.get_by_role("link", name="Ajouter une activité").click()
    page.get_by_role("link", name="Choisir dans Spirale").click()
    page.frame_locator("#contentframe").get_by_role("button", name="Envoyer").click()

    page.wait_for_url("**/courses/2")
    assert page.get_by_role("status").inner_text() == "2 activités ajoutées."
    assert page.locator(".activities .strong").all_inner_texts() == ["Spirale", "Écouter", "Conseiller"]
    assert [item.tag for item in demo_store.line_items(2)] == ["Écouter", "Conseiller"]
    assert page.complaints == []


def test_without_scripts_the_buttons_lead_to_the_tool(chromium, platform):
    context = chromium.new_context(java_script_enabled=False, base_url=platform["url"])
    page = context.new_page()
    enter(page, "Aïcha Diop")
    page.get_by_role("link", name="Spirale").click()
    frame = page.frame_locator("#contentframe")
    frame.get_by_role("button", name="Ouvrir Spirale").click()
    frame.get_by_role("button", name="Continuer").click()

    frame.get_by_role("heading", name="Bonjour Aïcha Diop").wait_for()
    context.close()


def test_the_tool_opens_in_a_window_of_its_own(page):
    enter(page, "Aïcha Diop")
    page.get_by_role("link", name="Spirale").click()
    with page.expect_popup() as opened:
        page.get_by_role("link", name="Ouvrir dans une nouvelle fenêtre").click()

    opened.value.get_by_role("heading", name="Bonjour Aïcha Diop").wait_for()


@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize("person", ["Mme Claire Morel", "Adam Benali"])
def test_pages_have_no_accessibility_fault_and_fit_the_screen(page, demo_store, person, width):
    page.set_viewport_size({"width": width, "height": 800})
    demo_store.add_activity(2, NewActivity("Oral", "Un texte", column=Column(20, "", "oral")))
    demo_store.set_grade_by_hand(2, "oral", "6", 12.5, "Bien, mais à revoir")
    item = demo_store.line_item(2, "oral").id
    enter(page, person)
    paths = ["/", "/courses/2", "/courses/2/gradebook", "/courses/2/activities/1", "/nothing"]
    if person.endswith(CLAIRE_MOREL.name):
        paths += ["/courses/2/add", f"/courses/2/gradebook/{item}/6"]

    for path in paths:
        page.goto(path)
        faults = Axe().run(page).response["violations"]
        assert [(path, fault["id"], fault["nodes"][0]["html"]) for fault in faults] == []
        assert page.evaluate("document.documentElement.scrollWidth") <= width, path
