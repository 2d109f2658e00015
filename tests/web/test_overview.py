"""« Bilan de la classe », as a teacher opens it."""

from __future__ import annotations

import html
import re
from datetime import date, timedelta
from zoneinfo import ZoneInfo

import pytest
import sqlalchemy as sa
from flask import Flask
from werkzeug.test import TestResponse

from lti_tool.activities.models import Activity
from lti_tool.assessment.models import Decision
from lti_tool.assessment.self_positions import SelfDraft, add_self_position
from lti_tool.courses.models import Course, Enrolment, Role
from lti_tool.db import begin_write, db, utcnow
from lti_tool.lti.models import Platform
from tests import factories
from tests.conftest import School, open_visit
from tests.web.reading import part, words

PARIS = ZoneInfo("Europe/Paris")
"""Where the school is: its day begins before that of UTC."""


def days_ago(days: int) -> date:
    return utcnow().astimezone(PARIS).date() - timedelta(days=days)


@pytest.fixture
def assessed(app: Flask, school: School) -> dict[str, int]:
    """Adam has six turns in 1C, Zoé one in 1A; nobody else anything. The ids of the activities, by title."""
    with app.app_context():
        ids = {}
        for title, days, complexity, speciality, level in (
            ("Accueil", 160, 1, "A", 2),
            ("Vente", 110, 1, "V", 3),
            ("Relance", 60, 2, "V", 2),
            ("Téléphone", 42, 2, "V", 4),
            ("Rayon", 12, 2, "C", 3),
            ("Forum", 5, 3, "A", 2),
        ):
            made = factories.activity(
                school.course,
                "1A",
                "1C",
                title=title,
                starts_on=days_ago(days),
                complexity=complexity,
                specialities=[speciality],
            )
            comment = "Il a manqué <la reformulation>." if title == "Forum" else ""
            factories.assessment(made, "1C", school.people["Adam"], level, school.people["teacher"], comment)
            if title == "Accueil":
                factories.assessment(made, "1A", school.people["Zoé"], 4, school.people["teacher"])
                factories.assessment(made, "1A", school.people["Chloé"], "ABS", school.people["teacher"])
            ids[title] = made.id
        db.session.commit()
    return ids


def platform_of(school: School) -> Platform:
    return db.session.get_one(Platform, school.course.platform_id)


def row(page: TestResponse, name: str) -> list[str]:
    """The words of each cell of a pupil's row."""
    source = part(page, f">{name}</a></th>", "</tr>")
    return [words(cell) for cell in re.findall(r"<td[^>]*>(.*?)</td>", source, re.DOTALL)]


def test_each_cell_says_its_level_its_complexity_and_its_turns(school, assessed):
    page = school.visit("teacher").get("/overview")

    assert page.status_code == 200
    never = "– jamais travaillée"
    assert row(page, "Adam B.") == [never, never, "3 maîtrisée ×6 6 tours", *[never] * 7]
    assert row(page, "Zoé L.")[:2] == ["4 bien maîtrisée, provisoire ×1 1 tour", never]
    assert row(page, "Chloé M.")[0] == never
    assert part(page, ">Adam B.<", "</tr>").count('aria-label="variée"') == 1
    assert "4 élèves connus : ceux qui ont ouvert Spirale 6 situations évaluées" in words(page)


def test_columns_are_the_ten_competences_with_their_histogram(school, assessed):
    page = school.visit("teacher").get("/overview")

    head = part(page, "<thead>", "</thead>")
    assert re.findall(r'class="kode" href="[^"]*">?[^>]*>(\d[A-D])</a>', head) == (
        ["1A", "1B", "1C", "1D", "2A", "2B", "2C", "3A", "3B", "3C"]
    )
    assert re.findall(r'<th scope="col" class="gstart"><a class="kode"[^>]*>(..)</a>', head) == ["2A", "3A"]
    assert "0 au niveau 1, 0 au niveau 2, 0 au niveau 3, 1 au niveau 4" in head
    assert head.count("Aucun élève évalué") == 8


def test_a_cell_opens_its_reason_under_the_pupils_row(school, assessed):
    teacher, adam = school.visit("teacher"), school.people["Adam"].id
    link = html.unescape(part(teacher.get("/overview"), 'class="pos" href="', '"'))
    assert link == f"?pupil={adam}&competence=1C#open"

    page = teacher.get(f"/overview?pupil={adam}&competence=1C")

    why = words(part(page, '<tr class="why">', "</table>"))
    assert why.startswith("Adam B. · 1C · pourquoi ? 3 en situation variée : 3 le ")
    assert "en situation complexe ne l’abaisse pas." in why
    titles = re.findall(r'grid">([^<]+)</a>', part(page, '<ol class="turnlist"', "</ol>"))
    assert titles == ["Forum", "Rayon", "Téléphone", "Relance", "Vente", "Accueil"]
    assert f"/activities/{assessed['Forum']}/grid" in page.text
    assert f"/pupils/{adam}?competence=1C" in page.text
    assert page.text.count('id="open" aria-expanded="true"') == 1
    assert "Il a manqué &lt;la reformulation&gt;." in page.text


def test_an_opened_cell_holds_what_the_pupil_last_said_of_themselves(school, assessed):
    with school.app.app_context():
        begin_write()
        item, adam = factories.competence("1C"), school.people["Adam"].id
        for level, evidence in ((2, "J’ai oublié une question."), (4, "J’ai reformulé <trois> fois.")):
            draft = SelfDraft(level=str(level), complexity="2", evidence=evidence)
            add_self_position(db.session, school.course.id, adam, item, None, draft, utcnow())
        db.session.commit()
        db.session.close()
    teacher = school.visit("teacher")

    page = teacher.get(f"/overview?pupil={adam}&competence=1C")

    said = part(page, 'id="h-own"', "</section>")
    assert "bien maîtrisée, variée" in words(said)
    assert "J’ai reformulé &lt;trois&gt; fois." in said
    assert "oublié" not in page.text
    zoe = school.people["Zoé"].id
    assert "h-own" not in teacher.get(f"/overview?pupil={zoe}&competence=1A").text


@pytest.mark.parametrize(
    "query",
    [
        "pupil={adam}&competence=1A",
        "pupil={adam}&competence=9Z",
        "pupil=x&competence=1C",
        "pupil=999999&competence=1C",
    ],
)
def test_an_address_that_names_nothing_to_explain_opens_nothing(school, assessed, query):
    page = school.visit("teacher").get("/overview?" + query.format(adam=school.people["Adam"].id))

    assert page.status_code == 200
    assert 'class="why"' not in page.text


def test_filters_keep_only_their_turns_and_stay_in_the_links(school, assessed):
    teacher, adam = school.visit("teacher"), school.people["Adam"].id

    page = teacher.get(f"/overview?complexity=3&speciality=A&pupil={adam}&competence=1C")

    assert row(page, "Adam B.")[2] == "2 insuffisamment maîtrisée, provisoire ×1 1 tour"
    assert "1 situation évaluée" in words(page)
    assert "avec les seuls tours que les filtres retiennent" in words(page)
    assert '<option value="3" selected>' in page.text
    assert f'href="?speciality=A&amp;complexity=3#p{adam}">Fermer' in page.text


def test_months_chosen_the_wrong_way_round_mean_what_is_between_them(school, assessed):
    teacher = school.visit("teacher")
    early, late = f"{days_ago(160):%Y-%m}", f"{days_ago(110):%Y-%m}"

    straight = teacher.get(f"/overview?since={early}&until={late}")
    swapped = teacher.get(f"/overview?since={late}&until={early}")

    assert row(straight, "Adam B.")[2] == "3 maîtrisée ×2 2 tours"
    assert row(swapped, "Adam B.") == row(straight, "Adam B.")


@pytest.mark.parametrize(
    "query", ["since=x&until=2026-13", "complexity=9", "speciality=Z", "provisional=maybe"]
)
def test_a_filter_that_is_no_choice_filters_nothing(school, assessed, query):
    assert row(school.visit("teacher").get(f"/overview?{query}"), "Adam B.")[2] == "3 maîtrisée ×6 6 tours"


def test_only_provisional_positions_are_shown_when_asked(school, assessed):
    page = school.visit("teacher").get("/overview?provisional=1")

    assert row(page, "Zoé L.")[0] == "4 bien maîtrisée, provisoire ×1 1 tour"
    assert "Adam B." not in page.text


def test_filters_that_leave_nothing_say_so_and_how_to_get_back(school, assessed):
    page = school.visit("teacher").get("/overview?complexity=3&speciality=C")

    assert "Aucune situation évaluée ne leur correspond. Tout afficher" in words(page)
    assert "<table" not in page.text


# ----- before there is something to see -----


def test_without_a_pupil_it_says_how_they_come(app, school):
    with app.app_context():
        empty = factories.course(platform_of(school))
        teacher = factories.enrolled(empty, "Claire", "Morel", Role.TEACHER)
        db.session.commit()
    page = open_visit(app, empty, teacher).get("/overview")

    assert "Aucun élève connu La plateforme ne donne pas la liste" in words(page)
    assert "dès sa première ouverture de Spirale" in words(page)


@pytest.mark.parametrize(
    ("problem", "said"),
    [
        ("delayed", "n’a pas donné la liste"),
        ("refused", "refuse de donner la liste"),
        ("", "les inscrire dans le cours"),
    ],
)
def test_without_a_pupil_the_rosters_problem_is_said(app, school, problem, said):
    with app.app_context():
        empty = factories.course(
            platform_of(school), memberships_url="https://lms.example.org/m", roster_problem=problem
        )
        teacher = factories.enrolled(empty, "Claire", "Morel", Role.TEACHER)
        db.session.commit()

    assert said in words(open_visit(app, empty, teacher).get("/overview"))


def test_a_rosters_problem_is_said_above_the_pupils_who_are_known(app, school, assessed):
    with app.app_context():
        db.session.execute(
            sa.update(Course).values(memberships_url="https://lms.example.org/m", roster_problem="refused")
        )
        db.session.commit()

    page = school.visit("teacher").get("/overview")

    assert "refuse de donner la liste" in words(page)
    assert "Adam B." in page.text


def test_without_an_assessment_the_next_step_is_a_situation_or_its_grid(app, school):
    teacher = school.visit("teacher")

    first = teacher.get("/overview")
    with app.app_context():
        factories.activity(school.course)
        db.session.commit()
    second = teacher.get("/overview")

    assert "Aucune évaluation pour l’instant" in words(first)
    assert "/activities/new" in first.text
    assert "Choisir une activité à évaluer" in words(second)


def test_who_may_not_make_activities_is_not_offered_one(school):
    assert "/activities/new" not in school.visit("assessor").get("/overview").text


# ----- who sees it, and what it costs -----


@pytest.mark.parametrize(
    ("name", "status"), [("colleague", 200), ("assessor", 200), ("observer", 403), ("Adam", 403)]
)
def test_only_those_who_assess_see_the_class(school, assessed, name, status):
    assert school.visit(name).get("/overview").status_code == status


def test_another_courses_levels_are_not_in_the_table(app, school, assessed):
    with app.app_context():
        other = factories.course(platform_of(school))
        db.session.add(
            Enrolment(course_id=other.id, person_id=school.people["Aïcha"].id, role=Role.LEARNER, number=1)
        )
        elsewhere = factories.activity(other, "2B")
        factories.assessment(elsewhere, "2B", school.people["Aïcha"], 4, school.people["teacher"])
        db.session.commit()

    assert set(row(school.visit("teacher").get("/overview"), "Aïcha D.")) == {"– jamais travaillée"}


# ----- order -----


def names(page: TestResponse) -> list[str]:
    """The pupils, in the order of the rows."""
    return re.findall(r'<tr id="p\d+"><th scope="row" class="first"><a [^>]*>([^<]+)</a>', page.text)


@pytest.fixture
def levels_in_1a(app: Flask, school: School, assessed: dict[str, int]) -> None:
    """Adam 2, Chloé 3 in a varied situation, Zoé 4; Aïcha nothing."""
    with app.app_context():
        simple, varied = (db.session.get_one(Activity, assessed[title]) for title in ("Accueil", "Relance"))
        factories.assessment(simple, "1A", school.people["Adam"], 2, school.people["teacher"])
        factories.assessment(varied, "1A", school.people["Chloé"], 3, school.people["teacher"])
        db.session.commit()


@pytest.mark.parametrize(
    ("sort", "order", "said"),
    [
        ("", ["Adam B.", "Aïcha D.", "Chloé M.", "Zoé L."], ("Élève", "ascending")),
        ("-", ["Zoé L.", "Chloé M.", "Aïcha D.", "Adam B."], ("Élève", "descending")),
        ("1A", ["Adam B.", "Chloé M.", "Zoé L.", "Aïcha D."], ("1A", "ascending")),
        ("-1A", ["Zoé L.", "Chloé M.", "Adam B.", "Aïcha D."], ("1A", "descending")),
        ("9Z", ["Adam B.", "Aïcha D.", "Chloé M.", "Zoé L."], ("Élève", "ascending")),
        ("-9Z", ["Adam B.", "Aïcha D.", "Chloé M.", "Zoé L."], ("Élève", "ascending")),
    ],
)
def test_rows_follow_the_name_or_the_level_in_a_competence_and_who_has_none_comes_last(
    school, levels_in_1a, sort, order, said
):
    page = school.visit("teacher").get("/overview", query_string={"sort": sort})

    assert names(page) == order
    sorted_heads = re.findall(r'<th [^>]*aria-sort="(\w+)">(.*?)</th>', page.text)
    assert [(direction, words(head).split()[0]) for direction, head in sorted_heads] == [said[::-1]]


def test_a_column_is_turned_round_by_its_own_link_and_filters_and_the_opened_cell_keep_the_order(
    school, levels_in_1a
):
    teacher, zoe = school.visit("teacher"), school.people["Zoé"].id

    page = html.unescape(teacher.get("/overview?sort=1A&complexity=1").text)

    assert 'href="?complexity=1&sort=-1A#table"' in page
    assert 'href="?complexity=1&sort=1B#table"' in page
    assert 'href="?complexity=1#table"' in page, "back to names"
    assert f'href="?complexity=1&sort=1A&pupil={zoe}&competence=1A#open"' in page
    assert '<input type="hidden" name="sort" value="1A">' in page
    assert re.search(r'href="[^"]*/overview\?sort=1A">Tout afficher', page)


# ----- filters -----


@pytest.fixture
def grouped(app: Flask, school: School, assessed: dict[str, int]) -> dict[str, int]:
    """A group with Adam and Zoé, a term of the last 50 days, one certificative situation. Their numbers."""
    with app.app_context():
        group = factories.group(school.course, "Groupe <A>", school.people["Adam"], school.people["Zoé"])
        term = factories.period(school.course, "Trimestre 2", days_ago(50), days_ago(10))
        db.session.get_one(Activity, assessed["Relance"]).purpose = "certificative"
        db.session.commit()
        return {"group": group.id, "period": term.id}


def test_a_group_lists_its_pupils_and_changes_no_position(school, grouped):
    page = school.visit("teacher").get(f"/overview?group={grouped['group']}")

    assert names(page) == ["Adam B.", "Zoé L."]
    assert row(page, "Adam B.")[2] == "3 maîtrisée ×6 6 tours"
    assert "Seulement : Groupe <A> . Tout afficher" in words(page)


def test_a_named_period_counts_the_work_of_its_days_and_takes_the_place_of_months(school, grouped):
    page = school.visit("teacher").get(f"/overview?period={grouped['period']}&since=2020-01")

    assert row(page, "Adam B.")[2] == "3 maîtrisée ×2 2 tours"
    assert "Seulement : Trimestre 2 . Tout afficher" in words(page)
    assert 'name="since"' not in page.text


def test_formative_and_certificative_work_are_told_apart(school, grouped):
    page = school.visit("teacher").get("/overview?purpose=certificative")

    assert row(page, "Adam B.")[2] == "2 insuffisamment maîtrisée, provisoire ×1 1 tour"
    assert "Seulement : évaluation certificative . Tout afficher" in words(page)


def test_what_is_filtered_is_said_in_one_sentence(school, grouped):
    query = {
        "group": grouped["group"],
        "speciality": "V",
        "complexity": 2,
        "purpose": "formative",
        "provisional": 1,
        "since": f"{days_ago(60):%Y-%m}",
    }

    page = school.visit("teacher").get("/overview", query_string=query)

    said = words(part(page, '<p class="small mb2">', "</p>"))
    assert said.startswith(
        "Seulement : Groupe <A>, situations de vente, complexité variée, évaluation formative, depuis "
    )
    assert said.endswith(", positionnements provisoires . Tout afficher")
    assert "Seulement" not in words(school.visit("teacher").get("/overview"))


@pytest.mark.parametrize("query", ["group=999999", "group=x", "period=999999", "purpose=other", "review=yes"])
def test_groups_and_periods_of_elsewhere_filter_nothing(school, grouped, query):
    page = school.visit("teacher").get(f"/overview?{query}")

    assert len(names(page)) == 4
    assert "Seulement" not in words(page)


# ----- à revoir -----


@pytest.fixture
def retained(app: Flask, school: School, assessed: dict[str, int]) -> None:
    """A level retained for Adam in 1C before his last turn was entered, one for Zoé in 1A since."""
    with app.app_context():
        for name, code, seen in (("Adam", "1C", 1), ("Zoé", "1A", 10**6)):
            db.session.add(
                Decision(
                    course_id=school.course.id,
                    person_id=school.people[name].id,
                    item_id=factories.competence(code).id,
                    decider_id=school.people["teacher"].id,
                    level=4,
                    complexity=2,
                    reason="Vu en entreprise",
                    seen_entry_id=seen,
                )
            )
        db.session.commit()


def test_a_retained_position_with_newer_turns_is_flagged_counted_and_can_be_listed_alone(school, retained):
    teacher = school.visit("teacher")

    page = teacher.get("/overview")
    alone = teacher.get("/overview?review=1")

    assert part(page, ">Adam B.<", "</tr>").count('aria-label="à revoir"') == 1
    assert 'aria-label="à revoir"' not in part(page, ">Zoé L.<", "</tr>")
    assert "À revoir (1)" in words(page)
    assert names(alone) == ["Adam B."]
    assert "positionnements à revoir . Tout afficher" in words(alone)


def test_filters_on_turns_leave_nothing_to_review_and_say_why(school, retained):
    page = school.visit("teacher").get("/overview?review=1&complexity=1")

    assert "avec des filtres sur les tours, aucun n’est à revoir" in words(page)


def test_marks_to_review_are_not_offered_where_nothing_was_retained(school, assessed):
    assert "À revoir" not in words(school.visit("teacher").get("/overview"))
