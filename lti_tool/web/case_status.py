"""What the CASE interface answers when it cannot give what is asked: `imsx_StatusInfo`, never a page.

Source: 1EdTech CASE 1.1, REST binding. Its texts are for programs and their authors: in English, like the standard.
"""

from __future__ import annotations

from typing import Any

from flask import Response, jsonify, make_response, request

PREFIX = "/ims/case"

BY_STATUS = {
    400: ("invalid_selection_field", "The request cannot be understood."),
    404: ("unknownobject", "Nothing answers at this address."),
    413: ("invalid_selection_field", "The request is too large."),
    429: ("server_busy", "Too many requests: ask again in a minute."),
    500: ("internal_server_error", "Something went wrong here, and is noted."),
}


def is_case() -> bool:
    """Whether the request is for the CASE interface, also for what does not exist there."""
    return f"{request.path}/".startswith(f"{PREFIX}/")


def status_info(status: int, description: str, codes: dict[str, str]) -> Response:
    """The answer; `codes` has the specification's code for each part of the request that is wrong."""
    body: dict[str, Any] = {
        "imsx_codeMajor": "failure",
        "imsx_severity": "error",
        "imsx_description": description,
        "imsx_codeMinor": {
            "imsx_codeMinorField": [
                {"imsx_codeMinorFieldName": name, "imsx_codeMinorFieldValue": code}
                for name, code in codes.items()
            ]
        },
    }
    if not codes:  # the specification has no code for a method it does not know
        body["imsx_codeMajor"] = "unsupported"
        del body["imsx_codeMinor"]
    response = make_response(jsonify(body), status)
    response.headers["Cache-Control"] = "no-store"
    return response


def refused(status: int, reference: str) -> Response:
    """The answer for an error that is not the interface's own: a wrong address or method, a fault of ours."""
    if status == 405:
        response = status_info(405, "This interface is only read: GET, HEAD, OPTIONS.", {})
        response.headers["Allow"] = "GET, HEAD, OPTIONS"
        return response
    code, description = BY_STATUS.get(status, BY_STATUS[400 if status < 500 else 500])
    return status_info(status, f"{description} ({reference})", {"request": code})
