"""Try out: a signed message without anything in it goes to a program at once, so that one sees whether it arrives."""

from uuid import UUID

from chatinbox.accounts.staff import Staff
from chatinbox.core.clock import now
from chatinbox.core.errors import Refused, not_found
from chatinbox.core.ids import new_id
from chatinbox.core.installation import Installation
from chatinbox.core.vault import Erased
from chatinbox.integrations.connection import read_connection
from chatinbox.integrations.mapping import TEST
from chatinbox.integrations.payload import compose
from chatinbox.integrations.post import Answer, post
from chatinbox.integrations.stands import who_stands


async def try_out(inst: Installation, by: Staff, connection_id: UUID) -> Answer:
    """Sends it; what became of it. Raises not-found, and a sentence where nobody stands for it or it has ended."""
    by.need("integrations")
    connection = await read_connection(inst, by.account_id, connection_id)
    if connection.direction != "out":
        raise not_found()
    if await who_stands(inst, by.account_id, connection) is None:
        raise Refused(409, "Nothing is sent to this program: confirm it first, or connect it anew.", "stands")
    try:
        return await post(
            inst, by.account_id, connection, new_id(), compose(TEST, now(), {}, {}, ()), ("a test",)
        )
    except Erased:
        raise Refused(409, "This connection has just ended.", "ended") from None
