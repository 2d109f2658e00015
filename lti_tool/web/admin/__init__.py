"""The administrator's pages: a window of their own, never framed, behind a password."""

from . import (  # noqa: F401 - each registers its pages
    bar,
    courses,
    events,
    invites,
    keys,
    overview,
    platform_changes,
    platforms,
    replace,
    retention,
    signing_in,
)
from .guard import admin as admin
