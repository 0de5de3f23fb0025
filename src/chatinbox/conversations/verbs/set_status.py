"""Set the status: whose turn it is."""

from typing import Literal, TypeAlias
from uuid import UUID

from chatinbox.accounts.staff import Staff
from chatinbox.conversations.arrange import arrange
from chatinbox.conversations.change import Changed
from chatinbox.core.clock import now
from chatinbox.core.installation import Installation

Status: TypeAlias = Literal["todo", "waiting", "done"]

_SETS = """status = %(status)s::text, snoozed_until = null,
  waiting_since = case when %(status)s::text = 'todo' then coalesce(c.waiting_since, %(moment)s) end"""


async def set_status(inst: Installation, by: Staff, conversation_id: UUID, status: Status) -> Changed | None:
    """Moves a conversation to to do, waiting or done; wakes it when it was snoozed. None when it was so already."""
    return await arrange(
        inst,
        by,
        conversation_id,
        "status",
        sets=_SETS,
        guard="(c.status <> %(status)s::text or c.snoozed_until is not null)",
        data={"status": status},
        status=status,
        moment=now(),
    )
