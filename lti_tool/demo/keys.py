"""Keys: the platform signs with its own, and reads the tool's over HTTP."""

import base64
import hashlib
import json
import threading
from datetime import UTC, datetime
from functools import cached_property
from typing import Any

import jwt
import requests
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from jwt.types import Options

ALGORITHM = "RS256"


class ToolTokenRefused(Exception):
    """A JWT of the tool is not acceptable. ``error`` is the word given to the tool, ``reason`` says why."""

    def __init__(self, error: str, reason: str) -> None:
        super().__init__(reason)
        self.error = error
        self.reason = reason


def issuer_of(token: str) -> object:
    """The ``iss`` of a JWT, nothing of it checked. Raises ToolTokenRefused when it is no JWT."""
    try:
        return jwt.decode(token, options={"verify_signature": False}).get("iss")
    except jwt.PyJWTError as error:
        raise ToolTokenRefused("invalid_client", "Not a JWT") from error


class PlatformKey:
    """The platform's RSA key, parsed once (41 ms each time otherwise)."""

    def __init__(self, pem: str) -> None:
        key = serialization.load_pem_private_key(pem.encode(), None)
        if not isinstance(key, rsa.RSAPrivateKey):
            raise TypeError("The platform's key must be RSA")
        self._key = key

    @cached_property
    def public_jwk(self) -> dict[str, Any]:
        """The public half as a JWK; ``kid`` is a hash of it."""
        jwk = json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(self._key.public_key()))
        digest = hashlib.sha256(jwk["n"].encode()).digest()[:12]
        kid = base64.urlsafe_b64encode(digest).decode()
        return {"kty": "RSA", "alg": ALGORITHM, "use": "sig", "kid": kid, "n": jwk["n"], "e": jwk["e"]}

    def own_claims(self, token: str) -> dict[str, Any]:
        """The claims of a JWT that this platform signed; dates are the caller's. Raises ToolTokenRefused."""
        return _payload(token, jwt.PyJWK(self.public_jwk))

    def sign(self, claims: dict[str, Any]) -> str:
        """A compact JWT, RS256, with its ``kid``."""
        return jwt.encode(claims, self._key, ALGORITHM, headers={"kid": self.public_jwk["kid"]})


class ToolKeys:
    """The tool's key set, fetched from its JWKS address and kept; asked again once for an unknown kid."""

    def __init__(self, url: str, timeout_s: float) -> None:
        self._url = url
        self._timeout_s = timeout_s
        self._keys: dict[str, jwt.PyJWK] = {}
        self._lock = threading.Lock()

    def claims(self, token: str) -> dict[str, Any]:
        """The payload of a JWT really signed by the tool; its claims are still to be checked.

        Raises ToolTokenRefused.
        """
        try:
            header = jwt.get_unverified_header(token)
        except jwt.PyJWTError as error:
            raise ToolTokenRefused("invalid_client", "Not a JWT") from error
        if header.get("alg") != ALGORITHM:
            raise ToolTokenRefused("invalid_client", f"Algorithm {header.get('alg')}: only RS256 is accepted")
        if not isinstance(header.get("kid"), str) or not header["kid"]:
            raise ToolTokenRefused("error/Error: kid must be provided in JWT header.", "No kid in the header")
        return _payload(token, self._key(header["kid"]))

    def demand_a_key(self) -> None:
        """Raises ToolTokenRefused unless the address serves at least one usable key."""
        with self._lock:
            self._keys = self._fetch()
            if not self._keys:
                raise ToolTokenRefused("invalid_client", "The tool's key set holds no usable key")

    def _key(self, kid: str) -> jwt.PyJWK:
        with self._lock:
            if kid not in self._keys:
                self._keys = self._fetch()
            if kid not in self._keys:
                raise ToolTokenRefused("invalid_client", f"The tool's key set has no key {kid!r}")
            return self._keys[kid]

    def _fetch(self) -> dict[str, jwt.PyJWK]:
        """The usable signing keys by ``kid``: RSA, for signatures, named."""
        try:
            with requests.Session() as http:
                http.trust_env = False  # the tool is a neighbour: no proxy, no netrc
                answer = http.get(self._url, timeout=self._timeout_s, allow_redirects=False)
            answer.raise_for_status()
            keys = answer.json()["keys"]
            return {
                key["kid"]: jwt.PyJWK(key, ALGORITHM)
                for key in keys
                if key.get("kty") == "RSA" and key.get("use", "sig") == "sig" and key.get("kid")
            }
        except (requests.RequestException, ValueError, KeyError, TypeError, jwt.PyJWTError) as error:
            raise ToolTokenRefused("invalid_client", f"The tool's key set {self._url} is unusable") from error


def _payload(token: str, key: jwt.PyJWK) -> dict[str, Any]:
    """The claims once the signature holds. Dates and audience are the caller's (its clock is injected)."""
    unchecked: Options = {
        "verify_exp": False,
        "verify_iat": False,
        "verify_nbf": False,
        "verify_aud": False,
        "verify_sub": False,
        "verify_jti": False,
    }
    try:
        return jwt.decode(token, key, [ALGORITHM], options=unchecked)
    except jwt.PyJWTError as error:
        raise ToolTokenRefused("invalid_client", f"Signature or payload: {error}") from error


def check_issuer_and_dates(claims: dict[str, Any], issuer: str, audiences: set[str], now: int) -> None:
    """Refuse a tool's JWT with a wrong iss, aud, exp or iat. ``now``: whole seconds, no leeway (Moodle)."""
    if claims.get("iss") != issuer:
        raise ToolTokenRefused("invalid_client", "iss is not the client_id")
    audience = claims.get("aud")
    given = audience if isinstance(audience, list) else [audience]
    if not audiences.intersection(value for value in given if isinstance(value, str)):
        raise ToolTokenRefused("invalid_client", f"aud holds none of {sorted(audiences)}")
    expires, issued = (seconds(claims, name) for name in ("exp", "iat"))
    if issued > now:
        moment = datetime.fromtimestamp(issued, UTC).strftime("%Y-%m-%dT%H:%M:%S%z")
        raise ToolTokenRefused(f"Cannot handle token with iat prior to {moment}", "iat is in the future")
    if expires <= now:
        raise ToolTokenRefused("Expired token", "exp is past")


def seconds(claims: dict[str, Any], name: str) -> float:
    """The date claim ``name``, seconds since 1970. Raises ToolTokenRefused when it is not a number."""
    value = claims.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ToolTokenRefused("invalid_client", f"{name} is missing or not a number")
    return value
