"""Take the pictures of docs/images again: `make screenshots`.

Starts the demo on free ports, fills a class through the pages as a teacher would, and photographs the main screens in
the LMS's frame, at 1280 and 390 px.
"""

from __future__ import annotations

import random
import re
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, Frame, Page, sync_playwright

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from lti_tool.demo.people import MRC2  # noqa: E402
from tests.all_states import fill_course  # noqa: E402
from tests.journeys.conftest import CHROMIUM, FLAGS, Demo, enter, start_demo, stop_demo  # noqa: E402
from tests.journeys.test_registration import invitation  # noqa: E402

IMAGES = Path(__file__).resolve().parent / "images"
SITUATIONS = [
    ("Accueil d’un visiteur au lycée", "2026-10-08", 1, "A", "1A 1B 3C",
     "Une personne demande à rencontrer la proviseure. L’élève l’accueille, l’oriente et rend compte."),
    ("Vente à un client qui a parcouru l’offre en ligne", "2026-10-22", 1, "CV", "1A 1C 1D 2B 3A 3C",
     "Le client a comparé deux produits en ligne et vient en magasin pour des explications et une livraison."),
    ("Conseil par téléphone", "2026-11-05", 2, "V", "1A 1C 1D",
     "Un client hésite entre deux modèles et demande un conseil avant de passer au magasin."),
    ("Stand de la section au forum des métiers", "2026-11-19", 3, "AV", "1A 1C 2B 3A",
     "La section tient un stand : accueillir, comprendre ce que cherchent les familles, noter leurs questions."),
]  # fmt: skip
COMMENT = "Bonnes questions ouvertes ; penser à reformuler avant de proposer."


@contextmanager
def running() -> Iterator[tuple[Demo, Browser]]:
    """The demo, and a browser."""
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        demo = start_demo(Path(folder))
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        try:
            yield demo, browser
        finally:
            browser.close()
            stop_demo(demo)


def go(frame: Frame, path: str) -> None:
    """Open another page of the same session."""
    frame.goto(re.sub(r"(/l/[^/]+)/.*", rf"\1{path}", frame.url))


def fill(
    page: Page, frame: Frame, chance: random.Random, situation: tuple[str, str, int, str, str, str]
) -> str:
    """Create a situation and assess the class in it, from the keyboard; the path of the activity."""
    title, day, complexity, specialities, codes, text = situation
    go(frame, "/activities/new")
    frame.get_by_label("Titre").fill(title)
    frame.get_by_label("Date du travail").fill(day)
    frame.get_by_label("Ce que vit l’élève").fill(text)
    frame.locator(f"label:has([name=complexity][value='{complexity}'])").click()
    for one in specialities:
        frame.locator(f"label:has([name=specialities][value={one}])").click()
    for code in codes.split():
        frame.locator(f"[name=competences][value='{code}']").check()
    frame.locator("details.pick:visible summary").nth(1).click()
    frame.locator("[name=observed]:visible").nth(0).check()
    frame.locator("[name=observed]:visible").nth(3).check()
    frame.get_by_role("button", name="Enregistrer et évaluer").click()
    frame.locator(".cell").first.wait_for()
    keys = {1: "12223333344a", 2: "1222333334n", 3: "1122233344"}[complexity]
    for column in range(len(codes.split())):
        frame.locator(f"tbody tr:first-child td:nth-child({column + 2}) input:not([type=hidden])").focus()
        for _ in range(24):
            page.keyboard.press(chance.choice(keys))
    page.wait_for_timeout(1500)
    return re.sub(r"^.*/l/[^/]+(/activities/\d+)/.*$", r"\1", frame.url)


def take(page: Page, name: str, width: int, height: int) -> None:
    page.set_viewport_size({"width": width, "height": height})
    page.wait_for_timeout(400)
    page.screenshot(path=IMAGES / f"{name}-{width}.png")


def take_both(page: Page, name: str) -> None:
    """At both widths; the page is left at the wider one."""
    for width, height in ((390, 844), (1280, 900)):
        take(page, name, width, height)


def follow(frame: Frame, path: str, link: str) -> None:
    """Open the page that a link of another one leads to."""
    go(frame, path)
    frame.get_by_role("link", name=re.compile(link)).first.click()
    frame.wait_for_load_state()


def teacher(demo: Demo, browser: Browser) -> str:
    """The teacher's screens; the path of the activity that the pupil's screens show too."""
    # The non-editing teacher looks like a pupil until they have come once (docs/platforms.md).
    assessor = enter(browser.new_context(locale="fr-FR"), demo, "Yann Le Goff")
    assessor.open_link("Spirale")
    assert assessor.frame
    assessor.page.context.close()
    tab = enter(
        browser.new_context(viewport={"width": 1280, "height": 900}, locale="fr-FR"), demo, "Claire Morel"
    )
    tab.open_link("Spirale")
    frame, chance = tab.frame, random.Random(7)  # noqa: S311 - levels for a picture
    made = [fill(tab.page, frame, chance, situation) for situation in SITUATIONS]
    sale = made[1]
    go(frame, f"{sale}/grid")
    frame.locator("tbody tr:nth-child(5) td:nth-child(3) input:not([type=hidden])").focus()
    frame.locator("#margin-comment").fill(COMMENT)
    frame.locator("tbody tr:nth-child(5) td:nth-child(3) input:not([type=hidden])").focus()
    tab.page.wait_for_timeout(1500)
    go(frame, "/overview")
    sheet = frame.get_by_role("link", name="Amina K.").first.get_attribute("href") or ""
    pupil_id = re.sub(r"^.*/pupils/(\d+).*$", r"\1", sheet)
    for name, path in (
        ("grid", f"{sale}/grid"),
        ("activities", "/activities"),
        ("activity-form", f"{sale}/edit"),
        ("overview", "/overview"),
        ("gradebook", "/gradebook"),
        ("settings", "/settings"),
        ("referential", "/referential"),
        ("general", "/referential/general"),
        ("competence", "/referential/1C"),
        ("search", "/referential/search?q=téléphone"),
        ("paper", "/referential/print?code=1C"),
        ("link", "/link"),
        ("one-pupil", f"{sale}/grid/{{pupil}}"),
        ("sheet", "/pupils/{pupil}?competence=1A"),
        ("coverage", "/coverage"),
        ("policy", "/settings/policy"),
        ("policy-trial", "/settings/policy/try"),
        ("groups", "/groups"),
        ("periods", "/periods"),
        ("new-year", "/year"),
        ("first-steps", "/start"),
        ("comments", "/comments"),
        ("labels", "/pupils/labels"),
        ("group", "/groups/new"),
        ("policy-preview", "/settings/policy?policy=best"),
    ):
        tab.page.set_viewport_size({"width": 1280, "height": 900})  # what is opened below is in sight there
        go(frame, path.format(pupil=pupil_id))
        if name == "grid":
            frame.locator("tbody tr:nth-child(5) td:nth-child(3) input:not([type=hidden])").focus()
        if name == "overview":
            frame.locator("tbody tr:nth-child(3) a.pos").first.click()
            tab.page.wait_for_timeout(500)
        for width, height in ((1280, 900), (390, 844)):
            take(tab.page, name, width, height)
    tab.page.set_viewport_size({"width": 1280, "height": 900})
    follow(frame, f"/pupils/{pupil_id}?competence=1A", "^Retenir un autre positionnement")
    take_both(tab.page, "decision")
    go(frame, "/referential/1C")
    statement = frame.locator("a[href*='/statements/']").first.get_attribute("href") or ""
    go(frame, re.sub(r"^.*(?=/statements/)", "", statement))
    take_both(tab.page, "statement")
    tab.page.goto(f"{demo.lms_url}/courses/2/gradebook")
    take(tab.page, "lms-gradebook", 1280, 900)
    tab.page.goto(f"{demo.lms_url}/courses/2")
    tab.page.get_by_role("link", name=re.compile("Ajouter une activité")).first.click()
    choose = re.compile("Choisir dans Spirale")
    tab.page.get_by_role("link", name=choose).or_(tab.page.get_by_role("button", name=choose)).first.click()
    tab.page.frame_locator("iframe").get_by_role("heading", level=1).wait_for()
    take_both(tab.page, "picker")
    return sale


def gradebook_states(demo: Demo, browser: Browser) -> None:
    """The second class, with a score in every state, and the preview of « Publier »; then its year is put away."""
    context = browser.new_context(viewport={"width": 1280, "height": 900}, locale="fr-FR")
    tab = enter(context, demo, "Claire Morel")
    tab.open_link("Spirale", course=MRC2.id)
    fill_course(demo.folder, str(MRC2.id))
    for name, path in (("gradebook-states", "/gradebook"), ("publish", "/gradebook/publish")):
        go(tab.frame, path)
        for width, height in ((1280, 1400), (390, 1600)):
            take(tab.page, name, width, height)
    tab.page.set_viewport_size({"width": 1280, "height": 900})
    follow(tab.frame, "/gradebook", "^Vider la note")
    take_both(tab.page, "clear")
    go(tab.frame, "/year")
    tab.frame.get_by_role("button", name=re.compile("^Ranger ")).click()
    tab.frame.get_by_role("status").wait_for()
    take_both(tab.page, "years")
    context.close()


def pupil(demo: Demo, browser: Browser, activity: str) -> None:
    for width, height in ((1280, 900), (390, 1300)):
        context = browser.new_context(viewport={"width": width, "height": height}, locale="fr-FR")
        tab = enter(context, demo, "Amina Koné")
        tab.open_link("Spirale")
        for name, path in (
            ("me", "/me?competence=1A"),
            ("to-do", "/me/activities"),
            ("positions", "/me/positions?competence=1C"),
            ("exploration", "/me/exploration"),
            ("activity", activity),
        ):
            go(tab.frame, path)
            take(tab.page, name, width, height)
        context.close()


def administrator(demo: Demo, browser: Browser) -> None:
    """What an administrator meets: the registration in the LMS's frame, and a refusal."""
    context = browser.new_context(locale="fr-FR")
    tab = enter(context, demo, "Claire Morel")
    page = tab.page
    page.goto(f"{demo.lms_url}/admin/tools")
    page.get_by_label("Adresse d'inscription de l'outil").fill(invitation(demo))
    page.get_by_role("button", name="Ajouter LTI Advantage").click()
    confirm = tab.tool.get_by_role("button", name="Inscrire Spirale")
    confirm.wait_for()
    for width, height in ((1280, 900), (390, 844)):
        take(page, "register", width, height)
    confirm.click()
    tab.tool.get_by_role("button", name="Terminer").wait_for()
    for width, height in ((1280, 900), (390, 844)):
        take(page, "registered", width, height)
    page.goto(f"{demo.tool_url}/lti/launch")
    for width, height in ((1280, 900), (390, 844)):
        take(page, "refusal", width, height)
    context.close()


def main() -> None:
    IMAGES.mkdir(exist_ok=True)
    with running() as (demo, browser):
        pupil(demo, browser, teacher(demo, browser))
        administrator(demo, browser)
        gradebook_states(demo, browser)


if __name__ == "__main__":
    main()
