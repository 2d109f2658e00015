"""What a hostile or clumsy request meets: a refusal, never a 500, and nothing in the log; on both databases."""

from __future__ import annotations

import shutil
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask
from werkzeug.middleware.proxy_fix import ProxyFix

from lti_tool import create_app
from lti_tool.activities.models import Activity
from lti_tool.assessment.models import Assessment
from lti_tool.courses.entry import enrolment_of
from lti_tool.courses.models import Course, Enrolment, Person, Role
from lti_tool.db import begin_write, db, utcnow
from lti_tool.errors import RegistrationRefused
from lti_tool.lti.invites import hold_invite, invite_platform
from lti_tool.lti.models import Deployment, Invite
from lti_tool.lti.platforms import frame_origins
from tests import factories
from tests.conftest import School, make_config, make_school
from tests.postgres import Postgres

BIG = "9" * 25


@pytest.fixture(params=["sqlite", "postgresql"])
def class_(request: pytest.FixtureRequest, tmp_path: Path, migrated: Path) -> Iterator[School]:
    """A school on each database."""
    if request.param == "sqlite":
        shutil.copy(migrated, tmp_path / "spirale.db")
        config = make_config(tmp_path)
    else:
        server: Postgres = request.getfixturevalue("postgres")
        url = server.new_database(template=request.getfixturevalue("migrated_postgres"))
        config = make_config(tmp_path, SPIRALE_DATABASE_URL=url)
    app = create_app(config)
    app.testing = False
    yield make_school(app)
    with app.app_context():
        db.engine.dispose()
    app.extensions["spirale_queue"].storage.close()


def make_activity(school: School) -> tuple[int, int]:
    with school.app.app_context():
        begin_write()
        made = factories.activity(school.course, "1A")
        db.session.commit()
        found = made.id, factories.competence("1A").id
        db.session.close()
        return found


@pytest.mark.parametrize(
    "path",
    [
        f"/activities/{BIG}",
        "/activities/99999999999999/grid",
        f"/pupils/{BIG}",
        f"/activities/new?copy={BIG}",
        f"/activities/nudges?activity={BIG}&competences=1A",
        f"/overview?pupil={BIG}&competence=1A",
        "/referential/a%00",
        "/me?competence=%00",
        "/referential/" + "x" * 3000,
    ],
)
def test_odd_addresses_are_refused(class_: School, path: str) -> None:
    answer = class_.visit("teacher").get(path)
    assert answer.status_code < 500
    assert class_.visit("teacher").get("/activities").status_code == 200


def test_odd_entries_are_refused_and_good_ones_are_still_saved(class_: School) -> None:
    activity_id, item_id = make_activity(class_)
    teacher, adam = class_.visit("teacher"), class_.people["Adam"].id
    path = f"/activities/{activity_id}/cells"

    def entry(**more: Any) -> dict[str, Any]:
        good = {
            "key": str(uuid.uuid4()),
            "person": adam,
            "competence": item_id,
            "value": "3",
            "comment": None,
        }
        return {**good, **more}

    for odd in (
        {"key": "\x00"},
        {"key": "\ud800"},
        {"value": "\x00"},
        {"value": "\ud800"},
        {"person": 2**31},
    ):
        assert teacher.post_json(path, {"entries": [entry(**odd)], "since": 0}).status_code in (200, 400), odd
    assert teacher.post_json(path, {"entries": [entry()], "since": 10**30}).status_code == 400
    assert teacher.get(f"{path}?since={BIG}").status_code == 200
    deep = teacher.client.post(
        f"/l/{teacher.sid}{path}",
        data="[" * 200_000,
        content_type="application/json",
        headers={"X-CSRF-Token": teacher.csrf},
    )
    assert deep.status_code == 400
    kept = teacher.post_json(path, {"entries": [entry(comment="a\x00b\ud800c")], "since": 0}).get_json()
    assert [saved["comment"] for saved in kept["saved"]] == ["ab?c"]
    form = {"person": adam, "competence": item_id, "comment": "x\x00y"}
    assert teacher.post(f"/activities/{activity_id}/comments", form).status_code == 400
    cells = {f"c-{adam}-{'1' * 5000}": "3", f"c-{adam}-{BIG}": "3", f"e-{adam}-{item_id}": BIG}
    assert teacher.post(f"/activities/{activity_id}/grid", cells).status_code < 500


def test_an_error_of_the_database_says_nothing_in_the_log(
    class_: School, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    activity_id, item_id = make_activity(class_)
    teacher, adam = class_.visit("teacher"), class_.people["Adam"].id
    # As if a check had been forgotten: the database itself must refuse the row.
    monkeypatch.setattr("lti_tool.assessment.entries.parse_value", lambda _typed: (9, None))
    body = {
        "entries": [
            {
                "key": str(uuid.uuid4()),
                "person": adam,
                "competence": item_id,
                "value": "3",
                "comment": "Secret",
            }
        ],
        "since": 0,
    }
    answer = teacher.post_json(f"/activities/{activity_id}/cells", body)
    assert answer.status_code == 500
    assert "Ce qui était enregistré l’est toujours" in answer.get_json()["message"]
    logged = "".join(capsys.readouterr())
    assert "IntegrityError" in logged
    for secret in ("Secret", teacher.sid, "INSERT", "Adam"):
        assert secret not in logged
        assert secret not in answer.text


def test_the_same_entry_sent_many_times_at_once_is_written_once(class_: School) -> None:
    activity_id, item_id = make_activity(class_)
    teacher, adam = class_.visit("teacher"), class_.people["Adam"].id
    entry = {"key": str(uuid.uuid4()), "person": adam, "competence": item_id, "value": "3", "comment": None}

    def send(_n: int) -> int:
        client = class_.app.test_client()
        for cookie in teacher.client._cookies.values():  # the same browser, in several threads
            client.set_cookie(cookie.key, cookie.value, domain="localhost", secure=False)
        return client.post(
            f"/l/{teacher.sid}/activities/{activity_id}/cells",
            json={"entries": [entry], "since": 0},
            headers={"X-CSRF-Token": teacher.csrf},
        ).status_code

    with ThreadPoolExecutor(6) as pool:
        assert list(pool.map(send, range(6))) == [200] * 6
    with class_.app.app_context():
        assert db.session.scalar(sa.select(sa.func.count(Assessment.id))) == 1


def test_first_launches_at_once_get_numbers_of_their_own(class_: School) -> None:
    def enrol(n: int) -> None:
        with class_.app.app_context():
            begin_write()
            person = Person(platform_id=class_.course.platform_id, sub=f"late-{n}")
            db.session.add(person)
            db.session.flush()
            enrolment_of(db.session, class_.course.id, person.id).role = Role.LEARNER
            db.session.commit()

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(enrol, range(8)))
    with class_.app.app_context():
        numbers = list(
            db.session.scalars(sa.select(Enrolment.number).where(Enrolment.course_id == class_.course.id))
        )
    assert len(numbers) == 16
    assert len(set(numbers)) == 16


def test_of_two_edits_at_once_one_is_told(class_: School) -> None:
    activity_id, _item = make_activity(class_)
    visitors = [class_.visit("teacher"), class_.visit("colleague")]
    form = {
        "title": "Titre", "starts_on": "2026-11-26", "setting": "real", "purpose": "formative",
        "complexity": "1", "competences": ["1A"],
    }  # fmt: skip
    for version in range(1, 5):
        with ThreadPoolExecutor(2) as pool:
            codes = pool.map(
                lambda visitor, v=version: (
                    visitor.post(f"/activities/{activity_id}/edit", {**form, "version": str(v)}).status_code
                ),
                visitors,
            )
        assert sorted(codes) == [303, 422]
    with class_.app.app_context():
        assert db.session.get_one(Activity, activity_id).version == 5


def test_of_registrations_at_once_one_holds_the_invitation(class_: School) -> None:
    with class_.app.app_context():
        begin_write()
        config = class_.app.extensions["spirale_config"]
        invite_id = invite_platform(db.session, utcnow(), config)[0].id
        db.session.commit()

    def hold(_n: int) -> bool:
        with class_.app.app_context():
            begin_write()
            try:
                invite = db.session.get_one(Invite, invite_id)
                hold_invite(db.session, invite, utcnow(), timedelta(minutes=1))
                db.session.commit()
            except RegistrationRefused:
                return False
            return True

    with ThreadPoolExecutor(6) as pool:
        assert sorted(pool.map(hold, range(6))) == [False] * 5 + [True]


def test_two_deployments_of_a_platform_never_share_a_course(app: Flask) -> None:
    with app.app_context():
        begin_write()
        platform = factories.platform(
            deployments=[Deployment(deployment_id="1"), Deployment(deployment_id="2")]
        )
        one = factories.course(platform, context_id="same")
        other = Course(
            platform_id=platform.id,
            deployment_id=platform.deployments[1].id,
            context_id="same",
            ags_scopes=[],
        )
        db.session.add(other)
        db.session.commit()
        assert one.id != other.id


@pytest.mark.parametrize(
    "url",
    [
        "https://x.example; script-src *; sandbox/",
        "https://œuvre.example/",
        "https://[",
        "javascript:alert(1)",
        "//x",
    ],
)
def test_who_may_frame_a_page_is_never_more_than_a_list_of_origins(app: Flask, url: str) -> None:
    with app.app_context():
        platform = factories.platform()
        assert frame_origins(platform, url) == [platform.issuer]
        assert frame_origins(platform, "https://Moodle.example:8443/x?y") == [
            platform.issuer,
            "https://moodle.example:8443",
        ]


def test_behind_a_proxy_each_address_has_its_own_limit(tmp_path: Path, migrated: Path) -> None:
    shutil.copy(migrated, tmp_path / "spirale.db")
    chosen = tmp_path / "few.toml"
    chosen.write_text("[security]\nlogins_per_minute = 3\n[server]\ntrusted_proxies = 1\n")
    app = create_app(make_config(tmp_path, SPIRALE_CONFIG=str(chosen)))
    assert isinstance(app.wsgi_app, ProxyFix)
    client = app.test_client()

    def ask(path: str, address: str) -> int:
        return client.get(path, headers={"X-Forwarded-For": address}).status_code

    assert [ask("/lti/login", "203.0.113.1") for _ in range(5)] == [400, 400, 400, 429, 429]
    assert ask("/lti/login", "203.0.113.2") == 400
    assert [ask("/lti/jwks", "203.0.113.1") for _ in range(5)] == [200] * 5
    with app.app_context():
        db.engine.dispose()
    app.extensions["spirale_queue"].storage.close()


def test_a_question_without_a_body_is_a_read(school: School) -> None:
    visitor = school.visit("Adam")
    assert visitor.client.head(f"/l/{visitor.sid}/me").status_code == 200
