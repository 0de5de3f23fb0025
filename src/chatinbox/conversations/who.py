"""Whose key opens a conversation: kept in memory, because a conversation never changes its customer."""

from collections import OrderedDict
from uuid import UUID

from chatinbox.core.errors import not_found
from chatinbox.core.installation import Installation
from chatinbox.core.vault import SealKey

_LIMIT = 100_000
_customers: OrderedDict[tuple[UUID, UUID], UUID] = OrderedDict()


async def customer_of(inst: Installation, account_id: UUID, conversation_id: UUID) -> UUID:
    """The customer whose key seals this conversation; raises the one not-found answer."""
    known = _customers.get((account_id, conversation_id))
    if known:
        return known
    [rows] = await inst.db.run(
        account_id,
        (
            "select customer_id from conversation where account_id = %s and id = %s",
            [account_id, conversation_id],
        ),
    )
    if not rows:
        raise not_found()
    remember(account_id, conversation_id, rows[0][0])
    customer_id: UUID = rows[0][0]
    return customer_id


def remember(account_id: UUID, conversation_id: UUID, customer_id: UUID) -> None:
    """Notes what was just read or written."""
    _customers[account_id, conversation_id] = customer_id
    if len(_customers) > _LIMIT:
        _customers.popitem(last=False)


async def key_of(inst: Installation, account_id: UUID, conversation_id: UUID) -> SealKey:
    """The key that seals this conversation."""
    return await inst.vault.customer_key(account_id, await customer_of(inst, account_id, conversation_id))
