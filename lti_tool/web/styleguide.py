"""The tokens and components of the pages, on one page: in development only, for whoever writes a page."""

from __future__ import annotations

import re
from functools import lru_cache
from pathlib import Path

from flask import Blueprint, render_template
from flask_babel import force_locale

from ..assessment.scales import DEFAULT_SCALE, find_scale

styleguide = Blueprint("styleguide", __name__)

COLOUR = re.compile(r"(--[\w-]+): #[0-9a-f]{6};")
ICON = re.compile(r'<symbol id="i-(?!(?:s|cx)\d|sp)([\w-]+)"')
"""An icon's name; the signs of levels, complexities and specialities have their own place on the page."""


@styleguide.get("/styleguide")
def show() -> str:
    """Every token and every component, by the stylesheet and the macros that the pages use."""
    with force_locale("fr"):
        return render_template(
            "styleguide.html",
            colours=colours(),
            icons=icons(),
            words=find_scale(DEFAULT_SCALE).words["fr"],
        )


@lru_cache(maxsize=1)
def colours() -> list[str]:
    """The names of the colour tokens, read from the stylesheet in its order."""
    return COLOUR.findall(_read("static", "spirale.css").split("@media", 1)[0])


@lru_cache(maxsize=1)
def icons() -> list[str]:
    """The names of the icons of the sprite."""
    return ICON.findall(_read("templates", "_sprite.html"))


def _read(*parts: str) -> str:
    return Path(__file__).resolve().parent.parent.joinpath(*parts).read_text(encoding="utf-8")
