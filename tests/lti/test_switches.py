"""Several client ids and deployments, and what an administrator switches: effective at once."""

from __future__ import annotations

from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask

from lti_tool.courses.models import Course, Enrolment, LaunchSession, Person, Role
from lti_tool.db import begin_write, db
from lti_tool.errors import BadInput, NotFound
from lti_tool.lti.claims import AGS
from lti_tool.lti.models import Platform
from lti_tool.lti.platforms import (
    add_deployment,
    change_platform,
    frame_origins,
    set_deployment_enabled,
    set_enabled,
)
from tests import factories
from tests.lti.platform_of_tests import GONE, MEMBERSHIP, KeyServer, Lms, make_lms


def switch(app: Flask, change: Any, *arguments: Any, **more: Any) -> None:
    """What a command or an administrator's page does."""
    with app.app_context():
        begin_write()
        change(db.session, *arguments, **more)
        db.session.commit()
        db.session.close()


def set_(app: Flask, lms: Lms, **changes: Any) -> None:
    switch(app, change_platform, number(app, lms), **changes)


def number(app: Flask, lms: Lms) -> int:
    with app.app_context():
        query = sa.select(Platform.id).where(
            Platform.issuer == lms.issuer, Platform.client_id == lms.client_id
        )
        found = db.session.scalars(query).one()
        db.session.close()
        return found


# ----- several of each -----


def test_without_a_client_id_the_one_that_is_let_in_is_meant(app: Flask, server: KeyServer) -> None:
    old = make_lms(app, server, issuer="https://lms.example.org", client_id="old")
    make_lms(app, server, issuer="https://lms.example.org", client_id="new")
    assert "Plateforme inconnue" in old.begin(client_id=GONE).text
    switch(app, set_enabled, number(app, old), False)
    old.begin(client_id=GONE)
    assert old.login["client_id"] == "new"


def test_one_more_deployment_is_let_in_and_kept_out_by_itself(app: Flask, lms: Lms) -> None:
    lms_number = number(app, lms)
    assert lms.begin(lti_deployment_id="2").status_code == 403
    switch(app, add_deployment, lms_number, "2")
    lms.begin(lti_deployment_id="2")
    page = lms.launch(deployment_id="2").headers["Location"]
    assert lms.client.get(page, follow_redirects=True).status_code == 200

    switch(app, set_deployment_enabled, lms_number, "2", False)
    assert lms.client.get(page).status_code == 410
    assert lms.begin(lti_deployment_id="2").status_code == 403
    assert lms.whole_launch(deployment_id="1").status_code == 303

    switch(app, set_deployment_enabled, lms_number, "2", True)
    assert lms.client.get(page, follow_redirects=True).status_code == 200


def test_adding_a_deployment_that_is_there_lets_it_in_again(in_app: Flask) -> None:
    made = factories.platform()
    set_deployment_enabled(db.session, made.id, "1", False)
    add_deployment(db.session, made.id, "1")
    assert [(d.deployment_id, d.enabled) for d in made.deployments] == [("1", True)]


def test_a_deployment_or_a_platform_that_is_not_there_is_said(in_app: Flask) -> None:
    made = factories.platform()
    with pytest.raises(NotFound, match=f"platform {made.id} has no deployment « 7 »; it has: 1"):
        set_deployment_enabled(db.session, made.id, "7", False)
    with pytest.raises(NotFound, match="platform list"):
        add_deployment(db.session, 999, "1")
    for wrong in ("", "x" * 256):
        with pytest.raises(BadInput):
            add_deployment(db.session, made.id, wrong)
    add_deployment(db.session, made.id, "x" * 255)


# ----- settings -----


def test_an_extra_origin_may_frame_the_pages_at_once(app: Flask, lms: Lms) -> None:
    page = lms.whole_launch().headers["Location"]
    assert "https://ent.example.org" not in lms.client.get(page).headers["Content-Security-Policy"]
    set_(app, lms, frame_origins=["https://ENT.example.org/", "https://ent.example.org"])
    policy = lms.client.get(page).headers["Content-Security-Policy"]
    ancestors = policy.split("frame-ancestors ")[1].split()
    assert ancestors == ["https://ent.example.org", lms.issuer]


@pytest.mark.parametrize(
    "origin",
    [
        "*",
        "https://*.example.org",
        "https://ent.example.org/portal",
        "ent.example.org",
        "https://a b",
        "data:",
    ],
)
def test_what_is_no_origin_never_reaches_the_policy(in_app: Flask, origin: str) -> None:
    made = factories.platform()
    with pytest.raises(BadInput) as refused:
        change_platform(db.session, made.id, frame_origins=[origin])
    assert list(refused.value.problems) == ["--frame-origin"]
    db.session.expire(made)
    assert frame_origins(made) == [made.issuer]


@pytest.mark.parametrize(
    ("changes", "option"),
    [
        ({"name": " "}, "--name"),
        ({"name": "x" * 256}, "--name"),
        ({"audience": "x" * 2001}, "--audience"),
        ({"connections": 0}, "--connections"),
        ({"connections": 17}, "--connections"),
        ({"family": "sakai"}, "--family"),
    ],
)
def test_a_wrong_setting_names_its_option(in_app: Flask, changes: dict[str, Any], option: str) -> None:
    with pytest.raises(BadInput) as refused:
        change_platform(db.session, factories.platform().id, **changes)
    assert list(refused.value.problems) == [option]


def test_settings_are_stored(in_app: Flask) -> None:
    made = factories.platform()
    change_platform(db.session, made.id, name="x" * 255, audience="urn:us", connections=16, family="canvas")
    change_platform(db.session, made.id, connections=1, anonymous=True)
    db.session.commit()
    db.session.expire(made)
    assert (made.name, made.audience, made.connections) == ("x" * 255, "urn:us", 1)
    assert (made.family, made.anonymous) == ("canvas", True)


# ----- which LMS it is -----


def family(app: Flask) -> str:
    with app.app_context():
        found = db.session.scalars(sa.select(Platform.family)).one()
        db.session.close()
        return found


def test_a_launch_says_which_lms_it_is_unless_an_administrator_did(app: Flask, lms: Lms) -> None:
    lms.whole_launch()
    assert family(app) == ""
    lms.whole_launch(tool_platform={"product_family_code": "sakai"})
    assert family(app) == ""
    lms.whole_launch(tool_platform={"product_family_code": "moodle"})
    assert family(app) == "moodle"
    lms.whole_launch(tool_platform={"product_family_code": "canvas"})
    assert family(app) == "moodle"


@pytest.mark.parametrize("odd", ["moodle", [], {"product_family_code": 7}, {"product_family_code": None}])
def test_an_odd_word_about_the_lms_refuses_nobody(app: Flask, lms: Lms, odd: object) -> None:
    assert lms.whole_launch(tool_platform=odd).status_code == 303
    assert family(app) == ""


# ----- a course that came from another registration -----


@pytest.mark.parametrize(
    ("lineitems", "awaits"), [(None, True), ("https://lms.example.org/7/lineitems", False)]
)
def test_a_launch_that_names_its_columns_ends_the_wait_of_a_course(
    app: Flask, lms: Lms, lineitems: str | None, awaits: bool
) -> None:
    lms.whole_launch()
    with app.app_context():
        begin_write()
        db.session.execute(
            sa.update(Course).values(awaits_launch=True, lineitems_url="https://old.example.org")
        )
        db.session.commit()
        db.session.close()
    endpoint = {"scope": [], "lineitems": lineitems} if lineitems else GONE
    lms.whole_launch(**{AGS: endpoint})
    with app.app_context():
        course = db.session.scalars(sa.select(Course)).one()
        db.session.close()
    assert (course.awaits_launch, course.lineitems_url) == (awaits, lineitems or "https://old.example.org")


# ----- anonymous reading -----


@pytest.mark.parametrize("sub", [GONE, ""])
def test_nobody_named_is_refused_unless_the_platform_allows_it(app: Flask, lms: Lms, sub: object) -> None:
    assert lms.whole_launch(sub=sub).status_code == 403
    set_(app, lms, anonymous=True)
    assert lms.whole_launch(sub=sub).status_code == 303
    set_(app, lms, anonymous=False)
    assert lms.whole_launch(sub=sub).status_code == 403


def test_somebody_unnamed_reads_the_referential_and_sees_nobody(app: Flask, lms: Lms) -> None:
    assert lms.whole_launch(sub="6", given_name="Adam", roles=[MEMBERSHIP + "Learner"]).status_code == 303
    set_(app, lms, anonymous=True)
    root = lms.whole_launch(sub=GONE, given_name=GONE, family_name=GONE, name=GONE).headers["Location"]
    landed = lms.client.get(root, follow_redirects=True)
    assert landed.status_code == 200
    assert "1A" in landed.text
    assert "Adam" not in landed.text
    sid = root.split("/")[2]
    for path in ("overview", "activities", "gradebook", "settings/gradebook", "me"):
        assert lms.client.get(f"/l/{sid}/{path}").status_code in (403, 404), path
    with app.app_context():
        session = db.session.scalars(sa.select(LaunchSession).order_by(LaunchSession.id.desc())).first()
        assert session is not None
        nobody = db.session.get_one(Person, session.person_id)
        enrolled = list(db.session.scalars(sa.select(Enrolment.person_id)))
        db.session.close()
    assert session.role is Role.OBSERVER
    assert (nobody.sub, nobody.name) == ("", "")
    assert enrolled != []
    assert nobody.id not in enrolled


def test_two_unnamed_people_are_one_row_and_two_sessions(app: Flask, lms: Lms) -> None:
    set_(app, lms, anonymous=True)
    first = lms.whole_launch(sub=GONE).headers["Location"]
    lms.client = app.test_client()
    second = lms.whole_launch(sub=GONE).headers["Location"]
    assert lms.client.get(second).status_code in (200, 302, 303)
    assert lms.client.get(first).status_code == 410
    with app.app_context():
        subs = list(db.session.scalars(sa.select(Person.sub)))
        db.session.close()
    assert subs == [""]


def test_switching_anonymous_reading_off_ends_its_sessions_and_no_other(app: Flask, lms: Lms) -> None:
    set_(app, lms, anonymous=True)
    unnamed = lms.whole_launch(sub=GONE).headers["Location"]
    named = lms.whole_launch().headers["Location"]
    assert lms.client.get(unnamed, follow_redirects=True).status_code == 200
    set_(app, lms, anonymous=False)
    assert lms.client.get(unnamed).status_code == 410
    assert lms.client.get(named, follow_redirects=True).status_code == 200


@pytest.mark.parametrize("sub", [7, ["5"], {"id": 5}, "x" * 256, "a\x00b"])
def test_a_name_that_is_none_is_refused_even_where_none_is_needed(app: Flask, lms: Lms, sub: object) -> None:
    set_(app, lms, anonymous=True)
    assert lms.whole_launch(sub=sub).status_code == 403
