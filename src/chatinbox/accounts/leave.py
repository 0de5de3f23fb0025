"""Delete one's own sign-in: sessions end, the person's key is destroyed, history stays under a pseudonym."""

import contextlib
from datetime import timedelta
from uuid import UUID

from chatinbox.accounts import people, sessions
from chatinbox.accounts.letters import write_to
from chatinbox.accounts.owners import OWNERS, read_owners
from chatinbox.accounts.photo import remove_photo
from chatinbox.accounts.queries import read_account_name
from chatinbox.accounts.staff import Staff
from chatinbox.accounts.staff_event import staff_changed
from chatinbox.core.clock import now
from chatinbox.core.errors import Refused
from chatinbox.core.ids import NOBODY
from chatinbox.core.installation import Installation
from chatinbox.core.translation.said import said
from chatinbox.core.vault import Erased

TYPED = "delete my sign-in"


async def delete_sign_in(inst: Installation, by: Staff, typed: str) -> None:
    """Deletes the sign-in of whoever acts, in every account. Raises unless the words were typed, and for a last owner."""
    if " ".join(typed.split()).casefold() != TYPED:
        raise Refused(422, said("Type these words to go on: %(words)s", words=TYPED), "typed")
    await delete_person(inst, by.person_id, by.account_id)


async def delete_person(inst: Installation, person_id: UUID, told_by: UUID) -> None:
    """Deletes a sign-in in every account, once it is known that its person wants that. Raises for a last owner.

    `told_by` is an account of theirs, whose ledger has the letter that tells them.
    """
    places = await need_no_last_owner(inst, person_id)
    person = await people.read_person(inst, person_id)
    text = "Your sign-in is deleted, as you asked. What you wrote to customers stays with the accounts you worked in, under a name that is not yours.\n"
    await write_to(inst, told_by, person_id, person.email, "Your sign-in is deleted", text, "deletion of the sign-in", ())  # fmt: skip
    for account_id, staff_user_id in places:
        await _leave(inst, account_id, staff_user_id, person_id)
    await forget_person(inst, person_id)


async def deactivate_person(inst: Installation, person_id: UUID, told_by: UUID) -> None:
    """Ends what somebody opened and lets them go from every account; an owner of one can take them back. Raises as
    `delete_person`.
    """
    places = await need_no_last_owner(inst, person_id)
    person = await people.read_person(inst, person_id)
    for account_id, staff_user_id in places:
        await _leave(inst, account_id, staff_user_id, person_id, keeps_photo=True)
    await sessions.end_others(inst, person_id, None)
    text = "Your sign-in is deactivated, as you asked: nobody can sign in with it. An owner of an account you worked in can take you back.\n"
    await write_to(inst, told_by, person_id, person.email, "Your sign-in is deactivated", text, "deactivation of the sign-in", ())  # fmt: skip


async def need_no_last_owner(inst: Installation, person_id: UUID) -> list[tuple[UUID, UUID]]:
    """Where somebody works. Raises a sentence when one of the accounts would be nobody's without them."""
    places = await people.works_in(inst, person_id)
    for account_id, _ in places:
        await _need_other_owner(inst, account_id, person_id)
    return places


async def forget_person(inst: Installation, person_id: UUID) -> None:
    """Ends what somebody opened, removes their photo and what the directory knows, destroys their key. Twice is fine."""
    await sessions.end_others(inst, person_id, None)
    with contextlib.suppress(Erased):
        await remove_photo(inst, person_id)
    await inst.db.directory("select directory.forget_person(%s, %s)", [person_id, now()])
    await inst.vault.destroy("person", NOBODY, person_id)


async def forget_gone(inst: Installation) -> None:
    """Removes the ids of people who deleted their sign-in, a day after their sessions ended."""
    await inst.db.directory("select directory.forget_gone_people(%s)", [now() - timedelta(days=1)])


async def _need_other_owner(inst: Installation, account_id: UUID, person_id: UUID) -> None:
    if await read_owners(inst, account_id) == [person_id]:
        raise await _last_owner(inst, account_id)


async def _last_owner(inst: Installation, account_id: UUID) -> Refused:
    name = await read_account_name(inst, account_id)
    sentence = said(
        "You are the last owner of %(name)s. Hand it over to a colleague, or close it, first.", name=name
    )
    return Refused(409, sentence, "last_owner")


async def _leave(
    inst: Installation, account_id: UUID, staff_user_id: UUID, person_id: UUID, *, keeps_photo: bool = False
) -> None:
    """Leaves one account. Its owners are locked meanwhile, so that two who leave at once cannot both be the last but one."""
    async with inst.db.account(account_id) as tx:
        if await tx.all(f"{OWNERS} for update", [account_id]) == [(person_id,)]:
            raise await _last_owner(inst, account_id)
        await tx.execute(
            "update staff_user set deactivated_at = coalesce(deactivated_at, %s), photo_id = case when %s then photo_id end"
            " where account_id = %s and id = %s",
            [now(), keeps_photo, account_id, staff_user_id],
        )
        await tx.execute(*staff_changed(account_id))
