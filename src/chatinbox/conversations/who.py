"""Whose key opens a conversation: kept in memory, because a conversation never changes its customer."""

from collections import OrderedDict
from uuid import UUID

from chatinbox.accounts.staff import Staff
from chatinbox.core.errors import not_found
from chatinbox.core.installation import Installation
from chatinbox.core.vault import Erased, SealKey

_LIMIT = 100_000
SIGHT = " and c.channel_id <> all(%(kept_out)s::uuid[])"
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


async def in_sight(inst: Installation, by: Staff, conversation_id: UUID) -> None:
    """Raises the one not-found answer for a conversation of a channel that other teams have, and for one whose customer's key is
    gone: what is being erased is not there any more. Only of who is kept out more is asked.
    """
    try:
        await key_of(inst, by.account_id, conversation_id)
    except Erased:
        raise not_found() from None
    if not by.kept_out:
        return
    ask = f"select 1 from conversation c where c.account_id = %s and c.id = %s{SIGHT}".replace(
        "%(kept_out)s", "%s"
    )
    [rows] = await inst.db.run(by.account_id, (ask, [by.account_id, conversation_id, list(by.kept_out)]))
    if not rows:
        raise not_found()


async def customer_for(inst: Installation, by: Staff, conversation_id: UUID) -> UUID:
    """As `customer_of`, for a staff user who may see it."""
    await in_sight(inst, by, conversation_id)
    return await customer_of(inst, by.account_id, conversation_id)


def sight(by: Staff) -> str:
    """What is added to a condition on conversations `c` for who is kept out of channels; `kept_out` is its value."""
    return SIGHT if by.kept_out else ""


def remember(account_id: UUID, conversation_id: UUID, customer_id: UUID) -> None:
    """Notes what was just read or written."""
    _customers[account_id, conversation_id] = customer_id
    if len(_customers) > _LIMIT:
        _customers.popitem(last=False)


async def key_of(inst: Installation, account_id: UUID, conversation_id: UUID) -> SealKey:
    """The key that seals this conversation."""
    return await inst.vault.customer_key(account_id, await customer_of(inst, account_id, conversation_id))
