"""The certificate that an account was destroyed: ids, dates, counts, and a signature that anybody can verify."""

from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec

from chatinbox.core.vault import Vault
from chatinbox.privacy import signature

PURPOSE = "closure certificate"


class Certificate(msgspec.Struct, frozen=True):
    """What was destroyed. `counts` are rows by the name of their table in an export; `keys` the keys by kind."""

    id: UUID
    account_id: UUID
    closed_at: datetime
    destroyed_at: datetime
    counts: dict[str, int]
    keys: dict[str, int]
    files: int


def public_key(vault: Vault) -> str:
    """The installation's key that verifies certificates (RFC 8032), in base 64."""
    return signature.public_key(vault, PURPOSE)


def words(certificate: Certificate) -> bytes:
    """The bytes that are signed: JSON with sorted names and no spaces."""
    return msgspec.json.encode(certificate, order="deterministic")


def sign(vault: Vault, certificate: Certificate) -> bytes:
    """Signs it (Ed25519, RFC 8032)."""
    return signature.key_of(vault, PURPOSE).sign(words(certificate))


def read(kept: dict[str, Any]) -> Certificate:
    """A certificate as it was kept."""
    return msgspec.convert(kept, Certificate, strict=False)
