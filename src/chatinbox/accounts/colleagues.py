"""Colleagues: change a role, let somebody go, take them back. An account keeps at least one owner."""

from collections.abc import Sequence
from uuid import UUID

from chatinbox.accounts import sessions
from chatinbox.accounts.change_log import noted
from chatinbox.accounts.invite import withdraw_of
from chatinbox.accounts.owners import OWNERS
from chatinbox.accounts.roles import Given, given, need_over
from chatinbox.accounts.staff import Staff
from chatinbox.accounts.staff_event import staff_changed
from chatinbox.core.clock import now
from chatinbox.core.errors import Refused, not_found
from chatinbox.core.installation import Installation

_LAST = Refused(409, "This is the last owner. Hand the account over to a colleague first.", "last_owner")
_WHO = "select person_id, role, role_id, deactivated_at from staff_user where account_id = %s and id = %s for update"


async def set_role(inst: Installation, by: Staff, staff_user_id: UUID, asked: str) -> Given:
    """Gives a colleague a role: a built-in one's word, or the id of one of the account's own; what they are now.

    Raises not-found, owners-only, more-than-own, last-owner.
    """
    by.need("staff")
    new = await given(inst, by, asked)
    sets, values = "role = %s, role_id = %s", [new.role, new.role_id]
    await _change(inst, by, staff_user_id, "staff.role", sets, values, new.name, losing=new.role != "owner")
    return new


async def deactivate(inst: Installation, by: Staff, staff_user_id: UUID) -> None:
    """Lets a colleague go: what they wrote stays, their sessions here end. Raises as `set_role`."""
    by.need("staff")
    await _change(inst, by, staff_user_id, "staff.left", "deactivated_at = %s", [now()], "left", losing=True)


async def reactivate(inst: Installation, by: Staff, staff_user_id: UUID) -> None:
    """Takes a colleague back."""
    by.need("staff")
    sets = "deactivated_at = %s"
    await _change(inst, by, staff_user_id, "staff.returned", sets, [None], "here again", losing=False)


async def _change(
    inst: Installation,
    by: Staff,
    staff_user_id: UUID,
    what: str,
    sets: str,
    values: Sequence[object],
    after: str,
    losing: bool,
) -> None:
    key = await inst.vault.account_key(by.account_id)
    async with inst.db.account(by.account_id) as tx:
        owners = await tx.all(f"{OWNERS} for update", [by.account_id])
        row = await tx.one(_WHO, [by.account_id, staff_user_id])
        if row is None:
            raise not_found()
        if losing and owners == [(row[0],)]:
            raise _LAST
        need_over(by, row[1])
        await tx.execute(
            f"update staff_user set {sets} where account_id = %s and id = %s",
            [*values, by.account_id, staff_user_id],
        )
        await tx.execute(*staff_changed(by.account_id))
        await tx.execute(*noted(key, by, what, after=after, subject_id=staff_user_id))
    await sessions.end_in_account(inst, row[0], by.account_id)
    if losing:
        await withdraw_of(inst, by.account_id, row[0])
