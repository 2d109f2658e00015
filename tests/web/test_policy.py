"""« Règle de positionnement »: what another policy would change, taking it, and trying all of them."""

from __future__ import annotations

import re
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
import sqlalchemy as sa

from lti_tool.assessment.decisions import policy_of
from lti_tool.assessment.models import PolicySettings
from lti_tool.assessment.policies import POLICIES, Policy, propose_by
from lti_tool.courses.models import Enrolment
from lti_tool.db import db, utcnow
from lti_tool.gradebook.models import DeliveryState, Mode, ScoreDelivery
from lti_tool.gradebook.scores import queue_all
from lti_tool.web.policy_trial import EXAMPLE
from tests import factories
from tests.conftest import School
from tests.web.reading import part, words

FIRST = date(2026, 10, 1)


@pytest.fixture
def seen(school: School) -> School:
    """Adam climbs from 1 to 4 in 1C, Zoé is at 3 and 3 in 1A, Chloé falls from 4 to 1 in 1A."""
    with school.app.app_context():
        for week, levels in enumerate(
            ({"Adam": 1, "Zoé": 3, "Chloé": 4}, {"Adam": 1, "Zoé": 3, "Chloé": 4}, {"Adam": 4, "Chloé": 1})
        ):
            made = factories.activity(school.course, "1A", "1C", starts_on=FIRST + timedelta(weeks=week))
            for who, level in levels.items():
                code = "1C" if who == "Adam" else "1A"
                factories.assessment(made, code, school.people[who], level, school.people["teacher"])
        queue_all(db.session, school.course, utcnow())
        db.session.commit()
    return school


def preview(school: School, who: str = "teacher", **asked: object) -> Any:
    return school.visit(who).get("/settings/policy", query_string=asked)


def shown(page: Any) -> dict[str, str]:
    """The hidden fields of the form that applies what the page shows."""
    source = part(page, '<form class="actions mt3" method="post"', "</form>")
    found = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)">', source))
    found.pop("csrf")
    return found


def changes(page: Any) -> list[str]:
    return [words(row) for row in re.findall(r'<tr><th scope="row">.*?</tr>', page.text, re.DOTALL)]


def stored(school: School) -> Policy:
    with school.app.app_context():
        return policy_of(db.session, school.course.id)


def waiting(school: School) -> dict[str, Decimal | None]:
    """The scores on their way, by given name."""
    with school.app.app_context():
        rows = db.session.scalars(
            sa.select(ScoreDelivery).where(ScoreDelivery.state == DeliveryState.WAITING)
        ).all()
        return {row.person.given_name: row.score for row in rows}


# ----- choosing -----


def test_a_course_begins_with_spirale_and_the_page_says_each_policy_with_its_formula_and_example(seen):
    page = preview(seen)
    assert stored(seen) == Policy()
    assert "Règle actuelle : « spirale »" in words(page)
    assert page.text.count('type="radio" name="policy"') == len(POLICIES)
    for policy in POLICIES:
        source = part(
            page, f'value="{policy}"', '<label class="tick">' if policy != POLICIES[-1] else "</fieldset>"
        )
        position = propose_by(Policy(policy), EXAMPLE)
        assert position is not None
        assert f'data-n="{position.level}"' in source
        assert f"{position.level} en situation " in words(source)


def test_the_policies_disagree_on_the_example():
    made = {(p.level, p.complexity, p.value) for name in POLICIES if (p := propose_by(Policy(name), EXAMPLE))}
    assert len(made) >= 5


def test_a_preview_lists_what_would_change_and_changes_nothing(seen):
    before = waiting(seen)
    page = preview(seen, policy="best", minimum=2)

    assert "2 positionnements changent, 2 notes du carnet sont à renvoyer." in words(page)
    assert changes(page) == [
        "Adam B. 1C comparer les règles pour Adam B. 3 maîtrisée 4 bien maîtrisée",
        "Chloé M. 1A comparer les règles pour Chloé M. 2 insuffisamment maîtrisée 4 bien maîtrisée",
    ]
    assert stored(seen) == Policy()
    assert waiting(seen) == before == {"Adam": 3, "Zoé": 3, "Chloé": 2}
    with seen.app.app_context():
        assert db.session.scalar(sa.select(sa.func.count()).select_from(PolicySettings)) == 0


def test_what_was_previewed_is_what_is_applied_and_sent(seen):
    asked = shown(preview(seen, policy="times", minimum=3, times=2))
    answer = seen.visit("teacher").post("/settings/policy", asked)

    assert answer.status_code == 303
    assert answer.headers["Location"].endswith("/settings/policy?sent=3")  # Zoé's comment: 2 turns of 3
    assert stored(seen) == Policy("times", minimum=3, times=2, weight=65)
    assert waiting(seen) == {"Adam": 2, "Zoé": 3, "Chloé": 4}
    page = seen.visit("teacher").get("/settings/policy?sent=3")
    assert "La règle du cours est « 2 fois au niveau attendu »." in words(page)
    assert "3 notes partent vers le carnet." in words(page)
    assert "« 2 fois au niveau attendu »" in words(seen.visit("teacher").get("/settings"))
    adam = seen.people["Adam"].id
    cell = words(seen.visit("teacher").get(f"/overview?pupil={adam}&competence=1C"))
    assert "2 en situation simple : 3 ou plus atteint 1 fois, il le faut 2 fois (4 le 15 octobre)." in cell
    assert "Positionnement proposé par la règle « 2 fois au niveau attendu » de ce cours." in cell
    mine = words(seen.visit("Adam").get("/me?competence=1C"))
    assert "Parce que : 3 ou plus atteint 1 fois, il le faut 2 fois (4 le 15 octobre)." in mine


def test_a_grade_whose_comment_alone_changes_is_counted_and_sent(seen):
    page = preview(seen, policy="spirale", minimum=5)
    assert "Aucun positionnement ne change, 3 notes du carnet sont à renvoyer." in words(page)
    seen.visit("teacher").post("/settings/policy", shown(page))
    with seen.app.app_context():
        comments = db.session.scalars(
            sa.select(ScoreDelivery.comment).where(ScoreDelivery.state == DeliveryState.WAITING)
        ).all()
    assert len(comments) == 3
    assert all(comment.endswith("; provisoire") for comment in comments)


def test_what_teachers_retained_stays_whatever_the_policy(seen):
    with seen.app.app_context():
        item = factories.competence("1C").id
    page = seen.visit("teacher").get(f"/pupils/{seen.people['Adam'].id}/decision?item={item}")
    hidden = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)">', page.text))
    hidden.pop("csrf")
    seen.visit("teacher").post(
        f"/pupils/{seen.people['Adam'].id}/decision",
        {**hidden, "level": 1, "complexity": 3, "reason": "Raison."},
    )
    page = preview(seen, policy="best")
    assert [change[:5] for change in changes(page)] == ["Chloé"]
    assert "Le positionnement retenu par un·e enseignant·e ne change pas." in words(page)


def test_a_course_that_publishes_says_that_grades_wait(seen):
    with seen.app.app_context():
        factories.gradebook_settings(seen.course, mode=Mode.PUBLISH)
        db.session.commit()
    page = preview(seen, policy="best")
    assert "Les notes qui changent attendent d’être publiées." in words(page)
    answer = seen.visit("teacher").post("/settings/policy", shown(page))
    assert answer.headers["Location"].endswith("?sent=0")
    told = seen.visit("teacher").get("/settings/policy?sent=0")
    assert "Les notes qui changent attendent d’être publiées." in words(told)


def test_pupils_who_left_change_nothing(seen):
    with seen.app.app_context():
        db.session.execute(
            sa.update(Enrolment).where(Enrolment.person_id == seen.people["Chloé"].id).values(active=False)
        )
        db.session.commit()
    page = preview(seen, policy="best")
    assert "Un positionnement change, une note du carnet est à renvoyer." in words(page)


@pytest.mark.parametrize("moved", ["observation", "policy"])
def test_what_changed_since_the_preview_is_previewed_again_and_nothing_is_applied(seen, moved):
    asked = shown(preview(seen, policy="best"))
    with seen.app.app_context():
        if moved == "policy":
            db.session.add(PolicySettings(course_id=seen.course.id, policy="mean"))
        else:
            made = factories.activity(seen.course, "1A", starts_on=FIRST + timedelta(weeks=9))
            factories.assessment(made, "1A", seen.people["Zoé"], 1, seen.people["teacher"])
        db.session.commit()
    answer = seen.visit("teacher").post("/settings/policy", asked)
    assert answer.status_code == 409
    assert "Le cours a changé depuis cet aperçu : rien n’a été appliqué." in words(answer)
    assert stored(seen).name == ("mean" if moved == "policy" else "spirale")
    again = seen.visit("teacher").post("/settings/policy", shown(answer))
    assert again.status_code == 303
    assert stored(seen).name == "best"


def test_as_many_changes_of_other_pupils_are_not_what_the_page_showed(seen):
    page = preview(seen, policy="best")
    with seen.app.app_context():
        for week, levels in ((9, {"Chloé": 4, "Zoé": 1}), (10, {"Chloé": 4})):
            made = factories.activity(seen.course, "1A", starts_on=FIRST + timedelta(weeks=week))
            for who, level in levels.items():
                factories.assessment(made, "1A", seen.people[who], level, seen.people["teacher"])
        db.session.commit()
    now = preview(seen, policy="best")
    assert [[row[:5] for row in changes(one)] for one in (page, now)] == [
        ["Adam ", "Chloé"],
        ["Adam ", "Zoé L"],
    ]
    said = "2 positionnements changent, 2 notes du carnet sont à renvoyer."
    assert said in words(page)
    assert said in words(now)
    assert seen.visit("teacher").post("/settings/policy", shown(page)).status_code == 409
    assert stored(seen) == Policy()


def test_what_no_list_offers_is_refused_with_a_sentence(seen):
    teacher = seen.visit("teacher")
    for asked in ({"policy": "worst"}, {"policy": "mean", "minimum": "0"}, {"policy": "times", "times": "²"}):
        for answer in (
            teacher.get("/settings/policy", query_string=asked),
            teacher.post("/settings/policy", asked),
        ):
            assert answer.status_code == 422
            assert "Choisir une règle et ses réglages dans les listes." in words(answer)
    assert stored(seen) == Policy()


# ----- trying -----


def results(page: Any) -> list[str]:
    return [words(one) for one in re.findall(r"<li><h3>.*?</li>", page.text, re.DOTALL)]


def test_the_simulator_begins_with_the_example_and_compares_all_policies(seen):
    page = seen.visit("teacher").get("/settings/policy/try")
    found = results(page)
    assert len(found) == len(POLICIES)
    assert found[0].startswith("spirale règle du cours 4 bien maîtrisée 4 en situation simple : ")
    for policy, text in zip(POLICIES, found, strict=True):
        position = propose_by(Policy(policy), EXAMPLE)
        assert position is not None
        assert f"Au carnet : niveau {position.grade}." in text


def test_the_simulator_takes_the_observations_of_a_pupil(seen):
    adam = seen.people["Adam"].id
    for who in ("teacher", "assessor"):
        page = seen.visit(who).get(f"/settings/policy/try?pupil={adam}&competence=1C")
        assert re.findall(r'type="date" name="day" value="([^"]+)"', page.text) == [
            "2026-10-01",
            "2026-10-08",
            "2026-10-15",
        ]
        said = results(page)
        assert "3 en situation simple : 4 le 15 octobre, 1 le 8 octobre, 1 le 1er octobre." in said[0]
        assert "4 en situation simple : 4 le 15 octobre, le plus récent de 3 tours." in said[1]
        assert "4 en situation simple : 4 le 15 octobre, le meilleur de 3 tours." in said[2]
        assert "2 en situation simple : 2 en moyenne (4 le 15 octobre, 1 le 8 octobre" in said[3]
        assert "2,95, le plus récent comptant pour 65 % (4 le 15 octobre" in said[4]
        assert "2 en situation simple : 3 ou plus atteint 1 fois, il le faut 2 fois (4 le" in said[5]
    zoe = seen.people["Zoé"].id
    page = seen.visit("teacher").get(f"/settings/policy/try?pupil={zoe}&competence=1C")
    assert "Rien n’a encore été observé" in words(page)
    assert results(page) == []


def test_typed_rows_are_compared_with_typed_parameters_in_the_order_of_the_work(seen):
    page = seen.visit("teacher").get(
        "/settings/policy/try?level=4&day=2026-10-08&complexity=1&level=&day=&complexity=3"
        "&level=1&day=2026-10-01&complexity=1&minimum=3&times=1&weight=90"
    )
    said = results(page)
    assert "moyenne décroissante, 90 % 4 bien maîtrisée, provisoire 4 en situation simple : 3,7, " in said[4]
    assert "Provisoire : un tour de plus le confirmera." in said[4]
    assert said[5].startswith("une fois au niveau attendu 4")
    assert "Après chaque tour : 1 non maîtrisée, provisoire › 4 bien maîtrisée, provisoire" in said[1]


def test_a_row_that_is_wrong_says_so_and_keeps_what_was_typed(seen):
    page = seen.visit("teacher").get(
        "/settings/policy/try?level=4&day=demain&complexity=1&level=&day=2026-10-01&complexity=2"
        "&level=3&day=2026-10-02&complexity=9"
    )
    assert page.status_code == 422
    said = words(page)
    assert "3 points sont à corriger" in said
    for sentence in ("Taper la date du travail.", "Choisir un niveau de 1 à 4", "Choisir la complexité."):
        assert sentence in said
    assert 'value="2026-10-02"' in page.text
    assert results(page) == []


def test_more_rows_than_the_form_holds_are_left_out(seen):
    rows = "&".join(f"level=3&day=2026-10-{n % 28 + 1:02}&complexity=1" for n in range(60))
    page = seen.visit("teacher").get(f"/settings/policy/try?{rows}")
    assert page.text.count('type="date" name="day"') == 40
