"""What an account sees of it: each look of the operator's, with who, why, on which ground, and how much was read."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from chatinbox.accounts import people
from chatinbox.accounts.access import note_customers
from chatinbox.accounts.staff import Staff
from chatinbox.core.installation import Installation
from chatinbox.core.vault import Erased
from chatinbox.privacy.glass.grants import Grant, read_grants

_LOOKS = (
    "select a.id, a.grant_id, a.person_id, a.at, a.object, c.number, a.rows, a.handed_at, f.id, c.customer_id, f.name_sealed"
    " from operator_access a"
    " left join attachment f on a.object = 'file' and f.account_id = a.account_id and f.id = a.object_id"
    " left join conversation c on c.account_id = a.account_id and c.id = coalesce(f.conversation_id, a.object_id)"
    " where a.account_id = %s order by a.at desc limit 500"
)


@dataclass(frozen=True, slots=True)
class Seen:
    """One look. `number` is the conversation's; `counts` rows by table. At a file: its name, unless it is gone, and when its
    bytes were handed out.
    """

    id: UUID
    at: datetime
    who: str
    what: str
    number: int | None
    counts: dict[str, int]
    grant: Grant
    handed_at: datetime | None
    file: str | None


async def read_seen(inst: Installation, by: Staff) -> tuple[list[Grant], list[Seen]]:
    """The grants and the looks of their account, the newest first. Raises not-permitted.

    Who is kept out of a channel sees none about customers, as in the ledger. Reading what a file is called is a look at its
    customer.
    """
    by.need("ledger")
    found = {
        one.id: one
        for one in await read_grants(inst, by.account_id)
        if not by.kept_out or one.object == "settings"
    }
    [rows] = await inst.db.run(by.account_id, (_LOOKS, [by.account_id]))
    rows = [row for row in rows if row[1] in found]
    names = await names_of(inst, [row[2] for row in rows])
    called = await names_of_files(inst, by, [row[8:] for row in rows if row[8]])
    looks = [
        Seen(row_id, at, names[person_id], what, number, {name: len(ids) for name, ids in rows_.items() if ids},
          found[grant_id], handed_at, called.get(file_id))
        for row_id, grant_id, person_id, at, what, number, rows_, handed_at, file_id, *_ in rows
    ]  # fmt: skip
    return list(found.values()), looks


@dataclass(frozen=True, slots=True)
class Refusal:
    """What somebody was refused in a day (UTC), and how often they tried."""

    who: str
    first_at: datetime
    last_at: datetime
    count: int


async def read_refusals(inst: Installation, by: Staff) -> list[Refusal]:
    """What people of the operator were refused in their account, the newest first. Raises not-permitted."""
    by.need("ledger")
    ask = (
        "select person_id, first_at, last_at, refused_count from operator_refusal where account_id = %s"
        " order by last_at desc limit 100"
    )
    [rows] = await inst.db.run(by.account_id, (ask, [by.account_id]))
    names = await names_of(inst, [row[0] for row in rows])
    return [Refusal(names[row[0]], *row[1:]) for row in rows]


async def names_of_files(
    inst: Installation, by: Staff, rows: Iterable[tuple[UUID, UUID, bytes]]
) -> dict[UUID, str]:
    """What files are called, of rows that give each one's id, its customer and its sealed name. Noted first as a look at these
    customers; who is being erased is left out.
    """
    found = list(rows)
    keys = inst.vault.known_customer_keys(by.account_id, {customer_id for _, customer_id, _ in found})
    await note_customers(inst, by, keys)
    return {
        file_id: keys[customer_id].open_text(sealed, by.account_id, "attachment", "name", file_id)
        for file_id, customer_id, sealed in found
        if customer_id in keys
    }


async def names_of(inst: Installation, person_ids: Iterable[UUID]) -> dict[UUID, str]:
    """What people of the operator are called here: their name with a number that stays when they are forgotten."""
    return {one: await _name(inst, one) for one in set(person_ids)}


async def _name(inst: Installation, person_id: UUID) -> str:
    number = inst.vault.blind_installation("somebody of the operator", str(person_id)).hex()[:4].upper()
    try:
        return f"{(await people.read_person(inst, person_id)).name} (no. {number})"
    except (Erased, ValueError):
        return f"Somebody who is here no more (no. {number})"
