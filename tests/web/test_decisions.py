"""« Retenir un autre positionnement »: what a teacher decides, what is sent, and when it is to be looked at again."""

from __future__ import annotations

import re
from datetime import date
from decimal import Decimal
from threading import Barrier, Thread

import pytest
import sqlalchemy as sa
from flask import Flask

from lti_tool.administration.retention import erase_people
from lti_tool.assessment.models import Assessment, Decision
from lti_tool.courses.models import Course
from lti_tool.db import db, utcnow
from lti_tool.gradebook.models import DeliveryState, ScoreDelivery
from lti_tool.gradebook.scores import queue_scores
from tests import factories
from tests.both import any_app  # noqa: F401
from tests.conftest import School, make_school
from tests.web.reading import part, words

WHY = "A tenu seul l’accueil du forum."


@pytest.fixture
def seen(school: School) -> School:
    observe(school)
    return school


def observe(school: School) -> None:
    """Adam has 2 then 2 in simple situations in 1C, and the score is on its way."""
    with school.app.app_context():
        for day in (date(2026, 10, 1), date(2026, 10, 8)):
            made = factories.activity(school.course, "1C", starts_on=day)
            factories.assessment(made, "1C", school.people["Adam"], 2, school.people["teacher"])
        queue(school)
        db.session.commit()


def queue(school: School) -> None:
    queue_scores(db.session, school.course, [(school.people["Adam"].id, item_id())], utcnow())


def item_id() -> int:
    return factories.competence("1C").id


def observe_again(school: School, level: int, day: date = date(2026, 11, 5), complexity: int = 1) -> None:
    with school.app.app_context():
        made = factories.activity(school.course, "1C", starts_on=day, complexity=complexity)
        factories.assessment(made, "1C", school.people["Adam"], level, school.people["colleague"])
        queue(school)
        db.session.commit()


def address(school: School) -> str:
    return f"/pupils/{school.people['Adam'].id}/decision"


def form(school: School, **typed: object) -> dict[str, object]:
    """The form as the page gives it to a teacher who opens it now, then typed over."""
    with school.app.app_context():
        item = item_id()
    page = school.visit("teacher").get(address(school), query_string={"item": item})
    assert page.status_code == 200
    hidden = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)">', page.text))
    hidden.pop("csrf")
    return {**hidden, "act": "retain", "level": 3, "complexity": 2, "reason": WHY, **typed}


def retain(school: School, who: str = "teacher", **typed: object) -> None:
    answer = school.visit(who).post(address(school), form(school, **typed))
    assert answer.status_code == 303, words(answer)


def decisions(school: School) -> list[Decision]:
    with school.app.app_context():
        return list(db.session.scalars(sa.select(Decision).order_by(Decision.id)))


def waiting(school: School) -> ScoreDelivery:
    with school.app.app_context():
        return db.session.scalars(
            sa.select(ScoreDelivery).where(ScoreDelivery.state == DeliveryState.WAITING)
        ).one()


def cell(school: School, who: str = "teacher", query: str = "") -> str:
    """Adam's 1C in the class."""
    page = school.visit(who).get("/overview" + query)
    source = part(page, ">Adam B.</a></th>", "</tr>")
    return re.findall(r"<td[^>]*>(.*?)</td>", source, re.DOTALL)[2]


def why(school: School, who: str = "teacher", query: str = "") -> str:
    """The opened cell's words."""
    adam = school.people["Adam"].id
    page = school.visit(who).get(f"/overview?pupil={adam}&competence=1C{query}")
    return words(part(page, '<tr class="why">', "</div></div>"))


# ----- deciding -----


def test_a_decision_is_a_row_with_what_was_proposed_and_its_score_leaves_with_it(seen):
    retain(seen)

    (kept,) = decisions(seen)
    assert (kept.level, kept.complexity, kept.reason) == (3, 2, WHY)
    assert (kept.proposed_level, kept.proposed_complexity) == (2, 1)
    assert kept.decider_id == seen.people["teacher"].id
    with seen.app.app_context():
        assert kept.seen_entry_id == db.session.scalar(sa.select(sa.func.max(Assessment.id)))
    sent = waiting(seen)
    assert (sent.score, sent.level) == (Decimal(3), 3)
    assert sent.comment == (
        "positionnement retenu par l’enseignant·e\u00a0: maîtrisée en situation variée\u202f; "
        "2 situations, la dernière le 8 octobre"
    )
    assert WHY not in sent.comment


def test_the_class_shows_it_as_retained_and_the_opened_cell_says_by_whom_and_why(seen):
    retain(seen)

    assert words(cell(seen)).startswith("3 maîtrisée")
    assert 'aria-label="retenu"' in cell(seen)
    assert 'aria-label="à revoir"' not in cell(seen)
    said = why(seen)
    assert "3 en situation variée. Retenu par Claire M. le " in said
    assert f"«\u00a0{WHY}\u00a0»".replace("\u00a0", " ") in said
    assert "Proposé : 2 en situation simple : 2 le 8 octobre, 2 le 1er octobre." in said
    assert "Revenir au proposé" in said
    assert "Confirmer" not in said


def test_a_pupil_reads_the_position_and_its_reason_and_nothing_of_the_act(seen):
    retain(seen)
    page = seen.visit("Adam").get("/me?competence=1C")

    said = words(page)
    assert "Positionnement retenu par mon enseignant·e le " in said
    assert f"« {WHY} »" in said
    assert "D’après mes tours seuls : 2 en situation simple" in said
    assert "3 maîtrisée, en situation variée" in said
    assert "/decision" not in page.text
    assert "Claire" not in said


def test_a_teachers_sheet_offers_the_same_act(seen):
    retain(seen)
    page = seen.visit("teacher").get(f"/pupils/{seen.people['Adam'].id}?competence=1C")
    assert "Retenu par Claire M." in words(page)
    assert "Revenir au proposé" in words(page)
    assert "Retenir un autre positionnement" in words(page)


def test_the_teacher_comes_back_to_the_same_cell_with_the_same_filters(seen):
    adam = seen.people["Adam"].id
    back = f"overview?provisional=1&pupil={adam}&competence=1C"
    answer = seen.visit("teacher").post(address(seen), form(seen, back=back))
    assert answer.headers["Location"].endswith(f"/overview?provisional=1&pupil={adam}&competence=1C#p{adam}")
    answer = seen.visit("teacher").post(address(seen), form(seen, back="https://elsewhere.example"))
    assert answer.headers["Location"].endswith(f"/pupils/{adam}?competence=1C#spirale")


def test_what_is_missing_is_said_and_nothing_typed_is_lost(seen):
    teacher, right = seen.visit("teacher"), form(seen)
    for typed, said in (
        ({"level": "5"}, "Choisir un niveau de 1 à 4."),
        ({"level": "²"}, "Choisir un niveau de 1 à 4."),
        ({"complexity": ""}, "Choisir la complexité"),
        ({"reason": " \n "}, "Dire pourquoi en une phrase"),
        ({"reason": "x" * 501}, "Au plus 500 caractères"),
    ):
        answer = teacher.post(address(seen), {**right, **typed})
        assert answer.status_code == 422
        assert said in words(answer)
        assert str(typed.get("reason", WHY)).strip() in answer.text
    assert decisions(seen) == []


def test_a_filter_that_narrows_shows_what_its_turns_propose(seen):
    retain(seen)
    assert words(cell(seen, query="?complexity=1")).startswith("2 insuffisamment maîtrisée")
    said = why(seen, query="&complexity=1")
    assert "Un positionnement retenu n’y paraît pas." in said
    assert "Retenir un autre positionnement" not in said


def test_assessors_read_a_decision_and_take_none(seen):
    retain(seen)
    said = why(seen, who="assessor")
    assert "Retenu par Claire M." in said
    assert "Revenir au proposé" not in said
    assert "Retenir un autre" not in said
    assert seen.visit("assessor").post(address(seen), form(seen, level=4)).status_code == 403
    assert len(decisions(seen)) == 1


# ----- newer turns, confirming, taking back -----


def test_a_newer_turn_asks_for_another_look_and_the_retained_position_stays_what_is_sent(seen):
    retain(seen)
    observe_again(seen, 4)

    assert 'aria-label="à revoir"' in cell(seen)
    said = why(seen)
    assert (
        "À revoir : un tour a été saisi depuis. Proposé alors : 2 en situation simple ; "
        "proposé maintenant : 3 en situation simple."
    ) in said
    sent = waiting(seen)
    assert sent.score == Decimal(3)
    assert "retenu par l’enseignant·e" in sent.comment
    assert "3 situations, la dernière le 5 novembre" in sent.comment
    assert "à revoir" not in words(seen.visit("Adam").get("/me?competence=1C"))


def test_an_old_cell_entered_again_asks_for_another_look_too(seen):
    retain(seen)
    with seen.app.app_context():
        first = db.session.scalars(sa.select(Assessment).order_by(Assessment.id)).first()
        assert first is not None
        factories.assessment(first.activity, "1C", seen.people["Adam"], 1, seen.people["teacher"])
        db.session.commit()
    assert 'aria-label="à revoir"' in cell(seen)


def test_confirming_takes_the_flag_away_and_keeps_both_rows(seen):
    retain(seen)
    observe_again(seen, 4)
    retain(seen, act="confirm", level="", complexity="", reason="")

    first, second = decisions(seen)
    assert (second.level, second.complexity, second.reason) == (3, 2, WHY)
    assert (first.proposed_level, second.proposed_level) == (2, 3)
    assert second.seen_entry_id > first.seen_entry_id
    assert 'aria-label="à revoir"' not in cell(seen)


def test_a_turn_that_came_while_the_form_was_open_is_still_to_be_looked_at(seen):
    shown = form(seen)
    observe_again(seen, 4)
    assert seen.visit("teacher").post(address(seen), shown).status_code == 303
    assert 'aria-label="à revoir"' in cell(seen)


def test_coming_back_to_the_proposed_position_sends_it_again(seen):
    retain(seen)
    retain(seen, act="withdraw")

    first, second = decisions(seen)
    assert (first.level, second.level, second.complexity) == (3, None, None)
    assert words(cell(seen)).startswith("2 insuffisamment maîtrisée")
    sent = waiting(seen)
    assert sent.score == Decimal(2)
    assert (
        sent.comment
        == "insuffisamment maîtrisée en situation simple\u202f; 2 situations, la dernière le 8 octobre"
    )


def test_a_provisional_position_is_sent_and_said_to_be_so(school):
    with school.app.app_context():
        made = factories.activity(school.course, "1C", starts_on=date(2026, 10, 1))
        factories.assessment(made, "1C", school.people["Adam"], 2, school.people["teacher"])
        queue(school)
        db.session.commit()
    assert waiting(school).comment.endswith("; provisoire")
    retain(school)
    assert "provisoire" not in waiting(school).comment


def test_a_course_whose_minimum_is_not_reached_sends_nothing_retained_or_not(seen):
    with seen.app.app_context():
        factories.gradebook_settings(seen.course, minimum=3)
        queue(seen)
        db.session.commit()
    retain(seen)
    with seen.app.app_context():
        states = set(db.session.scalars(sa.select(ScoreDelivery.state)))
    assert states == {DeliveryState.REPLACED}


def test_where_nothing_was_seen_nothing_is_decided(seen):
    with seen.app.app_context():
        other = factories.competence("1A").id
    for who, item in ((seen.people["Adam"].id, other), (seen.people["Zoé"].id, form(seen)["item"])):
        answer = seen.visit("teacher").post(f"/pupils/{who}/decision", form(seen, item=item))
        assert answer.status_code == 404
    assert decisions(seen) == []


# ----- two teachers -----


def test_a_colleagues_decision_is_said_and_never_replaced_unseen(seen):
    mine = form(seen, level=4, reason="Mon avis.")
    retain(seen, "colleague")

    answer = seen.visit("teacher").post(address(seen), mine)

    assert answer.status_code == 409
    said = words(answer)
    assert "Quelqu’un a décidé depuis l’ouverture de cette page : rien n’a été remplacé." in said
    assert "3 en situation variée. Retenu par Karim D. le " in said
    assert "Mon avis." in answer.text
    assert len(decisions(seen)) == 1

    hidden = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)">', answer.text))
    again = seen.visit("teacher").post(address(seen), {**mine, "after": hidden["after"]})
    assert again.status_code == 303
    assert [d.level for d in decisions(seen)] == [3, 4]


@pytest.mark.parametrize("act", ["confirm", "withdraw", "retain"])
def test_what_a_colleague_took_back_is_said_too(seen, act):
    retain(seen)
    mine = form(seen, act=act, level=4)
    retain(seen, "colleague", act="withdraw")
    answer = seen.visit("teacher").post(address(seen), mine)
    if act == "withdraw":
        assert answer.status_code == 303
    else:
        assert answer.status_code == 409
        assert "Le positionnement retenu a été retiré" in words(answer)
    assert len(decisions(seen)) == 2


def test_a_form_sent_twice_is_one_decision(seen):
    mine = form(seen)
    for _ in range(2):
        assert seen.visit("teacher").post(address(seen), mine).status_code == 303
    assert len(decisions(seen)) == 1


def test_two_teachers_at_once_make_one_decision_and_one_is_told(any_app: Flask) -> None:  # noqa: F811
    school = make_school(any_app)
    observe(school)
    typed = [form(school, level=level, reason=f"Raison {level}") for level in (3, 4)]
    visitors = [school.visit(who) for who in ("teacher", "colleague")]
    barrier, answers = Barrier(2), [0, 0]

    def send(n: int) -> None:
        barrier.wait()
        answers[n] = visitors[n].post(address(school), typed[n]).status_code

    threads = [Thread(target=send, args=(n,)) for n in (0, 1)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(answers) == [303, 409]
    (kept,) = decisions(school)
    assert kept.level == (3 if answers[0] == 303 else 4)
    assert waiting(school).score == kept.level


# ----- a new school year, and other people's data -----


def test_a_new_school_year_begins_with_nothing_retained(seen):
    retain(seen)
    with seen.app.app_context():
        db.session.get_one(Course, seen.course.id).year_began_at = utcnow()
        db.session.commit()
    assert words(cell(seen)).startswith("2 insuffisamment maîtrisée")
    retain(seen, level=4)
    assert words(cell(seen)).startswith("4 bien maîtrisée")


def test_who_decided_may_be_erased_and_the_decision_stays(seen):
    retain(seen)
    with seen.app.app_context():
        erase_people(db.session, [seen.people["teacher"].id])
        db.session.commit()
    (kept,) = decisions(seen)
    assert (kept.level, kept.decider_id) == (3, None)
    assert "Retenu le " in why(seen, who="colleague")

    with seen.app.app_context():
        erase_people(db.session, [seen.people["Adam"].id])
        db.session.commit()
    assert decisions(seen) == []
