"""« Réglages du cours »: what is typed is kept or explained; saving sends what it changes and nothing else."""

from __future__ import annotations

import re
import shutil
import threading
import time
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from werkzeug.test import TestResponse

from lti_tool.courses.models import Course, Person
from lti_tool.db import begin_write, db, utcnow
from lti_tool.demo.people import MRC1, by_name
from lti_tool.gradebook.models import GradebookSettings, ScoreDelivery
from lti_tool.gradebook.scores import queue_scores
from tests import factories
from tests.conftest import School, Visitor, open_visit
from tests.platform import DemoWorld

from .reading import words

FORM = {
    "mode": "automatic",
    "conversion": "table",
    "level_1": "5",
    "level_2": "9,5",
    "level_3": "14",
    "level_4": "19.5",
    "minimum": "1",
}


def stored(school: School) -> GradebookSettings | None:
    with school.app.app_context():
        found = db.session.get(GradebookSettings, school.course.id)
        db.session.close()
        return found


def assess(school: School, name: str, level: int) -> None:
    """A level typed in the grid, and its delivery."""
    with school.app.test_request_context():
        begin_write()
        course = db.session.get_one(Course, school.course.id)
        activity = factories.activity(course, "1A")
        people = school.people
        factories.assessment(activity, "1A", people[name], level, people["teacher"])
        queue_scores(db.session, course, [(people[name].id, factories.competence("1A").id)], utcnow())
        db.session.commit()
        db.session.close()


def save(visitor: Visitor, form: dict[str, Any]) -> TestResponse:
    """Save the settings, and confirm what the page says they change."""
    answer = visitor.post("/settings", form)
    mark = re.search(r'name="seen" value="(\w+)"', answer.text)
    return visitor.post("/settings", {**form, "seen": mark[1]}) if mark else answer


def deliveries(school: School) -> list[tuple[str, Decimal | None, int]]:
    with school.app.app_context():
        rows = db.session.scalars(sa.select(ScoreDelivery).order_by(ScoreDelivery.id))
        found = [(row.state.value, row.score, row.maximum) for row in rows]
        db.session.close()
        return found


@pytest.mark.parametrize("who", ["assessor", "Adam", "observer"])
def test_only_a_teacher_sees_and_changes_the_settings(school: School, who: str) -> None:
    visitor = school.visit(who)

    assert visitor.get("/settings").status_code == 403
    assert visitor.post("/settings", FORM).status_code == 403
    assert visitor.post("/settings/roster").status_code == 403
    assert stored(school) is None


def test_a_course_that_nobody_changed_sends_the_points_of_the_scale(school: School) -> None:
    page = school.visit("teacher").get("/settings").text

    assert 'name="mode" value="automatic" checked' in page
    assert 'name="which" value="all" checked' in page
    assert 'value="points" checked' in page
    assert [f'name="level_{n}" value="{v}"' in page for n, v in ((1, 5), (2, 9), (3, 14), (4, 19))] == [
        True
    ] * 4
    assert stored(school) is None, "looking changes nothing"


def test_settings_are_kept_with_a_comma_or_a_dot(school: School) -> None:
    answer = school.visit("teacher").post("/settings", FORM)

    assert answer.status_code == 303
    settings = stored(school)
    assert settings.table == {"1": 5, "2": 9.5, "3": 14, "4": 19.5}
    assert (settings.mode, settings.conversion, settings.minimum) == ("automatic", "table", 1)
    page = school.visit("teacher").get("/settings").text
    assert 'name="level_2" value="9,5"' in page


@pytest.mark.parametrize(
    "typed", ["", "x", "-1", "20,5", "21", "1e1", "5,25", "0,1", "١٢", "²", "NaN", "5 5", "5,5,5", ".", "1_0"]
)
def test_a_number_that_is_wrong_is_shown_again_with_a_sentence(school: School, typed: str) -> None:
    answer = school.visit("teacher").post("/settings", {**FORM, "level_1": typed, "level_2": "8,5"})

    assert answer.status_code == 422
    assert "Taper un nombre de 0 à 20, au demi-point près" in words(answer)
    assert f'name="level_1" value="{typed}"' in answer.text
    assert 'name="level_2" value="8,5"' in answer.text, "nothing typed is lost"
    assert 'id="level_1"' in answer.text
    assert 'aria-invalid="true" aria-describedby="e-level_1' in answer.text
    assert stored(school) is None


@pytest.mark.parametrize("typed", ["0", "20", "0,5", "19.5", "20,0", "05"])
def test_the_ends_of_the_range_and_half_points_are_taken(school: School, typed: str) -> None:
    form = {**FORM, **{f"level_{level}": typed for level in (1, 2, 3, 4)}}

    assert school.visit("teacher").post("/settings", form).status_code == 303, "ties are allowed"
    assert set(stored(school).table.values()) == {float(typed.replace(",", "."))}


def test_a_table_that_decreases_is_explained(school: School) -> None:
    answer = school.visit("teacher").post("/settings", {**FORM, "level_3": "9"})

    assert answer.status_code == 422
    assert "Le niveau 3 vaut moins que le niveau précédent (9,5) : taper au moins autant." in words(answer)


def test_a_wrong_table_is_no_bother_to_a_course_that_sends_points(school: School) -> None:
    answer = school.visit("teacher").post("/settings", {**FORM, "conversion": "points", "level_1": "x"})

    assert answer.status_code == 303
    assert stored(school).conversion == "points"
    assert stored(school).table == {"1": 5, "2": 9, "3": 14, "4": 19}


@pytest.mark.parametrize(
    ("field", "value", "sentence"),
    [
        ("minimum", "0", "Choisir un nombre d’observations de 1 à 5."),
        ("minimum", "6", "Choisir un nombre d’observations de 1 à 5."),
        ("minimum", "deux", "Choisir un nombre d’observations de 1 à 5."),
        ("conversion", "letters", "Choisir les points de l’échelle, ou une note sur 20."),
        ("conversion", "", "Choisir les points de l’échelle, ou une note sur 20."),
    ],
)
def test_a_choice_that_does_not_exist_is_explained(
    school: School, field: str, value: str, sentence: str
) -> None:
    answer = school.visit("teacher").post("/settings", {**FORM, field: value})

    assert answer.status_code == 422
    assert sentence in words(answer)
    assert stored(school) is None


def test_what_is_typed_is_escaped(school: School) -> None:
    answer = school.visit("teacher").post("/settings", {**FORM, "level_1": '"><b>', "minimum": "<i>"})

    assert "<b>&" not in answer.text
    assert '"><b>' not in answer.text
    assert "<i>" not in answer.text


# ----- what saving sends -----


def test_a_new_conversion_sends_what_it_changes_in_the_same_transaction(school: School) -> None:
    assess(school, "Adam", 3)
    assess(school, "Aïcha", 2)

    answer = save(school.visit("teacher"), FORM)

    assert answer.headers["Location"].endswith("saved=2")
    assert deliveries(school) == [
        ("replaced", Decimal(3), 4),
        ("replaced", Decimal(2), 4),
        ("waiting", Decimal(14), 20),
        ("waiting", Decimal("9.5"), 20),
    ]


def test_saving_twice_sends_once(school: School) -> None:
    assess(school, "Adam", 3)
    teacher = school.visit("teacher")
    save(teacher, FORM)

    answer = save(teacher, FORM)

    assert answer.headers["Location"].endswith("saved=0")
    assert len(deliveries(school)) == 2


def test_only_the_levels_whose_points_changed_are_sent_again(school: School) -> None:
    assess(school, "Adam", 3)
    assess(school, "Aïcha", 2)
    teacher = school.visit("teacher")
    save(teacher, FORM)

    save(teacher, {**FORM, "level_3": "15"})

    assert [row for row in deliveries(school) if row[0] == "waiting"] == [
        ("waiting", Decimal("9.5"), 20),
        ("waiting", Decimal(15), 20),
    ]


def test_switching_off_takes_back_what_waits_and_switching_on_sends_it(school: School) -> None:
    assess(school, "Adam", 3)
    teacher = school.visit("teacher")
    points: dict[str, Any] = {**FORM, "conversion": "points"}

    save(teacher, {**points, "mode": "nothing"})
    assert deliveries(school) == [("replaced", Decimal(3), 4)]
    assess(school, "Aïcha", 2)
    assert len(deliveries(school)) == 1

    save(teacher, points)
    assert deliveries(school)[1:] == [("waiting", Decimal(3), 4), ("waiting", Decimal(2), 4)]


def test_a_higher_minimum_takes_back_what_waits(school: School) -> None:
    assess(school, "Adam", 3)

    save(school.visit("teacher"), {**FORM, "conversion": "points", "minimum": "2"})
    assert deliveries(school) == [("replaced", Decimal(3), 4)]

    assess(school, "Adam", 4)
    assert deliveries(school)[1][0] == "waiting"


def test_the_page_says_what_was_sent(school: School) -> None:
    teacher = school.visit("teacher")

    assert "12 notes partent vers le carnet." in words(teacher.get("/settings?saved=12"))
    assert "Aucune note n’a changé : rien n’est envoyé." in words(teacher.get("/settings?saved=0"))
    assert "Réglages enregistrés" not in words(teacher.get("/settings?saved=x"))


def test_the_course_total_is_explained(school: School) -> None:
    text = words(school.visit("teacher").get("/settings"))

    assert "chaque colonne de Spirale compte dans le total du cours" in text
    assert "Configuration du carnet de notes" in text


# ----- the class list -----


def change_course(school: School, **values: Any) -> None:
    with school.app.app_context():
        begin_write()
        db.session.execute(sa.update(Course).values(**values))
        db.session.commit()
        db.session.close()


def test_without_access_to_the_list_the_page_says_how_pupils_become_known(school: School) -> None:
    page = school.visit("teacher").get("/settings")

    assert "4 élèves connus : ceux qui ont ouvert Spirale." in words(page)
    assert "La plateforme n’a pas donné l’accès à la liste" in words(page)
    assert "Relire la liste" not in page.text


@pytest.mark.parametrize(
    ("problem", "sentence"),
    [
        ("delayed", "n’a pas donné la liste à la dernière lecture"),
        ("refused", "refuse de donner la liste"),
        ("something of tomorrow", "n’a pas donné la liste à la dernière lecture"),
    ],
)
def test_a_list_that_could_not_be_read_is_said(school: School, problem: str, sentence: str) -> None:
    change_course(school, roster_problem=problem, memberships_url="https://lms/members")

    text = words(school.visit("teacher").get("/settings"))

    assert sentence in text
    assert "La liste connue avant est gardée." in text


def test_a_platform_that_does_not_answer_leaves_the_list_as_it_was(school: School) -> None:
    change_course(school, memberships_url="http://127.0.0.1:9/members")
    with school.app.app_context():
        begin_write()
        from lti_tool.lti.models import Platform

        db.session.execute(sa.update(Platform).values(auth_token_url="http://127.0.0.1:9/token"))
        db.session.commit()
        db.session.close()
    teacher = school.visit("teacher")

    answer = teacher.post("/settings/roster")

    assert answer.status_code == 303
    text = words(teacher.get("/settings"))
    assert "n’a pas donné la liste à la dernière lecture" in text
    assert "4 élèves connus" in text


def test_the_class_list_is_read_again_on_demand_with_nothing_open_meanwhile(
    tmp_path: Path, migrated: Path
) -> None:
    shutil.copy(migrated, tmp_path / "spirale.db")
    with DemoWorld(tmp_path) as world:
        course_id = world.open_course()
        with world.app.app_context():
            course = db.session.get_one(Course, course_id)
            claire = db.session.get_one(Person, world.person_id("Claire Morel"))
            db.session.close()
        teacher = open_visit(world.app, course, claire)
        world.store.unenrol(MRC1.id, by_name("Adam Benali").sub)
        world.store.enrol(MRC1.id, world.store.add_person("Lou", "Nouveau"))
        world.store.enrol(MRC1.id, world.store.add_person("Max", "Nouveau"))
        world.faults.slow("/memberships", 1.0, times=1)
        answers: list[TestResponse] = []
        reading = threading.Thread(target=lambda: answers.append(teacher.post("/settings/roster")))
        before = world.faults.asked("/memberships")
        reading.start()
        while world.faults.asked("/memberships") == before:
            time.sleep(0.01)
        started = time.monotonic()
        with world.app.app_context():
            begin_write()
            db.session.commit()
        assert time.monotonic() - started < 0.5, "a colleague may write while the platform answers"
        reading.join()

        assert answers[0].headers["Location"].endswith("/settings?arrived=2&left=1#roster")
        text = words(teacher.get("/settings?arrived=2&left=1"))
        assert "2 élèves de plus, 1 de moins." in text
        assert "26 élèves connus, dernière lecture de la liste :" in text
