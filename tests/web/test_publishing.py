"""« Publier », settings with their consequences said first, filters, and emptying a grade, as pages and forms."""

from __future__ import annotations

import re
from html import unescape
from typing import Any

import pytest
import sqlalchemy as sa
from werkzeug.test import TestResponse

from lti_tool.courses.models import Course
from lti_tool.db import begin_write, db
from lti_tool.gradebook.models import GradebookSettings, ScoreDelivery
from tests import factories
from tests.all_states import AllStates
from tests.conftest import School, Visitor

from .reading import words

FORM: dict[str, Any] = {
    "mode": "automatic",
    "which": "all",
    "conversion": "points",
    **{f"level_{level}": points for level, points in ((1, "5"), (2, "9"), (3, "14"), (4, "19"))},
    **{f"level_{level}_{c}": 4 * level + c for level in (1, 2, 3, 4) for c in (1, 2, 3)},
    "minimum": "1",
}


@pytest.fixture
def every(school: School) -> School:
    """A course with a score in every state: eight pupils, of whom six are looked at."""
    with school.app.test_request_context():
        begin_write()
        course = db.session.merge(school.course)
        for given, family in (("Bilal", "Haddad"), ("Lina", "Nguyễn")):
            school.people[given] = factories.enrolled(course, given, family)
        AllStates(course, school.people["teacher"]).fill()
        db.session.commit()
        db.session.close()
    return school


def rows(school: School) -> list[tuple[str, str]]:
    with school.app.app_context():
        found = db.session.execute(
            sa.select(ScoreDelivery.state, ScoreDelivery.reason).order_by(ScoreDelivery.id)
        )
        result = [(state.value, reason) for state, reason in found]
        db.session.close()
        return result


def marks(answer: TestResponse) -> dict[str, Any]:
    """What the form of « Publier » holds, as a browser sends it."""
    seen = dict(re.findall(r'name="(seen-\w+)" value="([^"]*)"', answer.text))
    return {"columns": re.findall(r'name="columns" value="(\w+)" checked', answer.text), **seen}


def key(school: School, code: str) -> str:
    with school.app.app_context():
        number = factories.competence(code).id
        db.session.close()
        return str(number)


def listed(visitor: Visitor, query: str) -> list[tuple[str, str]]:
    """Who and which column the list of a filter holds."""
    page = visitor.get(f"/gradebook?{query}").text.partition('id="h-columns"')[0]
    return re.findall(r'scope="row" class="nb">([^<]+)</th>.*?class="kode"[^>]*>(\w+)<', page, re.S)


# ----- « Publier » -----


def test_the_preview_says_what_changes_and_publishing_sends_it_once(every: School) -> None:
    teacher = every.visit("teacher")
    before = len(rows(every))
    preview = teacher.get("/gradebook/publish")
    text = words(preview)

    assert "5 nouvelles 2 changées" in text, "1C of five pupils, 1B of two who did better since"
    assert "1B Identifier le client et ses caractéristiques 2 changées, 4 inchangées" in text
    assert "3 / 4 → 4 / 4 bien maîtrisée en situation variée" in text
    assert "4 / 4 → 4 / 4 Même note, nouveau commentaire : maîtrisée en situation variée" in text
    assert "Théo Marchand" in text, "who left is said, and not counted"
    assert len(rows(every)) == before, "looking writes nothing"

    answer = teacher.post("/gradebook/publish", marks(preview))

    assert answer.headers["Location"].endswith("/gradebook?published=7&already=0&skipped=0")
    assert "7 notes publiées" in words(teacher.get("/gradebook?published=7&already=0&skipped=0"))
    answer = teacher.post("/gradebook/publish", marks(preview))
    assert answer.headers["Location"].endswith("/gradebook?published=0&already=7&skipped=0")
    assert [state for state, _reason in rows(every)[before:]] == ["waiting"] * 7


def test_one_column_is_published_from_its_own_button(every: School) -> None:
    teacher = every.visit("teacher")
    column = key(every, "1B")

    preview = teacher.get(f"/gradebook/publish?column={column}")
    assert marks(preview)["columns"] == [column]
    answer = teacher.post("/gradebook/publish", marks(preview))

    assert answer.headers["Location"].endswith("published=2&already=0&skipped=0")


@pytest.mark.parametrize("seen", ["", "x", "1", ":", "1:", "99999999999:a", "1:abc 2:def"])
def test_marks_that_are_not_those_of_the_preview_send_nothing(every: School, seen: str) -> None:
    column, before = key(every, "1C"), rows(every)

    answer = every.visit("teacher").post(
        "/gradebook/publish", {"columns": [column, "x", "l9", ""], f"seen-{column}": seen}
    )

    assert answer.status_code == 303
    assert rows(every) == before


def test_without_publier_there_is_nothing_to_preview(school: School) -> None:
    teacher = school.visit("teacher")

    assert teacher.get("/gradebook/publish").headers["Location"].endswith("/gradebook")
    assert teacher.post("/gradebook/publish").headers["Location"].endswith("published=0&already=0&skipped=0")


def test_conflicts_are_said_with_both_values_and_left_to_the_gradebook(every: School) -> None:
    with every.app.app_context():
        begin_write()
        course = db.session.get_one(Course, every.course.id)
        again = factories.activity(course, "1A", complexity=3)
        factories.assessment(again, "1A", every.people["Adam"], 4, every.people["teacher"])
        db.session.commit()
        db.session.close()
    teacher = every.visit("teacher")

    text = words(teacher.get("/gradebook/publish"))
    assert "Adam B., 1A : le carnet porte 3,5, Spirale propose 4 / 4" in text
    assert "Envoyer 4 / 4" in words(teacher.get("/gradebook")).partition("Les colonnes")[0]
    page = words(teacher.get("/gradebook?state=changed"))
    assert "Garder 3,5" in page
    assert "Envoyer 4 / 4" in page
    assert "Le carnet porte 3,5, mis à la main." in page


# ----- the page -----


def test_every_state_is_counted_and_shown_pupil_by_pupil(every: School) -> None:
    page = every.visit("teacher").get("/gradebook")
    text = words(page)

    assert "Envoi sur « Publier »" in text
    for counted in ("2 en attente", "7 à publier", "9 refusées", "2 modifiées dans le carnet"):
        assert counted in text
    assert "dernier envoi réussi :" in text
    assert "demande d’attendre avant de recevoir d’autres notes" in text
    assert "Nouvel essai :" in text
    assert "Un élève n’est plus dans la liste de la classe" in text
    assert "Envoi suspendu : 11 notes traitées sur 13" in text, "the platform said later"
    table = words(page).rpartition("Élève par élève")[2]
    assert "Adam B. 3,5 modifié dans le carnet 4 à publier 3 à publier 3 refusé 3 envoyé" in table


def test_filters_narrow_by_state_column_and_name_together(every: School) -> None:
    teacher = every.visit("teacher")
    column = key(every, "1A")

    assert len(listed(teacher, "state=to_publish")) == 7
    assert {code for _who, code in listed(teacher, f"column={column}")} == {"1A"}
    assert {who for who, _code in listed(teacher, "q=adam+b")} == {"Adam B."}
    assert listed(teacher, f"state=changed&column={column}&q=AICHA") == [("Aïcha D.", "1A")]
    assert listed(teacher, "q=personne") == []
    assert "Aucune note ne correspond." in words(teacher.get("/gradebook?q=personne"))
    page = teacher.get("/gradebook?state=refused&q=ad").text
    assert 'name="q" value="ad"' in page, "what was typed stays, and buttons come back to it"


def test_a_long_list_goes_on_from_page_to_page_and_keeps_its_filters(
    every: School, monkeypatch: pytest.MonkeyPatch
) -> None:
    teacher, filters = every.visit("teacher"), f"state=refused&column={key(every, '2B')}"
    whole = listed(teacher, filters)
    assert len(whole) == 6
    assert "Suivantes" not in words(teacher.get(f"/gradebook?{filters}")), "what fits says nothing of pages"
    monkeypatch.setattr("lti_tool.web.gradebook.ON_A_PAGE", 4)
    first = teacher.get(f"/gradebook?{filters}").text
    following = re.search(r'rel="next" href="[^"?]*\?([^"#]*)#h-rows"', first)
    assert following is not None
    assert 'rel="prev"' not in first
    last = words(teacher.get(f"/gradebook?{unescape(following[1])}"))

    assert listed(teacher, filters) == whole[:4]
    assert listed(teacher, unescape(following[1])) == whole[4:]
    assert "5 à 6, sur 6" in last
    assert "Précédentes" in last
    assert "Suivantes" not in last
    assert "6 refusées" in last, "all are counted, whatever is shown"
    assert listed(teacher, f"{filters}&page=99") == whole[4:], "some were decided since"
    assert listed(teacher, f"{filters}&page=x") == whole[:4]


def test_a_button_comes_back_to_its_page_and_another_filter_begins_at_the_first(
    every: School, monkeypatch: pytest.MonkeyPatch
) -> None:
    teacher = every.visit("teacher")
    monkeypatch.setattr("lti_tool.web.gradebook.ON_A_PAGE", 2)
    page = teacher.get("/gradebook?state=refused&page=2").text

    assert 'name="page" value="2"' in page
    assert "state=waiting&amp;page" not in page
    answer = teacher.post("/gradebook/again", {"all": "1", "reason": "none", "state": "refused", "page": "2"})
    assert answer.headers["Location"].endswith("/gradebook?state=refused&page=2")


def test_refused_scores_are_sent_again_by_reason(every: School) -> None:
    teacher = every.visit("teacher")
    before = len(rows(every))
    assert "ne peut pas le noter. 2 notes" in words(teacher.get("/gradebook?state=refused"))

    teacher.post("/gradebook/again", {"all": "1", "reason": "not_gradable", "state": "refused"})

    assert len(rows(every)) == before + 2
    teacher.post("/gradebook/again", {"all": "1"})
    assert len(rows(every)) == before + 3, "those of a deleted column are sent with it"


def test_who_left_has_no_new_score_and_it_is_said(every: School) -> None:
    text = words(every.visit("teacher").get("/gradebook?q=marchand"))

    assert "Cet élève n’est plus dans la liste de la classe : rien n’est envoyé pour lui." in text
    assert "La note envoyée avant reste dans le carnet." in text


def test_emptying_a_grade_is_asked_on_a_page_of_its_own(every: School) -> None:
    teacher = every.visit("teacher")
    before = rows(every)
    link = re.search(r'href="[^"]*(/gradebook/clear\?[^"]*)"', teacher.get("/gradebook?q=zoe").text)
    assert link

    page = teacher.get(link[1].replace("&amp;", "&"))
    text = words(page)

    assert "Zoé L. 3C · Diffuser l’information" in text
    assert "3 / 4 · maîtrisée en situation simple" in text
    assert "ce n’est pas un zéro" in text
    assert rows(every) == before, "asking changes nothing"
    fields = dict(re.findall(r'name="(delivery|q)" value="([^"]*)"', page.text))
    answer = teacher.post("/gradebook/clear", fields)
    assert answer.headers["Location"].endswith("/gradebook?q=zoe")
    assert rows(every)[len(before) :] == [("waiting", "")]


def test_a_grade_that_stands_has_no_page_to_empty_it(every: School) -> None:
    with every.app.app_context():
        delivery = db.session.scalar(sa.select(sa.func.min(ScoreDelivery.id)))
        db.session.close()

    answer = every.visit("teacher").get(f"/gradebook/clear?delivery={delivery}")

    assert answer.headers["Location"].endswith("/gradebook")
    assert every.visit("teacher").get("/gradebook/clear").status_code == 404


def test_a_competence_that_is_not_sent_is_said_and_asks_nothing(every: School) -> None:
    with every.app.app_context():
        begin_write()
        kept = [factories.competence(code).id for code in ("1B", "1C")]
        db.session.execute(sa.update(GradebookSettings).values(competences=kept))
        db.session.commit()
        db.session.close()
    teacher = every.visit("teacher")

    assert "2 compétences envoyées" in words(teacher.get("/gradebook"))
    text = words(teacher.get("/gradebook?q=lina"))
    assert "Cette compétence n’est plus envoyée : la note déjà envoyée reste dans le carnet." in text
    assert not [code for _who, code in listed(teacher, "") if code in ("1A", "2B", "3C")]


# ----- the settings -----


def saved(school: School) -> GradebookSettings | None:
    with school.app.app_context():
        found = db.session.get(GradebookSettings, school.course.id)
        db.session.close()
        return found


def test_what_a_change_moves_is_said_before_it_is_kept(every: School) -> None:
    teacher, before = every.visit("teacher"), rows(every)
    form = {**FORM, "conversion": "table"}

    answer = teacher.post("/settings", form)
    text = words(answer)

    assert answer.status_code == 200
    assert "Rien n’est encore enregistré" in text
    found = re.search(r"(\d+) notes partent : (\d+) nouvelles?, (\d+) changées?", text)
    assert found
    assert int(found[1]) == int(found[2]) + int(found[3])
    assert (saved(every).mode, rows(every)) == ("publish", before)
    assert 'value="table" checked' in answer.text, "what was typed is still there"

    mark = re.search(r'name="seen" value="(\w+)"', answer.text)
    assert mark
    answer = teacher.post("/settings", {**form, "level_3": "15", "seen": mark[1]})
    assert answer.status_code == 200, "another change than the one that was said is said anew"
    assert rows(every) == before
    answer = teacher.post("/settings", {**form, "seen": mark[1]})
    assert answer.status_code == 303
    conflicts = re.search(r"(\d+) note modifiée à la main", text)
    written = int(found[1]) + (int(conflicts[1]) if conflicts else 0)
    assert answer.headers["Location"].endswith(f"saved={written}")
    assert len(rows(every)) == len(before) + written


def test_grades_that_moved_since_what_was_said_are_said_again(every: School) -> None:
    teacher = every.visit("teacher")
    mark = re.search(r'name="seen" value="(\w+)"', teacher.post("/settings", FORM).text)
    assert mark
    with every.app.app_context():
        begin_write()
        course = db.session.get_one(Course, every.course.id)
        more = factories.activity(course, "2A")
        factories.assessment(more, "2A", every.people["Adam"], 4, every.people["teacher"])
        db.session.commit()
        db.session.close()

    assert teacher.post("/settings", {**FORM, "seen": mark[1]}).status_code == 200
    assert saved(every).mode == "publish"


def test_competences_are_picked_among_those_of_the_course(school: School) -> None:
    teacher, first = school.visit("teacher"), key(school, "1A")
    form = {**FORM, "which": "some"}

    answer = teacher.post("/settings", form)
    assert answer.status_code == 422
    assert "Cocher au moins une compétence." in words(answer)
    assert teacher.post("/settings", {**form, "competences": [first, "999999", "x"]}).status_code == 303
    assert saved(school).competences == [int(first)]
    page = teacher.get("/settings").text
    assert 'value="some" checked' in page
    assert page.count('name="competences"') == 10
    assert len(re.findall(r'name="competences" value="\d+" checked', page)) == 1
    assert teacher.post("/settings", FORM).status_code == 303
    assert saved(school).competences is None


@pytest.mark.parametrize(
    ("field", "typed", "sentence"),
    [
        ("level_3_2", "x", "Taper un nombre de 0 à 20"),
        ("level_3_2", "9", "Le niveau 3 vaut moins que le niveau précédent (10)"),
        ("level_3_3", "14", "Le niveau 3 vaut moins que le niveau précédent"),
        ("level_4_3", "17", "Le niveau 4 vaut moins qu’en situation moins complexe (18)"),
    ],
)
def test_a_table_by_complexity_that_is_wrong_is_explained_where_it_is(
    school: School, field: str, typed: str, sentence: str
) -> None:
    teacher = school.visit("teacher")
    right = {**FORM, "conversion": "complexity", "level_2_3": "14,5", "level_3_3": "15"}

    answer = teacher.post("/settings", {**right, field: typed})

    assert answer.status_code == 422
    assert sentence in words(answer)
    assert f'name="{field}" value="{typed}" aria-invalid="true"' in answer.text
    assert saved(school) is None
    assert teacher.post("/settings", right).status_code == 303
    assert saved(school).complexity_table["3"] == {"1": 7, "2": 14.5, "3": 15, "4": 19}
