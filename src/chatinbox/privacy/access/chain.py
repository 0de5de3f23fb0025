"""The chain: what a row commits to, and its hash, which the next one carries. Nothing here asks a database.

    commitment = SHA-256(nonce + JSON of whom it was about)
    hash = SHA-256("chatinbox access ledger 1" + NUL + JSON of the row, with the hash of the row before it)

JSON as RFC 8785 writes it, ids and hashes in lower-case hexadecimal as text, so that anybody can do it over.
"""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from chatinbox.privacy.signature import canonical

NOTHING = bytes(32)
"""What stands before the first row."""
NONCE_BYTES = 32
_MARK = b"chatinbox access ledger 1\0"


@dataclass(frozen=True, slots=True)
class Subject:
    """Whom and what a row was about."""

    customer_id: UUID | None
    conversation_id: UUID | None
    subject_id: UUID | None
    row_count: int | None


@dataclass(frozen=True, slots=True)
class Row:
    """One row of the chain."""

    number: int
    id: UUID
    at: datetime
    staff_user_id: UUID | None
    grant_id: UUID | None
    deed: str
    commitment: bytes
    hash_before: bytes


def commit(nonce: bytes, subject: Subject) -> bytes:
    """What a row says of whom it was about, without saying it."""
    told = {
        "customer": _text(subject.customer_id),
        "conversation": _text(subject.conversation_id),
        "subject": _text(subject.subject_id),
        "count": subject.row_count,
    }
    return hashlib.sha256(nonce + canonical(told)).digest()


def hash_of(account_id: UUID, row: Row) -> bytes:
    """A row's hash."""
    told = {
        "account": str(account_id),
        "number": row.number,
        "id": str(row.id),
        "at": int(row.at.timestamp()),
        "staff_user": _text(row.staff_user_id),
        "grant": _text(row.grant_id),
        "deed": row.deed,
        "commitment": row.commitment.hex(),
        "before": row.hash_before.hex(),
    }
    return hashlib.sha256(_MARK + canonical(told)).digest()


def follow(
    account_id: UUID, rows: Iterable[Row], number: int, before: bytes
) -> tuple[int, bytes, str | None]:
    """Goes along rows after row `number`, whose hash is `before`: the last number and hash, and the first fault."""
    for row in rows:
        if row.number != number + 1:
            return number, before, f"after row {number} comes row {row.number}"
        if row.hash_before != before:
            return (
                number,
                before,
                f"row {row.number} does not follow on row {number}: one of them was changed",
            )
        number, before = row.number, hash_of(account_id, row)
    return number, before, None


def _text(value: UUID | None) -> str | None:
    return str(value) if value else None
