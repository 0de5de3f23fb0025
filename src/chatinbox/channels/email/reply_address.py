"""The reply address: `r-<token>@<mail domain>`, which tells the conversation an answer belongs to, and to nobody else.

The token encrypts account and conversation number (AES-SIV, RFC 5297): it fits the 64 octets of a local part, looks
like nothing, and cannot be made or changed by anyone without the key.
"""

import base64
import binascii
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESSIV

from chatinbox.core.installation import Installation

PREFIX = "r-"
_PURPOSE = [b"reply address"]


def _cipher(inst: Installation) -> AESSIV:
    return AESSIV(inst.vault.secret("reply address, one") + inst.vault.secret("reply address, two"))


def reply_address(inst: Installation, account_id: UUID, number: int) -> str:
    """Where answers to this conversation go."""
    sealed = _cipher(inst).encrypt(account_id.bytes + number.to_bytes(5), _PURPOSE)
    return f"{PREFIX}{base64.b32encode(sealed).decode().rstrip('=').lower()}@{inst.settings.mail_domain}"


def read_reply_address(inst: Installation, address: str) -> tuple[UUID, int] | None:
    """Account and conversation number of a reply address of ours; None for any other address."""
    local, _, domain = address.rpartition("@")
    if domain.lower() != inst.settings.mail_domain.lower() or not local.lower().startswith(PREFIX):
        return None
    token = local[len(PREFIX) :].split("+", 1)[0].upper()
    try:
        sealed = base64.b32decode(token + "=" * (-len(token) % 8))
        if base64.b32encode(sealed).decode().rstrip("=") != token:
            return None  # its last letter has bits to spare: of sixteen ways to write it, one is ours
        payload = _cipher(inst).decrypt(sealed, _PURPOSE)
    except (InvalidTag, binascii.Error, ValueError):
        return None
    return UUID(bytes=payload[:16]), int.from_bytes(payload[16:])
