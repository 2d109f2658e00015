"""An LMS that gives the height it is asked for, and one that answers nothing."""

from __future__ import annotations

from playwright.sync_api import Browser, expect

from tests.journeys.conftest import Demo, enter

LISTENS = """
if (window.top === window) {
  window.said = [];
  window.addEventListener('message', function (event) {
    window.said.push(event.data);
    if (event.data.subject === 'lti.capabilities') {
      event.source.postMessage({ subject: 'lti.capabilities.response', message_id: event.data.message_id,
        supported_messages: MESSAGES }, '*');
    }
  });
}
"""


def test_a_page_asks_for_its_height_where_the_lms_says_that_it_gives_it(
    demo: Demo, chromium: Browser
) -> None:
    for messages, asks in (("[{ subject: 'lti.frameResize' }]", True), ("[{ subject: 'lti.close' }]", False)):
        context = chromium.new_context(viewport={"width": 1280, "height": 900}, locale="fr-FR")
        context.add_init_script(LISTENS.replace("MESSAGES", messages))
        tab = enter(context, demo, "Claire Morel")
        tab.open_link("Spirale")
        tab.tool.get_by_role("link", name="Référentiel").click()
        expect(tab.tool.get_by_role("heading", level=1)).to_be_visible()
        if asks:
            tab.page.wait_for_function("window.said.some((one) => one.subject === 'lti.frameResize')")
        said = tab.page.evaluate("window.said")
        height = tab.frame.evaluate("Math.ceil(document.body.getBoundingClientRect().height)")
        context.close()

        heights = [one["height"] for one in said if one["subject"] == "lti.frameResize"]
        assert {one["subject"] for one in said} <= {"lti.capabilities", "lti.frameResize"}
        assert (heights[-1:] == [height]) is asks
        assert bool(heights) is asks
