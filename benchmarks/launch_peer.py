"""The peer of `launch.py`: pylti1p3's own Flask example, with the rows that Spirale writes and no check of ours.

As in the library's example a `ToolConfJsonFile` is made for each request, and the platform's keys are fetched at each
launch: its default (`PEER_KEEPS_KEYS=1` puts them in the cache it offers). Two things are kinder than the example:
state, nonce and launch live in Flask's session, which two workers share, where the example has a cache of one process;
and its page that tries the cookie by a script, a second request at each login, is left out. The rows are written with
the ORM the way most Flask applications write them, through the same engine as Spirale's.
"""

from __future__ import annotations

import json
import os
from datetime import timedelta
from pathlib import Path
from typing import Any, TypeVar

import sqlalchemy as sa
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from flask import Flask, redirect
from pylti1p3.contrib.flask import FlaskMessageLaunch, FlaskOIDCLogin, FlaskRequest
from pylti1p3.launch_data_storage.base import LaunchDataStorage
from pylti1p3.tool_config import ToolConfJsonFile
from werkzeug.wrappers import Response

from lti_tool.config import load_config
from lti_tool.courses.models import Course, Enrolment, LaunchSession, Person, ResourceLink, Role
from lti_tool.db import Base, begin_write, db, init_db, utcnow
from lti_tool.lti.launch import digest, new_secret
from lti_tool.lti.models import Deployment, Login, Platform

LTI = "https://purl.imsglobal.org/spec/lti/claim/"
AGS = "https://purl.imsglobal.org/spec/lti-ags/claim/endpoint"

Row = TypeVar("Row", bound=Base)


class StatedLogin(FlaskOIDCLogin):
    """The library's login, which tells its state, so that its row can be written."""

    state = nonce = ""

    def _get_uuid(self) -> str:
        self.state = super()._get_uuid()
        return self.state

    def _generate_nonce(self) -> str:
        self.nonce = super()._generate_nonce()
        return self.nonce


class KeptKeys(LaunchDataStorage[Any]):
    """The library's place for a platform's keys: a dictionary of this process."""

    kept: dict[str, Any] = {}  # noqa: RUF012 - shared on purpose

    def get_value(self, key: str) -> Any:
        return self.kept.get(key)

    def set_value(self, key: str, value: Any, exp: int | None = None) -> None:
        self.kept[key] = value


def create_app() -> Flask:
    """The example, on the database of the environment."""
    config = load_config()
    app = Flask(__name__)
    app.secret_key = config.secret_key
    init_db(app, config)
    with app.app_context():
        tools = tool_configuration(config.data_dir)
        db.session.close()
        db.engine.dispose()

    @app.route("/lti/login", methods=["GET", "POST"])
    def login() -> Response:
        request = FlaskRequest()
        begun = StatedLogin(request, ToolConfJsonFile(tools))
        answer: Response = begun.redirect(f"{config.base_url}/lti/launch")
        write_login(request, begun)
        return answer

    @app.post("/lti/launch")
    def launch() -> Response:
        request = FlaskRequest()
        message = FlaskMessageLaunch(request, ToolConfJsonFile(tools))
        if os.environ.get("PEER_KEEPS_KEYS"):
            message.set_public_key_caching(KeptKeys())
        sid = write_launch(request.get_param("state"), message.get_launch_data())
        return redirect(f"/s/{sid}", 303)

    return app


def tool_configuration(folder: Path) -> str:
    """The path of the library's settings, with every platform of the database and a key; this process's own."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    private, public = folder / f"private-{os.getpid()}.pem", folder / f"public-{os.getpid()}.pem"
    private.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    public.write_bytes(key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
    settings: dict[str, Any] = {}
    for platform in db.session.scalars(sa.select(Platform)):
        one = {
            "default": False,
            "client_id": platform.client_id,
            "auth_login_url": platform.auth_login_url,
            "auth_token_url": platform.auth_token_url,
            "key_set_url": platform.jwks_url,
            "key_set": None,
            "private_key_file": private.name,
            "public_key_file": public.name,
            "deployment_ids": [d.deployment_id for d in platform.deployments],
        }
        settings.setdefault(platform.issuer, []).append(one)
    path = folder / f"tools-{os.getpid()}.json"
    path.write_text(json.dumps(settings))
    return str(path)


def write_login(request: FlaskRequest, begun: StatedLogin) -> None:
    """The row of a login."""
    begin_write()
    platform = db.session.scalars(
        sa.select(Platform).filter_by(
            issuer=request.get_param("iss"), client_id=request.get_param("client_id")
        )
    ).one()
    db.session.add(
        Login(
            state_hash=digest(f"state-{begun.state}"),
            nonce_hash=digest(begun.nonce),
            browser_hash="",
            platform_id=platform.id,
            target_link_uri=request.get_param("target_link_uri"),
            expires_at=utcnow() + timedelta(minutes=10),
        )
    )
    db.session.commit()


def write_launch(state: str, claims: dict[str, Any]) -> str:
    """The rows of a launch, in one transaction: found or made, brought up to date; the session's secret."""
    begin_write()
    db.session.delete(db.session.scalars(sa.select(Login).filter_by(state_hash=digest(state))).one())
    platform = db.session.scalars(
        sa.select(Platform).filter_by(issuer=claims["iss"], client_id=claims["aud"])
    ).one()
    deployment = db.session.scalars(
        sa.select(Deployment).filter_by(platform_id=platform.id, deployment_id=claims[LTI + "deployment_id"])
    ).one()
    context, link = claims[LTI + "context"], claims[LTI + "resource_link"]
    course = found_or_made(
        Course, platform_id=platform.id, deployment_id=deployment.id, context_id=context["id"]
    )
    course.title, course.label = context["title"], context["label"]
    course.lineitems_url, course.ags_scopes = claims[AGS]["lineitems"], claims[AGS]["scope"]
    person = found_or_made(Person, platform_id=platform.id, sub=claims["sub"])
    person.given_name, person.family_name, person.name = (
        claims["given_name"],
        claims["family_name"],
        claims["name"],
    )
    enrol(course, person, claims)
    resource_link = found_or_made(ResourceLink, course_id=course.id, link_id=link["id"])
    resource_link.title, resource_link.lineitem_url = link["title"], ""
    sid, now = new_secret(), utcnow()
    db.session.add(
        LaunchSession(
            sid_hash=digest(sid),
            browser_hash="",
            deployment_id=deployment.id,
            course_id=course.id,
            person_id=person.id,
            resource_link_id=resource_link.id,
            role=role_of(claims),
            locale="fr",
            return_url=claims[LTI + "launch_presentation"]["return_url"],
            custom={},
            created_at=now,
            used_at=now,
            expires_at=now + timedelta(hours=8),
        )
    )
    db.session.commit()
    return sid


def enrol(course: Course, person: Person, claims: dict[str, Any]) -> None:
    """The row of a person in a course, with the next number when it is new."""
    enrolment = db.session.scalars(
        sa.select(Enrolment).filter_by(course_id=course.id, person_id=person.id)
    ).one_or_none()
    if enrolment is None:
        last = db.session.scalar(sa.select(sa.func.max(Enrolment.number)).filter_by(course_id=course.id))
        enrolment = Enrolment(
            course_id=course.id, person_id=person.id, role=Role.OBSERVER, number=(last or 0) + 1
        )
        db.session.add(enrolment)
    enrolment.role = role_of(claims)
    enrolment.launched_as, enrolment.launched_at, enrolment.active = enrolment.role, utcnow(), True


def role_of(claims: dict[str, Any]) -> Role:
    """A teacher or a pupil, from the first role."""
    return Role.TEACHER if claims[LTI + "roles"][0].endswith("#Instructor") else Role.LEARNER


def found_or_made(model: type[Row], **key: Any) -> Row:
    """The row of that key; a new one when there is none."""
    row = db.session.scalars(sa.select(model).filter_by(**key)).one_or_none()
    if row is None:
        row = model(**key)
        db.session.add(row)
        db.session.flush()
    return row
