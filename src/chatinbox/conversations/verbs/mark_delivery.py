"""Mark a delivery: what became of an answer on its way."""

from datetime import datetime
from typing import Literal, TypeAlias
from uuid import UUID

from chatinbox.conversations.change import Changed, apply, change
from chatinbox.core.clock import now
from chatinbox.core.installation import Installation

State: TypeAlias = Literal["waiting", "sent", "delivered", "seen", "failed"]

_DELIVERY = """moved as (
  update delivery d set state = %(state)s::text, reason = %(reason)s::text, changed_at = %(at)s, due_at = %(due)s::timestamptz
   from changed where d.account_id = %(account)s and d.id = %(subject)s)"""

# Only forward: a late word about an earlier step does not undo a later one. A failure may be tried again.
_GUARD = """exists (select from delivery d where d.account_id = %(account)s and d.id = %(subject)s
  and d.conversation_id = c.id and d.state <> %(state)s::text
  and (d.state in ('failed', %(state)s::text) or %(state)s::text in ('failed', 'waiting')
    or array_position(array['waiting', 'sending', 'sent', 'delivered', 'seen'], d.state)
     < array_position(array['waiting', 'sending', 'sent', 'delivered', 'seen'], %(state)s::text)))"""


async def mark_delivery(
    inst: Installation,
    account_id: UUID,
    conversation_id: UUID,
    delivery_id: UUID,
    state: State,
    reason: str | None = None,
    due_at: datetime | None = None,
) -> Changed | None:
    """Moves a delivery on and tells the staff who look; None when it stood there already.

    `reason` is the other side's code and words, never an address; `due_at` when it is tried again. A failure puts the conversation back to do.
    """
    failed = ", failed_at = %(at)s, status = 'todo', waiting_since = coalesce(c.waiting_since, %(at)s)"
    statement = change(
        account_id,
        conversation_id,
        "delivery",
        sets="failed_at = null" if state != "failed" else failed.removeprefix(", "),
        guard=_GUARD,
        extra=_DELIVERY,
        shown=False,
        subject_id=delivery_id,
        state=state,
        reason=reason,
        due=due_at,
        at=now(),
    )
    return await apply(inst, account_id, conversation_id, statement)
