"""« Je me positionne », asking to be observed, what teachers read and answer of it; and nothing of anybody else."""

from __future__ import annotations

import html
import re
from datetime import timedelta

import pytest
import sqlalchemy as sa
from flask import Flask

from lti_tool.assessment.models import ObservationRequest, SelfPosition
from lti_tool.assessment.observation_requests import ask
from lti_tool.courses.groups import save_group
from lti_tool.courses.models import Enrolment, Person, SchoolYear
from lti_tool.db import db, utcnow
from lti_tool.gradebook.models import ScoreDelivery
from lti_tool.web.guard import ASKED, May
from tests import factories
from tests.conftest import Visitor
from tests.web.reading import part, words
from tests.web.test_pupil import days_ago

GOOD = {"competence": "1C", "level": "3", "complexity": "2", "evidence": "J’ai reformulé <deux> fois."}


def said(app: Flask) -> list[tuple[str, int, int, str, str]]:
    with app.app_context():
        rows = db.session.scalars(sa.select(SelfPosition).order_by(SelfPosition.id))
        return [(r.item.code, r.level, r.complexity, r.evidence, r.link) for r in rows]


# ----- saying -----


def test_what_i_say_stands_beside_what_was_seen_and_changes_neither_position_nor_score(app, school):
    with app.app_context():
        seen = factories.activity(school.course, "1C", title="Forum", starts_on=days_ago(3))
        factories.assessment(seen, "1C", school.people["Adam"], 2, school.people["teacher"])
        db.session.commit()
    adam = school.visit("Adam")
    before = part(adam.get("/me?competence=1C"), '<p class="answer">', "</figure>")

    answer = adam.post("/me/positions", GOOD)

    assert (answer.status_code, answer.location[-46:]) == (
        303,
        "/me/positions?competence=1C&saved=1#competence",
    )
    assert said(app) == [("1C", 3, 2, GOOD["evidence"], "")]
    page = adam.get("/me/positions?competence=1C&saved=1")
    beside = words(part(page, '<dl class="beside">', "</dl>"))
    assert beside.startswith(
        "Mes enseignants 2 provisoire insuffisamment maîtrisée, simple · 1 tour, provisoire Moi 3"
    )
    assert "maîtrisée, variée" in beside
    assert "J’ai reformulé <deux> fois." in beside
    assert "Ma position est enregistrée." in words(page)
    assert part(adam.get("/me?competence=1C"), '<p class="answer">', "</figure>") == before
    assert "Pour moi : 3 maîtrisée, en situation variée." in words(adam.get("/me?competence=1C"))
    with app.app_context():
        assert db.session.scalar(sa.select(sa.func.count(ScoreDelivery.id))) == 0


def test_a_new_word_is_added_and_the_one_before_can_be_read(app, school):
    adam = school.visit("Adam")
    adam.post("/me/positions", GOOD)
    adam.post("/me/positions", {**GOOD, "level": "4", "evidence": "Au forum, sans aide."})

    page = words(adam.get("/me/positions?competence=1C"))

    assert [row[1] for row in said(app)] == [3, 4]
    assert "Ma position d’avant 3 maîtrisée" in page
    assert page.index("Au forum, sans aide.") < page.index("J’ai reformulé <deux> fois.")


def test_about_an_activity_its_complexity_is_not_asked_and_its_result_shows_both(app, school):
    with app.app_context():
        done = factories.activity(school.course, "1C", title="Forum", starts_on=days_ago(3), complexity=3)
        factories.assessment(done, "1C", school.people["Adam"], 2, school.people["teacher"])
        db.session.commit()
        number = done.id
    adam = school.visit("Adam")
    link = f"/me/positions?competence=1C&activity={number}#competence"
    assert link.removeprefix("/me") in html.unescape(adam.get(f"/activities/{number}").text)

    form = adam.get(link.partition("#")[0])
    adam.post("/me/positions", {"competence": "1C", "activity": number, "level": "3", "evidence": "Fait."})

    assert 'name="complexity"' not in form.text
    assert "En situation complexe, comme dans « Forum »." in words(form)
    assert said(app) == [("1C", 3, 3, "Fait.", "")]
    assert "moi : 3, maîtrisée" in words(part(adam.get("/me/activities"), "<h2>Faites", "</section>"))


def test_a_wrong_form_keeps_what_was_typed_and_says_what_is_wrong(app, school):
    answer = school.visit("Adam").post(
        "/me/positions", {**GOOD, "level": "", "link": "javascript:alert(1)", "evidence": "Une phrase."}
    )

    assert answer.status_code == 422
    text = words(answer)
    assert "Choisir un niveau, de 1 à 4." in text
    assert "elle commence par https://" in text
    assert "Une phrase.</textarea>" in answer.text
    assert 'value="2" checked' in answer.text
    assert 'href="javascript' not in answer.text
    assert said(app) == []


def test_a_link_is_followed_out_of_the_frame_and_names_where_it_leads(app, school):
    adam = school.visit("Adam")
    adam.post("/me/positions", {**GOOD, "link": 'https://nuage.example.org/p?a=1&b="x'})
    adam.post("/me/positions", {**GOOD, "link": "https://nuage.example.org/p?a=1&b=2"})

    for page in (
        adam.get("/me/positions?competence=1C"),
        school.visit("teacher").get(f"/pupils/{school.people['Adam'].id}?competence=1C"),
    ):
        (tag,) = re.findall(r'<a href="https://nuage[^>]+2"[^>]*>[^<]+', page.text)
        assert 'target="_blank" rel="noopener noreferrer nofollow"' in tag
        assert tag.endswith("Voir la trace sur nuage.example.org")
        assert page.text.count('target="_blank"') <= 2, "no page of the session opens elsewhere"


def test_what_is_not_of_this_course_is_not_found(app, school):
    with app.app_context():
        other = factories.activity(factories.course(), "1C").id
        without = factories.activity(school.course, "2A").id
        db.session.commit()
    adam = school.visit("Adam")

    for wrong in (
        {"competence": "9Z"},
        {"competence": ""},
        {"activity": "999999"},
        {"activity": other},
        {"activity": without},
    ):
        assert adam.post("/me/positions", {**GOOD, **wrong}).status_code == 404, wrong
    assert said(app) == []


# ----- asking -----


def test_i_ask_once_my_teacher_reads_it_and_answers_with_a_word(app, school):
    adam, teacher = school.visit("Adam"), school.visit("teacher")
    assert "demande" not in words(teacher.get("/activities"))

    for _ in range(2):
        adam.post("/me/requests", {"competence": "1C"})

    assert "La demande se ferme d’elle-même" in words(adam.get("/me/positions?competence=1C"))
    assert "J’ai demandé une observation." in words(adam.get("/me?competence=1C"))
    assert "Un élève demande une observation : Adam B., 1C" in words(teacher.get("/activities"))
    sheet = f"/pupils/{school.people['Adam'].id}"
    page = teacher.get(f"{sheet}?competence=1C")
    assert "Adam B. demande une observation en 1C, depuis le" in words(page)
    assert "Nouvelle situation avec 1C" in words(page)

    answer = teacher.post(f"{sheet}/requests", {"competence": "1C", "answer": "Vendredi, au stand."})

    assert answer.status_code == 303
    assert "demande" not in words(teacher.get("/activities"))
    mine = words(adam.get("/me/positions?competence=1C"))
    assert "a été fermée par un enseignant. Vendredi, au stand. Demander une observation en 1C" in mine


def test_assessing_answers_it_and_the_way_there_is_the_next_work(app, school):
    with app.app_context():
        coming = factories.activity(school.course, "1C", title="Réclamation", starts_on=days_ago(-3))
        db.session.commit()
        number, item = coming.id, factories.competence("1C").id
    adam, teacher = school.visit("Adam"), school.visit("teacher")
    person = school.people["Adam"].id
    adam.post("/me/requests", {"competence": "1C"})
    assert f"/activities/{number}/grid/{person}" in teacher.get(f"/pupils/{person}?competence=1C").text

    teacher.post(f"/activities/{number}/grid/{person}", {f"level-{item}": "3"})

    assert "demande" not in words(teacher.get("/activities"))
    assert "1C a été évaluée depuis." in words(adam.get("/me/positions?competence=1C"))


def test_i_withdraw_what_i_asked(app, school):
    adam = school.visit("Adam")
    adam.post("/me/requests", {"competence": "1C"})
    adam.post("/me/requests", {"competence": "1C", "withdraw": "1"})

    assert "Demander une observation en 1C" in words(adam.get("/me/positions?competence=1C"))
    with app.app_context():
        row = db.session.scalars(sa.select(ObservationRequest)).one()
        assert row.closed_at is not None
        assert row.closed_by_id is None


def test_of_many_requests_the_first_six_show_and_the_others_unfold(app, school):
    with app.app_context():
        item = factories.competence("2B").id
        for number in range(8):
            person = factories.enrolled(school.course, f"Léa{number}", "Roy")
            ask(db.session, school.course.id, person.id, item, utcnow() + timedelta(seconds=number))
        db.session.commit()

    page = school.visit("teacher").get("/activities")

    assert "8 demandes d’observation : Léa0 R., 2B" in words(page)
    assert words(part(page, "et les autres</summary>", "</details>")) == "Léa6 R., 2B, Léa7 R., 2B"


def test_an_answer_too_long_is_kept_and_refused_and_none_is_sent_for_nothing_asked(app, school):
    teacher, sheet = school.visit("teacher"), f"/pupils/{school.people['Adam'].id}/requests"
    assert teacher.post(sheet, {"competence": "1C"}).status_code == 404
    school.visit("Adam").post("/me/requests", {"competence": "1C"})
    assert teacher.post(sheet, {"answer": "Oui"}).status_code == 404

    answer = teacher.post(sheet, {"competence": "1C", "answer": "long " * 150})

    assert answer.status_code == 422
    assert "dépasse 500 caractères" in words(answer)
    assert "long long" in part(answer, '<textarea id="answer"', "</textarea>")


# ----- what teachers read -----


def test_the_sheet_has_the_pupils_word_every_reason_and_every_comment(app, school):
    with app.app_context():
        forum = factories.activity(school.course, "1A", "1C", title="Forum", starts_on=days_ago(3))
        teacher, adam = school.people["teacher"], school.people["Adam"]
        factories.assessment(forum, "1A", adam, 3, teacher, "Voix posée.")
        factories.assessment(forum, "1C", adam, "ABS", teacher, "À rattraper.")
        factories.assessment(forum, "1A", school.people["Zoé"], 1, teacher, "Pour Zoé.")
        db.session.commit()
    school.visit("Adam").post("/me/positions", GOOD)

    page = school.visit("teacher").get(f"/pupils/{school.people['Adam'].id}?competence=1C&group=4")

    assert "pour l’élève : 3, variée" in words(part(page, '<ol class="mine">', "</ol>"))
    own = words(part(page, 'id="soi"', "</section>"))
    assert "Ce qu’en dit l’élève 3 maîtrisée, variée" in own
    assert "J’ai reformulé <deux> fois." in own
    assert re.match(
        r"Pourquoi, compétence par compétence 1A 3 en situation simple : 3 le .*\. Provisoire",
        words(part(page, 'id="pourquoi">', "</section>")),
    )
    remarks = words(part(page, 'id="commentaires">', "</section>"))
    assert re.search(r"3 maîtrisée 1A Forum Voix posée\. .* ABS absent 1C Forum À rattraper\.$", remarks)
    assert "Zoé" not in remarks
    assert f"/pupils/{school.people['Aïcha'].id}?competence=1C&group=4" in html.unescape(page.text)


@pytest.mark.parametrize("allowed", [False, True])
def test_earlier_years_are_read_by_teachers_only_where_the_administrator_allowed_it(app, school, allowed):
    with app.app_context():
        here = db.session.merge(school.course)
        here.platform.earlier_years = allowed
        adam, teacher = school.people["Adam"], school.people["teacher"]
        before = factories.course(here.platform, title="Troisième prépa", label="3PM")
        elsewhere = factories.course(factories.platform(), title="Un autre lycée", label="LYCEE")
        stranger = factories.enrolled(elsewhere, "Adam", "Benali")
        for course, person, title, days in (
            (before, adam, "Stage de troisième", 500),
            (before, adam, "Cette année ailleurs", 0),
            (before, school.people["Zoé"], "Stage de Zoé", 500),
            (elsewhere, stranger, "Même nom ailleurs", 500),
        ):
            made = factories.activity(course, "1C", title=title, starts_on=days_ago(days), complexity=2)
            factories.assessment(made, "1C", person, 4, teacher, "Entre collègues.")
        db.session.commit()
    sheet = school.visit("teacher").get(f"/pupils/{school.people['Adam'].id}?competence=1C")

    assert ("Stage de troisième" in sheet.text) is allowed
    assert ("3PM" in sheet.text) is allowed
    for hidden in ("Cette année ailleurs", "Stage de Zoé", "Même nom ailleurs", "Entre collègues"):
        assert hidden not in sheet.text
    assert "Pas encore travaillée" in words(sheet), "it counts in no position of this course"
    if allowed:
        year = words(part(sheet, 'id="avant">', "</section>"))
        assert "3PM 1 tour" in year
        assert "4 1C Stage de troisième bien maîtrisée, variée" in year
        assert "Rien de ceci ne compte" in year
    assert "Stage" not in school.visit("Adam").get("/me").text


def test_a_year_that_this_course_closed_is_read_without_an_administrator_and_counts_no_more(app, school):
    with app.app_context():
        year = SchoolYear(course_id=school.course.id, name="2025-2026", closed_at=utcnow())
        db.session.add(year)
        db.session.flush()
        old = factories.activity(
            school.course, "1C", title="L’an dernier", starts_on=days_ago(400), year_id=year.id
        )
        factories.assessment(old, "1C", school.people["Adam"], 4, school.people["teacher"], "Bravo.")
        db.session.commit()
        name = year.name
    sheet = school.visit("teacher").get(f"/pupils/{school.people['Adam'].id}?competence=1C")

    assert f"2MRC1, {name} 1 tour" in words(part(sheet, 'id="avant">', "</section>"))
    assert "Rien de ceci ne compte dans les positions de cette année." in words(sheet)
    assert "Pas encore travaillée" in words(sheet)
    assert "Bravo." not in sheet.text
    adam = school.visit("Adam")
    assert "L’an dernier" not in adam.get("/me").text + adam.get("/me/activities").text


def test_work_of_another_group_or_without_a_date_is_not_expected_of_me(app, school):
    with app.app_context():
        course = db.session.merge(school.course)
        mine = save_group(db.session, course, "Groupe A", [school.people["Adam"].id])
        other = save_group(db.session, course, "Groupe B", [school.people["Zoé"].id])
        for title, days, more in (
            ("Sans date", -1, {"undated": True}),
            ("Pour B", -2, {"group_id": other.id}),
            ("Pour A", -3, {"group_id": mine.id}),
        ):
            factories.activity(course, "1C", title=title, starts_on=days_ago(days), **more)
        db.session.commit()
    adam = school.visit("Adam")

    for path in ("/me?competence=1C", "/me/activities", "/me/exploration"):
        text = adam.get(path).text
        assert "Pour A" in text, path
        assert "Pour B" not in text, path
        assert "Sans date" not in text, path


# ----- nothing of anybody else -----


def pages_of(visitor: Visitor, app: Flask, activity: int) -> dict[str, str]:
    """Every page that a pupil may open and that needs no other number, without its session."""
    found = {}
    paths = [f"/activities/{activity}", "/me?competence=1C", "/me/positions?competence=1C"]
    for rule in app.url_map.iter_rules():
        own = ASKED.get(rule.endpoint) in (May.LEARN, May.READ) and "GET" in (rule.methods or ())
        if own and rule.arguments == {"sid"}:
            paths.append(rule.rule.removeprefix("/l/<sid>"))
    for path in paths:
        answer = visitor.get(path)
        assert answer.status_code in (200, 303), path
        found[path] = answer.text.replace(visitor.sid, "").replace(visitor.csrf, "")
    return found


def test_no_page_of_a_pupil_holds_a_name_a_number_or_a_sum_of_another(app, school):
    """The whole class works, says and asks: not one byte of the pupil's pages changes."""
    with app.app_context():
        forum = factories.activity(school.course, "1A", "1C", title="Forum", starts_on=days_ago(3))
        coming = factories.activity(school.course, "1C", "2B", title="Salon", starts_on=days_ago(-3))
        factories.assessment(forum, "1C", school.people["Adam"], 2, school.people["teacher"], "Reformuler.")
        db.session.commit()
        number = forum.id
    adam = school.visit("Adam")
    adam.post("/me/positions", GOOD)
    adam.post("/me/requests", {"competence": "1C"})
    alone = pages_of(adam, app, number)
    assert len(alone) >= 10

    with app.app_context():
        secret = db.session.get_one(Person, school.people["Zoé"].id)
        secret.family_name = secret.name = "Marqueur"
        db.session.execute(
            sa.update(Enrolment)
            .where(Enrolment.person_id == secret.id)
            .values(label="Marqueur", number=987654)
        )
        for name in ("Zoé", "Aïcha", "Chloé"):
            for activity in (forum, coming):
                factories.assessment(
                    activity, "1C", school.people[name], 4, school.people["teacher"], "Marqueur"
                )
        db.session.commit()
    for name in ("Zoé", "Chloé"):
        other = school.visit(name)
        assert other.post("/me/positions", {**GOOD, "evidence": "Marqueur"}).status_code == 303
        assert other.post("/me/requests", {"competence": "1C"}).status_code == 303

    among = pages_of(adam, app, number)

    assert among == alone
    assert not re.search("Marqueur|987654|Zoé|Aïcha|Chloé|Lambert|Diop|Martin", " ".join(among.values()))


# ----- the next step -----


@pytest.mark.parametrize(
    ("locale", "sentence"),
    [
        ("fr", "Prochaine étape : 2B en situation variée, aujourd’hui. Réclamation"),
        ("en", "Next step: 2B in a varied situation, today. Réclamation"),
    ],
)
def test_the_first_page_says_the_next_step_in_the_pupils_language(app, school, locale, sentence):
    with app.app_context():
        factories.activity(school.course, "2B", title="Réclamation", starts_on=days_ago(0), complexity=2)
        db.session.commit()

    page = school.visit("Adam", locale=locale).get("/me")

    assert words(part(page, 'id="next">', "</p>")) == sentence


def test_after_the_work_the_next_step_is_to_say_where_i_stand_until_i_did(app, school):
    with app.app_context():
        done = factories.activity(school.course, "1C", title="Forum", starts_on=days_ago(2), complexity=2)
        factories.assessment(done, "1C", school.people["Adam"], 4, school.people["teacher"])
        db.session.commit()
        number = done.id
    adam = school.visit("Adam")

    def step() -> str:
        return words(part(adam.get("/me"), 'id="next">', "</p>"))

    assert step() == "Prochaine étape : me positionner en 1C, après « Forum ». Je me positionne"
    adam.post("/me/positions", {"competence": "1C", "activity": number, "level": "3", "evidence": "Fait."})
    assert step() == (
        "Prochaine étape : 1C, un tour de plus en situation variée. Demander une observation en 1C"
    )
