"""The demo LMS: a small, strict LTI 1.3 platform with its own pages and gradebook. It also plays an ENT.

For a newcomer's laptop (``make demo``) and for the tests, which use it over real HTTP. It behaves as the
measured Moodle 4.5 where a tool can notice, and is stricter where a mistake could hide. It shares no LTI
code with the tool.
"""

from lti_tool.demo.application import close_demo_app, create_demo_app
from lti_tool.demo.profiles import ENT, LMS, Profile
from lti_tool.demo.settings import DemoSettings, Registration, registration
from lti_tool.demo.store import DemoStore

__all__ = [
    "ENT",
    "LMS",
    "DemoSettings",
    "DemoStore",
    "Profile",
    "Registration",
    "close_demo_app",
    "create_demo_app",
    "registration",
]
