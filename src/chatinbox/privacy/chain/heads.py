"""Heads: how long a chain was at a moment and where it led, signed; made each hour there is something new, and kept outside
our reach by whoever downloads them, exports the account, or has them sent to its owners once a day.
"""

import base64
import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from chatinbox.core.canonical import canonical
from chatinbox.core.clock import now
from chatinbox.core.db import Tx
from chatinbox.core.ids import new_id
from chatinbox.core.installation import Installation
from chatinbox.core.vault import Vault
from chatinbox.privacy import signature
from chatinbox.privacy.chain.book import Book
from chatinbox.privacy.chain.link import end_of, link, lock


@dataclass(frozen=True, slots=True)
class Head:
    """A head. `cut`: everything up to this number was let go, being a year old; the chain goes on from this hash."""

    kind: Literal["head", "cut"]
    number: int
    hash: bytes
    at: datetime

    def told(self, book: Book, account_id: UUID) -> dict[str, Any]:
        """What is signed."""
        return {
            "ledger": book.name,
            "kind": self.kind,
            "account_id": str(account_id),
            "number": self.number,
            "hash": self.hash.hex(),
            "at": int(self.at.timestamp()),
        }


@dataclass(frozen=True, slots=True)
class Given:
    """A head that somebody kept: of which ledger, whose, itself, its signature."""

    ledger: str
    account_id: UUID
    head: Head
    signed: bytes


def sign(vault: Vault, book: Book, account_id: UUID, head: Head) -> bytes:
    """Its signature."""
    return signature.key_of(vault, book.purpose).sign(canonical(head.told(book, account_id)))


def is_ours(vault: Vault, book: Book, account_id: UUID, head: Head, signed: bytes) -> bool:
    """Whether this installation signed it."""
    told = canonical(head.told(book, account_id))
    return signature.is_genuine(told, signed, signature.public_key(vault, book.purpose))


async def add(vault: Vault, book: Book, tx: Tx, head: Head) -> None:
    """Signs a head and keeps it."""
    signed = sign(vault, book, tx.account_id, head)
    await tx.execute(
        f"insert into {book.heads} (account_id, id, kind, number, hash, at, signature) values (%s, %s, %s, %s, %s, %s, %s)",
        [tx.account_id, new_id(), head.kind, head.number, head.hash, head.at, signed],
    )


async def keep_up(inst: Installation, book: Book, account_id: UUID) -> bool:
    """Links what waits, and signs a head where the chain has grown since the last one; whether it did."""
    await link(inst, book, account_id)
    async with inst.db.account(account_id) as tx:
        await lock(tx, book)
        number, hash_ = await end_of(tx, book)
        newest = await tx.one(
            f"select coalesce(max(number), 0) from {book.heads} where account_id = %s", [account_id]
        )
        if newest is None or number <= newest[0]:
            return False
        await add(inst.vault, book, tx, Head("head", number, hash_, now().replace(microsecond=0)))
        return True


async def newest_head(inst: Installation, book: Book, account_id: UUID) -> dict[str, Any] | None:
    """The newest head as it is handed over: with its signature and the key that verifies it; None before the first row."""
    await keep_up(inst, book, account_id)
    return await kept_head(inst, book, account_id)


async def kept_head(inst: Installation, book: Book, account_id: UUID) -> dict[str, Any] | None:
    """The newest head that was signed already, as `newest_head`."""
    ask = (
        f"select kind, number, hash, at, signature from {book.heads} where account_id = %s"
        " order by number desc, kind desc limit 1"
    )
    [rows] = await inst.db.run(account_id, (ask, [account_id]))
    if not rows:
        return None
    *words, signed = rows[0]
    head = Head(*words)
    return signature.with_signature(inst.vault, book.purpose, head.told(book, account_id), bytes(signed))


def read_head(text: str | bytes) -> Given:
    """A head that somebody kept. Raises ValueError for what is none."""
    try:
        told = json.loads(text)
        signed = base64.b64decode(told["signature"]["value"], validate=True)
        at = datetime.fromtimestamp(int(told["at"]), now().tzinfo)
        head = Head(told["kind"], int(told["number"]), bytes.fromhex(told["hash"]), at)
        given = Given(str(told["ledger"]), UUID(told["account_id"]), head, signed)
    except (KeyError, TypeError, AttributeError, OverflowError, OSError) as error:
        raise ValueError("this is no head of a ledger") from error
    if head.kind not in ("head", "cut"):
        raise ValueError("this is no head of a ledger")
    return given
