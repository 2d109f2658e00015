"""Our own keys: made once, kept encrypted, parsed once per process (parsing a PEM costs some 40 ms)."""

from __future__ import annotations

import base64
import hashlib
import json
from functools import lru_cache
from typing import Any

import sqlalchemy as sa
from cryptography.fernet import Fernet, InvalidToken
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from jwt.algorithms import RSAAlgorithm
from sqlalchemy.orm import Session

from ..errors import ConfigError
from .models import ToolKey

KEY_BITS = 2048


def ensure_key(session: Session, secret: str) -> ToolKey:
    """The newest key in use; made and added to `session` when there is none."""
    key = _newest(session)
    if key is None:
        private = rsa.generate_private_key(public_exponent=65537, key_size=KEY_BITS)
        pem = private.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        key = ToolKey(kid=_thumbprint(private.public_key()), private_pem=_box(secret).encrypt(pem).decode())
        session.add(key)
        session.flush()
    return key


def signing_key(session: Session, secret: str) -> tuple[str, rsa.RSAPrivateKey]:
    """The key id to announce, and the key to sign with."""
    key = ensure_key(session, secret)
    return key.kid, _private(key.kid, key.private_pem, secret)


def public_keys(session: Session, secret: str) -> dict[str, list[dict[str, Any]]]:
    """Our JWKS: the public part of every key that is not retired."""
    ensure_key(session, secret)
    rows = session.scalars(sa.select(ToolKey).where(ToolKey.retired_at.is_(None)).order_by(ToolKey.id))
    return {"keys": [_public_jwk(row.kid, _private(row.kid, row.private_pem, secret)) for row in rows]}


def _newest(session: Session) -> ToolKey | None:
    return session.scalars(
        sa.select(ToolKey).where(ToolKey.retired_at.is_(None)).order_by(ToolKey.id.desc()).limit(1)
    ).first()


def _public_jwk(kid: str, private: rsa.RSAPrivateKey) -> dict[str, Any]:
    jwk: dict[str, Any] = RSAAlgorithm.to_jwk(private.public_key(), as_dict=True)
    return {"kty": jwk["kty"], "n": jwk["n"], "e": jwk["e"], "kid": kid, "alg": "RS256", "use": "sig"}


def _thumbprint(public: rsa.RSAPublicKey) -> str:
    """RFC 7638: an id that follows from the key itself."""
    jwk: dict[str, Any] = RSAAlgorithm.to_jwk(public, as_dict=True)
    canonical = json.dumps({"e": jwk["e"], "kty": "RSA", "n": jwk["n"]}, separators=(",", ":"))
    return base64.urlsafe_b64encode(hashlib.sha256(canonical.encode()).digest()).rstrip(b"=").decode()


@lru_cache(maxsize=16)
def _private(kid: str, encrypted: str, secret: str) -> rsa.RSAPrivateKey:
    try:
        pem = _box(secret).decrypt(encrypted.encode())
    except InvalidToken as error:
        raise ConfigError(
            "SPIRALE_SECRET_KEY is not the one that encrypted this database's keys; put the former one back"
        ) from error
    key = serialization.load_pem_private_key(pem, password=None)
    if not isinstance(key, rsa.RSAPrivateKey):
        raise ConfigError(f"key {kid} is not an RSA key")
    return key


@lru_cache(maxsize=4)
def _box(secret: str) -> Fernet:
    derived = HKDF(hashes.SHA256(), 32, salt=None, info=b"spirale tool keys").derive(secret.encode())
    return Fernet(base64.urlsafe_b64encode(derived))
