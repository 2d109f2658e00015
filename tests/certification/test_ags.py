"""1EdTech's certification, Assignment and Grade Services: columns made and listed, scores posted, results read."""

from __future__ import annotations

import json
import re

from lti_tool.demo.people import MRC1, by_name
from tests.certification.recording import record
from tests.gradebook.gradebook_world import ADAM, Gradebook

AGS = "https://purl.imsglobal.org/spec/lti-ags/scope/"
LINEITEM = "application/vnd.ims.lis.v2.lineitem+json"
CONTAINER = "application/vnd.ims.lis.v2.lineitemcontainer+json"
LINEITEMS = f"/lti/courses/{MRC1.id}/lineitems"


def test_a_line_item_is_looked_for_then_created(book: Gradebook) -> None:
    recorder = record(book.world)
    book.type((ADAM, "1A", 3))
    book.deliver()
    looked, made = recorder.of("GET", LINEITEMS)[0], recorder.of("POST", LINEITEMS)
    assert (looked.accept, looked.status) == (CONTAINER, 200)
    assert looked.query["resource_id"] == json.loads(made[0].body)["resourceId"]
    assert [(one.content_type, one.status) for one in made] == [(LINEITEM, 201)]
    body = json.loads(made[0].body)
    assert set(body) == {"label", "scoreMaximum", "resourceId", "tag"}
    assert isinstance(body["scoreMaximum"], int)
    assert body["tag"] == "1A"
    assert recorder.exchanges.index(looked) < recorder.exchanges.index(made[0])


def test_a_line_item_that_exists_is_not_created_again(book: Gradebook) -> None:
    book.type((ADAM, "1A", 3))
    book.deliver()
    recorder = record(book.world)
    book.type((ADAM, "1A", 4), again=True)
    book.deliver()
    assert recorder.of("POST", LINEITEMS) == []
    assert len([item for item in book.world.store.line_items(MRC1.id) if item.tag == "1A"]) == 1


def test_a_score_is_posted(book: Gradebook) -> None:
    recorder = record(book.world)
    book.type((ADAM, "1A", 3))
    book.deliver()
    (sent,) = recorder.of("POST", "/scores")
    assert sent.content_type == "application/vnd.ims.lis.v1.score+json"
    assert sent.status == 200
    body = json.loads(sent.body)
    assert body["userId"] == by_name(ADAM).sub
    assert (body["activityProgress"], body["gradingProgress"]) == ("Completed", "FullyGraded")
    assert 0 < body["scoreGiven"] <= body["scoreMaximum"]
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", body["timestamp"])
    assert body["comment"]
    assert book.value(ADAM, "1A") is not None


def test_a_result_is_read(book: Gradebook) -> None:
    book.type((ADAM, "1A", 3))
    book.deliver()
    recorder = record(book.world)
    book.type((ADAM, "1A", 4), again=True)
    book.deliver()
    asked = recorder.of("GET", "/results")
    assert asked
    assert {one.accept for one in asked} == {"application/vnd.ims.lis.v2.resultcontainer+json"}
    assert {one.status for one in asked} == {200}


def test_each_service_is_asked_with_its_own_scope(book: Gradebook) -> None:
    recorder = record(book.world)
    book.type((ADAM, "1A", 3))
    book.deliver()
    scopes = {scope for one in recorder.of("POST", "/lti/token") for scope in one.form()["scope"].split()}
    assert scopes <= {AGS + "lineitem", AGS + "score", AGS + "result.readonly"}
    assert {AGS + "lineitem", AGS + "score"} <= scopes
