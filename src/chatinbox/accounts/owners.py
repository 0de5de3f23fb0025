"""Owners of an account: which rows they are, and a letter to all of them."""

from collections import Counter
from collections.abc import Iterable
from uuid import UUID

from chatinbox.accounts import people
from chatinbox.accounts.letters import write_to
from chatinbox.core.egress.ledger import Outcome
from chatinbox.core.installation import Installation

OWNERS = (
    "select person_id from staff_user where account_id = %s and role = 'owner' and deactivated_at is null"
)


async def read_owners(inst: Installation, account_id: UUID) -> list[UUID]:
    """Their person ids."""
    [rows] = await inst.db.run(account_id, (OWNERS, [account_id]))
    return [row[0] for row in rows]


async def tell(
    inst: Installation,
    account_id: UUID,
    subject: str,
    text: str,
    occasion: str,
    fields: tuple[str, ...],
    *,
    once: Iterable[UUID] = (),
    again: bool = False,
) -> Counter[Outcome]:
    """Sends each of them the same letter, and who was one until now (`once`, their person ids). How the letters ended: as
    many were told as were `taken`; nothing where there is no owner. While a server cannot be reached, a letter is tried
    `again` for a day; where not, whoever called does so.
    """
    ended: Counter[Outcome] = Counter()
    for person_id in dict.fromkeys([*once, *await read_owners(inst, account_id)]):
        person = await people.read_person(inst, person_id)
        outcome = await write_to(
            inst, account_id, person_id, person.email, subject, text, occasion, fields, again=again
        )
        ended[outcome] += 1
    return ended


def is_nobody_reached(ended: Counter[Outcome]) -> bool:
    """Whether a letter left to none of them, and one may later: they are not told yet."""
    return not ended["taken"] and bool(ended["unreachable"])
