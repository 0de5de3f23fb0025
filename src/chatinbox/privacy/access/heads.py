"""Heads: how long the chain was at a moment and where it led, signed; made each hour there is something new, and kept outside
our reach by whoever downloads them, exports the account, or has them sent to its owners once a day.
"""

import base64
import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from chatinbox.core.clock import now
from chatinbox.core.db import Tx
from chatinbox.core.ids import new_id
from chatinbox.core.installation import Installation
from chatinbox.core.vault import Vault
from chatinbox.privacy import signature
from chatinbox.privacy.access.link import end_of, link, lock

PURPOSE = "head of an access ledger"


@dataclass(frozen=True, slots=True)
class Head:
    """A head. `cut`: everything up to this number was let go, being a year old; the chain goes on from this hash."""

    kind: Literal["head", "cut"]
    number: int
    hash: bytes
    at: datetime

    def told(self, account_id: UUID) -> dict[str, Any]:
        """What is signed."""
        return {
            "ledger": "access",
            "kind": self.kind,
            "account_id": str(account_id),
            "number": self.number,
            "hash": self.hash.hex(),
            "at": int(self.at.timestamp()),
        }


def sign(vault: Vault, account_id: UUID, head: Head) -> bytes:
    """Its signature."""
    return signature.key_of(vault, PURPOSE).sign(signature.canonical(head.told(account_id)))


def is_ours(vault: Vault, account_id: UUID, head: Head, signed: bytes) -> bool:
    """Whether this installation signed it."""
    told = signature.canonical(head.told(account_id))
    return signature.is_genuine(told, signed, signature.public_key(vault, PURPOSE))


async def add(vault: Vault, tx: Tx, head: Head) -> None:
    """Signs a head and keeps it."""
    await tx.execute(
        "insert into access_head (account_id, id, kind, number, hash, at, signature) values (%s, %s, %s, %s, %s, %s, %s)",
        [
            tx.account_id,
            new_id(),
            head.kind,
            head.number,
            head.hash,
            head.at,
            sign(vault, tx.account_id, head),
        ],
    )


async def keep_up(inst: Installation, account_id: UUID) -> bool:
    """Links what waits, and signs a head where the chain has grown since the last one; whether it did."""
    await link(inst, account_id)
    async with inst.db.account(account_id) as tx:
        await lock(tx)
        number, hash_ = await end_of(tx)
        newest = await tx.one(
            "select coalesce(max(number), 0) from access_head where account_id = %s", [account_id]
        )
        if newest is None or number <= newest[0]:
            return False
        await add(inst.vault, tx, Head("head", number, hash_, now().replace(microsecond=0)))
        return True


async def newest_head(inst: Installation, account_id: UUID) -> dict[str, Any] | None:
    """The newest head as it is handed over: with its signature and the key that verifies it; None before the first row."""
    await keep_up(inst, account_id)
    ask = (
        "select kind, number, hash, at, signature from access_head where account_id = %s"
        " order by number desc, kind desc limit 1"
    )
    [rows] = await inst.db.run(account_id, (ask, [account_id]))
    if not rows:
        return None
    *words, signed = rows[0]
    head = Head(*words)
    return signature.with_signature(inst.vault, PURPOSE, head.told(account_id), bytes(signed))


def read_head(text: str | bytes) -> tuple[UUID, Head, bytes]:
    """A head that somebody kept: whose, itself, its signature. Raises ValueError for what is none."""
    try:
        told = json.loads(text)
        signed = base64.b64decode(told["signature"]["value"], validate=True)
        at = datetime.fromtimestamp(int(told["at"]), now().tzinfo)
        head = Head(told["kind"], int(told["number"]), bytes.fromhex(told["hash"]), at)
        account_id = UUID(told["account_id"])
    except (KeyError, TypeError, AttributeError, OverflowError, OSError) as error:
        raise ValueError("this is no head of an access ledger") from error
    if head.kind not in ("head", "cut") or told.get("ledger") != "access":
        raise ValueError("this is no head of an access ledger")
    return account_id, head, signed
