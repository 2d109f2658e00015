"""The person behind this browser: the demo's own first-party cookie, the language, refused requests."""

from collections.abc import Iterable

from flask import Request, Response, make_response, render_template, request, session
from flask.typing import ResponseReturnValue

LANGUAGES = ("fr", "en")


def entered_person_id() -> int | None:
    """The person chosen on the home page in this browser."""
    person_id = session.get("person_id")
    return person_id if isinstance(person_id, int) else None


def language() -> str:
    """The language of the pages and of the launches' locale."""
    chosen = session.get("language", "fr")
    return chosen if chosen in LANGUAGES else "fr"


def form_post(action: str, fields: Iterable[tuple[str, str]], button: str) -> Response:
    """A page that posts ``fields`` to ``action`` by itself; its button serves browsers without scripts."""
    page = render_template("demo/form_post.html", action=action, fields=fields, button=button)
    return make_response(page)


def invalid_request(reason: str, status: int = 404) -> ResponseReturnValue:
    """The LMS's own page "Invalid request"; the tool hears nothing (Moodle answers 404)."""
    return render_template("demo/invalid_request.html", reason=reason), status


def needs_repost(given: Request) -> bool:
    """Whether the browser may have kept our SameSite=Lax cookie back because another site sent it here."""
    return entered_person_id() is None and "repost" not in given.values


def repost() -> Response:
    """Send the same request again from a page of ours, so that the cookie comes with it (as Moodle does).

    A GET becomes a POST of its parameters; a POST keeps its query. What came twice goes twice.
    """
    posted = request.method == "POST"
    given = request.form if posted else request.args
    action = request.full_path.rstrip("?") if posted else request.path
    return form_post(action, [*given.items(multi=True), ("repost", "1")], "Continuer")


def single_values(given: Request) -> dict[str, str] | None:
    """The parameters of the query (GET) or of the form (POST); None when one comes twice."""
    source = given.form if given.method == "POST" else given.args
    if any(len(values) > 1 for _, values in source.lists()):
        return None
    return source.to_dict()
