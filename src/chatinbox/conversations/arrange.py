"""Arranging a conversation: what staff decide about it without a word to anybody."""

from typing import Any
from uuid import UUID

from chatinbox.accounts.staff import Staff
from chatinbox.conversations.change import Changed, apply_or_refuse, change
from chatinbox.conversations.who import in_sight
from chatinbox.core.installation import Installation


async def arrange(
    inst: Installation, by: Staff, conversation_id: UUID, kind: str, **how: Any
) -> Changed | None:
    """Makes the change that `how` says (as `change` takes it), where `by` may and sees the conversation; None when it was so
    already. Raises not-found.
    """
    by.need("arrange")
    await in_sight(inst, by, conversation_id)
    statement = change(by.account_id, conversation_id, kind, staff_user_id=by.staff_user_id, **how)
    return await apply_or_refuse(inst, by.account_id, conversation_id, statement)
