"""Signatures of this installation under what it gives out: proofs, certificates, receipts (Ed25519, RFC 8032)."""

import base64
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from chatinbox.core.canonical import canonical
from chatinbox.core.vault import Vault

OVER = "the JSON of everything but this member, as RFC 8785 writes it"


def key_of(vault: Vault, purpose: str) -> Ed25519PrivateKey:
    """The installation's key for one kind of paper."""
    return Ed25519PrivateKey.from_private_bytes(vault.secret(purpose))


def public_key(vault: Vault, purpose: str) -> str:
    """What verifies it, in base 64."""
    return base64.b64encode(
        key_of(vault, purpose).public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
    ).decode()


def signed(vault: Vault, purpose: str, told: dict[str, Any]) -> dict[str, Any]:
    """The same with a member `signature`: the algorithm, what it is over, the public key, the value."""
    return with_signature(vault, purpose, told, key_of(vault, purpose).sign(canonical(told)))


def with_signature(vault: Vault, purpose: str, told: dict[str, Any], value: bytes) -> dict[str, Any]:
    """What was signed earlier, with the same member."""
    return {
        **told,
        "signature": {
            "algorithm": "Ed25519",
            "over": OVER,
            "public_key": public_key(vault, purpose),
            "value": base64.b64encode(value).decode(),
        },
    }


def is_genuine(told: bytes, signature: bytes, key: str) -> bool:
    """Whether these bytes were signed by the installation with this public key, in base 64."""
    try:
        Ed25519PublicKey.from_public_bytes(base64.b64decode(key)).verify(signature, told)
    except (InvalidSignature, ValueError):
        return False
    return True
