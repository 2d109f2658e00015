"""Who may what in a course: from the platform's words to ours."""

from __future__ import annotations

from .models import Enrolment, Role

ASSISTANTS = {"TeachingAssistant", "GuestInstructor", "Grader"}


def role_of(words: frozenset[str]) -> Role:
    """The role that context roles give. Unknown words, or none, give the least."""
    if words & ASSISTANTS:
        return Role.ASSESSOR
    if "Instructor" in words:
        return Role.TEACHER
    if "Learner" in words:
        return Role.LEARNER
    return Role.OBSERVER


def role_now(launched_as: Role, enrolment: Enrolment | None) -> Role:
    """What a session may do at this moment.

    Moodle's non-editing teacher launches as Instructor and is a Learner in the roster (docs/platforms.md): an assessor.
    Nobody gains anything from the roster.
    """
    if launched_as is Role.TEACHER and enrolment and enrolment.in_roster and enrolment.role is Role.LEARNER:
        return Role.ASSESSOR
    return launched_as
