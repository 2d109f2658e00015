"""French first, English complete: no message without its English, and compiled catalogues that are up to date."""

from __future__ import annotations

import importlib.util
import re
from io import BytesIO
from types import ModuleType

import pytest
from babel.messages.mofile import write_mo
from flask import Flask
from flask_babel import force_locale, ngettext

from lti_tool.config import shipped

PLACEHOLDERS = re.compile(r"%\(\w+\)[sd]|\{\w+\}")


@pytest.fixture(scope="module")
def catalogues() -> ModuleType:
    path = shipped("lti_tool", "translations", "catalogues.py")
    spec = importlib.util.spec_from_file_location("catalogues", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_every_message_of_the_code_has_its_english(catalogues: ModuleType) -> None:
    template = catalogues.extracted()
    assert len(template) > 400
    assert catalogues.missing(catalogues.english(template)) == []


def test_the_french_plurals_are_those_of_the_code(catalogues: ModuleType) -> None:
    wanted = {m.id: m.string for m in catalogues.french(catalogues.extracted()) if m.id}
    assert {m.id: m.string for m in catalogues.read("fr") if m.id} == wanted


@pytest.mark.parametrize("locale", ["fr", "en"])
def test_compiled_catalogues_are_up_to_date(catalogues: ModuleType, locale: str) -> None:
    compiled = BytesIO()
    write_mo(compiled, catalogues.read(locale))
    assert compiled.getvalue() == catalogues.path_of(locale, "mo").read_bytes(), "run « make translations »"


def test_translations_keep_what_is_filled_in(catalogues: ModuleType) -> None:
    for message in catalogues.read("en"):
        if not message.id:
            continue
        ids = message.id if isinstance(message.id, tuple | list) else (message.id,)
        texts = message.string if isinstance(message.string, tuple | list) else (message.string,)
        wanted = {name for text in ids for name in PLACEHOLDERS.findall(text)}
        for text in texts:
            assert set(PLACEHOLDERS.findall(text)) <= wanted, message.id
        assert set(PLACEHOLDERS.findall(texts[-1])) == wanted, message.id


def test_nothing_is_counted_as_in_french(app: Flask) -> None:
    with app.test_request_context():
        for locale, text in (("fr", "0 élève connu"), ("en", "0 pupils known")):
            with force_locale(locale):
                assert ngettext("%(num)d élève connu", "%(num)d élèves connus", 0) == text
