"""Owners of an account: who they are, and letters to all of them."""

from collections.abc import Iterable
from uuid import UUID

from chatinbox.accounts import people
from chatinbox.accounts.letters import write_to
from chatinbox.core.installation import Installation

OWNERS = (
    "select person_id from staff_user where account_id = %s and role = 'owner' and deactivated_at is null"
)


async def owners(inst: Installation, account_id: UUID) -> list[people.Person]:
    """Who owns an account."""
    [rows] = await inst.db.run(account_id, (OWNERS, [account_id]))
    return [await people.read_person(inst, row[0]) for row in rows]


async def tell(
    inst: Installation, account_id: UUID, whom: Iterable[people.Person], subject: str, text: str, basis: str
) -> None:
    """Sends each of them the same letter."""
    for owner in whom:
        await write_to(inst, account_id, owner.id, owner.email, subject, text, basis)
