"""Forget: what was told and brought is listed for thirty days; a connection whose time is over ends, two weeks after a letter."""

from datetime import timedelta
from uuid import UUID

from chatinbox.core.clock import now
from chatinbox.core.installation import Installation
from chatinbox.integrations.end import destroy_secret
from chatinbox.integrations.letters import write_about
from chatinbox.integrations.stands import look_after

KEPT = timedelta(days=30)
WARNED = timedelta(days=14)


async def forget_old(inst: Installation, account_id: UUID) -> None:
    """Does it in one account. Secrets of what ended are destroyed once more, should that have been interrupted."""
    await _warn(inst, account_id)
    before = now() - KEPT
    _, _, _, _, ended = await inst.db.run(
        account_id,
        (
            "delete from connection_delivery where account_id = %s and changed_at < %s and state <> 'waiting'",
            [account_id, before],
        ),
        ("delete from connection_pull where account_id = %s and at < %s", [account_id, before]),
        (
            "update connection set ended_at = %s where account_id = %s and ended_at is null and expires_at <= %s",
            [now(), account_id, now()],
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


async def _warn(inst: Installation, account_id: UUID) -> None:
    """Tells who stands for a connection that it ends soon; once."""
    for one in await look_after(inst, account_id):
        if one.state in ("ended", "lapsed") or one.expires_at > now() + WARNED:
            continue
        [who] = await inst.db.run(
            account_id,
            (
                "update connection c set warned_at = %s from staff_user u where c.account_id = %s and c.id = %s and c.warned_at is null"
                " and u.account_id = c.account_id and u.id = c.staff_user_id returning u.person_id",
                [now(), account_id, one.id],
            ),
        )
        if who:
            text = (
                f"The connection with {one.name} ends by itself on {one.expires_at:%-d %B %Y}. If it is still needed, confirm it, and"
                f" it goes on for a year:\n\n{inst.settings.public_url}/settings/connections\n"
            )
            await write_about(inst, account_id, who[0][0], "A connected program ends in two weeks", text)
