"""A platform played by the tests: it signs whatever a test asks for, right or wrong, and serves its keys over HTTP."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlsplit

import jwt
import sqlalchemy as sa
from cryptography.hazmat.primitives.asymmetric import rsa
from flask import Flask
from flask.testing import FlaskClient
from jwt.algorithms import RSAAlgorithm
from werkzeug.serving import make_server
from werkzeug.test import TestResponse
from werkzeug.wrappers import Request, Response

from lti_tool.courses.models import LaunchSession
from lti_tool.db import db
from lti_tool.lti.models import Platform
from tests import factories

LTI = "https://purl.imsglobal.org/spec/lti/claim/"
MEMBERSHIP = "http://purl.imsglobal.org/vocab/lis/v2/membership#"
BASE = "http://localhost:8000"
GONE = object()
"""A claim to leave out."""


def new_key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


@dataclass
class KeyServer:
    """Serves a key set, and counts how often it is asked. `answer` may be replaced by a test."""

    keys: dict[str, rsa.RSAPrivateKey]
    asked: int = 0
    answer: Callable[[], Response] | None = None
    port: int = 0
    _server: Any = field(default=None, repr=False)

    def start(self) -> None:
        self._server = make_server("127.0.0.1", 0, self._serve, threaded=True)
        self.port = self._server.server_port
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/jwks"

    def _serve(self, environ: Any, start_response: Any) -> Any:
        Request(environ).get_data()
        self.asked += 1
        response = self.answer() if self.answer else Response(json.dumps(self.document()))
        return response(environ, start_response)

    def document(self) -> dict[str, Any]:
        return {
            "keys": [
                {
                    **RSAAlgorithm.to_jwk(key.public_key(), as_dict=True),
                    "kid": kid,
                    "alg": "RS256",
                    "use": "sig",
                }
                for kid, key in self.keys.items()
            ]
        }


@dataclass
class Lms:
    """The platform, and a browser that goes through its launches."""

    app: Flask
    server: KeyServer
    client: FlaskClient
    issuer: str
    client_id: str
    login: dict[str, str] = field(default_factory=dict)

    def parameters(self, **changed: Any) -> dict[str, str]:
        asked = {
            "iss": self.issuer,
            "client_id": self.client_id,
            "lti_deployment_id": "1",
            "login_hint": "5",
            "lti_message_hint": '{"cmid":5}',
            "target_link_uri": f"{BASE}/lti/launch",
            **changed,
        }
        return {name: value for name, value in asked.items() if value is not GONE}

    def begin(self, method: str = "post", **changed: Any) -> TestResponse:
        """Go to the login, through the cookie's probe, to the platform's authorisation address."""
        send = self.client.post if method == "post" else self.client.get
        key = "data" if method == "post" else "query_string"
        answer = send("/lti/login", **{key: self.parameters(**changed)})
        if answer.status_code == 303 and answer.headers["Location"].startswith("/lti/login"):
            answer = self.client.get(answer.headers["Location"])
        if answer.status_code == 303:
            self.login = {k: v[0] for k, v in parse_qs(urlsplit(answer.headers["Location"]).query).items()}
        return answer

    def claims(self, **changed: Any) -> dict[str, Any]:
        """The claims of a teacher's launch; `changed` by claim name, short for LTI's own."""
        now = int(time.time())
        made: dict[str, Any] = {
            "iss": self.issuer,
            "aud": self.client_id,
            "sub": "5",
            "iat": now,
            "exp": now + 60,
            "nonce": self.login.get("nonce", ""),
            "given_name": "Claire",
            "family_name": "Morel",
            "name": "Claire Morel",
            LTI + "message_type": "LtiResourceLinkRequest",
            LTI + "version": "1.3.0",
            LTI + "deployment_id": "1",
            LTI + "target_link_uri": f"{BASE}/lti/launch",
            LTI + "roles": [MEMBERSHIP + "Instructor"],
            LTI + "context": {
                "id": "2",
                "label": "2MRC1",
                "title": "Seconde MRC 1",
                "type": ["CourseSection"],
            },
            LTI + "resource_link": {"id": "7", "title": "Spirale"},
            LTI + "launch_presentation": {"locale": "fr", "document_target": "iframe"},
        }
        for name, value in changed.items():
            full = name if name in made or name in ("azp", "email") or name.startswith("http") else LTI + name
            made[full] = value
        return {name: value for name, value in made.items() if value is not GONE}

    def sign(
        self, claims: dict[str, Any], *, kid: str | None = "one", alg: str = "RS256", key: Any = None
    ) -> str:
        headers = {"kid": kid} if kid else {}
        return jwt.encode(claims, key or self.server.keys["one"], algorithm=alg, headers=headers)

    def launch(self, token: str | None = None, *, state: str | None = None, **changed: Any) -> TestResponse:
        """Post the answer of the platform to the launch address."""
        form = {"state": self.login.get("state", "") if state is None else state}
        form["id_token"] = self.sign(self.claims(**changed)) if token is None else token
        return self.client.post("/lti/launch", data=form)

    def whole_launch(self, **changed: Any) -> TestResponse:
        self.begin()
        return self.launch(**changed)


def make_lms(app: Flask, server: KeyServer, **values: Any) -> Lms:
    """Register a platform of tests in the tool, with a browser of its own."""
    with app.app_context():
        platform: Platform = factories.platform(jwks_url=server.url, **values)
        db.session.commit()
        found = Lms(app, server, browser(app), platform.issuer, platform.client_id)
        db.session.close()
    return found


def browser(app: Flask) -> FlaskClient:
    """A client that keeps cookies as a browser does over http://localhost, which counts as secure."""
    client = app.test_client()
    client.environ_base["wsgi.url_scheme"] = "http"
    return client


def opened(app: Flask) -> list[LaunchSession]:
    with app.app_context():
        return list(db.session.scalars(sa.select(LaunchSession)))


def assert_refused(answer: Any, sentence: str, app: Flask) -> None:
    """A page that says why, with what to do and a reference; and nothing was opened."""
    assert 400 <= answer.status_code < 600, answer.status_code
    assert sentence in answer.text
    assert "Que faire" in answer.text
    assert "S-" in answer.text
    assert "Traceback" not in answer.text
    assert opened(app) == []
