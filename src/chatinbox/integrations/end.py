"""End: from this moment nothing goes to a program and nothing comes from it; its secret and its token are destroyed."""

from uuid import UUID

from chatinbox.accounts.change_log import noted
from chatinbox.accounts.staff import Staff
from chatinbox.core.clock import now
from chatinbox.core.installation import Installation
from chatinbox.integrations.connection import read_connection
from chatinbox.integrations.token import Whose, end_token


async def end_connection(inst: Installation, by: Staff, connection_id: UUID) -> None:
    """Ends one for good. Raises not-found. Ending it again changes nothing."""
    by.need("integrations")
    connection = await read_connection(inst, by.account_id, connection_id)
    key, mine = await inst.vault.account_key(by.account_id), [by.account_id, connection_id]
    if connection.ended_at is None:
        await inst.db.run(
            by.account_id,
            ("update connection set ended_at = %s where account_id = %s and id = %s", [now(), *mine]),
            (
                "update connection_delivery set state = 'dropped', reason = 'ended', changed_at = %s"
                " where account_id = %s and connection_id = %s and state = 'waiting'",
                [now(), *mine],
            ),
            ("delete from connection_knows where account_id = %s and connection_id = %s", mine),
            noted(key, by, "connection.ended", connection.name, None),
        )
    await destroy_secret(inst, by.account_id, connection_id)


async def destroy_secret(inst: Installation, account_id: UUID, connection_id: UUID) -> None:
    """Destroys what the connection was proven by: the token, and the key that its secret was made from."""
    await end_token(inst, Whose(account_id, connection_id))
    await inst.vault.destroy("connection", account_id, connection_id)
