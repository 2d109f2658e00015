"""Two platforms with one issuer and two client ids, the same people's numbers and the same courses' numbers: nothing
crosses, whatever is done and in whatever order.
"""

from __future__ import annotations

import itertools
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import jwt
import pytest
import sqlalchemy as sa
from flask import Flask
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from werkzeug.serving import make_server
from werkzeug.wrappers import Request, Response

from lti_tool.activities.models import Activity
from lti_tool.courses.models import Course, Enrolment, LaunchSession, Person, ResourceLink, Role
from lti_tool.courses.roster import refresh_roster
from lti_tool.db import begin_write, db, utcnow
from lti_tool.gradebook.models import LineItem, ScoreDelivery
from lti_tool.gradebook.scores import queue_scores
from lti_tool.lti.models import Deployment, Platform
from lti_tool.lti.services import service_of
from tests import factories
from tests.lti.conftest import platform_key, server
from tests.lti.platform_of_tests import MEMBERSHIP, KeyServer, Lms, make_lms

__all__ = ["platform_key", "server"]

ISSUER = "https://same.example.org"
SUBS, CONTEXTS, LINKS = ("5", "6"), ("2", "3"), ("7", "8")


@dataclass
class Services:
    """One address of tokens and rosters for both platforms, as of one LMS: a token says whose it is."""

    url: str = ""

    def serve(self, environ: Any, start_response: Any) -> Any:
        request = Request(environ)
        if request.path == "/token":
            claims = jwt.decode(request.form["client_assertion"], options={"verify_signature": False})
            body = f'{{"access_token": "of {claims["iss"]}", "expires_in": 3600}}'
            return Response(body, content_type="application/json")(environ, start_response)
        bearer = request.headers["Authorization"].removeprefix("Bearer of ")
        member = f'{{"user_id": "9", "name": "Élève de {bearer}", "roles": ["Learner"]}}'
        return Response(f'{{"members": [{member}]}}', content_type="application/json")(
            environ, start_response
        )


@pytest.fixture
def services() -> Iterator[Services]:
    made = Services()
    served = make_server("127.0.0.1", 0, made.serve, threaded=True)
    made.url = f"http://127.0.0.1:{served.server_port}"
    threading.Thread(target=served.serve_forever, args=(0.01,), daemon=True).start()
    yield made
    served.shutdown()
    served.server_close()


@pytest.fixture
def tenants(app: Flask, server: KeyServer, services: Services) -> dict[str, Lms]:
    """Two registrations of one LMS, alike but for the client id."""
    token = f"{services.url}/token"
    return {
        client: make_lms(app, server, issuer=ISSUER, client_id=client, auth_token_url=token)
        for client in "ab"
    }


launches = st.lists(
    st.tuples(
        st.sampled_from("ab"),
        st.sampled_from(SUBS),
        st.sampled_from(CONTEXTS),
        st.sampled_from(LINKS),
        st.sampled_from(["Instructor", "Learner"]),
    ),
    min_size=2,
    max_size=6,
)


@settings(
    max_examples=12,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(launches)
def test_launches_of_two_tenants_share_no_row(
    app: Flask, tenants: dict[str, Lms], done: list[tuple[str, ...]]
) -> None:
    opened = []
    for client, sub, context, link, role in done:
        answer = tenants[client].whole_launch(
            sub=sub,
            context={"id": context, "title": f"Cours de {client}"},
            resource_link={"id": link, "title": f"Lien de {client}"},
            roles=[MEMBERSHIP + role],
            given_name=client,
            family_name=f"Personne de {client}",
            name=f"Personne de {client}",
        )
        assert answer.status_code == 303
        opened.append((client, answer.headers["Location"]))
    with app.app_context():
        client_of = dict(db.session.execute(sa.select(Platform.id, Platform.client_id)).all())
        deployment_of = dict(db.session.execute(sa.select(Deployment.id, Deployment.platform_id)).all())
        courses = {course.id: course for course in db.session.scalars(sa.select(Course))}
        people = {person.id: person for person in db.session.scalars(sa.select(Person))}
        assert {(client_of[c.platform_id], c.context_id) for c in courses.values()} >= {
            (client, context) for client, _sub, context, _link, _role in done
        }
        for course in courses.values():
            assert course.title == f"Cours de {client_of[course.platform_id]}"
            assert deployment_of[course.deployment_id] == course.platform_id
        for person in people.values():
            assert person.family_name == f"Personne de {client_of[person.platform_id]}"
        for enrolment in db.session.scalars(sa.select(Enrolment)):
            assert courses[enrolment.course_id].platform_id == people[enrolment.person_id].platform_id
        for link_row in db.session.scalars(sa.select(ResourceLink)):
            assert link_row.title == f"Lien de {client_of[courses[link_row.course_id].platform_id]}"
        for session in db.session.scalars(sa.select(LaunchSession)):
            owner = courses[session.course_id].platform_id
            assert people[session.person_id].platform_id == owner
            assert deployment_of[session.deployment_id] == owner
        db.session.close()
    for client, address in opened:
        page = tenants[client].client.get(address, follow_redirects=True)
        assert page.status_code == 200
        other = {"a": "b", "b": "a"}[client]
        assert f"Cours de {other}" not in page.text
        assert tenants[other].client.get(address, follow_redirects=True).status_code == 410


def test_tokens_of_two_tenants_never_cross(app: Flask, tenants: dict[str, Lms], services: Services) -> None:
    tokens, config = app.extensions["spirale_tokens"], app.extensions["spirale_config"]
    for client, again in itertools.product("ab", range(2)):
        with app.app_context():
            platform = db.session.scalars(sa.select(Platform).where(Platform.client_id == client)).one()
            asked = service_of(db.session, platform, tokens, config)
            db.session.commit()
            assert tokens.get(asked.caller, ("scope",)) == f"of {client}", again


def test_rosters_of_two_tenants_never_cross(app: Flask, tenants: dict[str, Lms], services: Services) -> None:
    with app.app_context():
        begin_write()
        made = {}
        for client in "ab":
            platform = db.session.scalars(sa.select(Platform).where(Platform.client_id == client)).one()
            made[client] = factories.course(
                platform, context_id="2", memberships_url=f"{services.url}/members"
            ).id
        db.session.commit()
        for client in "abab":
            refresh_roster(made[client], app.extensions["spirale_tokens"], app.extensions["spirale_config"])
        for client in "ab":
            names = db.session.scalars(
                sa.select(Person.name).join(Enrolment).where(Enrolment.course_id == made[client])
            )
            assert list(names) == [f"Élève de {client}"]


def test_a_deep_link_of_one_tenant_opens_nothing_of_it_in_the_other(
    app: Flask, tenants: dict[str, Lms]
) -> None:
    tenants["a"].whole_launch(context={"id": "2"})
    with app.app_context():
        begin_write()
        course = db.session.scalars(sa.select(Course)).one()
        activity = factories.activity(course, title="Situation de a")
        db.session.commit()
        wanted = activity.uuid
    answer = tenants["b"].whole_launch(context={"id": "2"}, custom={"spirale_activity": wanted})
    page = tenants["b"].client.get(answer.headers["Location"], follow_redirects=True)
    assert page.status_code == 200
    assert "Situation de a" not in page.text
    with app.app_context():
        assert db.session.scalar(sa.select(sa.func.count(Activity.id))) == 1


def test_columns_and_scores_of_two_tenants_never_cross(app: Flask, tenants: dict[str, Lms]) -> None:
    with app.app_context():
        begin_write()
        expected = set()
        for client in "ab":
            platform = db.session.scalars(sa.select(Platform).where(Platform.client_id == client)).one()
            course = factories.course(platform, context_id="2", lineitems_url=f"{ISSUER}/lineitems")
            teacher = factories.enrolled(course, "Claire", client, Role.TEACHER)
            pupil = factories.enrolled(course, "Adam", client)
            factories.assessment(factories.activity(course, "1A"), "1A", pupil, 3, teacher)
            item = factories.competence("1A")
            db.session.add(LineItem(course_id=course.id, item_id=item.id, url=f"{ISSUER}/lineitems/{client}"))
            queue_scores(db.session, course, [(pupil.id, item.id)], utcnow())
            expected.add((client, client, f"{ISSUER}/lineitems/{client}"))
        db.session.commit()
        found = db.session.execute(
            sa.select(Platform.client_id, Person.family_name, LineItem.url)
            .select_from(ScoreDelivery)
            .join(Course, Course.id == ScoreDelivery.course_id)
            .join(Platform, Platform.id == Course.platform_id)
            .join(Person, Person.id == ScoreDelivery.person_id)
            .join(
                LineItem, sa.and_(LineItem.course_id == Course.id, LineItem.item_id == ScoreDelivery.item_id)
            )
        ).all()
    assert sorted(map(tuple, found)) == sorted(expected)
