"""The certificate that an account was destroyed: ids, dates, counts, and a signature that anybody can verify."""

import base64
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from chatinbox.core.vault import Vault


class Certificate(msgspec.Struct, frozen=True):
    """What was destroyed. `counts` are rows by the name of their table in an export; `keys` the keys by kind."""

    id: UUID
    account_id: UUID
    closed_at: datetime
    destroyed_at: datetime
    counts: dict[str, int]
    keys: dict[str, int]
    files: int


def _signing_key(vault: Vault) -> Ed25519PrivateKey:
    return Ed25519PrivateKey.from_private_bytes(vault.secret("closure certificate"))


def public_key(vault: Vault) -> str:
    """The installation's key that verifies certificates (RFC 8032), in base 64."""
    raw = _signing_key(vault).public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
    return base64.b64encode(raw).decode()


def words(certificate: Certificate) -> bytes:
    """The bytes that are signed: JSON with sorted names and no spaces."""
    return msgspec.json.encode(certificate, order="deterministic")


def sign(vault: Vault, certificate: Certificate) -> bytes:
    """Signs it (Ed25519, RFC 8032)."""
    return _signing_key(vault).sign(words(certificate))


def is_genuine(certificate: bytes, signature: bytes, key: str) -> bool:
    """Whether these bytes were signed by the installation with this public key."""
    try:
        Ed25519PublicKey.from_public_bytes(base64.b64decode(key)).verify(signature, certificate)
    except (InvalidSignature, ValueError):
        return False
    return True


def read(kept: dict[str, Any]) -> Certificate:
    """A certificate as it was kept."""
    return msgspec.convert(kept, Certificate, strict=False)
