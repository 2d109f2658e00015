"""Behind a reverse proxy: whose word is taken for the visitor's address and for https, and what is wrong with it.

A proxy that is not declared makes all visitors share its address, hence one limit of launches; one that is declared
and does not exist lets anybody choose their address. Neither shows on a page, so the log says it, once.
"""

from __future__ import annotations

import structlog
from flask import Flask, request
from werkzeug.middleware.proxy_fix import ProxyFix

from ..config import Config

log = structlog.get_logger()

FORWARDED = ("X-Forwarded-For", "X-Forwarded-Proto", "Forwarded")


def init_proxies(app: Flask, config: Config) -> None:
    """Believe as many proxies as `SPIRALE_TRUSTED_PROXIES` says, and look whether that fits what arrives."""
    if config.trusted_proxies:
        app.wsgi_app = ProxyFix(  # type: ignore[method-assign]
            app.wsgi_app, x_for=config.trusted_proxies, x_proto=config.trusted_proxies, x_host=0
        )
    if config.production and not config.trusted_proxies:
        log.warning("proxies", problem="none trusted", todo=ADVICE["none trusted"])
    told: set[str] = set()

    @app.before_request
    def look() -> None:
        problem = _problem(config)
        if problem and problem not in told:
            told.add(problem)
            log.warning("proxies", problem=problem, todo=ADVICE[problem])


ADVICE = {
    "none trusted": "behind a proxy set SPIRALE_TRUSTED_PROXIES=1; without one, gunicorn itself must speak https",
    "not declared": "a proxy sets X-Forwarded-For: set SPIRALE_TRUSTED_PROXIES to how many there are",
    "missing": "SPIRALE_TRUSTED_PROXIES declares a proxy and X-Forwarded-For does not come: have it set, or declare 0",
    "not https": "SPIRALE_BASE_URL is https and requests arrive as http: have the proxy set X-Forwarded-Proto",
}


def _problem(config: Config) -> str:
    """What is wrong with the proxies of this request; empty when nothing is. Probes of health come from beside."""
    if (request.endpoint or "").startswith("health."):
        return ""
    if not config.trusted_proxies and any(name in request.headers for name in FORWARDED):
        return "not declared"
    if config.trusted_proxies and "X-Forwarded-For" not in request.headers:
        return "missing"
    return "not https" if config.https and not request.is_secure else ""
