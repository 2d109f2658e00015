"""What a spreadsheet gives is read as it was: the parser of the page, in a real browser, on blocks made at random."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from playwright.sync_api import Browser, Page

import lti_tool

SCRIPT = Path(lti_tool.__file__).parent / "static" / "grid_paste.js"
WORDS = {
    "1": "1", "2": "2", "3": "3", "4": "4", "ABS": "ABS", "absente": "ABS", "NE": "NE", "non évalué": "NE",
    "maîtrisée": "3", "non maîtrisée": "1", "bien maîtrisée": "4",
}  # fmt: skip
MANY = settings(
    max_examples=150,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
    database=None,
)

pieces = st.text(st.sampled_from("ab3é\"'\t\n ;,²\u00a0"), max_size=6)
blocks = st.lists(st.lists(pieces, min_size=1, max_size=5), min_size=1, max_size=6)
"""Rows of any length: a spreadsheet gives rectangles, other programs do not."""


@pytest.fixture(scope="module")
def parser(chromium: Browser) -> Iterator[Page]:
    page = chromium.new_page()
    page.add_script_tag(content=SCRIPT.read_text(encoding="utf-8"))
    page.evaluate("(words) => { window.read = Spirale.createReader(words); }", WORDS)
    yield page
    page.close()


def parse(parser: Page, text: str) -> Any:
    return parser.evaluate("(text) => Spirale.parseBlock(text)", text)


def written(block: list[list[str]], line_end: str, always: bool) -> str:
    """As spreadsheets write it: between quotes what holds a tab, a line end or a quote; `always`: everything."""

    def piece(text: str) -> str:
        if always or any(one in text for one in '\t\n"'):
            return '"' + text.replace('"', '""') + '"'
        return text

    return "".join("\t".join(map(piece, row)) + line_end for row in block)


@MANY
@given(block=blocks, line_end=st.sampled_from(["\n", "\r\n"]), always=st.booleans(), ends=st.booleans())
def test_every_block_comes_back_as_it_was_written(
    parser: Page, block: list[list[str]], line_end: str, always: bool, ends: bool
) -> None:
    text = written(block, line_end, always)
    # Without its last line end, a last row of one blank piece is nothing at all.
    if not ends and (block[-1] != [""] or always):
        text = text.removesuffix(line_end)
    assert parse(parser, text) == block


@MANY
@given(text=st.text(st.sampled_from('a1\t\r\n"'), max_size=40))
def test_any_text_is_read_and_nothing_of_it_is_lost(parser: Page, text: str) -> None:
    rows = parse(parser, text)
    assert all(rows)
    kept = "".join(piece for row in rows for piece in row)
    for letter in "a1":
        assert kept.count(letter) == text.count(letter)


def test_a_quote_that_does_not_close_is_a_character(parser: Page) -> None:
    assert parse(parser, '"a\t3\n5" écran\t4') == [['"a', "3"], ['5" écran', "4"]]
    assert parse(parser, '"l’un\nl’autre"\t2') == [["l’un\nl’autre", "2"]]
    assert parse(parser, "3\t\r\n\t4\r\n") == [["3", ""], ["", "4"]]
    assert parse(parser, "") == [[""]]
    long = '"' + "a\t" * 20_000
    assert len(parse(parser, long)[0]) == 20_001


@MANY
@given(
    word=st.sampled_from(sorted(WORDS)),
    around=st.tuples(*[st.sampled_from(["", " ", "\u00a0", "\t ", "\n"])] * 2),
    case=st.sampled_from([str.lower, str.upper, str.title]),
)
def test_a_level_a_code_or_a_word_is_read_whatever_its_case_and_spaces(
    parser: Page, word: str, around: tuple[str, str], case: Any
) -> None:
    assert parser.evaluate("(text) => read(text)", around[0] + case(word) + around[1]) == WORDS[word]


def test_what_is_read_and_what_is_not(parser: Page) -> None:
    readings = {
        "3,0": "3", "2.00": "2", "3 · maîtrisée": "3", "4 - Bien maîtrisée": "4", "maitrisee": "3", "Abs.": "ABS",
        "": "", " \u202f": "",
        "0": None, "5": None, "33": None, "3,5": None, "²": None, "½": None, "a": None,
        "acquis": None, "2 · maîtrisée": None, "3 3": None, "-1": None, "constructor": None, "3/4": None,
    }  # fmt: skip
    found = parser.evaluate("(texts) => texts.map((one) => read(one))", list(readings))
    assert json.dumps(dict(zip(readings, found, strict=True))) == json.dumps(readings)
