"""The platforms the list is walked with: one that signs whatever it is asked, and the demo LMS over real HTTP."""

from __future__ import annotations

from tests.gradebook.conftest import book, world
from tests.lti.conftest import lms, platform_key, server

__all__ = ["book", "lms", "platform_key", "server", "world"]
