"""Our own keys: they take turns, are kept encrypted, and are parsed once per process (a PEM costs some 40 ms).

A key is published for a while before it signs, so that platforms that keep our key set know it in time, and after
it has stopped, until nothing it signed can still be on its way. Then it is retired: its private part is erased.
"""

from __future__ import annotations

import base64
import hashlib
import json
from datetime import datetime, timedelta
from enum import StrEnum
from functools import lru_cache
from typing import Any

import sqlalchemy as sa
from cryptography.fernet import Fernet, InvalidToken
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from jwt.algorithms import RSAAlgorithm
from sqlalchemy.orm import Session

from ..config import Config
from ..db import insert_missing, utcnow
from ..errors import BadInput, ConfigError
from .models import ToolKey

KEY_BITS = 2048


class KeyState(StrEnum):
    """Where a key is in its life."""

    NEXT = "next"
    SIGNING = "signing"
    FORMER = "former"
    """It signs no more, and is still published."""
    RETIRED = "retired"


def ensure_key(session: Session, secret: str) -> ToolKey:
    """The key that signs; the very first one is made, in the caller's transaction, when there is none."""
    key = _signing(session, utcnow())
    if key is None:
        last = _last(session)
        # Looked for again after the number was read: whoever makes a key in between, this one is not made twice.
        key = _signing(session, utcnow()) or _make_key(session, secret, last + 1, utcnow())
    return key


def signing_key(session: Session, secret: str) -> tuple[str, rsa.RSAPrivateKey]:
    """The key id to announce, and the key to sign with."""
    key = ensure_key(session, secret)
    return key.kid, _private(key.kid, key.private_pem, secret)


def public_keys(session: Session, secret: str) -> dict[str, list[dict[str, str]]]:
    """Our JWKS: the public part of every key that is not retired. Empty when none was made yet."""
    rows = session.scalars(sa.select(ToolKey).where(ToolKey.retired_at.is_(None)).order_by(ToolKey.number))
    return {"keys": [_public_jwk(row.kid, row.private_pem, secret) for row in rows]}


def rotate_key(session: Session, config: Config, now: datetime, *, at_once: bool = False) -> ToolKey:
    """Publish a new key, that signs once every platform can know it; the newest key, in the caller's transaction.

    `at_once` is for a key that leaked: the new one signs now, and every other one is retired.
    Raises `BadInput` when a new key already waits for its turn, and `ConfigError` under another secret key.
    """
    current = ensure_key(session, config.secret_key)
    _private(current.kid, current.private_pem, config.secret_key)
    newest = _newest(session)
    if at_once:
        others = sa.select(ToolKey).where(ToolKey.retired_at.is_(None))
        for key in session.scalars(others).all():
            _retire(key, now)
        session.flush()
        return _make_key(session, config.secret_key, newest.number + 1, now)
    if newest.signs_at > now:
        raise BadInput(
            {
                "key": f"{newest.kid} is published already and signs from {newest.signs_at:%Y-%m-%d %H:%M} UTC; "
                "--now, for a key that leaked, does not wait"
            }
        )
    signs_at = now + timedelta(seconds=config.lti.key_overlap_s)
    return _make_key(session, config.secret_key, newest.number + 1, signs_at)


def list_keys(session: Session, now: datetime) -> list[tuple[ToolKey, KeyState]]:
    """Every key there ever was, oldest first, and where it is."""
    signing = _signing(session, now)
    return [
        (key, _state(key, signing, now))
        for key in session.scalars(sa.select(ToolKey).order_by(ToolKey.number))
    ]


def retire_keys(session: Session, config: Config, now: datetime) -> None:
    """Retire the keys whose signatures can no longer be on their way, in the caller's transaction."""
    signing = _signing(session, now)
    if signing is None or signing.signs_at + timedelta(seconds=config.lti.key_overlap_s) > now:
        return
    older = sa.select(ToolKey).where(ToolKey.number < signing.number, ToolKey.retired_at.is_(None))
    for key in session.scalars(older).all():
        _retire(key, now)


def _state(key: ToolKey, signing: ToolKey | None, now: datetime) -> KeyState:
    if key.retired_at is not None:
        return KeyState.RETIRED
    if key.signs_at > now:
        return KeyState.NEXT
    return KeyState.SIGNING if key is signing else KeyState.FORMER


def _retire(key: ToolKey, now: datetime) -> None:
    key.retired_at, key.private_pem = now, ""


def _signing(session: Session, now: datetime) -> ToolKey | None:
    return session.scalars(
        sa.select(ToolKey)
        .where(ToolKey.retired_at.is_(None), ToolKey.signs_at <= now)
        .order_by(ToolKey.number.desc())
        .limit(1)
    ).first()


def _newest(session: Session) -> ToolKey:
    return session.scalars(sa.select(ToolKey).order_by(ToolKey.number.desc()).limit(1)).one()


def _last(session: Session) -> int:
    return session.scalar(sa.select(sa.func.max(ToolKey.number))) or 0


def _make_key(session: Session, secret: str, number: int, signs_at: datetime) -> ToolKey:
    """The key of that number; another process's when it was quicker."""
    private = rsa.generate_private_key(public_exponent=65537, key_size=KEY_BITS)
    pem = private.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    insert_missing(
        session,
        ToolKey,
        number=number,
        kid=_thumbprint(private.public_key()),
        private_pem=_box(secret).encrypt(pem).decode(),
        created_at=utcnow(),
        signs_at=signs_at,
    )
    return _newest(session)


def _thumbprint(public: rsa.RSAPublicKey) -> str:
    """RFC 7638: an id that follows from the key itself."""
    jwk: dict[str, Any] = RSAAlgorithm.to_jwk(public, as_dict=True)
    canonical = json.dumps({"e": jwk["e"], "kty": "RSA", "n": jwk["n"]}, separators=(",", ":"))
    return base64.urlsafe_b64encode(hashlib.sha256(canonical.encode()).digest()).rstrip(b"=").decode()


@lru_cache(maxsize=16)
def _public_jwk(kid: str, encrypted: str, secret: str) -> dict[str, str]:
    jwk: dict[str, Any] = RSAAlgorithm.to_jwk(_private(kid, encrypted, secret).public_key(), as_dict=True)
    return {"kty": jwk["kty"], "n": jwk["n"], "e": jwk["e"], "kid": kid, "alg": "RS256", "use": "sig"}


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
