"""Platforms' public keys: fetched rarely, checked before they are stored, the last good set kept."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from jwt.algorithms import RSAAlgorithm
from jwt.exceptions import InvalidKeyError

from ..errors import LaunchRefused, PlatformError, Refusal
from .http import ask

SMALLEST_KEY_BITS = 2048
MOST_KEYS = 50
MOST_SETS = 500
"""Addresses whose keys are kept; with one more, the one that came first is given up."""
FAILURE_COOLDOWN_S = 2.0


@dataclass
class _KeySet:
    """The keys of one address; `lock` makes one fetch serve all who wait for it."""

    keys: dict[str, RSAPublicKey] = field(default_factory=dict)
    fetched_at: float = 0.0
    not_before: float = 0.0
    lock: threading.Lock = field(default_factory=threading.Lock)


class KeySets:
    """The key sets this process knows, by address."""

    def __init__(self, *, timeout_s: float, lifetime_s: float, cooldown_s: float) -> None:
        self._timeout_s, self._lifetime_s, self._cooldown_s = timeout_s, lifetime_s, cooldown_s
        self._sets: dict[str, _KeySet] = {}
        self._lock = threading.Lock()

    def find(self, url: str, kid: str, before_asking: Callable[[], None] = lambda: None) -> RSAPublicKey:
        """The platform's key of that id. `before_asking` is called when the platform may have to be asked for it.

        Raises `LaunchRefused`: `BAD_SIGNATURE` when the platform has no such key, `KEYS_UNREACHABLE` when it
        could not be asked.
        """
        with self._lock:
            if url not in self._sets and len(self._sets) >= MOST_SETS:
                del self._sets[next(iter(self._sets))]
            keyset = self._sets.setdefault(url, _KeySet())
        if self._is_fresh(keyset, kid):
            return keyset.keys[kid]
        before_asking()
        # A key that is known, if old, makes nobody wait while another launch asks the platform again.
        if keyset.lock.acquire(timeout=0 if kid in keyset.keys else self._timeout_s + 1):
            try:
                self._refresh(keyset, url, kid)
            finally:
                keyset.lock.release()
        if kid in keyset.keys:
            return keyset.keys[kid]
        if not keyset.fetched_at:
            raise LaunchRefused(Refusal.KEYS_UNREACHABLE, "jwks")
        raise LaunchRefused(Refusal.BAD_SIGNATURE, "kid unknown")

    def _refresh(self, keyset: _KeySet, url: str, kid: str) -> None:
        if self._is_fresh(keyset, kid) or time.monotonic() < keyset.not_before:
            return
        try:
            keys = _usable(ask("GET", url, timeout_s=self._timeout_s, again=False).json())
        except (PlatformError, ValueError):
            # Counted from now, when the platform has had its time: those who waited are not made to wait in turn.
            keyset.not_before = time.monotonic() + FAILURE_COOLDOWN_S
            return
        keyset.keys, keyset.fetched_at = keys, time.monotonic()
        keyset.not_before = keyset.fetched_at + self._cooldown_s

    def _is_fresh(self, keyset: _KeySet, kid: str) -> bool:
        return kid in keyset.keys and time.monotonic() - keyset.fetched_at < self._lifetime_s


def _usable(document: Any) -> dict[str, RSAPublicKey]:
    """The RSA signature keys of a JWKS. Raises ValueError when it is not one, or holds none."""
    listed = document.get("keys") if isinstance(document, dict) else None
    if not isinstance(listed, list) or len(listed) > MOST_KEYS:
        raise ValueError("not a key set")
    keys = {}
    for jwk in listed:
        if isinstance(jwk, dict) and jwk.get("kty") == "RSA" and jwk.get("use", "sig") == "sig":
            key = _public_key(jwk)
            if key is not None and isinstance(jwk.get("kid"), str):
                keys[jwk["kid"]] = key
    if not keys:
        raise ValueError("no usable key")
    return keys


def _public_key(jwk: dict[str, Any]) -> RSAPublicKey | None:
    try:
        key = RSAAlgorithm.from_jwk({"kty": "RSA", "n": jwk.get("n"), "e": jwk.get("e")})
    except (InvalidKeyError, ValueError, TypeError, AttributeError):
        return None
    return key if isinstance(key, RSAPublicKey) and key.key_size >= SMALLEST_KEY_BITS else None
