"""Switch off: a program that could not be reached for days gets nothing more, and who stands for it a letter."""

from uuid import UUID

from chatinbox.accounts.sessions import read_staff_user
from chatinbox.core.clock import now
from chatinbox.core.installation import Installation
from chatinbox.integrations.connection import Connection
from chatinbox.integrations.letters import write_about
from chatinbox.integrations.mapping import ERASED


async def switch_off(inst: Installation, account_id: UUID, connection: Connection) -> None:
    """Switches it off once. What waits has failed, but for erasures: of those it is told when it is on again."""
    off, _ = await inst.db.run(
        account_id,
        (
            "update connection set off_at = %s where account_id = %s and id = %s and off_at is null returning 1",
            [now(), account_id, connection.id],
        ),
        (
            "update connection_delivery set state = 'failed', changed_at = %s where account_id = %s and connection_id = %s"
            " and state = 'waiting' and kind <> %s",
            [now(), account_id, connection.id, ERASED],
        ),
    )
    by = await read_staff_user(inst, account_id, connection.staff_user_id) if off else None
    if by:
        text = (
            f"{connection.name} could not be reached for days, so nothing is sent to it any more. When it can be reached, switch"
            " it on again; what failed in the last three days is sent then:\n\n"
            f"{inst.settings.public_url}/settings/connections\n"
        )
        subject = "A connected program is switched off"
        await write_about(inst, account_id, by.person_id, subject, text)
