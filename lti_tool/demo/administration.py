"""« Outils externes »: the administrator pastes a tool's registration address, then activates the tool."""

import re
from urllib.parse import urlencode, urlsplit

from flask import Blueprint, abort, flash, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from lti_tool.demo.platform import the_platform
from lti_tool.demo.registration import new_permission
from lti_tool.demo.settings import CLIENT_ID
from lti_tool.demo.tables import RegisteredTool
from lti_tool.demo.texts import text
from lti_tool.demo.tools import tools

administration = Blueprint("administration", __name__, url_prefix="/admin/tools")

ADDRESS = re.compile(r"https?://[A-Za-z0-9.-]+(:[0-9]{1,5})?(/[!-~]*)?")


@administration.get("")
def show() -> str:
    """The tools, and the field to paste an address in."""
    with the_platform().database.reading() as db:
        return render_template("demo/tools.html", tools=tools(db, the_platform().settings), given=CLIENT_ID)


@administration.get("/add")
def add() -> ResponseReturnValue:
    """The tool's registration page in a frame; first a choice, when a tool of the same site is known."""
    url, update = _given()
    with the_platform().database.reading() as db:
        known = [tool for tool in tools(db, the_platform().settings) if tool.client_id != CLIENT_ID]
    same = [tool for tool in known if tool.origin == _origin(url)]
    if same and "choice" not in request.args:
        return render_template("demo/tool_choice.html", url=url, same=same)
    g.tool_origin = _origin(url)
    start = url_for("administration.start", url=url, update=update)
    return render_template("demo/tool_frame.html", source=start)


@administration.get("/start")
def start() -> ResponseReturnValue:
    """On to the tool, with where we describe ourselves and a permission; its own query is kept."""
    url, update = _given()
    asked = {
        "openid_configuration": f"{the_platform().settings.base_url}/openid-configuration",
        "registration_token": new_permission(update),
    }
    return redirect(f"{url}{'&' if urlsplit(url).query else '?'}{urlencode(asked)}")


@administration.post("/<int:tool_id>/activate")
def activate(tool_id: int) -> ResponseReturnValue:
    """Let teachers add the tool, or no longer."""
    with the_platform().database.writing() as db:
        tool = db.get(RegisteredTool, tool_id)
        if tool is None:
            abort(404)
        tool.active = not tool.active
        sentence = "« {} » est activé." if tool.active else "« {} » est en attente."
        flash(text(sentence).format(tool.name), "success")
    return redirect(url_for("administration.show"), 303)


def _given() -> tuple[str, int | None]:
    """The address pasted, and the tool it is to update, if any; 400 for what is none."""
    url = request.args.get("url", "").strip()
    if not ADDRESS.fullmatch(url):
        abort(400)
    return url, request.args.get("update", type=int)


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"
