"""Whose: a customer with everybody who turned out to be them, for who may see all of it."""

from uuid import UUID

from chatinbox.accounts.staff import Staff
from chatinbox.core.errors import Refused, not_found
from chatinbox.core.installation import Installation

FAMILY = (
    "with recursive family as (select id from customer where account_id = %(account)s and id = %(customer)s"
    " union select c.id from customer c join family f on c.merged_into = f.id where c.account_id = %(account)s)"
)
"""A customer and everybody who turned out to be them."""
_ROOT = "select coalesce(merged_into, id) from customer where account_id = %s and id = %s"
_SEEN = f"""{FAMILY}
select exists (select from conversation c where {{theirs}} and c.channel_id <> all(%(kept_out)s::uuid[])),
  exists (select from conversation c where {{theirs}} and c.channel_id = any(%(kept_out)s::uuid[]))""".replace(
    "{theirs}", "c.account_id = %(account)s and c.customer_id in (select id from family)"
)


async def need_whole(inst: Installation, account_id: UUID, customer_id: UUID, by: Staff | None) -> UUID:
    """The customer they turned out to be. Raises not-found, also for one who is known to other teams alone, and a sentence
    when only part of them may be seen.
    """
    root, sees_all = await whose(inst, account_id, customer_id, by)
    if not sees_all:
        raise Refused(
            409, "Some of their conversations are another team's. Ask somebody who sees all.", "team"
        )
    return root


async def whose(
    inst: Installation, account_id: UUID, customer_id: UUID, by: Staff | None
) -> tuple[UUID, bool]:
    """The customer they turned out to be, and whether all of them may be seen. Raises not-found as `need_whole`."""
    [rows] = await inst.db.run(account_id, (_ROOT, [account_id, customer_id]))
    if not rows:
        raise not_found()
    root = UUID(str(rows[0][0]))
    if by and by.kept_out:
        ask = {"account": account_id, "customer": root, "kept_out": list(by.kept_out)}
        [[(seen, hidden)]] = await inst.db.run(account_id, (_SEEN, ask))
        if hidden and not seen:
            raise not_found()
        return root, not hidden
    return root, True


async def family_of(inst: Installation, account_id: UUID, customer_id: UUID) -> list[UUID]:
    """The ids of a customer and everybody who turned out to be them; none when they are gone."""
    ask = {"account": account_id, "customer": customer_id}
    [rows] = await inst.db.run(account_id, (f"{FAMILY} select id from family", ask))
    return [row[0] for row in rows]
