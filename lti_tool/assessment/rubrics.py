"""A referential's CASE package with the scales its competences are assessed on, and those scales one by one."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator

import sqlalchemy as sa
from sqlalchemy.orm import Session

from ..errors import NotFound
from ..frameworks.case import package
from ..frameworks.case_lookup import find_package
from ..frameworks.case_objects import Json, Writer
from ..frameworks.case_rubrics import RubricScale, rubrics
from ..frameworks.data import ReferentialData
from ..frameworks.models import Framework, FrameworkItem, ItemAssociation
from ..frameworks.stored import ITEM_COLUMNS, heading, item_of
from .scales import find_scale, shipped_scales


def rubric_scales(data: ReferentialData, linked: Collection[str]) -> list[RubricScale]:
    """The scales that the referential's package holds, in its language.

    None for the referentials that others' links lead to, whose slugs are `linked`: one assesses where they start.
    """
    if data.slug in linked:
        return []
    return [_rubric_scale(slug, data.language) for slug in shipped_scales()]


def _rubric_scale(slug: str, language: str) -> RubricScale:
    scale = find_scale(slug)
    words = scale.words.get(language, scale.words["fr"])
    return RubricScale(slug, scale.name, scale.target, {level: words[level] for level in sorted(words)})


def package_with_rubrics(
    referential: ReferentialData, base_url: str, others: Iterable[ReferentialData] = ()
) -> Json:
    """The CFPackage of a referential, as `frameworks.case.package` makes it, with its scales."""
    known = list(others)
    linked = {
        link.to_slug for one in known for link in one.links if link.destinations and link.to_slug != one.slug
    }
    return package(referential, base_url, known, rubric_scales(referential, linked))


def stored_package(session: Session, base_url: str, identifier: str) -> Json:
    """The same, of a referential of the database. Raises `NotFound`."""
    linked = _linked(session)
    return find_package(session, base_url, identifier, lambda data: rubric_scales(data, linked))


def find_rubric_part(session: Session, base_url: str, kind: str, identifier: str) -> Json:
    """A CFRubric of the database's referentials, one of its criteria or a level: `kind` says which.

    Raises `NotFound`.
    """
    linked = _linked(session)
    for framework in list(session.scalars(sa.select(Framework).where(Framework.slug.not_in(linked)))):
        data = heading(framework)
        rows = session.execute(
            sa.select(*ITEM_COLUMNS)
            .where(FrameworkItem.framework_id == framework.id, FrameworkItem.type == "competence")
            .order_by(FrameworkItem.position)
        )
        competences = [item_of(row, {}) for row in rows]
        for rubric in rubrics(Writer(data, base_url), competences, rubric_scales(data, linked)):
            for part_kind, part in _parts(rubric):
                if (part_kind, part["identifier"]) == (kind, identifier):
                    return part
    raise NotFound(f"there is no {kind} {identifier}")


def _linked(session: Session) -> set[str]:
    """The slugs of the referentials that the links of others lead to."""
    rows = session.scalars(
        sa.select(Framework.slug)
        .join(FrameworkItem, FrameworkItem.framework_id == Framework.id)
        .join(ItemAssociation, ItemAssociation.destination_id == FrameworkItem.id)
        .where(ItemAssociation.framework_id != Framework.id)
        .distinct()
    )
    return set(rows)


def _parts(rubric: Json) -> Iterator[tuple[str, Json]]:
    yield "CFRubrics", rubric
    for criterion in rubric["CFRubricCriteria"]:
        yield "CFRubricCriteria", criterion
        for level in criterion["CFRubricCriterionLevels"]:
            yield "CFRubricCriterionLevels", level
