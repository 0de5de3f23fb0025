"""The ledger: who got what, on which basis, on whose instruction, and how it ended.

A row is written in a transaction of its own before the bytes leave, so that a crash while sending leaves it `begun`,
never bytes without a row.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, TypeAlias
from uuid import UUID

from chatinbox.core.clock import now
from chatinbox.core.db import Database
from chatinbox.core.ids import new_id
from chatinbox.core.vault import SealKey, Vault

Subject: TypeAlias = Literal["customer", "person", "account"]
Outcome: TypeAlias = Literal["taken", "refused", "unreachable", "withheld"]


@dataclass(frozen=True, slots=True)
class Entry:
    """What is about to leave, and to whom. `named` is a recipient of the register, where it is one. Without an account
    it is about nobody, and stands in the house's own ledger.
    """

    account_id: UUID | None
    gate: Literal["mail", "http", "mailbox", "desk"]
    recipient: str
    subject_kind: Subject
    subject_id: UUID | None
    basis: str
    instruction: str
    fields: tuple[str, ...]
    named: str | None = None
    permission_id: UUID | None = None
    shown_from: datetime | None = None  # what an order forbids to be told, the day it ends


class NoPermission(Exception):
    """It was to leave on a permission, and none of this account holds for this receiver and these fields."""


_INSERT = (
    "insert into ledger (account_id, id, gate, recipient_sealed, subject_kind, subject_id, basis, instruction, fields, named,"
    " at, permission_id, shown_from)"
)
_VALUES = "%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s"
_PERMITTED = (
    "from permission p where p.account_id = %s and p.id = %s and p.receiver_blind = %s and p.fields @> %s::text[]"
    " and (p.object = 'account' or p.object_id = %s) and p.taken_back_at is null and p.given_at <= %s and p.until_at > %s returning id"
)


async def receiver_blind(vault: Vault, account_id: UUID, receiver: str) -> bytes:
    """What a permission and a ledger row know a receiver by: an e-mail address, or scheme, host and port."""
    return await vault.blind(account_id, "permission receiver", receiver.strip().casefold())


class Ledger:
    """Writes the rows of the ledger."""

    def __init__(self, db: Database, vault: Vault) -> None:
        self._db, self._vault = db, vault

    async def key(self, account_id: UUID, kind: Subject, subject_id: UUID) -> SealKey:
        """The key that seals who the recipient is: of whomever it is about."""
        if kind == "customer":
            return await self._vault.customer_key(account_id, subject_id)
        return await (
            self._vault.person_key(subject_id) if kind == "person" else self._vault.account_key(account_id)
        )

    async def begin(self, entry: Entry) -> UUID:
        """Writes that this is about to leave; the row's id."""
        if entry.account_id is None:
            return await self._begin_of_house(entry)
        subject_id = entry.subject_id or entry.account_id
        row_id, key = new_id(), await self.key(entry.account_id, entry.subject_kind, subject_id)
        who = key.seal(entry.recipient, entry.account_id, "ledger", "recipient", row_id)
        values = [entry.account_id, row_id, entry.gate, who, entry.subject_kind, subject_id, entry.basis,
                  entry.instruction, list(entry.fields), entry.named, now(), entry.permission_id, entry.shown_from]  # fmt: skip
        if entry.basis == "permission":
            await self._begin_permitted(entry, values)
        else:
            await self._db.run(entry.account_id, (f"{_INSERT} values ({_VALUES})", values))
        return row_id

    async def _begin_permitted(self, entry: Entry, values: list[Any]) -> None:
        """Writes the row where a permission holds at this moment: this account's, for this receiver, these fields, whatever
        it is about. Raises NoPermission.
        """
        assert entry.account_id
        blind = await receiver_blind(self._vault, entry.account_id, entry.recipient)
        holds = [
            entry.account_id,
            entry.permission_id,
            blind,
            list(entry.fields),
            entry.subject_id,
            now(),
            now(),
        ]
        [rows] = await self._db.run(
            entry.account_id, (f"{_INSERT} select {_VALUES} {_PERMITTED}", values + holds)
        )
        if not rows:
            raise NoPermission

    async def _begin_of_house(self, entry: Entry) -> UUID:
        row_id = new_id()
        await self._db.directory(
            "insert into work.house_ledger (id, recipient, basis, instruction, fields, named, at)"
            " values (%s, %s, %s, %s, %s, %s, %s)",
            [row_id, entry.recipient, entry.basis, entry.instruction, list(entry.fields), entry.named, now()],
        )
        return row_id

    async def end(
        self,
        account_id: UUID | None,
        row_id: UUID,
        outcome: Outcome,
        reason: str | None = None,
        gate: str = "",
    ) -> None:
        """Writes how it ended; `reason` is a word or a status, never what the other side said."""
        if account_id is None:
            ended = "update work.house_ledger set outcome = %s, reason = %s where id = %s"
            await self._db.directory(ended, [outcome, reason, row_id])
            return
        if gate == "desk":
            settle = "select desk.settle(%s, %s, %s)"
            await self._db.run(account_id, (settle, [row_id, outcome, reason]))
            return
        await self._db.run(
            account_id,
            (
                "update ledger set outcome = %s, reason = %s where account_id = %s and id = %s",
                [outcome, reason, account_id, row_id],
            ),
        )
