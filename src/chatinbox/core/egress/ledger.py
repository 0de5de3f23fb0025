"""The ledger: who got what, on which basis, on whose instruction, and how it ended.

A row is written in a transaction of its own before the bytes leave, so that a crash while sending leaves it `begun`,
never bytes without a row.
"""

from dataclasses import dataclass
from typing import Literal, TypeAlias
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
    gate: Literal["mail", "http", "mailbox"]
    recipient: str
    subject_kind: Subject
    subject_id: UUID | None
    basis: str
    instruction: str
    fields: tuple[str, ...]
    named: str | None = None


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
        await self._db.run(
            entry.account_id,
            (
                "insert into ledger (account_id, id, gate, recipient_sealed, subject_kind, subject_id, basis, instruction,"
                " fields, named, at) values (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)",
                [entry.account_id, row_id, entry.gate, who, entry.subject_kind, subject_id, entry.basis,
                 entry.instruction, list(entry.fields), entry.named, now()],
            ),
        )  # fmt: skip
        return row_id

    async def _begin_of_house(self, entry: Entry) -> UUID:
        row_id = new_id()
        await self._db.directory(
            "insert into work.house_ledger (id, recipient, basis, instruction, fields, named, at)"
            " values (%s, %s, %s, %s, %s, %s, %s)",
            [row_id, entry.recipient, entry.basis, entry.instruction, list(entry.fields), entry.named, now()],
        )
        return row_id

    async def end(
        self, account_id: UUID | None, row_id: UUID, outcome: Outcome, reason: str | None = None
    ) -> None:
        """Writes how it ended; `reason` is a word or a status, never what the other side said."""
        if account_id is None:
            ended = "update work.house_ledger set outcome = %s, reason = %s where id = %s"
            await self._db.directory(ended, [outcome, reason, row_id])
            return
        await self._db.run(
            account_id,
            (
                "update ledger set outcome = %s, reason = %s where account_id = %s and id = %s",
                [outcome, reason, account_id, row_id],
            ),
        )
