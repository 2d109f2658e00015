"""A platform of tests, registered in the tool."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from flask import Flask

from tests.lti.platform_of_tests import KeyServer, Lms, make_lms, new_key


@pytest.fixture(scope="session")
def platform_key() -> object:
    """Making a key takes a while: one for all tests."""
    return new_key()


@pytest.fixture
def server(platform_key: object) -> Iterator[KeyServer]:
    served = KeyServer({"one": platform_key})  # type: ignore[dict-item]
    served.start()
    yield served
    served.stop()


@pytest.fixture
def lms(app: Flask, server: KeyServer) -> Lms:
    return make_lms(app, server)
