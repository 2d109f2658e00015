"""What the journeys rest on: in this browser, a third-party cookie that is not partitioned is lost."""

from __future__ import annotations

from typing import Any

from playwright.sync_api import BrowserContext
from werkzeug.wrappers import Request, Response

from tests.journeys.conftest import Demo, enter
from tests.platform import running


def _site(environ: Any, start_response: Any) -> Any:
    """Sets two cookies, then says which of them came back."""
    request = Request(environ)
    if request.path == "/set":
        response = Response("<a id=next href=/seen>next</a>", mimetype="text/html")
        response.set_cookie("plain", "1", secure=True, samesite="None")
        response.set_cookie("partitioned", "1", secure=True, samesite="None", partitioned=True)
    else:
        response = Response(f"<p id=seen>{','.join(sorted(request.cookies))}</p>", mimetype="text/html")
    return response(environ, start_response)


def test_third_party_cookies_are_blocked_here_unless_they_are_partitioned(context: BrowserContext) -> None:
    with running(_site, "localhost") as tool:

        def host(environ: Any, start_response: Any) -> Any:
            return Response(f"<iframe src='{tool}/set'></iframe>", mimetype="text/html")(
                environ, start_response
            )

        with running(host) as lms:
            page = context.new_page()
            page.goto(lms)
            page.frame_locator("iframe").locator("#next").click()
            seen = page.frame_locator("iframe").locator("#seen").inner_text()
    assert seen == "partitioned"


def test_the_tool_opens_in_the_frame_all_the_same(context: BrowserContext, demo: Demo) -> None:
    tab = enter(context, demo, "Claire Morel")
    tab.open_link("Spirale")
    assert tab.path() == "/activities"
    cookies = [c for c in context.cookies() if c["domain"] == "localhost"]
    assert [c.get("partitionKey") for c in cookies] == ["http://127.0.0.1"]


def test_a_browser_without_any_cookie_gets_a_new_window(context: BrowserContext, demo: Demo) -> None:
    # A browser that drops even partitioned cookies: the header is taken away before the browser sees it.
    def drop(route: Any) -> None:
        answer = route.fetch(max_redirects=0)
        headers = {k: v for k, v in answer.headers.items() if k.lower() != "set-cookie"}
        route.fulfill(response=answer, headers=headers)

    tab = enter(context, demo, "Claire Morel")
    context.route(f"{demo.tool_url}/lti/login*", drop)
    tab.open_link("Spirale")
    button = tab.tool.get_by_role("button", name="Ouvrir dans une nouvelle fenêtre")
    button.wait_for()
    context.unroute(f"{demo.tool_url}/lti/login*")
    with context.expect_page() as opened:
        button.click()
    window = opened.value
    window.wait_for_url("**/activities")
    assert window.get_by_role("heading", level=1).inner_text() == "Activités"
