"""Forget: what was told and brought is listed for thirty days; a connection whose time is over ends."""

from datetime import timedelta
from uuid import UUID

from chatinbox.core.clock import now
from chatinbox.core.installation import Installation
from chatinbox.integrations.end import destroy_secret

KEPT = timedelta(days=30)


async def forget_old(inst: Installation, account_id: UUID) -> None:
    """Does both in one account. Secrets of what ended are destroyed once more, should that have been interrupted."""
    before = now() - KEPT
    _, _, _, _, ended = await inst.db.run(
        account_id,
        (
            "delete from connection_delivery where account_id = %s and changed_at < %s and state <> 'waiting'",
            [account_id, before],
        ),
        ("delete from connection_pull where account_id = %s and at < %s", [account_id, before]),
        (
            "update connection set ended_at = expires_at where account_id = %s and ended_at is null and expires_at <= %s",
            [account_id, now()],
        ),
        (
            "delete from connection_knows k using connection c where k.account_id = %s and c.account_id = k.account_id"
            " and c.id = k.connection_id and c.ended_at is not null",
            [account_id],
        ),
        (
            "select id from connection where account_id = %s and ended_at between %s and %s",
            [account_id, before, now()],
        ),
    )
    for (connection_id,) in ended:
        await destroy_secret(inst, account_id, connection_id)
