"""An administrator's browser, for tests of the administrator's pages."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.security import generate_password_hash
from werkzeug.test import TestResponse

from lti_tool.administration.models import AdminEvent, Administrator
from lti_tool.administration.signing_in import open_admin_session
from lti_tool.db import begin_write, db, utcnow

COOKIE = "spirale-admin"
PASSWORD = "a long enough one"  # noqa: S105 - of a test
QUICK_HASH = generate_password_hash(PASSWORD, method="scrypt:1024:8:1")


@dataclass
class AdminBrowser:
    """Somebody signed in: forms are sent with their token."""

    client: FlaskClient
    csrf: str

    def get(self, path: str = "/") -> TestResponse:
        return self.client.get(f"/admin{path}")

    def post(self, path: str, **fields: Any) -> TestResponse:
        return self.client.post(f"/admin{path}", data={"csrf": self.csrf, **fields})


def add_account(app: Flask, login: str = "marie") -> int:
    """An account whose password is `PASSWORD`: its number."""
    with app.app_context():
        begin_write()
        made = Administrator(login=login, password_hash=QUICK_HASH)
        db.session.add(made)
        db.session.commit()
        number = made.id
        db.session.close()
    return number


def signed_in(app: Flask) -> AdminBrowser:
    """The browser of a new administrator, marie."""
    number = add_account(app)
    with app.app_context():
        begin_write()
        made = db.session.get_one(Administrator, number)
        secret = open_admin_session(db.session, made, "127.0.0.1", utcnow(), app.extensions["spirale_config"])
        db.session.commit()
        db.session.close()
    client = app.test_client()
    client.set_cookie(COOKIE, secret, domain="localhost", secure=False)
    return AdminBrowser(client, token_in(client.get("/admin/keys").text))


def token_in(page: str) -> str:
    """The token of a page's forms."""
    found = re.search(r'name="csrf" value="([0-9a-f]{64})"', page)
    assert found is not None
    return found[1]


def events(app: Flask) -> list[tuple[str, str]]:
    """The log: what was done and the rows it was about, oldest first."""
    with app.app_context():
        rows = db.session.execute(sa.select(AdminEvent.what, AdminEvent.about).order_by(AdminEvent.id)).all()
        db.session.close()
    return [(row.what, row.about) for row in rows]
