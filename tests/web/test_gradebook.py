"""« Carnet de notes »: every state is said, with why and what to do; what a teacher decides is done, once."""

from __future__ import annotations

import uuid
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
import sqlalchemy as sa

from lti_tool.activities.models import Activity
from lti_tool.courses.models import Course, Enrolment, ResourceLink
from lti_tool.db import begin_write, db, utcnow
from lti_tool.gradebook.models import DeliveryState, LineItem, PlatformPause, ScoreDelivery
from lti_tool.gradebook.scores import current_values
from lti_tool.lti.ags import SCOPE_LINEITEM, SCOPE_SCORE
from lti_tool.web.deliveries import PAUSED, REFUSED, WAITING, explain, explain_pause
from lti_tool.web.shown import moment_words
from tests import factories
from tests.conftest import School

from .reading import words

PUPILS = ("Adam", "Aïcha", "Chloé", "Zoé")


class Marks:
    """Assessments and deliveries of the school's course."""

    def __init__(self, school: School) -> None:
        self.school = school
        with school.app.app_context():
            begin_write()
            self.activity_id = factories.activity(self._course(), "1A", "1B").id
            db.session.commit()
            db.session.close()

    def _course(self) -> Course:
        return db.session.get_one(Course, self.school.course.id)

    def platform_name(self) -> str:
        """Needs a context."""
        return self._course().platform.name

    def person_id(self, name: str) -> int:
        return self.school.people[name].id

    def level(self, name: str, code: str, value: int | str) -> None:
        """An entry of the grid, alone."""
        with self.school.app.app_context():
            begin_write()
            activity = db.session.get_one(Activity, self.activity_id)
            people = self.school.people
            factories.assessment(activity, code, people[name], value, people["teacher"])
            db.session.commit()
            db.session.close()

    def delivery(self, name: str, code: str, state: str, level: int | None = 3, **values: Any) -> int:
        """An entry of the grid, and a delivery of it in a state; `level` None: the delivery alone, of a clear."""
        if level is not None:
            self.level(name, code, level)
        with self.school.app.test_request_context():
            begin_write()
            item = factories.competence(code).id
            worth = current_values(db.session, self._course()).get((self.person_id(name), item))
            row = ScoreDelivery(
                **{
                    "course_id": self.school.course.id,
                    "item_id": item,
                    "person_id": self.person_id(name),
                    "score": level,
                    "maximum": 4,
                    "level": level,
                    "comment": worth.comment if worth else "",
                    "timestamp": utcnow(),
                    "state": DeliveryState(state),
                    "done_at": utcnow() if state not in ("waiting", "sending") else None,
                    **values,
                }
            )
            db.session.add(row)
            db.session.commit()
            db.session.close()
            return row.id

    def column(self, code: str, **values: Any) -> int:
        with self.school.app.app_context():
            begin_write()
            item = factories.competence(code).id
            column = {"url": "https://lms/1", "maximum": 4, **values}
            db.session.add(LineItem(course_id=self.school.course.id, item_id=item, **column))
            db.session.commit()
            db.session.close()
            return item

    def rows(self, name: str, code: str) -> list[tuple[str, Decimal | None, bool]]:
        """State, score and `forced` of a cell's deliveries, oldest first."""
        with self.school.app.app_context():
            found = db.session.scalars(
                sa.select(ScoreDelivery)
                .filter_by(person_id=self.person_id(name), item_id=factories.competence(code).id)
                .order_by(ScoreDelivery.id)
            )
            rows = [(row.state.value, row.score, row.forced) for row in found]
            db.session.close()
            return rows

    def leave(self, name: str) -> None:
        """Somebody is no longer in the course."""
        self.change(Enrolment, Enrolment.person_id == self.person_id(name), active=False)

    def change(self, model: type, *where: Any, **values: Any) -> None:
        """Change the rows of a table, all of them unless it is said which."""
        with self.school.app.app_context():
            begin_write()
            db.session.execute(sa.update(model).where(*where).values(**values))
            db.session.commit()
            db.session.close()


@pytest.fixture
def marks(school: School) -> Marks:
    return Marks(school)


def shown(marks: Marks, state: str = "", who: str = "teacher") -> str:
    answer = marks.school.visit(who).get(f"/gradebook?state={state}" if state else "/gradebook")
    assert answer.status_code == 200
    return words(answer)


# ----- who -----


@pytest.mark.parametrize("who", ["teacher", "colleague", "assessor"])
def test_those_who_assess_see_the_gradebook(marks: Marks, who: str) -> None:
    marks.delivery("Adam", "1A", "refused", reason="not_gradable", status=400)

    assert "Adam B. 1A" in shown(marks, who=who)


@pytest.mark.parametrize("who", ["Adam", "observer"])
def test_pupils_and_observers_do_not(marks: Marks, who: str) -> None:
    assert marks.school.visit(who).get("/gradebook").status_code == 403


@pytest.mark.parametrize("action", ["again", "keep", "force", "column", "clear"])
@pytest.mark.parametrize("who", ["assessor", "Adam", "observer"])
def test_only_a_teacher_decides(marks: Marks, action: str, who: str) -> None:
    marks.level("Adam", "1A", 3)
    delivery = marks.delivery("Adam", "1A", "refused", reason="refused")

    answer = marks.school.visit(who).post(f"/gradebook/{action}", {"delivery": delivery, "all": "1"})

    assert answer.status_code == 403
    assert marks.rows("Adam", "1A") == [("refused", Decimal(3), False)]


def test_an_assessor_gets_no_buttons(marks: Marks) -> None:
    marks.delivery("Adam", "1A", "refused", reason="refused")
    marks.delivery("Aïcha", "1A", "refused", reason="refused")

    answer = marks.school.visit("assessor").get("/gradebook")

    assert 'method="post"' not in answer.text.partition("<main")[2]


@pytest.mark.parametrize("action", ["again", "keep", "force", "clear"])
@pytest.mark.parametrize("number", ["", "999999", "x"])
def test_a_delivery_that_is_not_there_is_not_found(marks: Marks, action: str, number: str) -> None:
    assert marks.school.visit("teacher").post(f"/gradebook/{action}", {"delivery": number}).status_code == 404


@pytest.mark.parametrize("action", ["again", "keep", "force", "clear", "column"])
def test_a_delivery_of_another_course_is_not_found(marks: Marks, action: str) -> None:
    marks.delivery("Adam", "1A", "changed", reason="changed_by_hand")
    item = marks.column("1A", gone=True)
    with marks.school.app.app_context():
        begin_write()
        other = factories.course()
        db.session.execute(sa.update(ScoreDelivery).values(course_id=other.id))
        db.session.execute(sa.update(LineItem).values(course_id=other.id))
        delivery = db.session.scalar(sa.select(ScoreDelivery.id))
        db.session.commit()
        db.session.close()

    form = {"delivery": delivery, "item": item}
    assert marks.school.visit("teacher").post(f"/gradebook/{action}", form).status_code == 404
    assert marks.rows("Adam", "1A") == [("changed", Decimal(3), False)]


# ----- what is said -----


def test_an_empty_gradebook_says_the_next_step(marks: Marks) -> None:
    text = shown(marks)

    assert "Aucune note pour l’instant" in text
    assert "Choisir une activité à évaluer" in text


def test_states_are_counted_and_lead_to_their_lists(marks: Marks) -> None:
    marks.delivery("Adam", "1A", "sent")
    marks.delivery("Aïcha", "1A", "waiting")
    marks.delivery("Chloé", "1A", "refused", reason="not_gradable", status=400)
    marks.delivery("Zoé", "1A", "changed", reason="changed_by_hand", lms_score=Decimal("3.5"))
    marks.level("Adam", "1B", "NR")

    page = marks.school.visit("teacher").get("/gradebook")
    text = words(page)

    for part in (
        "1 envoyée", "1 en attente", "1 refusée", "1 modifiée dans le carnet", "4 sans note",
    ):  # fmt: skip
        assert part in text, part
    for state in ("sent", "waiting", "refused", "changed", "nothing"):
        assert f"/gradebook?state={state}" in page.text


def test_the_list_to_settle_holds_what_needs_a_decision_and_the_codes(marks: Marks) -> None:
    marks.delivery("Adam", "1A", "sent")
    marks.delivery("Aïcha", "1A", "waiting")
    marks.delivery("Chloé", "1A", "refused", reason="not_gradable", status=400)
    marks.delivery("Zoé", "1A", "changed", reason="changed_by_hand", lms_score=Decimal("3.5"))
    marks.level("Adam", "1B", "NR")

    text = shown(marks).partition("Les colonnes")[0]

    assert "Chloé M. 1A 3 maîtrisée refusé" in text
    assert "ne connaît pas cet élève" in text
    assert "le faire réinscrire, puis renvoyer" in text
    assert "Le carnet porte 3,5, mis à la main." in text
    assert "Garder 3,5" in text
    assert "Envoyer 3 / 4" in text
    assert "Adam B. 1B NR non rendu rien à envoyer" in text
    assert "Non rendu : un code ne compte pas, il n’y a pas de note à envoyer." in text
    assert "Aïcha" not in text


@pytest.mark.parametrize(
    ("state", "names"),
    [
        ("sent", {"Adam"}),
        ("waiting", {"Aïcha"}),
        ("refused", {"Chloé"}),
        ("changed", {"Zoé"}),
        ("nothing", set()),
        ("nonsense", {"Chloé", "Zoé"}),
    ],
)
def test_a_filter_shows_one_state(marks: Marks, state: str, names: set[str]) -> None:
    marks.delivery("Adam", "1A", "sent")
    marks.delivery("Aïcha", "1A", "sending")
    marks.delivery("Chloé", "1A", "refused", reason="refused")
    marks.delivery("Zoé", "1A", "kept" if state == "changed" else "changed", lms_score=Decimal(1))

    text = shown(marks, state).partition("Les colonnes")[0]

    assert {name for name in PUPILS if f"{name} " in text} == names


def test_exactly_what_was_sent_is_shown(marks: Marks) -> None:
    marks.delivery("Adam", "1A", "sent", score=Decimal("14.5"), maximum=20)

    text = shown(marks, "sent")

    assert "14,5 / 20 · maîtrisée en situation simple ; 1 situation, la dernière le 8 octobre" in text


def test_the_newest_delivery_is_the_one_that_counts(marks: Marks) -> None:
    marks.delivery("Adam", "1A", "refused", reason="refused")
    marks.delivery("Adam", "1A", "sent")
    marks.delivery("Adam", "1A", "replaced")

    text = shown(marks)

    assert "1 envoyée" in text
    assert "0 refusée" in text


@pytest.mark.parametrize("reason", [*REFUSED, "", "a reason of tomorrow"])
def test_every_reason_of_a_refusal_has_its_sentence_and_what_to_do(marks: Marks, reason: str) -> None:
    marks.delivery("Adam", "1A", "refused", reason=reason, status=418)

    text = shown(marks, "refused")

    why, todo = REFUSED.get(reason, REFUSED["refused"])
    with marks.school.app.test_request_context():
        named = {"platform": marks.platform_name(), "status": 418}
        assert " ".join((str(why) % named).split()) in text
        assert " ".join((str(todo) % named).split()) in text
    assert reason == "" or reason not in text


@pytest.mark.parametrize("reason", [*WAITING, "", "a reason of tomorrow"])
def test_every_reason_to_wait_has_its_sentence(marks: Marks, reason: str) -> None:
    with marks.school.app.test_request_context():
        row = ScoreDelivery(
            state=DeliveryState.WAITING, reason=reason, status=503, not_before=utcnow() + timedelta(hours=1)
        )
        said = explain(row, "Moodle")

    assert said.why.endswith(".")
    assert "%" not in said.why
    assert (said.todo == "") == (reason == "")


def test_the_reasons_the_worker_writes_all_have_a_sentence() -> None:
    """Read from the source: a new reason without a sentence fails here."""
    import inspect
    import re

    from lti_tool.gradebook import sending

    source = inspect.getsource(sending)
    refused = set(re.findall(r'DeliveryState\.REFUSED, "(\w+)"', source)) | set(sending.REASONS.values())
    waited = set(re.findall(r'_wait\(parcel, "(\w+)"', source)) | {"failed", "no_answer"}
    assert refused | waited <= set(REFUSED)
    assert waited | {"later", "token", "interrupted", "column_lost", "withdrawn"} <= set(WAITING)


@pytest.mark.parametrize("reason", [*PAUSED, "a reason of tomorrow"])
def test_a_platform_left_alone_is_said_at_the_top(marks: Marks, reason: str) -> None:
    marks.delivery("Adam", "1A", "waiting")
    with marks.school.app.app_context():
        begin_write()
        pause = PlatformPause(
            platform_id=marks.school.course.platform_id,
            until=utcnow() + timedelta(minutes=5),
            reason=reason,
        )
        db.session.add(pause)
        db.session.commit()
        db.session.close()

    text = shown(marks)
    whole = shown(marks, "waiting")

    with marks.school.app.test_request_context():
        platform = marks.platform_name()
        said = explain_pause(pause, platform)
    assert " ".join(said.why.split()) in text
    assert "Rien n’est perdu : une note attend ici. Nouvel essai :" in text
    assert f"L’envoi à {platform} est suspendu. Nouvel essai :" in whole
    assert "Part dans quelques secondes." not in whole


def test_a_next_try_is_no_sooner_than_its_platforms_and_never_past(marks: Marks) -> None:
    now = utcnow()
    late = ScoreDelivery(state=DeliveryState.WAITING, reason="later", not_before=now - timedelta(hours=1))
    with marks.school.app.test_request_context():
        alone = explain(late, "Moodle").todo
        waiting = explain(late, "Moodle", now + timedelta(hours=2)).todo
        own = explain(ScoreDelivery(state=late.state, not_before=now + timedelta(hours=3)), "Moodle", now)
        said = {n: moment_words(now + timedelta(hours=n)) for n in (2, 3)}
    assert alone == "Nouvel essai dans quelques secondes. Rien à faire."
    assert said[2] in waiting
    assert said[3] in own.todo


def test_a_pause_is_not_said_when_nothing_waits(marks: Marks) -> None:
    marks.delivery("Adam", "1A", "sent")
    with marks.school.app.app_context():
        begin_write()
        db.session.add(
            PlatformPause(platform_id=marks.school.course.platform_id, until=utcnow(), reason="token")
        )
        db.session.commit()
        db.session.close()

    assert "refuse de donner l’accès" not in shown(marks)


@pytest.mark.parametrize(
    ("values", "missing"),
    [
        ({"lineitems_url": ""}, "l’accès au carnet de notes du cours"),
        ({"ags_scopes": []}, "créer des colonnes, envoyer des notes"),
    ],
)
def test_without_the_right_to_send_the_page_says_what_is_missing(
    marks: Marks, values: dict[str, Any], missing: str
) -> None:
    marks.level("Adam", "1A", 3)
    marks.change(Course, **values)

    text = shown(marks)

    assert "Rien ne peut être envoyé dans le carnet de ce cours." in text
    assert missing in text
    assert "Demander à l’administrateur" in text


@pytest.mark.parametrize(
    ("lineitem", "lineitems", "scopes", "said"),
    [
        ("https://ent.example.org/1", "", [SCOPE_SCORE], True),
        ("https://ent.example.org/1", "", [], False),
        ("", "", [SCOPE_SCORE], False),
        ("https://ent.example.org/1", "https://ent.example.org/all", [SCOPE_SCORE, SCOPE_LINEITEM], False),
    ],
)
@pytest.mark.parametrize("path", ["/gradebook", "/settings"])
def test_with_the_column_of_the_link_alone_the_page_says_what_stays_here_and_nothing_waits(
    marks: Marks, lineitem: str, lineitems: str, scopes: list[str], said: bool, path: str
) -> None:
    marks.level("Adam", "1A", 3)
    marks.change(Course, lineitems_url=lineitems, ags_scopes=scopes)
    with marks.school.app.app_context():
        begin_write()
        link = ResourceLink(course_id=marks.school.course.id, link_id="7", lineitem_url=lineitem)
        db.session.add(link)
        db.session.commit()
        db.session.close()

    text = words(marks.school.visit("teacher").get(path))

    assert ("Les compétences n’ont pas de colonne dans le carnet de ce cours." in text) is said
    if said:
        assert "Rien ne peut être envoyé" not in text
        assert "Dans Moodle, chaque colonne" not in text
        assert "Envoi automatique" not in text


def test_without_columns_a_level_is_not_said_to_leave_later(marks: Marks) -> None:
    marks.level("Adam", "1A", 3)
    marks.change(Course, lineitems_url="")

    text = words(marks.school.visit("teacher").get("/gradebook?state=nothing"))

    assert "Pas de colonne où l’envoyer : le niveau reste dans Spirale." in text
    assert "Elle partira" not in text


def test_a_column_deleted_in_the_lms_is_one_line(marks: Marks) -> None:
    for name in PUPILS:
        marks.delivery(name, "1A", "refused", reason="column_gone", status=404)
    marks.column("1A", gone=True, url="")

    text = shown(marks).partition("Les colonnes")[0]

    assert "Toute la colonne 1A refusé La colonne a été supprimée du carnet de notes." in text
    assert "ses 4 notes repartiront" in text
    assert "Adam" not in text


def test_a_score_left_without_observations_is_said_and_may_be_cleared(marks: Marks) -> None:
    marks.delivery("Adam", "1A", "sent")
    marks.level("Adam", "1A", "")

    text = shown(marks)

    assert "Une note a été envoyée, mais il ne reste plus assez d’observations" in text
    assert "Vider la note" in text


def test_a_score_that_may_have_arrived_and_was_withdrawn_is_said_too(marks: Marks) -> None:
    marks.delivery("Adam", "1A", "replaced", reason="not_allowed", perhaps_taken=True)
    marks.level("Adam", "1A", "")

    assert "Une note est peut-être arrivée dans le carnet" in shown(marks)


def test_a_page_of_a_class_is_a_handful_of_queries(marks: Marks) -> None:
    counted: list[str] = []
    with marks.school.app.app_context():
        sa.event.listen(db.engine, "before_cursor_execute", lambda *args: counted.append(args[2]))
        visit = marks.school.visit("teacher")
        counted.clear()
        visit.get("/gradebook")
        few = len(counted)
        for name in PUPILS:
            for code in ("1A", "1B"):
                marks.delivery(name, code, "sent")
        counted.clear()
        visit.get("/gradebook?state=sent")

    assert len(counted) <= few + 2
    assert few < 25


def test_while_scores_wait_the_page_asks_to_be_refreshed_and_stops_after(marks: Marks) -> None:
    delivery = marks.delivery("Adam", "1A", "waiting")
    teacher = marks.school.visit("teacher")
    assert "data-refresh" in teacher.get("/gradebook").text

    marks.change(ScoreDelivery, state=DeliveryState.SENT, done_at=utcnow())

    assert delivery
    assert "data-refresh" not in teacher.get("/gradebook").text


# ----- what a teacher decides -----


def test_a_refused_score_is_sent_again_with_what_it_is_worth_now(marks: Marks) -> None:
    delivery = marks.delivery("Adam", "1A", "refused", level=2, reason="not_gradable")
    marks.level("Adam", "1A", 4)
    teacher = marks.school.visit("teacher")

    answer = teacher.post("/gradebook/again", {"delivery": delivery, "state": "refused"})

    assert answer.status_code == 303
    assert answer.headers["Location"].endswith("/gradebook?state=refused")
    assert marks.rows("Adam", "1A") == [("refused", Decimal(2), False), ("waiting", Decimal(4), False)]

    teacher.post("/gradebook/again", {"delivery": delivery})
    assert len(marks.rows("Adam", "1A")) == 2, "pressed twice, sent once"


def test_all_refused_scores_are_sent_again_at_once(marks: Marks) -> None:
    for name in ("Adam", "Aïcha"):
        marks.delivery(name, "1A", "refused", reason="no_answer")
    marks.delivery("Chloé", "1A", "refused", reason="column_gone")
    marks.delivery("Zoé", "1A", "sent")

    marks.school.visit("teacher").post("/gradebook/again", {"all": "1"})

    assert [marks.rows(name, "1A")[-1][0] for name in PUPILS] == ["waiting", "waiting", "refused", "sent"]


@pytest.mark.parametrize("state", ["sent", "stopped", "kept", "changed"])
def test_sending_all_again_leaves_what_was_refused_once_and_came_to_another_end(
    marks: Marks, state: str
) -> None:
    """A refused delivery stays one after it was sent again: what counts is the last word of its cell."""
    marks.delivery("Adam", "1A", "refused", reason="no_answer")
    marks.delivery("Adam", "1A", state, lms_score=Decimal(1) if state in ("kept", "changed") else None)
    marks.delivery("Zoé", "1A", "refused", reason="no_answer")
    marks.delivery("Zoé", "1A", "replaced")

    marks.school.visit("teacher").post("/gradebook/again", {"all": "1"})

    assert [row[0] for row in marks.rows("Adam", "1A")] == ["refused", state]
    assert [row[0] for row in marks.rows("Zoé", "1A")] == ["refused", "replaced", "waiting"]


def test_as_many_leave_as_the_button_says(marks: Marks) -> None:
    for name in ("Adam", "Aïcha", "Chloé"):
        marks.delivery(name, "1A", "refused", reason="no_answer")
    marks.delivery("Adam", "1B", "refused", reason="not_gradable")
    marks.delivery("Zoé", "1A", "refused", reason="no_answer")
    marks.level("Zoé", "1A", "")  # worth nothing any more
    with marks.school.app.app_context():
        begin_write()
        factories.gradebook_settings(marks.school.course, mode="publish")
        db.session.commit()
        db.session.close()
    marks.level("Aïcha", "1A", 4)  # to be seen before it is sent
    assert "Renvoyer les 3 notes refusées" in shown(marks)

    marks.school.visit("teacher").post("/gradebook/again", {"all": "1"})

    assert [len(marks.rows(name, "1A")) for name in PUPILS] == [2, 1, 2, 1]
    assert marks.rows("Adam", "1B")[1:] == [("waiting", Decimal(3), False)]


def test_those_of_a_reason_are_sent_again_in_the_column_that_is_looked_at(marks: Marks) -> None:
    for name, code in (("Adam", "1A"), ("Aïcha", "1A"), ("Adam", "1B")):
        marks.delivery(name, code, "refused", reason="no_answer")
    with marks.school.app.app_context():
        place = {"state": "refused", "column": str(factories.competence("1A").id)}
        db.session.close()
    teacher = marks.school.visit("teacher")
    assert "Renvoyer les 2 :" in words(teacher.get(f"/gradebook?state=refused&column={place['column']}"))

    teacher.post("/gradebook/again", {"all": "1", "reason": "no_answer", **place})

    assert [len(marks.rows("Adam", code)) for code in ("1A", "1B")] == [2, 1]
    assert len(marks.rows("Aïcha", "1A")) == 2


def test_a_change_by_hand_is_kept(marks: Marks) -> None:
    delivery = marks.delivery("Adam", "1A", "changed", lms_score=Decimal(4))

    marks.school.visit("teacher").post("/gradebook/keep", {"delivery": delivery})

    assert marks.rows("Adam", "1A") == [("kept", Decimal(3), False)]
    assert "Le carnet porte 4, et c’est elle qui est gardée." in shown(marks, "changed")


@pytest.mark.parametrize("state", ["changed", "kept"])
def test_ours_is_sent_over_a_change_by_hand(marks: Marks, state: str) -> None:
    delivery = marks.delivery("Adam", "1A", state, lms_score=Decimal(4))

    marks.school.visit("teacher").post("/gradebook/force", {"delivery": delivery})

    assert marks.rows("Adam", "1A") == [(state, Decimal(3), False), ("waiting", Decimal(3), True)]


def typed(marks: Marks, name: str, code: str, level: int) -> None:
    """A level that a teacher types in the grid: unlike `Marks.level`, with the scores it calls for."""
    with marks.school.app.app_context():
        item = factories.competence(code).id
        db.session.close()
    entry = {
        "key": str(uuid.uuid4()),
        "person": marks.person_id(name),
        "competence": item,
        "value": str(level),
        "comment": None,
    }
    answer = marks.school.visit("teacher").post_json(
        f"/activities/{marks.activity_id}/cells", {"entries": [entry], "since": 0}
    )
    assert answer.json
    assert len(answer.json["saved"]) == 1


def test_a_refused_score_is_not_sent_any_more_until_a_teacher_says_so(marks: Marks) -> None:
    delivery = marks.delivery("Adam", "1A", "refused", reason="not_gradable")
    item = marks.column("1A")
    marks.delivery("Zoé", "1A", "refused", reason="not_gradable")
    teacher = marks.school.visit("teacher")
    assert "Ne plus envoyer : Adam B., 1A" in shown(marks)

    answer = teacher.post("/gradebook/stop", {"delivery": delivery, "state": "refused"})

    assert answer.headers["Location"].endswith("/gradebook?state=refused")
    assert marks.rows("Adam", "1A") == [("stopped", Decimal(3), False)]
    assert "Adam B. 1A" not in shown(marks), "it is settled"
    assert "Un enseignant a choisi de ne plus envoyer cette note." in shown(marks, "nothing")

    typed(marks, "Adam", "1A", 4)
    typed(marks, "Zoé", "1A", 4)
    teacher.post("/gradebook/again", {"all": "1"})
    marks.change(LineItem, gone=True, url="")
    teacher.post("/gradebook/column", {"item": item})
    assert marks.rows("Adam", "1A") == [("stopped", Decimal(3), False)]
    assert marks.rows("Zoé", "1A") == [("refused", Decimal(3), False), ("waiting", Decimal(4), False)]

    teacher.post("/gradebook/again", {"delivery": delivery})
    assert marks.rows("Adam", "1A") == [("stopped", Decimal(3), False), ("waiting", Decimal(4), False)]


def test_publishing_leaves_out_what_a_teacher_stopped(marks: Marks) -> None:
    delivery = marks.delivery("Adam", "1A", "refused", reason="not_gradable")
    with marks.school.app.app_context():
        begin_write()
        factories.gradebook_settings(marks.school.course, mode="publish")
        db.session.commit()
        db.session.close()
    marks.school.visit("teacher").post("/gradebook/stop", {"delivery": delivery})
    marks.level("Adam", "1A", 4)
    marks.level("Zoé", "1A", 2)

    text = shown(marks, "to_publish")

    assert "Zoé L. 1A" in text
    assert "Adam B. 1A" not in text


@pytest.mark.parametrize("action", ["keep", "force", "again", "stop"])
@pytest.mark.parametrize("state", ["sent", "waiting", "sending", "replaced"])
def test_what_has_moved_on_since_the_page_was_shown_is_left_alone(
    marks: Marks, action: str, state: str
) -> None:
    delivery = marks.delivery("Adam", "1A", state)

    answer = marks.school.visit("teacher").post(f"/gradebook/{action}", {"delivery": delivery})

    assert answer.status_code == 303
    assert marks.rows("Adam", "1A") == [(state, Decimal(3), False)]


def test_a_deleted_column_is_made_again_with_all_its_scores(marks: Marks) -> None:
    marks.delivery("Adam", "1A", "sent")
    marks.delivery("Aïcha", "1A", "refused", reason="column_gone")
    item = marks.column("1A", gone=True, url="")
    teacher = marks.school.visit("teacher")

    teacher.post("/gradebook/column", {"item": item})
    teacher.post("/gradebook/column", {"item": item})

    assert [row[0] for row in marks.rows("Adam", "1A")] == ["sent", "waiting"]
    assert [row[0] for row in marks.rows("Aïcha", "1A")] == ["refused", "waiting"]
    with marks.school.app.app_context():
        column = db.session.scalars(sa.select(LineItem)).one()
        assert (column.gone, column.url, column.renewed_at is not None) == (False, "", True)
        db.session.close()


def test_a_deleted_column_is_said_to_send_as_many_scores_as_it_does(marks: Marks) -> None:
    for name, state in (("Adam", "sent"), ("Aïcha", "refused"), ("Chloé", "stopped"), ("Zoé", "sent")):
        marks.delivery(name, "1A", state, reason="column_gone" if state == "refused" else "")
    item = marks.column("1A", gone=True, url="")
    marks.leave("Zoé")
    assert "Spirale peut la recréer : ses 2 notes repartiront." in shown(marks)

    marks.school.visit("teacher").post("/gradebook/column", {"item": item})

    assert [len(marks.rows(name, "1A")) for name in PUPILS[:3]] == [2, 2, 1]


def test_a_column_that_is_there_is_not_made_again(marks: Marks) -> None:
    marks.delivery("Adam", "1A", "sent")
    item = marks.column("1A")

    marks.school.visit("teacher").post("/gradebook/column", {"item": item})

    assert marks.rows("Adam", "1A") == [("sent", Decimal(3), False)]


def test_a_score_left_without_observations_is_cleared_once(marks: Marks) -> None:
    delivery = marks.delivery("Adam", "1A", "sent")
    marks.level("Adam", "1A", "")
    teacher = marks.school.visit("teacher")

    for _press in range(2):
        assert teacher.post("/gradebook/clear", {"delivery": delivery}).status_code == 303

    assert marks.rows("Adam", "1A") == [("sent", Decimal(3), False), ("waiting", None, True)]


def test_a_score_with_observations_is_never_cleared(marks: Marks) -> None:
    delivery = marks.delivery("Adam", "1A", "sent")

    marks.school.visit("teacher").post("/gradebook/clear", {"delivery": delivery})

    assert marks.rows("Adam", "1A") == [("sent", Decimal(3), False)]


def test_nothing_is_sent_again_while_sending_is_off(marks: Marks) -> None:
    delivery = marks.delivery("Adam", "1A", "refused", reason="refused")
    with marks.school.app.app_context():
        begin_write()
        factories.gradebook_settings(marks.school.course, mode="nothing")
        db.session.commit()
        db.session.close()

    marks.school.visit("teacher").post("/gradebook/again", {"delivery": delivery})

    assert marks.rows("Adam", "1A") == [("refused", Decimal(3), False)]
    assert "L’envoi est arrêté : rien ne part vers le carnet." in shown(marks)
    assert 'method="post"' not in marks.school.visit("teacher").get("/gradebook").text.partition("<main")[2]


def test_somebody_who_left_is_named_and_nothing_is_sent_for_them(marks: Marks) -> None:
    delivery = marks.delivery("Adam", "1A", "refused", reason="left")
    marks.change(Enrolment, active=False)

    text = shown(marks)

    assert "Adam Benali 1A" in text
    assert "n’est plus dans la liste de la classe" in text
    assert delivery


def test_somebody_who_left_is_not_among_those_to_send_again(marks: Marks) -> None:
    for name in ("Adam", "Aïcha", "Chloé"):
        marks.delivery(name, "1A", "refused", reason="left" if name == "Adam" else "no_answer")
    marks.leave("Adam")
    text = shown(marks)
    assert "Renvoyer les 2 notes refusées" in text
    assert "Renvoyer : Adam Benali" not in text
    assert "Ne plus envoyer : Adam Benali" in text

    marks.school.visit("teacher").post("/gradebook/again", {"all": "1"})

    assert [len(marks.rows(name, "1A")) for name in PUPILS[:3]] == [1, 2, 2]


def test_the_page_holds_no_date_of_another_day_without_its_day(marks: Marks) -> None:
    marks.delivery("Adam", "1A", "sent", done_at=utcnow() - timedelta(days=3))

    day = (utcnow() - timedelta(days=3)).astimezone().date()

    assert isinstance(day, date)
    assert " à " in shown(marks, "sent").partition("Envoyée :")[2][:40]


def test_many_codes_do_not_hide_what_waits_for_a_decision(school: School) -> None:
    with school.app.app_context():
        made = factories.activity(school.course, "1A", "1B")
        for name in ("Adam", "Aïcha", "Chloé", "Zoé"):
            factories.assessment(made, "1A", school.people[name], "ABS", school.people["teacher"])
        db.session.commit()
    teacher = school.visit("teacher")
    page = teacher.get("/gradebook").text.partition('id="h-columns"')[0]
    assert "4 sans note" in page
    assert page.count('<span class="code"') == 0
    page = teacher.get("/gradebook?state=nothing").text.partition('id="h-columns"')[0]
    assert page.count('<span class="code"') == 4
