"""Erasures of an account: those that wait, are under way, and are done."""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from chatinbox.accounts.staff import Staff
from chatinbox.core.db import Rows
from chatinbox.core.errors import not_found
from chatinbox.core.installation import Installation
from chatinbox.privacy.erasure.quoted import Quoted, list_quoted
from chatinbox.privacy.erasure.receipt import HORIZON, Receipt, paper
from chatinbox.privacy.erasure.receivers import Receiver, open_receivers

_COLUMNS = "id, customer_id, staff_user_id, asked_at, due_at, begun_at, done_at, counts, signature, held_at, rule_id, conversations, case_id, receivers_sealed, review, reviewed_at"
SIGHT = "(%s or staff_user_id = %s)"
"""Who is kept out of a channel sees, and takes back, what they asked for themselves: another customer may be another team's."""


@dataclass(frozen=True, slots=True)
class Erasure:
    """One of them. `counts` grows while it is under way. `held_at` since when only what is held is left; `conversations` where
    only these are erased. With a `case_id` it follows the person's own request.
    """

    id: UUID
    customer_id: UUID
    staff_user_id: UUID | None
    asked_at: datetime
    due_at: datetime
    begun_at: datetime | None
    done_at: datetime | None
    counts: dict[str, int]
    signature: bytes | None
    held_at: datetime | None
    rule_id: UUID | None
    conversations: list[UUID] | None
    case_id: UUID | None
    receivers_sealed: bytes | None
    review: list[UUID] | None
    reviewed_at: datetime | None
    receivers: tuple[Receiver, ...] | None = None
    quoted: tuple[Quoted, ...] = ()

    @property
    def unreadable_from(self) -> datetime | None:
        """From when no backup opens it either."""
        return self.done_at + HORIZON if self.done_at and self.conversations is None else None


async def list_erasures(inst: Installation, by: Staff, customer_id: UUID | None = None) -> list[Erasure]:
    """The last hundred, newest first; or those of one customer."""
    by.need("erase")
    [rows] = await inst.db.run(
        by.account_id,
        (
            f"select {_COLUMNS} from erasure where account_id = %s and (%s::uuid is null or customer_id = %s)"
            f" and {SIGHT} order by asked_at desc limit 100",
            [by.account_id, customer_id, customer_id, not by.kept_out, by.staff_user_id],
        ),
    )
    found = [Erasure(*row) for row in rows]
    seen = await list_quoted(inst, by, [talk for one in found for talk in one.review or ()])
    return [
        replace(
            one,
            receivers=await _receivers(inst, by.account_id, one),
            quoted=tuple(talk for talk in seen if talk.id in (one.review or ())),
        )
        for one in found
    ]


async def read_receipt(inst: Installation, by: Staff, erasure_id: UUID) -> dict[str, Any]:
    """The signed receipt of one that is done. Raises not-found."""
    by.need("erase")
    [rows] = await inst.db.run(
        by.account_id,
        (
            f"select {_COLUMNS} from erasure where account_id = %s and id = %s and done_at is not null and {SIGHT}",
            [by.account_id, erasure_id, not by.kept_out, by.staff_user_id],
        ),
    )
    return await _paper(inst, by.account_id, rows)


async def read_receipt_of_case(inst: Installation, account_id: UUID, case_id: UUID) -> dict[str, Any]:
    """The receipt of what followed a person's own request, for that person. Raises not-found."""
    columns = ", ".join(f"e.{name}" for name in _COLUMNS.split(", "))
    [rows] = await inst.db.run(
        account_id,
        (
            f"select {columns} from erasure e join data_case d on d.account_id = e.account_id and d.erasure_id = e.id"
            " where d.account_id = %s and d.id = %s and e.done_at is not null",
            [account_id, case_id],
        ),
    )
    return await _paper(inst, account_id, rows)


async def _receivers(inst: Installation, account_id: UUID, one: Erasure) -> tuple[Receiver, ...] | None:
    return await open_receivers(inst, account_id, one.id, one.receivers_sealed)


async def _paper(inst: Installation, account_id: UUID, rows: Rows) -> dict[str, Any]:
    if not rows:
        raise not_found()
    one = Erasure(*rows[0])
    assert one.begun_at and one.done_at and one.signature
    receipt = Receipt.of(
        one.id,
        account_id,
        one.customer_id,
        one.asked_at,
        one.begun_at,
        one.done_at,
        one.counts,
        keeps_key=one.conversations is not None,
        receivers=await _receivers(inst, account_id, one),
    )
    return paper(inst.vault, receipt, bytes(one.signature))
