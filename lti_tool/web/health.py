"""Is it alive, is it ready: for whatever watches the server."""

from __future__ import annotations

from flask import Blueprint, Response, jsonify, make_response
from sqlalchemy.exc import SQLAlchemyError

from ..db import require_current_schema
from ..errors import DatabaseOutdated

health = Blueprint("health", __name__, url_prefix="/health")


@health.get("/live")
def live() -> Response:
    """The process answers."""
    return jsonify(status="ok")


@health.get("/ready")
def ready() -> Response:
    """The database answers, at the schema this version needs."""
    try:
        require_current_schema()
    except DatabaseOutdated:
        return make_response(jsonify(status="database outdated"), 503)
    except SQLAlchemyError:
        return make_response(jsonify(status="database unreachable"), 503)
    return jsonify(status="ok")
