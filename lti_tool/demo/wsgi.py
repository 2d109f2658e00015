"""``gunicorn lti_tool.demo.wsgi:app``: the demo LMS, or the ENT, from environment variables.

SPIRALE_DEMO_PROFILE (``lms`` or ``ent``), SPIRALE_DEMO_BASE_URL, SPIRALE_DEMO_TOOL_URL,
SPIRALE_DEMO_DATABASE; the defaults suit one laptop.
"""

import os
from pathlib import Path

from lti_tool.demo.application import create_demo_app
from lti_tool.demo.profiles import LMS, PROFILES
from lti_tool.demo.settings import DemoSettings


def settings_from_environment() -> DemoSettings:
    """Two different hosts by default, so that the tool is third-party in the frame."""
    key = os.environ.get("SPIRALE_DEMO_PROFILE", LMS.key)
    if key not in PROFILES:
        raise ValueError(f"SPIRALE_DEMO_PROFILE: {key!r} is none of {', '.join(PROFILES)}")
    return DemoSettings(
        profile=PROFILES[key],
        base_url=os.environ.get("SPIRALE_DEMO_BASE_URL", "http://127.0.0.1:8001"),
        tool_url=os.environ.get("SPIRALE_DEMO_TOOL_URL", "http://localhost:8000"),
        database=Path(os.environ.get("SPIRALE_DEMO_DATABASE", "var/demo.sqlite")),
    )


app = create_demo_app(settings_from_environment())
