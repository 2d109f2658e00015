"""Lists that come in pages, and tokens that live for a short time, as platforms really answer."""

from __future__ import annotations

import json
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from lti_tool.errors import PlatformRefused
from lti_tool.lti import services, tokens
from lti_tool.lti.http import Answer
from lti_tool.lti.services import Service
from lti_tool.lti.tokens import Caller, Tokens

CALLER = Caller(1, "client", "https://lms.example/token", "", "kid", rsa.generate_private_key(65537, 2048))
LIST = "https://lms.example/roster?rlid=1"


class Given(Tokens):
    """Tokens that nobody has to ask for."""

    def get(self, caller: Caller, scopes: tuple[str, ...]) -> str:
        return "given"


def pages_asked(monkeypatch: pytest.MonkeyPatch, links: list[str | None]) -> list[str]:
    """The addresses that are asked, of a list whose pages name these next ones."""
    asked: list[str] = []

    def ask(_method: str, url: str, **_rest: Any) -> Answer:
        asked.append(url)
        return Answer(200, b"[]", links[len(asked) - 1])

    monkeypatch.setattr(services, "ask", ask)
    assert list(Service(CALLER, Given()).pages(LIST, (), "*/*")) == [[]] * len(asked)
    return asked


@pytest.mark.parametrize(
    "link",
    [
        "https://lms.example/roster?rlid=1&from=2",
        "http://lms.example/roster?rlid=1&from=2",  # it stands behind a proxy that ends TLS
        "/roster?rlid=1&from=2",
        "?rlid=1&from=2",
    ],
)
def test_the_next_page_is_asked_by_the_same_scheme(monkeypatch: pytest.MonkeyPatch, link: str) -> None:
    assert pages_asked(monkeypatch, [link, None]) == [LIST, "https://lms.example/roster?rlid=1&from=2"]


def test_a_list_that_goes_in_a_circle_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    assert pages_asked(monkeypatch, [LIST]) == [LIST]


@pytest.mark.parametrize("link", ["https://elsewhere.example/roster", "//elsewhere.example/", "https://[/"])
def test_our_token_goes_to_no_other_host(monkeypatch: pytest.MonkeyPatch, link: str) -> None:
    asked: list[str] = []
    monkeypatch.setattr(services, "ask", lambda _m, url, **_r: asked.append(url) or Answer(200, b"[]", link))
    with pytest.raises(PlatformRefused):
        list(Service(CALLER, Given()).pages(LIST, (), "*/*"))
    assert asked == [LIST]


@pytest.mark.parametrize(
    ("lifetime", "used_for_s"),
    [
        ({"expires_in": 3600}, 3540),
        ({"expires_in": 60}, 30),
        ({"expires_in": 10}, 5),
        ({}, 540),
        ({"expires_in": None}, 540),
    ],
)
def test_a_token_is_used_for_as_long_as_it_surely_lives(
    monkeypatch: pytest.MonkeyPatch, lifetime: dict[str, Any], used_for_s: int
) -> None:
    fetched: list[str] = []
    now = [1000.0]

    def ask(_method: str, url: str, **_rest: Any) -> Answer:
        fetched.append(url)
        return Answer(200, json.dumps({"access_token": f"t{len(fetched)}", **lifetime}).encode(), None)

    monkeypatch.setattr(tokens, "ask", ask)
    monkeypatch.setattr(tokens.time, "monotonic", lambda: now[0])
    kept = Tokens()
    assert kept.get(CALLER, ("a",)) == "t1"
    now[0] += used_for_s - 1
    assert kept.get(CALLER, ("a",)) == "t1"
    now[0] += 1
    assert kept.get(CALLER, ("a",)) == "t2"
