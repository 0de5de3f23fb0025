"""Redirect a delivery: the visitor has left the chat, so the answer goes to their address as well."""

from uuid import UUID

from chatinbox.conversations.change import Changed, apply, change
from chatinbox.core.clock import now
from chatinbox.core.ids import new_id
from chatinbox.core.installation import Installation

_BY_MAIL = """by_mail as (
  insert into delivery (account_id, id, conversation_id, message_id, channel_id, kind, state, changed_at)
  select %(account)s, %(delivery)s, %(conversation)s, %(subject)s, %(channel)s, 'email', 'waiting', %(at)s from changed)"""

# Once a message: whoever asks second finds the first one's row.
_GUARD = """not exists (select from delivery d where d.account_id = %(account)s and d.message_id = %(subject)s
  and d.kind = 'email')"""


async def redirect_delivery(
    inst: Installation, account_id: UUID, conversation_id: UUID, message_id: UUID, channel_id: UUID
) -> Changed | None:
    """Puts an e-mail delivery of a message beside its chat delivery; None when there is one.

    `channel_id` is the e-mail channel it leaves by. The event `delivery.redirected` carries the message's id, so
    whoever sends new messages sends this one.
    """
    statement = change(
        account_id,
        conversation_id,
        "delivery.redirected",
        sets="",
        guard=_GUARD,
        extra=_BY_MAIL,
        shown=False,
        subject_id=message_id,
        delivery=new_id(),
        channel=channel_id,
        at=now(),
    )
    return await apply(inst, account_id, conversation_id, statement)
