"""A second referential beside the Seconde, step by step as docs/referentials.md tells it."""

from __future__ import annotations

import re
import uuid
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from click.testing import CliRunner

from lti_tool.activities.editing import Draft
from lti_tool.activities.models import Activity
from lti_tool.activities.nudges import nudges
from lti_tool.cli import spirale
from lti_tool.config import Config, shipped
from lti_tool.courses.models import Course
from lti_tool.courses.referentials import materials
from lti_tool.db import db
from lti_tool.frameworks.loading import shipped_referentials
from lti_tool.frameworks.reading import read_referential
from lti_tool.gradebook.models import ScoreDelivery
from tests import factories
from tests.conftest import SECRET, School
from tests.web.reading import part, words
from tests.web.test_activities import FORM
from tests.web.test_picker import answer_of, pick

CRCN = shipped("configs", "referentials", "examples", "crcn.yaml")
GUIDE = Path(__file__).parent.parent / "docs" / "referentials.md"


@pytest.fixture
def digital(school: School, config: Config) -> School:
    """A course that uses the digital skills beside the Seconde: loaded and chosen as the guide says."""
    env = {"SPIRALE_DATA_DIR": str(config.data_dir), "SPIRALE_SECRET_KEY": SECRET}
    loaded = CliRunner().invoke(spirale, ["referential", "load", str(CRCN)], env=env)
    assert loaded.exit_code == 0, loaded.output
    chosen = school.visit("teacher").post(
        "/settings/referentials", {"main": "mrc-seconde", "referentials": ["mrc-seconde", "crcn"]}
    )
    assert chosen.status_code == 303
    return school


def attach(school: School, *names: str, **values: Any) -> int:
    """An activity made with the form."""
    form = {**FORM, "competences": list(names), **values}
    answer = school.visit("teacher").post("/activities/new", form)
    assert answer.status_code == 303, words(answer)
    with school.app.app_context():
        newest = db.session.scalar(sa.select(sa.func.max(Activity.id)))
        assert newest
        return newest


def assess(school: School, activity_id: int, name: str, code: str, slug: str, level: int) -> None:
    """A level typed in the grid."""
    with school.app.app_context():
        item_id = factories.competence(code, slug).id
    entry = {
        "key": str(uuid.uuid4()),
        "person": school.people[name].id,
        "competence": item_id,
        "value": str(level),
        "comment": None,
    }
    answer = school.visit("teacher").post_json(
        f"/activities/{activity_id}/cells", {"entries": [entry], "since": 0}
    )
    assert answer.status_code == 200, answer.text


def test_the_example_is_valid_and_not_loaded_by_default() -> None:
    data = read_referential(CRCN)
    codes = [item.code for item in data.walk() if item.type == "competence"]

    assert [group.code for group in data.items] == [f"Domaine {n}" for n in range(1, 6)]
    assert [len(group.items) for group in data.items] == [3, 4, 4, 3, 2]
    assert len(set(codes)) == len(codes) == 16
    assert CRCN not in shipped_referentials()


def test_the_guide_names_what_is_there() -> None:
    text = GUIDE.read_text(encoding="utf-8")

    assert "configs/referentials/examples/crcn.yaml" in text
    excerpt = text.partition("## Ajouter un référentiel")[2].partition("```yaml\n")[2].partition("```")[0]
    source = CRCN.read_text(encoding="utf-8")
    quoted = [line for line in excerpt.splitlines() if line.strip() not in ("", "# …")]
    assert quoted
    assert [line for line in quoted if line not in source.splitlines()] == []


def test_the_whole_job_with_two_referentials(digital: School) -> None:
    teacher = digital.visit("teacher")
    form = teacher.get("/activities/new")
    assert 'value="1A"' in form.text
    assert 'value="crcn~1.1"' in form.text
    assert "Domaine 1 · Information et données" in words(form)

    activity_id = attach(digital, "1A", "crcn~1.1")
    grid = teacher.get(f"/activities/{activity_id}/grid")
    assert re.findall(r'data-competence="\d+" data-code="([^"]+)"', grid.text) == ["1A", "1.1"]
    expected = digital.visit("Adam").get(f"/activities/{activity_id}")
    assert [
        link[1] for link in re.findall(r'/referential/([^"]+)"><span class="kode">([^<]+)', expected.text)
    ] == [
        "1A",
        "1.1",
    ]
    assess(digital, activity_id, "Adam", "1A", "mrc-seconde", 3)
    assess(digital, activity_id, "Adam", "1.1", "crcn", 2)

    overview = teacher.get("/overview")
    heads = re.findall(r'<th scope="col".*?class="kode" href="[^"]*/referential/([^"]+)"', overview.text)
    assert heads[-2:] == ["3C", "crcn~1.1"]
    assert len(heads) == 11, "of the digital skills, the one that is worked"
    assert "CRCN · Mener une recherche" in words(overview)
    adam = digital.people["Adam"].id
    why = words(teacher.get(f"/overview?pupil={adam}&competence=crcn~1.1"))
    assert "1.1 · pourquoi ?" in why

    mine = digital.visit("Adam").get("/me?competence=crcn~1.1")
    assert "Cadre de référence des compétences numériques 1.1" in words(mine)
    assert "Ma spirale · 1.1 Mener une recherche" in words(mine)
    with digital.app.app_context():
        rows = db.session.scalars(sa.select(ScoreDelivery).order_by(ScoreDelivery.id)).all()
        seconde, crcn = factories.competence("1A").id, factories.competence("1.1", "crcn").id
        assert [(row.item_id, row.score) for row in rows] == [(seconde, 3), (crcn, 2)]
    columns = words(part(teacher.get("/gradebook"), 'id="h-columns"', "</section>"))
    assert "1.1 Mener une recherche et une veille d’information" in columns
    assert "1.2 Gérer des données" not in columns


def test_what_a_form_ticked_comes_back_ticked(digital: School) -> None:
    activity_id = attach(digital, "crcn~5.2", "3B")

    page = digital.visit("teacher").get(f"/activities/{activity_id}/edit").text

    ticked = re.findall(r'name="competences" value="([^"]+)" checked', page)
    assert ticked == ["3B", "crcn~5.2"]
    copy = digital.visit("teacher").get(f"/activities/new?copy={activity_id}").text
    assert re.findall(r'name="competences" value="([^"]+)" checked', copy) == ticked
    asked = digital.visit("teacher").get("/activities/new?competence=crcn~5.2&competence=mrc-seconde~1A").text
    assert re.findall(r'name="competences" value="([^"]+)" checked', asked) == ["1A", "crcn~5.2"]


def test_a_competence_page_of_each_and_the_ruler_of_both(digital: School) -> None:
    page = digital.visit("teacher").get("/referential/crcn~1.1")

    assert "Domaine 1 · Information et données" in words(page)
    ruler = part(page, '<nav class="ruler"', "</nav>")
    assert len(re.findall("<a ", ruler)) == 26
    assert ruler.count("<ol>") == 8
    assert re.findall(r'/referential/([^"]+)"[^>]*aria-current', ruler) == ["crcn~1.1"]
    assert "competence=crcn~1.1" in page.text, "« Nouvelle situation » ticks it"
    tabs = part(digital.visit("Adam").get("/referential?of=crcn"), '<nav class="tabs', "</nav>")
    assert words(tabs.partition(">")[2]) == "Seconde MRC Vue générale CRCN MA MCV"
    assert re.findall(r'of=(\w+)"[^>]*aria-current', tabs) == ["crcn"]


def test_a_statement_of_each_referential_leads_to_its_page(digital: School) -> None:
    with digital.app.app_context():
        own, linked = factories.competence("2.2", "crcn").uuid, factories.competence("1.2", "ma").uuid
    visitor = digital.visit("Adam")

    assert visitor.get(f"/statements/{own}").location.endswith("/referential/crcn~2.2")
    assert visitor.get(f"/statements/{linked}").status_code == 200


def test_deep_links_already_placed_and_new_ones_lead_to_their_page(digital: School) -> None:
    picker = pick(digital).get("/picker").text
    assert 'value="competence:1C"' in picker
    assert 'value="competence:crcn~2.3"' in picker
    answer = pick(digital).post(
        "/picker", {"item": ["competence:1C", "competence:crcn~2.3"], "action": "add"}
    )
    claims = answer_of(digital, answer)
    items = claims["https://purl.imsglobal.org/spec/lti-dl/claim/content_items"]
    assert [(i["title"], i["custom"]["spirale_page"]) for i in items] == [
        ("1C Rechercher le besoin du client", "competence:1C"),
        ("2.3 Collaborer", "competence:crcn~2.3"),
    ]
    with digital.app.app_context():
        db.session.get_one(Course, digital.course.id).framework_slugs = ["crcn", "mrc-seconde"]
        db.session.commit()
    for custom in (i["custom"] for i in items):
        visitor = digital.visit("Adam", custom=custom)
        page = visitor.get(visitor.get("/").location.partition(visitor.sid)[2])
        assert page.status_code == 200
    assert "1C" in words(digital.visit("Adam").get("/referential/1C"))


def test_remarks_say_nothing_of_a_referential_that_the_course_has_not_begun(digital: School) -> None:
    with digital.app.app_context():
        course = db.session.get_one(Course, digital.course.id)
        parts = materials(db.session, course)
        factories.activity(course, "1A", "2A")
        draft = Draft(competences=["1A", "crcn~1.1"])

        before = [n.sentence for n in nudges(db.session, course, parts, draft)]
        made = factories.activity(course, "1A")
        made.competences[0].item = factories.competence("1.1", "crcn")
        db.session.flush()
        after = [n.sentence for n in nudges(db.session, course, parts, Draft(competences=["crcn~1.2"]))]
        unticked = [n.title for n in nudges(db.session, course, parts, Draft(competences=["1A"]), made)]

    assert before == ["1B, 1C, 1D, 2B, 2C, 3A, 3B, 3C ne l’ont pas encore été dans ce cours."]
    assert after[0] == "Toutes les compétences viennent de «\u00a0Domaine 1\u00a0», est-ce voulu\u202f?"
    assert "1.3 (CRCN), 2.1 (CRCN)" in after[1]
    assert unticked[0] == "1.1 (CRCN) n’est plus cochée"


def test_a_pupil_reads_what_is_left_to_explore_of_the_main_referential_only(digital: School) -> None:
    activity_id = attach(digital, "1A", "crcn~1.1", specialities=["V"])
    assess(digital, activity_id, "Adam", "1A", "mrc-seconde", 3)
    assess(digital, activity_id, "Adam", "1.1", "crcn", 3)

    said = words(part(digital.visit("Adam").get("/me/exploration"), 'id="exploration"', "</section>"))

    assert "En vente, rien encore pour 1B, 1C, 1D, 2A, 2B, 2C, 3A, 3B et 3C." in said


def test_an_address_of_a_competence_that_no_activity_works_shows_it_and_an_unknown_one_is_not_found(
    digital: School,
) -> None:
    adam = digital.visit("Adam")

    assert "Ma spirale · 4.2 Protéger les données" in words(adam.get("/me?competence=crcn~4.2"))
    assert adam.get("/me?competence=crcn~9.9").status_code == 404
    assert adam.get("/me?competence=ma~1.1").status_code == 404


def test_a_course_with_one_referential_shows_no_heading_of_it(school: School) -> None:
    for page in ("/activities/new", "/overview", f"/pupils/{school.people['Adam'].id}"):
        text = words(school.visit("teacher").get(page))
        assert "Famille des métiers" not in text, page
        assert "~" not in text


def test_the_search_finds_what_each_referential_says_and_leads_to_its_page(digital: School) -> None:
    page = digital.visit("Adam").get("/referential/search?q=multimédia")

    assert "1 résultat pour « multimédia »" in page.text.replace("\u00a0", " ")
    assert re.findall(r'<a class="hit" href="/l/[^/]+([^"]+)"', page.text) == ["/referential/crcn~3.2"]
    own = digital.visit("Adam").get("/referential/search?q=1A").text
    assert re.findall(r'<a class="hit" href="/l/[^/]+(/referential/[^"]+)"', own)[0] == "/referential/1A"
