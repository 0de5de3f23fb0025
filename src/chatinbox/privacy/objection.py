"""Objection (GDPR Art. 21): somebody does not want to be written to. They are answered when they write themselves."""

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from chatinbox.accounts.change_log import noted
from chatinbox.accounts.staff import Staff
from chatinbox.conversations.change import tell
from chatinbox.core.clock import now
from chatinbox.core.destroyed import OBJECTED, OBJECTION_ENDED, Line
from chatinbox.core.errors import Refused
from chatinbox.core.installation import Installation
from chatinbox.privacy.whose import FAMILY, need_whole

_KINDS = (OBJECTED, OBJECTION_ENDED)
_SET = f"""
{FAMILY}, was as (select c.id, c.objected_at as at from customer c join family f on f.id = c.id
  where c.account_id = %(account)s for update of c)
update customer c set objected_at = %(at)s::timestamptz from was
 where c.account_id = %(account)s and c.id = was.id and (was.at is null) <> (%(at)s::timestamptz is null) returning c.id, was.at"""


async def note_objection(inst: Installation, by: Staff, customer_id: UUID) -> None:
    """Notes it: from now on answers are refused until they write. Raises not-found, not-permitted, and when it stands already."""
    await _set(inst, by, customer_id, now(), "customer.objected", "objection.begun")


async def end_objection(inst: Installation, by: Staff, customer_id: UUID) -> None:
    """They took it back. Raises as `note_objection`, and when there is none."""
    await _set(inst, by, customer_id, None, "customer.objection_ended", "objection.ended")


async def object_again(inst: Installation, account_id: UUID, lines: Iterable[Line]) -> int:
    """After an older copy was put back, notes and takes back in one account what its lines say; how many."""
    told = [
        (one.kind, one.subject_id, datetime.fromisoformat(one.more[0])) for one in lines if one.kind in _KINDS
    ]
    over = [(customer_id, at) for kind, customer_id, at in told if kind == OBJECTION_ENDED]
    stand = {c: at for kind, c, at in told if kind == OBJECTED and (c, at) not in over}
    text = "update customer set objected_at = %s where account_id = %s and id = %s and {} returning 1"
    changed = 0
    for customer_id, at in over:
        ended = text.format("objected_at = %s"), [None, account_id, customer_id, at]
        changed += len((await inst.db.run(account_id, ended))[0])
    for customer_id, at in stand.items():
        noted_again = text.format("objected_at is distinct from %s"), [at, account_id, customer_id, at]
        changed += len((await inst.db.run(account_id, noted_again))[0])
    return changed


async def _set(
    inst: Installation, by: Staff, customer_id: UUID, at: datetime | None, what: str, event: str
) -> None:
    by.need("customers")
    root = await need_whole(inst, by.account_id, customer_id, by)
    key = await inst.vault.account_key(by.account_id)
    asked = {"account": by.account_id, "customer": root, "at": at}
    async with inst.db.account(by.account_id) as tx:
        changed = await tx.all(_SET, asked)
        if not changed:
            raise Refused(409, "It stands so already.", "objection")
        *_, told = await tx.many(
            noted(key, by, what, subject_id=root), tell(by.account_id, event, by.staff_user_id, root)
        )
        if at:
            for customer_id, _ in changed:
                await inst.vault.write_down(OBJECTED, by.account_id, customer_id, at.isoformat())
    if at is None:
        for customer_id, since in changed:
            await inst.vault.write_down(OBJECTION_ENDED, by.account_id, customer_id, since.isoformat())
    inst.bell.ring(by.account_id, told[0][0])
