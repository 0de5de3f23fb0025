"""The chain: what a row commits to, and its hash, which the next one carries. Nothing here asks a database.

    commitment = SHA-256(nonce + JSON of whom it was about)
    hash = SHA-256("chatinbox access ledger 1" + NUL + JSON of the row, with the hash of the row before it)

JSON as RFC 8785 writes it, ids and hashes in lower-case hexadecimal as text, so that anybody can do it over.
"""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from chatinbox.privacy.chain.book import hash_of

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

    def hashed(self, account_id: UUID) -> bytes:
        """Its hash."""
        told = {
            "account": str(account_id),
            "number": self.number,
            "id": str(self.id),
            "at": int(self.at.timestamp()),
            "staff_user": _text(self.staff_user_id),
            "grant": _text(self.grant_id),
            "deed": self.deed,
            "commitment": self.commitment.hex(),
            "before": self.hash_before.hex(),
        }
        return hash_of(_MARK, told)


def commit(nonce: bytes, subject: Subject) -> bytes:
    """What a row says of whom it was about, without saying it."""
    told = {
        "customer": _text(subject.customer_id),
        "conversation": _text(subject.conversation_id),
        "subject": _text(subject.subject_id),
        "count": subject.row_count,
    }
    return hash_of(nonce, told)


def _text(value: UUID | None) -> str | None:
    return str(value) if value else None
