"""An answer on its way to a chat visitor: it lies in the box; when the visitor has left, it also goes by e-mail."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from chatinbox.conversations.verbs.mark_delivery import mark_delivery
from chatinbox.conversations.verbs.redirect_delivery import redirect_delivery
from chatinbox.core.clock import now
from chatinbox.core.installation import Installation
from chatinbox.core.presence import LEFT_SECONDS
from chatinbox.core.purpose import Use

LOOK_AGAIN = "chat_look_again"

_DELIVERY = """
select d.conversation_id, d.message_id, d.state,
  (select a.id from address a where a.account_id = d.account_id and a.customer_id = c.customer_id and a.kind = 'email' limit 1),
  (select ch.id from channel ch where ch.account_id = d.account_id and ch.kind = 'email' and ch.closed_at is null
    order by ch.created_at limit 1)
  from delivery d join conversation c on c.account_id = d.account_id and c.id = d.conversation_id
 where d.account_id = %s and d.id = %s"""


async def send(inst: Installation, account_id: UUID, delivery_id: UUID) -> None:
    """Marks the answer as sent: the box can fetch it, and the fetch marks it delivered. A visitor who left and gave an
    address gets an e-mail delivery beside it; one who may still come back is looked at again in half a minute."""
    [rows] = await inst.db.run(account_id, (_DELIVERY, [account_id, delivery_id]))
    if not rows:
        return
    conversation_id, message_id, state, address_id, channel_id = rows[0]
    if state in ("delivered", "seen"):
        return
    await mark_delivery(inst, account_id, conversation_id, delivery_id, "sent")
    if not address_id or not channel_id:
        return
    if inst.presence.has_visitor_left(conversation_id):
        await redirect_delivery(inst, account_id, conversation_id, message_id, channel_id)
        return
    ids = {"account_id": str(account_id), "delivery_id": str(delivery_id)}
    again = now() + timedelta(seconds=LEFT_SECONDS + 5)
    await inst.jobs.later(LOOK_AGAIN, ids, once=str(delivery_id), at=again)


def add_jobs(inst: Installation) -> None:
    """Names the second look for the worker; to be called once, before the worker starts."""

    async def look_again(account_id: str, delivery_id: str) -> None:
        await send(inst, UUID(account_id), UUID(delivery_id))

    use = Use("Looks whether a visitor has left, so that their answer goes by mail", "answer", "2")
    inst.jobs.add(LOOK_AGAIN, look_again, use, attempts=5, wait_seconds=10)
