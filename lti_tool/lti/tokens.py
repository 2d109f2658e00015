"""Access tokens: one per platform and set of scopes, fetched once for all who wait, dropped when refused."""

from __future__ import annotations

import threading
import time
import uuid
from dataclasses import dataclass, field

import jwt
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

from ..errors import PlatformDelayed, PlatformError, PlatformRefused
from .http import ask

TOKEN_REFUSED = "token refused"  # noqa: S105 - a reason, not a secret
EARLY_S = 60
"""A token is not used in its last minute, nor, where it lives for less than two, in the second half of its life."""
UNSAID_LIFETIME_S = 600
"""Where the platform does not say how long a token lives; one that is refused is replaced anyhow."""
BACKDATED_S = 5
"""Moodle refuses an `iat` in its future, without leeway (docs/platforms.md)."""
ASSERTION_LIFETIME_S = 60
MOST_SLOTS = 500
"""Platforms and scopes whose tokens are kept; with one more, the one that came first is given up."""


@dataclass(frozen=True)
class Caller:
    """Who asks a platform: plain values, so that no database is open while it answers."""

    platform_id: int
    client_id: str
    token_url: str
    audience: str
    kid: str
    key: RSAPrivateKey = field(repr=False)
    timeout_s: float = 10.0
    family: str = ""


@dataclass
class _Slot:
    token: str = ""
    expires: float = 0.0
    fetches: int = 0
    error: PlatformError | None = None
    """Why the last fetch failed."""
    lock: threading.Lock = field(default_factory=threading.Lock)


class Tokens:
    """The tokens of this process."""

    def __init__(self) -> None:
        self._slots: dict[tuple[object, ...], _Slot] = {}
        self._lock = threading.Lock()

    def get(self, caller: Caller, scopes: tuple[str, ...]) -> str:
        """A token for these scopes.

        Raises `PlatformDelayed` (also when the platform refuses: the whole platform waits, no score is lost), or
        `PlatformRefused` when it grants less than was asked.
        """
        slot = self._slot(caller, scopes)
        before = slot.fetches
        with slot.lock:
            if time.monotonic() < slot.expires:
                return slot.token
            if slot.fetches != before and slot.error is not None:
                raise slot.error  # those who waited for this fetch share its failure
            try:
                slot.token, lifetime_s = _fetch(caller, scopes)
            except PlatformError as error:
                slot.error = error
                raise
            finally:
                slot.fetches += 1
            slot.error = None
            slot.expires = time.monotonic() + max(lifetime_s - EARLY_S, lifetime_s / 2)
            return slot.token

    def drop(self, caller: Caller, scopes: tuple[str, ...], token: str) -> None:
        """Forget a token the platform no longer takes."""
        slot = self._slot(caller, scopes)
        with slot.lock:
            if slot.token == token:
                slot.expires = 0.0

    def _slot(self, caller: Caller, scopes: tuple[str, ...]) -> _Slot:
        # The address too: a number may be another platform's by now, and an administrator may change an address.
        key = (caller.platform_id, caller.client_id, caller.token_url, caller.audience, *sorted(scopes))
        with self._lock:
            if key not in self._slots and len(self._slots) >= MOST_SLOTS:
                del self._slots[next(iter(self._slots))]
            return self._slots.setdefault(key, _Slot())


def _fetch(caller: Caller, scopes: tuple[str, ...]) -> tuple[str, float]:
    form = {
        "grant_type": "client_credentials",
        "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
        "client_assertion": _assertion(caller),
        "scope": " ".join(sorted(scopes)),
    }
    try:
        # Moodle answers with Content-Type text/html: the body is what counts.
        answer = ask("POST", caller.token_url, data=form, timeout_s=caller.timeout_s).json()
        token, lifetime_s = answer["access_token"], float(answer.get("expires_in") or UNSAID_LIFETIME_S)
        granted = set(str(answer.get("scope") or " ".join(scopes)).split())
    except (PlatformRefused, PlatformDelayed) as error:
        if not error.status:
            raise  # silence is the same whatever was asked
        retry_at = error.retry_at if isinstance(error, PlatformDelayed) else None
        raise PlatformDelayed(TOKEN_REFUSED, error.status, retry_at=retry_at, whole_platform=True) from error
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise PlatformDelayed(TOKEN_REFUSED, 200, whole_platform=True) from error
    if not isinstance(token, str) or not token:
        raise PlatformDelayed(TOKEN_REFUSED, 200, whole_platform=True)
    if not granted.issuperset(scopes):
        raise PlatformRefused("scope not granted", 403)
    return token, lifetime_s


def _assertion(caller: Caller) -> str:
    """RFC 7523 client assertion, as 1EdTech Security Framework §4.1.1 wants it."""
    now = int(time.time())
    claims = {
        "iss": caller.client_id,
        "sub": caller.client_id,
        "aud": caller.audience or caller.token_url,
        "iat": now - BACKDATED_S,
        "exp": now + ASSERTION_LIFETIME_S,
        "jti": str(uuid.uuid4()),
    }
    return jwt.encode(claims, caller.key, algorithm="RS256", headers={"kid": caller.kid})
