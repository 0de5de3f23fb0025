"""Set out: answers that were written get their deliveries, by the way the customer wrote. Nobody sees a difference (an
answer without one is waiting too), so there is no event and no ring.
"""

from collections.abc import Sequence
from uuid import UUID

from chatinbox.core.db import LAZILY
from chatinbox.core.installation import Installation

# The first delivery of a message has its id: whoever comes second changes nothing.
_DELIVERIES = """
insert into delivery (account_id, id, conversation_id, message_id, channel_id, kind, state, changed_at)
select m.account_id, m.id, m.conversation_id, m.id, c.channel_id, m.via, 'waiting', m.at
  from message m join conversation c on c.account_id = m.account_id and c.id = m.conversation_id
 where m.account_id = %s and m.id = any(%s) and m.author = 'staff'
on conflict (account_id, id) do nothing"""


async def set_out(inst: Installation, account_id: UUID, message_ids: Sequence[UUID]) -> None:
    """Makes the deliveries of these messages, where they are staff's. Doing it again changes nothing."""
    if message_ids:
        await inst.db.run(account_id, LAZILY, (_DELIVERIES, [account_id, list(message_ids)]))
