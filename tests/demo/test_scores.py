"""Scores and results over AGS: when a grade is set, cleared, refused, or stays the teacher's."""

import pytest

from lti_tool.demo.activities import Column, NewActivity
from lti_tool.demo.people import CLAIRE_MOREL, THEO_MARCHAND, YANN_LE_GOFF

ADAM, AICHA = "6", "7"


@pytest.fixture
def standalone(tool):
    """Address of a standalone item out of 4."""
    return tool.create(tag="C1").json()["id"]


@pytest.fixture
def coupled(tool, store):
    """Address of an activity's own item out of 4."""
    store.add_activity(2, NewActivity("Oral", column=Column(4, "r", "oral")))
    return tool.lineitems(tag="oral").json()[0]["id"]


@pytest.fixture(params=["standalone", "coupled"])
def item_url(request):
    return request.getfixturevalue(request.param)


def column_of(item_url, store):
    return int(item_url.split("/")[-2])


def grade(store, item_url, sub=ADAM):
    return store.grade(2, column_of(item_url, store), sub)


def test_a_fully_graded_score_is_a_grade_with_its_comment(tool, store, item_url, clock):
    answer = tool.score(item_url, ADAM, 3, comment="Acquis\nÀ consolider <b>")

    assert (answer.status_code, answer.content) == (200, b"")
    stored = grade(store, item_url)
    assert (stored.value, stored.sent, stored.modified) == (3, 3, clock.now)
    assert stored.feedback == "Acquis\nÀ consolider <b>"


def test_zero_is_a_real_grade(tool, store, item_url):
    tool.score(item_url, ADAM, 0)

    assert grade(store, item_url).value == 0
    assert tool.results(item_url).json()[0]["resultScore"] == 0


@pytest.mark.parametrize(
    ("given", "maximum", "value"),
    [(50, 100, 2), (5, 4, 4), (-1, 4, 0), ("3.5", "4", 3.5), (3, 0, 3), (9, 0, 4), (1, 3, 4 / 3)],
)
def test_a_score_is_rescaled_and_clamped(tool, store, item_url, given, maximum, value):
    assert tool.score(item_url, ADAM, given, scoreMaximum=maximum).status_code == 200
    assert grade(store, item_url).value == pytest.approx(value)


@pytest.mark.parametrize("progress", ["Pending", "PendingManual", "NotReady", "Failed", "Whatever"])
def test_any_other_grading_progress_clears_the_grade(tool, store, item_url, clock, progress):
    tool.score(item_url, ADAM, 3)
    clock.pass_seconds(1)

    assert tool.score(item_url, ADAM, 4, gradingProgress=progress).status_code == 200
    assert grade(store, item_url).value is None


@pytest.mark.parametrize("progress", ["Initialized", "Started", "InProgress", "Submitted", "Whatever"])
def test_the_activity_progress_does_not_count(tool, store, item_url, progress):
    tool.score(item_url, ADAM, 3, activityProgress=progress)

    assert grade(store, item_url).value == 3


def test_a_score_without_score_given_clears_the_grade_and_stores_its_comment(tool, store, item_url, clock):
    tool.score(item_url, ADAM, 3)
    clock.pass_seconds(1)
    tool.score(item_url, ADAM, None, comment="Absent")

    assert (grade(store, item_url).value, grade(store, item_url).feedback) == (None, "Absent")


def test_a_score_without_comment_erases_the_feedback(tool, store, item_url, clock):
    tool.score(item_url, ADAM, 3, comment="Bien")
    clock.pass_seconds(1)
    tool.score(item_url, ADAM, 3)

    assert grade(store, item_url).feedback == ""


@pytest.mark.parametrize("later", [0, 0.999, -1, -3600])
def test_an_equal_or_older_whole_second_is_409_and_changes_nothing(tool, store, item_url, clock, later):
    tool.score(item_url, ADAM, 3)

    answer = tool.score(item_url, ADAM, 4, timestamp=clock.iso(later))

    assert (answer.status_code, answer.text) == (409, "[]")
    assert "earlier timestamp" in answer.reason
    assert grade(store, item_url).value == 3


def test_the_next_whole_second_is_taken(tool, store, item_url, clock):
    tool.score(item_url, ADAM, 3, timestamp=clock.iso(0.999))

    assert tool.score(item_url, ADAM, 4, timestamp=clock.iso(1)).status_code == 200
    assert grade(store, item_url).value == 4


def test_a_future_timestamp_is_taken_and_blocks_the_real_ones(tool, item_url, clock):
    assert tool.score(item_url, ADAM, 3, timestamp=clock.iso(3600)).status_code == 200
    clock.pass_seconds(1800)
    assert tool.score(item_url, ADAM, 4).status_code == 409


def test_clearing_a_standalone_grade_stamps_the_servers_now(tool, standalone, clock):
    tool.score(standalone, ADAM, 3, timestamp=clock.iso(-100))
    tool.score(standalone, ADAM, None, timestamp=clock.iso(-50))

    assert tool.score(standalone, ADAM, 3, timestamp=clock.iso()).status_code == 409
    assert tool.score(standalone, ADAM, 3, timestamp=clock.iso(1)).status_code == 200


def test_clearing_a_coupled_grade_forgets_its_moment(tool, store, coupled, clock):
    tool.score(coupled, ADAM, 3, timestamp=clock.iso(-100))
    tool.score(coupled, ADAM, None, timestamp=clock.iso(-50))
    assert grade(store, coupled).modified is None

    assert tool.score(coupled, ADAM, 3, timestamp=clock.iso(-200)).status_code == 200


@pytest.mark.parametrize(
    "timestamp",
    [
        "2026-11-23T08:00:00Z",
        "2026-11-23T08:00:00.123Z",
        "2026-11-23T08:00:00.123456Z",
        "2026-11-23T09:00:00+01:00",
        "2026-11-23T09:00:00.5+0100",
        "2026-11-23T08:00:00+00:00",
    ],
)
def test_every_iso_8601_moment_with_a_zone_is_the_same_second(tool, store, standalone, clock, timestamp):
    assert tool.score(standalone, ADAM, 3, timestamp=timestamp).status_code == 200
    assert grade(store, standalone).modified == clock.now


@pytest.mark.parametrize(
    "changes",
    [
        {"timestamp": "2026-11-23T08:00:00"},
        {"timestamp": "2026-11-23"},
        {"timestamp": "2026-13-23T08:00:00Z"},
        {"timestamp": "yesterday"},
        {"timestamp": 1795420800},
        {"timestamp": None},
        {"userId": None},
        {"userId": 6},
        {"activityProgress": None},
        {"gradingProgress": None},
        {"scoreMaximum": None},
        {"scoreGiven": "three"},
        {"scoreGiven": True},
        {"scoreMaximum": "four"},
        {"comment": 5},
    ],
)
def test_a_malformed_score_is_400(tool, store, standalone, changes):
    answer = tool.score(standalone, ADAM, **{"given": 3, **changes})

    assert answer.status_code == 400
    assert answer.json()["reason"].startswith("Incorrect score received")
    assert grade(store, standalone) is None


@pytest.mark.parametrize("sub", [CLAIRE_MOREL.sub, YANN_LE_GOFF.sub, "30", "9999"])
def test_anybody_who_is_not_a_pupil_of_the_course_is_400(tool, standalone, sub):
    assert tool.score(standalone, sub).status_code == 400


def test_a_user_id_that_is_no_number_is_502(tool, standalone):
    assert tool.score(standalone, "adam").status_code == 502


def test_a_suspended_pupil_can_be_graded_and_an_unenrolled_one_cannot(tool, store, standalone):
    assert tool.score(standalone, THEO_MARCHAND.sub).status_code == 200
    store.unenrol(2, THEO_MARCHAND.sub)
    assert tool.score(standalone, THEO_MARCHAND.sub).status_code == 400


def test_an_unknown_item_is_404(tool, standalone):
    assert tool.score(standalone.replace("/lineitems/", "/lineitems/9"), ADAM).status_code == 404


def test_plain_json_is_400(tool, standalone):
    url = standalone.replace("/lineitem?", "/lineitem/scores?")

    assert tool.call("POST", url, json={}, headers={"Content-Type": "application/json"}).status_code == 400


def test_a_locked_item_is_500_and_keeps_its_grade(tool, store, item_url, clock):
    tool.score(item_url, ADAM, 3)
    store.lock(2, column_of(item_url, store))
    clock.pass_seconds(1)

    assert tool.score(item_url, ADAM, 4).status_code == 500
    assert tool.score(item_url, AICHA, 4).status_code == 500
    assert grade(store, item_url).value == 3
    assert grade(store, item_url, AICHA) is None


def test_a_teachers_change_refuses_the_scores_older_than_it(tool, store, item_url, clock):
    queued = clock.iso()
    clock.pass_seconds(30)
    store.set_grade_by_hand(2, column_of(item_url, store), ADAM, 1)

    assert tool.score(item_url, ADAM, 3, timestamp=queued).status_code == 409


def test_a_newer_score_overwrites_the_teacher_on_a_standalone_item(tool, store, standalone, clock):
    store.set_grade_by_hand(2, "C1", ADAM, 1, "À revoir")
    clock.pass_seconds(1)
    tool.score(standalone, ADAM, 3)

    assert (grade(store, standalone).value, grade(store, standalone).feedback) == (3, "")


def test_a_teachers_override_stays_on_a_coupled_item_although_the_tool_is_told_200(
    tool, store, coupled, clock
):
    store.set_grade_by_hand(2, "oral", ADAM, 1, "À <revoir>")
    clock.pass_seconds(1)

    assert tool.score(coupled, ADAM, 3, comment="Bien").status_code == 200

    stored = grade(store, coupled)
    assert (stored.value, stored.sent, stored.feedback, stored.overridden) == (1, 3, "À <revoir>", True)
    (result,) = tool.results(coupled).json()
    assert (result["resultScore"], result["comment"]) == (1, "<p>À &lt;revoir&gt;</p>")


def test_a_removed_override_gives_the_cell_back_to_the_tool(tool, store, coupled, clock):
    tool.score(coupled, ADAM, 3)
    store.set_grade_by_hand(2, "oral", ADAM, 1)
    store.remove_override(2, "oral", ADAM)
    assert grade(store, coupled).value == 3

    clock.pass_seconds(1)
    tool.score(coupled, ADAM, 4)
    assert grade(store, coupled).value == 4


def test_a_result_is_on_the_items_scale_in_the_sites_zone(tool, store, standalone):
    tool.score(standalone, ADAM, 50, scoreMaximum=100, comment="Bien <3")

    answer = tool.results(standalone)

    assert answer.json() == [
        {
            "id": standalone.replace("/lineitem?type_id=1", "/lineitem/results?type_id=1&user_id=6"),
            "userId": "6",
            "resultScore": 2,
            "resultMaximum": 4,
            "comment": "Bien <3",
            "scoreOf": standalone,
            "timestamp": "2026-11-23T09:00:00+01:00",
        }
    ]


def test_a_cleared_grade_is_a_result_without_score_and_a_never_graded_pupil_is_absent(tool, item_url, clock):
    tool.score(item_url, ADAM, 3)
    clock.pass_seconds(1)
    tool.score(item_url, ADAM, None)

    (result,) = tool.results(item_url).json()
    assert set(result) == {"id", "userId"}


def test_results_are_filtered_by_user(tool, standalone):
    tool.score(standalone, ADAM)
    tool.score(standalone, AICHA)

    assert [row["userId"] for row in tool.results(standalone).json()] == [ADAM, AICHA]
    assert [row["userId"] for row in tool.results(standalone, user_id=AICHA).json()] == [AICHA]
    assert tool.results(standalone, user_id="8").json() == []


def test_limit_on_results_crashes_with_an_html_404(tool, standalone):
    answer = tool.results(standalone, limit="5")

    assert answer.status_code == 404
    assert answer.headers["Content-Type"].startswith("text/html")


def test_a_standalone_item_outlives_its_activity_and_still_takes_scores(tool, store):
    activity = store.add_activity(2, NewActivity("Oral"))
    url = tool.create(resourceLinkId=activity.resource_link_id).json()["id"]
    store.delete_activity(activity.id)

    assert tool.score(url, ADAM).status_code == 200
    assert tool.call("GET", url).json()["resourceLinkId"] == activity.resource_link_id
