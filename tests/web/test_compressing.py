"""What is sent compressed, to whom, and what never is (docs/decisions/0030-compression.md)."""

from __future__ import annotations

import gzip

import pytest
from werkzeug.test import TestResponse

from tests.conftest import School

GZIP = {"Accept-Encoding": "br, gzip"}


def test_a_page_is_compressed_for_who_takes_it_and_says_the_same(school: School) -> None:
    teacher = school.visit("teacher")

    plain, packed = teacher.get("/referential/general"), teacher.get("/referential/general", headers=GZIP)

    assert "Content-Encoding" not in plain.headers
    assert packed.headers["Content-Encoding"] == "gzip"
    assert gzip.decompress(packed.data) == plain.data
    assert len(packed.data) * 3 < len(plain.data)
    assert int(packed.headers["Content-Length"]) == len(packed.data)
    assert plain.headers["Vary"] == packed.headers["Vary"] == "Accept-Encoding"


@pytest.mark.parametrize("taken", ["", "identity", "br", "gzip;q=0"])
def test_who_does_not_take_gzip_gets_the_words(school: School, taken: str) -> None:
    answer = school.visit("teacher").get("/activities", headers={"Accept-Encoding": taken})

    assert "Content-Encoding" not in answer.headers
    assert answer.text.startswith("<!doctype html>")


def test_a_static_file_is_compressed_and_asked_for_again_without_its_bytes(school: School) -> None:
    client = school.app.test_client()

    def get(path: str, **headers: str) -> TestResponse:
        with client.get(path, headers=headers) as answer:
            answer.get_data()
            return answer

    plain = get("/static/spirale.css")
    packed, again = (get("/static/spirale.css", **GZIP) for _time in range(2))

    assert gzip.decompress(packed.data) == gzip.decompress(again.data) == plain.data
    assert packed.headers["Cache-Control"] == plain.headers["Cache-Control"]
    tag = packed.headers["ETag"]
    assert tag == f"W/{plain.headers['ETag']}"
    assert get("/static/spirale.css", **GZIP, **{"If-None-Match": tag}).status_code == 304
    assert "Content-Encoding" not in get("/static/icon.svg", **GZIP, Range="bytes=0-9").headers


def test_small_answers_and_those_that_are_no_page_go_as_they_are(school: School) -> None:
    teacher = school.visit("teacher")

    for path in ("/activities/nudges", "/"):
        assert "Content-Encoding" not in teacher.get(path, headers=GZIP).headers, path


def test_pages_that_hold_a_secret_under_an_address_anyone_can_name_are_never_compressed(
    school: School,
) -> None:
    client = school.app.test_client()

    for path in ("/", "/admin/sign-in", "/lti/jwks", "/lti/launch", "/lti/register/unknown", "/health/ready"):
        assert "Content-Encoding" not in client.get(path, headers=GZIP).headers, path
