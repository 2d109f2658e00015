"""What only real simultaneity shows, on both databases; and a database server that restarts under us."""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

import pytest
import sqlalchemy as sa
from flask import Flask

from lti_tool import create_app
from lti_tool import db as db_module
from lti_tool.courses.models import Course, Enrolment, LaunchSession, Person
from lti_tool.db import db
from lti_tool.lti.models import Login
from tests.conftest import make_config
from tests.lti.platform_of_tests import KeyServer, Lms, browser, make_lms
from tests.postgres import Postgres

TRIES = 8


@pytest.fixture(params=["sqlite", "postgresql"])
def app_on_both(request: pytest.FixtureRequest, tmp_path: Path, migrated: Path) -> Iterator[Flask]:
    """The application, on each database."""
    settings = {}
    if request.param == "sqlite":
        shutil.copy(migrated, tmp_path / "spirale.db")
    else:
        server: Postgres = request.getfixturevalue("postgres")
        settings["SPIRALE_DATABASE_URL"] = server.new_database(request.getfixturevalue("migrated_postgres"))
    app = create_app(make_config(tmp_path, **settings))
    app.testing = False
    yield app
    with app.app_context():
        db.engine.dispose()
    app.extensions["spirale_queue"].storage.close()


def together(count: int, act: object) -> list[int]:
    """The statuses of `count` calls that begin at one moment."""
    start = Barrier(count)

    def one(number: int) -> int:
        start.wait(timeout=10)
        return act(number)  # type: ignore[operator, no-any-return]

    with ThreadPoolExecutor(count) as threads:
        return list(threads.map(one, range(count)))


def counted(app: Flask, model: type[object]) -> int:
    with app.app_context():
        return db.session.scalar(sa.select(sa.func.count()).select_from(model)) or 0


def test_a_login_launched_twice_at_one_moment_opens_one_session(
    app_on_both: Flask, server: KeyServer
) -> None:
    lms = make_lms(app_on_both, server)
    lms.whole_launch()  # the platform's keys are known, so that nothing keeps the two apart
    for number in range(1, TRIES + 1):
        lms.begin()
        form = {"state": lms.login["state"], "id_token": lms.sign(lms.claims())}
        cookie = lms.client.get_cookie("spirale", "localhost")
        assert cookie is not None

        def launch(_number: int, form: dict[str, str] = form, secret: str = cookie.value) -> int:
            client = browser(app_on_both)
            client.set_cookie("spirale", secret, domain="localhost", secure=False)
            return client.post("/lti/launch", data=form).status_code

        assert Counter(together(3, launch)) == {303: 1, 400: 2}
        assert counted(app_on_both, LaunchSession) == number + 1
    assert counted(app_on_both, Login) == 0


def test_a_class_that_arrives_at_one_moment_is_one_course_with_a_number_for_each(
    app_on_both: Flask, server: KeyServer
) -> None:
    first = make_lms(app_on_both, server)
    everybody = [
        Lms(app_on_both, server, browser(app_on_both), first.issuer, first.client_id) for _ in range(6)
    ]
    statuses = together(6, lambda number: everybody[number].whole_launch(sub=f"p{number}").status_code)
    assert statuses == [303] * 6
    assert [counted(app_on_both, model) for model in (Course, Person, Enrolment)] == [1, 6, 6]
    with app_on_both.app_context():
        assert sorted(db.session.scalars(sa.select(Enrolment.number))) == [1, 2, 3, 4, 5, 6]


def test_a_refused_launch_uses_its_login_up(app_on_both: Flask, server: KeyServer) -> None:
    lms = make_lms(app_on_both, server)
    lms.whole_launch()  # its keys are known: from the login to the session it is one transaction
    lms.begin()
    good = lms.sign(lms.claims())
    assert lms.launch(lms.sign(lms.claims(version="1.1"))).status_code == 403
    assert counted(app_on_both, Login) == 0
    assert lms.launch(good).status_code == 400
    assert counted(app_on_both, LaunchSession) == 1


def test_a_launch_that_names_no_course_writes_nothing_and_uses_its_login_up(
    app_on_both: Flask, server: KeyServer
) -> None:
    lms = make_lms(app_on_both, server)
    lms.begin()
    message = {"message_type": "LtiDeepLinkingRequest", "resource_link": {}, "context": {}}
    settings = {"deep_link_return_url": f"{lms.issuer}/back", "accept_types": ["ltiResourceLink"]}
    settings["accept_presentation_document_targets"] = ["iframe"]
    claim = "https://purl.imsglobal.org/spec/lti-dl/claim/deep_linking_settings"
    token = lms.sign(lms.claims(**message) | {claim: settings})
    assert "cours" in lms.launch(token).text
    assert [counted(app_on_both, model) for model in (Login, LaunchSession, Person)] == [0, 0, 0]


def test_no_transaction_is_open_while_the_platform_is_asked_for_its_keys(
    app_on_both: Flask, server: KeyServer
) -> None:
    lms = make_lms(app_on_both, server)
    open_then: list[bool] = []
    find = app_on_both.extensions["spirale_keysets"]._refresh

    def refresh(*arguments: object) -> None:
        open_then.append(db.session.in_transaction())
        find(*arguments)

    app_on_both.extensions["spirale_keysets"]._refresh = refresh
    assert lms.whole_launch().status_code == 303
    assert open_then == [False]


def test_a_database_server_that_dropped_us_costs_nobody_a_launch(
    postgres: Postgres,
    migrated_postgres: str,
    tmp_path: Path,
    server: KeyServer,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(db_module, "TRIED_AFTER_S", 0.0)
    app = create_app(make_config(tmp_path, SPIRALE_DATABASE_URL=postgres.new_database(migrated_postgres)))
    lms = make_lms(app, server)
    assert lms.whole_launch().status_code == 303
    with app.app_context():
        name = db.engine.url.database
    dropped = postgres.run(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'")
    assert dropped == [(True,)]
    assert lms.whole_launch().status_code == 303
    with app.app_context():
        db.engine.dispose()
    app.extensions["spirale_queue"].storage.close()
