"""Pages as a reader meets them: words in order, without tags."""

from __future__ import annotations

import html
import re

from werkzeug.test import TestResponse


def words(page: TestResponse | str) -> str:
    """The text of a page or of a part of it, on one line, with plain spaces."""
    source = page if isinstance(page, str) else page.text
    body = source.partition("<main")[2] or source
    text = " ".join(html.unescape(re.sub(r"<[^>]+>", " ", body)).split())
    return text.replace(" ,", ",")


def part(page: TestResponse, start: str, end: str) -> str:
    """What stands between two pieces of a page's source."""
    before, found, rest = page.text.partition(start)
    assert found, f"« {start} » is not in the page"
    return rest.partition(end)[0]
