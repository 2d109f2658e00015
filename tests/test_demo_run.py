"""What the demo sets up before it starts: a platform, and a course that opens with the referential's examples."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from lti_tool.activities.models import Activity
from lti_tool.assessment.models import Assessment
from lti_tool.config import load_config
from lti_tool.courses.entry import course_of
from lti_tool.courses.models import Course
from lti_tool.demo.people import MRC1
from lti_tool.demo_run import Places, _environment, _set_up
from lti_tool.frameworks.guide import guide_of
from lti_tool.frameworks.models import Framework
from lti_tool.gradebook.models import LineItem, ScoreDelivery


@pytest.fixture
def places(tmp_path: Path, migrated: Path) -> Places:
    shutil.copy(migrated, tmp_path / "spirale.db")
    return Places(8765, 8766, 8767, tmp_path)


@pytest.fixture
def environment(places: Places) -> Mapping[str, str]:
    return _environment(places)


def database(environment: Mapping[str, str]) -> Session:
    return Session(sa.create_engine(load_config(environment).database_url, poolclass=sa.NullPool))


def test_the_demos_course_opens_with_the_two_examples_attached_and_nobody_assessed(
    places: Places, environment: Mapping[str, str]
) -> None:
    _set_up(places, environment)

    with database(environment) as session:
        framework = session.scalars(sa.select(Framework).where(Framework.slug == "mrc-seconde")).one()
        made = list(session.scalars(sa.select(Activity).order_by(Activity.id)))
        examples = guide_of(framework, "fr").examples
        assert [(a.title, a.complexity, a.created_by_id) for a in made] == [
            (example.title, example.complexity, None) for example in examples
        ]
        for activity, example in zip(made, examples, strict=True):
            assert sorted(link.item.code for link in activity.competences) == example.competences
            observed = {(link.item.code, o.item.uuid) for link in activity.competences for o in link.observed}
            assert observed == set(example.observed)
        assert made[1].starts_on - made[0].starts_on == timedelta(weeks=1)
        (course,) = session.scalars(sa.select(Course))
        # A launch enters that course.
        config = load_config(environment)
        again = course_of(session, course.platform_id, course.deployment_id, str(MRC1.id), config)
        assert again.id == course.id
        for table in (Assessment, ScoreDelivery, LineItem):
            assert session.scalar(sa.select(sa.func.count()).select_from(table)) == 0


def test_a_second_start_brings_nothing_back(places: Places, environment: Mapping[str, str]) -> None:
    _set_up(places, environment)
    with database(environment) as session:
        for activity in session.scalars(sa.select(Activity)):
            session.delete(activity)
        session.commit()

    _set_up(places, environment)

    with database(environment) as session:
        assert session.scalar(sa.select(sa.func.count(Activity.id))) == 0
        assert session.scalar(sa.select(sa.func.count(Course.id))) == 1
