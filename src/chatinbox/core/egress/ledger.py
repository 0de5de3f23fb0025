"""The ledger: who got what, on which basis, on whose instruction, and how it ended.

A row is written in a transaction of its own before the bytes leave, so that a crash while sending leaves it `begun`,
never bytes without a row. Beside it, and beside how it ended, waits what it commits to, for the account's chain.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, Protocol, TypeAlias
from uuid import UUID

from chatinbox.core.clock import now
from chatinbox.core.db import Database, Statement
from chatinbox.core.egress.committed import Written, begun, ended, seal
from chatinbox.core.ids import new_id
from chatinbox.core.vault import SealKey, Vault

Subject: TypeAlias = Literal["customer", "person", "account"]
AskedBy: TypeAlias = Literal["staff", "act", "request", "rule", "setting"]
Outcome: TypeAlias = Literal["taken", "refused", "unreachable", "withheld"]


class NobodyAsked(Exception):
    """A letter to a customer for which the business did not ask: it is no line of the ledger, so it does not leave."""


@dataclass(frozen=True, slots=True)
class Asked:
    """Who of the business asked for a letter to a customer: staff by a message of theirs, a staff user by an act on a page
    (`act`), the agreement by the case of that person's own request, a rule, or a setting by its channel. `id` is that
    message's, staff user's, case's, rule's or channel's; the database looks whether it is true.
    """

    by: AskedBy
    id: UUID


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
    asked: Asked | None = None


class NoPermission(Exception):
    """It was to leave on a permission, and none of this account holds for this receiver and these fields."""


_BEGUN = """
insert into ledger (account_id, id, gate, recipient_sealed, subject_kind, subject_id, basis, instruction, fields, named, at,
  asked_by, asked_id, permission_id, shown_from)
select %(account)s, %(id)s, %(gate)s, %(who)s, %(kind)s, %(subject)s, %(basis)s, %(instruction)s, %(fields)s::text[],
  %(named)s::text, %(at)s, %(asked)s::text, %(asker)s::uuid, %(permission)s::uuid, %(shown_from)s::timestamptz"""
_WAITS = "insert into ledger_waiting (account_id, id, row_id, part, commitment, seal, shown_from)"
_BEGUN_WAITS = f"""{_WAITS} values (%(account)s, %(waiting)s, %(id)s, 'begun', %(commitment)s, %(seal)s,
  %(shown_from)s::timestamptz)"""
# One that depends on what is there waits only where it was written.
_IF_BEGUN = f""" returning id) {_WAITS} select %(account)s, %(waiting)s, id, 'begun', %(commitment)s, %(seal)s, null
  from written returning id"""
_ASKED = f"""with written as ({_BEGUN} where work.is_asked_for(%(account)s, %(subject)s, %(asked)s::text, %(asker)s::uuid)
{_IF_BEGUN}"""
_PERMITTED = f"""with written as ({_BEGUN} where exists (select from permission p where p.account_id = %(account)s and p.id = %(permission)s
    and p.receiver_blind = %(receiver)s and p.fields @> %(fields)s::text[]
    and (p.object = 'account' or p.object_id = %(subject)s) and p.taken_back_at is null and p.given_at <= %(at)s and p.until_at > %(at)s)
{_IF_BEGUN}"""
# Its turn among what waits of the same row; the beginning, which an order may hide from this count, has the first.
_ENDED_WAITS = """
insert into ledger_waiting (account_id, id, row_id, part, commitment, seal, shown_from, turn)
select %(account)s, %(waiting)s, %(id)s, 'ended', %(commitment)s, %(seal)s, %(shown_from)s::timestamptz,
  1 + coalesce((select max(w.turn) from ledger_waiting w where w.account_id = %(account)s and w.row_id = %(id)s), 1)"""


async def receiver_blind(vault: Vault, account_id: UUID, receiver: str) -> bytes:
    """What a permission and a ledger row know a receiver by: an e-mail address, or scheme, host and port."""
    return await vault.blind(account_id, "permission receiver", receiver.strip().casefold())


class Writes(Protocol):
    """Where a gate writes its rows: before the bytes, and how it ended."""

    async def begin(self, entry: Entry) -> UUID:
        """Writes that this is about to leave; the row's id."""

    async def end(
        self, account_id: UUID | None, row_id: UUID, outcome: Outcome, reason: str | None = None
    ) -> None:
        """Writes how it ended."""


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
        """Writes that this is about to leave; the row's id. Raises NobodyAsked for a letter to a customer."""
        if entry.account_id is None:
            return await self._begin_of_house(entry)
        subject_id = entry.subject_id or entry.account_id
        row_id, key = new_id(), await self.key(entry.account_id, entry.subject_kind, subject_id)
        who = key.seal(entry.recipient, entry.account_id, "ledger", "recipient", row_id)
        row: dict[str, Any] = {
            "account": entry.account_id, "id": row_id, "gate": entry.gate, "who": who, "kind": entry.subject_kind,
            "subject": subject_id, "basis": entry.basis, "instruction": entry.instruction, "fields": list(entry.fields),
            "named": entry.named, "at": now(), "asked": entry.asked and entry.asked.by,
            "asker": entry.asked and entry.asked.id, "permission": entry.permission_id, "shown_from": entry.shown_from,
        }  # fmt: skip
        self._commit(entry.account_id, row)
        if entry.basis == "permission":
            row["receiver"] = await receiver_blind(self._vault, entry.account_id, entry.recipient)
            if not (await self._db.run(entry.account_id, (_PERMITTED, row)))[0]:
                raise NoPermission
        elif entry.gate == "mail" and entry.subject_kind == "customer":
            if not (await self._db.run(entry.account_id, (_ASKED, row)))[0]:
                raise NobodyAsked("Nobody of the business asked for this letter.")
        else:
            # Nothing is given back: a row that an order hides cannot be seen by who writes it.
            await self._db.run(entry.account_id, (_BEGUN, row), (_BEGUN_WAITS, row))
        return row_id

    def _commit(self, account_id: UUID, row: dict[str, Any]) -> None:
        """Adds to a row what it commits to."""
        written = Written(
            row["id"], row["gate"], row["who"], row["kind"], row["subject"], row["basis"], row["instruction"],
            row["fields"], row["named"], row["at"], row["asked"], row["asker"], row["permission"], row["shown_from"],
        )  # fmt: skip
        row["waiting"], row["commitment"] = new_id(), begun(account_id, written)
        row["seal"] = seal(self._vault, account_id, row["waiting"], row["id"], row["commitment"])

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
        shown_from: datetime | None = None,
    ) -> None:
        """Writes how it ended; `reason` is a word or a status, never what the other side said."""
        if account_id is None:
            ending = "update work.house_ledger set outcome = %s, reason = %s where id = %s"
            await self._db.directory(ending, [outcome, reason, row_id])
            return
        waiting_id, commitment = new_id(), ended(account_id, row_id, outcome, reason)
        sealed = seal(self._vault, account_id, waiting_id, row_id, commitment)
        settle: Statement = ("select desk.settle(%s, %s, %s)", [row_id, outcome, reason])
        update: Statement = (
            "update ledger set outcome = %s, reason = %s where account_id = %s and id = %s",
            [outcome, reason, account_id, row_id],
        )
        waits: Statement = (
            _ENDED_WAITS,
            {
                "account": account_id,
                "waiting": waiting_id,
                "id": row_id,
                "commitment": commitment,
                "seal": sealed,
                "shown_from": shown_from,
            },
        )
        # In this order: the row is locked when what waits draws its turn.
        await self._db.run(account_id, settle if gate == "desk" else update, waits)
