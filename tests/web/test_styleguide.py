"""The page of tokens and components: whole, and only in development."""

from __future__ import annotations

import re
from pathlib import Path

from flask.testing import FlaskClient

import lti_tool
from lti_tool import create_app
from tests.conftest import make_config

PACKAGE = Path(lti_tool.__file__).parent


def test_every_colour_and_every_icon_is_on_the_page(client: FlaskClient) -> None:
    page = client.get("/styleguide").get_data(as_text=True)

    light = (PACKAGE / "static" / "spirale.css").read_text(encoding="utf-8").split("@media", 1)[0]
    colours = set(re.findall(r"(--[a-z0-9-]+): #", light))
    sprite = set(re.findall(r'symbol id="(i-[\w-]+)"', (PACKAGE / "templates" / "_sprite.html").read_text()))
    assert set(re.findall(r'fill="var\((--[a-z0-9-]+)\)"', page)) == colours
    assert len(colours) > 20
    assert sprite <= set(re.findall(r'href="#(i-[\w-]+)"', page))
    assert "style=" not in page
    assert "<script>" not in page


def test_production_has_no_such_page(tmp_path: Path) -> None:
    config = make_config(
        tmp_path,
        SPIRALE_CONFIG="production",
        SPIRALE_BASE_URL="https://spirale.example.org",
        SPIRALE_TRUSTED_PROXIES="1",
    )
    rules = {rule.rule for rule in create_app(config).url_map.iter_rules()}

    assert "/health/live" in rules
    assert "/styleguide" not in rules
