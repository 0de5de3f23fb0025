"""Change one's own name, everywhere one works."""

from uuid import UUID

from chatinbox.accounts.people import works_in
from chatinbox.accounts.staff import Staff
from chatinbox.core.errors import Refused
from chatinbox.core.ids import NOBODY
from chatinbox.core.installation import Installation
from chatinbox.core.visible import one_line


async def rename_self(inst: Installation, by: Staff, name: str) -> None:
    """Sets one's full name. Raises as `rename_person`."""
    await rename_person(inst, by.person_id, name)


async def rename_person(inst: Installation, person_id: UUID, name: str) -> None:
    """Sets somebody's full name. Raises a sentence when it is empty or too long."""
    name = one_line(name)
    if not 1 <= len(name) <= 120:
        raise Refused(422, "Write your full name.", "name")
    key = await inst.vault.person_key(person_id)
    sealed = key.seal(name, NOBODY, "person", "name", person_id)
    await inst.db.directory("select directory.rename_person(%s, %s)", [person_id, sealed])
    for account_id, staff_user_id in await works_in(inst, person_id):
        shown = key.seal(name, account_id, "staff_user", "name", staff_user_id)
        await inst.db.run(
            account_id,
            (
                "update staff_user set name_sealed = %s where account_id = %s and id = %s",
                [shown, account_id, staff_user_id],
            ),
        )
