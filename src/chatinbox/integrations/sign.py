"""Signatures of what is sent, after the Standard Webhooks specification 1.0.0: HMAC-SHA256 over id, time and bytes.

The secret is made from the connection's key in the keystore, so it stands in no table, and is gone with the key.
"""

import base64
import hmac

from chatinbox.core.vault import SealKey


def secret_of(key: SealKey) -> bytes:
    """The secret of a connection: 32 bytes."""
    return key.derived("standard webhooks")


def shown(secret: bytes) -> str:
    """The secret as a program is given it."""
    return f"whsec_{base64.b64encode(secret).decode()}"


def signature(secret: bytes, message_id: str, timestamp: int, body: bytes) -> str:
    """The signature over `id.timestamp.body`; `timestamp` in seconds since 1970."""
    signed = f"{message_id}.{timestamp}.".encode() + body
    return f"v1,{base64.b64encode(hmac.digest(secret, signed, 'sha256')).decode()}"


def headers(secret: bytes, message_id: str, timestamp: int, body: bytes) -> dict[str, str]:
    """The headers that go with it."""
    return {
        "content-type": "application/json",
        "user-agent": "ChatInbox",
        "webhook-id": message_id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": signature(secret, message_id, timestamp, body),
    }
