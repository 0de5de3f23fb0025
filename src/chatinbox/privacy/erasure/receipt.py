"""The receipt of an erasure: what was taken away, by number, and from when no backup opens it either; signed."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import msgspec

from chatinbox.core.canonical import canonical
from chatinbox.core.vault import Vault
from chatinbox.privacy import signature
from chatinbox.privacy.erasure.receivers import Receiver

HORIZON = timedelta(days=30)
"""The longest life of a backup of the keys (docs/running.md, "Backups"): after it no copy of any age opens."""
PURPOSE = "receipt of an erasure"


@dataclass(frozen=True, slots=True)
class Receipt:
    """Ids, times and counts, and to what kinds of receivers their data had gone. It does not say who it was about: whoever asked
    knows. Where the customer stays there are no `receivers`, and the receipt has no such line.
    """

    erasure_id: str
    account_id: str
    customer_id: str
    asked_at: str
    begun_at: str
    done_at: str
    unreadable_in_backups_from: str | None
    erased: dict[str, int]
    receivers: list[dict[str, str | int]] | None = None

    @classmethod
    def of(
        cls,
        erasure_id: UUID,
        account_id: UUID,
        customer_id: UUID,
        asked_at: datetime,
        begun_at: datetime,
        done_at: datetime,
        counts: dict[str, int],
        keeps_key: bool = False,
        receivers: Iterable[Receiver] | None = None,
    ) -> "Receipt":
        """Made of an erasure's row. Where the customer stays, with their key, old backups are as long-lived as they are."""
        return cls(
            erasure_id=str(erasure_id),
            account_id=str(account_id),
            customer_id=str(customer_id),
            asked_at=asked_at.isoformat(),
            begun_at=begun_at.isoformat(),
            done_at=done_at.isoformat(),
            unreadable_in_backups_from=None if keeps_key else (done_at + HORIZON).isoformat(),
            erased=dict(sorted(counts.items())),
            receivers=None if receivers is None else [msgspec.to_builtins(one) for one in receivers],
        )


def sign(vault: Vault, receipt: Receipt) -> bytes:
    """Its signature."""
    return signature.key_of(vault, PURPOSE).sign(canonical(_told(receipt)))


def paper(vault: Vault, receipt: Receipt, signed: bytes) -> dict[str, Any]:
    """The receipt with its signature, as it is handed over."""
    return signature.with_signature(vault, PURPOSE, _told(receipt), signed)


def _told(receipt: Receipt) -> dict[str, Any]:
    told = asdict(receipt)
    if receipt.receivers is None:
        del told["receivers"]
    return told
