"""« Les noms des élèves »: a teacher names pupils whose names the platform does not share."""

from __future__ import annotations

import pytest
import sqlalchemy as sa
from flask import Flask

from lti_tool.courses.models import Course, Enrolment, Role
from lti_tool.db import begin_write, db
from tests import factories
from tests.conftest import School, make_school
from tests.web.reading import words


@pytest.fixture
def school(app: Flask) -> School:
    """The usual school, and three pupils without a name: « anon1 » to « anon3 »."""
    school = make_school(app)
    with app.app_context():
        begin_write()
        for number in (1, 2, 3):
            school.people[f"anon{number}"] = factories.enrolled(school.course, "", "")
        db.session.commit()
        db.session.close()
    return school


def stored(school: School) -> dict[str, str]:
    """The labels that are kept, by our name of the pupil."""
    with school.app.app_context():
        labels = {row.person_id: row.label for row in db.session.scalars(sa.select(Enrolment))}
        db.session.close()
    return {name: labels[person.id] for name, person in school.people.items() if labels.get(person.id)}


def fields(school: School, **labels: str) -> dict[str, str]:
    """What the form sends of these pupils."""
    return {f"label_{school.people[name].id}": label for name, label in labels.items()}


def shown_before(school: School, **labels: str) -> dict[str, str]:
    return {f"was_{school.people[name].id}": label for name, label in labels.items()}


def test_only_pupils_without_a_name_are_offered_one(school: School) -> None:
    page = school.visit("teacher").get("/pupils/labels")

    assert page.text.count('<input type="text"') == 3
    assert all(f"Élève {number}" in page.text for number in (9, 10, 11))
    assert "Adam" not in page.text
    assert "ne donne pas le nom des élèves à Spirale" in words(page)


def test_a_label_replaces_the_number_on_every_page_and_an_empty_one_gives_it_back(school: School) -> None:
    teacher = school.visit("teacher")

    saved = teacher.post("/pupils/labels", fields(school, anon1="  Awa   T. ", anon2="Basile"))

    assert saved.headers["Location"].endswith("/pupils/labels?saved=2")
    assert stored(school) == {"anon1": "Awa T.", "anon2": "Basile"}
    sheet = words(teacher.get(f"/pupils/{school.people['anon1'].id}"))
    assert sheet.startswith('id="main" tabindex="-1"> Awa T. ')
    assert "Précédent : ‹ Aïcha D. Suivant : Basile ›" in sheet, "in the order of names"
    assert "2 noms enregistrés." in words(teacher.get("/pupils/labels?saved=2"))

    teacher.post("/pupils/labels", fields(school, anon1=""))
    assert stored(school) == {"anon2": "Basile"}
    assert "Élève 9" in words(teacher.get(f"/pupils/{school.people['anon1'].id}"))


def test_what_a_colleague_typed_meanwhile_is_left_alone(school: School) -> None:
    old_page = {**fields(school, anon1="", anon2="Basile"), **shown_before(school, anon1="", anon2="")}
    school.visit("colleague").post("/pupils/labels", fields(school, anon1="Awa"))

    saved = school.visit("teacher").post("/pupils/labels", old_page)

    assert saved.headers["Location"].endswith("saved=1")
    assert stored(school) == {"anon1": "Awa", "anon2": "Basile"}


@pytest.mark.parametrize(
    ("labels", "wrong", "sentence"),
    [
        ({"anon1": "x" * 65, "anon2": "Awa"}, ["anon1"], "Au plus 64 caractères"),
        ({"anon1": "Awa", "anon2": "AWÂ"}, ["anon1", "anon2"], "Un autre élève porte déjà ce nom"),
        ({"anon1": "Adam Benali", "anon2": "Awa"}, ["anon1"], "Un autre élève porte déjà ce nom"),
        ({"anon1": "Élève 11", "anon2": "Awa"}, ["anon1"], "Un autre élève porte déjà ce nom"),
    ],
)
def test_a_label_too_long_or_taken_is_said_and_nothing_typed_is_lost(
    school: School, labels: dict[str, str], wrong: list[str], sentence: str
) -> None:
    page = school.visit("teacher").post("/pupils/labels", fields(school, **labels))

    assert page.status_code == 422
    assert stored(school) == {}
    assert sentence in words(page)
    assert page.text.count('aria-invalid="true"') == len(wrong)
    for name in wrong:
        assert f'id="e-{school.people[name].id}"' in page.text
    for label in labels.values():
        assert f'value="{label}"' in page.text


def test_a_label_of_sixty_four_characters_is_kept(school: School) -> None:
    school.visit("teacher").post("/pupils/labels", fields(school, anon1="x" * 64))
    assert stored(school) == {"anon1": "x" * 64}


def test_who_has_a_name_who_teaches_and_who_is_elsewhere_gets_no_label(school: School) -> None:
    with school.app.app_context():
        begin_write()
        school.people["elsewhere"] = factories.enrolled(factories.course(), "", "")
        school.people["nameless teacher"] = factories.enrolled(school.course, "", "", Role.TEACHER)
        db.session.commit()
        db.session.close()

    names = ("Adam", "elsewhere", "nameless teacher")
    forged = fields(school, **dict.fromkeys(names, "Intrus")) | {"label_abc": "x", "label_999999": "x"}
    saved = school.visit("teacher").post("/pupils/labels", forged)

    assert saved.headers["Location"].endswith("saved=0")
    assert stored(school) == {}


def test_the_overview_and_the_settings_lead_there_while_somebody_is_a_number(school: School) -> None:
    teacher, assessor = school.visit("teacher"), school.visit("assessor")

    assert "Nommer les 3 élèves sans nom" in words(teacher.get("/overview"))
    assert "ne donne pas le nom de 3 élèves" in words(teacher.get("/settings"))
    assert "Nommer les" not in words(assessor.get("/overview"))

    teacher.post("/pupils/labels", fields(school, anon1="A", anon2="B"))
    assert "Nommer l’élève sans nom" in words(teacher.get("/overview"))
    teacher.post("/pupils/labels", fields(school, anon3="C"))
    assert "Nommer" not in words(teacher.get("/overview"))
    assert "ne donne pas le nom de 3 élèves" in words(teacher.get("/settings"))


@pytest.mark.parametrize("path", ["/me", "/me/activities"])
def test_a_pupil_without_a_name_reads_their_number_not_their_label(school: School, path: str) -> None:
    school.visit("teacher").post("/pupils/labels", fields(school, anon2="Le grand"))

    mine = words(school.visit("anon2").get(path))
    assert "Pour mes enseignants, je suis l’élève 10." in mine
    assert "Le grand" not in mine
    assert "je suis l’élève" not in words(school.visit("Adam").get(path))


def test_with_every_name_shared_the_page_says_so(app: Flask) -> None:
    page = words(make_school(app).visit("teacher").get("/pupils/labels"))
    assert "donne le nom de chaque élève" in page


def test_a_course_that_is_a_link_says_that_another_link_is_another_list(app: Flask) -> None:
    school = make_school(app)
    sentence = "ce lien en tient lieu"
    assert sentence not in words(school.visit("teacher").get("/activities"))
    with app.app_context():
        begin_write()
        db.session.execute(sa.update(Course).values(context_id="link:7"))
        db.session.commit()
        db.session.close()
    assert sentence in words(school.visit("teacher").get("/activities"))
    assert sentence not in words(school.visit("assessor").get("/activities"))
