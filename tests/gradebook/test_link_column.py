"""From an ENT, which gives the link's own column alone: a teacher ticks it, and the activity's mean arrives."""

from __future__ import annotations

import shutil
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from lti_tool.activities.models import Activity
from lti_tool.assessment.entries import NewEntry, record
from lti_tool.courses.models import Course, Person
from lti_tool.db import begin_write, db, utcnow
from lti_tool.demo import ENT
from lti_tool.demo.ent import opaque_sub
from lti_tool.demo.ent_people import CLASS_A
from lti_tool.gradebook.scores import queue_scores
from tests import factories
from tests.platform import DemoWorld, Page
from tests.web.reading import words

AWA = ENT.school.by_name("Awa Traoré")
NADIA = ENT.school.by_name("Nadia Roussel")


class Service:
    """The class's link « Spirale », opened by a teacher and one pupil; an activity of two competences in its course."""

    def __init__(self, world: DemoWorld) -> None:
        self.world = world
        world.launch(world.browser(AWA.name), CLASS_A)
        self.teacher = world.browser(NADIA.name)
        self.root = world.launch(self.teacher, CLASS_A).url.rpartition("/start")[0]
        with world.app.app_context():
            begin_write()
            self.course_id = db.session.scalars(sa.select(Course.id)).one()
            self.activity_id = factories.activity(self.course, "1A", "1B", title="Accueil").id
            db.session.commit()
            db.session.close()

    @property
    def course(self) -> Course:
        """Needs a context."""
        return db.session.get_one(Course, self.course_id)

    def page(self, path: str) -> Page:
        return self.teacher.get(self.root + path)

    def choose(self, activity: int | None, *, tick: bool) -> None:
        """What the link opens, as the page's form sends it."""
        csrf = self.page("/link").text.partition('name="csrf" value="')[2].partition('"')[0]
        column = {"column": "1" if tick else ""}
        answer = self.teacher.post(
            f"{self.root}/link", {"csrf": csrf, "activity": str(activity or ""), **column}
        )
        assert answer.status == 200

    def type(self, **levels: int) -> None:
        with self.world.app.test_request_context():
            begin_write()
            activity = db.session.get_one(Activity, self.activity_id)
            awa, nadia = (
                db.session.scalars(sa.select(Person.id).filter_by(sub=opaque_sub(int(one.sub)))).one()
                for one in (AWA, NADIA)
            )
            typed = [
                NewEntry(str(uuid.uuid4()), awa, factories.competence(code).id, str(level))
                for code, level in levels.items()
            ]
            _written, refused = record(db.session, activity, nadia, typed)
            assert not refused
            queue_scores(db.session, self.course, [(awa, entry.item_id) for entry in typed], utcnow())
            db.session.commit()
            db.session.close()

    def value(self) -> float | None:
        """What the ENT's one column holds for the pupil, on its own scale (100)."""
        grade = self.world.store.grade(CLASS_A.id, "Spirale", AWA.sub)
        return grade.value if grade else None


@pytest.fixture
def service(tmp_path: Path, migrated: Path) -> Iterator[Service]:
    shutil.copy(migrated, tmp_path / "spirale.db")
    with DemoWorld(tmp_path, profile=ENT) as world:
        yield Service(world)


def test_a_ticked_link_gets_the_mean_of_its_activity_and_nothing_else_is_asked_of_the_ent(
    service: Service,
) -> None:
    service.choose(service.activity_id, tick=True)
    service.type(**{"1A": 3, "1B": 4})
    service.world.deliver()

    assert service.value() == 87.5
    assert [call.path.partition("?")[0] for call in service.world.store.calls()] == [
        f"/lti/courses/{CLASS_A.id}/lineitems/1/lineitem/scores"
    ]
    assert [one.label for one in service.world.store.line_items(CLASS_A.id)] == ["Spirale"]
    page = words(service.page("/gradebook"))
    assert "Rien ne peut être envoyé" not in page
    assert "Mon ENT ne laisse pas Spirale créer de colonnes : les niveaux des compétences restent" in page
    assert "La note d’une activité part dans la colonne de son lien" in page
    assert "Accueil moyenne des niveaux de l’activité" in page
    assert "1 envoyée" in page
    assert "checked" in column_tick(service.page("/link").text)


def test_a_link_that_nobody_ticked_sends_nothing(service: Service) -> None:
    assert "checked" not in column_tick(service.page("/link").text)
    service.choose(service.activity_id, tick=False)
    service.type(**{"1A": 3})
    service.world.deliver()

    assert service.value() is None
    assert service.world.store.calls() == []
    assert "Une seule colonne ne peut pas porter chaque compétence" in words(service.page("/gradebook"))


def test_what_was_assessed_before_the_tick_leaves_with_it(service: Service) -> None:
    service.type(**{"1A": 2})
    service.choose(service.activity_id, tick=True)
    service.world.deliver()

    assert service.value() == 50


@pytest.mark.parametrize("whole_course", [False, True])
def test_what_still_waits_when_the_tick_goes_is_taken_back_and_what_was_sent_stays(
    service: Service, whole_course: bool
) -> None:
    service.choose(service.activity_id, tick=True)
    service.type(**{"1A": 2})
    service.world.deliver()
    service.type(**{"1A": 4})
    service.choose(None if whole_course else service.activity_id, tick=False)
    service.world.deliver()

    assert service.value() == 50
    assert len(service.world.store.calls("/scores")) == 1


def test_without_a_column_the_page_offers_no_tick(service: Service) -> None:
    with service.world.app.app_context():
        begin_write()
        service.course.ags_scopes = []
        db.session.commit()
        db.session.close()

    assert "Envoyer la note de l’activité" not in words(service.page("/link"))


def column_tick(text: str) -> str:
    """The tick of « Envoyer la note de l’activité… »."""
    found = text.partition('<input type="checkbox" name="column"')[2].partition(">")[0]
    assert found, text
    return found
