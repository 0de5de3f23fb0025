"""Confirm: somebody who may stands for a connection from now on, for another year; and switch one on again."""

from datetime import timedelta
from uuid import UUID

from chatinbox.accounts.change_log import noted
from chatinbox.accounts.staff import Staff
from chatinbox.core.clock import now
from chatinbox.core.errors import Refused
from chatinbox.core.installation import Installation
from chatinbox.integrations.connection import USUAL, Connection, read_connection
from chatinbox.integrations.hear import ask
from chatinbox.integrations.stands import NEEDS

SINCE = timedelta(days=3)


async def confirm(inst: Installation, by: Staff, connection_id: UUID) -> None:
    """Puts whoever acts in the place of who stood for it. Raises unless they may, not-found, and a sentence when it has ended."""
    connection = await _living(inst, by, connection_id)
    key = await inst.vault.account_key(by.account_id)
    await inst.db.run(
        by.account_id,
        (
            "update connection set staff_user_id = %s, lapsed_at = null, warned_at = null, expires_at = %s where account_id = %s and id = %s"
            " and ended_at is null",
            [by.staff_user_id, now() + USUAL, by.account_id, connection_id],
        ),
        _due_now(by, connection_id),
        noted(key, by, "connection.confirmed", None, connection.name),
    )
    await ask(inst, by.account_id)


async def switch_on(inst: Installation, by: Staff, connection_id: UUID) -> None:
    """Tries again at once: one that was switched off is on, and what failed in the last three days waits. Raises as `confirm`."""
    connection = await _living(inst, by, connection_id)
    key = await inst.vault.account_key(by.account_id)
    await inst.db.run(
        by.account_id,
        (
            "update connection set off_at = null, failing_since = null where account_id = %s and id = %s",
            [by.account_id, connection_id],
        ),
        (
            "update connection_delivery set state = 'waiting', attempts = 0 where account_id = %s and connection_id = %s"
            " and state = 'failed' and at > %s",
            [by.account_id, connection_id, now() - SINCE],
        ),
        _due_now(by, connection_id),
        noted(key, by, "connection.tried_again", None, connection.name),
    )
    await ask(inst, by.account_id)


def _due_now(by: Staff, connection_id: UUID) -> tuple[str, list[object]]:
    return (
        "update connection_delivery set due_at = %s where account_id = %s and connection_id = %s and state = 'waiting'",
        [now(), by.account_id, connection_id],
    )


async def _living(inst: Installation, by: Staff, connection_id: UUID) -> Connection:
    connection = await read_connection(inst, by.account_id, connection_id)
    for needed in NEEDS[connection.direction]:
        by.need(needed)
    if connection.state == "ended":
        raise Refused(
            409, "This connection has ended, and its secret is gone. Connect the program anew.", "ended"
        )
    return connection
