"""« Réglages du cours », the referentials: what is offered, what is kept, what is refused with a sentence."""

from __future__ import annotations

from pathlib import Path

import pytest
import sqlalchemy as sa

from lti_tool.config import shipped
from lti_tool.courses.models import Course
from lti_tool.db import begin_write, db
from lti_tool.frameworks.loading import load_referentials, read_all
from lti_tool.frameworks.models import Framework
from tests import factories
from tests.conftest import School
from tests.frameworks.samples import BAC, SECONDE, changed, write

from .reading import part, words

CRCN = shipped("configs", "referentials", "examples", "crcn.yaml")
ADDRESS = "/settings/referentials"


@pytest.fixture
def digital(school: School) -> School:
    """A school whose administrator loaded the digital skills."""
    load(school, CRCN)
    return school


def load(school: School, *files: Path) -> None:
    with school.app.app_context():
        begin_write()
        load_referentials(db.session, read_all(list(files)))
        db.session.commit()
        db.session.close()


def used(school: School) -> list[str]:
    with school.app.app_context():
        slugs = list(db.session.get_one(Course, school.course.id).framework_slugs)
        db.session.close()
        return slugs


def work(school: School, slug: str, code: str) -> None:
    """An activity that mobilises a competence of another referential."""
    with school.app.app_context():
        made = factories.activity(db.session.get_one(Course, school.course.id), "1A")
        made.competences[0].item = factories.competence(code, slug)
        db.session.commit()
        db.session.close()


def section(page: str) -> str:
    return page.partition('id="referentials"')[2].partition("</section>")[0]


@pytest.mark.parametrize("who", ["assessor", "Adam", "observer"])
def test_only_a_teacher_chooses(digital: School, who: str) -> None:
    answer = digital.visit(who).post(ADDRESS, {"main": "mrc-seconde", "referentials": ["crcn"]})

    assert answer.status_code == 403
    assert used(digital) == ["mrc-seconde"]


def test_what_another_referential_only_leads_to_is_offered_last(digital: School) -> None:
    page = section(digital.visit("teacher").get("/settings").text)

    boxes = page.partition("<fieldset")[2]
    assert [p.partition('"')[0] for p in boxes.split('name="referentials" value="')[1:]] == [
        "mrc-seconde",
        "crcn",
        "ma",
        "mcv",
    ]
    assert 'value="mrc-seconde" checked' in boxes
    assert boxes.count(" checked") == 1
    assert '<option value="mrc-seconde" selected>' in page


def test_the_others_follow_the_main_one_in_the_order_they_are_offered_in(digital: School) -> None:
    teacher = digital.visit("teacher")

    answer = teacher.post(ADDRESS, {"main": "crcn", "referentials": ["ma", "crcn", "mrc-seconde"]})

    assert answer.status_code == 303
    assert used(digital) == ["crcn", "mrc-seconde", "ma"]
    assert "Référentiels enregistrés." in words(teacher.get("/settings?chosen=1"))


def test_the_main_one_is_used_even_when_its_box_is_not_ticked(digital: School) -> None:
    digital.visit("teacher").post(ADDRESS, {"main": "crcn"})

    assert used(digital) == ["crcn"]


@pytest.mark.parametrize(
    "form",
    [
        {},
        {"main": ""},
        {"main": "nulle-part"},
        {"main": "mcv"},
        {"main": "mrc-seconde", "referentials": ["mcv"]},
    ],
)
def test_a_choice_that_is_not_offered_is_refused(digital: School, form: dict[str, str]) -> None:
    answer = digital.visit("teacher").post(ADDRESS, form)

    assert answer.status_code == 422
    assert used(digital) == ["mrc-seconde"]
    assert "Réglages du cours" in words(answer)


def test_a_referential_whose_codes_cannot_tell_its_competences_apart_says_so(
    digital: School, tmp_path: Path
) -> None:
    nameless = changed(SECONDE, '        code: "1B"\n', "").partition("links:")[0]
    load(digital, write(tmp_path, "essai.yaml", nameless))

    said = words(section(digital.visit("teacher").get("/settings").text))

    assert "18 compétences. Deux de ses compétences portent le code 4B.3" in said
    assert "2 compétences. Une de ses compétences n’a pas de code" in said


def test_a_referential_without_competences_is_not_offered(digital: School, tmp_path: Path) -> None:
    empty = BAC.partition("items:")[0] + "items: []\n"
    load(digital, write(tmp_path, "bac.yaml", empty))
    with digital.app.app_context():
        assert db.session.scalar(sa.select(Framework.id).where(Framework.slug == "bac"))

    assert 'value="bac"' not in digital.visit("teacher").get("/settings").text


def test_a_referential_that_an_activity_works_cannot_be_taken_away(digital: School) -> None:
    teacher = digital.visit("teacher")
    teacher.post(ADDRESS, {"main": "mrc-seconde", "referentials": ["crcn", "ma"]})
    work(digital, "crcn", "1.1")
    before = words(section(teacher.get("/settings").text))

    answer = teacher.post(ADDRESS, {"main": "mrc-seconde"})

    assert "Une activité du cours le travaille : il ne peut pas être retiré." in before
    assert answer.status_code == 422
    assert "CRCN reste dans le cours : une activité travaille ses compétences" in words(answer)
    assert used(digital) == ["mrc-seconde", "crcn", "ma"]
    assert part(answer, 'value="crcn"', ">").strip() != "checked", "the form shows what was ticked"
    teacher.post(ADDRESS, {"main": "mrc-seconde", "referentials": ["crcn"]})
    assert used(digital) == ["mrc-seconde", "crcn"], "one that nothing works can be"


def test_what_was_assessed_keeps_its_referential_even_when_no_activity_mobilises_it_any_more(
    digital: School,
) -> None:
    teacher = digital.visit("teacher")
    with digital.app.app_context():
        course = db.session.get_one(Course, digital.course.id)
        activity = factories.activity(course, "1A")
        factories.assessment(activity, "1A", digital.people["Adam"], 3, digital.people["teacher"])
        activity.competences[0].item = factories.competence("2.1", "crcn")
        db.session.commit()
        db.session.close()

    answer = teacher.post(ADDRESS, {"main": "crcn"})

    assert answer.status_code == 422
    assert used(digital) == ["mrc-seconde"]


def test_another_courses_activities_hold_nothing_here(digital: School) -> None:
    with digital.app.app_context():
        factories.activity(factories.course(), "1A")
        db.session.commit()
        db.session.close()

    assert digital.visit("teacher").post(ADDRESS, {"main": "crcn"}).status_code == 303


def test_the_course_of_a_referential_that_is_not_loaded_can_be_put_right(digital: School) -> None:
    with digital.app.app_context():
        db.session.execute(sa.update(Course).values(framework_slugs=["nulle-part"]))
        db.session.commit()
    teacher = digital.visit("teacher")

    assert teacher.get("/referential").status_code == 404
    assert teacher.get("/settings").status_code == 200
    assert teacher.post(ADDRESS, {"main": "mrc-seconde"}).status_code == 303
    assert used(digital) == ["mrc-seconde"]
