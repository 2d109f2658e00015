"""The administrator's pages in a real browser: signing in, each page accessible and within the window."""

from __future__ import annotations

import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Thread

import pytest
from flask import Flask
from playwright.sync_api import Browser
from werkzeug.serving import make_server

from lti_tool import create_app
from lti_tool.db import begin_write, db, utcnow
from lti_tool.errors import Refusal
from lti_tool.lti.refused import count_refusal
from tests import factories
from tests.conftest import make_config
from tests.web.admin_world import PASSWORD, add_account

from .conftest import assert_accessible

PATHS = (
    "/",
    "/invites",
    "/platforms/add",
    "/platforms/1",
    "/platforms/1/disable",
    "/platforms/1/remove",
    "/platforms/1/replace",
    "/courses",
    "/retention",
    "/keys",
    "/keys/rotate",
    "/events",
)


@pytest.fixture
def tool(tmp_path: Path, migrated: Path) -> Iterator[str]:
    """The tool alone, with an administrator, three platforms and a course: its address."""
    (tmp_path / "spirale.db").write_bytes(migrated.read_bytes())
    # The browser has a loop in this thread, where a context of the application cannot end.
    with ThreadPoolExecutor(1) as beside:
        app = beside.submit(_filled, tmp_path).result()
        server = make_server("localhost", 0, app, threaded=True)
        thread = Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield f"http://localhost:{server.server_port}/admin"
        server.shutdown()
        thread.join()
        server.server_close()
        beside.submit(_close, app).result()


def _filled(folder: Path) -> Flask:
    app = create_app(make_config(folder))
    add_account(app)
    with app.app_context():
        begin_write()
        issuer = "https://moodle.example.org"
        platform = factories.platform(issuer=issuer)
        factories.platform(issuer=issuer, enabled=False)
        factories.platform(issuer=issuer)
        factories.activity(factories.course(platform))
        count_refusal(db.session, platform.id, Refusal.EXPIRED, utcnow())
        db.session.commit()
    return app


def _close(app: Flask) -> None:
    with app.app_context():
        db.engine.dispose()
    app.extensions["spirale_queue"].storage.close()


@pytest.mark.parametrize(
    ("width", "scheme", "language"), [(1280, "light", "fr-FR"), (390, "dark", "en-GB")], ids=["wide", "phone"]
)
def test_each_of_the_administrators_pages_is_accessible_and_fits(
    tool: str, chromium: Browser, width: int, scheme: str, language: str
) -> None:
    context = chromium.new_context(
        viewport={"width": width, "height": 844},
        color_scheme=scheme,  # type: ignore[arg-type]
        locale=language,
    )
    page = context.new_page()
    broken: list[str] = []
    page.on("console", lambda said: broken.append(said.text) if said.type == "error" else None)
    page.goto(f"{tool}/")
    assert page.url == f"{tool}/sign-in"
    assert_accessible(page)
    page.locator("#login").fill("marie")
    page.locator("#password").fill(PASSWORD)
    page.locator("main button").click()
    page.wait_for_url(f"{tool}/")
    for path in PATHS:
        page.goto(f"{tool}{path}")
        assert_accessible(page)
        wide, narrow = page.evaluate(
            "[document.documentElement.scrollWidth, document.documentElement.clientWidth]"
        )
        assert wide <= narrow, path
    page.locator("header form button").click()
    page.wait_for_url(re.compile("/sign-in"))
    assert broken == []
    context.close()
