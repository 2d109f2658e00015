"""The class list: at once for a course seen for the first time, else in the background, and what changed is said."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from lti_tool.courses.models import Course, Enrolment, Role
from lti_tool.courses.people import count_pupils
from lti_tool.courses.roster import pupils_query
from lti_tool.db import begin_write, db, utcnow
from lti_tool.demo.activities import NewActivity
from lti_tool.demo.people import by_name
from lti_tool.gradebook.worker import read_roster_now
from lti_tool.web import class_list
from tests.platform import DemoWorld, Page

from .reading import words

MEMBERSHIPS = "/memberships"


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory, migrated: Path) -> Iterator[DemoWorld]:
    """One world for all: each test uses a course of its own."""
    folder = tmp_path_factory.mktemp("class-list")
    shutil.copy(migrated, folder / "spirale.db")
    with DemoWorld(folder, timeout_s=5.0) as world:
        yield world


class Class:
    """A course of the LMS with a teacher, a link, and so many pupils."""

    def __init__(self, world: DemoWorld, pupils: int) -> None:
        self.world, self.store = world, world.store
        self.number = self.store.add_course("2TEST", "Une classe")
        self.store.enrol(self.number, by_name("Claire Morel").sub, "teacher")
        self.subs = [self.arrive() for _pupil in range(pupils)]
        self.link = self.store.add_activity(self.number, NewActivity("Spirale")).id
        self.browser = world.browser("Claire Morel")
        world.faults.clear()

    def arrive(self) -> str:
        sub = self.store.add_person("Élève", "Arrivé")
        self.store.enrol(self.number, sub, "pupil")
        return sub

    def launch(self) -> Page:
        return self.world.launch(self.browser, path=f"/courses/{self.number}/activities/{self.link}/launch")

    def known(self) -> int:
        with self.world.app.app_context():
            found = count_pupils(db.session, self.course_id())
            db.session.close()
            return found

    def course_id(self) -> int:
        query = sa.select(Course.id).filter_by(context_id=str(self.number))
        return db.session.scalars(query).one()

    def grow_old(self) -> None:
        """The list was read long ago."""
        with self.world.app.app_context():
            begin_write()
            course = db.session.get_one(Course, self.course_id())
            course.roster_read_at = utcnow() - timedelta(days=1)
            db.session.commit()
            db.session.close()

    def work(self) -> int:
        """What the worker does with what is in its queue: how many class lists it was asked for."""
        queue = self.world.app.extensions["spirale_queue"]
        asked = 0
        while (task := queue.dequeue()) is not None:
            asked += task.name == "roster"
            queue.execute(task)
        return asked


def test_a_teacher_who_opens_a_course_for_the_first_time_sees_its_pupils(world: DemoWorld) -> None:
    class_ = Class(world, pupils=3)

    page = class_.launch()

    assert "3 élèves connus" in words(page.text)
    assert "La liste de la classe a changé" not in words(page.text), "everybody arrives at the first reading"
    assert class_.work() == 0


def test_later_the_worker_reads_it_and_the_next_page_says_once_what_changed(world: DemoWorld) -> None:
    class_ = Class(world, pupils=3)
    class_.launch()
    class_.store.unenrol(class_.number, class_.subs[0])
    class_.arrive()
    class_.arrive()
    class_.grow_old()
    asked = world.faults.asked(f"/courses/{class_.number}{MEMBERSHIPS}")

    page = class_.launch()

    assert "3 élèves connus" in words(page.text), "the launch does not wait for it"
    assert world.faults.asked(f"/courses/{class_.number}{MEMBERSHIPS}") == asked
    assert class_.work() == 1
    told = class_.browser.get(page.url)
    assert "La liste de la classe a changé : 2 élèves arrivés, 1 parti." in words(told.text)
    assert "4 élèves connus" in words(told.text)
    assert "La liste de la classe a changé" not in words(class_.browser.get(page.url).text)


def test_two_launches_ask_twice_and_read_once(world: DemoWorld) -> None:
    class_ = Class(world, pupils=1)
    class_.launch()
    class_.grow_old()
    class_.launch()
    class_.launch()
    asked = world.faults.asked(f"/courses/{class_.number}{MEMBERSHIPS}")

    assert class_.work() == 2
    assert world.faults.asked(f"/courses/{class_.number}{MEMBERSHIPS}") == asked + 1


def test_a_fresh_list_is_not_asked_for_again(world: DemoWorld) -> None:
    class_ = Class(world, pupils=1)
    class_.launch()
    class_.launch()

    assert class_.work() == 0


def test_a_pupil_who_opens_the_course_asks_for_nothing(world: DemoWorld) -> None:
    class_ = Class(world, pupils=1)
    class_.store.enrol(class_.number, by_name("Adam Benali").sub, "pupil")
    class_.browser = world.browser("Adam Benali")
    asked = world.faults.asked(MEMBERSHIPS)

    assert class_.launch().status == 200
    assert world.faults.asked(MEMBERSHIPS) == asked
    assert class_.work() == 0


def test_a_slow_platform_keeps_nobody_at_the_door(world: DemoWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(class_list, "PATIENCE_S", 0.1)
    class_ = Class(world, pupils=2)
    world.faults.slow(f"/courses/{class_.number}{MEMBERSHIPS}", 1.5, times=1)

    begun = time.monotonic()
    page = class_.launch()
    took = time.monotonic() - begun

    assert page.status == 200
    assert "0 élève connu" in words(page.text)
    assert took < 1.5
    deadline = time.monotonic() + 10
    while class_.known() < 2 and time.monotonic() < deadline:
        time.sleep(0.05)
    assert class_.known() == 2, "the reading went on"


def test_a_reading_on_demand_that_takes_long_goes_on_and_is_said_later(
    world: DemoWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    class_ = Class(world, pupils=1)
    home = class_.launch()
    class_.arrive()
    monkeypatch.setattr(class_list, "PATIENCE_S", 0.1)
    world.faults.slow(f"/courses/{class_.number}{MEMBERSHIPS}", 1.0, times=1)
    base = home.url.rsplit("/", 1)[0]
    settings = class_.browser.get(f"{base}/settings")
    csrf = settings.text.partition('name="csrf" value="')[2].partition('"')[0]

    waiting = class_.browser.post(f"{base}/settings/roster", {"csrf": csrf})

    assert "la lecture continue" in words(waiting.text)
    deadline = time.monotonic() + 10
    while class_.known() < 2 and time.monotonic() < deadline:
        time.sleep(0.05)
    told = words(class_.browser.get(home.url).text)
    assert "La liste de la classe a changé : 1 élève arrivé." in told


def test_a_platform_that_fails_the_first_time_is_not_waited_for_again(world: DemoWorld) -> None:
    class_ = Class(world, pupils=1)
    world.faults.answer(f"/courses/{class_.number}{MEMBERSHIPS}", 403)

    assert "0 élève connu" in words(class_.launch().text)
    assert class_.work() == 0
    class_.launch()
    assert class_.work() == 1
    assert class_.known() == 1


def test_five_hundred_members_without_names_come_page_after_page(world: DemoWorld) -> None:
    class_ = Class(world, pupils=0)
    class_.launch()
    subs = [f"anonymous-{number}" for number in range(500)]
    pages = [subs[start : start + 200] for start in (0, 200, 400)]
    serve(world, class_, pages)
    class_.grow_old()

    begun = time.monotonic()
    with world.app.app_context():
        read_roster_now(world.app, class_.course_id())
    took = time.monotonic() - begun

    assert class_.known() == 500
    with world.app.app_context():
        query = pupils_query(class_.course_id()).order_by(Enrolment.number)
        numbers = [row.number for row in db.session.scalars(query)]
        assert numbers == list(range(2, 502)), "the teacher has number 1"
        db.session.close()
    assert took < 5


def serve(world: DemoWorld, class_: Class, pages: list[list[str]]) -> None:
    """The platform answers with these pages, which share no names."""
    import json  # noqa: PLC0415

    url = f"{world.lms_url}/lti/courses/{class_.number}/memberships"
    for number, subs in enumerate(pages):
        members = [{"status": "Active", "roles": ["Learner"], "user_id": sub} for sub in subs]
        following = f'<{url}?page={number + 1}>; rel="next"' if number + 1 < len(pages) else ""
        world.faults.answer(
            f"/courses/{class_.number}{MEMBERSHIPS}" + (f"?page={number}" if number else ""),
            200,
            body=json.dumps({"members": members}).encode(),
            **({"Link": following} if following else {}),
        )


def test_a_non_editing_teacher_who_looks_like_a_pupil_is_one_until_they_come(world: DemoWorld) -> None:
    class_ = Class(world, pupils=2)
    class_.store.enrol(class_.number, by_name("Yann Le Goff").sub, "assistant")
    class_.launch()
    assert class_.known() == 3, "in the roster nothing tells them apart"

    assistant = world.browser("Yann Le Goff")
    page = world.launch(assistant, path=f"/courses/{class_.number}/activities/{class_.link}/launch")

    assert class_.known() == 2
    assert "Réglages du cours" not in page.text
    with world.app.app_context():
        roles = db.session.scalars(
            sa.select(Enrolment.launched_as).where(
                Enrolment.course_id == class_.course_id(), Enrolment.launched_as != ""
            )
        ).all()
        db.session.close()
    assert sorted(roles) == [Role.TEACHER, Role.TEACHER]
