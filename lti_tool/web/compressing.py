"""Pages and static files go out compressed, to whoever takes gzip (docs/decisions/0030-compression.md).

Only what a session's address or nobody's secret protects: the door, registration and the administrators' pages, whose
addresses anyone can name, are sent as they are.
"""

from __future__ import annotations

import gzip

from flask import Flask, Response, request

LEVEL = 4
"""A class's table, 200 kB, takes 1.5 ms; level 9 would take ten times that for a tenth less."""
SMALLEST = 1_000
TYPES = {
    "text/html",
    "text/css",
    "text/javascript",
    "application/javascript",
    "application/json",
    "image/svg+xml",
}


def init_compressing(app: Flask) -> None:
    """Compress answers after everything else was done to them: registered first, it runs last."""
    files: dict[str, bytes] = {}

    @app.after_request
    def compress(response: Response) -> Response:
        endpoint = request.endpoint or ""
        if response.status_code != 200 or response.mimetype not in TYPES:
            return response
        if (
            not (endpoint == "static" or endpoint.startswith("pages."))
            or "Content-Encoding" in response.headers
        ):
            return response
        response.vary.add("Accept-Encoding")
        if not request.accept_encodings.quality("gzip"):
            return response
        response.direct_passthrough = False
        whole, tag = response.get_data(), response.get_etag()[0] or ""
        if len(whole) < SMALLEST:
            return response
        kept = endpoint == "static" and bool(tag)
        packed = files.get(tag) if kept else None
        if packed is None:
            packed = gzip.compress(whole, LEVEL, mtime=0)
            if kept:
                files[tag] = packed  # our own files: a dozen, the same until the process ends
        response.set_data(packed)
        response.headers["Content-Encoding"] = "gzip"
        if tag:
            # The same words, other bytes: a weak tag says so, and a browser's next question is answered all the same.
            response.set_etag(tag, weak=True)
        return response
