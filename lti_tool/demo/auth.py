"""OIDC: the authorisation endpoint and the platform's public key.

The checks and their order follow Moodle 4.5's mod/lti/auth.php; ``state`` is required here.
"""

from flask import Blueprint, g, jsonify, request
from flask.typing import ResponseReturnValue

from lti_tool.demo import browser
from lti_tool.demo.launches import spend_launch
from lti_tool.demo.messages import id_token_claims
from lti_tool.demo.platform import the_platform
from lti_tool.demo.tables import FIRST_TOOL, Launch
from lti_tool.demo.tools import Tool, tool_by_client, tool_by_id

auth = Blueprint("auth", __name__)


@auth.get("/lti/jwks")
def jwks() -> ResponseReturnValue:
    """The public key the tool checks id_tokens with."""
    return jsonify(keys=[the_platform().key.public_jwk])


@auth.route("/lti/auth", methods=["GET", "POST"])
def authorise() -> ResponseReturnValue:
    """Answer the tool's authentication request: an id_token, or an error it may hear, by form POST."""
    if browser.needs_repost(request):
        return browser.repost()
    person_id = browser.entered_person_id()
    if person_id is None:
        return browser.invalid_request("Personne n'est entré ici avec ce navigateur.", 403)
    given = browser.single_values(request)
    if given is None:
        return browser.invalid_request("Un paramètre est présent deux fois.")
    tool = _tool(given.get("client_id"))
    g.tool_origin = tool.origin
    if given.get("redirect_uri") not in tool.redirect_urls:
        return browser.invalid_request("redirect_uri n'est pas l'adresse enregistrée, au caractère près.")
    return _answer(given, person_id)


def _tool(client_id: str | None) -> Tool:
    """The tool of a client id; for an unknown one the first, whose redirect URI then hears the refusal."""
    platform = the_platform()
    with platform.database.reading() as session:
        try:
            return tool_by_client(session, platform.settings, client_id)
        except LookupError:
            return tool_by_id(session, platform.settings, FIRST_TOOL)


def _answer(given: dict[str, str], person_id: int) -> ResponseReturnValue:
    """From here the redirect URI is trusted, so errors go to the tool."""
    platform = the_platform()
    hint = given.get("lti_message_hint", "")
    with platform.database.writing() as session:
        launch = spend_launch(session, hint, person_id, platform.now())
        if launch is None:
            return browser.invalid_request("Ce lancement a déjà servi, ou n'est pas le vôtre.")
        tool = tool_by_id(session, platform.settings, launch.tool_id)
        refused = refusal(given, launch, tool)
        if refused is not None:
            return _post_to_tool(given, error=refused[0], error_description=refused[1])
        try:
            claims = id_token_claims(session, platform, tool, launch, given["nonce"])
        except LookupError:
            return browser.invalid_request("L'activité ou l'inscription n'existe plus.")
    return _post_to_tool(given, id_token=platform.key.sign(claims))


def refusal(given: dict[str, str], launch: Launch, tool: Tool) -> tuple[str, str] | None:
    """OAuth's error word and its description, or None when the request is right."""
    missing = [name for name in ("scope", "response_type", "client_id", "login_hint", "nonce", "state")
               if not given.get(name)]  # fmt: skip
    checks = (
        (bool(missing), "invalid_request", f"Missing {', '.join(missing)}"),
        (given.get("scope") != "openid", "invalid_scope", "Scope must be openid"),
        (given.get("response_type") != "id_token", "unsupported_response_type", "Must be id_token"),
        (given.get("client_id") != tool.client_id, "unauthorized_client", "Unknown client_id"),
        (given.get("login_hint") != str(launch.person_id), "access_denied", "Not the logged-in user"),
        ("response_mode" not in given, "invalid_request", "Missing response_mode"),
        (given.get("response_mode") != "form_post", "invalid_request", "Invalid response_mode"),
        (given.get("prompt", "none") != "none", "invalid_request", "Invalid prompt"),
    )
    return next(((error, description) for wrong, error, description in checks if wrong), None)


def _post_to_tool(given: dict[str, str], **fields: str) -> ResponseReturnValue:
    """The form that goes to the redirect URI, with the tool's state."""
    if given.get("state"):
        fields["state"] = given["state"]
    return browser.form_post(given["redirect_uri"], fields.items(), "Continuer")
