"""Handing over: an owner makes a colleague an owner, and stays one or steps back. Every owner hears of it by letter."""

from uuid import UUID

from chatinbox.accounts import owners, people, sessions
from chatinbox.accounts.change_log import noted
from chatinbox.accounts.queries import read_account_name
from chatinbox.accounts.staff import Role, Staff
from chatinbox.accounts.staff_event import staff_changed
from chatinbox.core.clock import now
from chatinbox.core.errors import Refused, not_found
from chatinbox.core.installation import Installation

STAYS: dict[Role, str] = {
    "owner": "Stay an owner, too",
    "admin": "Become an admin",
    "staff": "Become staff",
}
_COLLEAGUE = "select person_id, role from staff_user where account_id = %s and id = %s and deactivated_at is null for update"
_BECOMES = "update staff_user set role = %s, role_id = null where account_id = %s and id = %s"


async def hand_over(inst: Installation, by: Staff, staff_user_id: UUID, stays: str) -> str:
    """Makes a colleague an owner; `by` is afterwards what `stays` says. What the new owner is called.

    Nobody becomes an owner of an account in another way than this and signing up. Nobody has to sign in anew: open sessions
    may at once what they may now. Raises owners-only, not-found, and a sentence for who is an owner already.
    """
    if by.role != "owner":
        raise Refused(403, "Only an owner makes somebody an owner.", "owners_only")
    if stays not in STAYS:
        raise Refused(422, "Choose what you will be afterwards.", "stays")
    key = await inst.vault.account_key(by.account_id)
    async with inst.db.account(by.account_id) as tx:
        until_now = [row[0] for row in await tx.all(f"{owners.OWNERS} for update", [by.account_id])]
        if by.person_id not in until_now:
            raise Refused(403, "You are no owner of this account any more.", "owners_only")
        row = await tx.one(_COLLEAGUE, [by.account_id, staff_user_id])
        if row is None:
            raise not_found()
        if row[1] == "owner":
            raise Refused(409, "They are an owner already.", "id")
        await tx.execute(_BECOMES, ["owner", by.account_id, staff_user_id])
        await tx.execute(*noted(key, by, "staff.owner", subject_id=staff_user_id))
        if stays != "owner":
            await tx.execute(_BECOMES, [stays, by.account_id, by.staff_user_id])
            await tx.execute(*noted(key, by, "staff.stepped_back", after=stays.capitalize()))
        await tx.execute(*staff_changed(by.account_id))
    await sessions.staff_changed(inst, by.account_id)
    new = await people.read_person(inst, row[0])
    await _tell(inst, by, new.name, stays, until_now)
    return new.name


async def _tell(inst: Installation, by: Staff, new: str, stays: str, until_now: list[UUID]) -> None:
    account, at = await read_account_name(inst, by.account_id), f"{now():%-d %B %Y at %H:%M} UTC"
    did = f"{by.name} made {new} an owner of {account}"
    if stays != "owner":
        did = f"{by.name} handed {account} over to {new}, and is no owner of it any more"
    text = (
        f"{did}.\n\nThis was on {at}. An owner may do everything in an account, and close it. If this should not have been,"
        f" another owner can change it back here:\n\n{inst.settings.public_url}/settings/people\n\nIf it was done in your name"
        f" and not by you, choose a new password now; that ends every session:\n\n{inst.settings.public_url}/reset\n"
    )
    subject = f"{account} has a new owner"
    fields = ("names", "name of the account", "what was changed", "time", "links")
    await owners.tell(
        inst, by.account_id, subject, text, "account handed over", fields, once=until_now, again=True
    )
