"""Colleagues: change a role, let somebody go, take them back. An account keeps at least one owner."""

from uuid import UUID

from chatinbox.accounts import sessions
from chatinbox.accounts.invite import withdraw_of
from chatinbox.accounts.staff import Role, Staff
from chatinbox.accounts.staff_event import staff_changed
from chatinbox.core.clock import now
from chatinbox.core.errors import Refused, not_found
from chatinbox.core.installation import Installation

_LAST = Refused(409, "This is the last owner. Make somebody else an owner first.", "last_owner")


async def set_role(inst: Installation, by: Staff, staff_user_id: UUID, role: Role) -> None:
    """Makes a colleague owner or staff. Raises not-found, owners-only, last-owner."""
    by.need("staff")
    await _change(inst, by, staff_user_id, "role = %s", role, losing=role != "owner")


async def deactivate(inst: Installation, by: Staff, staff_user_id: UUID) -> None:
    """Lets a colleague go: what they wrote stays, their sessions here end. Raises as `set_role`."""
    by.need("staff")
    await _change(inst, by, staff_user_id, "deactivated_at = %s", now(), losing=True)


async def reactivate(inst: Installation, by: Staff, staff_user_id: UUID) -> None:
    """Takes a colleague back."""
    by.need("staff")
    await _change(inst, by, staff_user_id, "deactivated_at = %s", None, losing=False)


async def _change(
    inst: Installation, by: Staff, staff_user_id: UUID, sets: str, value: object, losing: bool
) -> None:
    async with inst.db.account(by.account_id) as tx:
        owners = await tx.all(
            "select id from staff_user where account_id = %s and role = 'owner' and deactivated_at is null for update",
            [by.account_id],
        )
        if losing and [row[0] for row in owners] == [staff_user_id]:
            raise _LAST
        row = await tx.one(
            f"update staff_user set {sets} where account_id = %s and id = %s returning person_id",
            [value, by.account_id, staff_user_id],
        )
        if row is None:
            raise not_found()
        await tx.execute(*staff_changed(by.account_id))
    await sessions.end_in_account(inst, row[0], by.account_id)
    if losing:
        await withdraw_of(inst, by.account_id, row[0])
