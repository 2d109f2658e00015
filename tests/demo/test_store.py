"""Starting the demo LMS, keeping its data, and acting on it from a test."""

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from lti_tool.demo import DemoSettings, DemoStore, close_demo_app, create_demo_app, registration
from lti_tool.demo.activities import Column, NewActivity
from lti_tool.demo.people import MRC1, PEOPLE, by_name

from .played_tool import SCORE, segment

ROOT = Path(__file__).parents[2]


def test_the_demo_refuses_to_run_in_production(settings, tmp_path, monkeypatch):
    monkeypatch.setenv("SPIRALE_CONFIG", "production")

    with pytest.raises(ValueError, match="does not run in production"):
        create_demo_app(replace(settings, database=tmp_path / "demo.sqlite"))
    assert not (tmp_path / "demo.sqlite").exists()


@pytest.mark.parametrize("address", ["http://127.0.0.1:8001/", "127.0.0.1:8001", "http://host/path", ""])
def test_an_address_is_an_origin_alone(address, tmp_path):
    with pytest.raises(ValueError, match="trailing slash"):
        DemoSettings(base_url=address, tool_url="http://localhost:8000", database=tmp_path / "demo.sqlite")


def test_the_registration_is_all_a_tool_must_know():
    known = registration("http://127.0.0.1:8001")

    assert known.issuer == "http://127.0.0.1:8001"
    assert (known.client_id, known.deployment_id) == ("spirale-demo", "1")
    assert known.auth_login_url == "http://127.0.0.1:8001/lti/auth"
    assert known.jwks_url == "http://127.0.0.1:8001/lti/jwks"
    assert known.audience == known.auth_token_url == "http://127.0.0.1:8001/lti/token"


def test_a_second_start_keeps_data_and_keys(settings, tmp_path):
    settings = replace(settings, database=tmp_path / "new" / "demo.sqlite")
    keys = []
    for _ in range(2):
        app = create_demo_app(settings)
        keys.append(app.test_client().get("/lti/jwks").get_json())
        with DemoStore(settings.database) as store:
            store.add_activity(MRC1.id, NewActivity("Oral"))
        close_demo_app(app)

    assert keys[0] == keys[1]
    with DemoStore(settings.database) as store:
        assert [activity.title for activity in store.activities(MRC1.id)] == ["Spirale", "Oral", "Oral"]


def test_several_processes_may_start_together_on_one_new_file(tmp_path):
    code = "import sys, pathlib; from lti_tool.demo import DemoStore; DemoStore(pathlib.Path(sys.argv[1])).close()"
    command = [sys.executable, "-c", code, str(tmp_path / "demo.sqlite")]

    running = [subprocess.Popen(command, cwd=ROOT) for _ in range(4)]

    assert [process.wait(60) for process in running] == [0] * 4
    with DemoStore(tmp_path / "demo.sqlite") as store:
        assert len(store.members(MRC1.id)) == 28


def test_the_wsgi_entry_reads_its_environment(tmp_path, monkeypatch):
    monkeypatch.setenv("SPIRALE_DEMO_BASE_URL", "http://127.0.0.1:9001")
    monkeypatch.setenv("SPIRALE_DEMO_TOOL_URL", "http://localhost:9000")
    monkeypatch.setenv("SPIRALE_DEMO_DATABASE", str(tmp_path / "demo.sqlite"))
    from lti_tool.demo import wsgi

    settings = wsgi.settings_from_environment()
    assert (settings.base_url, settings.launch_url) == (
        "http://127.0.0.1:9001",
        "http://localhost:9000/lti/launch",
    )
    assert settings.database == tmp_path / "demo.sqlite"
    assert wsgi.app.test_client().get("/lti/jwks").status_code == 200
    close_demo_app(wsgi.app)


def test_people_are_found_by_name_and_have_distinct_ids_and_logins():
    assert by_name("Elif Yılmaz").username == "elif.yilmaz"
    assert by_name("Rayan El Amrani").username == "rayan.el-amrani"
    assert (
        len({person.sub for person in PEOPLE}) == len({person.username for person in PEOPLE}) == len(PEOPLE)
    )


def test_a_column_is_named_by_tag_then_label_then_id(store):
    store.add_activity(2, NewActivity("Oral", column=Column(4, "", "C1")))
    item = store.line_item(2, "C1")

    assert store.line_item(2, "Oral") == store.line_item(2, item.id) == item
    store.add_activity(2, NewActivity("Oral"))
    with pytest.raises(LookupError):
        store.line_item(2, "unknown")
    store.add_activity(2, NewActivity("Autre", column=Column(4, "", "C1")))
    with pytest.raises(LookupError, match="2 columns"):
        store.line_item(2, "C1")


def test_reset_puts_everything_back_except_the_keys(store, tool, demo_url):
    key = tool.http.get(f"{demo_url}/lti/jwks", timeout=5).json()
    store.suspend(2, "6")
    store.add_activity(2, NewActivity("Oral"))

    store.reset()

    assert [activity.id for activity in store.activities(2)] == [1]
    assert not store.members(2)[3].suspended
    assert tool.http.get(f"{demo_url}/lti/jwks", timeout=5).json() == key


def test_a_new_person_can_be_enrolled_and_graded(store, tool):
    sub = store.add_person("Jérémy", "N'Guessan")
    url = tool.create(tag="C1").json()["id"]
    assert tool.score(url, sub).status_code == 400

    store.enrol(2, sub)

    assert tool.score(url, sub).status_code == 200
    assert store.grade(2, "C1", sub).value == 3


def test_revoked_tokens_are_refused(store, tool):
    token = tool.token()
    store.revoke_tokens()

    assert tool.call("GET", "/lti/courses/2/memberships", token=token).status_code == 401


def test_a_planned_fault_answers_in_place_of_the_service_as_often_as_planned(store, tool):
    url = tool.create(tag="C1").json()["id"]
    store.plan_fault("/scores", status=503, retry_after="7", times=2)

    answers = [tool.score(url, "6") for _ in range(3)]

    assert [answer.status_code for answer in answers] == [503, 503, 200]
    assert answers[0].headers["Retry-After"] == "7"
    assert store.grade(2, "C1", "6").value == 3


def test_a_lost_answer_hides_a_request_that_was_carried_out(store, tool):
    store.lose_answers("/lineitems", method="POST")

    assert tool.create(tag="C1").status_code == 502
    assert store.line_item(2, "C1").score_maximum == 4
    assert tool.create(tag="C1").status_code == 201


def test_a_fault_for_one_method_leaves_the_others_and_can_be_forgotten(store, tool):
    store.plan_fault("/lineitems", method="POST", times=5)
    assert tool.lineitems().status_code == 200
    assert tool.create().status_code == 503

    store.clear_faults()
    assert tool.create().status_code == 201


def test_the_services_calls_are_kept_with_their_true_status(store, tool, clock):
    url = tool.create(tag="C1").json()["id"]
    store.lose_answers("/scores")
    tool.score(url, "6")

    (call,) = store.calls("/scores", "POST")

    assert (call.status, call.at) == (200, clock.now)
    assert '"userId": "6"' in call.body
    assert [kept.status for kept in store.calls()] == [201, 200]


def test_scores_may_come_at_once_over_several_connections(store, tool):
    from concurrent.futures import ThreadPoolExecutor

    import requests

    url, token = tool.create(tag="C1").json()["id"], tool.token()
    headers = {"Authorization": f"Bearer {token}", "Content-Type": SCORE}

    def post(sub):
        body = {
            "userId": str(sub),
            "scoreGiven": 3,
            "scoreMaximum": 4,
            "timestamp": tool.clock.iso(),
            "activityProgress": "Completed",
            "gradingProgress": "FullyGraded",
        }
        return requests.post(segment(url, "scores"), json=body, headers=headers, timeout=20).status_code

    with ThreadPoolExecutor(8) as pool:
        statuses = list(pool.map(post, range(6, 30)))

    assert statuses == [200] * 24
    assert len(store.grades(2, "C1")) == 24
