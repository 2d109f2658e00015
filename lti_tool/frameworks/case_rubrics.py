"""The scales a referential's competences are assessed on, as CFRubrics: a row for each competence, its levels in order.

Source: 1EdTech CASE 1.1, `CFRubricDType`: a criterion is a row of the rubric and is aligned to an item.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from .case_objects import Json, Node, Writer, line
from .data import ItemData, RetiredItem


@dataclass(frozen=True)
class RubricScale:
    """A scale in the language of the referential: the word of each level, and the level to reach."""

    slug: str
    title: str
    target: int
    words: dict[int, str]


def rubrics(writer: Writer, items: Iterable[ItemData], scales: Iterable[RubricScale]) -> Iterator[Json]:
    """One CFRubric per scale, for the competences in force among `items`."""
    competences = [item for item in items if item.type == "competence" and not isinstance(item, RetiredItem)]
    if competences:
        for scale in scales:
            yield _rubric(writer, competences, scale)


def _rubric(writer: Writer, competences: list[ItemData], scale: RubricScale) -> Json:
    identifier = str(uuid.uuid5(uuid.UUID(writer.data.uuid), f"CFRubric {scale.slug}"))
    return {
        **writer.addresses.named("CFRubrics", identifier),
        "title": line(scale.title),
        "description": f"Niveau à atteindre\u00a0: {scale.target}, {scale.words[scale.target]}.",
        "lastChangeDateTime": writer.changed,
        "CFRubricCriteria": [
            _criterion(writer, identifier, number, competence, scale)
            for number, competence in enumerate(competences, 1)
        ],
    }


def _criterion(writer: Writer, rubric: str, number: int, competence: ItemData, scale: RubricScale) -> Json:
    identifier = str(uuid.uuid5(uuid.UUID(rubric), competence.uuid))
    return {
        **writer.addresses.named("CFRubricCriteria", identifier),
        "description": competence.statement,
        "CFItemURI": writer.addresses.link(*Node.item(competence)),
        "position": number,
        "rubricId": rubric,
        "lastChangeDateTime": writer.changed,
        "CFRubricCriterionLevels": [
            _level(writer, identifier, number, value, scale) for number, value in enumerate(scale.words, 1)
        ],
    }


def _level(writer: Writer, criterion: str, number: int, value: int, scale: RubricScale) -> Json:
    identifier = str(uuid.uuid5(uuid.UUID(criterion), str(value)))
    return {
        **writer.addresses.named("CFRubricCriterionLevels", identifier),
        "quality": line(scale.words[value]),
        "score": value,
        "position": number,
        "rubricCriterionId": criterion,
        "lastChangeDateTime": writer.changed,
    }
