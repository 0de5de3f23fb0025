"""Claim an address: a visitor says where answers shall go. It proves nothing, so it merges nobody with anybody."""

from uuid import UUID

from chatinbox.conversations.change import change
from chatinbox.core.addresses import is_email
from chatinbox.core.clock import now
from chatinbox.core.db import Statement
from chatinbox.core.errors import bad_request, not_found
from chatinbox.core.installation import Installation
from chatinbox.customers.addresses import write_address
from chatinbox.customers.source import Source


async def claim_address(
    inst: Installation,
    account_id: UUID,
    conversation_id: UUID,
    customer_id: UUID,
    channel_id: UUID,
    email: str,
) -> str:
    """Keeps the address, unproven, in place of one that was claimed before; the address as kept.

    Raises bad-request for what is no address.
    """
    address = email.strip()
    if not is_email(address):
        raise bad_request("Please write a whole address, like you@example.com.", "address")
    key = await inst.vault.customer_key(account_id, customer_id)
    before: Statement = (
        "delete from address where account_id = %s and customer_id = %s and kind = 'email' and proven_at is null",
        [account_id, customer_id],
    )
    source = Source("channel", channel_id, now())
    written = await write_address(inst, key, account_id, customer_id, address, source, proven=False)
    told = change(
        account_id, conversation_id, "address.claimed", sets="", shown=False, subject_id=customer_id
    )
    *_, rows = await inst.db.run(account_id, before, *written, told)
    if not rows:
        raise not_found()
    inst.bell.ring(account_id, rows[0][1], conversation_id)
    return address
