"""The grid: saved as typed, in one batch or as a form; nothing typed is lost, nothing is written twice."""

from __future__ import annotations

import gzip
import re
import uuid
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

import lti_tool
from lti_tool.activities.models import Activity, ObservedItem
from lti_tool.activities.years import close_year, year_mark
from lti_tool.assessment.entries import cells
from lti_tool.assessment.models import Assessment, SavedComment
from lti_tool.courses.models import Course
from lti_tool.db import db, utcnow
from lti_tool.gradebook.models import DeliveryState, ScoreDelivery
from tests import factories
from tests.conftest import School, Visitor
from tests.web.reading import part


@pytest.fixture
def grid(school: School) -> dict[str, int]:
    """An activity on 1A and 1C: its id, and its competences' ids."""
    with school.app.app_context():
        made = factories.activity(school.course, "1A", "1C")
        db.session.commit()
        return {"id": made.id, "1A": factories.competence("1A").id, "1C": factories.competence("1C").id}


def entry(
    school: School, grid: dict[str, int], name: str, code: str, value: Any, **more: Any
) -> dict[str, Any]:
    return {
        "key": str(uuid.uuid4()),
        "person": school.people[name].id,
        "competence": grid[code],
        "value": value,
        "comment": None,
        **more,
    }


def save(visitor: Visitor, grid: dict[str, int], *entries: dict[str, Any], since: int = 0) -> Any:
    return visitor.post_json(f"/activities/{grid['id']}/cells", {"entries": list(entries), "since": since})


def rows(school: School) -> list[tuple[str, str, int | None, str | None, str]]:
    """Every entry, oldest first: pupil, competence, level, code, comment."""
    with school.app.app_context():
        names = {person.id: name for name, person in school.people.items()}
        return [
            (names[a.person_id], a.item.code, a.level, a.code, a.comment)
            for a in db.session.scalars(sa.select(Assessment).order_by(Assessment.id))
        ]


def waiting(school: School) -> list[tuple[str, float]]:
    with school.app.app_context():
        names = {person.id: name for name, person in school.people.items()}
        return [
            (names[d.person_id], float(d.score or 0))
            for d in db.session.scalars(
                sa.select(ScoreDelivery)
                .where(ScoreDelivery.state == DeliveryState.WAITING)
                .order_by(ScoreDelivery.id)
            )
        ]


def test_what_is_typed_is_written_with_its_score_in_one_transaction(
    school: School, grid: dict[str, int]
) -> None:
    teacher = school.visit("teacher")
    answer = save(
        teacher,
        grid,
        entry(school, grid, "Adam", "1A", "3"),
        entry(school, grid, "Zoé", "1C", "abs", comment="Absente, excusée"),
    )
    assert answer.status_code == 200
    body = answer.get_json()
    assert [(s["value"], s["comment"]) for s in body["saved"]] == [("3", ""), ("ABS", "Absente, excusée")]
    assert body["refused"] == []
    assert rows(school) == [("Adam", "1A", 3, None, ""), ("Zoé", "1C", None, "ABS", "Absente, excusée")]
    assert waiting(school) == [("Adam", 3.0)]


def test_the_same_entry_sent_twice_is_written_once(school: School, grid: dict[str, int]) -> None:
    teacher = school.visit("teacher")
    typed = entry(school, grid, "Adam", "1A", "3")
    first, second = save(teacher, grid, typed).get_json(), save(teacher, grid, typed).get_json()
    assert first["saved"] == second["saved"]
    assert len(rows(school)) == 1
    assert len(waiting(school)) == 1


def test_a_full_disk_is_said_loses_nothing_and_the_same_entries_are_saved_once_there_is_room(
    school: School, grid: dict[str, int]
) -> None:
    teacher = school.visit("teacher")
    with school.app.app_context():
        engine = db.engine

    def may_not_grow(connection: Any, _record: object) -> None:
        connection.execute("PRAGMA max_page_count=1")  # what it holds already is all it may hold

    engine.dispose()
    sa.event.listen(engine, "connect", may_not_grow)
    saved, answer, typed = 0, None, {}
    for number in range(500):
        typed = entry(school, grid, "Adam", "1A", str(1 + number % 4), comment=f"{number} " + "x" * 1900)
        answer = save(teacher, grid, typed)
        if answer.status_code != 200:
            break
        saved += 1

    assert answer is not None
    assert answer.status_code == 503, "the grid tries again by itself: grid_save.js"
    assert answer.json["message"].startswith("Rien ne peut être enregistré pour le moment. ")
    assert "plein" in answer.json["message"]
    assert len(rows(school)) == saved, "what was answered « saved » is there, and nothing of what was not"

    sa.event.remove(engine, "connect", may_not_grow)
    engine.dispose()
    assert save(teacher, grid, typed).status_code == 200
    assert len(rows(school)) == saved + 1


def test_every_change_is_kept_and_the_newest_counts(school: School, grid: dict[str, int]) -> None:
    teacher = school.visit("teacher")
    for value in ("2", "3", ""):
        save(teacher, grid, entry(school, grid, "Adam", "1A", value))
    assert [row[2] for row in rows(school)] == [2, 3, None]
    assert waiting(school) == []  # undone before it left
    assert 'value="2"' not in teacher.get(f"/activities/{grid['id']}/grid").text.split("Aïcha")[0]


@pytest.mark.parametrize(
    "value", ["5", "0", "-1", "3.5", "33", "²", "é", "maîtrisée", "9" * 400, "3; DROP TABLE"]
)
def test_what_is_not_a_level_is_refused_with_a_sentence_and_the_rest_is_saved(
    school: School, grid: dict[str, int], value: str
) -> None:
    wrong, right = entry(school, grid, "Adam", "1A", value), entry(school, grid, "Zoé", "1A", "4")
    body = save(school.visit("teacher"), grid, wrong, right).get_json()
    (refused,) = body["refused"]
    assert refused["key"] == wrong["key"]
    assert "n’est pas un niveau" in refused["message"]
    assert [s["key"] for s in body["saved"]] == [right["key"]]
    assert rows(school) == [("Zoé", "1A", 4, None, "")]


def test_a_key_that_comes_twice_is_answered_for_each_time(school: School, grid: dict[str, int]) -> None:
    wrong, right = entry(school, grid, "Adam", "1A", "9"), entry(school, grid, "Zoé", "1A", "4")
    answer = save(school.visit("teacher"), grid, wrong, {**right, "key": wrong["key"]})
    assert answer.status_code == 200, "a page whose request fails sends it again, for ever"
    assert [r["key"] for r in answer.get_json()["refused"]] == [wrong["key"]]
    assert [(s["key"], s["value"]) for s in answer.get_json()["saved"]] == [(wrong["key"], "4")]
    assert rows(school) == [("Zoé", "1A", 4, None, "")]


@pytest.mark.parametrize(
    "broken",
    [
        {"value": 5},
        {"value": None},  # « unchanged », as the comment and the ticks: it says nothing at all
        {"person": "1"},
        {"person": True},
        {"person": 2**40},
        {"competence": None},
        {"key": 3},
        {"comment": 7},
        {"observed": 7},
        {"observed": ["1"]},
        {"observed": [True]},
        {"observed": [1] * 201},
    ],
)
def test_a_request_that_is_not_one_writes_nothing(
    school: School, grid: dict[str, int], broken: dict[str, Any]
) -> None:
    teacher = school.visit("teacher")
    answer = save(teacher, grid, {**entry(school, grid, "Adam", "1A", "3"), **broken})
    assert answer.status_code == 400
    assert answer.get_json()["message"]
    assert rows(school) == []


@pytest.mark.parametrize(
    "body", [None, [], {}, {"entries": "x"}, {"entries": [1]}, {"entries": [], "since": "x"}]
)
def test_a_body_of_another_shape_is_refused(school: School, grid: dict[str, int], body: Any) -> None:
    answer = school.visit("teacher").post_json(f"/activities/{grid['id']}/cells", body)
    assert answer.status_code == 400


def test_a_pupil_of_another_course_or_a_competence_of_another_activity_is_refused(
    school: School, grid: dict[str, int]
) -> None:
    with school.app.app_context():
        stranger = factories.enrolled(factories.course(), "Nadia", "Autre").id
        other = factories.competence("3B").id
        db.session.commit()
    body = save(
        school.visit("teacher"),
        grid,
        entry(school, grid, "Adam", "1A", "3", person=stranger),
        entry(school, grid, "Adam", "1A", "3", competence=other),
    ).get_json()
    assert [r["message"].split("\u00a0: ")[0] for r in body["refused"]] == [
        "Cet élève n’est plus dans le cours",
        "Cette compétence n’est plus dans l’activité",
    ]
    assert rows(school) == []


def test_two_teachers_see_each_others_entries_and_lose_none(school: School, grid: dict[str, int]) -> None:
    claire, karim = school.visit("teacher"), school.visit("colleague")
    mine = save(claire, grid, entry(school, grid, "Adam", "1A", "3")).get_json()
    theirs = save(karim, grid, entry(school, grid, "Adam", "1A", "2"), since=0).get_json()
    assert [(c["value"], c["by"], c["by_name"]) for c in theirs["cells"]] == [("3", "CM", "Claire M.")]
    seen = claire.get(f"/activities/{grid['id']}/cells?since={mine['cursor']}").get_json()
    assert [(c["value"], c["by"]) for c in seen["cells"]] == [("2", "KD")]
    assert seen["people"] == 4
    assert [row[2] for row in rows(school)] == [3, 2]


def test_a_comment_never_puts_an_older_level_back_over_a_colleagues(
    school: School, grid: dict[str, int]
) -> None:
    claire, karim = school.visit("teacher"), school.visit("colleague")
    first = save(claire, grid, entry(school, grid, "Adam", "1A", "2")).get_json()
    save(karim, grid, entry(school, grid, "Adam", "1A", "4"))
    comment = entry(school, grid, "Adam", "1A", None, comment="Bien parlé")
    answer = save(claire, grid, comment, since=first["cursor"]).get_json()
    assert [(s["value"], s["comment"]) for s in answer["saved"]] == [("4", "Bien parlé")]
    assert [c["value"] for c in answer["cells"]] == ["4"]
    assert [(c["value"], c["comment"]) for c in save(karim, grid).get_json()["cells"]][-1] == (
        "4",
        "Bien parlé",
    )
    assert waiting(school) == [("Adam", 4.0)], "the gradebook gets the colleague's level"
    assert save(claire, grid, comment).get_json()["saved"] == answer["saved"], "the same key again"


def test_what_is_written_while_the_page_is_drawn_is_still_news_to_it(
    school: School, grid: dict[str, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    def read_then_written(session: Any, activity_id: int) -> Any:
        found = cells(session, activity_id)
        late = {"person_id": school.people["Adam"].id, "assessor_id": school.people["colleague"].id}
        db.session.add(
            Assessment(key=str(uuid.uuid4()), activity_id=activity_id, item_id=grid["1A"], level=4, **late)
        )
        db.session.flush()
        return found

    monkeypatch.setattr("lti_tool.web.grid.cells", read_then_written)
    page = school.visit("teacher").get(f"/activities/{grid['id']}/grid").text
    assert 'data-cursor="0"' in page


def test_the_whole_grid_can_be_saved_without_a_script(school: School, grid: dict[str, int]) -> None:
    teacher = school.visit("teacher")
    adam, zoe = school.people["Adam"].id, school.people["Zoé"].id
    answer = teacher.post(
        f"/activities/{grid['id']}/grid",
        {f"c-{adam}-{grid['1A']}": "3", f"c-{zoe}-{grid['1C']}": " nr ", f"c-{zoe}-{grid['1A']}": ""},
    )
    assert answer.status_code == 303
    assert sorted(rows(school)) == [("Adam", "1A", 3, None, ""), ("Zoé", "1C", None, "NR", "")]
    page = teacher.get(answer.headers["Location"].split(teacher.sid)[1])
    assert "Enregistré à" in page.text


def test_a_form_with_a_wrong_level_saves_the_rest_and_shows_again_what_was_typed(
    school: School, grid: dict[str, int]
) -> None:
    teacher = school.visit("teacher")
    adam, zoe = school.people["Adam"].id, school.people["Zoé"].id
    answer = teacher.post(
        f"/activities/{grid['id']}/grid", {f"c-{adam}-{grid['1A']}": "7", f"c-{zoe}-{grid['1A']}": "4"}
    )
    assert "Adam B., 1A" in answer.text
    assert "n’est pas un niveau" in answer.text
    assert 'value="7"' in answer.text
    assert rows(school) == [("Zoé", "1A", 4, None, "")]


def test_a_form_drawn_before_a_colleague_typed_does_not_take_their_entry_away(
    school: School, grid: dict[str, int]
) -> None:
    claire, karim = school.visit("teacher"), school.visit("colleague")
    place = f"{school.people['Adam'].id}-{grid['1A']}"
    save(karim, grid, entry(school, grid, "Adam", "1A", "4"))
    claire.post(f"/activities/{grid['id']}/grid", {f"c-{place}": "", f"e-{place}": "0"})
    assert rows(school) == [("Adam", "1A", 4, None, "")]


def test_a_comment_can_be_saved_without_a_script(school: School, grid: dict[str, int]) -> None:
    teacher = school.visit("teacher")
    save(teacher, grid, entry(school, grid, "Chloé", "1C", "3"))
    answer = teacher.post(
        f"/activities/{grid['id']}/comments",
        {
            "person": school.people["Chloé"].id,
            "competence": grid["1C"],
            "comment": "Bonnes questions ouvertes",
        },
    )
    assert answer.status_code == 303
    assert rows(school)[-1] == ("Chloé", "1C", 3, None, "Bonnes questions ouvertes")
    assert "Bonnes questions ouvertes" in teacher.get(f"/activities/{grid['id']}/grid").text


def test_a_comments_form_without_text_changes_nothing_and_says_so(
    school: School, grid: dict[str, int]
) -> None:
    teacher = school.visit("teacher")
    save(teacher, grid, entry(school, grid, "Chloé", "1C", "3", comment="Très clair"))
    where = {"person": school.people["Chloé"].id, "competence": grid["1C"]}
    answer = teacher.post(f"/activities/{grid['id']}/comments", {**where, "comment": " \n "})
    assert answer.status_code == 422
    assert "Rien n’a changé." in answer.text
    assert f'<option value="{where["person"]}" selected>' in answer.text
    assert f'<option value="{where["competence"]}" selected>' in answer.text
    assert rows(school) == [("Chloé", "1C", 3, None, "Très clair")]


def test_a_refused_comment_is_shown_as_typed_with_why(school: School, grid: dict[str, int]) -> None:
    teacher = school.visit("teacher")
    teacher.post("/comments", {"text": "Penser à reformuler"})
    with school.app.app_context():
        number = db.session.scalars(sa.select(SavedComment.id)).one()
    form = {
        "person": school.people["Zoé"].id,
        "competence": grid["1C"],
        "comment": "é" * 2001,
        "saved": number,
    }
    answer = teacher.post(f"/activities/{grid['id']}/comments", form)
    assert answer.status_code == 422
    assert "Ce commentaire dépasse 2000 caractères" in answer.text
    assert "é" * 2001 + "</textarea>" in answer.text
    for chosen in (form["person"], form["competence"], number):
        assert f'<option value="{chosen}" selected>' in answer.text
    assert '<details class="no-js sec" open>' in answer.text
    assert rows(school) == []
    gone = teacher.post(f"/activities/{grid['id']}/comments", {**form, "person": 0, "comment": "Voix posée"})
    assert gone.status_code == 422
    assert "Voix posée</textarea>" in gone.text


def test_a_comment_written_since_the_form_was_drawn_is_shown_before_it_is_replaced(
    school: School, grid: dict[str, int]
) -> None:
    claire, karim = school.visit("teacher"), school.visit("colleague")
    save(claire, grid, entry(school, grid, "Adam", "1A", "2", comment="À revoir"))
    path = f"/activities/{grid['id']}/comments"

    def form(page: str, comment: str) -> dict[str, Any]:
        (seen,) = re.findall(r'name="seen" value="(\d+)"', page)
        where = {"person": school.people["Adam"].id, "competence": grid["1A"]}
        return {**where, "comment": comment, "seen": seen}

    drawn = claire.get(f"/activities/{grid['id']}/grid").text
    save(karim, grid, entry(school, grid, "Adam", "1A", "4", comment="De Karim"))
    answer = claire.post(path, form(drawn, "De Claire"))
    assert answer.status_code == 422
    assert "Karim D.</strong> <span>De Karim" in answer.text
    assert "Ce qui était tapé est gardé ci-dessous" in answer.text
    assert "De Claire</textarea>" in answer.text
    assert rows(school)[-1] == ("Adam", "1A", 4, None, "De Karim")

    assert claire.post(path, form(answer.text, "De Claire")).status_code == 303, "it was seen by then"
    assert rows(school)[-1] == ("Adam", "1A", 4, None, "De Claire")
    drawn = claire.get(f"/activities/{grid['id']}/grid").text
    save(karim, grid, entry(school, grid, "Adam", "1A", "1"))
    assert claire.post(path, form(drawn, "Encore")).status_code == 303, "only the level changed meanwhile"
    assert rows(school)[-1] == ("Adam", "1A", 1, None, "Encore")


def test_a_kept_comment_follows_what_is_typed_without_a_script(school: School, grid: dict[str, int]) -> None:
    teacher = school.visit("teacher")
    kept = teacher.post("/comments", {"text": "Penser à  reformuler", "activity": grid["id"]})
    assert kept.status_code == 303
    page = teacher.get(f"/comments?activity={grid['id']}").text
    assert "Penser à reformuler" in page
    assert f"/activities/{grid['id']}/grid" in page
    with school.app.app_context():
        number = db.session.scalars(sa.select(SavedComment.id)).one()
    where = {"person": school.people["Adam"].id, "competence": grid["1A"]}
    teacher.post(
        f"/activities/{grid['id']}/comments", {**where, "comment": "Voix posée.", "saved": str(number)}
    )
    assert rows(school) == [("Adam", "1A", None, None, "Voix posée. Penser à reformuler")]
    other = school.visit("assessor")
    other.post(f"/activities/{grid['id']}/comments", {**where, "comment": "Seul", "saved": str(number)})
    assert rows(school)[-1][-1] == "Seul", "another's comment is not taken up"


def test_a_kept_comment_is_changed_or_deleted_and_what_is_wrong_is_shown_as_typed(school: School) -> None:
    teacher = school.visit("teacher")
    script = {"headers": {"Accept": "application/json"}}
    body = teacher.post("/comments", {"text": "Voix posée"}, **script).get_json()
    (kept,) = body["comments"]
    assert (kept["text"], kept["label"]) == ("Voix posée", "Voix posée")
    refused = teacher.post("/comments", {"text": " "}, **script)
    assert (refused.status_code, refused.get_json()["message"][:5]) == (422, "Rien ")
    long = teacher.post(f"/comments/{kept['id']}", {"text": "é" * 301})
    assert long.status_code == 422
    assert "tient en 300 caractères" in long.text
    assert "é" * 301 in long.text
    assert teacher.post(f"/comments/{kept['id']}", {"text": "Voix claire"}).status_code == 303
    assert "Voix claire" in teacher.get("/comments?done=saved").text
    assert teacher.post(f"/comments/{kept['id']}", {"delete": "1"}).status_code == 303
    assert "Voix claire" not in teacher.get("/comments").text
    assert teacher.get("/comments?activity=999999").status_code == 404


def test_what_is_ticked_comes_back_to_who_ticks_and_to_their_colleague(
    school: School, grid: dict[str, int]
) -> None:
    with school.app.app_context():
        activity = db.session.get_one(Activity, grid["id"])
        seen = factories.competence("2A").id
        link = next(link for link in activity.competences if link.item_id == grid["1A"])
        link.observed = [ObservedItem(item_id=seen)]
        db.session.commit()
    claire, karim = school.visit("teacher"), school.visit("colleague")
    ticked = save(claire, grid, entry(school, grid, "Adam", "1A", "3", observed=[seen, 10**6])).get_json()
    assert ticked["saved"][0]["observed"] == [seen]
    assert save(karim, grid).get_json()["cells"][0]["observed"] == [seen]
    assert f'data-observed="{seen}"' in claire.get(f"/activities/{grid['id']}/grid").text
    mine = school.visit("Adam").get(f"/activities/{grid['id']}").text
    assert "Ce qui était observé" in mine
    assert mine.count('class="seen-mark"') == 1


def test_the_assessor_assesses_and_a_pupil_does_not(school: School, grid: dict[str, int]) -> None:
    assert save(school.visit("assessor"), grid, entry(school, grid, "Adam", "1A", "2")).status_code == 200
    refused = save(school.visit("Adam"), grid, entry(school, grid, "Adam", "1A", "4"))
    assert refused.status_code == 403
    assert refused.get_json()["message"].startswith("Cette page est réservée")
    assert rows(school) == [("Adam", "1A", 2, None, "")]


def test_the_margin_says_what_was_seen_before(school: School, grid: dict[str, int]) -> None:
    with school.app.app_context():
        earlier = factories.activity(school.course, "1A", starts_on=date(2026, 9, 15), complexity=2)
        later = factories.activity(school.course, "1A", starts_on=date(2026, 12, 1))
        factories.assessment(earlier, "1A", school.people["Adam"], 2, school.people["teacher"])
        factories.assessment(later, "1A", school.people["Adam"], 4, school.people["teacher"])
        db.session.commit()
    text = school.visit("teacher").get(f"/activities/{grid['id']}/grid").text
    assert "Avant\u00a0: 2 le 15 septembre, variée" in text
    assert "1 décembre" not in text


def test_one_pupil_at_a_time(school: School, grid: dict[str, int]) -> None:
    teacher = school.visit("teacher")
    chloe = school.people["Chloé"].id
    page = teacher.get(f"/activities/{grid['id']}/grid/{chloe}")
    assert "Chloé Martin" in page.text
    assert "3 sur 4" in page.text
    answer = teacher.post(
        f"/activities/{grid['id']}/grid/{chloe}",
        {
            f"level-{grid['1A']}": "4",
            f"code-{grid['1C']}": "NE",
            f"comment-{grid['1A']}": "Très clair",
            "then": "next",
        },
    )
    assert sorted(rows(school)) == [("Chloé", "1A", 4, None, "Très clair"), ("Chloé", "1C", None, "NE", "")]
    assert answer.headers["Location"].endswith(f"/grid/{school.people['Zoé'].id}")


def test_an_archived_activity_can_be_read_and_not_written(school: School, grid: dict[str, int]) -> None:
    with school.app.app_context():
        db.session.get_one(Activity, grid["id"]).archived_at = utcnow()
        db.session.commit()
    teacher = school.visit("teacher")
    assert "readonly" in teacher.get(f"/activities/{grid['id']}/grid").text
    refused = save(teacher, grid, entry(school, grid, "Adam", "1A", "3")).get_json()["refused"]
    assert "archivée" in refused[0]["message"]
    assert rows(school) == []


def test_names_stay_apart_and_pupils_without_a_name_have_a_number(
    school: School, grid: dict[str, int]
) -> None:
    with school.app.app_context():
        factories.enrolled(school.course, "Zoé", "Lopez")
        factories.enrolled(school.course, "", "")
        db.session.commit()
    text = school.visit("teacher").get(f"/activities/{grid['id']}/grid").text
    assert "Zoé Lambert" in text
    assert "Zoé Lopez" in text
    assert "Adam B." in text
    assert "Élève 10" in text
    assert "6 élèves connus" in text


# ----- one pupil at a time -----


def one_pupil(school: School, grid: dict[str, int], name: str) -> str:
    return f"/activities/{grid['id']}/grid/{school.people[name].id}"


def test_a_form_of_one_pupil_sends_what_it_changed_and_leaves_a_colleagues_entry(
    school: School, grid: dict[str, int]
) -> None:
    claire, karim = school.visit("teacher"), school.visit("colleague")
    save(karim, grid, entry(school, grid, "Adam", "1A", "4", comment="Très clair"))
    claire.post(
        one_pupil(school, grid, "Adam"),
        {
            f"e-{grid['1A']}": "0",
            f"comment-{grid['1A']}": "",
            f"e-{grid['1C']}": "0",
            f"level-{grid['1C']}": "2",
            f"comment-{grid['1C']}": "",
        },
    )
    assert rows(school) == [("Adam", "1A", 4, None, "Très clair"), ("Adam", "1C", 2, None, "")]


def test_a_form_of_one_pupil_ticks_and_unticks_what_is_observed(school: School, grid: dict[str, int]) -> None:
    with school.app.app_context():
        link = next(
            link
            for link in db.session.get_one(Activity, grid["id"]).competences
            if link.item_id == grid["1A"]
        )
        one, two = (factories.competence(code).id for code in ("2A", "2B"))
        link.observed = [ObservedItem(item_id=one), ObservedItem(item_id=two)]
        db.session.commit()
    teacher, path, item = school.visit("teacher"), one_pupil(school, grid, "Adam"), grid["1A"]

    def observed() -> list[list[int]]:
        with school.app.app_context():
            return list(db.session.scalars(sa.select(Assessment.observed).order_by(Assessment.id)))

    teacher.post(path, {f"level-{item}": "3", f"comment-{item}": "", f"observed-{item}": [str(two), "x"]})
    assert observed() == [[two]]
    page = teacher.get(path).text
    assert f'name="observed-{item}" value="{two}" checked' in page
    assert f'name="observed-{item}" value="{one}" checked' not in page
    with school.app.app_context():
        drawn = db.session.scalars(sa.select(Assessment.id)).one()
    teacher.post(path, {f"e-{item}": str(drawn), f"level-{item}": "3", f"comment-{item}": ""})
    assert observed() == [[two], []]
    assert [row[2] for row in rows(school)] == [3, 3]


def test_what_is_wrong_in_the_form_of_one_pupil_is_shown_as_typed(
    school: School, grid: dict[str, int]
) -> None:
    long = "é" * 2001
    answer = school.visit("teacher").post(
        one_pupil(school, grid, "Adam"),
        {f"level-{grid['1A']}": "3", f"comment-{grid['1A']}": long, f"level-{grid['1C']}": "4"},
    )
    assert answer.status_code == 422
    assert "Adam B., 1A" in answer.text
    assert "dépasse 2000 caractères" in answer.text
    assert long in answer.text
    assert rows(school) == [("Adam", "1C", 4, None, "")]


# ----- what the page costs -----


@pytest.fixture
def large(school: School) -> dict[str, int]:
    """35 pupils × 10 competences, all filled, each with a turn before; two in three cells were a colleague's."""
    codes = ("1A", "1B", "1C", "1D", "2A", "2B", "2C", "3A", "3B", "3C")
    with school.app.app_context():
        pupils = [factories.enrolled(school.course, f"Prénom{n}", "Nom") for n in range(31)]
        pupils += [school.people[name] for name in ("Adam", "Aïcha", "Chloé", "Zoé")]
        before = factories.activity(school.course, *codes, starts_on=date(2026, 9, 15))
        made = factories.activity(school.course, *codes)
        staff = ("teacher", "colleague", "assessor")
        for n, pupil in enumerate(pupils):
            for m, code in enumerate(codes):
                by = school.people[staff[(n + m) % 3]]
                factories.assessment(before, code, pupil, 1 + (n + m) % 4, by)
                factories.assessment(made, code, pupil, 1 + (n + m + 1) % 4, by, comment="Voix posée")
        db.session.commit()
        return {"id": made.id}


def test_a_full_grid_costs_as_few_statements_as_an_empty_one_and_little_to_carry(
    school: School, grid: dict[str, int], large: dict[str, int]
) -> None:
    teacher = school.visit("teacher")

    def statements(path: str) -> tuple[int, str]:
        seen: list[object] = []

        def count(*args: object) -> None:
            seen.append(args)

        with school.app.app_context():
            engine = db.engine
        teacher.get(path)
        sa.event.listen(engine, "before_cursor_execute", count)
        page = teacher.get(path)
        sa.event.remove(engine, "before_cursor_execute", count)
        return len(seen), page.text

    few, _small = statements(f"/activities/{grid['id']}/grid")
    many, page = statements(f"/activities/{large['id']}/grid")
    assert page.count("data-previous=") == 350
    assert many == few
    assert many <= 16
    files = set(re.findall(r'"(/static/[^"]+)"', page))
    assert len(files) > 8
    static = Path(lti_tool.__file__).parent
    carried = [page.encode(), *((static / file.removeprefix("/")).read_bytes() for file in files)]
    assert sum(len(gzip.compress(one, 6)) for one in carried) < 100_000


@pytest.mark.parametrize(
    ("closed", "said", "leads"),
    [
        ({"undated": True}, "Sans date", "Fixer la date"),
        ({"archived_at": utcnow()}, "Archivée", "Modifier"),
        ({}, "", "Modifier"),
    ],
)
def test_a_grid_that_is_closed_says_why_and_leads_to_what_opens_it(
    school: School, closed: dict[str, Any], said: str, leads: str
) -> None:
    with school.app.app_context():
        made = factories.activity(school.course, "1A", **closed)
        db.session.commit()
        path = f"/activities/{made.id}"
    meta = part(school.visit("teacher").get(f"{path}/grid"), '<p class="meta">', "</p>")
    assert said in meta
    assert f">{leads}</a>" in meta
    assert f'{path}/edit{"#starts_on" if "undated" in closed else ""}"' in meta


def test_the_grid_of_a_past_year_leads_to_no_form(school: School) -> None:
    with school.app.app_context():
        made = factories.activity(school.course, "1A")
        course = db.session.get_one(Course, school.course.id)
        teacher = school.people["teacher"].id
        assert close_year(db.session, course, year_mark(course), teacher, date(2027, 7, 1), utcnow())
        db.session.commit()
        path = f"/activities/{made.id}"
    page = school.visit("teacher").get(f"{path}/grid")
    assert "Année passée" in part(page, '<p class="meta">', "</p>")
    assert f"{path}/edit" not in page.text
