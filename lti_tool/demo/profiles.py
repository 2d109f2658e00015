"""The two platforms this package plays: an LMS in the manner of Moodle, and an ENT that says as little as it can."""

from dataclasses import dataclass

from lti_tool.demo import ent_people, people
from lti_tool.demo.people import School
from lti_tool.demo.scopes import SCOPES, SCORE


@dataclass(frozen=True)
class Profile:
    """What kind of platform this is."""

    key: str
    """Its word in ``SPIRALE_DEMO_PROFILE``; also its style sheet, and the name of its cookie."""
    title: str
    client_id: str
    school: School
    scopes: tuple[str, ...] = SCOPES
    """What the tool may ask for."""
    plain: bool = False
    """An ENT: opaque identifiers, short roles, no names, no roster, one column per link, a window of its own."""


LMS = Profile("lms", "Campus de démonstration", "spirale-demo", people.SCHOOL)
ENT = Profile("ent", "Mon ENT", "ent-7f3c", ent_people.SCHOOL, scopes=(SCORE,), plain=True)
PROFILES = {profile.key: profile for profile in (LMS, ENT)}
