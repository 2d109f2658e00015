"""A tiny tool for real browsers: it logs in, shows what it received, and chooses two contents."""

import json
import uuid
from typing import Any

import jwt
from flask import Flask, redirect, request
from markupsafe import escape

from lti_tool.demo.settings import CLIENT_ID

from .played_tool import LTI, LTI_DL, public_jwk, rsa_key


def browser_tool(platform: dict[str, str]) -> Flask:
    """``platform["url"]`` is read at each request: the LMS starts after the tool."""
    app = Flask(__name__)

    @app.post("/lti/login")
    def login() -> Any:
        fields = {
            "scope": "openid",
            "response_type": "id_token",
            "response_mode": "form_post",
            "client_id": CLIENT_ID,
            "redirect_uri": f"http://{request.host}/lti/launch",
            "login_hint": request.form["login_hint"],
            "lti_message_hint": request.form["lti_message_hint"],
            "state": "s",
            "nonce": "n",
        }
        auth = f"{platform['url']}/lti/auth"
        if platform.get("answer") == "page":  # a form of the tool: the LMS's Lax cookie stays behind
            return _page(_form(auth, fields))
        return redirect(requests_url(auth, fields))

    @app.post("/lti/launch")
    def launch() -> str:
        if "error" in request.form:
            return _page(f"<h1>{escape(request.form['error'])}</h1>")
        claims = jwt.decode(request.form["id_token"], options={"verify_signature": False})
        if claims[LTI + "message_type"] == "LtiDeepLinkingRequest":
            settings = claims[LTI_DL + "deep_linking_settings"]
            form = _form(settings["deep_link_return_url"], {"JWT": _response(platform["url"], claims)})
            return _page(f"<h1>Choisir</h1>{form}")
        return _page(f"<h1>Bonjour {escape(claims['name'])}</h1>")

    @app.get("/lti/jwks")
    def jwks() -> dict[str, Any]:
        return {"keys": [public_jwk("tool-1")]}

    return app


def requests_url(url: str, query: dict[str, str]) -> str:
    from urllib.parse import urlencode

    return f"{url}?{urlencode(query)}"


def _form(action: str, fields: dict[str, str]) -> str:
    inputs = "".join(f'<input type="hidden" name="{n}" value="{escape(v)}">' for n, v in fields.items())
    return f'<form method="post" action="{escape(action)}">{inputs}<button>Envoyer</button></form>'


def _page(body: str) -> str:
    return f'<!doctype html><html lang="fr"><title>Outil</title><main>{body}</main></html>'


def _response(issuer: str, claims: dict[str, Any]) -> str:
    items = [
        {"type": "ltiResourceLink", "title": title, "lineItem": {"scoreMaximum": 4, "tag": title}}
        for title in ("Écouter", "Conseiller")
    ]
    response = {
        "iss": CLIENT_ID,
        "aud": issuer,
        "iat": claims["iat"],
        "exp": claims["iat"] + 60,
        "nonce": uuid.uuid4().hex,
        LTI + "deployment_id": "1",
        LTI + "message_type": "LtiDeepLinkingResponse",
        LTI + "version": "1.3.0",
        LTI_DL + "content_items": json.loads(json.dumps(items)),
    }
    return jwt.encode(response, rsa_key("tool-1"), "RS256", headers={"kid": "tool-1"})
