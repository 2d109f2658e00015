"""The LMS's pages over real HTTP: who sees what, and what the buttons do."""

import re
from pathlib import Path

import pytest
import requests

from lti_tool import demo
from lti_tool.demo.activities import Column, NewActivity
from lti_tool.demo.people import CLAIRE_MOREL, ENROLMENTS, MRC1, THEO_MARCHAND, YANN_LE_GOFF
from lti_tool.demo.texts import ENGLISH

PUPIL = "6"


@pytest.fixture
def teacher(enter):
    return enter(CLAIRE_MOREL.sub)


def test_the_home_page_lists_everybody_of_each_course(enter):
    page = enter(None).get("/").text

    assert page.count('name="person"') == len(ENROLMENTS)
    for name in ("Mme Claire Morel", "M. Yann Le Goff", "Elif Yılmaz", "Théo Marchand"):
        assert name in page


def test_entering_sets_a_lax_cookie_of_the_lms_and_shows_the_course(demo_url):
    answer = requests.post(f"{demo_url}/enter", data={"person": PUPIL}, allow_redirects=False, timeout=5)

    assert (answer.status_code, answer.headers["Location"]) == (303, "/courses/2")
    cookie = answer.headers["Set-Cookie"]
    assert cookie.startswith("demo_lms=")
    assert "SameSite=Lax" in cookie
    assert "HttpOnly" in cookie


def test_leaving_forgets_the_person(teacher):
    assert teacher.get("/courses/2").status_code == 200
    teacher.post("/leave")
    assert teacher.get("/courses/2").status_code == 403


def test_a_course_is_closed_to_strangers_and_to_suspended_pupils(enter):
    assert enter("30").get("/courses/2").status_code == 403
    assert enter(THEO_MARCHAND.sub).get("/courses/2").status_code == 403
    assert enter(None).get("/courses/2").status_code == 403
    assert enter(None).post("/enter", data={"person": "999"}).status_code == 400


def test_the_frame_has_moodles_attributes_and_starts_the_login(enter, tool):
    page = enter(PUPIL).get("/courses/2/activities/1").text

    assert '<iframe id="contentframe"' in page
    assert 'src="/courses/2/activities/1/launch"' in page
    assert "allowfullscreen" in page
    assert "clipboard" not in page
    assert "sandbox" not in page
    inside = enter(PUPIL).get("/courses/2/activities/1/launch").text
    assert f'<form method="post" action="{tool.tool_url}/lti/login"' in inside
    assert '<button class="button">Ouvrir Spirale</button>' in inside


def test_pages_may_frame_the_tool_and_nobody_else_may_frame_them(teacher, tool):
    policy = teacher.get("/courses/2").headers["Content-Security-Policy"]

    assert f"frame-src 'self' {tool.tool_url};" in policy
    assert "frame-ancestors 'self'" in policy


def test_a_teacher_adds_a_plain_link_graded_or_not(teacher, store):
    teacher.post("/courses/2/add", data={"title": "Sans note"})
    teacher.post("/courses/2/add", data={"title": "Avec note", "graded": "on"})

    plain, graded = store.activities(2)[1:]
    assert (plain.title, plain.graded, plain.custom) == ("Sans note", False, {})
    assert (graded.title, graded.graded) == ("Avec note", True)
    assert store.line_item(2, "Avec note").score_maximum == 100


def test_a_duplicate_keeps_custom_resource_and_tag_under_a_new_link(teacher, store):
    custom = {"evaluation": "7"}
    original = store.add_activity(2, NewActivity("Oral", custom=custom, column=Column(4, "r", "t")))

    teacher.post(f"/courses/2/activities/{original.id}/duplicate")

    copy = store.activities(2)[-1]
    assert (copy.title, copy.custom) == ("Oral (copie)", custom)
    assert copy.resource_link_id != original.resource_link_id
    assert [(item.resource_id, item.tag) for item in store.line_items(2)] == [("r", "t")] * 2


def test_deleting_an_activity_deletes_its_column(teacher, store):
    activity = store.add_activity(2, NewActivity("Oral", column=Column()))

    teacher.post(f"/courses/2/activities/{activity.id}/delete")

    assert [kept.title for kept in store.activities(2)] == ["Spirale"]
    assert store.line_items(2) == []


@pytest.mark.parametrize("sub", [PUPIL, YANN_LE_GOFF.sub, "30"])
def test_only_an_editing_teacher_of_the_course_changes_anything(enter, store, sub):
    store.add_activity(2, NewActivity("Oral", column=Column(4, "", "oral")))
    item = store.line_item(2, "oral").id
    browser = enter(sub)

    for path in (
        "/courses/2/add",
        "/courses/2/activities/1/delete",
        "/courses/2/activities/1/duplicate",
        f"/courses/2/gradebook/{item}/6",
        f"/courses/2/gradebook/{item}/lock",
        f"/courses/2/gradebook/{item}/delete",
    ):
        assert browser.post(path, data={"title": "x", "value": "1"}).status_code == 403
    assert len(store.activities(2)) == 2
    assert store.grades(2, "oral") == {}


def test_another_site_may_not_post_to_the_pages(teacher, store, tool, demo_url):
    for origin, status in ((tool.tool_url, 403), ("null", 403), (demo_url, 200)):
        answer = teacher.post("/courses/2/add", data={"title": "x"}, headers={"Origin": origin})
        assert answer.status_code == status
    assert len(store.activities(2)) == 2


def test_another_host_name_is_sent_to_the_issuers(demo_url):
    other = demo_url.replace("127.0.0.1", "localhost")

    answer = requests.get(f"{other}/courses/2?a=1", allow_redirects=False, timeout=5)

    assert (answer.status_code, answer.headers["Location"]) == (302, f"{demo_url}/courses/2?a=1")


def test_the_gradebook_shows_values_on_their_maximum_with_the_feedback(teacher, tool, store):
    url = tool.create(label="Écouter", tag="C1").json()["id"]
    tool.score(url, PUPIL, 2.5, comment="Acquis <b>")

    page = teacher.get("/courses/2/gradebook").text

    assert "Écouter" in page
    assert '2,5<span class="over">/4</span>' in page
    assert "Acquis &lt;b&gt;" in page
    assert "Benali Adam" in page


def test_a_pupil_sees_only_his_own_grades(enter, tool):
    url = tool.create(label="Écouter").json()["id"]
    tool.score(url, PUPIL, 2, comment="Pour Adam")
    tool.score(url, "7", 3, comment="Pour Aïcha")

    page = enter(PUPIL).get("/courses/2/gradebook").text

    assert "Pour Adam" in page
    assert "Pour Aïcha" not in page
    assert "Diop" not in page


@pytest.mark.parametrize(("coupled", "overridden"), [(True, True), (False, False)])
def test_a_cell_edited_by_hand_is_an_override_only_when_coupled(
    teacher, tool, store, clock, coupled, overridden
):
    if coupled:
        store.add_activity(2, NewActivity("Oral", column=Column(4, "", "C1")))
    else:
        tool.create(tag="C1")
    path = f"/courses/2/gradebook/{store.line_item(2, 'C1').id}/{PUPIL}"
    assert teacher.get(path).status_code == 200

    answer = teacher.post(path, data={"value": "1,5", "feedback": "À revoir"})

    assert answer.status_code == 200
    grade = store.grade(2, "C1", PUPIL)
    assert (grade.value, grade.feedback, grade.overridden) == (1.5, "À revoir", overridden)
    assert grade.modified == clock.now


@pytest.mark.parametrize("typed", ["abc", "-1", "nan", "inf"])
def test_a_cell_takes_only_numbers(teacher, tool, store, typed):
    tool.create(tag="C1")
    path = f"/courses/2/gradebook/{store.line_item(2, 'C1').id}/{PUPIL}"

    assert teacher.post(path, data={"value": typed}).status_code == 400


def test_a_teacher_locks_unlocks_and_deletes_a_column(teacher, tool, store):
    tool.create(tag="C1")
    path = f"/courses/2/gradebook/{store.line_item(2, 'C1').id}"

    teacher.post(f"{path}/lock")
    assert store.line_item(2, "C1").locked
    assert teacher.post(f"{path}/{PUPIL}", data={"value": "1"}).status_code == 403
    teacher.post(f"{path}/lock")
    assert not store.line_item(2, "C1").locked
    teacher.post(f"{path}/delete")
    assert store.line_items(2) == []


def test_an_override_is_given_back_from_its_cell(teacher, store):
    store.add_activity(2, NewActivity("Oral", column=Column(4, "", "C1")))
    path = f"/courses/2/gradebook/{store.line_item(2, 'C1').id}/{PUPIL}"
    teacher.post(path, data={"value": "1"})

    teacher.post(path, data={"remove_override": "1", "value": "1"})

    assert not store.grade(2, "C1", PUPIL).overridden
    assert store.grade(2, "C1", PUPIL).value is None


def test_the_return_page_shows_the_tools_message_or_leaves_the_frame(teacher):
    error = teacher.get("/courses/2/return?lti_errormsg=Panne+<1>").text
    assert "Panne &lt;1&gt;" in error
    assert "leave-frame.js" not in error
    assert "Bravo" in teacher.get("/courses/2/return?lti_msg=Bravo").text
    assert "leave-frame.js" in teacher.get("/courses/2/return").text


@pytest.mark.parametrize("path", ["/", "/courses/2", "/courses/2/gradebook", "/courses/2/add"])
def test_pages_speak_english_when_asked(teacher, path):
    assert '<html lang="fr">' in teacher.get(path).text

    back = teacher.post("/language", data={"language": "en", "next": path})

    assert '<html lang="en">' in back.text
    assert "Leave" in back.text


@pytest.mark.parametrize("target", ["https://example.org/", "//example.org", "/\\example.org"])
def test_the_language_button_never_leaves_the_site(teacher, target):
    answer = teacher.post("/language", data={"language": "en", "next": target}, allow_redirects=False)

    assert answer.headers["Location"] == "/"


@pytest.mark.parametrize(
    "path", ["/nothing", "/courses/2/activities/99", f"/courses/{MRC1.id}/gradebook/9/6"]
)
def test_what_does_not_exist_is_a_404_page(teacher, path):
    assert teacher.get(path).status_code == 404


def test_every_sentence_of_the_pages_has_its_english():
    folder = Path(demo.__file__).parent
    sources = [*folder.glob("*.py"), *folder.glob("templates/**/*.html")]
    calls = re.compile(r"""\bt(?:ext)?\(\s*(?:"([^"]+)"|'([^']+)')""")
    used = {double or single for file in sources for double, single in calls.findall(file.read_text())}

    assert len(used) > 40
    assert used - set(ENGLISH) == set()
