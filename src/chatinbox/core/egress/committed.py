"""What a row of the ledger commits to, so that its chain (`privacy/left`) shows when somebody changes it. Nothing here asks a
database.

    begun = SHA-256("chatinbox what left 1 begun" + NUL + JSON of the row as it was written)
    ended = SHA-256("chatinbox what left 1 ended" + NUL + JSON of its id and how it ended)

JSON as RFC 8785 writes it; the recipient is the SHA-256 of its sealed bytes, so the row says the same when the key is gone.
"""

import hashlib
import hmac
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

from chatinbox.core.canonical import canonical
from chatinbox.core.vault import Vault

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MARK = "chatinbox what left 1 {}\0"


@dataclass(frozen=True, slots=True)
class Written:
    """A row of the ledger as it was written, without how it ended; in the order of `COLUMNS`."""

    id: UUID
    gate: str
    recipient_sealed: bytes
    subject_kind: str
    subject_id: UUID
    basis: str
    instruction: str
    fields: Sequence[str]
    named: str | None
    at: datetime
    asked_by: str | None
    asked_id: UUID | None
    permission_id: UUID | None
    shown_from: datetime | None


COLUMNS = (
    "id, gate, recipient_sealed, subject_kind, subject_id, basis, instruction, fields, named, at, asked_by, asked_id,"
    " permission_id, shown_from"
)


def begun(account_id: UUID, row: Written) -> bytes:
    """What a row commits to when it is written."""
    told = {
        "account": str(account_id),
        "id": str(row.id),
        "gate": row.gate,
        "recipient": hashlib.sha256(row.recipient_sealed).hexdigest(),
        "subject_kind": row.subject_kind,
        "subject": str(row.subject_id),
        "basis": row.basis,
        "instruction": row.instruction,
        "fields": list(row.fields),
        "named": row.named,
        "at": _moment(row.at),
        "asked_by": row.asked_by,
        "asked": _text(row.asked_id),
        "permission": _text(row.permission_id),
        "shown_from": _moment(row.shown_from) if row.shown_from else None,
    }
    return hashlib.sha256(_MARK.format("begun").encode() + canonical(told)).digest()


def ended(account_id: UUID, row_id: UUID, outcome: str, reason: str | None) -> bytes:
    """What how a row ended commits to."""
    told = {"account": str(account_id), "id": str(row_id), "outcome": outcome, "reason": reason}
    return hashlib.sha256(_MARK.format("ended").encode() + canonical(told)).digest()


def seal(vault: Vault, account_id: UUID, waiting_id: UUID, row_id: UUID, commitment: bytes) -> bytes:
    """Proves that the program wrote this: whoever has the database alone cannot make one."""
    told = account_id.bytes + waiting_id.bytes + row_id.bytes + commitment
    return hmac.digest(vault.secret("row of what left"), told, "sha256")


def _moment(at: datetime) -> int:
    """Microseconds since 1970, as the database keeps them."""
    return (at - _EPOCH) // timedelta(microseconds=1)


def _text(value: UUID | None) -> str | None:
    return str(value) if value else None
