"""The referentials of a course: which ones, their competences in order, and how an address or a form names one.

Codes may be the same in two referentials. A competence of the course's main referential is named by its code, « 1A »,
one of another by its referential too, « crcn~1.1 »; both ways are read for any of them, so that an address keeps
its meaning when another referential becomes the main one.
"""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.orm import Session

from ..errors import NotFound
from ..frameworks.models import Framework, FrameworkItem
from ..frameworks.sheets import Group, find_competence, groups
from .models import Course

OF = "~"
"""Between the slug of a referential and a code, in an address or a form."""


@dataclass(frozen=True)
class Material:
    """A referential of a course, and its competences by group."""

    framework: Framework
    groups: list[Group]

    @property
    def competences(self) -> list[FrameworkItem]:
        return [competence for group in self.groups for competence in group.competences]


def course_frameworks(session: Session, course: Course) -> list[Framework]:
    """The referentials of a course, its main one first. Raises `NotFound` when none of them is loaded."""
    slugs = course.framework_slugs
    found = session.scalars(sa.select(Framework).where(Framework.slug.in_(slugs)))
    frameworks = sorted(found, key=lambda framework: slugs.index(framework.slug))
    if not frameworks:
        raise NotFound(f"none of the course's referentials is loaded: {', '.join(slugs)}")
    return frameworks


def materials(session: Session, course: Course) -> list[Material]:
    """The referentials of a course with their competences, in order."""
    return [Material(one, groups(session, one.id)) for one in course_frameworks(session, course)]


def course_competences(session: Session, course: Course) -> list[FrameworkItem]:
    """Every competence that a course may work, in order."""
    return [competence for one in materials(session, course) for competence in one.competences]


def place(course: Course, item: FrameworkItem) -> tuple[int, int]:
    """Where a competence comes among those of a course: a key to sort by."""
    slugs = course.framework_slugs
    # A single referential needs no look at the item's.
    slug = item.framework.slug if len(slugs) > 1 else slugs[0]
    return slugs.index(slug) if slug in slugs else len(slugs), item.position


# ----- naming a competence -----


def reference(course: Course, item: FrameworkItem) -> str:
    """How addresses and forms of a course name a competence."""
    return reference_to(course, item.framework.slug, item.code)


def reference_to(course: Course, slug: str, code: str) -> str:
    """The same, of the referential `slug` and the code in it."""
    return code if slug == course.framework_slug else f"{slug}{OF}{code}"


def named(items: Iterable[FrameworkItem], text: str) -> FrameworkItem | None:
    """The first of some competences, in the order of the course, that a reference names."""
    return next((item for item in items if item.code == _code(item.framework, text)), None)


def find_named(session: Session, parts: list[Material], text: str) -> FrameworkItem:
    """The competence that a reference names, a retired one only when no other answers. Raises `NotFound`."""
    found = named((item for part in parts for item in part.competences), text)
    if found is not None:
        return found
    for part in parts:
        with suppress(NotFound):
            return find_competence(session, part.framework.id, _code(part.framework, text))
    raise NotFound(f"there is no competence « {text} » in this course")


def _code(framework: Framework, text: str) -> str:
    """The code that a reference would be in one referential."""
    return text.removeprefix(f"{framework.slug}{OF}")


def spoken_code(course: Course, item: FrameworkItem) -> str:
    """The code in a sentence that nothing else places: « 1A », « 1.1 (CRCN) »."""
    framework = item.framework
    return item.code if framework.slug == course.framework_slug else f"{item.code} ({framework.short_title})"
