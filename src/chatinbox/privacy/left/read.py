"""What left an account: its ledger, opened for whoever may read it (clause C33)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from chatinbox.accounts.queries import GONE, staff_names
from chatinbox.accounts.staff import Staff
from chatinbox.core.installation import Installation
from chatinbox.core.vault import Erased, SealKey
from chatinbox.integrations.connection import read_names

PAGE = 100
BASIS = {
    "permission": "a permission was given",
    "service": "a service that was asked for",
    "integration": "staff connected it",
    "subprocessor": "a company that works for us",
    "law": "an order of the law",
    "rights": "rights, property or safety",
    "fraud": "against fraud",
}
OUTCOME = {
    "begun": "on its way, or broken off",
    "taken": "taken",
    "refused": "refused by the other side",
    "unreachable": "not reached",
    "withheld": "withheld by us",
}
ASKED = {
    "request": "the person’s own request",
    "rule": "a rule of the business",
    "setting": "a setting of the business",
    "earlier": "written before this was noted",
}
_PEOPLE = ("staff", "act")
COLUMNS = (
    "id, at, gate, recipient_sealed, subject_kind, subject_id, basis, instruction, fields, outcome, asked_by,"
    " case asked_by when 'act' then asked_id else"
    "  (select m.staff_user_id from message m where m.account_id = ledger.account_id and m.id = ledger.asked_id) end"
)
"""Of the ledger, what `open_rows` takes."""
GATES = {
    "mail": "letters", "http": "requests to other servers", "mailbox": "mailboxes that are asked",
    "desk": "what the operator handed over by order of the law or against a danger",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Left:
    """One row. `recipient` is None when it was about somebody who was erased since. `asked_by`: who of the business, in words."""

    id: UUID
    at: datetime
    gate: str
    recipient: str | None
    basis: str
    instruction: str
    fields: list[str]
    outcome: str
    asked_by: str


async def read_ledger(
    inst: Installation, by: Staff, gate: str | None = None, before: datetime | None = None, most: int = PAGE
) -> list[Left]:
    """The newest rows before a time, of one gate or all. Raises not-permitted.

    Who is kept out of a channel sees none about customers: a row does not say by which channel it came to be.
    """
    by.need("ledger")
    [rows] = await inst.db.run(
        by.account_id,
        (
            f"select {COLUMNS} from ledger"
            " where account_id = %s and (%s::text is null or gate = %s) and (%s::timestamptz is null or at < %s)"
            " and (subject_kind <> 'customer' or %s) order by at desc, id desc limit %s",
            [by.account_id, gate, gate, before, before, not by.kept_out, most],
        ),
    )
    return await open_rows(inst, by.account_id, rows)


async def open_rows(inst: Installation, account_id: UUID, rows: list[Any]) -> list[Left]:
    """Rows of the ledger (`COLUMNS`), with what is sealed in them opened."""
    keys = await _keys(inst, account_id, {(row[4], row[5]) for row in rows})
    programs = await read_names(inst, account_id) if any(row[6] == "integration" for row in rows) else {}
    by_staff = any(asked in _PEOPLE for *_, asked, _ in rows)
    names = await staff_names(inst, account_id) if by_staff else {}

    def words(asked: str | None, staff_user_id: UUID | None) -> str:
        if asked not in _PEOPLE:
            return ASKED[asked] if asked else ""
        return names.get(staff_user_id, GONE) if staff_user_id else "staff, in a message that is gone"

    left = []
    for row_id, at, gate, who, kind, subject, basis, instruction, fields, outcome, *asked in rows:
        recipient = _opened(keys.get((kind, subject)), who, account_id, row_id)
        by = programs.get(instruction, instruction)
        left.append(Left(row_id, at, gate, recipient, basis, by, fields, outcome, words(*asked)))
    return left


def _opened(key: SealKey | None, who: bytes, account_id: UUID, row_id: UUID) -> str | None:
    return key.open_text(who, account_id, "ledger", "recipient", row_id) if key else None


async def _keys(
    inst: Installation, account_id: UUID, subjects: set[tuple[str, UUID]]
) -> dict[tuple[str, UUID], SealKey]:
    found: dict[tuple[str, UUID], SealKey] = {
        ("customer", one): key
        for one, key in inst.vault.known_customer_keys(
            account_id, {one for kind, one in subjects if kind == "customer"}
        ).items()
    }
    for kind, one in subjects:
        if kind == "customer":
            continue
        try:
            key = await (
                inst.vault.person_key(one) if kind == "person" else inst.vault.account_key(account_id)
            )
        except Erased:
            continue
        found[kind, one] = key
    return found


def cells(left: Left) -> Sequence[Any]:
    """A row as a line of a sheet."""
    return (
        left.at.isoformat(), GATES[left.gate], left.recipient or "erased", BASIS.get(left.basis, left.basis),
        f"{left.instruction} ({left.asked_by})" if left.asked_by else left.instruction, ", ".join(left.fields),
        OUTCOME[left.outcome],
    )  # fmt: skip


HEAD = ("When (UTC)", "By", "To", "Why", "On whose word", "What", "How it ended")
