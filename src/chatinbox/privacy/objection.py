"""Objection (GDPR Art. 21): somebody does not want to be written to. They are answered when they write themselves."""

from datetime import datetime
from uuid import UUID

from chatinbox.accounts.change_log import noted
from chatinbox.accounts.staff import Staff
from chatinbox.conversations.change import tell
from chatinbox.core.clock import now
from chatinbox.core.errors import Refused
from chatinbox.core.installation import Installation
from chatinbox.privacy.whose import FAMILY, need_whole


async def note_objection(inst: Installation, by: Staff, customer_id: UUID) -> None:
    """Notes it: from now on answers are refused until they write. Raises not-found, not-permitted, and when it stands already."""
    await _set(inst, by, customer_id, now(), "customer.objected", "objection.begun")


async def end_objection(inst: Installation, by: Staff, customer_id: UUID) -> None:
    """They took it back. Raises as `note_objection`, and when there is none."""
    await _set(inst, by, customer_id, None, "customer.objection_ended", "objection.ended")


async def _set(
    inst: Installation, by: Staff, customer_id: UUID, at: datetime | None, what: str, event: str
) -> None:
    by.need("customers")
    root = await need_whole(inst, by.account_id, customer_id, by)
    key = await inst.vault.account_key(by.account_id)
    asked = {"account": by.account_id, "customer": root, "at": at}
    async with inst.db.account(by.account_id) as tx:
        changed = await tx.all(
            f"{FAMILY} update customer c set objected_at = %(at)s::timestamptz from family where c.account_id = %(account)s"
            " and c.id = family.id and (c.objected_at is null) <> (%(at)s::timestamptz is null) returning 1",
            asked,
        )
        if not changed:
            raise Refused(409, "It stands so already.", "objection")
        *_, told = await tx.many(
            noted(key, by, what, subject_id=root), tell(by.account_id, event, by.staff_user_id, root)
        )
    inst.bell.ring(by.account_id, told[0][0])
