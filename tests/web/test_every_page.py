"""What every page of a session must hold, whoever adds it: a constant number of queries, and a light answer."""

from __future__ import annotations

import gzip
import re
import shutil
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path

import pytest
from flask import Flask

from lti_tool import create_app
from lti_tool.db import db, utcnow
from lti_tool.gradebook.scores import queue_all
from tests import factories
from tests.classes import Class, make_class
from tests.conftest import make_config
from tests.statements import statements
from tests.web.every_page import Opened, every_page

MOST_SENT = 40_000
"""The heaviest page is 22 kB as it is sent; the rule of the house is 100."""
MOST_HTML = 400_000
MOST_QUERIES = 30


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory, migrated: Path) -> Iterator[Flask]:
    folder = tmp_path_factory.mktemp("classes")
    shutil.copy(migrated, folder / "spirale.db")
    app = create_app(make_config(folder))
    yield app
    with app.app_context():
        db.engine.dispose()
    app.extensions["spirale_queue"].storage.close()


@pytest.fixture(scope="module")
def classes(app: Flask) -> tuple[Class, Class]:
    """A class of 5 with 3 situations, and one of 35 with 12, every score of both queued."""
    with app.app_context():
        platform = factories.platform()
        made = make_class(platform, 5, 3, seed=1), make_class(platform, 35, 12, seed=2)
        for one in made:
            queue_all(db.session, one.course, utcnow())
        db.session.commit()
        db.session.close()
    return made


def cost(app: Flask, page: Opened) -> int:
    """The queries of a page that was opened once before: what a process keeps is there."""
    first = page.visitor.get(page.path)
    assert first.status_code in (200, 302, 303), (page.name, first.status_code)
    with statements(app) as seen:
        page.visitor.get(page.path)
    return len(seen)


def test_a_page_asks_the_database_as_much_for_5_pupils_and_3_situations_as_for_35_and_12(
    app: Flask, classes: tuple[Class, Class]
) -> None:
    small, large = ({page.name: cost(app, page) for page in every_page(app, one)} for one in classes)

    assert len(small) >= 45
    assert {name: (small[name], count) for name, count in large.items() if count != small[name]} == {}
    assert {name: count for name, count in large.items() if count > MOST_QUERIES} == {}


def test_every_page_of_a_class_of_35_is_light_and_shows_it(app: Flask, classes: tuple[Class, Class]) -> None:
    heavy, shown = {}, {}
    for page in every_page(app, classes[1]):
        answer = page.visitor.get(page.path, headers={"Accept-Encoding": "gzip"})
        packed = answer.headers.get("Content-Encoding") == "gzip"
        whole = gzip.decompress(answer.data) if packed else answer.data
        shown[page.name] = whole.decode()
        if len(answer.data) > MOST_SENT or len(whole) > MOST_HTML:
            heavy[page.name] = (len(answer.data), len(whole))

    assert heavy == {}
    # None of them is light for being empty.
    assert shown["teacher overview"].count('class="pos"') > 300
    assert shown["teacher coverage"].count('class="has"') > 30
    assert "1 à 100, sur " in shown["teacher gradebook?state=waiting"]
    assert shown["teacher preview_publish to publish"].count("→ <b>") > 300
    assert shown["teacher activities"].count("séance") >= 12
    assert shown["teacher grid"].count('class="cell') >= 35 * 5
    assert "séance 12" in shown["learner my_activities"]
    assert "<svg" in shown["learner my_spiral"]


SPACES = {"en": r".{0,30}[ \u00a0\u202f][;:?!].{0,20}", "fr": r".{0,30}(?: [;:?!»]|« ).{0,20}"}
"""Where a space is wrong: before a high mark in English; an ordinary one there in French, where the line may break."""
QUOTED = "…"
"""Stands for what is in another language."""


class Texts(HTMLParser):
    """The texts of a page in its own language: what is quoted of the referential says that it is French."""

    def __init__(self, locale: str) -> None:
        super().__init__()
        self._locale, self._inside, self.texts = locale, list[tuple[str, bool]](), list[str]()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in VOID:
            return
        given = dict(attrs)
        hidden = tag in ("script", "style") or given.get("lang", self._locale) != self._locale
        self._inside.append((tag, hidden or (bool(self._inside) and self._inside[-1][1])))
        self.texts += [] if self._inside[-1][1] else [given[name] or "" for name in SAID if name in given]

    def handle_endtag(self, tag: str) -> None:
        while self._inside and self._inside.pop()[0] != tag:
            pass

    def handle_data(self, data: str) -> None:
        hidden = bool(self._inside) and self._inside[-1][1]
        self.texts.append(QUOTED if hidden and data.strip() else data)


VOID = {"area", "base", "br", "col", "hr", "img", "input", "link", "meta", "use", "path"}
SAID = ("aria-label", "title", "placeholder", "alt", "data-words", "data-one", "data-many")


@pytest.mark.parametrize("locale", ["fr", "en"])
def test_high_marks_have_the_spaces_of_the_pages_language(
    app: Flask, classes: tuple[Class, Class], locale: str
) -> None:
    wrong = {}
    for page in every_page(app, classes[0], locale):
        reader = Texts(locale)
        reader.feed(page.visitor.get(page.path).text)
        text = re.sub(r"\n\s*", "\n", "".join(reader.texts))
        if found := re.findall(SPACES[locale], text):
            wrong[page.name] = found[:4]
    assert wrong == {}
